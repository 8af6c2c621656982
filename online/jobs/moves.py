"""The one function that moves a job. State, journal line, claims, postings and outbox change in one transaction.

The books follow from the state alone: reserved when built, taken back when nothing happened, posted when final.
Claims are freed only in the ends in which the transaction can never happen; a used one stays taken for ever.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from sqlalchemy import insert, update

from online.chains.api import Final
from online.jobs.model import Job, effects_of, find_job
from online.jobs.states import ENDS, MOVES, UNDONE, State
from online.ledger import postings, rules
from online.store import journal, tables
from online.store.database import Tx
from shared.encoding import Value
from shared.errors import MoveRefused


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
    journal.append(tx, "move", {**body, **(note or {}), **_book(tx, moved, outcome, now)}, now)
    if to in UNDONE:
        tx.sql.execute(update(tables.claims).where(tables.claims.c.job == job.id).values(active=False))
    if to is State.SUBMITTED:
        row = {"job": job.id, "action": "submit", "done": False, "height": 0, "verdict": ""}
        tx.sql.execute(insert(tables.outbox).values(row))
    return moved


def _book(tx: Tx, job: Job, outcome: Final | None, now: int) -> dict[str, Value]:
    """Write the postings that the job's new state means, and give what the journal says of them."""
    said: dict[str, Value] = {}
    if job.state is State.BUILT:
        lines = rules.reserved(tx.sql, effects_of(job))
        entry = postings.post(tx, f"job {job.id}: {job.kind} on its way", "pending", lines, job.id, now)
        said["posted"] = postings.sworn(tx.sql, entry)
    elif job.state in ENDS:
        said["voided"] = postings.void_pending(tx, job.id)
    if outcome is not None:
        lines = rules.happened(tx.sql, effects_of(job), outcome)
        memo = f"job {job.id}: {job.kind} {outcome.result} at {outcome.height}, {outcome.tx_id}"
        said["posted"] = postings.sworn(tx.sql, postings.post(tx, memo, "posted", lines, job.id, now))
    return said
