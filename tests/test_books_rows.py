"""Rows in the place of the journal's words: an older store gains them out of its journal, and each edit is noticed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, event, select, text, update

from online.audit import verify
from online.jobs.withdraw import withdraw
from online.ledger.moments import Point
from online.ledger.reconcile import keep, reconcile
from online.ledger.reports import sheet
from online.store import tables
from online.store.database import Store
from online.store.migrations.versions import v0007_rows_for_the_journals_words
from tests.online_world import NOW, Desk, make_desk
from tests.store_place import reopened

_TABLES = (tables.openings, tables.reserves)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Open wallets, a look that was kept, and a reservation that was given up."""
    made = make_desk(tmp_path)
    made.rebalance(80_000)
    (job,) = made.build()
    keep(made.store, reconcile(made.store, made.gateways), NOW + 5)
    withdraw(made.store, job.id, NOW + 9)
    return made


def rows(store: Store) -> list[list[Any]]:
    entry = tables.entries.c
    with store.reading() as connection:
        found = [connection.execute(select(table).order_by(*table.primary_key)).all() for table in _TABLES]
        voided = connection.execute(select(entry.id, entry.voided_at, entry.voided_before).order_by(entry.id)).all()
    return [[tuple(row) for row in part] for part in (*found, voided)]


def test_a_store_of_the_form_before_gains_the_rows_out_of_its_journal(desk: Desk) -> None:
    now = rows(desk.store)
    assert [len(part) for part in now[:2]] == [2, 4]
    assert [(at, before) for _, at, before in now[2] if at is not None] == [(NOW + 9, 4)]
    with desk.store.transaction() as tx:
        for statement in (
            "ALTER TABLE openings DROP COLUMN units", "ALTER TABLE entries DROP COLUMN voided_at",
            "ALTER TABLE entries DROP COLUMN voided_before", "DELETE FROM reserves",
        ):  # fmt: skip
            tx.sql.execute(text(statement))
        with Operations.context(MigrationContext.configure(tx.sql)):
            v0007_rows_for_the_journals_words.upgrade()
    later = reopened(desk.store)
    assert rows(later) == now
    assert verify(later).ok
    later.close()


@pytest.mark.parametrize(
    ("table", "change"),
    [
        (tables.openings, {"units": "1"}), (tables.openings, {"entry": 2}), (tables.openings, {"height": 0}),
        (tables.entries, {"voided_at": NOW}), (tables.entries, {"voided_before": 9}),
        (tables.reserves, {"units": "1"}), (tables.reserves, {"time": NOW}), (tables.reserves, {"reconciled": True}),
    ],
)  # fmt: skip
def test_each_edit_of_such_a_row_is_noticed(desk: Desk, table: Any, change: dict[str, Any]) -> None:
    assert verify(desk.store).ok
    with desk.store.transaction() as tx:
        tx.sql.execute(update(table).values(change))
    assert any(one.startswith(f"{table.name} ") for one in verify(desk.store).problems)


def test_neither_a_look_nor_an_earlier_sheet_reads_the_journal(desk: Desk) -> None:
    said: list[str] = []

    def note(_connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        said.append(statement)

    event.listen(desk.store.engine, "before_cursor_execute", note)
    reconcile(desk.store, desk.gateways)
    sheet(desk.store, Point(entry=3))
    sheet(desk.store, Point(time=NOW + 6))
    event.remove(desk.store.engine, "before_cursor_execute", note)
    assert said
    assert not [one for one in said if "FROM audit" in one]
