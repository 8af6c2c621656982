"""Deposits on Bitcoin: an address for each customer, credited from blocks deep enough, over reorganisations."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from online.audit import verify
from online.customers.register import register
from online.deposits.instructions import instruct
from online.deposits.model import deposits
from online.deposits.suspense import credit
from online.ledger.books import balance_sheet, open_wallet
from online.orders.gathering import draft_sweep
from online.orders.spending import draft_pay
from shared.effects import Destination
from shared.policy import Person
from tests.bitcoin_house import CONFIRMATIONS, NETWORK, NOW, House, a_house, amount


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Dave and edward have an address each of the deposit wallet's six; everything before was read."""
    with a_house(tmp_path) as found:
        for name in ("dave", "edward"):
            register(found.store, name, NOW)
            instruct(found.store, name, "deposits", NOW)
        found.tick()
        yield found


def told(house: House) -> list[tuple[str | None, int, str]]:
    return [(one.customer, one.amount.units, one.state.value) for one in deposits(house.store)]


def owed(house: House, customer: str) -> int:
    return -sum(one.posted for one in balance_sheet(house.store) if one.account == f"customer:{customer}")


def test_a_deposit_is_credited_when_it_is_deep_enough_and_not_before(house: House) -> None:
    place = instruct(house.store, "dave", "deposits", NOW).place
    before = house.bitcoin.height
    house.bitcoin.fund_all([(place.address, 70_000)])
    while house.bitcoin.height < before + CONFIRMATIONS + 2:
        house.tick()
        house.bitcoin.mine(1)
    house.tick()
    assert told(house) == [("dave", 70_000, "credited")]
    assert owed(house, "dave") == 70_000
    house.tick()
    assert owed(house, "dave") == 70_000
    house.require_books()
    assert verify(house.store).ok


def test_what_a_sweep_and_a_payment_of_ours_move_is_no_deposit(house: House) -> None:
    place = instruct(house.store, "dave", "deposits", NOW).place
    house.bitcoin.fund_all([(place.address, 70_000)])
    house.bitcoin.mine(CONFIRMATIONS)
    house.tick()
    holding = house.address("holding")
    house.approved(draft_sweep(house.store, house.gateway, house.asking(), wallet="deposits", to=holding))
    other = instruct(house.store, "edward", "deposits", NOW).place
    payments = [(Destination(other.address), amount(9_000))]
    house.approved(draft_pay(house.store, house.asking(), wallet="cold", payments=payments))
    house.cross()
    house.settle()
    house.bitcoin.mine(CONFIRMATIONS)
    house.tick()
    assert [row[2] for row in told(house)] == ["credited", "own", "own"]
    assert (owed(house, "dave"), owed(house, "edward")) == (70_000, 0)
    house.require_books()


def test_a_deposit_that_a_reorganisation_takes_after_one_confirmation_is_never_credited(house: House) -> None:
    place = instruct(house.store, "dave", "deposits", NOW).place
    (paid,) = house.bitcoin.fund_all([(place.address, 70_000)])
    house.tick()
    assert told(house) == []
    house.bitcoin.reorg(1)
    house.bitcoin.mine(CONFIRMATIONS + 2, without=[paid.txid])
    house.tick()
    assert told(house) == []
    house.require_books()


def test_a_deposit_that_a_reorganisation_moves_to_another_block_is_credited_once(house: House) -> None:
    place = instruct(house.store, "dave", "deposits", NOW).place
    house.bitcoin.fund_all([(place.address, 70_000)])
    house.tick()
    house.bitcoin.reorg(1)
    house.bitcoin.mine(CONFIRMATIONS + 2)
    for _ in range(2):
        house.tick()
    assert told(house) == [("dave", 70_000, "credited")]
    house.require_books()


def test_what_was_there_when_the_books_were_opened_is_a_customers_and_counted_once(tmp_path: Path) -> None:
    with a_house(tmp_path, opened=False) as house:
        register(house.store, "dave", NOW)
        place = instruct(house.store, "dave", "deposits", NOW).place
        house.tick()
        house.bitcoin.fund_all([(place.address, 70_000)])
        house.open_books()  # with one confirmation, which is not deep enough for the deposit yet
        house.bitcoin.mine(CONFIRMATIONS + 1)
        house.tick()
        assert told(house) == [("dave", 70_000, "credited")]
        assert owed(house, "dave") == 70_000
        house.require_books()
        assert verify(house.store).ok


def test_an_empty_wallet_that_is_opened_again_counts_what_came_between_once(house: House) -> None:
    place = instruct(house.store, "dave", "deposits", NOW).place
    house.bitcoin.fund_all([(place.address, 70_000)])
    open_wallet(house.store, "deposits", house.gateway, NOW)
    house.bitcoin.mine(CONFIRMATIONS + 1)
    house.tick()
    assert owed(house, "dave") == 70_000
    house.require_books()
    assert verify(house.store).ok


def test_what_comes_before_the_books_are_open_waits_and_hides_nothing_that_was_there(tmp_path: Path) -> None:
    with a_house(tmp_path, opened=False) as house:
        house.bitcoin.fund_all([(house.address("deposits"), 10_000)])  # the exchange's own
        house.bitcoin.mine(CONFIRMATIONS + 1)
        register(house.store, "dave", NOW)
        place = instruct(house.store, "dave", "deposits", NOW).place
        house.tick()
        house.bitcoin.fund_all([(place.address, 70_000)])
        house.bitcoin.mine(CONFIRMATIONS + 1)
        house.tick()
        (one,) = (each for each in deposits(house.store) if each.amount.units == 70_000)
        assert (one.state.value, one.reason) == ("suspense", "the wallet's books are not open for BTC")
        house.open_books()
        house.bitcoin.mine(1)
        house.tick()
        sums = {each.account: each.posted for each in balance_sheet(house.store) if each.asset == one.amount.asset}
        assert sums["wallet:deposits"] == 80_000
        assert sums[f"suspense:{NETWORK}"] == -70_000
        alice, bob = ((Person(name, house.people[name].public), house.people[name].sign) for name in ("alice", "bob"))
        credit(house.store, one.id, "dave", alice, bob, NOW)
        assert owed(house, "dave") == 70_000
        house.require_books()
        assert verify(house.store).ok
