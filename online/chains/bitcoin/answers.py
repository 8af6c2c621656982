"""What a bitcoind answers, parsed once into frozen values.

Strict about money, ids and positions, lenient about the rest. Nothing here asks; a value that exists is whole. A field
that is missing or of another type is NodeAnswerUnreadable.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.errors import BadAmount, NodeAnswerUnreadable
from shared.money import Asset, parse_amount

_BTC = Asset("bitcoin", "BTC", 8)
_ID = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Outpoint:
    """An output by the id of its transaction and its number; its text is the name of the claim on it."""

    txid: str
    vout: int

    def __str__(self) -> str:
        return f"{self.txid}:{self.vout}"

    @property
    def wire(self) -> bytes:
        """Give the 36 bytes that an input begins with."""
        return bytes.fromhex(self.txid)[::-1] + self.vout.to_bytes(4, "little")


@dataclass(frozen=True, slots=True)
class Status:
    """What a node says of its chain and of itself."""

    chain: str
    height: int
    headers: int
    tip: str
    in_download: bool
    version: int
    name: str


@dataclass(frozen=True, slots=True)
class Unspent:
    """A confirmed unspent output."""

    outpoint: Outpoint
    sats: int
    script: bytes
    height: int
    coinbase: bool


@dataclass(frozen=True, slots=True)
class Scan:
    """All confirmed unspent outputs of some scripts, as of one block."""

    height: int
    tip: str
    unspent: tuple[Unspent, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """A transaction that the node knows: its bytes, and how deep it stands; nothing where it waits."""

    txid: str
    raw: bytes
    block: str | None
    confirmations: int
    height: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """What the mempool says of a transaction: its size, its fee, and the fee of all that descends from it.

    `family` is the larger of two counts, each with itself: what it builds on, and what builds on it.
    """

    vsize: int
    fee_sats: int
    family_fee_sats: int
    family: int


def status_of(chain: Any, network: Any) -> Status:
    """Read `getblockchaininfo` and `getnetworkinfo`."""
    return Status(
        chain=text(chain, "chain"),
        height=whole(chain, "blocks"),
        headers=whole(chain, "headers"),
        tip=txid(chain, "bestblockhash"),
        in_download=chain.get("initialblockdownload") is not False,
        version=whole(network, "version"),
        name=str(network.get("subversion", ""))[:80],
    )


def scan_of(answer: Any) -> Scan:
    """Read what `scantxoutset` found."""
    if mapping(answer).get("success") is not True or not isinstance(answer.get("unspents"), list):
        raise NodeAnswerUnreadable("the scan of unspent outputs did not end well")
    return Scan(whole(answer, "height"), txid(answer, "bestblock"), tuple(map(_unspent, answer["unspents"])))


def _unspent(row: Any) -> Unspent:
    return Unspent(
        Outpoint(txid(row, "txid"), whole(row, "vout")),
        sats(row, "amount"),
        hexed(row, "scriptPubKey"),
        whole(row, "height"),
        # Core before 25 does not tell; a coinbase is then found out when it is spent too early.
        row.get("coinbase") is True,
    )


def waiting_of(entry: Any) -> Waiting:
    """Read `getmempoolentry`."""
    fees = mapping(mapping(entry).get("fees"))
    family = max(whole(entry, "ancestorcount"), whole(entry, "descendantcount"))
    return Waiting(whole(entry, "vsize"), sats(fees, "base"), sats(fees, "descendant"), family)


# --- single fields --------------------------------------------------------------------------------


def mapping(value: Any) -> Mapping[str, Any]:
    """Give a value that is an object."""
    if not isinstance(value, dict):
        raise NodeAnswerUnreadable("the node's answer is no object")
    return value


def whole(values: Any, name: str) -> int:
    """Give a field that is a whole number, zero or more."""
    value = mapping(values).get(name)
    if type(value) is not int or value < 0:
        raise NodeAnswerUnreadable(f"the node's answer has no whole number {name}")
    return value


def text(values: Any, name: str) -> str:
    """Give a field that is a text."""
    value = mapping(values).get(name)
    if not isinstance(value, str):
        raise NodeAnswerUnreadable(f"the node's answer has no text {name}")
    return value


def txid(values: Any, name: str) -> str:
    """Give a field that is a hash in small hexadecimal digits."""
    return a_hash(text(values, name))


def a_hash(value: Any) -> str:
    """Give a value that is a hash."""
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise NodeAnswerUnreadable("the node's answer has something else than a hash")
    return value


def hexed(values: Any, name: str) -> bytes:
    """Give a field of hexadecimal digits as bytes."""
    return unhex(text(values, name))


def unhex(value: Any) -> bytes:
    """Read hexadecimal digits."""
    try:
        return bytes.fromhex(value)
    except (ValueError, TypeError):
        raise NodeAnswerUnreadable("the node's answer is not hexadecimal") from None


def sats(values: Any, name: str) -> int:
    """Give a field that is a number of bitcoins as satoshis; the client leaves such numbers as texts."""
    value = mapping(values).get(name)
    try:
        return parse_amount(str(value), _BTC).units
    except BadAmount:
        raise NodeAnswerUnreadable(f"the node's answer has no amount {name}") from None
