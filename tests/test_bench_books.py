"""The bench's rows of the exchange, on small stores: what is measured is what it says, and proven before it counts."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import make_url

import online.bench
from online.bench import accepting, arriving, books, hot
from online.bench.exchange import NETWORK, Exchange, on_disk
from online.bench.hot import Ground
from online.bench.rows import Row
from online.chains.api import Arrivals
from online.cli.bench import bench
from online.ledger.books import prove_balances
from online.store.engine import make_engine
from shared.errors import StoreUnreachable
from shared.money import Asset
from tests.store_place import SERVER, needs_server


def small(monkeypatch: pytest.MonkeyPatch, module: object, **sizes: int) -> None:
    for name, value in sizes.items():
        monkeypatch.setattr(module, name, value)


def test_the_rows_of_the_books_are_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small(monkeypatch, books, POSTINGS=400, CUSTOMERS=20, TRANSACTIONS=300, DIFFERENCES=30)
    said: list[str] = []
    rows = {row.name: row for row in books.measure(tmp_path, said.append)}
    assert list(rows) == ["books.sheet.million-postings", "books.reconcile.100000"]
    assert all(row.value and row.aim for row in rows.values())
    assert len(said) == len(rows)


def test_books_that_were_written_wrongly_are_not_measured(tmp_path: Path) -> None:
    exchange = Exchange(on_disk(tmp_path), 2)
    exchange.entries([("customer:c000001", f"own:{NETWORK}", 5)], "trade")
    assert prove_balances(exchange.store) == ()
    with exchange.store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE balances SET posted = '-6' WHERE account = 'customer:c000001'")
    with pytest.raises(AssertionError, match="customer:c000001"):
        exchange.require_proven()


def test_a_journal_that_was_cut_is_not_measured(tmp_path: Path) -> None:
    exchange = Exchange(on_disk(tmp_path), 1)
    with exchange.store.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM audit WHERE n = (SELECT max(n) FROM audit)")
    with pytest.raises(AssertionError, match="journal"):
        exchange.require_proven()


def test_deposits_are_measured_through_the_intake_and_owed_to_whom_they_came_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small(monkeypatch, arriving, DEPOSITS=60, CUSTOMERS=7, AT_ONCE=25)
    (row,) = arriving.measure(tmp_path, lambda _: None)
    assert row.name == "deposits.taken-in"
    assert row.value
    assert row.value > 0


def test_a_deposit_that_a_ledger_tells_of_twice_counts_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small(monkeypatch, arriving, DEPOSITS=10, CUSTOMERS=3, AT_ONCE=5)
    tells = arriving._Busy.arrivals

    def twice(
        ledger: arriving._Busy, addresses: Collection[str], assets: Collection[Asset], cursor: str, since: int | None
    ) -> Arrivals:
        found = tells(ledger, addresses, assets, cursor, since)
        return Arrivals((*found.found, *found.found), found.cursor, found.height)

    monkeypatch.setattr(arriving._Busy, "arrivals", twice)
    arriving.measure(tmp_path, lambda _: None)


def test_deposits_that_were_not_credited_to_whom_they_came_for_are_not_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small(monkeypatch, arriving, DEPOSITS=10, CUSTOMERS=3, AT_ONCE=5)
    place = arriving._place
    monkeypatch.setattr(arriving, "_place", lambda where, who: {**place(where, who), "customer": "c000000"})
    with pytest.raises(AssertionError, match="something else than what arrived"):
        arriving.measure(tmp_path, lambda _: None)


def test_withdrawals_without_a_server_are_measured_on_sqlite_and_the_other_row_says_what_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small(monkeypatch, accepting, WITHDRAWALS=40, GROUP=20)
    alone, together = accepting.measure("", tmp_path, lambda _: None)
    assert (alone.name, together.name) == ("withdrawals.accepted.sqlite", "withdrawals.accepted.postgresql")
    assert alone.value
    assert (together.value, together.met) == (None, None)
    assert "LOCKGATE_POSTGRES_URL" in (together.left_out or "")


@needs_server
@pytest.mark.postgres
def test_four_clients_accept_on_postgresql_and_their_database_is_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small(monkeypatch, accepting, WITHDRAWALS=40, GROUP=5)
    made: list[str] = []
    exchange = accepting._exchange

    def noted(url: str) -> Exchange:
        made.append(url)
        return exchange(url)

    monkeypatch.setattr(accepting, "_exchange", noted)
    _, together = accepting.measure(SERVER, tmp_path, lambda _: None)
    assert together.value
    engine = make_engine(SERVER)
    with engine.connect() as connection:
        waits = connection.exec_driver_sql("SHOW fsync").scalar() == "on"
    engine.dispose()
    assert ("has fsync off" in (together.aim or "")) is not waits
    assert waits or together.met is False
    with pytest.raises(StoreUnreachable):
        Exchange(made[-1], 1)
    assert make_url(made[-1]).database != make_url(SERVER).database


@pytest.mark.parametrize("ground", hot.GROUNDS, ids=lambda ground: ground.network)
def test_a_hot_withdrawal_is_submitted_and_paid_with_nobody_there(tmp_path: Path, ground: Ground) -> None:
    (spent,) = hot.seconds(tmp_path, ground, 1)
    assert 0 < spent < hot._PATIENCE_SECONDS
    assert "answered; the journal has" in (tmp_path / "serve.log").read_text()


def test_a_hot_withdrawal_that_does_not_go_on_ends_the_measurement(tmp_path: Path) -> None:
    greedy = hot.Ground(**{**{name: getattr(hot.GROUNDS[0], name) for name in Ground.__slots__}, "pays": "101"})
    with pytest.raises(AssertionError, match="was declined: over-transfer-limit"):
        hot.seconds(tmp_path, greedy, 1)


def test_the_command_says_what_was_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def run(*, server: str) -> list[dict[str, object]]:
        asked.append(server)
        rows = [
            Row("a", 2.0, "s", aim="at most 1", met=False), Row("b", None, "s", left_out="no node"),
            Row("c", 2.0, "s", peer="the slowest", peer_value=4.0),
        ]  # fmt: skip
        return [row.as_json() for row in rows]

    monkeypatch.setattr(online.bench, "run", run)
    said = CliRunner().invoke(bench, [], env={"LOCKGATE_POSTGRES_URL": "postgresql://here/x"}).output
    assert said.splitlines() == [
        "a: 2.0 s, aim at most 1: NOT MET", "b: LEFT OUT, no node", "c: 2.0 s, the slowest 4.0",
    ]  # fmt: skip
    assert asked == ["postgresql://here/x"]
