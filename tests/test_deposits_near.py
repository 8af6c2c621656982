"""Deposits on NEAR: implicit accounts from a card's pool, NEAR and tokens, credited from final receipts alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from online.audit import verify
from online.cli import checks
from online.customers.register import register
from online.demo.strangers import NearStranger
from online.deposits import known
from online.deposits.instructions import Pool, instruct, low_pools
from online.deposits.model import deposits
from online.jobs.loop import tick
from online.ledger.books import balance_sheet, open_wallet
from online.orders.spending import draft_send
from online.store.assets import add_asset
from shared.effects import Destination
from shared.errors import NoSuchPlace, PoolDry
from shared.money import Amount, Asset
from tests.both_machines import NOW
from tests.house_app import shell_of
from tests.near_desk import NearHouse, a_near_house, usdt
from tests.near_gateway_bench import NETWORK, TOKEN, UNIT


@pytest.fixture
def house(tmp_path: Path) -> Iterator[NearHouse]:
    """Dave and edward have an account each of the deposit wallet's five; everything before was read."""
    with a_near_house(tmp_path) as found:
        for name in ("dave", "edward"):
            register(found.store, name, NOW)
            instruct(found.store, name, "deposits", NOW)
        found.tick()
        yield found


def told(house: NearHouse) -> list[tuple[str | None, str, str]]:
    return [(one.customer, str(one.amount), one.state.value) for one in deposits(house.store)]


def owed(house: NearHouse, customer: str) -> dict[str, int]:
    mine = [one for one in balance_sheet(house.store) if one.account == f"customer:{customer}"]
    return {one.asset.code: -one.posted for one in mine}


def test_each_customer_has_an_account_of_the_pool_and_it_says_before_it_runs_dry(house: NearHouse) -> None:
    first, second = (instruct(house.store, name, "deposits", NOW) for name in ("dave", "edward"))
    assert [first.place.address, second.place.address] == [house.address("deposits", index) for index in (1, 2)]
    assert first.warning == "2 of 4 addresses of deposits are left for customers: let it have more"
    for _ in range(2):
        instruct(house.store, "dave", "deposits", NOW, new=True)
    with pytest.raises(PoolDry):
        instruct(house.store, "dave", "deposits", NOW, new=True)
    with pytest.raises(NoSuchPlace):
        instruct(house.store, "dave", "deposits", NOW, tag=7)


def test_a_pool_that_runs_dry_is_told_to_programs_by_the_loop_once_and_by_the_doctor(house: NearHouse) -> None:
    shell, text = shell_of(house), "2 of 4 addresses of deposits are left for customers: let it have more"
    told = json.loads(shell.printed("deposit", "address", "dave", "--wallet", "deposits", "--json"))
    assert told["warning"] == text
    assert json.loads(shell.printed("run", "--once", "--json"))["warnings"] == [text]
    with house.store.reading() as connection:
        assert low_pools(connection) == (Pool("deposits", 2, 4),)
    assert [(one.name, one.ok, one.text) for one in checks._pools(shell.app)] == [("addresses deposits", False, text)]


def test_near_is_credited_once_it_is_final_and_once_only(house: NearHouse) -> None:
    house.world.fund(house.address("deposits", 1), 7 * UNIT)
    for _ in range(4):
        house.world.advance(3)
        house.tick()
    assert told(house) == [("dave", "7 NEAR", "credited")]
    assert owed(house, "dave") == {"NEAR": 7 * UNIT}
    assert verify(house.store).ok


def test_tokens_that_our_own_job_brings_are_no_deposit(house: NearHouse) -> None:
    to = Destination(house.address("deposits", 2), memo="from treasury")
    house.approved(draft_send(house.store, house.asking(), wallet="cold", payment=(to, usdt(900))))
    house.cross()
    house.settle()
    house.world.advance(5)
    house.tick()
    assert [row[2] for row in told(house)] == ["own", "refund"]  # the gas that was too much came back
    assert owed(house, "edward") == {}
    house.require_books()


def test_an_account_that_nobody_was_given_waits_in_suspense(house: NearHouse) -> None:
    house.world.fund(house.address("deposits", 4), 2 * UNIT)
    house.world.advance(5)
    house.tick()
    (one,) = deposits(house.store)
    assert (one.state.value, one.reason) == ("suspense", "no customer has this address")


# --- tokens of strangers ------------------------------------------------------------------------------


def junk(house: NearHouse, customer: str, units: int, code: str = "junk.tokens") -> None:
    """Let somebody send a token of their own to a customer's account, and take it in."""
    to = instruct(house.store, customer, "deposits", NOW).place
    payer = NearStranger(house.world, f"payer.{code}", 10)
    if not house.world.exists(code):
        house.world.deploy_token(code, 24, payer.address, 10**30)
    house.world.register(code, to.address)
    payer.send(Asset(NETWORK, code, 24), units, to)


def test_a_token_that_nobody_noted_waits_in_base_units_and_disturbs_no_books(house: NearHouse) -> None:
    junk(house, "dave", 5 * 10**24)
    house.tick()
    (one,) = deposits(house.store)
    assert (one.amount, one.state.value, one.reason) == (
        Amount(Asset(NETWORK, "junk.tokens", 0), 5 * 10**24), "suspense", "junk.tokens is not noted here",
    )  # fmt: skip
    assert owed(house, "dave") == {}
    house.require_books()
    assert verify(house.store).ok


def test_what_a_customer_sent_before_its_token_was_noted_waits_for_two_people_once_the_books_have_it(
    house: NearHouse,
) -> None:
    junk(house, "dave", 5)
    house.tick()
    add_asset(house.store, NETWORK, "junk.tokens", 24, NOW)
    open_wallet(house.store, "deposits", house.gateway, NOW)
    house.tick()
    sums = {one.account: one.posted for one in balance_sheet(house.store) if one.asset.code == "junk.tokens"}
    assert {account: units for account, units in sums.items() if units} == {
        "wallet:deposits": 5, f"suspense:{NETWORK}": -5,
    }  # fmt: skip
    junk(house, "dave", 2)
    house.tick()
    assert [row[2] for row in told(house)] == ["suspense", "credited"]
    house.require_books()
    assert verify(house.store).ok


def test_only_so_much_of_what_nobody_noted_is_kept(house: NearHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known, "STRANGE_OF_ONE", 2)
    monkeypatch.setattr(known, "STRANGE_OF_ALL", 3)
    junk(house, "dave", 1)
    for code in ("junk.tokens", "junk.tokens", "worse.tokens", "worst.tokens"):
        junk(house, "dave", 1, code)
    house.world.fund(house.address("deposits", 1), 7 * UNIT)
    house.world.advance(5)
    troubles = tick(house.store, house.gateways, NOW).troubles
    assert troubles == (
        f"2 arrivals on {NETWORK} of assets that nobody noted were not kept: too many of them wait already",
    )
    assert sorted(one.amount.asset.code for one in deposits(house.store)) == [
        "NEAR", "junk.tokens", "junk.tokens", "worse.tokens",
    ]  # fmt: skip
    house.tick()
    assert owed(house, "dave") == {"NEAR": 7 * UNIT}


# --- a memo for each ----------------------------------------------------------------------------------


def shared(house: NearHouse, customer: str) -> Destination:
    """Give a customer a memo at the account that customers share, and let the token know that account."""
    place = instruct(house.store, customer, "hot", NOW, memo=True).place
    house.world.register(TOKEN.code, place.address)
    house.tick()
    return place


def sends(house: NearHouse, cents: int, to: Destination) -> None:
    """Let somebody with tokens of their own send some."""
    payer = NearStranger(house.world, "somebody", 10)
    house.world.give(TOKEN.code, {payer.address: usdt(cents).units})
    payer.send(TOKEN, usdt(cents).units, to)
    house.tick()


def test_customers_share_an_account_for_tokens_and_are_told_apart_by_memos(house: NearHouse) -> None:
    first, second = shared(house, "dave"), shared(house, "edward")
    assert first.address == second.address == house.address("hot")
    assert first.memo != second.memo
    assert len(first.memo or "") == 16
    sends(house, 900, second)
    assert told(house) == [("edward", "9 usdt.tokens", "credited")]
    assert owed(house, "edward") == {TOKEN.code: usdt(900).units}
    house.require_books()
    assert verify(house.store).ok


@pytest.mark.parametrize("memo", [None, "dave", "ffffffffffffffff"])
def test_tokens_with_a_wrong_memo_or_none_wait_in_suspense(house: NearHouse, memo: str | None) -> None:
    sends(house, 900, Destination(shared(house, "dave").address, memo=memo))
    assert told(house) == [(None, "9 usdt.tokens", "suspense")]
    assert owed(house, "dave") == {}
    house.require_books()


def test_a_memo_is_good_for_one_transaction_and_its_customer_gets_another(house: NearHouse) -> None:
    place = shared(house, "dave")
    for cents in (900, 800):
        sends(house, cents, place)
    assert told(house) == [("dave", "9 usdt.tokens", "credited"), (None, "8 usdt.tokens", "suspense")]
    assert deposits(house.store)[1].reason == "its memo came with an earlier deposit"
    assert shared(house, "dave").memo != place.memo
    house.require_books()


def test_near_itself_at_an_account_that_customers_share_is_nobodys(house: NearHouse) -> None:
    house.world.fund(shared(house, "dave").address, 3 * UNIT)
    house.world.advance(5)
    house.tick()
    assert told(house) == [(None, "3 NEAR", "suspense")]
