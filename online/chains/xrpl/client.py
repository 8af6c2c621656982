"""One connection to a node, over HTTP or a websocket, by xrpl-py's clients and request models.

Whatever goes wrong on the way is `NodeUnreachable`; what the node itself refuses is an `Answer` with an
error. It never retries: a caller that asks again knows why.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from json import JSONDecodeError
from typing import Any
from urllib.parse import urlsplit

import httpx
from websockets.exceptions import WebSocketException
from xrpl import XRPLException
from xrpl.asyncio.clients.client import REQUEST_TIMEOUT
from xrpl.asyncio.clients.utils import json_to_response, request_to_json_rpc
from xrpl.clients import JsonRpcClient, WebsocketClient
from xrpl.models import Response
from xrpl.models.requests.request import Request

from shared.errors import NodeAnswerUnreadable, NodeUnreachable

API_VERSION = 2
"""Said with every request: version 1 shows a payment's Amount, 2 does not."""

_TRANSPORT = (httpx.HTTPError, httpx.InvalidURL, WebSocketException, OSError, asyncio.CancelledError)
# What xrpl-py raises over an answer that has not the shape of one.
_SHAPE = (XRPLException, JSONDecodeError, KeyError, TypeError, ValueError, AttributeError)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a node said: its result, and the name of its error where it refused ("txnNotFound")."""

    result: Mapping[str, Any]
    error: str | None

    @property
    def reason(self) -> str:
        """Give the node's words about its error."""
        words = self.result.get("error_exception") or self.result.get("error_message") or ""
        return f"{self.error}: {words}" if words else str(self.error)


def public_name(url: str) -> str:
    """Give scheme, host and port of a url, and leave out what may be a secret: names, passwords, paths, queries."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


class Connection:
    """A node at a url. A websocket is opened with the first request and opened again after a failure."""

    def __init__(self, url: str, timeout_seconds: int) -> None:
        self.name = public_name(url)
        over_http = url.startswith("http")
        self._client: _Http | _Socket = (_Http if over_http else _Socket)(url, timeout_seconds)

    def ask(self, request: Request) -> Answer:
        """Ask and wait for the answer.

        Raises:
            NodeUnreachable: when none came in time. NodeAnswerUnreadable: when it is no node's answer.
        """
        try:
            response = self._client.fetch(request)
        except _TRANSPORT as problem:
            self._client.abandon()
            raise NodeUnreachable(f"{self.name} does not answer ({type(problem).__name__})") from problem
        except _SHAPE as problem:
            self._client.abandon()
            raise NodeAnswerUnreadable(f"{self.name} answers something else than a node") from problem
        if response.is_successful():
            return Answer(response.result, None)
        return Answer(response.result, str(response.result.get("error", "unknown")))

    def close(self) -> None:
        """Close the connection; a later request opens it again."""
        self._client.abandon()


class _Http(JsonRpcClient):
    """JSON-RPC with a limit of time of its own, and one TLS context for all requests."""

    def __init__(self, url: str, timeout_seconds: int) -> None:
        super().__init__(url)
        self._limit = timeout_seconds

    @cached_property
    def _context(self) -> ssl.SSLContext:
        return httpx.create_ssl_context()

    def fetch(self, request: Request) -> Response:
        return self.request(request)

    def abandon(self) -> None:
        """Do nothing: no connection outlives its request."""

    async def _request_impl(self, request: Request, *, timeout: float = REQUEST_TIMEOUT) -> Response:  # noqa: ASYNC109
        async with httpx.AsyncClient(timeout=self._limit, verify=self._context) as client:
            reply = await client.post(self.url, json=request_to_json_rpc(request))
        return json_to_response(reply.json())


class _Socket(WebsocketClient):
    """A websocket with a limit of time, which keeps no messages and leaves no thread behind."""

    def __init__(self, url: str, timeout_seconds: int) -> None:
        super().__init__(url)
        self._limit = timeout_seconds

    def fetch(self, request: Request) -> Response:
        if not self.is_open():
            self.abandon()
            self.open()
        return self.request(request)

    def abandon(self) -> None:
        """Stop thread and loop; xrpl-py's `close` leaves both running where the opening failed."""
        loop, thread = self._loop, self._thread
        self._loop = self._thread = None
        if loop is None or thread is None:
            return
        asyncio.run_coroutine_threadsafe(self._cut(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

    async def _cut(self) -> None:
        if self._websocket is not None:
            self._websocket.transport.abort()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._websocket = self._messages = self._handler_task = None

    async def _do_open(self) -> None:
        await asyncio.wait_for(super()._do_open(), self._limit)

    async def _do_request_impl(self, request: Request, timeout: float) -> Response:  # noqa: ASYNC109
        # xrpl-py would wait out the whole time for a connection that has ended; its reader ends with it.
        reader = self._handler_task
        asking = asyncio.ensure_future(super()._do_request_impl(request, self._limit))
        await asyncio.wait({asking, reader} if reader else {asking}, return_when=asyncio.FIRST_COMPLETED)
        self._forget_messages()
        if asking.done():
            return asking.result()
        asking.cancel()
        raise ConnectionError("the websocket has ended")

    def _forget_messages(self) -> None:
        # xrpl-py keeps every message for an iterator that is never used here.
        while self._messages is not None and not self._messages.empty():
            self._messages.get_nowait()
