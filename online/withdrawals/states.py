"""The states of a withdrawal and the one table of allowed moves. Nobody but `moves.move` assigns a state.

The customer's balance is debited when it is accepted. Every end but `paid` gives the money back, and nothing is tried
again by itself: paying again is a new withdrawal.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class State(StrEnum):
    """Where a withdrawal stands. The last three are ends."""

    HELD = "held"
    QUEUED = "queued"
    ORDERED = "ordered"
    PAID = "paid"
    RETURNED = "returned"
    CANCELLED = "cancelled"


MOVES: Final[dict[State, frozenset[State]]] = {
    State.HELD: frozenset({State.QUEUED, State.CANCELLED}),
    State.QUEUED: frozenset({State.HELD, State.ORDERED, State.CANCELLED}),
    State.ORDERED: frozenset({State.HELD, State.QUEUED, State.PAID, State.RETURNED}),
    State.PAID: frozenset(),
    State.RETURNED: frozenset(),
    State.CANCELLED: frozenset(),
}

GIVEN_BACK: Final = frozenset({State.RETURNED, State.CANCELLED})
"""Ends after which the money is the customer's again."""
