"""Which coordinator process is busy with a job, where several share the work on one PostgreSQL.

A lease is an advisory lock of a database session beside all transactions: it lasts while a node is asked, and ends with
its connection, however its process died. A locked row does not serve: the writing transaction that moves the job would
wait for its own process. A lease spares work and the nodes; what may happen is decided by `moves.move` alone.

A session is needed that is nobody else's: a pooler that shares them between transactions is not for this store. SQLite
has no sessions, and its coordinator is one process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, text

from online.jobs.model import Job
from online.jobs.model import job as job_of
from online.store.database import Store
from online.store.troubles import translated

Take = Callable[[Job], Job | None]
"""Takes a job and gives it as it now is; nothing where another process has it or has moved it."""

# The server has room for some thousand locks of all sessions; before that, this one lets go and begins anew.
_MOST_HELD = 1000

# The table's own number keeps the jobs of two stores in one database apart.
_TAKE = text("SELECT pg_try_advisory_lock('jobs'::regclass::oid::int4, mod(CAST(:job AS bigint), 2147483648)::int4)")
_LET_GO = text("SELECT pg_advisory_unlock_all()")


@contextmanager
def leases(store: Store) -> Iterator[Take]:
    """Give a function that takes a job for this process until the end of the block.

    Raises:
        StoreUnreachable: if the session ends; the leases end with it.
    """
    if store.engine.dialect.name != "postgresql":
        yield lambda job: _unmoved(store, job)
        return
    with translated(), store.engine.connect() as connection:
        session = connection.execution_options(isolation_level="AUTOCOMMIT")
        lock = _lock(session)
        try:
            yield lambda job: _unmoved(store, job) if lock(job.id) else None
        finally:
            session.execute(_LET_GO)


def _lock(session: Connection) -> Callable[[int], bool]:
    held = 0

    def lock(job_id: int) -> bool:
        nonlocal held
        if held >= _MOST_HELD:
            session.execute(_LET_GO)
            held = 0
        mine = bool(session.execute(_TAKE, {"job": job_id}).scalar())
        held += mine
        return mine

    return lock


def _unmoved(store: Store, job: Job) -> Job | None:
    """Read a job anew: since it was listed, another process may have had it."""
    fresh = job_of(store, job.id)
    return fresh if fresh.state is job.state else None
