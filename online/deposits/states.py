"""The states of an arrival and the one table of allowed moves. Only this package assigns a state."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class State(StrEnum):
    """Where an arrival stands. `own` and `refund` are booked by the jobs that made them.

    `unswept` is a customer's, and credited once we have taken it from the address that is theirs alone.
    """

    CREDITED = "credited"
    UNSWEPT = "unswept"
    SUSPENSE = "suspense"
    RETURNED = "returned"
    OWN = "own"
    REFUND = "refund"


MOVES: Final[dict[State, frozenset[State]]] = {
    State.UNSWEPT: frozenset({State.CREDITED}),
    State.SUSPENSE: frozenset({State.CREDITED, State.RETURNED}),
    State.CREDITED: frozenset(),
    State.RETURNED: frozenset(),
    State.OWN: frozenset(),
    State.REFUND: frozenset(),
}
