"""Taking a job back while its bytes have not left: the only end that a person alone decides."""

from __future__ import annotations

from online.jobs.model import Job, find_job
from online.jobs.moves import move
from online.jobs.states import State
from online.store.database import Store


def withdraw(store: Store, job_id: int, now: int) -> Job:
    """Withdraw a drafted, approved or built job and free what it held.

    Raises:
        MoveRefused: once it was exported, since somebody may have signed it. UnknownJob: if there is none.
    """
    with store.transaction() as tx:
        return move(tx, find_job(tx.sql, job_id), State.WITHDRAWN, now)
