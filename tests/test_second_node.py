"""What one node alone tells of deposits is believed up to a sum; above it the second node must tell the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from online.chains.agreed import agreed
from online.chains.api import Arrival, Arrivals
from online.chains.bitcoin import gateway as bitcoin
from online.chains.bitcoin.settings import read_settings as read_bitcoin
from online.chains.near import gateway as near
from online.chains.near.settings import read_settings as read_near
from online.chains.xrpl import gateway as xrpl
from online.chains.xrpl.answers import Found
from online.chains.xrpl.settings import read_settings as read_xrpl
from online.customers.register import register
from online.demo.strangers import Stranger
from online.deposits.instructions import instruct
from online.deposits.model import deposits
from online.devnet.counterparty import CounterpartyWorld, serve_counterparty
from online.devnet.near import serve_near
from online.jobs.loop import tick
from shared.effects import Destination
from shared.errors import BadGatewaySettings, NodesDisagree
from shared.money import Amount, Asset
from tests.bitcoin_house import CONFIRMATIONS, XCP, a_house
from tests.both_machines import NOW, BothMachines
from tests.btc_gateway_bench import HOT, pays, plan, signed
from tests.btc_gateway_bench import register as decimals_of
from tests.near_desk import a_near_house
from tests.near_gateway_bench import UNIT
from tests.xrpl_house import XrplHouse, an_xrpl_house, xrp

COIN_XCP = 10**8
COIN, OTHER = Asset("toy:net", "COIN", 2), Asset("toy:net", "OTHER", 0)


def came(units: int, key: str = "a", *, asset: Asset = COIN, to: str = "here", refund: bool = False) -> Arrival:
    return Arrival(key, f"tx {key}", 7, "there", Destination(to), Amount(asset, units), refund)


def told(*found: Arrival) -> Arrivals:
    return Arrivals(found, "7 hash", 7)


def never() -> Arrivals:
    raise AssertionError("the second node was asked")


# --- the rule ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "found",
    [
        told(),
        told(came(1000)),
        told(came(400), came(600, "b")),
        told(came(9000, refund=True)),
        told(came(9000, asset=OTHER)),
    ],
    ids=["nothing", "the sum itself", "several within it", "given back by the ledger", "an asset without a sum"],
)
def test_up_to_the_sum_one_node_is_believed(found: Arrivals) -> None:
    assert agreed(found, [COIN, OTHER], {"COIN": "10"}, never) is found


def test_above_the_sum_the_second_node_must_tell_the_same() -> None:
    found = told(came(1001), came(3, "b", asset=OTHER))
    assert agreed(found, [COIN, OTHER], {"COIN": "10"}, lambda: told(came(1001))) is found


@pytest.mark.parametrize(
    "second",
    [told(), told(came(1000)), told(came(1001, to="elsewhere")), told(came(1001, "b")), told(came(1001, asset=OTHER))],
    ids=["nothing", "another amount", "another place", "another arrival", "another asset"],
)
def test_what_the_second_node_does_not_tell_is_not_believed(second: Arrivals) -> None:
    with pytest.raises(NodesDisagree, match=r"does not tell of 10\.01 COIN to here by tx a"):
        agreed(told(came(1001)), [COIN], {"COIN": "10"}, lambda: second)


@pytest.mark.parametrize(("height", "passes"), [(6, True), (7, False)], ids=["behind", "as far"])
def test_a_second_node_that_has_not_read_so_far_is_waited_for(height: int, *, passes: bool) -> None:
    with pytest.raises(NodesDisagree) as refusal:
        agreed(told(came(1001)), [COIN], {"COIN": "10"}, lambda: Arrivals((), "c", height))
    assert refusal.value.passes is passes


def test_many_small_deposits_are_one_large_sum() -> None:
    with pytest.raises(NodesDisagree):
        agreed(told(came(600), came(600, "b")), [COIN], {"COIN": "10"}, lambda: told(came(600)))


def test_a_deep_reorganisation_is_believed_when_both_tell_of_it_whatever_the_sums() -> None:
    found = replace(told(came(1)), rewound=5)
    assert agreed(found, [COIN], {}, lambda: replace(told(), rewound=5)) is found
    for rewound in (None, 4):
        with pytest.raises(NodesDisagree, match="deep reorganisation"):
            agreed(found, [COIN], {}, partial(replace, told(came(1)), rewound=rewound))


def test_a_sum_of_nothing_asks_for_every_deposit() -> None:
    with pytest.raises(NodesDisagree):
        agreed(told(came(1)), [COIN], {"COIN": "0"}, told)


def test_a_sum_with_more_decimals_than_its_asset_is_refused() -> None:
    with pytest.raises(BadGatewaySettings, match="2 decimals"):
        agreed(told(came(1)), [COIN], {"COIN": "0.001"}, never)


# --- the settings -----------------------------------------------------------------------------------


@pytest.mark.parametrize("read", [read_xrpl, read_near, lambda values: read_bitcoin("bitcoin:regtest", values)])
@pytest.mark.parametrize("above", [{"XRP": 5}, {"XRP": "-5"}, {"XRP": "5,0"}, {"XRP": ""}, "10000", {"XRP": "٣"}])
def test_a_sum_is_whole_coins_as_a_text(read: Callable[[dict[str, Any]], object], above: object) -> None:
    values = {"url": "http://127.0.0.1:1", "second_url": "http://127.0.0.1:2", "second_above": above}
    with pytest.raises(BadGatewaySettings, match="second_above"):
        read(values)


@pytest.mark.parametrize("read", [read_xrpl, read_near, lambda values: read_bitcoin("bitcoin:regtest", values)])
def test_a_sum_needs_a_second_node(read: Callable[[dict[str, Any]], object]) -> None:
    with pytest.raises(BadGatewaySettings, match="second_url"):
        read({"url": "http://127.0.0.1:1", "second_above": {"XRP": "1"}})


def test_a_sum_of_an_asset_on_bitcoin_needs_a_second_counterparty_node() -> None:
    values: dict[str, Any] = {"url": "http://127.0.0.1:1", "second_url": "http://127.0.0.1:2"}
    read_bitcoin("bitcoin:regtest", {**values, "second_above": {"BTC": "1"}})
    with pytest.raises(BadGatewaySettings, match="second_counterparty_url"):
        read_bitcoin("bitcoin:regtest", {**values, "second_above": {"BTC": "1", "XCP": "1"}})


# --- on the ledgers ---------------------------------------------------------------------------------


@pytest.fixture
def house(tmp_path: Path) -> Iterator[XrplHouse]:
    """Dave has a tag on the cold wallet's address; everything before was read."""
    with an_xrpl_house(tmp_path) as found:
        url = found.gateway._settings.url
        found.gateway = xrpl.connect(found.network, {"url": url, "second_url": url, "second_above": {"XRP": "100"}})
        place_of_dave(found, "cold")
        yield found
        found.gateway.close()


def place_of_dave(house: BothMachines, wallet: str) -> Destination:
    register(house.store, "dave", NOW)
    place = instruct(house.store, "dave", wallet, NOW).place
    house.tick()
    return place


def credited(house: BothMachines) -> list[str]:
    return [f"{one.amount} {one.state.value}" for one in deposits(house.store)]


def troubles(house: BothMachines) -> list[str]:
    return [text.rpartition("[")[2] for text in tick(house.store, house.gateways, NOW).troubles]


def test_a_node_that_tells_of_more_than_came_has_nothing_credited_and_the_truth_is_once(
    house: XrplHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger, first = Stranger(house.world, 1_000), house.gateway._nodes[0]
    honest = first.history

    def lying(address: str, low: int, high: int) -> Iterator[Found]:
        for one in honest(address, low, high):
            yield replace(one, meta={**one.meta, "delivered_amount": "900000000"})

    monkeypatch.setattr(first, "history", lying)
    stranger.pay(house.address("cold"), xrp(30).units, 1)
    assert troubles(house) == ["nodes-disagree]"]
    assert credited(house) == []
    monkeypatch.setattr(first, "history", honest)
    for _ in range(2):
        house.tick()
    assert credited(house) == ["30 XRP credited"]
    house.require_books()


def test_a_large_deposit_on_the_xrp_ledger_is_credited_when_both_nodes_tell_of_it(house: XrplHouse) -> None:
    Stranger(house.world, 1_000).pay(house.address("cold"), xrp(500).units, 1)
    house.tick()
    assert credited(house) == ["500 XRP credited"]


def test_a_second_node_that_is_behind_lets_large_deposits_on_near_wait(tmp_path: Path) -> None:
    with a_near_house(tmp_path) as house:
        place = place_of_dave(house, "deposits")
        behind = house.world.second_node()
        url = house.gateway._settings.url
        with serve_near(behind) as second:
            given = {"url": url, "second_url": second.url, "second_above": {"NEAR": "5"}, "oldest_seconds": 3600}
            house.gateway = near.connect(house.network, given)
            behind.faults.stuck_at = behind.height
            house.world.fund(place.address, 7 * UNIT)
            house.world.advance(5)
            report = tick(house.store, house.gateways, NOW)
            assert (report.troubles, len(report.waits)) == ((), 1)
            assert report.waits[0].endswith("[nodes-disagree]")
            assert credited(house) == []
            behind.faults.stuck_at = None
            house.tick()
            assert credited(house) == ["7 NEAR credited"]
            house.gateway.close()


def test_assets_on_bitcoin_are_told_by_a_second_counterparty_node(tmp_path: Path) -> None:
    with a_house(tmp_path) as house:
        register(house.store, "dave", NOW)
        place = instruct(house.store, "dave", "holding", NOW, memo=True).place
        blind = CounterpartyWorld(house.bitcoin)  # it knows nothing of what the stranger has
        house.counterparty.credit(HOT.address, XCP.code, 10 * COIN_XCP)
        house.bitcoin.fund_all([(HOT.address, 10**7)])
        settings = house.gateway._settings
        with serve_counterparty(blind) as second:
            both = {"second_url": settings.url, "second_counterparty_url": second.url}
            given = {"url": settings.url, "counterparty_url": settings.counterparty_url, "confirmations": CONFIRMATIONS}
            house.gateway = bitcoin.connect(
                house.network, {**given, **both, "fallback_rate": 5_000, "second_above": {"XCP": "5"}}
            )
            assert sum("counterparty-core" in line for line in house.gateway.check().lines) == 2
            house.tick()
            for coins in (5, 4):
                wish = plan(pays(place.address, coins * COIN_XCP, XCP, place.memo), kind="counterparty-send")
                house.gateway.submit(signed(house.gateway.build(wish, ()), decimals_of(wish)).blob)
                house.bitcoin.mine(1)
            house.bitcoin.mine(CONFIRMATIONS)
            assert troubles(house) == ["nodes-disagree]"]
            assert credited(house) == []
            house.gateway.close()
            house.gateway = bitcoin.connect(house.network, {**given, **both, "second_above": {"XCP": "9"}})
            house.tick()
            assert credited(house) == ["5 XCP credited", "4 XCP suspense"]
            house.gateway.close()
