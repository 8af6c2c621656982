"""Serves a world on the loopback interface: JSON-RPC by HTTP, and rippled's websocket form.

It binds to the loopback interface alone unless told otherwise: every method, the owner's too, is open.
"""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection
from websockets.sync.server import serve as serve_websocket

from online.devnet.xrpl import XrplWorld
from online.devnet.xrpl.faults import ConnectionLost
from online.devnet.xrpl.rpc import answer
from online.devnet.xrpl.storage import load_world, save_world

MOST_REQUEST_BYTES = 4_000_000
LEDGERS_BETWEEN_SAVES = 32


class RunningServer:
    """A world being served; ends with `close` or with its `with` block."""

    def __init__(self, world: XrplWorld, host: str, port: int, ws_port: int | None) -> None:
        handler = type("WorldHandler", (_Handler,), {"world": world})
        self._http = _Http((host, port), handler)
        self._ws: Server | None = None
        self.url = f"http://{host}:{self._http.server_address[1]}/"
        self.ws_url: str | None = None
        threads = [threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)]
        if ws_port is not None:
            self._ws = serve_websocket(lambda connection: _converse(world, connection), host, ws_port)
            self.ws_url = f"ws://{host}:{self._ws.socket.getsockname()[1]}/"
            threads.append(threading.Thread(target=self._ws.serve_forever, daemon=True))
        for thread in threads:
            thread.start()

    def close(self) -> None:
        """Stop serving."""
        self._http.shutdown()
        self._http.hang_up_all()
        self._http.server_close()
        if self._ws is not None:
            self._ws.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()


def serve(world: XrplWorld, host: str = "127.0.0.1", port: int = 0,
          ws_port: int | None = None) -> RunningServer:
    """Serve a world; port 0 takes a free one, and no websocket is served where `ws_port` is None."""
    return RunningServer(world, host, port, ws_port)


class Closer:
    """Closes a world's ledgers by time, in a thread, until stopped."""

    def __init__(self, world: XrplWorld, interval_seconds: float, state_path: Path | None = None) -> None:
        self._world, self._interval, self._path = world, interval_seconds, state_path
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join()

    def wait(self) -> None:
        """Block until the thread ends."""
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self._interval):
            index = self._world.close()
            busy = bool(self._world.history.last.records)
            if self._path is not None and (busy or index % LEDGERS_BETWEEN_SAVES == 0):
                save_world(self._world, self._path)


def run_forever(port: int, ws_port: int | None, interval_seconds: float, state_path: Path | None = None, *,
                ready: Callable[[RunningServer], None] | None = None) -> None:
    """Serve a world that closes by itself, until interrupted or ended; with a path it outlives a restart.

    `ready` is called once with the server, to tell people its real addresses.
    """
    world = load_world(state_path) if state_path is not None and state_path.exists() else XrplWorld()
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with (serve(world, port=port, ws_port=ws_port) as server,
              Closer(world, interval_seconds, state_path) as closer):
            if ready is not None:
                ready(server)
            closer.wait()
    except KeyboardInterrupt:
        return
    finally:
        if state_path is not None:
            save_world(world, state_path)


class _Http(ThreadingHTTPServer):
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


class _Handler(BaseHTTPRequestHandler):
    world: ClassVar[XrplWorld]
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        """Answer one JSON-RPC request."""
        length = int(self.headers.get("Content-Length", "0"))
        if length > MOST_REQUEST_BYTES:
            self._reply(413, b"Request too large")
            return
        try:
            status, body = _http_answer(self.world, self.rfile.read(length))
        except ConnectionLost:
            self._hang_up()
            return
        self._reply(status, body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the library's
        """Keep quiet: requests are not worth a line."""

    def _reply(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=UTF-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)


def _http_answer(world: XrplWorld, body: bytes) -> tuple[int, bytes]:
    try:
        request = json.loads(body)
    except ValueError:
        return 400, b"Unable to parse request: invalid JSON"
    method = request.get("method") if isinstance(request, Mapping) else None
    if not isinstance(method, str) or not method:
        return 400, b"Null method"
    given = request.get("params") or [{}]
    if not isinstance(given, list) or len(given) != 1 or not isinstance(given[0], Mapping):
        return 400, b"params unparsable"
    reply: dict[str, Any] = {"result": answer(world, method, given[0])}
    reply.update({name: request[name] for name in ("jsonrpc", "ripplerpc", "id") if name in request})
    return 200, json.dumps(reply).encode()


def _converse(world: XrplWorld, connection: ServerConnection) -> None:
    try:
        for message in connection:
            connection.send(json.dumps(_ws_answer(world, message)))
    except ConnectionLost:
        connection.socket.shutdown(socket.SHUT_RDWR)
    except ConnectionClosed:
        return


def _ws_answer(world: XrplWorld, message: str | bytes) -> dict[str, Any]:
    try:
        request = json.loads(message)
    except ValueError:
        request = None
    if not isinstance(request, Mapping):
        return {"error": "jsonInvalid", "status": "error", "type": "response", "value": str(message)[:200]}
    command = request.get("command", request.get("method"))
    if not isinstance(command, str):
        return {"error": "missingCommand", "request": request, "status": "error", "type": "response"}
    params = {name: value for name, value in request.items() if name not in ("command", "id")}
    result = answer(world, command, params)
    head = {"id": request["id"]} if "id" in request else {}
    if result["status"] == "error":
        # By websocket an error stands at the top, and repeats the request as it came.
        return {**head, **result, "request": dict(request), "type": "response"}
    status = result.pop("status")
    return {**head, "result": result, "status": status, "type": "response"}
