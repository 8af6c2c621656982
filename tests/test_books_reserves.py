"""What ledgers lock: a row of the sheet, from looks that the journal swears to; with the wallets it is all they hold.

On the XRP Ledger 1 XRP is locked for an account and 0.2 for each ticket; on NEAR what an account stores is.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from online.audit import verify
from online.customers.register import register
from online.customers.trades import HOUSE, Leg, trade
from online.ledger.books import check, prove_balances
from online.ledger.books import journal as entries
from online.ledger.differences import Kind
from online.ledger.moments import NOW as NOW_POINT
from online.ledger.moments import Point
from online.ledger.reconcile import keep, reconcile
from online.ledger.reports import LOCKED, AssetSheet, sheet
from online.orders.drafting import draft_rebalance, draft_tickets
from online.store import tables
from tests.both_machines import NOW, BothMachines
from tests.near_desk import a_near_house
from tests.xrpl_house import NETWORK, POLICY, WALLET, WALLETS, XrplHouse, an_xrpl_house, xrp

XRP = 10**6


@pytest.fixture
def house(tmp_path: Path) -> Iterator[XrplHouse]:
    """Three wallets with 100 XRP each, whose policy lets them make tickets."""
    with an_xrpl_house(tmp_path, own=100) as made:
        text = POLICY.replace("epoch = 1", "epoch = 2")
        for name in WALLETS:
            own = WALLET % {"name": name, "place": made.address(name)}
            text += own.replace('["payment"]', '["payment", "tickets"]').replace(
                "transactions_without_payment = 0", "transactions_without_payment = 2"
            )
        made.install(text)
        yield made


def looked(house: BothMachines) -> None:
    """Reconcile and keep what was found."""
    keep(house.store, reconcile(house.store, house.gateways), house.now)


def page(house: BothMachines, point: Point = NOW_POINT) -> AssetSheet:
    return next(one for one in sheet(house.store, point) if one.asset.code in ("XRP", "NEAR"))


def rows(house: BothMachines, point: Point = NOW_POINT) -> dict[str, int]:
    """Give the left side: each wallet's row, and what is locked."""
    return {row.account or row.part: row.posted for row in page(house, point).on_ledger}


def made_tickets(house: XrplHouse, count: int) -> None:
    house.approved(draft_tickets(house.store, house.asking(), wallet="hot", count=count))
    house.cross()
    house.settle()


def test_a_wallet_and_what_is_locked_of_it_are_what_the_ledger_holds(house: XrplHouse) -> None:
    assert rows(house) == {**{f"wallet:{name}": 99 * XRP for name in WALLETS}, LOCKED: 3 * XRP}
    found = page(house)
    assert found.equal
    assert found.on_total == found.off_total == sum(one.ledger for one in check(house.store, house.gateways))
    assert [(one.wallet, one.units) for one in found.locked] == [(name, XRP) for name in sorted(WALLETS)]


def test_tickets_lock_a_fifth_of_an_xrp_each_once_it_was_looked_at(house: XrplHouse) -> None:
    looked(house)
    before, posted = rows(house), entries(house.store)
    made_tickets(house, 7)
    fee = 10
    assert rows(house) == {**before, "wallet:hot": 99 * XRP - fee}  # nobody has looked yet: it says what was seen
    found = reconcile(house.store, house.gateways)
    assert [(one.kind, one.wallet, one.amount) for one in found.findings] == [
        (Kind.RESERVE_CHANGED, "hot", 7 * XRP // 5)
    ]
    keep(house.store, found, house.now)
    assert rows(house) == {**before, "wallet:hot": 99 * XRP - fee - 7 * XRP // 5, LOCKED: 3 * XRP + 7 * XRP // 5}
    assert page(house).equal
    assert len(entries(house.store)) == len(posted) + 2  # reserved and posted by the order, and nothing by a look
    house.require_books()


def test_a_ticket_that_is_used_up_gives_its_part_back(house: XrplHouse) -> None:
    made_tickets(house, 2)
    looked(house)
    assert rows(house)[LOCKED] == 3 * XRP + 2 * XRP // 5
    house.approved(draft_rebalance(house.store, house.asking(), from_wallet="hot", to_wallet="cold", amount=xrp(5)))
    house.cross()
    house.settle()
    looked(house)
    assert rows(house)[LOCKED] == 3 * XRP + XRP // 5


def test_what_was_seen_by_then_stands_in_the_sheet_of_a_moment_or_an_entry(house: XrplHouse) -> None:
    opened = len(entries(house.store))
    house.now += 100
    made_tickets(house, 5)
    house.now += 100
    looked(house)
    assert rows(house)[LOCKED] == 4 * XRP
    assert rows(house, Point(time=NOW + 150))[LOCKED] == 3 * XRP
    assert rows(house, Point(time=NOW + 200))[LOCKED] == 4 * XRP
    assert rows(house, Point(entry=opened))[LOCKED] == 3 * XRP
    assert rows(house, Point(entry=1))[LOCKED] == XRP  # two wallets were not open yet
    assert page(house, Point(entry=1)).equal


def test_books_that_are_behind_never_have_more_locked_than_they_hold(house: XrplHouse) -> None:
    with house.store.transaction() as tx:
        tx.sql.execute(update(tables.reserves).where(tables.reserves.c.wallet == "hot").values(units=str(500 * XRP)))
    assert rows(house)["wallet:hot"] == 0
    assert page(house).equal


def test_the_audit_finds_an_altered_reserve(house: XrplHouse) -> None:
    looked(house)
    assert verify(house.store).ok
    with house.store.transaction() as tx:
        tx.sql.execute(update(tables.reserves).where(tables.reserves.c.wallet == "hot").values(units="0"))
    assert verify(house.store).problems == ("reserves hot: not as the journal says",)


def test_what_is_locked_covers_what_is_owed_and_can_not_pay_it_out(house: XrplHouse) -> None:
    register(house.store, "dave", NOW)
    trade(house.store, "most", [Leg(HOUSE, "dave", xrp(297))], NOW)
    (line,) = reconcile(house.store, house.gateways).solvency
    assert (line.covered, line.payable, line.reserved) == (True, True, 3 * XRP)
    trade(house.store, "a little more", [Leg(HOUSE, "dave", xrp(1))], NOW)
    (line,) = reconcile(house.store, house.gateways).solvency
    assert (line.covered, line.payable) == (True, False)
    assert not reconcile(house.store, {}).solvency[0].payable


def test_no_more_is_locked_than_an_account_has(house: XrplHouse) -> None:
    house.world.vote(base_fee_drops=10, reserve_base_drops=150 * XRP, reserve_increment_drops=XRP)
    house.settle(turns=1)
    (line,) = reconcile(house.store, house.gateways).solvency
    assert (line.reserved, line.on_ledger) == (300 * XRP, 300 * XRP)


def test_on_near_storage_is_locked_likewise(tmp_path: Path) -> None:
    with a_near_house(tmp_path) as house:
        looked(house)
        assert LOCKED not in rows(house)  # a small account stores little enough for nothing
        cold = house.address("cold")
        house.world.deploy_token(cold, 6, cold, 1)
        house.world.register(cold, *(f"holder-{number}.of-tokens" for number in range(20)))
        looked(house)
        locked = house.gateway.account(cold).reserved.units
        assert locked > 0
        found = rows(house)
        assert found[LOCKED] == locked
        assert sum(found.values()) == page(house).on_total == page(house).off_total
        assert prove_balances(house.store) == ()


def test_where_nothing_is_locked_there_is_no_such_row(house: XrplHouse) -> None:
    with house.store.transaction() as tx:
        tx.sql.execute(update(tables.reserves).values(units="0"))
    assert LOCKED not in rows(house)
    assert NETWORK in str(page(house).asset)
