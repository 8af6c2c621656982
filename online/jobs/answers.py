"""Exported -> answered or declined: a signer's answer is verified signature by signature against the stored request.

The gap is untrusted both ways. An answer counts only from the signer that was asked, with one signature or one signed
word for every transaction, and with a journal that continues the one known before. A device of another maker has no
journal; what it signed counts for its one job, and the audit names that job.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from online.jobs.export import find_request, request_jobs
from online.jobs.model import Job, find_job
from online.jobs.moves import move
from online.jobs.signer_journal import follow, want_newer
from online.jobs.states import State
from online.store import tables
from online.store.database import Store, Tx
from online.store.signers import find_signer
from shared.chains import chain, interchange_of
from shared.chains.api import Interchange, Signed
from shared.envelope import Declined, SigningAnswer, open_answer, open_request
from shared.errors import (
    AnswerByAnother,
    AnswerConflict,
    AnswerMismatch,
    AnswerTooLate,
    UnknownRequest,
    UnknownSigner,
)


@dataclass(frozen=True, slots=True)
class Answered:
    """What an answer did: jobs that are now signed, jobs that were declined; or nothing, when it came before."""

    request: bytes
    answered: tuple[int, ...]
    declined: tuple[int, ...]
    repeated: bool


def import_answer(store: Store, blob: bytes, now: int) -> Answered:
    """Take in a signer's answer; the same one twice is harmless.

    Raises:
        UnknownRequest: if its request is not known here; a paired signer that is ahead then stops the exports.
        AnswerByAnother, AnswerMismatch, AnswerConflict, AnswerTooLate: if it is not the answer that was asked for.
        SignerJournalRolledBack, SignerJournalForked: if the signer's journal does not continue.
        Refusal: if a signature does not verify, or the answer is none.
    """
    interchanged = interchange_of(blob)
    if interchanged is not None:
        with store.transaction() as tx:
            return _take_from_device(tx, interchanged, blob, now)
    answer, sealed = open_answer(blob)
    with store.transaction() as tx:
        known = tx.sql.execute(
            select(tables.requests.c.digest).where(tables.requests.c.digest == answer.request.hex())
        )
        if known.scalar() is not None:
            return _take(tx, answer, sealed.signers, blob, now)
        _notice_stranger(tx, answer, sealed.signers, now)
    # Beyond the transaction, so that what was noticed is kept.
    raise UnknownRequest(f"no request {answer.request.hex()[:16]} was exported here")


def _take(tx: Tx, answer: SigningAnswer, signers: Sequence[bytes], blob: bytes, now: int) -> Answered:
    signer, request_blob = find_request(tx.sql, answer.request)
    if tuple(signers) != (signer,):
        raise AnswerByAnother("another key signed this answer than the signer that was asked")
    jobs = request_jobs(tx.sql, answer.request)
    declined = {one.position: one for one in answer.declined}
    earlier = select(tables.answers.c.sealed).where(tables.answers.c.request == answer.request.hex())
    first = tx.sql.execute(earlier).scalar()
    if first is not None:
        return _repeated(answer, open_answer(first)[0], jobs)
    if not any(job.state is State.EXPORTED for job in jobs):
        raise AnswerTooLate("every transaction of this request has ended already")
    signed = verified(answer, jobs, declined)
    request, _ = open_request(request_blob)
    follow(tx, find_signer(tx.sql, signer), request.seen, answer, now)
    tx.sql.execute(insert(tables.answers).values(request=answer.request.hex(), sealed=blob))
    for position, job in enumerate(jobs):
        if job.state is State.EXPORTED:
            _settle(tx, job, signed.get(position), declined.get(position), now)
    return _outcome(answer, jobs, repeated=False)


def _take_from_device(tx: Tx, interchanged: Interchange, blob: bytes, now: int) -> Answered:
    """Take what a device of another maker signed as the answer to the one job that it was asked for."""
    digest, job = _asked_of_device(tx.sql, interchanged.asked(blob))
    answer = device_answer(interchanged, job, digest, blob)
    earlier = select(tables.answers.c.sealed).where(tables.answers.c.request == digest.hex())
    first = tx.sql.execute(earlier).scalar()
    if first is not None:
        return _repeated(answer, device_answer(interchanged, job, digest, first), [job])
    if job.state is not State.EXPORTED:
        raise AnswerTooLate("the transaction of this request has ended already")
    signed = verified(answer, [job], {})
    tx.sql.execute(insert(tables.answers).values(request=digest.hex(), sealed=blob))
    _settle(tx, job, signed[0], None, now)
    return _outcome(answer, [job], repeated=False)


def device_answer(interchanged: Interchange, job: Job, digest: bytes, blob: bytes) -> SigningAnswer:
    """Give what a device answered in the form of an answer: no checkpoint stands behind it, and nothing is declined."""
    transaction = chain(job.network).decode(job.unsigned or b"", job.context, job.keys, job.network)
    return SigningAnswer(digest, interchanged.signatures(blob, transaction), (), "", ())


def _asked_of_device(connection: Connection, unsigned: bytes) -> tuple[bytes, Job]:
    """Find the request for these unsigned bytes. Raises UnknownRequest, AnswerByAnother."""
    jobs, items = tables.jobs, tables.request_items
    query = select(items.c.request, jobs.c.id).join(jobs, jobs.c.id == items.c.job)
    mine = query.where(jobs.c.unsigned_sha256 == hashlib.sha256(unsigned).digest()).order_by(jobs.c.id.desc())
    row = connection.execute(mine.limit(1)).one_or_none()
    if row is None:
        raise UnknownRequest("no request for this transaction was exported here")
    digest = bytes.fromhex(row.request)
    asked = find_signer(connection, find_request(connection, digest)[0])
    if not asked.fingerprint:
        raise AnswerByAnother(f"{asked.name} was asked for this, and answers with its journal behind it")
    return digest, find_job(connection, row.id)


def verified(
    answer: SigningAnswer, jobs: Sequence[Job], declined: dict[int, Declined]
) -> dict[int, Signed]:
    """Verify every signature against the stored transaction that it stands for."""
    if any(position >= len(jobs) for position in declined):
        raise AnswerMismatch("the answer declines a transaction that the request does not have")
    left = list(answer.signatures)
    signed = {}
    for position, job in enumerate(jobs):
        if position in declined:
            continue
        ledger = chain(job.network)
        transaction = ledger.decode(job.unsigned or b"", job.context, job.keys, job.network)
        count = len(ledger.payloads(transaction))
        if len(left) < count:
            raise AnswerMismatch("the answer has fewer signatures than its request needs")
        mine, left = left[:count], left[count:]
        signed[position] = ledger.assemble(transaction, mine)
    if left:
        raise AnswerMismatch("the answer has more signatures than its request needs")
    return signed


def _settle(tx: Tx, job: Job, signed: Signed | None, declined: Declined | None, now: int) -> None:
    if signed is not None:
        values = {"blob": signed.blob, "tx_id": signed.tx_id}
        move(tx, job, State.ANSWERED, now, values=values, note={"tx_id": signed.tx_id})
    elif declined is not None:
        # The signer's own signed word, which its laws keep: it never signs this transaction again.
        move(
            tx, job, State.DECLINED, now, values={"result": declined.reason}, note={"reason": declined.reason}
        )


def _repeated(answer: SigningAnswer, first: SigningAnswer, jobs: Sequence[Job]) -> Answered:
    if (answer.signatures, answer.declined) != (first.signatures, first.declined):
        raise AnswerConflict("this request has another answer already")
    return _outcome(answer, jobs, repeated=True)


def _outcome(answer: SigningAnswer, jobs: Sequence[Job], *, repeated: bool) -> Answered:
    declined = {one.position for one in answer.declined}
    signed = tuple(job.id for position, job in enumerate(jobs) if position not in declined)
    refused = tuple(job.id for position, job in enumerate(jobs) if position in declined)
    return Answered(answer.request, signed, refused, repeated)


def _notice_stranger(tx: Tx, answer: SigningAnswer, signers: Sequence[bytes], now: int) -> None:
    """An answer to an unknown request by a signer of ours: this store may be a restored backup."""
    for key in signers:
        try:
            want_newer(tx, find_signer(tx.sql, key), answer.checkpoint, now)
        except UnknownSigner:
            continue
