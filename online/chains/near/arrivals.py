"""Deposits in the form that every ledger gives them: the scan of `deposits`, with its cursor as a text."""

from __future__ import annotations

import json
from collections.abc import Collection

from online.chains.api import Arrival, Arrivals
from online.chains.near.deposits import Credit, Cursor, Ours, Waiting, begin, scan
from online.chains.near.node import Node
from shared.effects import Destination
from shared.errors import BadField
from shared.money import Asset


def arrivals(
    node: Node, native: Asset, addresses: Collection[str], assets: Collection[Asset], cursor: str,
    since: int | None = None,
) -> Arrivals:  # fmt: skip
    """Read on from a cursor; above a height, or the final block of now, where it is empty.

    Raises:
        HistoryMissing: where a block between the cursor and the final one is not there. NodeUnreachable.
    """
    if not cursor:
        first = begin(node, since)
        if since is None:
            return Arrivals((), write_cursor(first), first.height)
        cursor = write_cursor(first)
    tokens = {asset.code: asset for asset in assets if asset != native}
    found = scan(node, Ours(frozenset(addresses), native, tokens), read_cursor(cursor))
    rows = [_arrival(one, refund=False) for one in found.credits]
    rows += [_arrival(one, refund=True) for one in (*found.refunds, *found.returned)]
    # That a first payment makes an account is how it should be; that one of ours is deleted is for people.
    gone = [one for one in found.noticed if one.what == "deleted"]
    notices = [f"our account {one.account} was deleted by {one.tx_hash} at {one.height}" for one in gone]
    if found.passed:
        notices.append(f"{found.passed} transfers to us of tokens that nobody noted were passed over: too many came")
    last, waits = found.cursor, bool(found.cursor.waiting)
    return Arrivals(tuple(rows), write_cursor(last), last.height, notices=tuple(notices), undecided=waits)


def write_cursor(cursor: Cursor) -> str:
    """Write a cursor as a text."""
    waiting = [[one.receipt, one.tx_hash, one.signer, one.stranger] for one in cursor.waiting]
    return json.dumps([cursor.height, cursor.hash, waiting], separators=(",", ":"))


def read_cursor(text: str) -> Cursor:
    """Read what `write_cursor` wrote. Raises BadField."""
    match json.loads(text):
        case [int(height), str(block), list(waiting)]:
            return Cursor(height, block, tuple(Waiting(*map(str, one)) for one in waiting))
        case _:
            raise BadField("a cursor is a height, a hash and what waits")


def _arrival(one: Credit, *, refund: bool) -> Arrival:
    to = Destination(one.account, memo=one.memo)
    return Arrival(one.key, one.tx_hash, one.height, one.sender, to, one.amount, refund)
