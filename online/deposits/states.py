"""The states of an arrival and the one table of allowed moves. Only `intake` and `suspense` assign a state."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class State(StrEnum):
    """Where an arrival stands. `own` and `refund` are booked by the jobs that made them."""

    CREDITED = "credited"
    SUSPENSE = "suspense"
    RETURNED = "returned"
    OWN = "own"
    REFUND = "refund"


MOVES: Final[dict[State, frozenset[State]]] = {
    State.SUSPENSE: frozenset({State.CREDITED, State.RETURNED}),
    State.CREDITED: frozenset(),
    State.RETURNED: frozenset(),
    State.OWN: frozenset(),
    State.REFUND: frozenset(),
}
