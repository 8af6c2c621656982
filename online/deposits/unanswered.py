"""What a key of ours paid before its answer came here: whoever holds a signature may use it, and its id is not known.

Nobody can say yet whether the job will book such an arrival or whose it is, so that nothing of that reading is booked.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, select

from online.chains.api import Arrival, Arrivals
from online.jobs.model import Job, effects_of, find_jobs
from online.jobs.states import State
from online.store import tables
from online.store.database import Store
from shared.errors import AnswerMissing


def require_answers(store: Store, network: str, found: Arrivals) -> None:
    """Demand that nothing that arrived is of a job that waits for its answer.

    Raises:
        AnswerMissing: for what came by an unknown transaction from where such a job pays; or, where the ledger names no
            sender that we know, for exactly what such a job pays.
    """
    if not found.found:
        return
    with store.reading() as connection:
        waiting = [job for job in find_jobs(connection, states=(State.EXPORTED,)) if job.network == network]
        for one in found.found if waiting else ():
            if _may_be_of(waiting, one) and not _is_known(connection, network, one):
                raise AnswerMissing(f"{one.tx_id} may be of a job that waits for its answer, and pays to us")


def _is_known(connection: Connection, network: str, one: Arrival) -> bool:
    table = tables.jobs
    here = (table.c.network == network) & (table.c.tx_id == one.tx_id)
    return connection.execute(select(table.c.id).where(here).limit(1)).scalar() is not None


def _may_be_of(waiting: Collection[Job], one: Arrival) -> bool:
    if one.sender:
        return any(one.sender in (job.plan.source, *(each[0] for each in job.plan.inputs)) for job in waiting)
    paid = ((each.destination.address, each.amount) for job in waiting for each in effects_of(job).payments)
    return (one.destination.address, one.amount) in paid
