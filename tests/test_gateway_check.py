"""What the gateway demands of its nodes before it is believed, and what it reports of good ones."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from online.chains import connect
from online.devnet.server import serve
from online.devnet.xrpl import XrplWorld, rpc, rpc_server
from online.devnet.xrpl.storage import load_world, save_world
from shared.errors import NodeUnfit, NodeUnreachable
from tests.gateway_bench import COLD, NETWORK, Bench, a_bench


@pytest.fixture
def bench() -> Iterator[Bench]:
    with a_bench(expiry_ledgers=8) as made:
        yield made


def test_a_good_node_is_reported_with_version_height_and_reserves(bench: Bench) -> None:
    bench.world.advance(9)
    report = bench.gateway.check()
    assert (report.network, report.url) == (NETWORK, bench.server.url.rstrip("/"))
    assert report.height == bench.world.validated_index
    assert report.version == rpc_server.BUILD_VERSION
    assert report.lines[0].endswith(f"full, validated ledger {report.height}")
    assert report.lines[1] == "reserve 1000000 + 200000 drops for each owned object"


def test_a_node_with_less_history_than_a_transaction_lives_is_named(bench: Bench) -> None:
    bench.world.advance(3)
    bench.world.forget([1, 2])
    assert any("less history" in line for line in bench.gateway.check().lines)


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (lambda world: world.lie_about(network_id=0), "its network is 0"),
        (lambda world: world.lose_sync(), "'connected'"),
        (lambda world: world.block_amendments(), "amendment blocked"),
        (lambda world: world.forget([7]), "misses some"),
    ],
)
def test_an_unfit_node_is_refused_with_the_reason(
    bench: Bench, trouble: Callable[[XrplWorld], None], words: str
) -> None:
    bench.world.advance(9)
    trouble(bench.world)
    with pytest.raises(NodeUnfit, match=words):
        bench.gateway.check()


def test_a_gap_older_than_any_transaction_lives_does_no_harm(bench: Bench) -> None:
    bench.world.advance(20)
    bench.world.forget([3])
    assert bench.gateway.check().height == bench.world.validated_index


def test_a_stalled_node_is_refused_by_the_age_of_its_ledger(bench: Bench) -> None:
    later = int(time.time()) + 100
    bench.world.clock = lambda: later
    with pytest.raises(NodeUnfit, match="seconds old"):
        bench.gateway.check()


@pytest.mark.parametrize("version", ["1.12.0", "", "soon", "rippled-1.9.4"])
def test_a_node_too_old_for_the_api_is_refused(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    monkeypatch.setattr(rpc_server, "BUILD_VERSION", version)
    with pytest.raises(NodeUnfit, match="below 2"):
        bench.gateway.check()


@pytest.mark.parametrize("version", ["2.0.0", "2.6.1-rc2", "3.3.0-b0", "xrpld-3.3.0", "10.0.0"])
def test_a_node_of_version_two_or_newer_is_taken(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    monkeypatch.setattr(rpc_server, "BUILD_VERSION", version)
    assert bench.gateway.check().version == version


def test_a_node_without_a_dry_run_is_named_and_used_without(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    methods = {name: method for name, method in rpc.METHODS.items() if name != "simulate"}
    monkeypatch.setattr(rpc, "METHODS", methods)
    assert any("no dry run" in line for line in bench.gateway.check().lines)
    assert bench.run(bench.plan()).success


def test_a_node_that_does_not_say_its_network_is_refused(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = rpc.METHODS["server_state"]

    def silent(world: XrplWorld, params: Mapping[str, Any]) -> dict[str, Any]:
        answer = honest(world, params)
        del answer["state"]["network_id"]
        return answer

    monkeypatch.setattr(rpc, "METHODS", {**rpc.METHODS, "server_state": silent})
    with pytest.raises(NodeUnfit, match="None"):
        bench.gateway.check()


# --- the second node ------------------------------------------------------------------------------


def test_a_second_node_on_the_same_history_is_confirmed(bench: Bench, tmp_path: Path) -> None:
    save_world(bench.world, tmp_path / "world")
    with serve(load_world(tmp_path / "world")) as twin:
        bench.world.advance(3)
        report = connect(NETWORK, {**bench.settings, "second_url": twin.url}).check()
    assert report.lines[-1] == f"the second node has the same ledger {bench.world.validated_index - 3}"


def test_a_second_node_on_another_history_is_refused(bench: Bench) -> None:
    other = XrplWorld()
    other.fund(COLD.address, 50_000_000)
    with serve(other) as server, pytest.raises(NodeUnfit, match="do not share one history"):
        connect(NETWORK, {**bench.settings, "second_url": server.url}).check()


def test_an_unfit_second_node_is_refused_as_well(bench: Bench) -> None:
    other = XrplWorld(network_id=21338)
    with serve(other) as server, pytest.raises(NodeUnfit, match="21338"):
        connect(NETWORK, {**bench.settings, "second_url": server.url}).check()


def test_nodes_that_share_no_ledger_cannot_be_compared(bench: Bench) -> None:
    bench.world.advance(12)
    bench.world.forget([2])
    other = XrplWorld()
    other.advance(1)
    with serve(other) as server, pytest.raises(NodeUnfit, match="does not hold ledger 2"):
        connect(NETWORK, {**bench.settings, "second_url": server.url}).check()


def test_a_second_node_that_is_down_is_unreachable(bench: Bench) -> None:
    other = XrplWorld()
    other.go_down()
    with serve(other) as server, pytest.raises(NodeUnreachable):
        connect(NETWORK, {**bench.settings, "second_url": server.url}).check()
