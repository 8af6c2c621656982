"""Serves a Counterparty world on the loopback interface, as the node's API server does."""

from __future__ import annotations

import json
from typing import ClassVar
from urllib.parse import parse_qs, unquote, urlsplit

from online.devnet.bitcoin.faults import ConnectionLost
from online.devnet.bitcoin.http import QuietHandler, RunningServer
from online.devnet.counterparty.rest import rest_answer
from online.devnet.counterparty.world import CounterpartyWorld


class _Handler(QuietHandler):
    world: ClassVar[CounterpartyWorld]

    def do_GET(self) -> None:  # noqa: N802 - the name is the library's
        """Answer a query."""
        self._answer("GET", b"")

    def do_POST(self) -> None:  # noqa: N802 - likewise
        """Answer a form."""
        body = self.body()
        if body is None:
            self.reply(413, b"")
            return
        self._answer("POST", body)

    def _answer(self, method: str, body: bytes) -> None:
        target = urlsplit(self.path)
        given = parse_qs(target.query, keep_blank_values=True)
        given |= parse_qs(body.decode("latin-1"), keep_blank_values=True)
        try:
            status, answer = rest_answer(self.world, method, unquote(target.path), given)
        except ConnectionLost:
            self.hang_up()
            return
        world = self.world
        self.reply(status, json.dumps(answer).encode(), X_COUNTERPARTY_HEIGHT=str(world.height),
                   X_BITCOIN_HEIGHT=str(world.bitcoin.height),
                   X_COUNTERPARTY_READY=str(not world.faults.not_ready))


def serve_counterparty(world: CounterpartyWorld, port: int = 0, *, host: str = "127.0.0.1") -> RunningServer:
    """Serve a world; port 0 takes a free one."""
    return RunningServer(type("CounterpartyHandler", (_Handler,), {"world": world}), host, port)
