"""Whether nodes are believed, what settings are taken, and that no url's secret is shown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from online.chains import connect as connect_any
from online.chains.bitcoin.gateway import BitcoinGateway, connect
from online.devnet.bitcoin import BitcoinWorld, rpc_chain, serve_bitcoin
from online.devnet.bitcoin.http import PASSWORD, USER
from shared.errors import (
    AssetsShort,
    BadGatewaySettings,
    CounterpartyNodeMissing,
    NodeAnswerUnreadable,
    NodeRefused,
    NodeUnfit,
    NodeUnreachable,
    Refusal,
    UnknownChain,
    WrongNetwork,
)
from shared.money import Asset
from tests.btc_gateway_bench import CARD, HOT, NETWORK, XCP, Bench, a_bench, friend, login, pays, plan


@pytest.fixture
def bench() -> Iterator[Bench]:
    with a_bench() as made:
        yield made


def test_a_good_node_is_described(bench: Bench) -> None:
    report = bench.gateway.check()
    assert (report.network, report.version, report.height) == (NETWORK, "30.0.0", bench.bitcoin.height)
    assert any("counterparty-core 11.5.0" in line for line in report.lines)


@pytest.mark.parametrize(
    "trouble", ["chain", "download", "headers", "cp network", "cp behind", "cp not ready"]
)
def test_an_unfit_node_is_refused(bench: Bench, trouble: str) -> None:
    troubles: dict[str, Any] = {
        "chain": lambda: bench.bitcoin.lie_about("testnet4"),
        "download": lambda: bench.bitcoin.lag(0),
        "headers": lambda: bench.bitcoin.lag(2, in_download=False),
        "cp network": lambda: bench.counterparty.lie_about("mainnet"),
        "cp behind": lambda: bench.counterparty.fall_behind(1),
        "cp not ready": bench.counterparty.lose_readiness,
    }
    troubles[trouble]()
    with pytest.raises(NodeUnfit):
        bench.gateway.check()


def test_a_node_that_is_too_old_is_refused(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rpc_chain, "VERSION", 279_900)
    with pytest.raises(NodeUnfit, match=r"27\.99\.0"):
        bench.gateway.check()


def test_a_pinned_block_must_be_in_the_nodes_chain(bench: Bench) -> None:
    good = {"pinned_height": 5, "pinned_hash": bench.bitcoin.chain.active[5]}
    bench.connect(**good).check()
    for wrong in ({"pinned_hash": "00" * 32}, {"pinned_height": 10**6}):
        with pytest.raises(NodeUnfit):
            bench.connect(**{**good, **wrong}).check()


def test_nodes_of_different_histories_are_refused(bench: Bench) -> None:
    with serve_bitcoin(BitcoinWorld(clock=lambda: 1_700_000_000)) as other:
        gateway = bench.connect(second_url=login(other))
        with pytest.raises(NodeUnfit, match="one history"):
            gateway.check()


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"url": "ftp://node"},
        {"url": "http://node", "colour": "red"},
        {"url": "http://node", "confirmations": 0},
        {"url": "http://node", "confirmations": True},
        {"url": "http://node", "asset_deposit_confirmations": 0},
        {"url": "http://node", "sweep_confirmations": 0},
        {"url": "http://node", "credit_after_sweep": "no"},
        {"url": "http://node", "source": "both"},
        {"url": "http://node", "pinned_height": 5},
        {"url": "http://node", "pinned_height": 5, "pinned_hash": "AB" * 32},
        {"url": "http://node", "counterparty_url": "node:4000"},
        {"url": "http://node", "cookie_file": 5},
    ],
)
def test_settings_that_are_none_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(BadGatewaySettings):
        connect(NETWORK, values)


def test_the_main_network_wants_a_block_pinned_above_the_fork() -> None:
    for pinned in ({}, {"pinned_height": 961_632, "pinned_hash": "00" * 32}):
        with pytest.raises(BadGatewaySettings):
            connect("bitcoin:mainnet", {"url": "http://node", **pinned})
    connect("bitcoin:mainnet", {"url": "http://node", "pinned_height": 961_633, "pinned_hash": "00" * 32})


def test_the_registry_knows_bitcoin_and_no_other_network_of_it() -> None:
    assert isinstance(connect_any(NETWORK, {"network": NETWORK, "url": "http://node"}), BitcoinGateway)
    with pytest.raises(UnknownChain):
        connect_any("bitcoin:testnet3", {"url": "http://node"})


def test_a_cookie_file_is_read_for_every_request(bench: Bench, tmp_path: Path) -> None:
    cookie = tmp_path / ".cookie"
    gateway = bench.connect(url=bench.servers[0].url, cookie_file=str(cookie))
    with pytest.raises(NodeUnreachable):
        gateway.height()
    cookie.write_text(f"{USER}:{PASSWORD}\n")
    assert gateway.height() == bench.bitcoin.height


def test_no_refusal_shows_a_password(bench: Bench) -> None:
    port = bench.servers[0].url.rpartition(":")[2]
    seen = []
    for where in (f"127.0.0.1:{port}", "127.0.0.1:1", "127.0.0.1:1/sesame", "[::bad"):
        url = f"http://someone:sesame@{where}"
        try:
            bench.connect(url=url, counterparty_url=url).check()
        except Refusal as refusal:
            seen.append(f"{refusal} {refusal!r} {refusal.__cause__!r}")
    assert len(seen) == 4
    assert not [words for words in seen if "sesame" in words]
    assert "sesame" not in repr(connect(NETWORK, {"url": "http://a:sesame@node"})._settings)


def test_a_page_is_no_node(bench: Bench) -> None:
    with pytest.raises(NodeUnreachable):
        bench.connect(url=bench.servers[1].url).check()
    gateway = bench.connect(counterparty_url=bench.servers[0].url)
    with pytest.raises((NodeAnswerUnreadable, NodeRefused)):
        gateway.asset_balance(HOT.address, XCP)


def test_balances_are_read_without_any_wallet(bench: Bench) -> None:
    assert not bench.gateway.account(friend(1)).exists
    bench.fund(5_000, 7_000)
    state = bench.gateway.account(HOT.address)
    assert (state.exists, state.balance.units, state.height) == (True, 12_000, bench.bitcoin.height)
    assert bench.gateway.asset_balance(HOT.address, CARD).units == 10**12
    with pytest.raises(AssetsShort):
        bench.gateway.asset_balance(HOT.address, Asset(NETWORK, "NOSUCHTHING", 8))
    with pytest.raises(WrongNetwork):
        bench.gateway.account("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4")


def test_without_a_counterparty_node_there_are_no_balances_of_assets() -> None:
    with a_bench(counterparty=False) as bench, pytest.raises(CounterpartyNodeMissing):
        bench.gateway.asset_balance(HOT.address, XCP)


def test_a_plan_of_another_network_is_refused(bench: Bench) -> None:
    wish = plan(pays(friend(1), 1_000))
    object.__setattr__(wish, "network", "bitcoin:signet")
    with pytest.raises(WrongNetwork):
        bench.gateway.build(wish, ())
