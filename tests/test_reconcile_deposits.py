"""Reconciliation where customers pay in and out: what the intake booked agrees with the ledger, and its faults show.

On the XRP Ledger transaction by transaction; on NEAR, whose nodes keep no history of an account, by balances.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert, select, update

from online.customers.register import register
from online.demo.strangers import Stranger
from online.deposits.instructions import instruct
from online.deposits.model import deposits
from online.deposits.suspense import draft_return
from online.ledger.differences import Kind
from online.ledger.postings import Posting, post
from online.ledger.reconcile import Report, reconcile
from online.orders.drafting import draft_rebalance
from online.store import tables
from tests.both_machines import NOW, BothMachines
from tests.near_desk import a_near_house
from tests.near_gateway_bench import UNIT
from tests.xrpl_house import XRP, XrplHouse, an_xrpl_house, xrp

COIN = 10**6


@pytest.fixture
def house(tmp_path: Path) -> Iterator[XrplHouse]:
    """Dave has tag 1 on the cold wallet's address; everything before was read."""
    with an_xrpl_house(tmp_path) as found:
        register(found.store, "dave", NOW)
        instruct(found.store, "dave", "cold", NOW)
        found.tick()
        yield found


def look(house: BothMachines) -> Report:
    return reconcile(house.store, house.gateways)


def found(house: BothMachines) -> list[tuple[Kind, str, int]]:
    return [(one.kind, one.wallet, one.amount) for one in look(house).findings]


def test_deposits_suspense_returns_and_moves_between_wallets_leave_no_difference(house: XrplHouse) -> None:
    stranger = Stranger(house.world, 1_000)
    stranger.pay(house.address("cold"), 50 * COIN, 1)
    stranger.pay(house.address("cold"), 30 * COIN, 999)
    assert [kind for kind, *_ in found(house)] == [Kind.MISSING_DEPOSIT] * 2
    house.tick()
    assert found(house) == []
    waiting = next(one for one in deposits(house.store) if one.state.value == "suspense")
    house.approved(draft_return(house.store, house.asking(), waiting.id))
    house.cross()
    house.settle()
    house.approved(draft_rebalance(house.store, house.asking(), from_wallet="cold", to_wallet="hot", amount=xrp(20)))
    house.cross()
    house.settle()
    assert found(house) == []
    (line,) = look(house).solvency
    assert (line.owed, line.covered) == (50 * COIN, True)


def test_a_partial_payment_that_was_credited_for_what_it_says_is_a_wrong_amount(house: XrplHouse) -> None:
    Stranger(house.world, 1_000).pay(house.address("cold"), 50 * COIN, 1)
    house.tick()
    with house.store.engine.begin() as connection:  # the books as a careless exchange would have them
        (entry,) = connection.execute(select(tables.arrivals.c.entry)).scalars().all()
        here = (tables.lines.c.entry == entry) & (tables.lines.c.account == "wallet:cold")
        connection.execute(update(tables.lines).where(here).values(units=str(900 * COIN)))
    assert found(house) == [(Kind.WRONG_AMOUNT, "cold", -850 * COIN)]


def test_a_deposit_that_was_credited_twice_is_named_with_both_arrivals(house: XrplHouse) -> None:
    Stranger(house.world, 1_000).pay(house.address("cold"), 50 * COIN, 1)
    house.tick()
    with house.store.transaction() as tx:
        lines = [Posting("wallet:cold", XRP, 50 * COIN), Posting("customer:dave", XRP, -50 * COIN)]
        entry = post(tx, "again", "posted", lines, None, NOW)
        row = tx.sql.execute(select(tables.arrivals)).one()._asdict()
        tx.sql.execute(insert(tables.arrivals).values({**row, "id": row["id"] + 1, "key": "again", "entry": entry}))
    (one,) = look(house).findings
    assert (one.kind, one.amount, one.source) == (Kind.DOUBLE_CREDIT, -50 * COIN, "arrival 1, arrival 2")


def test_what_our_own_job_brought_is_not_called_missing_while_the_job_is_open(house: XrplHouse) -> None:
    register(house.store, "edward", NOW)
    instruct(house.store, "edward", "hot", NOW)
    house.tick()
    house.approved(draft_rebalance(house.store, house.asking(), from_wallet="cold", to_wallet="hot", amount=xrp(5)))
    house.cross()
    house.tick()
    house.world.close()
    assert {kind for kind, *_ in found(house)} == {Kind.STUCK_IN_FLIGHT}
    house.tick()
    assert found(house) == []


def test_near_is_judged_by_balances_and_says_so(tmp_path: Path) -> None:
    with a_near_house(tmp_path) as house:
        register(house.store, "dave", NOW)
        instruct(house.store, "dave", "deposits", NOW)
        house.tick()
        assert found(house) == []
        house.world.fund(house.address("deposits", 1), 7 * UNIT)
        house.world.advance(5)
        assert found(house) == [(Kind.BALANCE_OFF, "deposits", 7 * UNIT)]
        assert "balances alone" in look(house).limits[0]
        for _ in range(3):
            house.world.advance(3)
            house.tick()
        assert found(house) == []
