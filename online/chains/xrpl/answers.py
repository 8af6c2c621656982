"""What a node answers, parsed once into frozen values.

Strict about money and positions, lenient about the rest. Nothing here asks; a value that exists is whole.
A field that is missing or of another type is NodeAnswerUnreadable.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.chains.xrpl.amounts import parse_drops
from shared.errors import BadAmount, NodeAnswerUnreadable

REQUIRE_DEST = 0x00020000
DISALLOW_XRP = 0x00080000
DISABLE_MASTER = 0x00100000
DEPOSIT_AUTH = 0x01000000

# Fields of an AccountRoot that only accounts of a pool, vault or broker have: no key controls them.
_PSEUDO = ("AMMID", "VaultID", "LoanBrokerID")


@dataclass(frozen=True, slots=True)
class Ledgers:
    """The ranges of ledgers that a node holds, ascending, both ends included."""

    ranges: tuple[tuple[int, int], ...]

    def covers(self, first: int, last: int) -> bool:
        """Say whether no ledger from first to last is missing."""
        return any(low <= first and last <= high for low, high in self.ranges)


@dataclass(frozen=True, slots=True)
class Status:
    """A node's `server_state`: which network, how well it follows, the validated ledger's reserves."""

    network_id: int | None
    state: str
    version: str
    amendment_blocked: bool
    ledgers: Ledgers
    height: int
    ledger_hash: str
    reserve_base_drops: int
    reserve_increment_drops: int

    def reserve_drops(self, owned: int) -> int:
        """Give what an account must keep that owns so many objects."""
        return self.reserve_base_drops + owned * self.reserve_increment_drops


@dataclass(frozen=True, slots=True)
class Account:
    """An account of a validated ledger."""

    address: str
    height: int
    balance_drops: int
    sequence: int
    owned: int
    flags: int
    ticket_count: int
    regular_key: str | None
    pseudo: bool

    def has(self, flag: int) -> bool:
        """Say whether an account flag is set."""
        return bool(self.flags & flag)


@dataclass(frozen=True, slots=True)
class Found:
    """A transaction that the node knows. Its fields count only where `validated`."""

    tx_id: str
    validated: bool
    height: int
    result: str
    fields: Mapping[str, Any]
    meta: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class NotFound:
    """A transaction that the node does not know; `searched_all` says that it holds the whole asked range."""

    searched_all: bool


@dataclass(frozen=True, slots=True)
class Submitted:
    """The node's first opinion of a submitted transaction."""

    result: str
    message: str
    queued: bool


def status_of(result: Mapping[str, Any]) -> Status:
    """Read the result of `server_state`."""
    state = part(result, "state")
    ledger = part(state, "validated_ledger")
    return Status(
        network_id=whole(state, "network_id") if "network_id" in state else None,
        state=text(state, "server_state"),
        version=str(state.get("build_version", "")),
        amendment_blocked=bool(state.get("amendment_blocked", False)),
        ledgers=ledgers_of(text(state, "complete_ledgers")),
        height=whole(ledger, "seq"),
        ledger_hash=text(ledger, "hash"),
        reserve_base_drops=whole(ledger, "reserve_base"),
        reserve_increment_drops=whole(ledger, "reserve_inc"),
    )


def ledgers_of(words: str) -> Ledgers:
    """Read "32570-5000000,5000003" or "empty"."""
    if words == "empty":
        return Ledgers(())
    ranges = []
    for piece in words.split(","):
        low, _, high = piece.partition("-")
        if not (low.isdecimal() and (high or low).isdecimal()):
            raise NodeAnswerUnreadable(f"no ranges of ledgers: {words[:60]!r}")
        ranges.append((int(low), int(high or low)))
    return Ledgers(tuple(sorted(ranges)))


def account_of(result: Mapping[str, Any]) -> Account:
    """Read the result of `account_info` at a validated ledger."""
    if result.get("validated") is not True:
        raise NodeAnswerUnreadable("the node answers with an account of a ledger that is not validated")
    root = part(result, "account_data")
    key = root.get("RegularKey")
    return Account(
        address=text(root, "Account"),
        height=whole(result, "ledger_index"),
        balance_drops=drops(root, "Balance"),
        sequence=whole(root, "Sequence"),
        owned=whole(root, "OwnerCount"),
        flags=whole(root, "Flags"),
        ticket_count=whole(root, "TicketCount") if "TicketCount" in root else 0,
        regular_key=None if key is None else str(key),
        pseudo="pseudo_account" in result or any(name in root for name in _PSEUDO),
    )


def found_of(result: Mapping[str, Any]) -> Found:
    """Read a transaction as `tx` and `account_tx` of API version 2 give it."""
    validated = result.get("validated") is True
    fields = part(result, "tx_json")
    if not validated:
        return Found(text(result, "hash"), False, 0, "", fields, {})
    meta = part(result, "meta")
    outcome = text(meta, "TransactionResult")
    return Found(text(result, "hash"), True, whole(result, "ledger_index"), outcome, fields, meta)


def submitted_of(result: Mapping[str, Any]) -> Submitted:
    """Read the result of `submit`."""
    queued = result.get("queued") is True
    return Submitted(text(result, "engine_result"), str(result.get("engine_result_message", "")), queued)


# --- single fields --------------------------------------------------------------------------------


def part(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Give a field that is an object."""
    value = values.get(name)
    if not isinstance(value, dict):
        raise NodeAnswerUnreadable(f"the node's answer has no {name}")
    return value


def whole(values: Mapping[str, Any], name: str) -> int:
    """Give a field that is a whole number, zero or more."""
    value = values.get(name)
    if type(value) is not int or value < 0:
        raise NodeAnswerUnreadable(f"the node's answer has no whole number {name}")
    return value


def text(values: Mapping[str, Any], name: str) -> str:
    """Give a field that is a text."""
    value = values.get(name)
    if not isinstance(value, str):
        raise NodeAnswerUnreadable(f"the node's answer has no text {name}")
    return value


def drops(values: Mapping[str, Any], name: str) -> int:
    """Give a field that is a text of drops."""
    try:
        return parse_drops(text(values, name))
    except BadAmount as problem:
        raise NodeAnswerUnreadable(f"the node's answer has no drops in {name}") from problem
