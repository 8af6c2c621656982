"""Which coordinator process is busy with what, where several share the work on one PostgreSQL.

A lease is an advisory lock of a database session beside all transactions: it lasts while a node is asked, and ends with
its connection, however its process died. A locked row does not serve: the writing transaction that moves the job would
wait for its own process. A lease spares work and the nodes; what may happen is decided by `moves.move` alone.

A session is needed that is nobody else's: a pooler that shares them between transactions is not for this store. SQLite
has no sessions, and its coordinator is one process.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, select, text

from online.jobs.model import Job
from online.store import tables
from online.store.database import Store
from online.store.troubles import translated

# The server has room for some thousand locks of all sessions; before that, this one lets go and begins anew.
_MOST_HELD = 1000

# The tables' own numbers keep two stores in one database apart. Locks of two numbers and of one never meet.
_OWN_CURSOR = text("SELECT pg_try_advisory_lock(hashtextextended(:network, 'cursors'::regclass::oid::bigint))")
_LEAVE_CURSOR = text("SELECT pg_advisory_unlock(hashtextextended(:network, 'cursors'::regclass::oid::bigint))")
_TAKE = text("SELECT pg_try_advisory_lock('jobs'::regclass::oid::int4, mod(CAST(:job AS bigint), 2147483648)::int4)")
_STAND = text("SELECT pg_advisory_lock(hashtextextended(:name, 'claims'::regclass::oid::bigint))")
_LEAVE = text("SELECT pg_advisory_unlock(hashtextextended(:name, 'claims'::regclass::oid::bigint))")
_LET_GO = text("SELECT pg_advisory_unlock_all()")


class Leases:
    """What a process holds for the time of a block; on SQLite all is its own."""

    def __init__(self, store: Store, session: Connection | None) -> None:
        self._store, self._session, self._held = store, session, 0

    def take(self, job: Job) -> Job | None:
        """Take a job and give it; nothing where another process has it or has moved it since it was read."""
        if self._session is not None and not self._lock(self._session, job.id):
            return None
        with self._store.reading() as connection:
            state = connection.execute(select(tables.jobs.c.state).where(tables.jobs.c.id == job.id)).scalar_one()
        return job if state == job.state.value else None  # a job changes by its moves alone

    @contextmanager
    def line(self, name: str) -> Iterator[None]:
        """Wait until no other process is in the line of this name, and stand in it for the block.

        Raises:
            StoreBusy: if the line does not move.
        """
        if self._session is None:
            yield
            return
        self._session.execute(_STAND, {"name": name})
        try:
            yield
        finally:
            self._session.execute(_LEAVE, {"name": name})

    @contextmanager
    def cursor(self, network: str) -> Iterator[bool]:
        """Own the cursor of a network's deposits for the block, and say so; another process may have it."""
        if self._session is None:
            yield True
            return
        mine = bool(self._session.execute(_OWN_CURSOR, {"network": network}).scalar())
        try:
            yield mine
        finally:
            if mine:
                self._session.execute(_LEAVE_CURSOR, {"network": network})

    def _lock(self, session: Connection, job_id: int) -> bool:
        if self._held >= _MOST_HELD:
            session.execute(_LET_GO)
            self._held = 0
        mine = bool(session.execute(_TAKE, {"job": job_id}).scalar())
        self._held += mine
        return mine


@contextmanager
def leases(store: Store) -> Iterator[Leases]:
    """Give what this process holds until the end of the block.

    Raises:
        StoreUnreachable: if the session ends; the leases end with it.
    """
    if store.engine.dialect.name != "postgresql":
        yield Leases(store, None)
        return
    with translated(), store.engine.connect() as connection:
        session = connection.execution_options(isolation_level="AUTOCOMMIT")
        try:
            yield Leases(store, session)
        finally:
            session.execute(_LET_GO)
