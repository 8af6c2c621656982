"""The planner on Bitcoin with Counterparty: priming, sweeps of deposit addresses, and fewer coins while fees are low.

Customers pay as strangers do, each proposal is drafted by its own command, signed by the real signer and mined.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from online.customers.register import register
from online.deposits.instructions import instruct
from online.deposits.model import deposits
from online.orders.model import Order
from online.orders.spending import draft_options
from online.treasury.settings import read_settings
from online.treasury.targets import Target, set_target
from shared.errors import BadConfig, UnknownWallet
from shared.money import Asset
from shared.policy import Person
from tests.bitcoin_house import BTC, CARD, COIN, CONFIRMATIONS, NETWORK, NOW, XCP, House, a_house
from tests.btc_gateway_bench import HOT, pays, plan, signed
from tests.btc_gateway_bench import register as decimals_of
from tests.house_app import Shell, shell_of

LEAST = {"BTC": "0.002", "XCP": "1"}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Dave and edward have an address each, and a stranger has coins and XCP; XCP goes to the holding wallet."""
    with a_house(tmp_path) as found:
        for name in ("dave", "edward"):
            register(found.store, name, NOW)
            instruct(found.store, name, "deposits", NOW)
        found.bitcoin.fund_all([(HOT.address, 10**7)] * 6)
        found.counterparty.credit(HOT.address, "XCP", 1_000 * COIN)
        found.tick()
        band(found, "holding", XCP, 0, 0, 10_000 * COIN)
        yield found


def band(house: House, wallet: str, asset: Asset, low: int, aim: int, high: int) -> None:
    alice = house.people["alice"]
    wanted = Target(wallet, asset, low, aim, high)
    set_target(house.store, wanted, person=Person("alice", alice.public), sign=alice.sign, now=house.now)


def deposit(house: House, index: int, units: int, asset: Asset = XCP) -> None:
    """Let the stranger pay to a customer's address."""
    kind = "payment" if asset == BTC else "counterparty-send"
    wish = plan(pays(house.address("deposits", index + 1), units, asset), kind=kind)
    done = signed(house.gateway.build(wish, ()), decimals_of(wish))
    assert house.gateway.submit(done.blob).kind == "accepted"
    house.bitcoin.mine(CONFIRMATIONS)
    house.tick()


def carried_out(house: House, shell: Shell) -> Order:
    """Draft the one proposal by its own command, and let it be approved, signed and mined; meanwhile none is made."""
    order = shell.drafted(shell.only()["command"])
    assert shell.advice() == []
    house.approved(order)
    house.cross()
    house.tick()
    assert shell.advice() == []
    house.bitcoin.mine(CONFIRMATIONS)
    house.tick()
    assert set(house.states()) == {"final"}
    house.require_books()
    return order


def test_assets_at_a_customers_address_are_primed_then_swept_and_each_is_proposed_once(house: House) -> None:
    deposit(house, 0, 5 * COIN)
    shell = shell_of(house, plan_sweep=LEAST)
    one = shell.only()
    assert (one["what"], one["from"], one["to"], one["amount"]["text"]) == ("prime", "cold", "deposits", "0.0005 BTC")
    assert one["why"] == "less than 0.0005 BTC lies at 1 address of deposits, to send what comes there"
    order = shell.drafted(one["command"])
    assert shell.advice() == []
    house.approved(order)
    house.cross()
    house.settle()
    one = shell.only()
    assert (one["what"], one["from"], one["to"], one["amount"]["text"]) == ("sweep", "deposits", "holding", "5 XCP")
    assert one["why"] == "1 XCP or more lies at 1 address of deposits"
    carried_out(house, shell)
    assert house.held(house.address("holding")) == 5 * COIN
    assert ("dave", "credited") in [(one.customer, one.state.value) for one in deposits(house.store)]
    assert shell.advice() == []


def test_a_sweep_to_a_wallet_that_demands_memos_has_one(house: House) -> None:
    house.fund(COIN, wallet="holding")
    house.fund(10**6, wallet="deposits", index=1)
    house.approved(draft_options(house.store, house.asking(), wallet="holding", demanded=True))
    house.cross()
    house.settle()
    deposit(house, 0, 5 * COIN)
    shell = shell_of(house, plan_sweep=LEAST)
    one = shell.only()
    assert " --memo sweep " in one["command"]
    house.approved(shell.drafted(one["command"]))
    house.cross()
    house.settle()
    assert house.states() == ["final", "final"]
    assert house.held(house.address("holding")) == 5 * COIN


def test_what_is_not_worth_its_fee_is_neither_primed_nor_swept(house: House) -> None:
    deposit(house, 0, COIN - 1)
    shell = shell_of(house, plan_sweep=LEAST)
    assert shell.advice() == []
    deposit(house, 0, 1)
    assert shell.only()["what"] == "prime"


def test_an_asset_of_which_nobody_says_what_is_worth_a_sweep_is_named_and_left(house: House) -> None:
    deposit(house, 0, 5 * COIN)
    shell = shell_of(house)
    assert shell.advice() == []
    assert any("XCP lies at 1 address of deposits: plan_sweep does not say" in line for line in shell.notes())


def test_what_no_wallet_has_a_target_for_is_named_and_left(house: House) -> None:
    deposit(house, 1, 10**6, BTC)
    shell = shell_of(house, plan_sweep=LEAST)
    assert shell.advice() == []
    assert any("BTC lies at 1 address of deposits: no other wallet has a target" in line for line in shell.notes())


def test_bitcoins_are_swept_from_the_addresses_where_no_asset_needs_them(house: House) -> None:
    band(house, "holding", BTC, 0, 0, 100 * COIN)
    deposit(house, 0, 2 * COIN)
    deposit(house, 0, 10**6, BTC)
    deposit(house, 1, 10**6, BTC)
    shell = shell_of(house, plan_sweep=LEAST)
    first, second = shell.advice()
    assert (first["what"], first["amount"]["text"]) == ("sweep", "2 XCP")
    assert (second["what"], second["amount"]["text"]) == ("sweep", "0.0095 BTC")
    assert house.address("deposits", 1) in first["command"]
    assert house.address("deposits", 1) not in second["command"]
    for one in (first, second):
        shell.drafted(one["command"])
        assert one["command"] not in str(shell.advice())
    assert shell.advice() == []


def test_bitcoins_stay_where_an_asset_waits_that_is_worth_a_sweep(house: House) -> None:
    band(house, "holding", BTC, 0, 0, 100 * COIN)
    band(house, "deposits", XCP, 0, 0, 5 * COIN)
    deposit(house, 0, 2 * COIN)
    deposit(house, 0, 10**6, BTC)
    assert shell_of(house, plan_sweep=LEAST).advice() == []
    assert shell_of(house, plan_sweep={**LEAST, "XCP": "3"}).only()["amount"]["asset"] == "BTC"


def test_a_deposit_wallet_with_a_band_is_swept_above_it_alone(house: House) -> None:
    house.fund(10**6, wallet="deposits", index=1)
    deposit(house, 0, 5 * COIN)
    band(house, "deposits", XCP, 0, 0, 5 * COIN)
    shell = shell_of(house, plan_sweep=LEAST)
    assert shell.advice() == []
    deposit(house, 0, 1)
    assert shell.only()["what"] == "sweep"


def test_every_address_that_was_given_out_is_primed_where_the_settings_say_so(house: House) -> None:
    shell = shell_of(house, plan_sweep=LEAST, plan_prime_given=True)
    one = shell.only()
    assert one["amount"]["text"] == "0.001 BTC"
    assert one["command"].count("--at") == 2
    order = carried_out(house, shell)
    assert {line.destination.address for line in order.lines} == {house.address("deposits", at) for at in (1, 2)}
    shared = instruct(house.store, "dave", "holding", NOW, memo=True).place
    one = shell.only()
    assert f"--for-memo holding --at {shared.address}" in one["command"]


def test_an_order_names_addresses_of_its_own_wallet_alone(house: House) -> None:
    shell = shell_of(house)
    stranger = house.address("cold")
    for words in (
        ("prime", "--wallet", "cold", "--for", "deposits", "--at", stranger, "--as", "alice"),
        ("sweep", "--wallet", "deposits", "--to", stranger, "--at", stranger, "--as", "alice"),
        ("sweep", "--wallet", "deposits", "--to", stranger, "--at", stranger, "--asset", "XCP", "--as", "alice"),
    ):
        with pytest.raises(UnknownWallet):
            shell(*words)


def test_many_coins_become_one_while_fees_are_low(house: House) -> None:
    house.bitcoin.fund_all([(house.address("holding"), 20_000 + number) for number in range(6)])
    house.require_difference(sum(20_000 + number for number in range(6)), wallet="holding")
    section = {"plan_coins": 5, "plan_rate": "2"}
    house.bitcoin.estimated_sats_per_kvb = 2_001
    assert shell_of(house, **section).advice() == []
    house.bitcoin.estimated_sats_per_kvb = 1_500
    shell = shell_of(house, **section)
    one = shell.only()
    where = house.address("holding")
    assert one["why"] == f"6 coins lie at {where}, more than 5; the fee rate is 1.5, at most 2"
    order = shell.drafted(one["command"])
    assert shell.advice() == []
    house.approved(order)
    house.cross()
    house.tick()
    assert shell.advice() == []
    house.settle()
    assert house.states() == ["final"]
    assert house.gateway.free_coins([where], (), 1_500) == (2,)
    assert shell.advice() == []


def test_coins_that_are_not_worth_their_fee_are_not_counted(house: House) -> None:
    house.bitcoin.fund_all([(house.address("holding"), 600)] * 6)
    house.bitcoin.estimated_sats_per_kvb = 10_000
    assert shell_of(house, plan_coins=5, plan_rate="10").advice() == []


def test_a_wallet_that_should_hold_nothing_is_emptied_by_one_order(house: House) -> None:
    house.fund(COIN, index=1)
    band(house, "cold", BTC, 0, 0, COIN)
    band(house, "holding", BTC, 0, 0, 100 * COIN)
    one = shell_of(house).only()
    assert (one["what"], one["from"], one["to"]) == ("sweep", "cold", "holding")
    assert one["command"].count("--at") == 2


def test_a_silent_node_only_means_that_nothing_which_needs_it_is_proposed(house: House) -> None:
    deposit(house, 0, 5 * COIN)
    band(house, "cold", BTC, 0, COIN, 2 * COIN)
    band(house, "holding", BTC, 0, COIN, 10 * COIN)
    shell = shell_of(house, plan_sweep=LEAST)
    assert sorted(one["what"] for one in shell.advice()) == ["prime", "rebalance", "rebalance"]
    house.gateway._nodes[0]._rpc._url = "http://127.0.0.1:1"
    assert {one["what"] for one in shell.advice()} == {"rebalance"}
    (line,) = shell.notes()
    assert "nothing that needs its ledger is proposed" in line


@pytest.mark.parametrize(
    "section",
    [
        {"plan_coins": 5}, {"plan_rate": "2"}, {"plan_coins": 1, "plan_rate": "2"},
        {"plan_coins": True, "plan_rate": "2"},
        {"plan_coins": 5, "plan_rate": 2.0}, {"plan_sweep": "1"}, {"plan_sweep": {"XCP": 1}},
        {"plan_prime_given": "yes"}, {"plan_tickets": {"cold": [1, 2]}},
    ],
)  # fmt: skip
def test_settings_that_are_none_are_refused(section: dict[str, object]) -> None:
    with pytest.raises(BadConfig):
        read_settings(NETWORK, section, {})


@pytest.mark.parametrize("sweep", [{"XPC": "1"}, {"XCP": "1.123456789"}, {"XCP": "-1"}])
def test_a_sweep_of_what_nobody_noted_or_of_no_amount_is_said(house: House, sweep: dict[str, str]) -> None:
    (line,) = shell_of(house, plan_sweep=sweep).notes()
    assert "plan_sweep" in line
    assert "[bad-config]" in line


def test_what_addresses_were_primed_with_is_never_worth_a_sweep(house: House) -> None:
    shell = shell_of(house, plan_sweep={"BTC": "0.001"})  # what addresses with memos are primed with
    assert shell.advice() == []
    (line,) = shell.notes()
    assert "[bad-config]" in line
    assert CARD.code not in line
