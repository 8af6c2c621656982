"""Whether the gateway tells that a mempool takes no Counterparty, and waits for a node that scans for others.

Devnet nodes with the policies of Core, older Core and Knots are asked; `lockgate doctor` is run as a person types it.
Knots' own words are measured in tests/test_btc_gateway_real.py, against a real node.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from online.chains.bitcoin.node import Node
from online.chains.bitcoin.relay import relay_of
from online.devnet.bitcoin import KNOTS, OLDER, BitcoinWorld, Policy, serve_bitcoin
from shared.errors import NodeBusy
from tests.btc_gateway_bench import HOT, NETWORK, Bench, a_bench, friend, login, pays, plan
from tests.cli_house import lockgate


@pytest.fixture
def bench() -> Iterator[Bench]:
    with a_bench() as made:
        yield made


# --- what a mempool takes -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "ways", "refused"),
    [
        (Policy(), "OP_RETURN, envelope, bare multisig", ""),
        (OLDER, "OP_RETURN, envelope, bare multisig", ""),
        (Policy(bare_multisig=False), "OP_RETURN, envelope", "bare multisig (bare-multisig)"),
    ],
)
def test_a_node_that_takes_what_is_built_gives_no_warning(
    bench: Bench, policy: Policy, ways: str, refused: str
) -> None:
    bench.bitcoin.policy = policy
    report = bench.gateway.check()
    (line,) = (line for line in report.lines if "its mempool" in line)
    assert line.partition(": its mempool takes Counterparty by ")[2].split("; ")[0] == ways
    assert line.partition("; it refuses ")[2] == refused
    assert report.warnings == ()


@pytest.mark.parametrize(
    ("policy", "lost"),
    [
        (KNOTS, ["OP_RETURN (tokens-counterparty)", "envelope (bare-datacarrier)"]),
        (Policy(tokens=False), ["OP_RETURN (tokens-counterparty)"]),
        (Policy(bare_data=False), ["envelope (bare-datacarrier)"]),
        (Policy(data_bytes=0), ["OP_RETURN (scriptpubkey)", "envelope (scriptpubkey)"]),
    ],
)
def test_a_node_that_takes_no_counterparty_is_warned_of_by_name(bench: Bench, policy: Policy, lost: list[str]) -> None:
    bench.bitcoin.policy = policy
    warnings = bench.gateway.check().warnings
    assert len(warnings) == len(lost)
    assert all(f"by {way}" in warning for way, warning in zip(lost, warnings, strict=True))


@pytest.mark.parametrize(("other", "warned"), [(Policy(), 0), (Policy(tokens=False), 1), (KNOTS, 2)])
def test_one_node_that_takes_them_is_enough(other: Policy, warned: int) -> None:
    with serve_bitcoin(BitcoinWorld(KNOTS)) as one, serve_bitcoin(BitcoinWorld(other)) as two:
        nodes = [Node(login(server), 5, 5) for server in (one, two)]
        lines, warnings = relay_of(nodes)
        for node in nodes:
            node.close()
    assert [len(lines), len(warnings)] == [2, warned]
    assert "its mempool takes no Counterparty" in lines[0]


def test_without_counterparty_nobody_asks_and_asking_leaves_nothing_behind(bench: Bench) -> None:
    bench.bitcoin.policy = KNOTS
    report = bench.connect().check()
    assert not [line for line in report.lines if "mempool" in line]
    assert report.warnings == ()
    bench.bitcoin.policy = Policy()
    bench.gateway.check()
    assert not bench.bitcoin.mempool.entries


def test_the_doctor_calls_such_a_node_not_as_it_should_be(bench: Bench, tmp_path: Path) -> None:
    home = tmp_path / "home"
    made = lockgate("--home", home, "init", "--network", NETWORK, "--url", login(bench.servers[0]), "--kdf", "light")
    assert made.code == 0, made.err
    config = home / "config.toml"
    config.write_text(f'{config.read_text()}counterparty_url = "{bench.servers[1].url}"\n')
    assert [row["ok"] for row in _nodes(home)] == [True]
    bench.bitcoin.policy = KNOTS
    rows = _nodes(home)
    assert [row["ok"] for row in rows] == [True, False, False]
    assert "tokens-counterparty" in rows[1]["found"]
    assert lockgate("--home", home, "doctor").refused("check-failed")


def _nodes(home: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = lockgate("--home", home, "doctor", "--json").json
    return [row for row in rows if row["check"] == f"node {NETWORK}"]


# --- a node that scans for others ---------------------------------------------------------------------


def test_a_scan_of_somebody_else_is_waited_for(bench: Bench) -> None:
    bench.fund(5_000)
    bench.bitcoin.be_scanned(3)
    assert bench.gateway.account(HOT.address).balance.units == 5_000
    assert bench.bitcoin.faults.busy_scans == 0


def test_a_build_waits_for_a_scan_of_somebody_else(bench: Bench) -> None:
    bench.fund(50_000)
    bench.bitcoin.be_scanned(2)
    assert bench.build(plan(pays(friend(1), 10_000))).effects.payments


def test_a_node_that_scans_for_others_all_the_while_is_refused_by_name_and_in_time(bench: Bench) -> None:
    gateway = bench.connect(scan_timeout_seconds=1)
    bench.bitcoin.be_scanned(1_000_000)
    begun = time.monotonic()
    with pytest.raises(NodeBusy, match="for others for 1 seconds"):
        gateway.account(HOT.address)
    assert time.monotonic() - begun < 3
    assert 2 <= 1_000_000 - bench.bitcoin.faults.busy_scans <= 10
