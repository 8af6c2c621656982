"""The planner on NEAR: tokens on customers' accounts are primed and swept, NEAR is swept, each by its own command."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from online.customers.register import register
from online.deposits.instructions import instruct
from online.orders.spending import draft_send
from online.treasury.targets import Target, set_target
from shared.effects import Destination
from shared.money import Asset
from shared.policy import Person
from tests.both_machines import NOW
from tests.house_app import Shell, shell_of
from tests.near_desk import NearHouse, a_near_house, usdt
from tests.near_gateway_bench import ASSET, TOKEN, UNIT

LEAST = {"NEAR": "1", TOKEN.code: "2"}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[NearHouse]:
    """Dave and edward have an account each of the deposit wallet's four; what they bring goes to the hot wallet."""
    with a_near_house(tmp_path) as found:
        for name in ("dave", "edward"):
            register(found.store, name, NOW)
            instruct(found.store, name, "deposits", NOW)
        found.world.fund(found.address("hot"), 20 * UNIT)
        found.tick()
        for asset in (ASSET, TOKEN):
            band(found, "hot", asset, 0, 0, 10**6 * 10**asset.decimals)
        yield found


def band(house: NearHouse, wallet: str, asset: Asset, low: int, aim: int, high: int) -> None:
    alice = house.people["alice"]
    wanted = Target(wallet, asset, low, aim, high)
    set_target(house.store, wanted, person=Person("alice", alice.public), sign=alice.sign, now=house.now)


def tokens_come(house: NearHouse, index: int, cents: int) -> None:
    """Let the house's own cold wallet pay tokens to a customer's account."""
    payment = (Destination(house.address("deposits", index + 1)), usdt(cents))
    house.approved(draft_send(house.store, house.asking(), wallet="cold", payment=payment))
    house.cross()
    house.settle()


def carried_out(house: NearHouse, shell: Shell, command: str) -> None:
    """Draft a proposal by its own command, and let it be approved, signed and settled; nobody proposes it meanwhile."""
    order = shell.drafted(command)
    assert command not in str(shell.advice())
    house.approved(order)
    house.cross()
    house.settle()
    assert set(house.states()) == {"final"}


def test_tokens_on_a_customers_account_are_primed_then_swept(house: NearHouse) -> None:
    tokens_come(house, 0, 500)
    tokens_come(house, 1, 199)  # is not worth a sweep
    shell = shell_of(house, plan_sweep=LEAST)
    one = shell.only()
    assert (one["what"], one["from"], one["to"], one["amount"]["text"]) == ("prime", "cold", "deposits", "0.06 NEAR")
    carried_out(house, shell, one["command"])
    one = shell.only()
    assert (one["what"], one["from"], one["to"], one["amount"]["text"]) == ("sweep", "deposits", "hot", "5 usdt.tokens")
    assert one["command"].count("--at") == 1
    carried_out(house, shell, one["command"])
    assert house.world.token_balance(TOKEN.code, house.address("hot")) == 5 * 10**6
    assert shell.advice() == []


def test_near_is_swept_from_where_no_token_needs_it(house: NearHouse) -> None:
    for index in range(2):
        house.world.fund(house.address("deposits", index + 1), 3 * UNIT)
    house.world.advance(3)
    house.tick()
    tokens_come(house, 1, 500)
    shell = shell_of(house, plan_sweep=LEAST)
    found = {one["amount"]["asset"]: one for one in shell.advice()}
    assert set(found) == {"NEAR", TOKEN.code}
    dave, edward = house.address("deposits", 1), house.address("deposits", 2)
    assert (dave in found["NEAR"]["command"], edward in found["NEAR"]["command"]) == (True, False)
    assert edward in found[TOKEN.code]["command"]
    carried_out(house, shell, found["NEAR"]["command"])
    assert house.world.balance(dave) < UNIT
    assert [one["amount"]["asset"] for one in shell.advice()] == [TOKEN.code]


def test_what_a_live_order_spends_from_is_left_alone_until_it_ended(house: NearHouse) -> None:
    house.world.fund(house.address("deposits", 1), 3 * UNIT)
    house.world.advance(3)
    house.tick()
    shell = shell_of(house, plan_sweep=LEAST)
    shell.drafted(shell.only()["command"])
    tokens_come(house, 0, 500)
    assert shell.advice() == []
