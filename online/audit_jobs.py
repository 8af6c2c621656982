"""Holds each job against its signed order, the journal's moves, and what its own bytes do."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import chain as joined

from sqlalchemy import Connection, select

from online.audit_told import Moves, Told
from online.jobs.model import Job, effects_of, find_job, transfer_refs
from online.jobs.states import UNDONE, State
from online.orders.model import KIND, decode_body, find_order
from online.orders.replacement import changes_of
from online.orders.signed import require_ordered
from online.store import tables
from shared.errors import Refusal
from shared.sealed import open_sealed

_SIGNED = (State.ANSWERED, State.SUBMITTED, State.FINAL, State.FAILED)
_BROADCAST = (State.SUBMITTED, State.FINAL, State.FAILED)


def look(connection: Connection, told: Told) -> Iterator[str]:
    """Name each row that differs."""
    yield from told.problems
    numbers = set(connection.execute(select(tables.jobs.c.id)).scalars())
    for number in sorted(numbers):
        try:
            job = find_job(connection, number)
            texts = list(joined(_plan(connection, job), _moves(told, job), _built(connection, job)))
            beside = list(_beside(connection, job))
        except (Refusal, ValueError) as trouble:
            texts, beside = [f"{trouble}"], []
        yield from (f"jobs {number}: {text}" for text in texts)
        yield from beside
    for number in sorted((told.jobs.keys() | told.made.keys()) - numbers):
        yield f"jobs {number}: in the journal, and not in the store"
    links, claims = tables.job_transfers.c.job, tables.claims.c.job
    for name, column in (("job_transfers", links), ("claims", claims)):
        for number in sorted(set(connection.execute(select(column)).scalars()) - numbers):
            yield f"{name} {number}: of no job"


def _plan(connection: Connection, job: Job) -> Iterator[str]:
    order, plan, jobs = find_order(connection, job.order), job.plan, tables.jobs
    body = decode_body(open_sealed(order.sealed, KIND).body)
    changed = changes_of(connection, job)
    require_ordered(body, job.order, plan, transfer_refs(connection, job.id), changed)
    source = connection.execute(select(jobs.c.source).where(jobs.c.id == job.id)).scalar()
    if (job.wallet, job.network, job.kind, source) != (body.wallet, plan.network, plan.kind, plan.source):
        yield "its wallet, network, kind or source is not its plan's"
    table = tables.keys
    here = (table.c.wallet == job.wallet) & (table.c.address == plan.source)
    key = connection.execute(select(table.c.public_key).where(here)).scalar()
    if key != plan.public_key:
        yield "its plan names another key than the wallet has"
    if (order.approved_by is None) != (job.state is State.DRAFTED) and job.state is not State.WITHDRAWN:
        yield f"it is {job.state}, and its order is {'not approved' if order.approved_by is None else 'approved'}"


def _moves(told: Told, job: Job) -> Iterator[str]:
    first = State.APPROVED if job.id in told.made else State.DRAFTED
    moves = told.jobs.get(job.id, Moves(first.value, job.order))
    if (moves.state, moves.order) != (job.state.value, job.order):
        yield f"it is {job.state} of order {job.order.hex()}, and the journal says {moves.state}"
    end = moves.gave.get(job.state.value, {})
    if job.result != end.get("facts", end.get("reason", "")):
        yield "its result is not what the journal says"
    built, answered = moves.gave.get("built", {}), moves.gave.get("answered", {})
    digest = None if job.unsigned is None else hashlib.sha256(job.unsigned).digest()
    if digest != built.get("unsigned"):
        yield "its unsigned bytes are not those that the journal says were built"
    if job.tx_id != answered.get("tx_id"):
        yield "its transaction id is not the one in the journal"
    if job.submitted_height != moves.gave.get("submitted", {}).get("height"):
        yield "it was submitted at another height than the journal says"
    made = told.made.get(job.id)
    if made is not None and made.get("word") is not None and job.replaces and made.get("word") != job.decision:
        yield "the decision that it was made by is not the one in the journal"


def _built(connection: Connection, job: Job) -> Iterator[str]:
    table = tables.jobs
    columns = (table.c.unsigned_sha256, table.c.fee_units, table.c.expiry_height)
    row = tuple(connection.execute(select(*columns).where(table.c.id == job.id)).one())
    if (job.state in _SIGNED and job.blob is None) or (job.blob is None) != (job.tx_id is None):
        yield "it has no signed bytes, or no id"
    if job.unsigned is None:
        if row != (None, None, None):
            yield "nothing was built, and it has a digest, a fee or an expiry"
        return
    effects = effects_of(job)
    expiry = None if effects.expiry is None else effects.expiry.last_height
    if row != (hashlib.sha256(job.unsigned).digest(), str(effects.fee_most.units), expiry):
        yield "its digest, fee or expiry is not that of its bytes"
    asked = (job.plan.kind, job.network, job.plan.source, job.plan.payments)
    if (effects.kind, effects.network, effects.source, effects.payments) != asked:
        yield "its bytes do something else than its plan"


def _beside(connection: Connection, job: Job) -> Iterator[str]:
    """Hold what other tables have of a job against it: its claims, and whether its bytes were handed over."""
    claims, outbox = tables.claims, tables.outbox
    query = select(claims.c.network, claims.c.scope, claims.c.name, claims.c.active).where(claims.c.job == job.id)
    used = () if job.unsigned is None else effects_of(job).claims
    active = job.state not in UNDONE
    said = sorted((job.network, claim.scope, claim.name, active) for claim in used)
    if sorted(tuple(one) for one in connection.execute(query)) != said:
        yield f"claims of job {job.id}: not what its bytes use up"
    handed = connection.execute(select(outbox.c.id).where(outbox.c.job == job.id)).scalar() is not None
    if handed != (job.submitted_height is not None) or (job.state in _BROADCAST and not handed):
        yield f"outbox of job {job.id}: not what the job says of its broadcast"
