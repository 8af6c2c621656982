"""Locks of a session beside all transactions: they last while a node is asked, and end with their session or process.

On PostgreSQL they are advisory locks, and need a session that is nobody else's: a pooler that shares them between
transactions is not for this store. On SQLite they are bytes of an empty file beside the store, each locked for an open
file description (fcntl(2), F_OFD_SETLK), which threads of one process do not share.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import struct
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from sqlalchemy import Connection, text

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
_LOOKS_A_SECOND = 100


class Locks(Protocol):
    """The locks of one session, each named by a table and a name in it."""

    def take(self, table: str, name: str) -> bool:
        """Take a lock unless another session has it."""

    def stand(self, table: str, name: str) -> None:
        """Wait for a lock. Raises StoreBusy."""

    def leave(self, table: str, name: str) -> None:
        """Let go of a lock."""


def locks(store: Store) -> AbstractContextManager[Locks]:
    """Give the locks of a new session, which ends with the block.

    Raises:
        StoreUnreachable: if the session can not be had, or ends; its locks end with it.
    """
    return _on_server(store) if store.engine.dialect.name == "postgresql" else _on_file(store)


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
def _on_server(store: Store) -> Iterator[Locks]:
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
            time.sleep(1 / _LOOKS_A_SECOND)

    def leave(self, table: str, name: str) -> None:
        self._set(fcntl.F_UNLCK, table, name)

    def _set(self, kind: int, table: str, name: str) -> None:
        place = int.from_bytes(hashlib.sha256(f"{table}/{name}".encode()).digest()[:8]) >> 2
        fcntl.fcntl(self._file, fcntl.F_OFD_SETLK, _FLOCK.pack(kind, os.SEEK_SET, place, 1, 0))


@contextmanager
def _on_file(store: Store) -> Iterator[Locks]:
    path = f"{store.engine.url.database}-leases"
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o660)
    except OSError as error:
        raise StoreUnreachable(f"{path}: {error.strerror or error}") from None
    try:
        yield _Bytes(file)
    finally:
        os.close(file)
