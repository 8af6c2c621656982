"""Final and dead as final blocks prove them.

The window runs out at every point of the path, nonces are overtaken, keys are gone, nodes forget, and proofs are
not there yet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from online.chains.api import Dead, Final, Outcome, Pending
from online.chains.near.gateway import NearGateway, connect
from online.devnet.near import NearWorld, rpc, serve_near
from online.devnet.near.rpc_forms import RpcError
from shared.errors import NodeUnreachable, WrongNetwork
from tests.near_gateway_bench import HOT, LANES, NETWORK, NOBODY, OTHER, TOKEN, UNIT, Bench, Job, a_bench

VALIDITY = 20


@pytest.fixture
def bench() -> Iterator[Bench]:
    with a_bench(validity=VALIDITY) as made:
        yield made


@contextmanager
def beside(bench: Bench, role: str, world: NearWorld | None = None) -> Iterator[tuple[NearGateway, NearWorld]]:
    """Give a gateway on the bench's node with another node of the network as its second or its archive."""
    other = world or bench.world.second_node()
    with serve_near(other) as server:
        gateway = connect(NETWORK, {**bench.settings, role: server.url})
        try:
            yield gateway, other
        finally:
            gateway.close()


def text_of(outcome: Outcome) -> str:
    assert isinstance(outcome, Pending), outcome
    return outcome.text


def proof_of(outcome: Outcome) -> str:
    assert isinstance(outcome, Dead), outcome
    return outcome.proof


# --- final ----------------------------------------------------------------------------------------


def test_a_transaction_is_pending_until_all_of_it_is_final(bench: Bench) -> None:
    job = bench.build()
    assert "it can still happen in 20 heights" in text_of(job.watch())
    job.submit()
    seen = []
    for _ in range(8):
        bench.world.advance()
        outcome = job.watch()
        seen.append(type(outcome).__name__)
        if isinstance(outcome, Pending):
            seen[-1] = "can still happen" if "can still happen" in outcome.text else "not FINAL"
            assert seen[-1] in outcome.text
    assert list(dict.fromkeys(seen)) == ["can still happen", "not FINAL", "Final"]


def test_the_height_of_the_end_is_that_of_the_block_that_included_it(bench: Bench) -> None:
    job = bench.build()
    job.submit()
    height = bench.world.advance()
    bench.world.advance(8)
    outcome = job.watch()
    assert isinstance(outcome, Final)
    assert (outcome.height, outcome.tx_id) == (height, job.signed.tx_id)


def test_a_fork_takes_back_what_was_not_final_and_nothing_was_said(bench: Bench) -> None:
    job = bench.build()
    job.submit()
    bench.world.advance()
    assert isinstance(job.watch(), Pending)
    bench.world.fork(1, lose=True)
    bench.world.advance(2)
    assert isinstance(job.watch(), Pending)
    bench.world.advance(30)
    assert isinstance(job.watch(), Dead)


def test_skipped_heights_and_missed_chunks_delay_and_decide_nothing(bench: Bench) -> None:
    job = bench.build()
    job.submit()
    bench.world.skip_heights(3)
    bench.world.miss_chunk(0)
    bench.world.advance()
    bench.world.miss_chunk(1)
    assert isinstance(job.watch(), Pending)
    bench.world.advance(10)
    assert isinstance(job.watch(), Final)


def test_a_transaction_whose_answer_never_came_back_is_found_by_its_hash(bench: Bench) -> None:
    job = bench.build()
    job.submit()
    bench.world.advance(8)
    outcome = bench.gateway.look().watch(job.unanswered)
    assert isinstance(outcome, Final)
    assert outcome.tx_id == job.signed.tx_id


def test_tokens_that_are_gone_since_fail_as_a_whole(bench: Bench) -> None:
    bench.deploy_token()
    bench.world.register(TOKEN.code, OTHER.account, NOBODY.account)
    first = bench.build(bench.tokens((OTHER.account, 1)))
    batch = bench.build(bench.tokens((OTHER.account, 5), (NOBODY.account, 10**12 - 5)), {first.claim})
    before = bench.world.balance(HOT.account)
    for job in (first, batch):
        job.submit()
        bench.world.advance()
    bench.world.advance(8)
    done, failed = first.watch(), batch.watch()
    assert isinstance(done, Final)
    assert isinstance(failed, Final)
    assert (failed.success, failed.delivered, failed.costs) == (False, (), ())
    assert "doesn't have enough balance" in failed.result
    assert bench.world.token_balance(TOKEN.code, NOBODY.account) == 0
    assert before - bench.world.balance(HOT.account) == done.fee.units + failed.fee.units + 1


def test_a_deposit_that_a_contract_gave_back_is_no_cost(bench: Bench) -> None:
    bench.deploy_token()
    job = bench.build(bench.tokens((NOBODY.account, 5)))
    bench.world.register(TOKEN.code, NOBODY.account)  # somebody else was quicker
    before = bench.world.balance(HOT.account)
    job.submit()
    bench.world.advance(10)
    outcome = job.watch()
    assert isinstance(outcome, Final)
    assert (outcome.success, [cost.units for cost in outcome.costs]) == (True, [1])
    assert before - bench.world.balance(HOT.account) == outcome.fee.units + 1


def test_a_change_of_keys_that_failed_is_a_failure(bench: Bench) -> None:
    first = bench.build(bench.bare("near-lanes", key_1=LANES[0].account))
    second = bench.build(bench.bare("near-lanes", key_1=LANES[0].account), {first.claim})
    for job in (first, second):
        job.submit()
        bench.world.advance()
    bench.world.advance(8)
    done, failed = first.watch(), second.watch()
    assert isinstance(done, Final)
    assert isinstance(failed, Final)
    assert (done.success, failed.success) == (True, False)
    assert failed.result.startswith("AddKeyAlreadyExists")


# --- the window runs out --------------------------------------------------------------------------


def never_handed_over(job: Job) -> None:
    pass


def request_lost(job: Job) -> None:
    job.bench.world.faults.next_submit = "request-lost"
    job.submit()


def taken_and_dropped(job: Job) -> None:
    job.bench.world.faults.next_submit = "swallowed"
    job.submit()


def handed_over_too_late(job: Job) -> None:
    job.bench.world.advance(VALIDITY + 5)
    job.submit()


WAYS = [never_handed_over, request_lost, taken_and_dropped, handed_over_too_late]


@pytest.mark.parametrize("way", WAYS)
def test_what_expired_on_its_way_is_dead_once_that_is_proven(bench: Bench, way: Callable[[Job], None]) -> None:
    job = bench.build()
    way(job)
    bench.world.advance(VALIDITY + 5)
    proof = proof_of(job.watch())
    assert "is above its last" in proof
    assert job.signed.tx_id in proof
    assert isinstance(bench.gateway.look().watch(job.unanswered), Dead)
    assert bench.world.balance(OTHER.account) == 10 * UNIT


def test_at_the_last_height_it_is_not_dead_and_above_it_is(bench: Bench) -> None:
    job = bench.build()
    expiry = job.built.effects.expiry
    assert expiry is not None
    while bench.world.final_height < expiry.last_height:
        bench.world.advance()
    assert text_of(job.watch()).endswith("in 0 heights")
    bench.world.advance()
    assert isinstance(job.watch(), Dead)


def test_what_happened_in_time_is_final_however_late_anybody_looks(bench: Bench) -> None:
    job = bench.build()
    bench.world.advance(VALIDITY - 4)
    job.submit()
    bench.world.advance(VALIDITY + 20)
    assert isinstance(job.watch(), Final)


def test_the_new_transaction_after_a_death_takes_the_same_nonce_so_that_both_never_happen(bench: Bench) -> None:
    job = bench.build()
    bench.world.advance(VALIDITY + 5)
    assert isinstance(job.watch(), Dead)
    new = bench.build(replace(bench.plan(), again=(job.claim,)))
    assert new.claim == job.claim
    new.submit()
    bench.world.advance(8)
    assert isinstance(new.watch(), Final)
    assert bench.world.balance(OTHER.account) == 11 * UNIT


# --- overtaken, and keys that are gone ------------------------------------------------------------


def overtaken(bench: Bench) -> Job:
    """Give a job whose nonce a later one of the same key has passed."""
    job = bench.build()
    later = bench.build(bench.plan(2 * UNIT), {job.claim})
    later.submit()
    bench.world.advance(8)
    assert isinstance(later.watch(), Final)
    return job


def test_an_overtaken_nonce_is_dead_when_a_second_node_does_not_know_the_hash_either(bench: Bench) -> None:
    job = overtaken(bench)
    with beside(bench, "second_url") as (gateway, _):
        assert "the second node agrees" in proof_of(gateway.look().watch(job.watched))
    with beside(bench, "archive_url") as (gateway, _):
        assert "and the transaction's" in proof_of(gateway.look().watch(job.watched))


def test_what_took_the_nonce_is_found_in_the_chain_and_named(bench: Bench) -> None:
    job = bench.build()
    bench.world.skip_heights(3)
    later = bench.build(bench.plan(2 * UNIT), {job.claim})
    later.submit()
    bench.world.skip_heights(2)
    height = bench.world.height
    bench.world.skip_heights(1)
    bench.world.advance(8)
    proof = proof_of(job.watch())
    assert f"block {height} ended the nonce, by {later.signed.tx_id} with nonce" in proof


def test_an_overtaken_nonce_is_no_proof_by_one_node_that_no_longer_shows_when(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = overtaken(bench)
    honest = rpc.METHODS["query"][0]

    def forgetful(world: NearWorld, params: Mapping[str, Any]) -> Any:
        if "block_id" in params:
            raise RpcError("GARBAGE_COLLECTED_BLOCK")
        return honest(world, params)

    monkeypatch.setattr(rpc, "METHODS", {**rpc.METHODS, "query": (forgetful, ())})
    assert "a second_url or archive_url must agree" in text_of(job.watch())
    with beside(bench, "archive_url") as (gateway, _):
        assert "and the transaction's" in proof_of(gateway.look().watch(job.watched))


def test_what_a_node_forgot_and_its_own_chunks_still_show_is_not_dead(bench: Bench) -> None:
    job = bench.build()
    job.submit()
    bench.world.advance(10)
    bench.world.forget(job.signed.tx_id)
    assert "does not show what became of it" in text_of(job.watch())
    later = bench.build(bench.plan(2 * UNIT))
    later.submit()
    bench.world.advance(10)
    assert "does not show what became of it" in text_of(job.watch())


@pytest.mark.parametrize("beside_it", [-1, 0, 1])
def test_a_node_that_hides_a_block_about_a_payment_does_not_prove_its_death(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, beside_it: int
) -> None:
    job = bench.build()
    bench.world.advance(2)
    job.submit()
    hidden = bench.world.advance() + beside_it
    bench.world.advance(10)
    bench.world.forget(job.signed.tx_id)
    hide(monkeypatch, ("query", "block"), {hidden})
    assert isinstance(job.watch(), Pending)


def hide(monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...], heights: set[int]) -> None:
    """Let the node answer some questions as if some heights had been skipped."""
    methods = dict(rpc.METHODS)
    for name in names:
        honest, arguments = rpc.METHODS[name]

        def hiding(world: NearWorld, params: Mapping[str, Any], honest: Any = honest) -> Any:
            hidden = {found.hash for height in heights if (found := world.chain.at(height)) is not None}
            if params.get("block_id") in heights | hidden:
                raise RpcError("UNKNOWN_BLOCK")
            return honest(world, params)

        methods[name] = (hiding, arguments)
    monkeypatch.setattr(rpc, "METHODS", methods)


def test_a_nonce_that_is_overtaken_in_blocks_that_are_not_final_proves_nothing(bench: Bench) -> None:
    job = bench.build()
    later = bench.build(bench.plan(2 * UNIT), {job.claim})
    later.submit()
    bench.world.advance()
    with beside(bench, "archive_url") as (gateway, _):
        assert "it can still happen" in text_of(gateway.look().watch(job.watched))


@pytest.mark.parametrize("names", [("query",), ("query", "block")])
def test_a_node_that_hides_what_its_state_was_for_two_blocks_does_not_prove_a_death(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...]
) -> None:
    job = bench.build()
    bench.world.advance(2)
    job.submit()
    height = bench.world.advance()
    bench.world.advance(10)
    bench.world.forget(job.signed.tx_id)
    hide(monkeypatch, names, {height, height + 1})
    assert isinstance(job.watch(), Pending)


def test_a_key_that_was_rotated_away_ends_what_it_signed_and_did_not_happen(bench: Bench) -> None:
    job = bench.build()
    happened = bench.build(bench.plan(3 * UNIT))
    happened.submit()
    bench.world.advance(6)
    assert bench.run(bench.bare("near-rotate", new=NOBODY.account, old=HOT.account)).success
    with beside(bench, "archive_url") as (gateway, _):
        assert "there is no key" in proof_of(gateway.look().watch(job.watched))
        assert isinstance(gateway.look().watch(happened.watched), Final)
    assert isinstance(job.watch(), Dead)


def test_a_key_that_comes_back_begins_above_every_nonce_of_before(bench: Bench) -> None:
    job = bench.build()
    assert bench.run(bench.bare("near-rotate", new=NOBODY.account, old=HOT.account)).success
    again = replace(bench.bare("near-rotate", new=HOT.account, old=NOBODY.account), key=(9,), public_key=NOBODY.public)
    assert bench.run(again).success
    assert bench.world.keys(HOT.account)[HOT.text].nonce > int(job.claim.name.removeprefix("nonce "))
    assert "InvalidNonce" in job.submit().text
    with beside(bench, "archive_url") as (gateway, _):
        assert isinstance(gateway.look().watch(job.watched), Dead)


def test_an_account_that_is_gone_ends_what_it_signed(bench: Bench) -> None:
    job = bench.build()
    bench.world._write(lambda sandbox: sandbox.drop_account(HOT.account))
    with beside(bench, "archive_url") as (gateway, _):
        assert "there is no key" in proof_of(gateway.look().watch(job.watched))


# --- nodes that forget ----------------------------------------------------------------------------


def test_a_node_that_forgot_the_base_block_proves_nothing_and_says_what_is_missing(bench: Bench) -> None:
    job = bench.build()
    bench.world.advance(VALIDITY + 5)
    bench.world.faults.history_from = bench.world.final_height - 3
    assert "an archive_url is needed" in text_of(job.watch())
    with beside(bench, "archive_url") as (gateway, _):
        assert isinstance(gateway.look().watch(job.watched), Dead)


def test_what_a_node_forgot_is_found_in_the_archive(bench: Bench) -> None:
    job = bench.build()
    job.submit()
    bench.world.advance(VALIDITY + 10)
    bench.world.forget(job.signed.tx_id)
    assert isinstance(job.watch(), Pending)
    with beside(bench, "archive_url") as (gateway, _):
        outcome = gateway.look().watch(job.watched)
    assert isinstance(outcome, Final)
    assert outcome.success


def test_what_one_of_two_nodes_forgot_is_neither_dead_nor_final(bench: Bench) -> None:
    job = bench.build()
    job.submit()
    bench.world.advance(VALIDITY + 10)
    with beside(bench, "second_url") as (gateway, other):
        bench.world.forget(job.signed.tx_id)
        assert isinstance(gateway.look().watch(job.watched), Pending)
        bench.world.faults.forgotten.clear()
        other.forget(job.signed.tx_id)
        assert isinstance(gateway.look().watch(job.watched), Pending)
        other.faults.forgotten.clear()
        assert isinstance(gateway.look().watch(job.watched), Final)


def test_an_archive_that_is_behind_proves_nothing(bench: Bench) -> None:
    job = bench.build()
    bench.world.advance(VALIDITY + 5)
    with beside(bench, "archive_url") as (gateway, archive):
        archive.faults.stuck_at = bench.world.height - 3
        assert "is behind" in text_of(gateway.look().watch(job.watched))
        archive.faults.stuck_at = None
        assert isinstance(gateway.look().watch(job.watched), Dead)


@pytest.mark.parametrize("silent", ["node", "archive"])
def test_a_timeout_of_either_node_is_no_absence(bench: Bench, silent: str) -> None:
    job = bench.build()
    bench.world.advance(VALIDITY + 5)
    with beside(bench, "archive_url") as (gateway, archive):
        world = bench.world if silent == "node" else archive
        world.faults.timeouts = True
        assert "TIMEOUT_ERROR, which proves nothing" in text_of(gateway.look().watch(job.watched))
        world.faults.timeouts = False
        assert isinstance(gateway.look().watch(job.watched), Dead)


def test_an_archive_that_is_down_decides_nothing(bench: Bench) -> None:
    job = bench.build()
    bench.world.advance(VALIDITY + 5)
    with beside(bench, "archive_url") as (gateway, archive):
        archive.faults.down = True
        with pytest.raises(NodeUnreachable):
            gateway.look().watch(job.watched)


def test_a_transaction_of_another_network_is_not_watched(bench: Bench) -> None:
    job = bench.build()
    watched = replace(job.watched, effects=replace(job.built.effects, network="near:testnet"))
    with pytest.raises(WrongNetwork):
        bench.gateway.look().watch(watched)
