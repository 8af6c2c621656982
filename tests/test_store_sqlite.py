"""The store on SQLite: what its file promises, and its troubles turned into refusals."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from online.audit import verify
from online.store.database import open_store
from online.store.people import add_person
from online.store.troubles import translated
from shared.errors import DiskFull, Refusal, StoreBusy, StoreDamaged, StoreReadOnly, StoreUnreachable
from tests.online_world import ALICE, NOW, STATION, Desk, make_desk


def _url(folder: Path) -> str:
    return f"sqlite:///{folder}/lockgate.db"


def test_the_store_is_durable_and_checks_its_keys(tmp_path: Path) -> None:
    store = open_store(_url(tmp_path), STATION)
    with store.transaction() as tx:
        told = [tx.sql.execute(text(f"PRAGMA {name}")).scalar() for name in
                ("journal_mode", "synchronous", "foreign_keys")]
    assert told == ["wal", 2, 1]


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "lockgate.db").write_bytes(b"this is a shopping list" * 100)
    with pytest.raises(StoreDamaged):
        open_store(_url(tmp_path))


@pytest.mark.parametrize("url", ["sqlite:////no/such/folder/a.db", "cobol://here", "nonsense"])
def test_a_store_that_is_not_there_is_refused(url: str) -> None:
    with pytest.raises(StoreUnreachable):
        open_store(url)


def test_a_store_that_another_process_writes_is_busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("online.store.engine.BUSY_SECONDS", 0.05)
    store = open_store(_url(tmp_path), STATION)
    other = sqlite3.connect(tmp_path / "lockgate.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreBusy):
        add_person(store, "alice", ALICE.person.key, NOW)
    other.execute("ROLLBACK")
    add_person(store, "alice", ALICE.person.key, NOW)


def test_a_full_disk_is_a_refusal_and_loses_nothing(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    desk.rebalance()
    with desk.store.transaction() as tx:
        pages = tx.sql.execute(text("PRAGMA page_count")).scalar()
        tx.sql.execute(text(f"PRAGMA max_page_count={pages}"))
    with pytest.raises(DiskFull):
        _fill(desk)
    with desk.store.reading() as connection:
        connection.execute(text("PRAGMA max_page_count=1000000"))
    assert verify(desk.store).problems == ()
    desk.answered()


@pytest.mark.parametrize(
    ("name", "refusal"), [("SQLITE_IOERR_SHMSIZE", DiskFull), ("SQLITE_IOERR_WRITE", StoreUnreachable)]
)
def test_a_log_that_finds_no_room_beside_the_store_is_a_full_disk(name: str, refusal: type[Refusal]) -> None:
    trouble = sqlite3.OperationalError("disk I/O error")
    trouble.sqlite_errorname = name
    with pytest.raises(refusal), translated():
        raise OperationalError("SELECT 1", {}, trouble)


def _fill(desk: Desk) -> None:
    for number in range(100):
        desk.payments(50, f"p{number}")


def test_a_store_that_may_not_be_written_is_a_refusal(tmp_path: Path) -> None:
    make_desk(tmp_path).store.close()
    store = open_store(_url(tmp_path), STATION)
    with store.reading() as connection:
        connection.execute(text("PRAGMA query_only=ON"))
    with pytest.raises(StoreReadOnly):
        add_person(store, "carol", bytes(32), NOW)
