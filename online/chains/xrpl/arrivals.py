"""What arrived at some accounts: every validated transaction that touched them, read on from a cursor span by span.

A payment counts by what it delivered (`credit`), and by nothing else it says. Whatever else raised the balance, such
as a finished escrow or a check that the account cashed itself, counts by the balances before and after, and has
nobody's tag.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

from online.chains.api import Arrival, Arrivals
from online.chains.xrpl.answers import Found, drops, text
from online.chains.xrpl.credit import delivered
from online.chains.xrpl.history import block, read_span
from online.chains.xrpl.movements import changed, payer
from online.chains.xrpl.node import Node
from shared.effects import Destination
from shared.errors import HistoryMissing, NodeAnswerUnreadable
from shared.money import Amount, Asset


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
    found, height = read_span(node, addresses, last + 1, status.height, partial(_arrival, native))
    found.sort(key=lambda one: (one.height, one.key))
    return Arrivals(tuple(found), _cursor(node, height), height)


def arrival_of(found: Found, address: str, native: Asset) -> Arrival | None:
    """Give what a validated transaction brought to an account, or nothing.

    Raises:
        NodeAnswerUnreadable: for a payment of which nobody can say what it delivered.
    """
    sender, mine = text(found.fields, "Account"), found.fields.get("Destination") == address
    if sender == address:
        return _taken_in(found, address, native)
    told = delivered(found.meta, found.fields, found.height) if mine else None
    if told is not None and told.kind == "unavailable":
        raise NodeAnswerUnreadable(f"nobody can say what {found.tx_id} delivered")
    units = told.drops if told is not None and told.kind == "xrp" else 0
    tag = found.fields.get("DestinationTag") if mine else None
    if told is None or (told.kind == "nothing" and found.result == "tesSUCCESS"):
        units = max(0, changed(found, address))
    if not units:
        return None
    if tag is not None and type(tag) is not int:
        raise NodeAnswerUnreadable(f"the tag of {found.tx_id} is no number")
    return Arrival(
        f"{found.tx_id}/{address}", found.tx_id, found.height, sender, Destination(address, tag), Amount(native, units)
    )


def _taken_in(found: Found, address: str, native: Asset) -> Arrival | None:
    """Give what an account's own transaction brought to it beyond its fee, such as a check that it cashed."""
    fee = drops(found.fields, "Fee") if payer(found.fields) == address else 0
    units = changed(found, address) + fee
    if units <= 0:
        return None
    return Arrival(
        f"{found.tx_id}/{address}", found.tx_id, found.height, "", Destination(address), Amount(native, units)
    )


def _arrival(native: Asset, found: Found, address: str) -> Arrival | None:
    return arrival_of(found, address, native)


def _cursor(node: Node, height: int) -> str:
    return f"{height} {block(node, height)}"


def _require_same(node: Node, cursor: str) -> int:
    """Give the height of the last ledger read, if the node has this very ledger."""
    height, _, known = cursor.partition(" ")
    there = node.ledger_hash(int(height))
    if there != known:
        raise HistoryMissing(f"{node.name} has another ledger {height} than the one that was read, or none")
    return int(height)
