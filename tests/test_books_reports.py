"""Reports of the books: both sides of the sheet are equal, a point in time is what stood there, statements add up.

Whole flows run on the small ledger of `online_world`; drawn postings go to the books directly.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from online.customers.register import register
from online.customers.trades import HOUSE, Leg, trade
from online.jobs.withdraw import withdraw
from online.ledger.accounts import Kind
from online.ledger.books import Balance, balance_sheet
from online.ledger.moments import NOW as NOW_POINT
from online.ledger.moments import Point, balances_at, parse_point
from online.ledger.postings import Posting, post, void_pending
from online.ledger.reports import AssetSheet, Row, balances, is_on_ledger, sheet, trial_balance
from online.ledger.statements import Filter, customer_statement, journal, wallet_statement
from online.store import journal as station_journal
from online.store import tables
from online.store.database import Store, Tx, open_store
from shared.errors import BadMoment, Refusal, UnknownCustomer, UnknownWallet
from tests.online_world import NETWORK, NOW, STATION, XRP, Desk, make_desk, set_up, xrp
from tests.store_place import store_url


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Dave holds 500 XRP and edward 200; the wallets hold 151 000 XRP together."""
    found = make_desk(tmp_path)
    for at, (name, coins) in enumerate((("dave", 500), ("edward", 200))):
        register(found.store, name, NOW + at)
        trade(found.store, name, [Leg(HOUSE, name, xrp(coins))], NOW + at)
    return found


def page(desk: Desk, point: Point = NOW_POINT, *, each_customer: bool = False) -> AssetSheet:
    (found,) = sheet(desk.store, point, each_customer=each_customer)
    return found


def parts(rows: tuple[Row, ...]) -> dict[str, int]:
    return {row.part: row.posted // 1_000_000 for row in rows}


def settled(desk: Desk) -> None:
    desk.answered()
    desk.tick()
    desk.world.close()
    desk.tick()


# --- the sheet ----------------------------------------------------------------------------------------


def test_the_sheet_shows_wallets_by_tier_beside_whom_the_money_belongs_to(desk: Desk) -> None:
    one = page(desk)
    assert parts(one.on_ledger) == {"hot": 1_000, "cold": 150_000}
    assert parts(one.off_ledger) == {"customers": 700, "own funds": 150_300}
    assert one.on_total == one.off_total == xrp(151_000).units
    assert one.equal


def test_customers_are_shown_one_by_one_if_asked(desk: Desk) -> None:
    rows = page(desk, each_customer=True).off_ledger
    assert [(row.account, row.posted) for row in rows if row.part == "customers"] == [
        ("customer:dave", xrp(500).units), ("customer:edward", xrp(200).units),
    ]  # fmt: skip


def test_what_is_on_its_way_stands_apart_and_in_transit(desk: Desk) -> None:
    desk.rebalance(80_000)
    desk.build()
    one = page(desk)
    assert one.on_total == xrp(151_000).units
    pending = {row.part: row.pending for row in (*one.on_ledger, *one.off_ledger) if row.pending}
    assert pending == {"in transit": xrp(80_000).units, "cold": -xrp(80_000).units - 12, "fees": -12}
    assert one.equal


def test_fees_are_deductions_from_own_funds(desk: Desk) -> None:
    desk.rebalance(80_000)
    settled(desk)
    one = page(desk)
    assert {row.part: row.posted for row in one.off_ledger}["fees"] == -12
    assert one.on_total == xrp(151_000).units - 12
    assert one.equal


def test_a_sheet_whose_sides_differ_says_so() -> None:
    left, right = Row("hot", "wallet:hot", 5, 0), Row("own funds", "own:x", 4, 0)
    assert not AssetSheet(XRP, (left,), (right,)).equal
    assert not AssetSheet(XRP, (Row("hot", "wallet:hot", 5, 1),), (Row("own funds", "own:x", 5, 0),)).equal


def test_every_account_keeps_its_sign_and_its_side_where_programs_read_it(desk: Desk) -> None:
    rows = balances(desk.store)
    assert [one for one, _, _ in rows] == list(balance_sheet(desk.store))
    assert {one.account: is_on_ledger(one.account) for one, _, _ in rows} == {
        "customer:dave": False, "customer:edward": False, "own:xrpl:local": False, "wallet:cold": True,
        "wallet:hot": True,
    }  # fmt: skip


ACCOUNTS = ("wallet:hot", "wallet:cold", f"transit:{NETWORK}", "customer:a", "customer:b", f"suspense:{NETWORK}",
            f"withdrawals:{NETWORK}", f"own:{NETWORK}", f"fees:{NETWORK}", f"refunds:{NETWORK}",
            f"outside:{NETWORK}")  # fmt: skip
Step = tuple[Literal["posted", "pending", "void"], str, str, int]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["posted", "posted", "pending", "void"]), st.sampled_from(ACCOUNTS),
        st.sampled_from(ACCOUNTS), st.integers(1, 2**127),
    ),
    max_size=14,
)  # fmt: skip


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS)
def test_both_sides_are_equal_after_any_postings_and_a_point_in_time_is_what_stood_there(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Step]
) -> None:
    """After each step the balances are kept; later every one of these moments is asked for again, both ways."""
    desk = make_desk(tmp_path_factory.mktemp("replay"))
    desk.rebalance()  # one job, which is what pending entries belong to
    store = desk.store
    stood: dict[int, tuple[Balance, ...]] = {}
    times: dict[int, tuple[Balance, ...]] = {}
    for at, step in enumerate(steps, NOW + 1):
        with store.transaction() as tx:
            number = _step(tx, step, at)
        with store.reading() as connection:
            now = balances_at(connection)
        times[at] = now
        if number:
            stood[number] = now
        assert all(one.equal for one in sheet(store))
    with store.reading() as connection:
        for number, then in stood.items():
            assert nonzero(balances_at(connection, Point(entry=number))) == nonzero(then)
        for at, then in times.items():
            assert nonzero(balances_at(connection, Point(time=at))) == nonzero(then)


def _step(tx: Tx, step: Step, now: int) -> int:
    kind, giver, taker, units = step
    if kind == "void":
        voided = void_pending(tx, 1, now)
        station_journal.append(tx, "move", {"voided": voided}, now)
        return 0
    lines = [Posting(giver, XRP, -units), Posting(taker, XRP, units)]
    number = post(tx, "drawn", kind, lines, 1 if kind == "pending" else None, now)
    station_journal.append(tx, "move", {"posted": [number, kind, b""]}, now)
    return number


def nonzero(found: tuple[Balance, ...]) -> Counter[tuple[str, int, int]]:
    return Counter((one.account, one.posted, one.pending) for one in found if one.posted or one.pending)


def test_a_trial_balance_of_an_earlier_point_has_what_was_pending_there(desk: Desk) -> None:
    desk.rebalance(80_000)
    (job,) = desk.build()
    reserved = max(one.id for one in journal(desk.store, Filter()))
    withdraw(desk.store, job.id, NOW + 9)
    for point in (NOW_POINT, Point(entry=reserved), Point(time=NOW + 8)):
        assert [(one.asset, one.posted, one.pending) for one in trial_balance(desk.store, point)] == [(XRP, 0, 0)]
    with desk.store.transaction() as tx:
        tx.sql.execute(update(tables.lines).where(tables.lines.c.entry == reserved).values(units="5"))
        lines = len(tx.sql.execute(select(tables.lines).where(tables.lines.c.entry == reserved)).all())
    assert [one.pending for one in trial_balance(desk.store, Point(entry=reserved))] == [5 * lines]
    assert [one.pending for one in trial_balance(desk.store, Point(time=NOW + 9))] == [0]


def test_a_reservation_that_was_voided_later_stood_there_before(desk: Desk) -> None:
    desk.rebalance(80_000)
    (job,) = desk.build()
    reserved = max(one.id for one in journal(desk.store, Filter()))
    before = page(desk)
    withdraw(desk.store, job.id, NOW + 9)
    assert {row.pending for row in page(desk).on_ledger} == {0}
    trade(desk.store, "later", [Leg("dave", "edward", xrp(1))], NOW + 10)
    assert {row.part: row.pending for row in page(desk, Point(time=NOW + 8)).on_ledger} == {
        row.part: row.pending for row in before.on_ledger
    }
    assert page(desk, Point(entry=reserved)) == before
    assert {row.pending for row in page(desk, Point(entry=reserved + 1)).on_ledger} == {0}


@pytest.mark.parametrize(
    ("text", "point"),
    [
        ("12", Point(entry=12)), ("#7", Point(entry=7)), ("1970-01-02", Point(time=86_400)),
        ("1970-01-01 01:00", Point(time=3_600)), ("1970-01-01 00:00:09", Point(time=9)),
    ],
)  # fmt: skip
def test_a_point_is_an_entry_or_a_moment(text: str, point: Point) -> None:
    assert parse_point(text) == point


@pytest.mark.parametrize(
    "text",
    ["", "0", "-1", "1.5", "#", "now", "2026-13-01", "2026-02-30", "2026-06-01T10:00", "2026-06-01 25:00", "１２",
     "1e3", "2026-06-01 10:00:00+02:00", "9" * 19],
)  # fmt: skip
def test_what_is_no_point_is_refused(text: str) -> None:
    with pytest.raises(BadMoment):
        parse_point(text)


def test_a_point_beyond_the_newest_entry_is_refused_and_not_taken_for_now(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    newest = len(journal(desk.store, Filter()))
    assert sheet(desk.store, Point(entry=newest)) == sheet(desk.store)
    with pytest.raises(BadMoment, match=f"the newest is {newest}"):
        sheet(desk.store, Point(entry=newest + 1))


# --- statements ---------------------------------------------------------------------------------------


def test_a_customers_statement_runs_from_opening_to_closing(desk: Desk) -> None:
    trade(desk.store, "t1", [Leg("dave", "edward", xrp(30))], NOW + 100)
    trade(desk.store, "t2", [Leg("edward", "dave", xrp(5))], NOW + 200)
    (one,) = customer_statement(desk.store, "dave", Point(time=NOW + 50))
    coins = 1_000_000
    assert (one.opening, one.closing, one.pending) == (500 * coins, 475 * coins, 0)
    assert [(line.memo, line.units // coins, line.balance // coins) for line in one.lines] == [
        ("trade t1", -30, 470), ("trade t2", 5, 475),
    ]  # fmt: skip


def test_a_statement_ends_where_it_is_told_to(desk: Desk) -> None:
    trade(desk.store, "t1", [Leg("dave", "edward", xrp(30))], NOW + 100)
    trade(desk.store, "t2", [Leg("edward", "dave", xrp(5))], NOW + 200)
    (one,) = customer_statement(desk.store, "dave", until=Point(time=NOW + 100))
    assert [line.memo for line in one.lines] == ["trade dave", "trade t1"]
    first = one.lines[1].entry
    (from_entry,) = customer_statement(desk.store, "dave", Point(entry=first), Point(entry=first))
    assert [line.memo for line in from_entry.lines] == ["trade t1"]
    assert (from_entry.opening, from_entry.closing) == (xrp(500).units, xrp(470).units)


def test_a_wallets_statement_shows_what_is_on_its_way_apart(desk: Desk) -> None:
    desk.rebalance(80_000)
    desk.build()
    (one,) = wallet_statement(desk.store, "cold")
    assert one.closing == xrp(150_000).units
    assert one.pending == -xrp(80_000).units - 12
    settled(desk)
    (after,) = wallet_statement(desk.store, "cold")
    assert (after.closing, after.pending) == (xrp(70_000).units - 12, 0)
    assert sum(line.units for line in after.lines) == after.closing - after.opening


@pytest.mark.parametrize(
    ("asked", "refusal"), [(customer_statement, UnknownCustomer), (wallet_statement, UnknownWallet)]
)
def test_a_statement_of_nobody_is_refused(desk: Desk, asked: object, refusal: type[Refusal]) -> None:
    assert callable(asked)
    with pytest.raises(refusal):
        asked(desk.store, "nobody")


def test_somebody_without_movements_has_no_statement(tmp_path: Path) -> None:
    store = set_up(tmp_path)
    register(store, "dave", NOW)
    assert customer_statement(store, "dave") == ()
    assert wallet_statement(store, "hot") == ()


# --- the journal --------------------------------------------------------------------------------------


def _memos(store: Store, wanted: Filter) -> list[str]:
    return [one.memo for one in journal(store, wanted)]


def test_the_journal_is_filtered_by_account_kind_status_job_asset_and_span(desk: Desk) -> None:
    desk.rebalance(80_000)
    settled(desk)
    store, everything = desk.store, _memos(desk.store, Filter())
    assert everything[:4] == ["opening of cold at 100", "opening of hot at 100", "trade dave", "trade edward"]
    on_its_way, happened = everything[4:]
    assert (on_its_way, happened.startswith("job 1: payment tesSUCCESS")) == ("job 1: payment on its way", True)
    cases = {
        "account": (Filter(account="wallet:hot"), [everything[1], happened]),
        "kind": (Filter(kind=Kind.CUSTOMER), everything[2:4]),
        "kinds that begin alike": (Filter(kind=Kind.TRANSIT), [on_its_way]),
        "status": (Filter(status="voided"), [on_its_way]),
        "job": (Filter(job=1), [on_its_way, happened]),
        "asset": (Filter(asset="XRP"), everything),
        "another asset": (Filter(asset="BTC"), []),
        "asset and account on one line": (Filter(asset="BTC", account="wallet:hot"), []),
        "since": (Filter(since=Point(time=NOW + 1)), [everything[3]]),
        "until": (Filter(until=Point(entry=2)), everything[:2]),
        "an account that is none": (Filter(account="wallet:%"), []),
    }
    assert {name: _memos(store, wanted) for name, (wanted, _) in cases.items()} == {
        name: memos for name, (_, memos) in cases.items()
    }


def test_an_entry_is_listed_with_all_of_its_lines(desk: Desk) -> None:
    (one,) = journal(desk.store, Filter(account="customer:dave"))
    assert [(account, units) for account, _, units in one.lines] == [
        (f"own:{NETWORK}", xrp(500).units), ("customer:dave", -xrp(500).units),
    ]  # fmt: skip


def test_books_without_entries_have_empty_reports(tmp_path: Path) -> None:
    store = open_store(store_url(tmp_path), STATION)
    assert (sheet(store), balances(store), journal(store, Filter())) == ((), (), ())
