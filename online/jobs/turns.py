"""Whose turn it is, on ledgers that take a key's transactions in one order alone: a later one kills those before it.

A transaction waits until every earlier one of its claims' scopes has ended or is known to the ledger. What was exported
and not answered keeps its turn, since its signature may exist; what was only built has none that others must respect,
and is built anew once a later one has left.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, select

from online.chains import customs
from online.jobs.model import Job
from online.jobs.states import State
from online.store import tables
from shared.effects import Claim

_KEEPS_ITS_TURN = (State.EXPORTED, State.ANSWERED, State.SUBMITTED)
_LEFT = (*_KEEPS_ITS_TURN, State.FINAL, State.FAILED)
_TAKEN = ("accepted", "known")


def waits_for(connection: Connection, job: Job) -> int | None:
    """Give a job whose transaction must come first, or nothing where this one may be handed over."""
    for other, state, verdict, distance in _rivals(connection, job):
        taken = state is State.SUBMITTED and verdict.partition(":")[0] in _TAKEN
        if distance < 0 and state in _KEEPS_ITS_TURN and not taken:
            return other
    return None


def overtaken(connection: Connection, job: Job) -> bool:
    """Say whether a later transaction of the same scope has left: where that one lands, this one never can."""
    return any(distance > 0 and state in _LEFT for _, state, _, distance in _rivals(connection, job))


def _rivals(connection: Connection, job: Job) -> Iterator[tuple[int, State, str, int]]:
    """Give the other jobs with claims of the same scopes: number, state, what the node said, how many turns later.

    Of those that ended only such as were made after this one are looked at: a builder never goes back behind a turn.
    """
    turn = customs(job.network).turn
    if turn is None:
        return
    claims, jobs, outbox = tables.claims, tables.jobs, tables.outbox
    mine = connection.execute(select(claims.c.scope, claims.c.name).where(claims.c.job == job.id)).all()
    open_ones = select(jobs.c.id).where(jobs.c.state.in_([state.value for state in _KEEPS_ITS_TURN]))
    near = open_ones.union(select(jobs.c.id).where(jobs.c.id > job.id))
    for scope, name in mine:
        query = (
            select(claims.c.name, jobs.c.id, jobs.c.state, outbox.c.verdict)
            .join(jobs, jobs.c.id == claims.c.job)
            .outerjoin(outbox, outbox.c.job == jobs.c.id)
            .where(claims.c.job.in_(near), claims.c.job != job.id)
            .where(claims.c.network == job.network, claims.c.scope == scope, claims.c.active)
            .order_by(claims.c.id)
        )
        for row in connection.execute(query):
            distance = turn(Claim(scope, row.name)) - turn(Claim(scope, name))
            yield row.id, State(row.state), row.verdict or "", distance
