"""How each database is opened, begun and locked, so that a transaction means the same on all of them.

Writers stand in one line, since each adds to one journal whose lines hash each other: on SQLite by BEGIN IMMEDIATE, on
PostgreSQL by a lock that is taken before the transaction sees anything. What a writer read therefore holds until it
commits, and none of ours ever fails for what another one did meanwhile. Readers wait for nobody and see one moment.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from shared.errors import StoreUnreachable

Purpose = Literal["read", "write", "form"]
"""What a transaction is for: to read rows, to write rows, to bring the tables to another form."""

PURPOSE: Final = "lockgate_purpose"
"""The execution option that holds a transaction's purpose."""

BUSY_SECONDS = 10
"""So long another process is waited for."""

_DRIVERS: Final[Mapping[str, str]] = {
    "sqlite": "sqlite",
    "postgres": "postgresql+psycopg",  # both are how people write it
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}

_ISOLATION: Final[Mapping[str, Mapping[Purpose, Mapping[str, Any]]]] = {
    "sqlite": {"read": {}, "write": {}, "form": {}},
    "postgresql": {
        "read": {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True},
        "write": {"isolation_level": "SERIALIZABLE"},
        "form": {"isolation_level": "READ COMMITTED"},  # sees what another process did while this one waited
    },
}

_SECRETS: Final = frozenset({"password", "sslpassword"})
"""Settings of a connection that the engine's own words would show."""

# Any number will do, as long as it stays: whoever brings the tables to another form holds it.
_FORM_LOCK: Final = 0x10C6A7E


def make_engine(url: str) -> Engine:
    """Make the engine for a database's URL; nothing is contacted yet.

    PostgreSQL's URL needs no password: the driver takes it from ~/.pgpass, from the file that PGPASSFILE or the URL's
    `?passfile=` names, or from PGPASSWORD, so that no settings hold it.

    Raises:
        StoreUnreachable: if the URL names no database that can be used here, or has a password behind a question mark,
            where it would be shown.
    """
    named = _named(url)
    return _sqlite(named) if named.get_backend_name() == "sqlite" else _postgresql(named)


def options(engine: Engine, purpose: Purpose) -> dict[str, Any]:
    """Give the execution options of a connection for its purpose, to be set before its transaction begins."""
    return {PURPOSE: purpose, **_ISOLATION[engine.dialect.name][purpose]}


def _named(url: str) -> URL:
    try:
        named = make_url(url)
        named = named.set(drivername=_DRIVERS[named.drivername])
    except (ArgumentError, KeyError, ValueError):
        raise StoreUnreachable("the store's URL names no database that can be used here") from None
    if _SECRETS & {name.lower() for name in named.query}:
        hint = "Put it into ~/.pgpass, or before the @ of the URL."
        raise StoreUnreachable("the store's URL has a password behind a question mark", hint=hint)
    return named


def _sqlite(url: URL) -> Engine:
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # Python's own BEGIN would come too late and be deferred
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    writing = connection.get_execution_options().get(PURPOSE) in ("write", "form")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _postgresql(url: URL) -> Engine:
    given = {"connect_timeout": BUSY_SECONDS, "client_encoding": "utf8", "application_name": "lockgate"}
    try:
        # A connection that a restart of the server ended is noticed and replaced before it is used (pre_ping).
        engine = create_engine(url, isolation_level="SERIALIZABLE", pool_pre_ping=True, connect_args=given)
    except ModuleNotFoundError:
        hint = "Install Lockgate with its extra: lockgate[postgres]."
        raise StoreUnreachable("the driver for PostgreSQL is not installed", hint=hint) from None
    event.listen(engine, "connect", _prepare_postgresql)
    event.listen(engine, "begin", _begin_postgresql)
    return engine


def _prepare_postgresql(connection: Any, _record: Any) -> None:
    """Bound how long a lock is waited for, and how long a vanished host can hold one; commits reach the disk."""
    settings = {
        "lock_timeout": f"{BUSY_SECONDS * 1000:.0f}",
        "idle_in_transaction_session_timeout": "60000",
        "tcp_keepalives_idle": "20",
        "tcp_keepalives_interval": "10",
        "tcp_keepalives_count": "3",
    }
    for name, value in settings.items():
        connection.execute("SELECT set_config(%s, %s, false)", (name, value))
    lax = "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
    connection.execute(lax)
    connection.commit()


def _begin_postgresql(connection: Connection) -> None:
    """Stand in line before anything is seen: LOCK TABLE takes no snapshot, where a SELECT takes one and then waits.

    The table that is locked tells the form of all others: a writer keeps it as it is, and nothing else writes to it, so
    that a vacuum is hardly ever in the way.
    """
    purpose = connection.get_execution_options().get(PURPOSE)
    if purpose == "write":
        connection.exec_driver_sql("LOCK TABLE alembic_version IN EXCLUSIVE MODE")
    elif purpose == "form":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_FORM_LOCK})")
