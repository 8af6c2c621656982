"""Takes back what was built and never exported once its life is half over or its turn is gone, to be built anew.

Its bytes never left this house, so nobody can have signed them; the order's people need not decide again.
"""

from __future__ import annotations

from collections.abc import Mapping

from online.jobs.export import waiting
from online.jobs.model import Job, effects_of, find_jobs, insert_job, transfer_refs
from online.jobs.moves import move
from online.jobs.states import State
from online.jobs.turns import overtaken
from online.store import journal
from online.store.database import Store, Tx


def renew_stale(
    store: Store, signer: bytes, heights: Mapping[str, int], now: int, *, order: bytes | None = None
) -> tuple[int, ...]:
    """Withdraw a signer's built jobs whose expiry or turn is over or too near, and give the approved ones instead.

    `heights` are the newest known ones by network; where one is missing nothing is called stale.
    """
    with store.transaction() as tx:
        built = waiting(tx.sql, signer, order, (State.BUILT,))
        stale = [job for job in built if _stale(job, heights.get(job.network, 0)) or overtaken(tx.sql, job)]
        return tuple(_anew(tx, job, now) for job in stale)


def renew_behind(tx: Tx, gone: Job, now: int) -> tuple[int, ...]:
    """Build anew what was built after a job on its address, now that this one is gone: no hole stays before them."""
    built = find_jobs(tx.sql, states=(State.BUILT,))
    behind = [job for job in built if (job.network, job.plan.source) == (gone.network, gone.plan.source)]
    return tuple(_anew(tx, job, now) for job in behind if job.id > gone.id)


def _anew(tx: Tx, job: Job, now: int) -> int:
    move(tx, job, State.WITHDRAWN, now)
    new = remake(tx, job, now)
    journal.append(tx, "renew", {"old": job.id, "new": new}, now)
    return new


def remake(tx: Tx, job: Job, now: int) -> int:
    """Make an approved job for the transfers and on the terms of one that ended, and give its number."""
    lines = [ref.line for ref in transfer_refs(tx.sql, job.id)]
    return insert_job(tx, job.order, job.wallet, job.plan, lines, State.APPROVED, now, job.replacing)


def _stale(job: Job, height: int) -> bool:
    """Say whether less than half of the heights are left in which a transaction can happen."""
    expiry = effects_of(job).expiry
    if expiry is None:
        return False
    return 2 * (expiry.last_height - height) < expiry.last_height - expiry.stated_height
