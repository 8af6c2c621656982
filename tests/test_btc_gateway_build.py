"""What the Bitcoin gateway builds, on a served devnet: payments, messages in every encoding, and what it refuses.

Every transaction is decoded and signed as a signer would, submitted, mined, and its effect on the devnet looked at.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from online.chains.api import Final, Plan
from online.chains.bitcoin.answers import Status
from online.chains.bitcoin.node import Node
from shared.effects import Claim, Payment
from shared.errors import (
    AssetsShort,
    BadPlan,
    CoinsShort,
    CounterpartyNodeMissing,
    EncodingRefused,
    FeeRateUnknown,
    FeeTooHigh,
    KeyMayNotSign,
    MemoRequired,
    NodeUnfit,
    PaymentIsDust,
    Refusal,
    ReplacementRefused,
    TransactionTooLarge,
)
from tests.btc_gateway_bench import (
    BTC,
    CARD,
    EMPTY,
    HOT,
    NETWORK,
    ROOT,
    SECOND,
    XCP,
    Bench,
    Key,
    a_bench,
    friend,
    login,
    pays,
    plan,
    replacing,
)


@pytest.fixture(scope="module")
def served() -> Iterator[Bench]:
    with a_bench() as made:
        yield made


@pytest.fixture
def bench(served: Bench) -> Bench:
    """Give the served world with nothing waiting, and fresh coins of HOT's."""
    served.counterparty.lie(None)
    served.bitcoin.mine(1)
    return served


def batch(count: int, key: str = HOT.address) -> tuple[Payment, ...]:
    return tuple(pays(friend(n), 100 + n, XCP, f'"order {n}"', key) for n in range(count))


# --- bitcoins -------------------------------------------------------------------------------------


def test_one_transaction_pays_several_people_and_change_comes_first(bench: Bench) -> None:
    bench.fund(1_000_000)
    job = bench.run(plan(pays(friend(1), 20_000), pays(friend(2), 30_000)))
    outcome = job.watch()
    assert isinstance(outcome, Final)
    assert (outcome.success, outcome.fee, outcome.delivered) == (True, job.effects.fee_most, job.effects.payments)
    assert bench.gateway.account(friend(2)).balance.units == 30_000
    assert job.effects.dangers == ()


def test_inputs_of_several_addresses_pay_together_and_the_source_comes_first(bench: Bench) -> None:
    bench.fund(40_000)
    bench.fund(900_000, key=SECOND)
    held = bench.gateway.account(HOT.address).balance.units
    wish = plan(pays(friend(3), held + 200_000))
    wish = replace(wish, inputs=((SECOND.address, SECOND.path, SECOND.public),))
    job = bench.build(wish)
    assert job.effects.source == HOT.address
    assert set(job.built.keys) == {HOT.path, SECOND.path}
    assert job.submit().kind == "accepted"


def test_a_coin_that_another_job_holds_is_not_spent(bench: Bench) -> None:
    bench.fund(50_000, 60_000)
    first = bench.build(plan(pays(friend(4), 10_000)))
    second = bench.build(plan(pays(friend(4), 10_000)), first.effects.claims)
    assert not set(first.effects.claims) & set(second.effects.claims)


def test_a_coin_with_attached_assets_is_never_spent(bench: Bench) -> None:
    (rich,) = bench.fund(5_000_000)
    bench.counterparty.attach(rich, "BOOKCARD", 7)
    with pytest.raises(CoinsShort):
        bench.build(plan(pays(friend(5), 4_500_000)))


def test_change_goes_to_a_named_address_of_the_wallet_and_is_proven_by_its_key(bench: Bench) -> None:
    bench.fund(70_000)
    wish = plan(pays(friend(6), 5_000), change=EMPTY.address)
    job = bench.run(replace(wish, inputs=((EMPTY.address, EMPTY.path, EMPTY.public),)))
    assert [(owned.path, owned.public_key) for owned in job.effects.owned] == [(EMPTY.path, EMPTY.public)]
    assert bench.gateway.account(EMPTY.address).exists


@pytest.mark.parametrize(
    ("wish", "refusal"),
    [
        (plan(pays(friend(1), 293)), PaymentIsDust),
        (plan(pays(friend(1), 21 * 10**14)), CoinsShort),
        (plan(), BadPlan),
        (plan(pays(friend(1), 1000), kind="gift"), BadPlan),
        (plan(pays(friend(1), 1000), colour="red"), BadPlan),
        (plan(pays(friend(1), 1000, memo='"hello"')), BadPlan),
        (plan(pays(friend(1), 1000), fee_rate=101_000), FeeTooHigh),
        (plan(pays(friend(1), 1000), fee_rate=0), BadPlan),
        (replace(plan(pays(friend(1), 1000)), public_key=SECOND.public), KeyMayNotSign),
        (plan(pays(friend(1), 1000), replace=1), ReplacementRefused),
        (plan(pays(friend(1), 5, XCP), kind="counterparty-mpma"), BadPlan),
        (plan(pays(friend(1), 5 * 10**12, XCP), kind="counterparty-send"), AssetsShort),
        (plan(pays(friend(1), 5, replace(CARD, decimals=8)), kind="counterparty-send"), AssetsShort),
        (plan(pays(friend(1), 5, XCP), kind="counterparty-send", encoding="p2sh"), BadPlan),
        (plan(*batch(9), kind="counterparty-mpma", encoding="opreturn"), EncodingRefused),
        (plan(*batch(9), pays(friend(1), 5_000), kind="counterparty-mpma", encoding="taproot"), EncodingRefused),
        (plan(kind="counterparty-options", options=2), BadPlan),
        (plan(kind="counterparty-sweep", flags=1), BadPlan),
    ],
)
def test_what_is_no_good_plan_refused(bench: Bench, wish: Plan, refusal: type[Refusal]) -> None:
    bench.fund(100_000)
    with pytest.raises(refusal):
        bench.build(wish)


def test_without_a_rate_the_nodes_estimate_is_taken_and_without_that_it_is_refused(bench: Bench) -> None:
    bench.fund(100_000)
    wish = plan(pays(friend(1), 1_000))
    free = replace(wish, params={})
    with pytest.raises(FeeRateUnknown):
        bench.build(free)
    bench.bitcoin.estimated_sats_per_kvb = 7_000
    try:
        effects = bench.build(free).effects
    finally:
        bench.bitcoin.estimated_sats_per_kvb = None
    assert effects.fee_most.units > bench.build(wish).effects.fee_most.units


def test_a_node_that_lies_about_its_chain_builds_nothing(bench: Bench) -> None:
    bench.bitcoin.lie_about("main")
    try:
        with pytest.raises(NodeUnfit):
            bench.build(plan(pays(friend(1), 1_000)))
    finally:
        bench.bitcoin.lie_about(None)


# --- Counterparty ---------------------------------------------------------------------------------


@pytest.mark.parametrize("memo", [None, '"invoice 12"', "hex 00ff"])
def test_a_send_arrives_with_its_memo(bench: Bench, memo: str | None) -> None:
    bench.fund(100_000)
    before = bench.holds(friend(20), XCP)
    job = bench.run(plan(pays(friend(20), 5, XCP, memo), kind="counterparty-send"))
    outcome = job.happened()
    assert outcome.delivered == job.effects.payments
    assert bench.holds(friend(20), XCP) == before + 5


def test_a_send_too_long_for_op_return_goes_by_an_envelope(bench: Bench) -> None:
    bench.fund(100_000)
    job = bench.run(plan(pays(ROOT.address, 5, XCP, f'"{"x" * 34}"'), kind="counterparty-send"))
    assert "envelope" in job.built.context
    assert job.happened().delivered == job.effects.payments


def test_bitcoins_ride_on_a_send_behind_the_change(bench: Bench) -> None:
    bench.fund(100_000)
    job = bench.run(plan(pays(friend(21), 5, CARD), pays(friend(21), 50_000), kind="counterparty-send"))
    assert isinstance(job.watch(), Final)
    assert bench.gateway.account(friend(21)).balance.units == 50_000
    assert job.effects.dangers == ()


@pytest.mark.parametrize("encoding", ["taproot", "multisig"])
@pytest.mark.parametrize("key", [HOT, ROOT], ids=["p2wpkh", "p2tr"])
def test_a_batch_pays_everybody(bench: Bench, key: Key, encoding: str) -> None:
    bench.fund(400_000, key=key)
    before = bench.holds(friend(3), XCP)
    lines = (*batch(12, key.address), pays(friend(3), 4, CARD, None, key.address))
    job = bench.run(plan(*lines, kind="counterparty-mpma", key=key, encoding=encoding))
    job.happened()
    assert bench.holds(friend(3), XCP) == before + 103


def test_a_small_batch_goes_by_op_return_and_a_larger_one_by_an_envelope(bench: Bench) -> None:
    bench.fund(400_000)
    small = bench.build(plan(pays(friend(1), 5, XCP), pays(friend(1), 5, CARD), kind="counterparty-mpma"))
    large = bench.build(plan(*batch(3), kind="counterparty-mpma"))
    assert "envelope" not in small.built.context
    assert "envelope" in large.built.context
    assert large.built.keys == (HOT.path,) * (len(large.effects.claims) + 1)


def test_a_batch_of_five_hundred_with_memos_is_one_pair(bench: Bench) -> None:
    bench.fund(400_000)
    before = bench.holds(friend(499), XCP)
    job = bench.run(plan(*batch(500), kind="counterparty-mpma", fee_rate=1_000))
    outcome = job.happened()
    assert len(outcome.delivered) == 500
    assert bench.holds(friend(499), XCP) == before + 599


def test_what_other_jobs_will_still_send_is_left_alone(bench: Bench) -> None:
    bench.fund(100_000)
    held = bench.holds(HOT.address, XCP)
    wish = plan(pays(friend(1), 5, XCP), kind="counterparty-send")
    with pytest.raises(AssetsShort, match="are pending"):
        bench.build(replace(wish, params={**wish.params, "pending:XCP": held - 4}))
    bench.build(replace(wish, params={**wish.params, "pending:XCP": held - 5}))


def test_more_than_nodes_relay_is_refused(bench: Bench) -> None:
    bench.fund(40_000_000)
    with pytest.raises(TransactionTooLarge):
        bench.build(plan(*(pays(friend(1), 1_000) for _ in range(4_000))))


def test_a_fee_above_the_cap_is_refused(bench: Bench) -> None:
    bench.fund(100_000)
    with pytest.raises(FeeTooHigh, match="above the cap of 1000"):
        bench.connect(fee_cap=1_000).build(plan(pays(friend(1), 5_000), fee_rate=20_000), ())


def test_memos_as_text_beside_hex_are_built_though_compose_can_not(bench: Bench) -> None:
    bench.fund(400_000)
    lines = (pays(friend(1), 5, XCP, "hex 00ff"), pays(friend(2), 5, XCP, '"text"'))
    job = bench.run(plan(*lines, kind="counterparty-mpma"))
    assert isinstance(job.watch(), Final)


def test_options_are_set_again_with_a_later_time(bench: Bench) -> None:
    for value in (1, 0):
        bench.fund(100_000)
        job = bench.run(plan(kind="counterparty-options", options=value))
        job.happened()
        assert bench.counterparty.books().options[HOT.address][0] == value


def test_a_destination_that_needs_a_memo_gets_none_without(bench: Bench) -> None:
    bench.fund(100_000)
    bench.counterparty.require_memo(friend(30))
    with pytest.raises(MemoRequired):
        bench.build(plan(pays(friend(30), 5, XCP), kind="counterparty-send"))


def test_a_sweep_moves_every_balance() -> None:
    with a_bench() as bench:
        bench.fund(100_000)
        job = bench.run(plan(kind="counterparty-sweep", destination=friend(40), flags=3, memo='"moved"'))
        job.happened()
        assert bench.holds(HOT.address, CARD) == 0
        assert bench.holds(friend(40), CARD) == 10**12


def test_without_a_counterparty_node_messages_are_not_built() -> None:
    with a_bench(counterparty=False) as bench:
        bench.fund(100_000)
        with pytest.raises(CounterpartyNodeMissing):
            bench.build(plan(pays(friend(1), 5, XCP), kind="counterparty-send"))
        assert bench.build(plan(pays(friend(1), 5_000))).submit().kind == "accepted"


def test_a_block_that_comes_between_two_questions_stops_no_build(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.fund(100_000)
    status, asked = Node.status, list[int]()

    def mining_after(node: Node) -> Status:
        found = status(node)
        if not asked:
            bench.bitcoin.mine()  # what was just told is old before the other node is asked
        asked.append(found.height)
        return found

    monkeypatch.setattr(Node, "status", mining_after)
    assert bench.build(plan(pays(friend(1), 10_000))).effects.payments
    assert asked[1] == asked[0] + 1


def test_a_counterparty_node_that_is_reading_a_block_is_waited_for(bench: Bench) -> None:
    bench.fund(100_000)
    bench.counterparty.fall_behind(1)
    caught_up = threading.Timer(0.2, bench.counterparty.fall_behind, [0])
    caught_up.start()
    try:
        assert bench.build(plan(pays(friend(1), 10_000))).effects.payments
    finally:
        caught_up.join()


def test_a_counterparty_node_that_is_far_behind_is_not_waited_for(bench: Bench) -> None:
    bench.fund(100_000)
    bench.counterparty.fall_behind(50)
    begun = time.monotonic()
    with pytest.raises(NodeUnfit, match="blocks"):
        bench.build(plan(pays(friend(1), 10_000)))
    assert time.monotonic() - begun < 1
    bench.counterparty.fall_behind(0)


def test_a_counterparty_node_that_lags_builds_nothing(bench: Bench) -> None:
    bench.counterparty.fall_behind(1)
    try:
        for wish in (plan(pays(friend(1), 5, XCP), kind="counterparty-send"), plan(pays(friend(1), 5_000))):
            with pytest.raises(NodeUnfit):
                bench.build(wish)
    finally:
        bench.counterparty.fall_behind(0)


# --- replacing on purpose -------------------------------------------------------------------------


def test_a_replacement_spends_the_same_coins_pays_more_and_drives_the_first_out(bench: Bench) -> None:
    bench.fund(300_000)
    wish = plan(pays(friend(50), 12_345))
    first = bench.build(wish)
    assert first.submit().kind == "accepted"
    second = bench.build(replacing(wish, first, replace=1), first.effects.claims)
    assert set(first.effects.claims) <= set(second.effects.claims)
    assert second.effects.fee_most.units > first.effects.fee_most.units
    verdict = second.submit()
    assert verdict.kind == "accepted", verdict
    assert first.signed.tx_id not in bench.bitcoin.mempool.entries


def test_a_pair_is_replaced_with_its_reveal(bench: Bench) -> None:
    bench.fund(300_000)
    wish = plan(*batch(6), kind="counterparty-mpma")
    first = bench.build(wish)
    assert first.submit().kind == "accepted"
    before = bench.holds(friend(3), XCP)
    second = bench.build(replacing(wish, first, fee_rate=6_000), first.effects.claims)
    verdict = second.submit()
    assert verdict.kind == "accepted", verdict
    bench.bitcoin.mine(6)
    assert isinstance(second.watch(), Final)
    assert bench.holds(friend(3), XCP) == before + 103


def test_claims_of_another_network_force_nothing(bench: Bench) -> None:
    bench.fund(100_000)
    wish = replace(plan(pays(friend(1), 5_000)), again=(Claim("bitcoin:mainnet", "00" * 32 + ":0"),))
    assert bench.build(wish).effects.payments == wish.payments


def test_passwords_of_urls_are_never_shown(bench: Bench) -> None:
    secret = login(bench.servers[0])
    assert secret.split("@")[0] not in repr(bench.gateway.check())
    assert BTC.network == NETWORK
