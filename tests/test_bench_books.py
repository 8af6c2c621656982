"""The bench's rows of the books, on small stores: what is measured is what it says, and proven before it counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from online.bench import books
from online.bench.exchange import Exchange
from online.ledger.books import prove_balances


def test_the_rows_of_the_books_are_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = {"POSTINGS": 400, "CUSTOMERS": 20, "TRANSACTIONS": 300, "DIFFERENCES": 30, "WITHDRAWALS": 40, "GROUP": 20}
    for name, value in small.items():
        monkeypatch.setattr(books, name, value)
    said: list[str] = []
    rows = {row.name: row for row in books.measure(tmp_path, said.append)}
    assert list(rows) == ["books.sheet.million-postings", "books.reconcile.100000", "books.withdrawals.accepted"]
    assert all(row.value > 0 and row.aim for row in rows.values())
    assert len(said) == len(rows)


def test_books_that_were_written_wrongly_are_not_measured(tmp_path: Path) -> None:
    exchange = Exchange(tmp_path, 2)
    exchange.entries([("customer:c000000", "customer:c000001", 5)], "trade")
    assert prove_balances(exchange.store) == ()
    with exchange.store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE balances SET posted = '6' WHERE account = 'customer:c000001'")
    with pytest.raises(AssertionError, match="customer:c000001"):
        books._require_proven(exchange)
