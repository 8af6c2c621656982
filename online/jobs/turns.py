"""Whose turn it is, on ledgers that take a key's transactions in one order alone: a later one kills those before it.

A transaction waits until every earlier one of its claims' scopes has ended or is known to the ledger. What was exported
and not answered keeps its turn, since its signature may exist; what was only built has none that others must respect,
and is built anew once a later one has left.
"""

from __future__ import annotations

from collections import defaultdict
from heapq import heapify, heappop, heappush

from sqlalchemy import Connection, select

from online.chains import customs
from online.jobs.model import Job
from online.jobs.states import State
from online.store import tables
from shared.effects import Claim

_KEEPS_ITS_TURN = (State.EXPORTED, State.ANSWERED, State.SUBMITTED)
_LEFT = (*_KEEPS_ITS_TURN, State.FINAL, State.FAILED)
_TAKEN = ("accepted", "known")


class Lines:
    """Who waits for whom on a network, read once for a turn of the loop; what passes meanwhile is told to it.

    What another process lets pass is seen at the next turn: until then those behind it wait.
    """

    def __init__(self, connection: Connection, network: str) -> None:
        self._fronts: dict[str, list[tuple[int, int]]] = defaultdict(list)
        self._turns: dict[int, list[tuple[str, int]]] = defaultdict(list)
        self._passed: set[int] = set()
        turn, claims, jobs, outbox = customs(network).turn, tables.claims, tables.jobs, tables.outbox
        if turn is None:
            return
        query = (
            select(claims.c.scope, claims.c.name, jobs.c.id, jobs.c.state, outbox.c.verdict)
            .join(jobs, jobs.c.id == claims.c.job)
            .outerjoin(outbox, outbox.c.job == jobs.c.id)
            .where(jobs.c.network == network, jobs.c.state.in_([state.value for state in _KEEPS_ITS_TURN]))
            .where(claims.c.active)
        )
        for row in connection.execute(query):
            place = turn(Claim(row.scope, row.name))
            self._fronts[row.scope].append((place, row.id))
            self._turns[row.id].append((row.scope, place))
            if row.state == State.SUBMITTED.value:
                self.heard(row.id, (row.verdict or "").partition(":")[0])
        for front in self._fronts.values():
            heapify(front)

    def waits_for(self, job_id: int) -> int | None:
        """Give a job whose transaction must come first, or nothing where this one may be handed over."""
        for scope, place in self._turns.get(job_id, ()):
            front = self._fronts[scope]
            while front and front[0][1] in self._passed:
                heappop(front)
            if front and front[0][0] < place:
                return front[0][1]
        return None

    def heard(self, job_id: int, verdict: str) -> None:
        """Take in what a node said of a submitted job: those behind it wait until a block has it."""
        if verdict in _TAKEN:
            self._passed.add(job_id)
        elif job_id in self._passed:
            self._passed.remove(job_id)
            for scope, place in self._turns[job_id]:
                heappush(self._fronts[scope], (place, job_id))

    def ended(self, job_id: int) -> None:
        """Let those behind a job go on: the ledger has decided about it."""
        self._passed.add(job_id)


def overtaken(connection: Connection, job: Job) -> bool:
    """Say whether a later transaction of the same scope has left: where that one lands, this one never can.

    Of those that ended only such as were made after this one are looked at: a builder never goes back behind a turn.
    """
    turn, claims, jobs = customs(job.network).turn, tables.claims, tables.jobs
    if turn is None:
        return False
    left = jobs.c.state.in_([state.value for state in _LEFT])
    mine = connection.execute(select(claims.c.scope, claims.c.name).where(claims.c.job == job.id)).all()
    under_way = select(jobs.c.id).where(jobs.c.state.in_([state.value for state in _KEEPS_ITS_TURN]))
    near = under_way.union(select(jobs.c.id).where(jobs.c.id > job.id))
    for scope, name in mine:
        here = (claims.c.network == job.network) & (claims.c.scope == scope) & claims.c.active
        others = select(claims.c.name).join(jobs, jobs.c.id == claims.c.job).where(here, left)
        others = others.where(claims.c.job.in_(near), claims.c.job != job.id)
        place = turn(Claim(scope, name))
        if any(turn(Claim(scope, other)) > place for other in connection.execute(others).scalars()):
            return True
    return False
