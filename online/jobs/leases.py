"""Which coordinator process is busy with what, where several share the work on one store.

A lease is a lock of a session beside all transactions (`online.store.locks`). A locked row does not serve: the writing
transaction that moves the job would wait for its own process. A lease spares work and the nodes; what may happen is
decided by `moves.move` alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import select

from online.jobs.model import Job
from online.store import tables
from online.store.database import Store
from online.store.locks import Locks, locks


class Leases:
    """What a process holds for the time of a block."""

    def __init__(self, store: Store, session: Locks) -> None:
        self._store, self._session = store, session

    def take(self, job: Job) -> Job | None:
        """Take a job and give it; nothing where another process has it or has moved it since it was read."""
        if not self._session.take("jobs", str(job.id)):
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
        self._session.stand("claims", name)
        try:
            yield
        finally:
            self._session.leave("claims", name)

    @contextmanager
    def cursor(self, network: str) -> Iterator[bool]:
        """Own the cursor of a network's deposits for the block, and say so; another process may have it."""
        with self._owned("cursors", network) as mine:
            yield mine

    @contextmanager
    def spool(self, signer: str) -> Iterator[bool]:
        """Own a signer's spool for the block, and say so; another process may have it."""
        with self._owned("signers", signer) as mine:
            yield mine

    @contextmanager
    def _owned(self, table: str, name: str) -> Iterator[bool]:
        mine = self._session.take(table, name)
        try:
            yield mine
        finally:
            if mine:
                self._session.leave(table, name)


@contextmanager
def leases(store: Store) -> Iterator[Leases]:
    """Give what this process holds until the end of the block.

    Raises:
        StoreUnreachable: if the session can not be had, or ends; the leases end with it.
    """
    with locks(store) as session:
        yield Leases(store, session)
