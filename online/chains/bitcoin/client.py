"""One connection to a bitcoind (JSON-RPC, alone and in batches) and one to a counterparty-core (v2 REST), by httpx.

Whatever goes wrong on the way is `NodeUnreachable`; what the node itself refuses is an `RpcFault` or a `NodeRefused`.
It never retries, follows no redirect, and shows of a url nothing but scheme, host and port.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import httpx

from shared.errors import NodeAnswerUnreadable, NodeRefused, NodeUnreachable

Params = Sequence[Any]
_TRANSPORT = (httpx.HTTPError, httpx.InvalidURL, OSError)


@dataclass(frozen=True, slots=True)
class RpcFault:
    """bitcoind's own no: its number and its words."""

    code: int
    words: str


def public_name(url: str) -> str:
    """Give scheme, host and port of a url, and leave out what may be a secret: names, passwords, paths, queries."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


class Rpc:
    """A bitcoind at a url. The cookie file is read for every request, since each start of the node writes a new one."""

    def __init__(self, url: str, timeout_seconds: int, cookie_file: str | None = None) -> None:
        self.name = public_name(url)
        self._url, self._login = _without_login(url)
        self._cookie = None if cookie_file is None else Path(cookie_file)
        self._client = _client(timeout_seconds)

    def call(self, method: str, *params: Any, timeout_seconds: int | None = None) -> Any:
        """Ask one thing and give its result.

        Raises:
            NodeRefused: when the node refuses. NodeUnreachable: when no answer comes.
        """
        return self.good(self.ask(method, *params, timeout_seconds=timeout_seconds))

    def ask(self, method: str, *params: Any, timeout_seconds: int | None = None) -> Any:
        """Ask one thing and give its result or an `RpcFault`. Raises NodeUnreachable."""
        return self.batch([(method, params)], timeout_seconds)[0]

    def batch(self, calls: Sequence[tuple[str, Params]], timeout_seconds: int | None = None) -> list[Any]:
        """Ask several things in one request; each answer is a result or an `RpcFault`.

        Raises:
            NodeUnreachable: when no answer comes. NodeAnswerUnreadable: when it is none of a bitcoind.
        """
        if not calls:
            return []
        body = [
            {"jsonrpc": "1.0", "id": number, "method": method, "params": list(params)}
            for number, (method, params) in enumerate(calls)
        ]
        return _results(self._post(body, timeout_seconds), len(calls), self.name)

    def good(self, answer: Any) -> Any:
        """Give a result. Raises NodeRefused for an `RpcFault`."""
        if isinstance(answer, RpcFault):
            raise NodeRefused(f"{self.name} refuses: {answer.words[:200]} ({answer.code})")
        return answer

    def close(self) -> None:
        """Close the connections; a later request opens new ones."""
        self._client.close()
        self._client = _client(self._client.timeout.read)

    def _post(self, body: Any, timeout_seconds: int | None) -> Any:
        login = self._auth() or httpx.USE_CLIENT_DEFAULT
        limit = httpx.USE_CLIENT_DEFAULT if timeout_seconds is None else httpx.Timeout(timeout_seconds)
        try:
            reply = self._client.post(self._url, json=body, auth=login, timeout=limit)
        except _TRANSPORT as problem:
            raise NodeUnreachable(f"{self.name} does not answer ({type(problem).__name__})") from None
        if reply.status_code in (401, 403):
            raise NodeUnreachable(f"{self.name} does not accept the name and password")
        return _parsed(reply, self.name)

    def _auth(self) -> httpx.BasicAuth | None:
        if self._cookie is None:
            return self._login
        try:
            user, _, password = self._cookie.read_text("utf-8").strip().partition(":")
        except (OSError, ValueError):
            raise NodeUnreachable(f"the cookie file of {self.name} can not be read") from None
        return httpx.BasicAuth(user, password)


class Rest:
    """A counterparty-core's v2 API at a url."""

    def __init__(self, url: str, timeout_seconds: int) -> None:
        self.name = public_name(url)
        base, self._login = _without_login(url)
        self._base = base.rstrip("/").removesuffix("/v2")
        self._client = _client(timeout_seconds)

    def get(self, *path: str, **params: str | Sequence[str]) -> Mapping[str, Any]:
        """Ask for a path below /v2 and give the whole envelope; a repeated parameter is a list.

        Raises:
            NodeRefused: with the node's own words. NodeUnreachable: when no answer comes.
        """
        where = "/".join(["/v2", *(quote(part, safe="") for part in path)])
        reply = self._ask(where if path else "/v2/", params)
        answer = _parsed(reply, self.name)
        if not isinstance(answer, dict):
            raise NodeAnswerUnreadable(f"{self.name} answers something else than a node")
        if "error" in answer or reply.status_code != 200:
            raise NodeRefused(f"{self.name} refuses: {str(answer.get('error'))[:300]}")
        if "result" not in answer:
            raise NodeAnswerUnreadable(f"{self.name} answers without a result")
        return answer

    def close(self) -> None:
        """Close the connections; a later request opens new ones."""
        self._client.close()
        self._client = _client(self._client.timeout.read)

    def _ask(self, where: str, params: Mapping[str, str | Sequence[str]]) -> httpx.Response:
        login = self._login or httpx.USE_CLIENT_DEFAULT
        try:
            return self._client.get(self._base + where, params=dict(params), auth=login)
        except _TRANSPORT as problem:
            raise NodeUnreachable(f"{self.name} does not answer ({type(problem).__name__})") from None


def _client(timeout_seconds: float | None) -> httpx.Client:
    return httpx.Client(timeout=timeout_seconds, trust_env=False)


def _without_login(url: str) -> tuple[str, httpx.BasicAuth | None]:
    parts = urlsplit(url)
    if "@" not in parts.netloc:
        return url, None
    login, _, place = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    return urlunsplit(parts._replace(netloc=place)), httpx.BasicAuth(unquote(user), unquote(password))


def _parsed(reply: httpx.Response, name: str) -> Any:
    # Numbers with a point stay texts: money never becomes a float.
    try:
        return json.loads(reply.text, parse_float=str)
    except ValueError:
        raise NodeAnswerUnreadable(f"{name} answers something else than a node (HTTP {reply.status_code})") from None


def _results(answer: Any, count: int, name: str) -> list[Any]:
    if not isinstance(answer, list) or len(answer) != count:
        raise NodeAnswerUnreadable(f"{name} answers something else than a bitcoind")
    found: dict[Any, Any] = {}
    for each in answer:
        if not isinstance(each, dict) or not ("result" in each or "error" in each):
            raise NodeAnswerUnreadable(f"{name} answers something else than a bitcoind")
        found[each.get("id")] = _result(each)
    if set(found) != set(range(count)):
        raise NodeAnswerUnreadable(f"{name} answers other questions than were asked")
    return [found[number] for number in range(count)]


def _result(answer: Mapping[str, Any]) -> Any:
    fault = answer.get("error")
    if fault is None:
        return answer.get("result")
    code = fault.get("code") if isinstance(fault, dict) else None
    words = fault.get("message") if isinstance(fault, dict) else fault
    return RpcFault(code if type(code) is int else 0, str(words))
