"""The jobs of which only one can ever happen: one, and those made to replace it. One reservation does for all."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, select

from online.jobs.model import Job
from online.jobs.states import ENDS, UNDONE, State
from online.store import tables

_NOT_YET = (State.DRAFTED, State.APPROVED)


def rivals(connection: Connection, job: Job) -> dict[int, State]:
    """Give a job, those that it replaces and those that replace it, however far, with their states."""
    table = tables.jobs
    mine = table.c.order_id == job.order.hex()
    found = {job.id}
    pairs = [tuple(row) for row in connection.execute(
        select(table.c.id, table.c.replaces).where(mine, table.c.replaces.is_not(None))
    )]  # fmt: skip
    for _ in pairs:  # each round finds one link further at least, or there is none
        more = {number for pair in pairs for number in pair if found.intersection(pair)}
        if more <= found:
            break
        found |= more
    rows = connection.execute(select(table.c.id, table.c.state).where(table.c.id.in_(found)))
    return {row.id: State(row.state) for row in rows}


def holder(states: Mapping[int, State]) -> int | None:
    """Give the one of some rivals that the books reserve for: the newest that may happen; none once one happened."""
    if any(state in ENDS and state not in UNDONE for state in states.values()):
        return None
    return max((number for number, state in states.items() if state not in (*ENDS, *_NOT_YET)), default=None)
