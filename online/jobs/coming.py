"""Whether money that is short where a job pays from is on its way there: then nobody needs to bring any."""

from __future__ import annotations

from sqlalchemy import Connection, false, select

from online.chains import customs
from online.jobs.model import Job
from online.jobs.states import State
from online.store import tables
from online.store.database import Store
from shared.errors import FundsShort, Refusal

_LEFT = (State.EXPORTED, State.ANSWERED, State.SUBMITTED)


def judged(store: Store, job: Job, refusal: Refusal) -> Refusal:
    """Let a refusal to build a job pass if money is short and some of ours is on its way to where the job pays from."""
    if isinstance(refusal, FundsShort) and not refusal.passes:
        with store.reading() as connection:
            refusal.passes = _is_coming(connection, job)
    return refusal


def _is_coming(connection: Connection, job: Job) -> bool:
    """Say whether a transaction that has left pays the address, or, of many payers, brings its change."""
    jobs, link, transfers, address = tables.jobs, tables.job_transfers, tables.transfers, job.plan.source
    left = (jobs.c.network == job.network) & jobs.c.state.in_([state.value for state in _LEFT]) & (jobs.c.id != job.id)
    paid = select(link.c.job).join(transfers, transfers.c.id == link.c.transfer)
    pays = jobs.c.id.in_(paid.where(transfers.c.destination == address))
    gives_change = jobs.c.source == address if customs(job.network).payers > 1 else false()
    return connection.execute(select(jobs.c.id).where(left, pays | gives_change).limit(1)).scalar() is not None
