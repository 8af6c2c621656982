"""Serves a NEAR world as a node does: JSON-RPC by HTTP POST, on the loopback interface."""

from __future__ import annotations

from typing import ClassVar

from online.devnet.bitcoin.http import QuietHandler, RunningServer
from online.devnet.near.faults import ConnectionLost
from online.devnet.near.rpc import http_answer
from online.devnet.near.world import NearWorld


class _Handler(QuietHandler):
    world: ClassVar[NearWorld]

    def do_POST(self) -> None:  # noqa: N802 - the name is the library's
        """Answer one request."""
        body = self.body()
        if body is None:
            self.reply(413, b"")
            return
        try:
            status, answer = http_answer(self.world, body)
        except ConnectionLost:
            self.hang_up()
            return
        self.reply(status, answer)


def serve_near(world: NearWorld, port: int = 0, *, host: str = "127.0.0.1") -> RunningServer:
    """Serve a world; port 0 takes a free one."""
    return RunningServer(type("NearHandler", (_Handler,), {"world": world}), host, port)
