"""Reads what touched some accounts, oldest first, in spans of whole ledgers: no more at once than fits in memory.

A stranger can touch an account as often as they like for a drop each, so that a span ends by what was read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final, TypeVar

from online.chains.xrpl.answers import Found
from online.chains.xrpl.node import Node
from shared.errors import HistoryMissing, NodeAnswerUnreadable, NodeRefused

SPAN_MOST: Final = 2_000
"""After so many transactions of an account a span ends with the ledger in which the last of them stands."""

_Read = TypeVar("_Read")


def read_span(
    node: Node, addresses: Collection[str], first: int, last: int, read: Callable[[Found, str], _Read | None]
) -> tuple[list[_Read], int]:
    """Give what is read of each validated transaction at each account, and the last ledger that was read whole.

    Raises:
        HistoryMissing: where the node does not hold all of the ledgers. NodeUnreachable: when it does not answer.
    """
    kept: list[tuple[int, _Read]] = []
    try:
        for address in sorted(addresses):
            count, height = 0, first
            for found in node.history(address, first, last):
                if not found.validated or found.height < height:
                    raise NodeAnswerUnreadable(f"{found.tx_id} stands in no validated ledger, or out of order")
                if count >= SPAN_MOST and found.height > height:
                    last = height
                    break
                count, height = count + 1, found.height
                one = read(found, address)
                if one is not None:
                    kept.append((height, one))
    except NodeRefused as problem:
        raise HistoryMissing(str(problem)) from problem
    return [one for height, one in kept if height <= last], last


def block(node: Node, height: int) -> str:
    """Give the hash of a validated ledger. Raises HistoryMissing, NodeUnreachable."""
    known = node.ledger_hash(height)
    if known is None:
        raise HistoryMissing(f"{node.name} does not hold ledger {height}")
    return known
