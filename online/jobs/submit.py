"""Answered -> submitted: the intent is committed, and only then are the bytes handed to the node.

The id is known before, so that handing over the same bytes again, after a crash or while nothing is decided, is safe.
What the node answers is kept for people and decides nothing but whose turn it is next, where a ledger has turns.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from online.chains.api import Gateway, Verdict
from online.jobs.leases import leases
from online.jobs.model import Job, find_job, find_jobs, jobs_numbered
from online.jobs.moves import move
from online.jobs.states import State
from online.jobs.turns import waits_for
from online.store import tables
from online.store.database import Store

_WORDS_MOST = 1000


@dataclass(frozen=True, slots=True)
class Submitted:
    """A job whose bytes were handed to the node, and what the node said."""

    job: int
    tx_id: str
    verdict: Verdict


def submit_answered(store: Store, gateway: Gateway, now: int) -> tuple[Submitted, ...]:
    """Move the gateway's answered jobs to submitted, and broadcast what no node has been handed yet.

    Raises:
        NodeUnreachable: when the node does not answer; what is committed is broadcast at the next call.
    """
    with store.reading() as connection:
        answered = [job for job in find_jobs(connection, states=(State.ANSWERED,)) if _of(job, gateway)]
    height = gateway.height() if answered else 0
    for job in answered:
        with store.transaction() as tx:
            here = find_job(tx.sql, job.id)
            if here.state is State.ANSWERED:  # else another process was quicker
                move(tx, here, State.SUBMITTED, now, values={"submitted_height": height})
    with leases(store) as held:
        due = (job for job in _undone(store, gateway) if in_turn(store, job) and held.take(job))
        still = (job for one in due for job in _undone(store, gateway, one.id))
        return tuple(broadcast(store, job, gateway) for job in still)


def in_turn(store: Store, job: Job) -> bool:
    """Say whether a job's bytes may be handed over now, as far as the jobs before it are concerned."""
    with store.reading() as connection:
        return waits_for(connection, job) is None


def broadcast(store: Store, job: Job, gateway: Gateway) -> Submitted:
    """Hand a submitted job's bytes to the node, the first time or again, and note what it said."""
    if job.state is not State.SUBMITTED or job.blob is None or job.tx_id is None:
        raise ValueError(f"job {job.id} is {job.state} and not committed for broadcast")
    height = gateway.height()
    verdict = gateway.submit(job.blob)
    with store.transaction() as tx:
        said = {"done": True, "height": height, "verdict": words(f"{verdict.kind}: {verdict.text}")}
        tx.sql.execute(update(tables.outbox).where(tables.outbox.c.job == job.id).values(said))
    return Submitted(job.id, job.tx_id, verdict)


def last_height(store: Store, job_id: int) -> int:
    """Give the height at which a job's bytes were last handed over."""
    with store.reading() as connection:
        query = select(tables.outbox.c.height).where(tables.outbox.c.job == job_id)
        return connection.execute(query).scalar() or 0


def last_word(connection: Connection, job_id: int) -> str:
    """Give what was last said of a job's bytes: the node's verdict, or what a person must look into."""
    query = select(tables.outbox.c.verdict).where(tables.outbox.c.job == job_id)
    return connection.execute(query).scalar() or ""


def note_word(store: Store, job_id: int, text: str) -> None:
    """Keep the last word about a job's bytes, if they were ever submitted."""
    with store.transaction() as tx:
        table = tables.outbox
        tx.sql.execute(update(table).where(table.c.job == job_id).values(verdict=words(text)))


def words(text: str) -> str:
    """Give a node's words as a store takes them: nobody's are endless, and PostgreSQL has no text with a zero byte."""
    return text.replace("\0", "\\0")[:_WORDS_MOST]


def _undone(store: Store, gateway: Gateway, job_id: int | None = None) -> list[Job]:
    """List what no node has been handed yet, in the order in which it was built; of one job if asked."""
    with store.reading() as connection:
        query = select(tables.outbox.c.job).where(tables.outbox.c.done.is_(False)).order_by(tables.outbox.c.job)
        if job_id is not None:
            query = query.where(tables.outbox.c.job == job_id)
        jobs = jobs_numbered(connection, connection.execute(query).scalars().all())
    return [job for job in jobs if job.state is State.SUBMITTED and _of(job, gateway)]


def _of(job: Job, gateway: Gateway) -> bool:
    return job.network == gateway.network
