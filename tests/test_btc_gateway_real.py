"""The gateway against a real bitcoind on regtest: LOCKGATE_BITCOIN_URL names it, with its user and password.

It mines: never point it at anything but a regtest node of its own. The devnet's face is asked the same, so that both
give the gateway the same answers. Counterparty is left out: there is no such node beside it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from online.chains.api import Dead, Final, Outcome, Pending, Plan, Watched
from online.chains.bitcoin.client import Rpc
from online.chains.bitcoin.gateway import BitcoinGateway, connect
from online.chains.bitcoin.relay import relay_of
from online.devnet.bitcoin import BitcoinWorld, serve_bitcoin
from shared.effects import Claim
from shared.errors import NodeUnfit
from tests.btc_gateway_bench import (
    HOT,
    NETWORK,
    Key,
    alone_with,
    friend,
    login,
    pays,
    plan,
    replacing_claims,
    signed,
)

URL = os.environ.get("LOCKGATE_BITCOIN_URL", "")
REAL = pytest.param(
    URL,
    marks=[pytest.mark.real, pytest.mark.skipif(not URL, reason="LOCKGATE_BITCOIN_URL is not set")],
    id="real",
)


@dataclass
class Sent:
    """A signed transaction on its way."""

    node: Node
    tx_id: str
    blob: bytes
    claims: tuple[Claim, ...]
    watched: Watched

    def watch(self) -> Outcome:
        return self.node.gateway.look().watch(self.watched)


@dataclass
class Node:
    """A bitcoind by its RPC alone, and a gateway on it."""

    url: str
    rpc: Rpc
    gateway: BitcoinGateway

    def mine(self, count: int, number: int = 5_000) -> None:
        self.rpc.call("generatetoaddress", count, Key(number).address)

    def send(self, wish: Plan) -> Sent:
        built = self.gateway.build(wish, ())
        done = signed(built, {})
        verdict = self.gateway.submit(done.blob)
        assert verdict.kind == "accepted", verdict
        watched = Watched(done.tx_id, done.blob, built.effects, self.gateway.height())
        return Sent(self, done.tx_id, done.blob, built.effects.claims, watched)


@pytest.fixture(params=["devnet", REAL])
def node(request: pytest.FixtureRequest) -> Iterator[Node]:
    if request.param == "devnet":
        with serve_bitcoin(BitcoinWorld()) as server:
            yield from _node(login(server))
    else:
        with alone_with(request.param):
            yield from _node(request.param)


def _node(url: str) -> Iterator[Node]:
    rpc, gateway = Rpc(url, 60), connect(NETWORK, {"url": url, "confirmations": 3})
    rpc.call("generatetoaddress", 3, HOT.address)
    rpc.call("generatetoaddress", 101, Key(5_000).address)
    yield Node(url, rpc, gateway)
    rpc.close()
    gateway.close()


def test_a_payment_goes_its_way_and_survives_a_reorganisation(node: Node) -> None:
    assert node.gateway.check().network == NETWORK
    before = node.gateway.account(friend(77)).balance.units
    sent = node.send(plan(pays(friend(77), 123_456)))
    assert node.gateway.submit(sent.blob).kind == "known"
    assert isinstance(sent.watch(), Pending)
    node.mine(2)
    assert isinstance(sent.watch(), Pending)
    tip = node.rpc.call("getblockhash", node.gateway.height() - 1)
    node.rpc.call("invalidateblock", tip)
    assert isinstance(sent.watch(), Pending)
    node.mine(3, 5_001)  # to another address, else the same blocks would come again and be called invalid
    outcome = sent.watch()
    assert isinstance(outcome, Final)
    assert outcome.success
    assert node.gateway.account(friend(77)).balance.units == before + 123_456


def test_a_replacement_is_taken_and_the_first_is_dead(node: Node) -> None:
    wish = plan(pays(friend(78), 50_000))
    first = node.send(wish)
    second = node.send(replacing_claims(wish, first.claims, replace=1))
    node.mine(3)
    assert isinstance(second.watch(), Final)
    outcome = first.watch()
    assert isinstance(outcome, Dead)
    assert second.tx_id in outcome.proof


def test_broken_bytes_are_refused_and_a_spent_input_is_later(node: Node) -> None:
    wish = plan(pays(friend(79), 50_000))
    built = node.gateway.build(wish, ())
    done = signed(built, {})
    broken = bytearray(done.blob)
    broken[-60] ^= 1
    assert node.gateway.submit(bytes(broken)).kind == "refused"
    node.send(replacing_claims(wish, built.effects.claims, fee_rate=9_000))
    node.mine(1)
    assert node.gateway.submit(done.blob).kind == "later"


def test_many_who_ask_for_coins_at_once_are_all_answered(node: Node) -> None:
    """A bitcoind makes one scan at a time and refuses the others meanwhile."""
    addresses = [HOT.address, *(friend(number) for number in range(200))]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: node.gateway.accounts(addresses)[0].balance.units, range(24)))
    assert len(set(found)) == 1
    assert found[0] > 0


def test_the_words_of_a_mempool_are_told_without_sending_anything(node: Node) -> None:
    cores, knots = "OP_RETURN, envelope, bare multisig", "OP_RETURN (tokens-counterparty), envelope (bare-datacarrier)"
    lines, warnings = relay_of(node.gateway._nodes)
    is_knots = "Knots" in node.gateway._nodes[0].status().name
    assert ((knots if is_knots else cores) in lines[0], len(warnings)) == (True, 2 if is_knots else 0)
    assert node.rpc.call("getrawmempool") == []


def test_a_node_of_another_network_is_refused(node: Node) -> None:
    gateway = connect("bitcoin:signet", {"url": node.url})
    with pytest.raises(NodeUnfit):
        gateway.check()
    gateway.close()
