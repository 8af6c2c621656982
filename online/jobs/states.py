"""The states of a job and the one table of allowed moves. Nobody but `jobs.moves.move` assigns a state.

A job is one transaction's life. What has been exported may be signed by somebody, so nothing but the ledger's proof of
death, or the signer's own signed refusal, ends it without money having moved.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class State(StrEnum):
    """Where a job stands. The last five are ends."""

    DRAFTED = "drafted"
    APPROVED = "approved"
    BUILT = "built"
    EXPORTED = "exported"
    ANSWERED = "answered"
    SUBMITTED = "submitted"
    FINAL = "final"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    DEAD = "dead"
    FAILED = "failed"


MOVES: Final[dict[State, frozenset[State]]] = {
    State.DRAFTED: frozenset({State.APPROVED, State.WITHDRAWN}),
    State.APPROVED: frozenset({State.BUILT, State.WITHDRAWN}),
    State.BUILT: frozenset({State.EXPORTED, State.WITHDRAWN}),
    State.EXPORTED: frozenset({State.ANSWERED, State.DECLINED, State.DEAD}),
    State.ANSWERED: frozenset({State.SUBMITTED}),
    State.SUBMITTED: frozenset({State.FINAL, State.FAILED, State.DEAD}),
    State.FINAL: frozenset(),
    State.DECLINED: frozenset(),
    State.WITHDRAWN: frozenset(),
    State.DEAD: frozenset(),
    State.FAILED: frozenset(),
}

ENDS: Final = frozenset(state for state, onward in MOVES.items() if not onward)

UNDONE: Final = frozenset({State.DECLINED, State.WITHDRAWN, State.DEAD})
"""Ends in which nothing happened and nothing of it ever can: their claims are free again."""
