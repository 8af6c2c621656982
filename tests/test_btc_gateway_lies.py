"""A Counterparty node whose compose lies: each of six lies is a refusal that names it, whoever builds.

With `source = "own"` our encoder builds and compose is only compared; with "compose" its bytes are given, once judged.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

import pytest

from online.chains.api import Plan
from online.chains.bitcoin.gateway import connect
from online.devnet.counterparty.faults import Lie
from shared.errors import BadGatewaySettings, ComposeDiffers, EncodingRefused
from tests.btc_gateway_bench import HOT, NETWORK, XCP, Bench, a_bench, friend, pays, plan

SEND = plan(pays(friend(1), 5, XCP, '"order 1"'), kind="counterparty-send")
BATCH = [pays(friend(n), 5 + n, XCP, f'"order {n}"') for n in range(5)]
PAIR = plan(*BATCH, kind="counterparty-mpma")
BARE = plan(*BATCH, kind="counterparty-mpma", encoding="multisig")
SWEEP = plan(kind="counterparty-sweep", destination=friend(2), flags=1, memo='"moved"')
OPTIONS = plan(kind="counterparty-options", options=1)
LIES = {
    "wrong-recipient": f"does not pay|goes to {friend(1)[:5]}",
    "wrong-amount": "does not pay",
    "wrong-memo": "does not pay|sets: ",
    "extra-output": "it pays 0.00001|else is change",
    "fee-to-dust": "to the miner",
    "other-input-first": "which was not given|first input",
}


@pytest.fixture(scope="module", params=["own", "compose"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    with a_bench(source=request.param) as made:
        made.fund(*[200_000] * 6)
        yield made


@pytest.mark.parametrize("wish", [SEND, PAIR, BARE], ids=["send", "pair", "multisig"])
@pytest.mark.parametrize("lie", get_args(Lie))
def test_every_lie_is_caught_and_named(bench: Bench, lie: Lie, wish: Plan) -> None:
    bench.counterparty.lie(lie)
    try:
        with pytest.raises(ComposeDiffers, match=LIES[lie]):
            bench.gateway.build(wish, ())
    finally:
        bench.counterparty.lie(None)


@pytest.mark.parametrize(
    ("wish", "lie"), [(SWEEP, "wrong-recipient"), (SWEEP, "wrong-memo"), (OPTIONS, "wrong-memo")]
)
def test_lies_about_sweeps_and_options_are_caught_too(bench: Bench, wish: Plan, lie: Lie) -> None:
    bench.counterparty.lie(lie)
    try:
        with pytest.raises(ComposeDiffers):
            bench.gateway.build(wish, ())
    finally:
        bench.counterparty.lie(None)


@pytest.mark.parametrize("wish", [SEND, PAIR, BARE, OPTIONS], ids=["send", "pair", "multisig", "options"])
def test_an_honest_node_is_agreed_with_and_what_is_given_happens(bench: Bench, wish: Plan) -> None:
    outcome = bench.run(wish).happened()
    assert outcome.delivered == wish.payments


def test_a_coin_spent_first_by_several_inputs_is_the_same_for_both_encoders(bench: Bench) -> None:
    coins = bench.gateway.account(HOT.address).balance.units
    rich = plan(pays(friend(1), 5, XCP), pays(friend(9), coins - 150_000), kind="counterparty-send")
    assert len(bench.build(rich).effects.claims) > 1


def test_composing_what_compose_can_not_make_is_refused_only_where_it_must_compose(bench: Bench) -> None:
    mixed = plan(
        pays(friend(1), 5, XCP, "hex 00ff"), pays(friend(2), 5, XCP, '"text"'), kind="counterparty-mpma"
    )
    if bench.gateway._settings.source == "own":
        assert bench.build(mixed).effects.payments == mixed.payments
    else:
        with pytest.raises(EncodingRefused):
            bench.build(mixed)


def test_compose_without_a_counterparty_node_is_no_setting() -> None:
    with pytest.raises(BadGatewaySettings):
        connect(NETWORK, {"url": "http://127.0.0.1:1", "source": "compose"})
