"""One connection to a node: JSON-RPC 2.0 by POST.

A node's no is an `RpcFault`, whatever the HTTP status: 408 and 422 carry JSON like 200, and `error.cause.name`
decides. What is no answer of a node is `NodeUnreachable`. It never retries and follows no redirect. (near/docs,
docs/api/rpc/errors; nearcore chain/jsonrpc/src/lib.rs.)
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

import httpx

from shared.errors import NodeAnswerUnreadable, NodeRefused, NodeUnreachable

_TRANSPORT = (httpx.HTTPError, httpx.InvalidURL, OSError)
_ID = "lockgate"
_BUSY = (429, 503)
# What a node answers as a result although it is an error (nearcore 2.13: `query` keeps this form for old clients).
_MISSING = "does not exist while viewing"


@dataclass(frozen=True, slots=True)
class RpcFault:
    """A node's no: the name of its cause, what it says beside it, and the legacy `data`."""

    cause: str
    words: str
    info: Mapping[str, Any] = field(default_factory=dict)
    data: Any = None


class Rpc:
    """A node at a url. Names, passwords, paths and queries of the url are never shown: providers put keys there."""

    def __init__(self, url: str, timeout_seconds: int) -> None:
        parts = urlsplit(url)
        login, at, place = parts.netloc.rpartition("@")
        self.name = f"{parts.scheme}://{place}"
        user, _, password = login.partition(":")
        self._url = urlunsplit(parts._replace(netloc=place))
        self._login = httpx.BasicAuth(unquote(user), unquote(password)) if at else None
        self._seconds = timeout_seconds
        self._client: httpx.Client | None = None

    def ask(self, method: str, params: Any) -> Any:
        """Ask one thing and give its result or an `RpcFault`.

        Raises:
            NodeUnreachable: when no answer came in time. NodeAnswerUnreadable: when it is no node's answer.
        """
        body = {"jsonrpc": "2.0", "id": _ID, "method": method, "params": params}
        try:
            reply = self._open().post(self._url, json=body, auth=self._login or httpx.USE_CLIENT_DEFAULT)
        except _TRANSPORT as problem:
            raise NodeUnreachable(f"{self.name} does not answer ({type(problem).__name__})") from None
        return self._read(reply)

    def call(self, method: str, params: Any) -> Any:
        """Ask one thing and give its result. Raises NodeRefused for an `RpcFault`, NodeUnreachable."""
        return self.good(self.ask(method, params))

    def good(self, answer: Any) -> Any:
        """Give a result. Raises NodeRefused for an `RpcFault`."""
        if isinstance(answer, RpcFault):
            raise NodeRefused(f"{self.name} refuses: {answer.cause} {answer.words}".rstrip())
        return answer

    def close(self) -> None:
        """Close the connections; a later request opens new ones."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _open(self) -> httpx.Client:
        if self._client is None:
            self._client = httpx.Client(timeout=self._seconds, trust_env=False)
        return self._client

    def _read(self, reply: httpx.Response) -> Any:
        if reply.status_code in _BUSY:
            raise NodeUnreachable(f"{self.name} asks for patience (HTTP {reply.status_code})")
        try:
            # Numbers with a point stay texts: money never becomes a float.
            answer = json.loads(reply.content, parse_float=str)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict) or not ("result" in answer or "error" in answer):
            text = f"{self.name} answers something else than a node (HTTP {reply.status_code})"
            raise NodeAnswerUnreadable(text)
        if answer.get("id") not in (_ID, None):
            raise NodeAnswerUnreadable(f"{self.name} answers another question than was asked")
        return read_answer(answer)


def read_answer(answer: Mapping[str, Any]) -> Any:
    """Give the result of a JSON-RPC answer, or the `RpcFault` that it carries in any of the forms that nodes use."""
    error = answer.get("error")
    if error is not None:
        return _fault(error)
    result = answer.get("result")
    if isinstance(result, dict) and isinstance(result.get("error"), str):
        return RpcFault(_cause(result["error"]), _line(result["error"]), result)
    return result


def _cause(words: str) -> str:
    """Name the cause of an error that stands in a result as words alone."""
    if not words.endswith(_MISSING):
        return "CONTRACT_EXECUTION_ERROR"
    return "UNKNOWN_ACCOUNT" if words.startswith("account ") else "UNKNOWN_ACCESS_KEY"


def _fault(error: Any) -> RpcFault:
    if not isinstance(error, dict):
        return RpcFault("UNKNOWN", _line(error))
    cause, data = error.get("cause"), error.get("data")
    named = cause if isinstance(cause, dict) else {}
    info = named.get("info")
    name = named.get("name") or error.get("name") or "UNKNOWN"
    words = data if isinstance(data, str) else error.get("message") or ""
    return RpcFault(_line(name), _line(words), info if isinstance(info, dict) else {}, data)


def _line(words: object) -> str:
    return "".join(letter for letter in str(words) if letter.isprintable())[:200]
