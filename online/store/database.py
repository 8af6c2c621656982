"""Opens the store and holds its transactions: SQLite by default, PostgreSQL by URL.

A transaction that writes begins as a writer (SQLite: BEGIN IMMEDIATE), so that what it read holds until it commits.
A commit that returned is on disk (synchronous=FULL). Troubles of the database become refusals here and nowhere else;
nothing is retried silently.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, NoSuchModuleError

from online.store import schema
from shared.errors import (
    DiskFull,
    Refusal,
    StationLocked,
    StoreBusy,
    StoreDamaged,
    StoreReadOnly,
    StoreUnreachable,
)
from shared.sealed import Sign

_WRITING = "lockgate_writing"
_BUSY_SECONDS = 10


@dataclass(frozen=True, slots=True, repr=False)
class Station:
    """The coordinator's own Ed25519 key: the public half, and a function that signs with the other."""

    public_key: bytes
    sign: Sign

    def __repr__(self) -> str:
        return f"<station {self.public_key.hex()[:16]}>"


@dataclass(frozen=True, slots=True)
class Tx:
    """A transaction that writes: all of it is committed or none. The station signs what it adds to the journal."""

    sql: Connection
    station: Station


@dataclass(frozen=True, slots=True)
class Store:
    """The coordinator's one place of truth about what it did; the ledgers and the signers have theirs."""

    engine: Engine
    station: Station | None

    @contextmanager
    def transaction(self) -> Iterator[Tx]:
        """Give a writing transaction, committed at the end of the block and rolled back by any exception.

        Raises:
            StationLocked: without the station's key.
            StoreBusy, StoreReadOnly, DiskFull, StoreUnreachable, StoreDamaged: for troubles of the database.
        """
        if self.station is None:
            raise StationLocked("the station key is not open")
        with translated(), self.engine.connect() as connection:
            writer = connection.execution_options(**{_WRITING: True})
            with writer.begin():
                yield Tx(writer, self.station)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection that sees one moment of the store and changes nothing. Raises as `transaction`."""
        with translated(), self.engine.connect() as connection, connection.begin():
            yield connection

    def close(self) -> None:
        """Let go of the database."""
        self.engine.dispose()


def open_store(url: str, station: Station | None = None) -> Store:
    """Open the store at a database URL and bring its tables to this program's form.

    Raises:
        StoreNewer: if a newer program made it. StoreUnreachable, StoreDamaged, StoreBusy: if it does not open.
    """
    with translated():
        engine = _engine(url)
        with engine.connect() as connection:
            writer = connection.execution_options(**{_WRITING: True})
            with writer.begin():
                schema.upgrade(writer)
    return Store(engine, station)


@contextmanager
def translated() -> Iterator[None]:
    """Turn troubles of the database into refusals; a broken constraint stays what it is, for its own query."""
    try:
        yield
    except IntegrityError:
        raise
    except DBAPIError as trouble:
        raise _refusal(trouble) from None


def _engine(url: str) -> Engine:
    try:
        if not url.startswith("sqlite"):
            return create_engine(url, isolation_level="SERIALIZABLE")
        engine = create_engine(url, connect_args={"timeout": _BUSY_SECONDS})
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError):
        raise StoreUnreachable("the store's URL names no database that can be used here") from None
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # Python's own BEGIN would come too late and be deferred
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    writing = connection.get_execution_options().get(_WRITING, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


# What SQLite and PostgreSQL say, and what it means here; texts are all that the drivers have in common.
_TROUBLES: tuple[tuple[str, type[Refusal], str], ...] = (
    ("locked", StoreBusy, "another process is writing to the store"),
    ("could not serialize", StoreBusy, "another process changed the same rows"),
    ("is full", DiskFull, "the disk has no room for the store"),
    ("No space left", DiskFull, "the disk has no room for the store"),
    ("readonly", StoreReadOnly, "the store can not be written"),
    ("read-only", StoreReadOnly, "the store can not be written"),
    ("unable to open", StoreUnreachable, "the store's file can not be opened"),
    ("connection", StoreUnreachable, "the store's server can not be reached"),
    ("malformed", StoreDamaged, "the store's file is damaged"),
    ("not a database", StoreDamaged, "the store's file is no database"),
    ("disk I/O error", StoreUnreachable, "the disk failed under the store"),
)


def _refusal(trouble: DBAPIError) -> Exception:
    said = str(trouble.orig)
    for part, refusal, message in _TROUBLES:
        if part in said:
            return refusal(message)
    return trouble
