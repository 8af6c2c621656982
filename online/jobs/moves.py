"""The one function that moves a job. State, journal line, claims, postings and outbox change in one transaction.

The books follow from the states alone: reserved when built, taken back when nothing happened, posted when final. Of a
job and those that replace it only one can happen, so that the books reserve for one of them at a time (`rivals`).
Claims are freed only in the ends in which the transaction can never happen; a used one stays taken for ever.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from sqlalchemy import insert, select, update

from online.chains.api import Final
from online.deposits.returns import RETURN, returned
from online.jobs.model import Job, effects_of, find_job
from online.jobs.rivals import holder, rivals
from online.jobs.states import ENDS, MOVES, UNDONE, State
from online.ledger import postings, rules
from online.ledger.accounts import Kind
from online.store import journal, tables
from online.store.database import Tx
from online.withdrawals.settling import ORDER_KIND, settle
from shared.encoding import Value
from shared.errors import MoveRefused

OWED_BY = {ORDER_KIND: Kind.WITHDRAWALS, RETURN: Kind.SUSPENSE}
"""Orders that pay what is owed, by their kind: whoever has the address, it is that account that they settle."""


def move(
    tx: Tx,
    job: Job,
    to: State,
    now: int,
    *,
    values: Mapping[str, object] | None = None,
    note: Mapping[str, Value] | None = None,
    outcome: Final | None = None,
) -> Job:
    """Move a job to a state with everything that follows from it, and give it as it then is.

    `values` are further columns that this state gives; `note` is what the journal says beside the move.

    Raises:
        MoveRefused: if the table has no such move, or the job has moved meanwhile.
    """
    if to not in MOVES[job.state]:
        raise MoveRefused(f"job {job.id} is {job.state} and does not become {to}")
    table = tables.jobs
    here = (table.c.id == job.id) & (table.c.state == job.state.value)
    new = {**(values or {}), "state": to.value, "updated": now}
    if tx.sql.execute(update(table).where(here).values(new)).rowcount != 1:
        raise MoveRefused(f"job {job.id} is no longer {job.state}")
    moved = find_job(tx.sql, job.id)
    body: dict[str, Value] = {"job": job.id, "order": job.order, "from": job.state.value, "to": to.value}
    if to is State.BUILT:
        body["unsigned"] = hashlib.sha256(moved.unsigned or b"").digest()
    if to is State.SUBMITTED:
        body["height"] = moved.submitted_height
    kind = tx.sql.execute(select(tables.orders.c.kind).where(tables.orders.c.id == moved.order.hex())).scalar_one()
    journal.append(tx, "move", {**body, **(note or {}), **_book(tx, moved, kind, outcome, now)}, now)
    if to in UNDONE:
        tx.sql.execute(update(tables.claims).where(tables.claims.c.job == job.id).values(active=False))
    settle(tx, moved, kind, now)
    if kind == RETURN and to is State.FINAL:
        returned(tx, moved.order, effects_of(moved), now)
    if to is State.SUBMITTED:
        row = {"job": job.id, "action": "submit", "done": False, "height": 0, "verdict": ""}
        tx.sql.execute(insert(tables.outbox).values(row))
    return moved


def _book(tx: Tx, job: Job, kind: str, outcome: Final | None, now: int) -> dict[str, Value]:
    """Write the postings that the job's new state means, and give what the journal says of them."""
    said: dict[str, Value] = _reserve(tx, job, now) if job.state is State.BUILT or job.state in ENDS else {}
    if outcome is not None:
        lines = rules.happened(tx.sql, effects_of(job), outcome, OWED_BY.get(kind))
        memo = f"job {job.id}: {job.kind} {outcome.result} at {outcome.height}, {outcome.tx_id}"
        said["posted"] = postings.sworn(tx.sql, postings.post(tx, memo, "posted", lines, job.id, now))
    return said


def _reserve(tx: Tx, job: Job, now: int) -> dict[str, Value]:
    """Let the books reserve for the one of the job's rivals that now holds the reservation, and for no other."""
    states = rivals(tx.sql, job)
    held = holder(states)
    voided = [entry for number in sorted(states) if number != held for entry in postings.void_pending(tx, number, now)]
    said: dict[str, Value] = {"voided": voided} if voided or job.state in ENDS else {}
    if held is not None and not postings.is_pending(tx.sql, held):
        lines = rules.reserved(tx.sql, effects_of(find_job(tx.sql, held)))
        entry = postings.post(tx, f"job {held}: {job.kind} on its way", "pending", lines, held, now)
        said["posted"] = postings.sworn(tx.sql, entry)
    return said
