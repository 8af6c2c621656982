"""Dust: deposits below the least one of their asset wait in suspense, on every ledger, and nothing of it is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from online.audit import verify
from online.customers.register import register
from online.demo.strangers import Stranger
from online.deposits.instructions import instruct
from online.deposits.least import leasts, set_least
from online.deposits.model import deposits
from online.deposits.suspense import credit
from online.jobs.loop import tick
from online.store import tables
from shared.errors import BadAmount, UnknownAsset
from shared.money import Amount, Asset
from shared.policy import Person
from tests.bitcoin_house import BTC, CONFIRMATIONS, XCP, a_house
from tests.both_machines import NOW, BothMachines
from tests.btc_gateway_bench import HOT, pays, plan, signed
from tests.btc_gateway_bench import register as decimals_of
from tests.near_desk import a_near_house
from tests.near_gateway_bench import NETWORK as NEAR_NETWORK
from tests.near_gateway_bench import UNIT
from tests.xrpl_house import XRP, an_xrpl_house

NEAR = Asset(NEAR_NETWORK, "NEAR", 24)
DUST = ("suspense", "dust: it is below the least deposit")


def least(house: BothMachines, units: int, asset: Asset) -> None:
    alice = house.people["alice"]
    set_least(house.store, Amount(asset, units), person=Person("alice", alice.public), sign=alice.sign, now=NOW)


def customer(house: BothMachines, wallet: str) -> str:
    register(house.store, "dave", NOW)
    place = instruct(house.store, "dave", wallet, NOW).place
    house.tick()
    return place.address


def told(house: BothMachines) -> dict[int, tuple[str, str]]:
    return {one.amount.units: (one.state.value, one.reason) for one in deposits(house.store)}


def test_dust_on_the_xrp_ledger_waits_and_two_people_credit_it(tmp_path: Path) -> None:
    with an_xrpl_house(tmp_path) as house:
        to = customer(house, "cold")
        least(house, 10, XRP)
        stranger = Stranger(house.world, 1_000)
        for units in (9, 10):
            stranger.pay(to, units, 1)
        house.tick()
        assert told(house) == {9: DUST, 10: ("credited", "")}
        house.require_books()
        dust = next(one for one in deposits(house.store) if one.amount.units == 9)
        alice, bob = ((Person(name, house.people[name].public), house.people[name].sign) for name in ("alice", "bob"))
        credit(house.store, dust.id, "dave", alice, bob, NOW)
        least(house, 0, XRP)
        stranger.pay(to, 1, 1)
        house.tick()
        assert told(house)[1] == ("credited", "")
        assert verify(house.store).problems == ()


def test_dust_of_bitcoins_and_of_assets_is_judged_each_by_its_own_measure(tmp_path: Path) -> None:
    with a_house(tmp_path) as house:
        house.bitcoin.fund_all([(HOT.address, 10**7)] * 4)
        house.counterparty.credit(HOT.address, "XCP", 1_000)
        to = customer(house, "deposits")
        least(house, 5_000, BTC)
        least(house, 100, XCP)
        house.bitcoin.fund_all([(to, 4_999), (to, 5_000)])
        for units in (99, 100):
            wish = plan(pays(to, units, XCP), kind="counterparty-send")
            house.gateway.submit(signed(house.gateway.build(wish, ()), decimals_of(wish)).blob)
            house.bitcoin.mine(CONFIRMATIONS)
        house.tick()
        states = {units: (state, reason) if state == "suspense" else state
                  for units, (state, reason) in told(house).items()}  # fmt: skip
        assert states == {4_999: DUST, 5_000: "credited", 99: DUST, 100: "unswept"}
        assert [str(one) for one in leasts(house.store)] == ["0.00005 BTC", "0.000001 XCP"]
        house.require_books()
        assert verify(house.store).problems == ()


def test_dust_on_near_waits(tmp_path: Path) -> None:
    with a_near_house(tmp_path) as house:
        to = customer(house, "deposits")
        least(house, UNIT, NEAR)
        for units in (UNIT - 1, UNIT):
            house.world.fund(to, units)
        house.world.advance(5)
        house.tick()
        assert told(house) == {UNIT - 1: DUST, UNIT: ("credited", "")}


def test_a_word_that_was_altered_stops_the_reading_and_is_noticed(tmp_path: Path) -> None:
    with an_xrpl_house(tmp_path) as house:
        to = customer(house, "cold")
        least(house, 10, XRP)
        Stranger(house.world, 1_000).pay(to, 50, 1)
        with house.store.engine.begin() as connection:
            (sealed,) = connection.execute(tables.least_deposits.select()).mappings()
            altered = bytes(sealed["sealed"])[:-1] + b"\0"
            connection.execute(tables.least_deposits.update().values(sealed=altered))
        (trouble,) = tick(house.store, house.gateways, NOW).troubles
        assert "deposits on" in trouble
        assert told(house) == {}
        assert any(one.startswith("least_deposits ") for one in verify(house.store).problems)


def test_what_is_no_asset_here_has_no_least_deposit(tmp_path: Path) -> None:
    with an_xrpl_house(tmp_path) as house:
        with pytest.raises(UnknownAsset):
            least(house, 1, Asset(XRP.network, "USD", 2))
        with pytest.raises(BadAmount):
            least(house, 1, Asset(XRP.network, "XRP", 5))
