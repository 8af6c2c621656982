"""What arrived at some accounts: every validated transaction that touched them, read on from a cursor span by span.

A payment counts by what it delivered (`credit`), and by nothing else it says. Whatever else raised the balance, such
as an offer that somebody took, counts by the balances before and after, and has nobody's tag. What was held for the
account until then, in an escrow, a channel or a check, came from who made that, with the tags that they gave it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial
from typing import Any, Final

from online.chains.api import Arrival, Arrivals
from online.chains.xrpl.answers import Found, drops, text
from online.chains.xrpl.credit import delivered
from online.chains.xrpl.history import block, read_span
from online.chains.xrpl.movements import affected, changed, payer
from online.chains.xrpl.node import Node
from shared.effects import Destination
from shared.errors import HistoryMissing, NodeAnswerUnreadable
from shared.money import Amount, Asset

_HELD: Final[Mapping[object, str]] = {
    "EscrowFinish": "Escrow", "PaymentChannelClaim": "PayChannel", "CheckCash": "Check",
}  # fmt: skip
"""XRPL: transactions that hand over what an entry of the ledger held, which names its maker and both tags."""


def arrivals(
    node: Node, native: Asset, addresses: Collection[str], cursor: str, since: int | None = None
) -> Arrivals:
    """Read a span on from a cursor, the last ledger read and its hash; above a height, or now, where it is empty.

    Raises:
        HistoryMissing: where the node does not hold what comes next, or has another ledger where the last one was.
        NodeUnreachable: when it does not answer.
    """
    status = node.status()
    if not cursor:
        if since is None or since >= status.height:
            return Arrivals((), _cursor(node, status.height), status.height)
        cursor = _cursor(node, since)
    last = _require_same(node, cursor)
    if status.height <= last:
        return Arrivals((), cursor, last)
    if not status.ledgers.covers(last + 1, status.height):
        raise HistoryMissing(f"{node.name} does not hold all ledgers from {last + 1} to {status.height}")
    found, height = read_span(node, addresses, last + 1, status.height, partial(arrival_of, native=native))
    found.sort(key=lambda one: (one.height, one.key))
    return Arrivals(tuple(found), _cursor(node, height), height)


def arrival_of(found: Found, address: str, native: Asset) -> Arrival | None:
    """Give what a validated transaction brought to an account, or nothing.

    Raises:
        NodeAnswerUnreadable: for a payment of which nobody can say what it delivered.
    """
    fields, kind = found.fields, found.fields.get("TransactionType")
    if kind in _HELD:
        # Whoever sends such a transaction, the account itself among them: whose the money was, the entry says.
        held = _held(found, address, _HELD[kind])
        return _arrival(found, address, Amount(native, _risen(found, address)), held, is_theirs=True)
    if text(fields, "Account") == address:
        return _arrival(found, address, Amount(native, _risen(found, address)), None)
    if fields.get("Destination") != address:
        return _arrival(found, address, Amount(native, _risen(found, address)), fields)
    told = delivered(found.meta, fields, found.height)
    if told.kind == "unavailable":
        raise NodeAnswerUnreadable(f"nobody can say what {found.tx_id} delivered")
    units = told.drops
    if told.kind != "xrp" and found.result == "tesSUCCESS":
        units = _risen(found, address)
    # A token that was delivered brings no XRP; what an offer of ours got on its way is nobody's deposit.
    return _arrival(found, address, Amount(native, units), fields, is_theirs=told.kind != "token")


def _arrival(
    found: Found, address: str, amount: Amount, whence: Mapping[str, Any] | None, *, is_theirs: bool = False
) -> Arrival | None:
    """Give an arrival from who made what brought it; with its tags where it was made for the account."""
    if not amount.units:
        return None
    sender = "" if whence is None else text(whence, "Account")
    tags = whence if whence is not None and is_theirs else {}
    to, own = Destination(address, _tag(found, tags, "DestinationTag")), _tag(found, tags, "SourceTag")
    return Arrival(f"{found.tx_id}/{address}", found.tx_id, found.height, sender, to, amount, source_tag=own)


def _tag(found: Found, whence: Mapping[str, Any], name: str) -> int | None:
    tag = whence.get(name)
    if tag is not None and type(tag) is not int:
        raise NodeAnswerUnreadable(f"the {name} of {found.tx_id} is no number")
    return tag


def _risen(found: Found, address: str) -> int:
    """Give by how many drops an account's balance rose, the fee left out where it paid that itself."""
    fee = drops(found.fields, "Fee") if payer(found.fields) == address else 0
    return max(0, changed(found, address) + fee)


def _held(found: Found, address: str, entry: str) -> Mapping[str, Any] | None:
    """Give the fields of the one entry of a type that was held for an account; nothing where there is none."""
    nodes = [node for form, node in affected(found) if form != "CreatedNode" and node.get("LedgerEntryType") == entry]
    rows = [fields for fields in (node.get("FinalFields") for node in nodes) if isinstance(fields, dict)]
    mine = [fields for fields in rows if fields.get("Destination") == address]
    return mine[0] if len(mine) == 1 else None


def _cursor(node: Node, height: int) -> str:
    return f"{height} {block(node, height)}"


def _require_same(node: Node, cursor: str) -> int:
    """Give the height of the last ledger read, if the node has this very ledger."""
    height, _, known = cursor.partition(" ")
    there = node.ledger_hash(int(height))
    if there != known:
        raise HistoryMissing(f"{node.name} has another ledger {height} than the one that was read, or none")
    return int(height)
