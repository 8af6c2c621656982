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
    table, found = tables.jobs, dict[int, State]()
    near = {job.id} | ({job.replaces} if job.replaces is not None else set())
    while near:  # each round goes one link further both ways
        here = table.c.id.in_(near) | table.c.replaces.in_(near)
        rows = connection.execute(select(table.c.id, table.c.state, table.c.replaces).where(here)).all()
        found |= {row.id: State(row.state) for row in rows}
        near = {number for row in rows for number in (row.id, row.replaces) if number is not None} - near - found.keys()
    return found


def holder(states: Mapping[int, State]) -> int | None:
    """Give the one of some rivals that the books reserve for: the newest that may happen; none once one happened."""
    if any(state in ENDS and state not in UNDONE for state in states.values()):
        return None
    return max((number for number, state in states.items() if state not in (*ENDS, *_NOT_YET)), default=None)
