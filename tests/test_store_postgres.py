"""The store on PostgreSQL: writers in one line, readings of one moment, and its troubles as refusals by their codes.

Against a real server, each test in a database of its own. What another program would do is done by a connection beside
the store's; a process that dies is a process.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url, select, text, update
from sqlalchemy.exc import DBAPIError

from online.audit import verify
from online.store import tables
from online.store.database import Store, Tx, open_store
from online.store.people import add_person, people
from shared.errors import (
    DiskFull,
    Refusal,
    StoreBusy,
    StoreDamaged,
    StoreForm,
    StoreReadOnly,
    StoreUnreachable,
)
from tests.online_world import ALICE, BOB, NOW, STATION
from tests.store_place import needs_server, placed, reopened, store_url, url_of

pytestmark = [pytest.mark.postgres, needs_server]


@pytest.fixture(autouse=True)
def _on_postgresql() -> Iterator[None]:
    with placed("postgresql"):
        yield


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(store_url(tmp_path), STATION)


def _beside(store: Store) -> psycopg.Connection:
    """Give a connection of another program to the store's database."""
    return psycopg.connect(url_of(store).replace("+psycopg", ""), autocommit=True)


# --- opening ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_the_url_is_taken_as_people_write_it(store: Store, scheme: str) -> None:
    add_person(store, "alice", ALICE.person.key, NOW)
    url = url_of(store).replace("postgresql+psycopg", scheme)
    assert people(open_store(url)) == (ALICE.person,)


@pytest.mark.parametrize(
    "other", [{"password": "wrong"}, {"database": "no_such_one"}, {"port": 1}, {"host": "host.invalid"}]
)
def test_a_server_or_database_that_is_not_there_is_refused_without_its_password(
    store: Store, other: dict[str, str]
) -> None:
    url = make_url(url_of(store)).set(**other)  # type: ignore[arg-type]
    with pytest.raises(StoreUnreachable) as refused:
        open_store(url.render_as_string(hide_password=False))
    assert str(url.password) not in f"{refused.value} {refused.value.hint}"
    assert refused.value.__cause__ is None


def test_a_url_without_a_password_takes_it_from_where_postgresql_keeps_it(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, file = make_url(url_of(store)), tmp_path / "pgpass"
    file.write_text(f"{url.host}:{url.port}:*:{url.username}:{url.password}\n")
    file.chmod(0o600)
    bare = url._replace(password=None).render_as_string(hide_password=False)
    with pytest.raises(StoreUnreachable):
        open_store(bare)
    monkeypatch.setenv("PGPASSFILE", str(file))
    assert people(open_store(bare)) == ()


def test_a_driver_that_is_not_installed_is_named(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreUnreachable) as refused:
        open_store(url_of(store))
    assert "lockgate[postgres]" in refused.value.hint


def test_processes_that_open_an_empty_database_at_once_all_find_its_tables(tmp_path: Path) -> None:
    url, start = store_url(tmp_path, empty=True), threading.Barrier(6)
    names = [f"person {number}" for number in range(6)]
    refused: list[BaseException] = []

    def opener(number: int) -> None:
        start.wait(timeout=20)
        try:
            add_person(open_store(url, STATION), names[number].replace(" ", "-"), bytes([number]) * 32, NOW)
        except Exception as trouble:  # noqa: BLE001 - whatever it is, the test shows it
            refused.append(trouble)

    _together([lambda number=number: opener(number) for number in range(6)])  # type: ignore[misc]
    assert refused == []
    assert len(people(open_store(url))) == 6


def test_commits_reach_the_disk_where_the_servers_settings_would_let_them_wait(store: Store) -> None:
    with _beside(store) as other:
        other.execute(f'ALTER DATABASE "{store.engine.url.database}" SET synchronous_commit = off')
    with reopened(store).reading() as connection:
        assert connection.execute(text("SHOW synchronous_commit")).scalar() == "on"


# --- writers and readers ----------------------------------------------------------------------------


def test_writers_stand_in_one_line_and_none_fails_for_another(store: Store) -> None:
    def writer(number: int) -> None:
        mine = reopened(store)
        for count in range(20):
            add_person(mine, f"w{number}-{count}", bytes([number, count]) * 16, NOW)

    _together([lambda number=number: writer(number) for number in range(8)])  # type: ignore[misc]
    assert len(people(store)) == 160
    assert verify(store).ok


def test_what_a_writer_read_holds_until_it_commits(store: Store) -> None:
    """Each adds one to the number that it read: of the 200, none is lost."""
    with store.transaction() as tx:
        tx.sql.execute(text("CREATE TABLE counter (n bigint NOT NULL)"))
        tx.sql.execute(text("INSERT INTO counter VALUES (0)"))

    def writer() -> None:
        mine = reopened(store)
        for _ in range(50):
            with mine.transaction() as tx:
                found = tx.sql.execute(text("SELECT n FROM counter")).scalar_one()
                tx.sql.execute(text("UPDATE counter SET n = :n"), {"n": found + 1})

    _together([writer] * 4)
    with store.reading() as connection:
        assert connection.execute(text("SELECT n FROM counter")).scalar() == 200


def test_a_reading_sees_one_moment_and_waits_for_no_writer(store: Store) -> None:
    add_person(store, "alice", ALICE.person.key, NOW)
    query = select(tables.people.c.name)
    with store.reading() as connection:
        before = connection.execute(query).scalars().all()
        add_person(store, "bob", BOB.person.key, NOW)
        assert connection.execute(query).scalars().all() == before == ["alice"]
    with store.transaction(), store.reading() as connection:
        assert connection.execute(query).scalars().all() == ["alice", "bob"]


def test_a_reading_can_not_write(store: Store) -> None:
    with pytest.raises(StoreReadOnly), store.reading() as connection:
        connection.execute(tables.people.delete())


def test_a_line_that_does_not_move_is_busy(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("online.store.engine.BUSY_SECONDS", 0.1)
    other = reopened(store)
    with store.transaction(), pytest.raises(StoreBusy):
        add_person(other, "alice", ALICE.person.key, NOW)
    add_person(other, "alice", ALICE.person.key, NOW)


def test_rows_that_another_program_changed_meanwhile_make_it_busy_and_nothing_is_changed(store: Store) -> None:
    add_person(store, "alice", ALICE.person.key, NOW)

    def overtaken() -> None:
        with store.transaction() as tx, _beside(store) as other:
            tx.sql.execute(select(tables.people)).all()
            other.execute("UPDATE people SET name = 'mallory'")
            tx.sql.execute(update(tables.people).values(name="carol"))

    with pytest.raises(StoreBusy):
        overtaken()
    assert [one.name for one in people(store)] == ["mallory"]


def test_a_deadlock_with_another_program_is_busy_and_nothing_is_changed(store: Store) -> None:
    add_person(store, "alice", ALICE.person.key, NOW)
    add_person(store, "bob", BOB.person.key, NOW)
    with _beside(store) as other:
        wanting = threading.Thread(target=other.execute, args=("UPDATE people SET name = 'd' WHERE name = 'alice'",))

        def crossed() -> None:
            with store.transaction() as tx:
                tx.sql.execute(update(tables.people).where(tables.people.c.name == "alice").values(name="carol"))
                wanting.start()
                time.sleep(0.3)
                tx.sql.execute(update(tables.people).where(tables.people.c.name == "bob").values(name="dave"))

        other.execute("SET deadlock_timeout = '60s'")  # the store's side is the one that notices
        other.execute("BEGIN")
        other.execute("UPDATE people SET public_key = public_key WHERE name = 'bob'")
        with pytest.raises(StoreBusy):
            crossed()
        wanting.join(timeout=20)
        other.execute("ROLLBACK")
    assert [one.name for one in people(store)] == ["alice", "bob"]


# --- connections that end ---------------------------------------------------------------------------


def test_connections_that_the_server_ended_are_replaced_unseen(store: Store) -> None:
    add_person(store, "alice", ALICE.person.key, NOW)
    _end_connections(store)
    assert people(store) == (ALICE.person,)


def test_a_connection_that_ends_within_a_transaction_takes_it_back(store: Store) -> None:
    def cut_off() -> None:
        with store.transaction() as tx:
            _insert(tx, "alice")
            _end_connections(store)
            _insert(tx, "bob")

    with pytest.raises(StoreUnreachable):
        cut_off()
    assert people(store) == ()


def test_a_writer_that_froze_is_ended_by_the_server_and_the_line_moves_on(store: Store) -> None:
    other = reopened(store)

    def frozen() -> None:
        with store.transaction() as tx:
            tx.sql.execute(text("SET LOCAL idle_in_transaction_session_timeout = 200"))
            _insert(tx, "alice")
            add_person(other, "bob", BOB.person.key, NOW)
            _insert(tx, "carol")

    with pytest.raises(StoreUnreachable):
        frozen()
    assert people(store) == (BOB.person,)


def test_a_writer_that_was_killed_leaves_nothing_and_the_line_moves_on(store: Store) -> None:
    ready = multiprocessing.get_context("fork").Event()
    child = os.fork()
    if not child:
        try:
            with reopened(store).transaction() as tx:
                _insert(tx, "alice")
                ready.set()
                time.sleep(60)
        finally:
            os._exit(3)
    assert ready.wait(timeout=20)
    began = time.monotonic()
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    add_person(store, "bob", BOB.person.key, NOW)
    assert time.monotonic() - began < 5
    assert people(store) == (BOB.person,)


# --- troubles ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "refusal"),
    [
        ("53100", DiskFull),
        ("53200", StoreUnreachable),
        ("53300", StoreBusy),
        ("55P03", StoreBusy),
        ("40001", StoreBusy),
        ("40P01", StoreBusy),
        ("25006", StoreReadOnly),
        ("42501", StoreReadOnly),
        ("42P01", StoreForm),
        ("42703", StoreForm),
        ("57P01", StoreUnreachable),
        ("58030", StoreUnreachable),
        ("08006", StoreUnreachable),
        ("XX001", StoreDamaged),
        ("XX002", StoreDamaged),
    ],
)
def test_a_trouble_is_known_by_its_code_and_undoes_the_transaction(
    store: Store, code: str, refusal: type[Refusal]
) -> None:
    def troubled() -> None:
        with store.transaction() as tx:
            _insert(tx, "alice")
            tx.sql.execute(text(f"DO $$ BEGIN RAISE EXCEPTION 'in no language' USING ERRCODE = '{code}'; END $$"))

    with pytest.raises(refusal) as refused:
        troubled()
    assert type(refused.value) is refusal
    assert "in no language" not in str(refused.value)
    assert people(store) == ()


def test_what_was_not_foreseen_stays_what_it_is(store: Store) -> None:
    with pytest.raises(DBAPIError, match="division"), store.transaction() as tx:
        tx.sql.execute(text("SELECT 1 / 0"))


def test_a_process_whose_connections_are_all_in_use_is_busy(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store.engine.pool, "_timeout", 0.05)
    held = [store.engine.connect() for _ in range(15)]
    with pytest.raises(StoreBusy):
        people(store)
    for connection in held:
        connection.close()
    assert people(store) == ()


def _insert(tx: Tx, name: str) -> None:
    tx.sql.execute(tables.people.insert().values(name=name, public_key=name.encode().ljust(32)))


def _end_connections(store: Store) -> None:
    with _beside(store) as other:
        mine = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database()"
        other.execute(f"{mine} AND pid <> pg_backend_pid()")


def _together(tasks: list[Callable[[], None]]) -> None:
    """Do tasks in threads of their own, and raise what one of them raised."""
    raised: list[BaseException] = []

    def guarded(task: Callable[[], None]) -> None:
        try:
            task()
        except BaseException as trouble:  # noqa: BLE001 - handed to the test
            raised.append(trouble)

    threads = [threading.Thread(target=guarded, args=(task,)) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    if raised:
        raise raised[0]
