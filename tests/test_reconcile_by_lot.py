"""Reconciliation through a real store: thousands of drawn transactions, each difference named, and none invented.

Beside the kinds that one transaction can show, a balance that nothing explains and a reserve that changed are put in.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from online.ledger import walk
from online.ledger.differences import Kind
from online.ledger.reconcile import Report, keep, reconcile
from tests.books_by_lot import KINDS, TOKEN, ByLot, Injected
from tests.online_world import NETWORK, NOW, XRP


@pytest.fixture(autouse=True)
def _short_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "ENTRIES_MOST", 700)


def look(drawn: ByLot, *, whole: bool) -> Report:
    report = reconcile(drawn.store, {NETWORK: drawn.ledger}, whole=whole)
    assert (report.failed, report.limits) == ({}, ())
    return report


def named(report: Report) -> list[Injected]:
    return sorted((one.kind.value, one.tx_id or one.source, one.wallet, one.asset.code, one.amount)
                  for one in report.findings)  # fmt: skip


def test_two_hundred_differences_among_five_thousand_transactions_in_a_store_are_named_and_none_invented(
    tmp_path: Path,
) -> None:
    """All at once; then from a stand that was kept in the middle; then with what no transaction shows besides."""
    drawn = ByLot(tmp_path, 1)
    drawn.draw(3_000, 120)
    first = look(drawn, whole=True)
    assert named(first) == sorted(drawn.injected)
    keep(drawn.store, first, NOW)
    drawn.draw(2_000, 80)
    report = look(drawn, whole=False)
    assert named(report) == sorted(drawn.injected)
    assert {one.kind for one in report.findings} == set(KINDS)
    assert named(look(drawn, whole=True)) == sorted(drawn.injected)
    drawn.ledger.off["hot", TOKEN] = -77
    drawn.injected.append((Kind.BALANCE_OFF.value, "", "hot", "TOK", -77))
    before = {**report.reserves, ("cold", XRP): report.reserves["cold", XRP] - 5}
    drawn.injected.append((Kind.RESERVE_CHANGED.value, "", "cold", "XRP", 5))
    assert named(reconcile(drawn.store, {NETWORK: drawn.ledger}, before=before)) == sorted(drawn.injected)


@pytest.mark.parametrize("seed", range(2, 5))
def test_books_that_agree_with_the_ledger_have_no_difference(tmp_path: Path, seed: int) -> None:
    drawn = ByLot(tmp_path, seed)
    for _ in range(3):
        drawn.draw(150, 0)
        report = look(drawn, whole=False)
        assert named(report) == []
        assert (report.stands[NETWORK].shown, report.stands[NETWORK].entries) == ((), frozenset())
        keep(drawn.store, report, NOW)
