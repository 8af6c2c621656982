"""Where a test's store stands: a SQLite file in the test's folder, or a PostgreSQL database of its own.

The suites of the coordinator run on both where LOCKGATE_POSTGRES_URL names a server whose user may create databases
(`.ci/postgres FOLDER` starts one); `placed` says for a test which of them it is on, and drops its databases afterwards.
"""

from __future__ import annotations

import atexit
import os
import sqlite3
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Pool, event, make_url

from online.store.database import Store, open_store

if TYPE_CHECKING:
    import psycopg

SERVER = os.environ.get("LOCKGATE_POSTGRES_URL", "")
BOTH = (
    "test_books_",
    "test_customers",
    "test_deposits.",
    "test_deposits_least",
    "test_deposits_texts",
    "test_deposits_together",
    "test_deposits_unanswered",
    "test_jobs_",
    "test_orders_drafting",
    "test_reconcile",
    "test_store_opening",
    "test_treasury",
    "test_withdrawals",
)
"""Beginnings of the names of the suites that run on both; those about one ledger's ways run on SQLite alone."""

needs_server = pytest.mark.skipif(not SERVER, reason="LOCKGATE_POSTGRES_URL names no server")


class _Places:
    """The databases of a running test by what it calls them, and the connections that its engines opened."""

    def __init__(self) -> None:
        self.made: dict[str, str] = {}
        self.opened: list[Any] = []

    def noted(self, connection: Any, _record: object) -> None:
        self.opened.append(connection)


_places: list[_Places] = []


@contextmanager
def placed(kind: str) -> Iterator[None]:
    """Let the stores of a block stand on "sqlite" or "postgresql"."""
    if kind == "sqlite":
        yield
        return
    places = _Places()
    _places.append(places)
    event.listen(Pool, "connect", places.noted)
    try:
        yield
    finally:
        event.remove(Pool, "connect", places.noted)
        _places.remove(places)
        for connection in places.opened:
            connection.close()
        _drop(places.made.values())


def store_url(folder: Path, name: str = "lockgate", *, empty: bool = False) -> str:
    """Give the URL of the store called so in a folder; on PostgreSQL its database is made at the first call.

    It has a new store's tables already, since making them anew takes longer than most tests, unless it shall be empty.
    """
    place = f"{folder}/{name}"
    if not _places:
        return f"sqlite:///{place}.db"
    made = _places[-1].made
    if place not in made:
        made[place] = _create("template1" if empty else _formed())
    return _url(made[place])


def url_of(store: Store) -> str:
    """Give the whole URL of an open store, with its password."""
    return store.engine.url.render_as_string(hide_password=False)


def reopened(store: Store) -> Store:
    """Open the same store once more, as another process would."""
    return open_store(url_of(store), store.station)


def backed_up(store: Store) -> Store:
    """Open a copy of the store as it is now, beside it."""
    if not _places:
        path = Path(store.engine.url.database or "")
        target = path.with_name("backup.db")
        with sqlite3.connect(path) as source, sqlite3.connect(target) as copy:
            source.backup(copy)
        return open_store(f"sqlite:///{target}", store.station)
    store.close()
    name = _create(store.engine.url.database or "", alone=True)
    _places[-1].made[name] = name
    return open_store(_url(name), store.station)


def _url(name: str) -> str:
    return make_url(SERVER).set(database=name).render_as_string(hide_password=False)


@cache
def _formed() -> str:
    """Make the database whose copies this process's stores begin as, and drop it when the process ends."""
    name = _create("template1")
    open_store(_url(name)).close()
    atexit.register(_drop, [name])
    return name


def _create(template: str, *, alone: bool = False) -> str:
    name = f"lockgate_{uuid.uuid4().hex}"
    with _server() as server:
        if alone:  # a database that somebody is connected to is not copied
            ended = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s"
            server.execute(ended, [template])
        server.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    return name


def _drop(names: Iterable[str]) -> None:
    with _server() as server:
        for name in names:
            server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _server() -> psycopg.Connection:
    import psycopg

    return psycopg.connect(SERVER, autocommit=True)
