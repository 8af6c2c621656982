"""Four eyes: an order leaves `drafted` only by the signature of another person than the one who drafted it.

Paying again after a transaction ended without effect is a person's decision too, kept with their signature.
"""

from __future__ import annotations

from sqlalchemy import select, update

from online.deposits.returns import RETURN
from online.deposits.suspense import return_again
from online.jobs.model import Job, find_job, find_jobs, insert_job, transfer_refs
from online.jobs.moves import move
from online.jobs.states import UNDONE, State
from online.orders.mandated import ORDER_KIND
from online.orders.model import KIND, Order, find_order
from online.store import journal, tables
from online.store.database import Store, Tx
from online.store.people import find_person, known
from shared.encoding import encode
from shared.errors import BadSeal, MoveRefused, SamePerson
from shared.policy import Person
from shared.sealed import Sealed, Sign, add_signature, open_sealed, seal

REBUILD = "rebuild/1"


def approve(store: Store, order_id: bytes, *, person: Person, sign: Sign, now: int) -> Order:
    """Add another person's signature to a drafted order, and approve its jobs; the same person again changes nothing.

    Raises:
        SamePerson: if this person drafted it. UnknownOrder, UnknownPerson: if the store does not hold them.
        MoveRefused: if it is approved or withdrawn already. BadSeal, BadSignature: if its document was altered.
    """
    with store.transaction() as tx:
        order = find_order(tx.sql, order_id)
        known(tx.sql, person)
        if order.approved_by == person.name:
            return order
        drafter = find_person(tx.sql, order.drafted_by)
        if person.key == drafter.key:
            raise SamePerson(f"{person.name} drafted this order")
        if order.approved_by is not None:
            raise MoveRefused(f"{order.approved_by} approved this order already")
        if _document(tx, order).signers != (drafter.key,):
            raise BadSeal("the stored order is not signed by its drafter alone")
        sealed = add_signature(order.sealed, KIND, person.key, sign)
        here = tables.orders.c.id == order.id.hex()
        tx.sql.execute(update(tables.orders).where(here).values(sealed=sealed, approved_by=person.name))
        journal.append(tx, "approval", {"order": order.id, "sealed": sealed, "by": person.name}, now)
        waiting = find_jobs(tx.sql, order=order.id, states=(State.DRAFTED,))
        if not waiting:
            raise MoveRefused("no job of this order waits for an approval")
        for job in waiting:
            move(tx, job, State.APPROVED, now)
        return find_order(tx.sql, order_id)


def rebuild(store: Store, job_id: int, *, person: Person, sign: Sign, now: int) -> Job:
    """Make a new job for the transfers of one that ended without effect, by a person's signed decision.

    Raises:
        MoveRefused: if the job may still happen, did something, or another job carries out its transfers.
        NotInSuspense: if what it was to send back was credited since, or is sent back by another order.
        UnknownJob, UnknownPerson: if the store does not hold them.
    """
    with store.transaction() as tx:
        old = find_job(tx.sql, job_id)
        known(tx.sql, person)
        if old.state not in UNDONE:
            raise MoveRefused(f"job {job_id} is {old.state}: only what can never happen is built again")
        order = find_order(tx.sql, old.order)
        if order.approved_by is None:
            raise MoveRefused("its order was never approved")
        if order.kind == ORDER_KIND:
            raise MoveRefused("its money went back to the customers: paying again is a new withdrawal")
        _require_no_other(tx, old)
        if order.kind == RETURN:
            return_again(tx, order)
        word = seal(REBUILD, encode({"order": old.order, "job": job_id}), [(person.key, sign)])
        lines = [ref.line for ref in transfer_refs(tx.sql, job_id)]
        new = insert_job(tx, old.order, old.wallet, old.plan, lines, State.APPROVED, now, old.replacing)
        journal.append(tx, "rebuild", {"old": job_id, "new": new, "word": word, "by": person.name}, now)
        return find_job(tx.sql, new)


def _require_no_other(tx: Tx, old: Job) -> None:
    """Refuse if another job of the same transfers, or the same step without any, is newer or not without effect."""
    mine = set(transfer_refs(tx.sql, old.id))
    for job in find_jobs(tx.sql, order=old.order):
        theirs = set(transfer_refs(tx.sql, job.id))
        step = (job.kind, job.plan.source) == (old.kind, old.plan.source)
        if job.id == old.id or not (mine & theirs or (step and not mine and not theirs)):
            continue
        if job.id > old.id:
            raise MoveRefused(f"job {job.id} was made for the same already")
        if job.state not in UNDONE:
            raise MoveRefused(f"job {job.id} is {job.state} and does the same")


def _document(tx: Tx, order: Order) -> Sealed:
    """Open the stored document and hold it against the stored body, of which jobs and transfers were made."""
    sealed = open_sealed(order.sealed, KIND)
    body = tx.sql.execute(select(tables.orders.c.body).where(tables.orders.c.id == order.id.hex())).scalar_one()
    if sealed.body != body:
        raise BadSeal("the stored order is not the one that was signed")
    return sealed
