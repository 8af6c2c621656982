"""Opens the store and holds its transactions: SQLite by default, PostgreSQL by URL.

A transaction that writes begins as the only writer, so that what it read holds until it commits: `online.store.engine`.
A commit that returned is on disk. Troubles of the database become refusals in one place, `online.store.troubles`, and
nothing is retried silently.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine

from online.store import schema
from online.store.engine import make_engine, options
from online.store.followed import Followed, Memory
from online.store.troubles import translated
from shared.errors import StationLocked
from shared.sealed import Sign


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
    memory: Memory = field(default_factory=Memory, repr=False, compare=False)

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
            writer = connection.execution_options(**options(self.engine, "write"))
            with writer.begin():
                yield Tx(writer, self.station)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection that sees one moment of the store and changes nothing. Raises as `transaction`."""
        with translated(), self.engine.connect() as connection:
            reader = connection.execution_options(**options(self.engine, "read"))
            with reader.begin():
                yield reader

    def close(self) -> None:
        """Let go of the database, and forget what was read of it."""
        self.memory.followed = Followed()
        self.engine.dispose()


def open_store(url: str, station: Station | None = None) -> Store:
    """Open the store at a database URL and bring its tables to this program's form.

    Raises:
        StoreNewer: if a newer program made it. StoreForm: if one between two releases did.
        StoreUnreachable, StoreDamaged, StoreBusy: if it does not open.
    """
    engine = make_engine(url)
    with translated(), engine.connect() as connection:
        former = connection.execution_options(**options(engine, "form"))
        with former.begin():
            schema.upgrade(former)
    return Store(engine, station)
