"""Replacement on purpose: a further transaction for the same transfers, while the first may still happen.

It uses something up that the first uses up, so that whichever of the two the ledger takes ends the other. Both are
watched until then. That it is made, and on what terms, is a person's decision, kept with their signature.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import Connection, select

from online.jobs.model import Job, find_job, insert_job, transfer_refs
from online.jobs.states import ENDS, State
from online.orders.model import find_order, plain_params
from online.store import journal, tables
from online.store.database import Store, Tx
from online.store.people import find_person, known
from shared.encoding import Fields, Value, decode, encode
from shared.errors import BadSeal, MoveRefused
from shared.policy import Person
from shared.sealed import Sign, open_sealed, seal

KIND = "bump/1"

_MAY_HAPPEN = (State.EXPORTED, State.ANSWERED, State.SUBMITTED)


def bump(
    store: Store, job_id: int, *, person: Person, sign: Sign, now: int, terms: Mapping[str, int | str] | None = None
) -> Job:
    """Make a new job for the transfers of one that is on its way, on other terms such as a higher `fee_rate`.

    Raises:
        MoveRefused: if the job never left or has ended, or another one replaces it already.
        UnknownJob, UnknownPerson: if the store does not hold them.
    """
    with store.transaction() as tx:
        old = find_job(tx.sql, job_id)
        known(tx.sql, person)
        if old.state not in _MAY_HAPPEN:
            raise MoveRefused(f"job {job_id} is {old.state}: only what is on its way is replaced")
        _require_newest(tx, old)
        changed = {**changes_of(tx.sql, old), **(terms or {}), "replace": 1}
        body: dict[str, Value] = {"order": old.order, "job": job_id, "by": person.name, "terms": {**changed}}
        word = seal(KIND, encode(body), [(person.key, sign)])
        plan = replace(old.plan, params={**old.plan.params, **changed})
        lines = [ref.line for ref in transfer_refs(tx.sql, job_id)]
        new = insert_job(tx, old.order, old.wallet, plan, lines, State.APPROVED, now, (job_id, word))
        journal.append(tx, "bump", {"old": job_id, "new": new, "word": word, "by": person.name}, now)
        return find_job(tx.sql, new)


def changes_of(connection: Connection, job: Job) -> dict[str, int | str]:
    """Give the terms that a signed decision changed for a job; none where there was no decision.

    Raises:
        BadSeal, BadSignature: if the decision is another one, or nobody's of this store.
    """
    if job.decision is None and job.replaces is None:
        return {}
    sealed = open_sealed(job.decision or b"", KIND)
    fields = Fields(decode(sealed.body), "bump")
    said = (fields.bytes("order"), fields.value("job"))
    person = find_person(connection, fields.text("by"))
    terms = plain_params(fields.value("terms"))
    fields.close()
    if said != (job.order, job.replaces) or tuple(sealed.signers) != (person.key,):
        raise BadSeal(f"the decision about job {job.id} is about another one, or is not signed by who it names")
    return terms


def ancestors(connection: Connection, job: Job) -> tuple[int, ...]:
    """Give the jobs that a job replaces, the newest first."""
    found: list[int] = []
    older = job.replaces
    while older is not None and older not in found:
        found.append(older)
        query = select(tables.jobs.c.replaces).where(tables.jobs.c.id == older)
        older = connection.execute(query).scalar_one()
    return tuple(found)


def _require_newest(tx: Tx, old: Job) -> None:
    ended = [state.value for state in ENDS]
    query = select(tables.jobs.c.id).where(tables.jobs.c.replaces == old.id, tables.jobs.c.state.not_in(ended))
    newer = tx.sql.execute(query.limit(1)).scalar()
    if newer is not None:
        raise MoveRefused(f"job {newer} replaces job {old.id} already: bump that one, or withdraw it")
    if find_order(tx.sql, old.order).approved_by is None:
        raise MoveRefused("its order was never approved")
