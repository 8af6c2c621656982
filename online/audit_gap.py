"""Holds what crossed the gap against the jobs: each request's items, and each answer's signatures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Row, select

from online.audit_told import Told
from online.jobs.answers import device_answer, verified
from online.jobs.export import request_jobs, stated
from online.jobs.model import transfer_refs
from online.jobs.states import State
from online.store import tables
from online.store.signers import find_signer
from shared.chains import interchange_of
from shared.envelope import open_answer, open_request
from shared.errors import Refusal
from shared.foreign import foreign_document

_LEFT = {state.value for state in State} - {"drafted", "approved", "built", "withdrawn"}


def look(connection: Connection, told: Told) -> Iterator[str]:
    """Name each row that differs."""
    there: set[object] = set()
    signed: dict[int, tuple[bytes, str]] = {}
    for row in connection.execute(select(tables.requests)):
        there.add(bytes.fromhex(row.digest))
        try:
            yield from (f"requests {row.digest}: {text}" for text in _request(connection, told, row))
            yield from (f"answers {row.digest}: {text}" for text in _answer(connection, row, signed))
        except (Refusal, ValueError) as trouble:
            yield f"requests {row.digest}: {trouble}"
    for gone in told.names("request") - there:
        yield f"requests {gone.hex() if isinstance(gone, bytes) else gone}: in the journal, and not in the store"
    yield from _jobs(connection, signed)


def without_journal(connection: Connection) -> tuple[int, ...]:
    """Give the jobs that devices of other makers signed."""
    items, requests, signers, answers = tables.request_items, tables.requests, tables.signers, tables.answers
    query = (
        select(items.c.job)
        .join(answers, answers.c.request == items.c.request)
        .join(requests, requests.c.digest == items.c.request)
        .join(signers, signers.c.public_key == requests.c.signer)
        .where(signers.c.fingerprint != b"")
    )
    return tuple(connection.execute(query.order_by(items.c.job)).scalars())


def _request(connection: Connection, told: Told, row: Row[Any]) -> Iterator[str]:
    if find_signer(connection, row.signer).fingerprint:
        yield from _asked_of_device(connection, told, row)
        return
    request, sealed = open_request(row.sealed)
    said = told.last("request", bytes.fromhex(row.digest))
    if (sealed.digest.hex(), request.station, request.signer, request.created) != (
        row.digest, told.key, row.signer, row.created
    ):  # fmt: skip
        yield "its sealed bytes are another request"
    jobs, items = request_jobs(connection, bytes.fromhex(row.digest)), request.flat()
    if (said.get("signer"), said.get("count")) != (row.signer, len(items)) or len(jobs) != len(items):
        yield "it holds another number of jobs, or goes to another signer, than the journal says"
        return
    for job, (lot, item) in zip(jobs, items, strict=True):
        mine = (job.unsigned, job.keys, job.network, dict(job.context), transfer_refs(connection, job.id))
        context = dict(stated(connection, row.signer, lot, item))
        if mine != (item.unsigned, item.keys, lot.network, context, item.transfers):
            yield f"job {job.id} is not what stands at its place in it"


def _asked_of_device(connection: Connection, told: Told, row: Row[Any]) -> Iterator[str]:
    """Hold what a device of another maker was asked for against its one job."""
    jobs = request_jobs(connection, bytes.fromhex(row.digest))
    said, interchanged = told.last("request", bytes.fromhex(row.digest)), interchange_of(row.sealed)
    asked = said.get("signer"), said.get("count"), said.get("created")
    if interchanged is None or len(jobs) != 1 or asked != (row.signer, 1, row.created):
        yield "it is not what a device was asked for, or goes to another signer than the journal says"
        return
    (job,) = jobs
    if foreign_document(job.network, None, row.sealed)[1].hex() != row.digest:
        yield "its bytes are another request"
    if interchanged.asked(row.sealed) != job.unsigned:
        yield f"job {job.id} is not what stands in it"


def _answer(connection: Connection, row: Row[Any], signed: dict[int, tuple[bytes, str]]) -> Iterator[str]:
    table = tables.answers
    blob = connection.execute(select(table.c.sealed).where(table.c.request == row.digest)).scalar()
    if blob is None:
        return
    if find_signer(connection, row.signer).fingerprint:
        interchanged = interchange_of(blob)
        if interchanged is None:
            yield "no device's answer stands there"
            return
        (job,) = request_jobs(connection, bytes.fromhex(row.digest))
        made = verified(device_answer(interchanged, job, bytes.fromhex(row.digest), blob), [job], {})[0]
        signed[job.id] = (made.blob, made.tx_id)
        return
    answer, sealed = open_answer(blob)
    if (answer.request.hex(), sealed.signers) != (row.digest, (row.signer,)):
        yield "it answers another request, or another key signed it"
        return
    jobs = request_jobs(connection, answer.request)
    for position, made in verified(answer, jobs, {one.position: one for one in answer.declined}).items():
        signed[jobs[position].id] = (made.blob, made.tx_id)


def _jobs(connection: Connection, signed: dict[int, tuple[bytes, str]]) -> Iterator[str]:
    """Hold every job's signed bytes against the answers, and whether it left against the requests."""
    asked = set(connection.execute(select(tables.request_items.c.job)).scalars())
    query = select(tables.jobs.c.id, tables.jobs.c.state, tables.jobs.c.blob, tables.jobs.c.tx_id)
    for row in connection.execute(query.order_by(tables.jobs.c.id)):
        if (row.id in asked) != (row.state in _LEFT):
            stands = "stands" if row.id in asked else "does not stand"
            yield f"jobs {row.id}: it is {row.state}, and {stands} in a request"
        if row.blob is not None and (row.blob, row.tx_id) != signed.get(row.id):
            yield f"jobs {row.id}: its signed bytes or id are not what an answer gave"
