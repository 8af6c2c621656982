"""The states of an arrival and the one table of allowed moves. Only this package assigns a state."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class State(StrEnum):
    """Where an arrival stands. `refund` is booked by the job that made it, and `own` too, or two people said so.

    `unswept` is a customer's, and credited once we have taken it from the address that is theirs alone. What a
    reorganisation took is `gone`, and becomes again what it was if it comes again.
    """

    CREDITED = "credited"
    UNSWEPT = "unswept"
    SUSPENSE = "suspense"
    RETURNED = "returned"
    OWN = "own"
    REFUND = "refund"
    GONE = "gone"


MOVES: Final[dict[State, frozenset[State]]] = {
    State.UNSWEPT: frozenset({State.CREDITED, State.GONE}),
    State.SUSPENSE: frozenset({State.CREDITED, State.RETURNED, State.OWN, State.GONE}),
    State.CREDITED: frozenset({State.GONE}),
    State.RETURNED: frozenset({State.GONE}),
    State.OWN: frozenset({State.GONE}),
    State.REFUND: frozenset({State.GONE}),
    State.GONE: frozenset(State) - {State.GONE},
}
