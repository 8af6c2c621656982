"""Holds what crossed the gap against the jobs: each request's items, and each answer's signatures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Row, select

from online.audit_told import Told
from online.jobs.answers import verified
from online.jobs.export import request_jobs, stated
from online.jobs.model import transfer_refs
from online.jobs.states import State
from online.store import tables
from shared.envelope import open_answer, open_request
from shared.errors import Refusal

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


def _request(connection: Connection, told: Told, row: Row[Any]) -> Iterator[str]:
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
        if mine != (item.unsigned, item.keys, lot.network, dict(stated(connection, lot, item)), item.transfers):
            yield f"job {job.id} is not what stands at its place in it"


def _answer(connection: Connection, row: Row[Any], signed: dict[int, tuple[bytes, str]]) -> Iterator[str]:
    table = tables.answers
    blob = connection.execute(select(table.c.sealed).where(table.c.request == row.digest)).scalar()
    if blob is None:
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
