"""Submission: "accepted" only once a block has the transaction, and no lost request or answer makes two of one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from online.chains.api import Built, Dead, Final, Pending
from online.chains.near.gateway import connect
from online.devnet.near import Blocks, NearWorld, rpc, rpc_transactions, serve_near
from online.devnet.near.faults import SubmitLoss
from shared.chains.near import NEAR
from shared.chains.near import build as forms
from shared.chains.near.keys import parse_base58
from shared.effects import Claim, Destination
from shared.errors import BadAddress, NearRefusal, NodeUnreachable
from shared.money import Amount
from tests.near_gateway_bench import (
    ASSET,
    HOT,
    LANES,
    NETWORK,
    NOBODY,
    OTHER,
    SHOP,
    UNIT,
    Bench,
    Job,
    a_bench,
    sign,
)
from tests.test_near_gateway_build import with_lanes
from tests.test_near_gateway_watch import beside


@pytest.fixture
def bench() -> Iterator[Bench]:
    with a_bench() as made:
        yield made


def test_what_no_block_has_yet_is_later_and_then_known_for_ever(bench: Bench) -> None:
    job = bench.build()
    assert job.submit().kind == "later"
    assert "not in a block yet" in job.submit().text
    bench.world.advance()
    assert job.submit().kind in ("accepted", "known")
    bench.world.advance(8)
    assert job.submit().kind in ("accepted", "known")
    assert bench.world.balance(OTHER.account) == 11 * UNIT


def test_a_node_whose_blocks_come_is_waited_for(bench: Bench) -> None:
    job = bench.build()
    with Blocks(bench.world, 0.05):
        verdict = job.submit()
    assert verdict.kind == "accepted"
    assert verdict.text.startswith("in block ")


@pytest.mark.parametrize("loss", ["request-lost", "reply-lost", "swallowed", "timeout", "timeout-lost", "congested"])
def test_whatever_befalls_a_submission_the_same_bytes_go_again_and_pay_once(bench: Bench, loss: SubmitLoss) -> None:
    job = bench.build()
    bench.world.faults.next_submit = loss
    assert job.submit().kind == "later"
    bench.world.advance()
    job.submit()
    bench.world.advance(8)
    assert isinstance(job.watch(), Final)
    assert bench.world.balance(OTHER.account) == 11 * UNIT


def test_a_node_that_is_down_decides_nothing(bench: Bench) -> None:
    job = bench.build()
    bench.world.faults.down = True
    assert job.submit().kind == "later"
    with pytest.raises(NodeUnreachable):
        job.watch()


def test_a_transaction_that_expired_on_the_way_is_later_and_not_refused() -> None:
    with a_bench(validity=20) as bench:
        job = bench.build()
        bench.world.advance(30)
        verdict = job.submit()
        assert verdict.kind == "later"
        assert "Expired" in verdict.text


def test_a_nonce_that_another_took_is_later_and_not_refused(bench: Bench) -> None:
    job = bench.build()
    bench.run(bench.plan(2 * UNIT))
    verdict = job.submit()
    assert (verdict.kind, "InvalidNonce" in verdict.text) == ("later", True)


def spoiled(job: Job) -> bytes:
    return job.signed.blob[:-1] + bytes([job.signed.blob[-1] ^ 1])


def test_what_can_never_be_taken_is_refused_with_the_nodes_reason(bench: Bench) -> None:
    verdict = bench.gateway.submit(spoiled(bench.build()))
    assert (verdict.kind, "InvalidSignature" in verdict.text) == ("refused", True)


def test_a_balance_that_is_gone_since_is_refused_with_the_nodes_reason(bench: Bench) -> None:
    job = bench.build(bench.plan(600 * UNIT))
    rest = bench.build(bench.plan(600 * UNIT, NOBODY.account), {job.claim})
    job.submit()
    bench.world.advance(8)
    verdict = rest.submit()
    assert (verdict.kind, "NotEnoughBalance" in verdict.text) == ("refused", True)


@pytest.mark.parametrize("blob", [b"", b"\1", b"\0" * 200])
def test_bytes_that_are_no_transaction_never_reach_a_node(bench: Bench, blob: bytes) -> None:
    with pytest.raises((NearRefusal, BadAddress)):
        bench.gateway.submit(blob)


def test_trailing_bytes_never_reach_a_node(bench: Bench) -> None:
    with pytest.raises(NearRefusal):
        bench.gateway.submit(bench.build().signed.blob + b"\0")


def test_a_second_node_is_handed_what_the_first_did_not_take(bench: Bench) -> None:
    other = bench.world.second_node()
    job = bench.build()
    with serve_near(other) as server:
        both = connect(NETWORK, {**bench.settings, "url": server.url, "second_url": bench.server.url})
        other.faults.down = True
        assert both.submit(job.signed.blob).kind == "later"
        bench.world.advance()
        assert both.submit(job.signed.blob).kind in ("accepted", "known")
        both.close()


def test_an_answer_about_another_transaction_is_not_taken_for_this_one(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = bench.build(bench.plan(2 * UNIT))
    other.submit()
    bench.world.advance(8)
    status = {"tx_hash": other.signed.tx_id, "sender_account_id": HOT.account, "wait_until": "FINAL"}

    def another(world: NearWorld, params: Mapping[str, Any]) -> Any:
        return rpc_transactions.tx_status(world, status)

    monkeypatch.setattr(rpc, "METHODS", {**rpc.METHODS, "send_tx": (another, ("signed_tx_base64",))})
    assert bench.build().submit().kind == "later"


# --- lanes ----------------------------------------------------------------------------------------


def two_hundred(bench: Bench, to: str = OTHER.account) -> tuple[tuple[Job, ...], ...]:
    """Build 200 payments over four lanes, one of them to another; give them by rows, each with one of each lane."""
    bench.add_lanes()
    plan, taken, lanes = with_lanes(bench.plan(UNIT // 100)), set[Claim](), dict[str, list[Job]]()
    for number in range(200):
        job = bench.build(with_lanes(bench.plan(UNIT // 100, to)) if number == 77 else plan, taken)
        taken.add(job.claim)
        lanes.setdefault(job.claim.scope, []).append(job)
    assert sorted(map(len, lanes.values())) == [50, 50, 50, 50]
    return tuple(zip(*lanes.values(), strict=True))


def test_two_hundred_payments_over_four_lanes_all_arrive(bench: Bench) -> None:
    rows = two_hundred(bench)
    for row in rows:
        for job in row:
            job.submit()
        bench.world.advance()
        assert {job.submit().kind for job in row} <= {"accepted", "known"}
    bench.world.advance(8)
    outcomes = [job.watch() for row in rows for job in row]
    assert all(isinstance(outcome, Final) and outcome.success for outcome in outcomes)
    assert bench.world.balance(OTHER.account) == 10 * UNIT + 200 * UNIT // 100


def test_of_two_hundred_one_expires_one_fails_one_is_forgotten_and_each_ends_right() -> None:
    with a_bench(validity=100) as bench:
        rows = two_hundred(bench, SHOP)
        bench.world._write(lambda sandbox: sandbox.drop_account(SHOP))
        lost, forgotten = rows[-1][0], rows[20][1]
        for row in rows:
            for job in row:
                if job is not lost:
                    job.submit()
            bench.world.advance()
        bench.world.advance(8)
        assert "can still happen" in str(lost.watch())
        bench.world.advance(60)
        bench.world.forget(forgotten.signed.tx_id)
        assert isinstance(forgotten.watch(), Pending)
        with beside(bench, "archive_url") as (gateway, _):
            ends = {job.signed.tx_id: gateway.look().watch(job.watched) for row in rows for job in row}
    failed = [end for end in ends.values() if isinstance(end, Final) and not end.success]
    assert [end.result for end in failed] == [f"AccountDoesNotExist: {SHOP} at {SHOP}"]
    assert UNIT // 100 in [amount.units for amount in failed[0].refunds]
    assert [tx_id for tx_id, end in ends.items() if isinstance(end, Dead)] == [lost.signed.tx_id]
    assert isinstance(ends[forgotten.signed.tx_id], Final)
    assert sum(isinstance(end, Final) and end.success for end in ends.values()) == 198
    assert bench.world.balance(OTHER.account) == 10 * UNIT + 198 * (UNIT // 100)


def test_a_later_nonce_that_lands_first_kills_its_lane_alone(bench: Bench) -> None:
    bench.add_lanes(LANES[:1])
    plan, taken = with_lanes(bench.plan()), set[Claim]()
    jobs = []
    for _ in range(4):
        jobs.append(bench.build(plan, taken))
        taken.add(jobs[-1].claim)
    lane = [job for job in jobs if job.claim.scope == jobs[0].claim.scope]
    others = [job for job in jobs if job not in lane]
    lane[1].submit()
    bench.world.advance(8)
    for job in others:
        job.submit()
        bench.world.advance()
    bench.world.advance(8)
    assert isinstance(lane[1].watch(), Final)
    assert all(isinstance(job.watch(), Final) for job in others)
    assert "InvalidNonce" in lane[0].submit().text
    assert isinstance(lane[0].watch(), Dead)


def missing_named(bench: Bench, to: str = "nobody.merchants") -> Job:
    """Build past the gateway a payment to a named account that is not there."""
    job = bench.build()
    block_hash = parse_base58(bench.world.chain.final.hash, 32)
    nonce = int(job.claim.name.removeprefix("nonce "))
    terms = forms.Terms(NETWORK, HOT.account, HOT.public, nonce, block_hash)
    unsigned = forms.payment(terms, Destination(to), Amount(ASSET, 3 * UNIT))
    effects = NEAR.effects(NEAR.decode(unsigned, job.built.context, job.built.keys, NETWORK))
    built = Built(unsigned, job.built.context, job.built.keys, effects)
    return Job(bench, built, sign(built), job.height)


def test_a_payment_to_a_missing_name_fails_in_its_receipt_and_comes_back(bench: Bench) -> None:
    before = bench.world.balance(HOT.account)
    job = missing_named(bench)
    job.submit()
    bench.world.advance(8)
    outcome = job.watch()
    assert isinstance(outcome, Final)
    assert (outcome.success, outcome.delivered, outcome.costs) == (False, (), ())
    assert outcome.result.startswith("AccountDoesNotExist")
    assert 3 * UNIT in [amount.units for amount in outcome.refunds]
    assert before - bench.world.balance(HOT.account) == outcome.fee.units
