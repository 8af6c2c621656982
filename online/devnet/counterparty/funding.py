"""Asks a running devnet for play money: bitcoins from its new money, assets by decree. No real node has either."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlencode, urlsplit

from shared.errors import NodeRefused, NodeUnreachable

_HERE = ("127.0.0.1", "localhost")


def fund_bitcoin(url: str, address: str, amount: str) -> str:
    """Pay whole bitcoins and mine the block; give the transaction's id.

    Raises:
        NodeUnreachable: if nothing answers at the url, or it is on another machine. NodeRefused: if it does not pay.
    """
    body = json.dumps({"method": "sendtoaddress", "params": [address, amount], "id": 0}).encode()
    answer = _ask(url, body, "application/json")
    if answer.get("error") is not None:
        raise NodeRefused(f"the devnet does not pay: {answer['error'].get('message')}")
    return str(answer["result"])


def fund_asset(url: str, address: str, amount: str, asset: str) -> str:
    """Give whole units of an asset; give what the devnet says.

    Raises:
        NodeUnreachable, NodeRefused: as for bitcoins.
    """
    body = urlencode({"address": address, "asset": asset, "amount": amount}).encode()
    answer = _ask(url.rstrip("/") + "/devnet/give", body, "application/x-www-form-urlencoded")
    if "error" in answer:
        raise NodeRefused(f"the devnet does not give: {answer['error']}")
    return f"{amount} {asset}"


def _ask(url: str, body: bytes, kind: str) -> dict[str, Any]:
    parts = urlsplit(url)
    if parts.scheme != "http" or parts.hostname not in _HERE:
        raise NodeUnreachable("a devnet is on this machine alone", hint="Give its http://127.0.0.1:PORT.")
    login, _, place = parts.netloc.rpartition("@")
    headers = {"Content-Type": kind}
    if login:
        headers["Authorization"] = "Basic " + base64.b64encode(login.encode()).decode()
    request = urllib.request.Request(parts._replace(netloc=place).geturl(), body, headers)  # noqa: S310 - see above
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            found = json.load(answer)
    except urllib.error.HTTPError as error:
        found = _told(error)
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise NodeUnreachable(f"no devnet answers at {place}: {error}") from None
    if not isinstance(found, dict):
        raise NodeUnreachable(f"no devnet answers at {place}")
    return found


def _told(error: urllib.error.HTTPError) -> Any:
    """Read what stands in a reply of another status than 200: both faces say their refusals there."""
    try:
        return json.load(error)
    except ValueError:
        raise NodeUnreachable(f"no devnet answers: HTTP {error.code}") from None
