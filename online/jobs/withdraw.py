"""Taking a job back while its bytes have not left: the only end that a person alone decides."""

from __future__ import annotations

from online.jobs.model import Job, find_job
from online.jobs.moves import move
from online.jobs.renew import renew_behind
from online.jobs.rivals import rivals
from online.jobs.states import ENDS, State
from online.store.database import Store, Tx
from online.withdrawals.settling import requeue


def withdraw(store: Store, job_id: int, now: int) -> Job:
    """Withdraw a drafted, approved or built job and free what it held; customers' withdrawals in it wait again.

    What one that it was to replace, and that is on its way, may still pay does not wait: it would be paid twice.

    Raises:
        MoveRefused: once it was exported, since somebody may have signed it. UnknownJob: if there is none.
    """
    with store.transaction() as tx:
        return take_back(tx, job_id, now)


def take_back(tx: Tx, job_id: int, now: int) -> Job:
    """Withdraw a job within a transaction. Raises as `withdraw`."""
    job = find_job(tx.sql, job_id)
    withdrawn = move(tx, job, State.WITHDRAWN, now)
    if all(state in ENDS for state in rivals(tx.sql, withdrawn).values()):
        requeue(tx, job_id, now)
    if job.state is State.BUILT:
        renew_behind(tx, job, now)
    return withdrawn
