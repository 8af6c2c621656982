"""What becomes of withdrawals when the job that carries them out ends: paid, given back, or held. None is tried again.

What the signer declined is held: nothing was signed, and a person lets it be paid or gives it back. It is asked within
the transaction that moves the job, so that neither can be without the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, select

from online.jobs.rivals import rivals
from online.jobs.states import ENDS, State
from online.store import tables
from online.store.database import Tx
from online.store.many import among, given
from online.withdrawals.model import Withdrawal, find_withdrawal, move
from online.withdrawals.states import State as Stand

if TYPE_CHECKING:
    from online.jobs.model import Job

ORDER_KIND: Final = "withdrawals"
"""The kind of orders that pay withdrawals; nothing else has it."""

_BY_ID = select(tables.orders.c.id).where(tables.orders.c.id.in_(given()), tables.orders.c.kind == ORDER_KIND)
_UNPAID: Final = frozenset({State.DEAD, State.DECLINED, State.FAILED})


def settle(tx: Tx, job: Job, kind: str, now: int) -> None:
    """Follow a job of an order of some kind to its end, if it pays withdrawals."""
    if kind != ORDER_KIND:
        return
    if job.state is State.FINAL:
        for one in _carried(tx, job.id):
            move(tx, one, Stand.PAID, now, reason=job.result, transfer=one.transfer)
    elif job.state in _UNPAID and not _may_still_happen(tx, job):
        reason = f"{job.state}: {job.result}"[:500]
        for one in _carried(tx, job.id):
            if job.state is State.DECLINED:
                move(tx, one, Stand.HELD, now, reason=reason)
            else:
                move(tx, one, Stand.RETURNED, now, reason=reason, transfer=one.transfer)


def of_withdrawals(connection: Connection, jobs: Sequence[Job]) -> list[Job]:
    """Give those of some jobs that pay withdrawals."""
    mine = {row.id for row in among(connection, _BY_ID, [job.order.hex() for job in jobs])}
    return [job for job in jobs if job.order.hex() in mine]


def requeue(tx: Tx, job_id: int, now: int) -> None:
    """Let the withdrawals of a job that never left wait for another order."""
    for one in _carried(tx, job_id):
        move(tx, one, Stand.QUEUED, now, reason="its order was withdrawn", told={"job": job_id})


def _carried(tx: Tx, job_id: int) -> list[Withdrawal]:
    """Give the withdrawals that a job was to pay and that nothing has ended yet."""
    link, table = tables.job_transfers, tables.withdrawals
    query = (
        select(table.c.id)
        .join(link, link.c.transfer == table.c.transfer)
        .where(link.c.job == job_id, table.c.state == Stand.ORDERED.value)
        .order_by(link.c.position)
    )
    return [find_withdrawal(tx.sql, name) for name in tx.sql.execute(query).scalars().all()]


def _may_still_happen(tx: Tx, job: Job) -> bool:
    """Say whether another transaction for the same transfers is on its way, or has happened."""
    others = [state for number, state in rivals(tx.sql, job).items() if number != job.id]
    return any(state not in ENDS or state is State.FINAL for state in others)
