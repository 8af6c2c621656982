"""Serves a Bitcoin world as bitcoind does: JSON-RPC by HTTP with a user and a password, on the loopback interface."""

from __future__ import annotations

import base64
import contextlib
import hmac
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, ClassVar, Self

from online.devnet.bitcoin.faults import ConnectionLost
from online.devnet.bitcoin.rpc import http_answer
from online.devnet.bitcoin.world import BitcoinWorld

USER = "lockgate"
PASSWORD = "regtest-only"  # noqa: S105 - it guards a toy, and is printed for whoever asks
MOST_REQUEST_BYTES = 16_000_000


class QuietServer(ThreadingHTTPServer):
    """A threading server that ends the connections which clients keep open when it is closed."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self._open: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection, so that closing the server ends it."""
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection and forget it."""
        self._open.discard(request)
        super().shutdown_request(request)

    def hang_up_all(self) -> None:
        """End the connections that clients keep open."""
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Let a client that went away go quietly; anything else is a bug and is printed."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class RunningServer:
    """A world being served; ends with `close` or with its `with` block."""

    def __init__(self, handler: type[BaseHTTPRequestHandler], host: str, port: int, user: str = "",
                 password: str = "") -> None:
        self._http = QuietServer((host, port), handler)
        self.url = f"http://{host}:{self._http.server_address[1]}"
        self.user, self.password = user, password
        threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        """Stop serving."""
        self._http.shutdown()
        self._http.hang_up_all()
        self._http.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()


class QuietHandler(BaseHTTPRequestHandler):
    """What both faces share: replies, hanging up, no log."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the library's
        """Keep quiet: requests are not worth a line."""

    def body(self) -> bytes | None:
        """Read the request's body; None where it is too large."""
        length = int(self.headers.get("Content-Length", "0"))
        return None if length > MOST_REQUEST_BYTES else self.rfile.read(length)

    def reply(self, status: int, body: bytes, **headers: str) -> None:
        """Answer."""
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def hang_up(self) -> None:
        """End the connection without an answer."""
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)


class _Handler(QuietHandler):
    world: ClassVar[BitcoinWorld]
    secret: ClassVar[str]

    def do_POST(self) -> None:
        """Answer one request, or one batch."""
        body = self.body()
        if body is None:
            self.reply(413, b"")
            return
        if not hmac.compare_digest(self.headers.get("Authorization", ""), self.secret):
            self.reply(401, b"", WWW_Authenticate='Basic realm="jsonrpc"')
            return
        try:
            status, answer = http_answer(self.world, body)
        except ConnectionLost:
            self.hang_up()
            return
        self.reply(status, answer)


def serve_bitcoin(world: BitcoinWorld, port: int = 0, *, host: str = "127.0.0.1", user: str = USER,
                  password: str = PASSWORD) -> RunningServer:
    """Serve a world; port 0 takes a free one."""
    secret = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
    handler = type("BitcoinHandler", (_Handler,), {"world": world, "secret": secret})
    return RunningServer(handler, host, port, user, password)
