"""Which coordinator process is busy with what, where several share the work on one store.

A lease is a lock of a session beside all transactions: it lasts while a node is asked, and ends with its session,
however its process died. A locked row does not serve: the writing transaction that moves the job would wait for its own
process. A lease spares work and the nodes; what may happen is decided by `moves.move` alone.

On PostgreSQL it is an advisory lock, and needs a session that is nobody else's: a pooler that shares them between
transactions is not for this store. On SQLite it is a byte of an empty file beside the store, locked for an open file
description (fcntl(2), F_OFD_SETLK), which threads of one process do not share.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from sqlalchemy import Connection, text

from online.jobs.model import Job
from online.jobs.model import job as job_of
from online.store import engine
from online.store.database import Store
from online.store.troubles import translated
from shared.errors import StoreBusy, StoreUnreachable

# The server has room for some thousand locks of all sessions; before that, this one lets go and begins anew.
_MOST_HELD = 1000

# The tables' own numbers keep two stores in one database apart.
_NUMBER = "hashtextextended(:name, CAST(:table AS regclass)::oid::bigint)"
_TAKE = text(f"SELECT pg_try_advisory_lock({_NUMBER})")
_STAND = text(f"SELECT pg_advisory_lock({_NUMBER})")
_LEAVE = text(f"SELECT pg_advisory_unlock({_NUMBER})")
_LET_GO = text("SELECT pg_advisory_unlock_all()")

# struct flock of Linux on machines of 64 bits: type, whence, start, length, pid.
_FLOCK = struct.Struct("hhqqi4x")
_LOOK_SECONDS = 0.01


class _Locks(Protocol):
    """The locks of one session, each named by a table and a name in it."""

    def take(self, table: str, name: str) -> bool:
        """Take a lock unless another session has it."""

    def stand(self, table: str, name: str) -> None:
        """Wait for a lock. Raises StoreBusy."""

    def leave(self, table: str, name: str) -> None:
        """Let go of a lock."""


class Leases:
    """What a process holds for the time of a block."""

    def __init__(self, store: Store, locks: _Locks) -> None:
        self._store, self._locks = store, locks

    def take(self, job: Job) -> Job | None:
        """Take a job and give it as it now is; nothing where another process has it or has moved it since."""
        if not self._locks.take("jobs", str(job.id)):
            return None
        fresh = job_of(self._store, job.id)
        return fresh if fresh.state is job.state else None

    @contextmanager
    def line(self, name: str) -> Iterator[None]:
        """Wait until no other process is in the line of this name, and stand in it for the block.

        Raises:
            StoreBusy: if the line does not move.
        """
        self._locks.stand("claims", name)
        try:
            yield
        finally:
            self._locks.leave("claims", name)

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
        mine = self._locks.take(table, name)
        try:
            yield mine
        finally:
            if mine:
                self._locks.leave(table, name)


@contextmanager
def leases(store: Store) -> Iterator[Leases]:
    """Give what this process holds until the end of the block.

    Raises:
        StoreUnreachable: if the session can not be had, or ends; the leases end with it.
    """
    with _on_server(store) if store.engine.dialect.name == "postgresql" else _on_file(store) as locks:
        yield Leases(store, locks)


class _Advisory:
    """Advisory locks of a PostgreSQL session."""

    def __init__(self, session: Connection) -> None:
        self._session, self._held = session, 0

    def take(self, table: str, name: str) -> bool:
        if self._held >= _MOST_HELD:
            self._session.execute(_LET_GO)
            self._held = 0
        mine = bool(self._session.execute(_TAKE, {"table": table, "name": name}).scalar())
        self._held += mine
        return mine

    def stand(self, table: str, name: str) -> None:
        self._session.execute(_STAND, {"table": table, "name": name})

    def leave(self, table: str, name: str) -> None:
        self._session.execute(_LEAVE, {"table": table, "name": name})


@contextmanager
def _on_server(store: Store) -> Iterator[_Locks]:
    with translated(), store.engine.connect() as connection:
        session = connection.execution_options(isolation_level="AUTOCOMMIT")
        try:
            yield _Advisory(session)
        finally:
            session.execute(_LET_GO)


class _Bytes:
    """Locked bytes of a file, each at a place that its name says."""

    def __init__(self, file: int) -> None:
        self._file = file

    def take(self, table: str, name: str) -> bool:
        try:
            self._set(fcntl.F_WRLCK, table, name)
        except BlockingIOError:
            return False
        return True

    def stand(self, table: str, name: str) -> None:
        until = time.monotonic() + engine.BUSY_SECONDS
        while not self.take(table, name):
            if time.monotonic() >= until:
                raise StoreBusy("another process holds what this one waits for")
            time.sleep(_LOOK_SECONDS)

    def leave(self, table: str, name: str) -> None:
        self._set(fcntl.F_UNLCK, table, name)

    def _set(self, kind: int, table: str, name: str) -> None:
        place = int.from_bytes(hashlib.sha256(f"{table}/{name}".encode()).digest()[:8]) >> 2
        fcntl.fcntl(self._file, fcntl.F_OFD_SETLK, _FLOCK.pack(kind, os.SEEK_SET, place, 1, 0))


@contextmanager
def _on_file(store: Store) -> Iterator[_Locks]:
    path = f"{store.engine.url.database}-leases"
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o660)
    except OSError as error:
        raise StoreUnreachable(f"{path}: {error.strerror or error}") from None
    try:
        yield _Bytes(file)
    finally:
        os.close(file)
