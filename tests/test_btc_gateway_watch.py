"""What the Bitcoin gateway says of a transaction's fate: confirmations, reorganisations, deaths, stuck reveals.

The devnet mines, forks, forgets and lags; only blocks may decide.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from online.chains.api import Dead, Final, Outcome, Pending, Watched
from online.devnet.bitcoin import KNOTS, KNOTS_OPEN, serve_bitcoin
from online.devnet.bitcoin.faults import SubmitLoss
from online.devnet.bitcoin.wire import Tx
from shared.chains.bitcoin.signing import transactions
from shared.errors import NodeAnswerUnreadable, NodeUnreachable, WrongNetwork
from tests.btc_gateway_bench import (
    XCP,
    Bench,
    Job,
    a_bench,
    friend,
    login,
    pays,
    plan,
    replacing,
)


@pytest.fixture
def bench() -> Iterator[Bench]:
    with a_bench() as made:
        made.fund(*[300_000] * 4)
        yield made


def a_payment(bench: Bench) -> Job:
    return bench.build(plan(pays(friend(1), 20_000)))


def a_pair(bench: Bench) -> Job:
    return bench.build(plan(*(pays(friend(n), 5, XCP, '"x"') for n in range(6)), kind="counterparty-mpma"))


def text(outcome: Outcome) -> str:
    assert isinstance(outcome, Pending), outcome
    return outcome.text


# --- final ----------------------------------------------------------------------------------------


def test_it_is_final_with_the_sixth_confirmation_and_not_before(bench: Bench) -> None:
    job = a_payment(bench)
    assert "it can still happen" in text(job.watch())
    job.submit()
    assert "waits in the mempool" in text(job.watch())
    bench.bitcoin.mine(5)
    assert "5 of 6 confirmations" in text(job.watch())
    bench.bitcoin.mine()
    outcome = job.watch()
    assert isinstance(outcome, Final)
    assert (outcome.tx_id, outcome.height) == (job.signed.tx_id, bench.bitcoin.height - 5)
    assert (outcome.success, outcome.fee, outcome.delivered) == (True, job.effects.fee_most, job.effects.payments)


def test_the_number_of_confirmations_is_a_setting(bench: Bench) -> None:
    gateway = bench.connect(confirmations=2)
    job = a_payment(bench)
    job.submit()
    bench.bitcoin.mine(2)
    assert isinstance(job.watch(gateway), Final)
    assert isinstance(job.watch(), Pending)


def test_a_reorganisation_takes_confirmations_back(bench: Bench) -> None:
    job = a_payment(bench)
    job.submit()
    bench.bitcoin.mine(4)
    bench.bitcoin.reorg(4)
    assert "waits in the mempool" in text(job.watch())
    bench.bitcoin.mine(6)
    assert isinstance(job.watch(), Final)


def test_a_pair_survives_a_reorganisation_that_takes_both_back(bench: Bench) -> None:
    job = a_pair(bench)
    job.submit()
    bench.bitcoin.mine(4)
    bench.bitcoin.reorg(4)
    assert isinstance(job.watch(), Pending)
    job.submit()
    bench.bitcoin.mine(6)
    job.happened()


def test_a_reorganisation_that_loses_the_reveal_alone_leaves_it_said_and_sent(bench: Bench) -> None:
    job = a_pair(bench)
    job.submit()
    bench.bitcoin.mine(3)
    bench.bitcoin.reorg(3, transactions=[transactions(job.signed.blob)[0][1]])
    bench.bitcoin.forget(job.signed.tx_id)
    bench.bitcoin.remember()
    assert "handed over again, and taken" in text(job.watch())
    bench.bitcoin.mine(6)
    job.happened()


def test_the_fee_is_inputs_less_outputs_of_both_transactions_of_a_pair(bench: Bench) -> None:
    job = a_pair(bench)
    job.submit()
    bench.bitcoin.mine(6)
    outcome = job.happened()
    assert outcome.tx_id == job.signed.tx_id == transactions(job.signed.blob)[1][0]
    chain = bench.bitcoin.chain
    fee = 0
    for txid, _ in transactions(job.signed.blob):
        found = chain.find(txid)
        assert found is not None
        spent = chain.spent_by(found[0])
        assert spent is not None
        fee += sum(out.sats for out in spent) - sum(out.sats for out in found[0].outputs)
    assert outcome.fee.units == fee


def test_a_node_without_an_index_finds_it_by_what_it_spends(bench: Bench) -> None:
    for make in (a_payment, a_pair):
        job = make(bench)
        job.submit()
        bench.bitcoin.mine(6)
        bench.bitcoin.forget(*(txid for txid, _ in transactions(job.signed.blob)))
        assert isinstance(job.watch(), Final)


def test_what_nobody_answered_is_found_by_its_unsigned_bytes(bench: Bench) -> None:
    job = a_payment(bench)
    assert "it can still happen" in text(job.watch(answered=False))
    bench.bitcoin.submit(job.signed.blob)
    bench.bitcoin.mine(6)
    outcome = job.watch(answered=False)
    assert isinstance(outcome, Final)
    assert outcome.tx_id == job.signed.tx_id


# --- what Counterparty says -----------------------------------------------------------------------


def test_a_send_that_counterparty_calls_invalid_is_no_success_and_costs_its_fee(bench: Bench) -> None:
    job = bench.build(plan(pays(friend(1), 10**12, XCP), kind="counterparty-send"))
    rival = bench.build(plan(pays(friend(2), 10, XCP), kind="counterparty-send"), job.effects.claims)
    rival.submit()
    bench.bitcoin.mine()
    job.submit()
    bench.bitcoin.mine(6)
    outcome = job.watch()
    assert isinstance(outcome, Final)
    assert (outcome.success, outcome.delivered, outcome.fee) == (False, (), job.effects.fee_most)
    assert "insufficient funds" in outcome.result


def test_an_invalid_batch_leaves_no_row_and_is_no_success(bench: Bench) -> None:
    lines = (pays(friend(1), 10**12 - 1, XCP), pays(friend(2), 1, XCP))
    job = bench.build(plan(*lines, kind="counterparty-mpma"))
    rival = bench.build(plan(pays(friend(2), 10, XCP), kind="counterparty-send"), job.effects.claims)
    rival.submit()
    bench.bitcoin.mine()
    job.submit()
    bench.bitcoin.mine(6)
    outcome = job.watch()
    assert isinstance(outcome, Final)
    assert (outcome.success, outcome.delivered) == (False, ())


def test_bitcoins_beside_an_invalid_send_have_arrived(bench: Bench) -> None:
    wish = plan(pays(friend(1), 10**12, XCP), pays(friend(1), 20_000), kind="counterparty-send")
    job = bench.build(wish)
    bench.build(plan(pays(friend(2), 10, XCP), kind="counterparty-send"), job.effects.claims).submit()
    bench.bitcoin.mine()
    job.submit()
    bench.bitcoin.mine(6)
    outcome = job.watch()
    assert isinstance(outcome, Final)
    assert (outcome.success, outcome.delivered) == (False, (wish.payments[1],))


@pytest.mark.parametrize("trouble", ["behind", "not ready", "other network"])
def test_a_counterparty_node_that_is_not_believed_decides_nothing(bench: Bench, trouble: str) -> None:
    job = bench.run(plan(pays(friend(1), 5, XCP), kind="counterparty-send"))
    world = bench.counterparty
    if trouble == "behind":
        world.fall_behind(1)
    elif trouble == "not ready":
        world.lose_readiness()
    else:
        world.lie_about("testnet4")
    assert "can not say yet" in text(job.watch())


def test_other_sends_than_were_signed_are_no_answer(bench: Bench) -> None:
    job = bench.run(plan(pays(friend(1), 5, XCP), kind="counterparty-send"))
    payments = (pays(friend(1), 6, XCP),)
    watched = Watched(job.signed.tx_id, job.signed.blob, replace(job.effects, payments=payments), 1)
    with pytest.raises(NodeAnswerUnreadable):
        bench.gateway.look().watch(watched)


# --- dead -----------------------------------------------------------------------------------------


def test_an_input_spent_by_another_is_death_once_that_is_deep_enough(bench: Bench) -> None:
    wish = plan(pays(friend(1), 20_000))
    job = bench.build(wish)
    job.submit()
    rival = bench.build(replacing(wish, job, fee_rate=9_000), job.effects.claims)
    assert rival.submit().kind == "accepted"
    assert rival.signed.tx_id in text(job.watch())
    bench.bitcoin.mine(5)
    assert "5 of 6 confirmations" in text(job.watch())
    bench.bitcoin.mine()
    outcome = job.watch()
    assert isinstance(outcome, Dead)
    assert rival.signed.tx_id in outcome.proof
    assert job.effects.claims[0].name in outcome.proof
    assert isinstance(rival.watch(), Final)


def test_a_death_can_be_taken_back_by_a_reorganisation_until_it_is_deep(bench: Bench) -> None:
    wish = plan(pays(friend(1), 20_000))
    job = bench.build(wish)
    rival = bench.build(replacing(wish, job, fee_rate=9_000), job.effects.claims)
    rival.submit()
    bench.bitcoin.mine(3)
    bench.bitcoin.reorg(3, transactions=[job.signed.blob])
    assert "confirmations" in text(job.watch())
    bench.bitcoin.mine(6)
    assert isinstance(job.watch(), Final)
    assert isinstance(rival.watch(), Dead)


def test_an_unanswered_pair_dies_with_its_commits_input(bench: Bench) -> None:
    wish = plan(*(pays(friend(n), 5, XCP) for n in range(4)), kind="counterparty-mpma")
    job = bench.build(wish)
    rival = bench.build(replacing(wish, job, fee_rate=9_000), job.effects.claims)
    rival.submit()
    bench.bitcoin.mine(6)
    assert isinstance(job.watch(answered=False), Dead)


def test_a_spender_further_back_than_is_searched_proves_nothing(bench: Bench) -> None:
    gateway = bench.connect(search_blocks=3)
    wish = plan(pays(friend(1), 20_000))
    job = bench.build(wish)
    bench.build(replacing(wish, job, fee_rate=9_000), job.effects.claims).submit()
    bench.bitcoin.mine(8)
    assert "was not found" in text(job.watch(gateway))


def test_a_second_node_must_agree_on_a_death(bench: Bench) -> None:
    second = bench.bitcoin.second_node()
    with serve_bitcoin(second) as other:
        gateway = bench.connect(second_url=login(other))
        wish = plan(pays(friend(1), 20_000))
        job = bench.build(wish)
        bench.build(replacing(wish, job, fee_rate=9_000), job.effects.claims).submit()
        bench.bitcoin.mine(6)
        second.lag(1)
        assert "second node does not agree" in text(job.watch(gateway))
        second.lag(0, in_download=False)
        outcome = job.watch(gateway)
        assert isinstance(outcome, Dead)
        assert "second node agrees" in outcome.proof


@pytest.mark.parametrize("trouble", ["other chain", "in download", "not pinned"])
def test_a_node_that_is_not_believed_decides_nothing(bench: Bench, trouble: str) -> None:
    pinned = {"pinned_height": 3, "pinned_hash": "11" * 32} if trouble == "not pinned" else {}
    gateway = bench.connect(**pinned)
    job = a_payment(bench)
    job.submit()
    bench.bitcoin.mine(6)
    if trouble == "other chain":
        bench.bitcoin.lie_about("signet")
    if trouble == "in download":
        bench.bitcoin.lag(0)
    assert "is not believed" in text(job.watch(gateway))


def test_a_node_that_is_down_decides_nothing(bench: Bench) -> None:
    job = a_payment(bench)
    bench.bitcoin.go_down()
    with pytest.raises(NodeUnreachable):
        job.watch()


def test_a_transaction_of_another_network_is_refused(bench: Bench) -> None:
    job = a_payment(bench)
    with pytest.raises(WrongNetwork):
        bench.gateway.look().watch(Watched("", b"", replace(job.effects, network="bitcoin:signet"), 1))


# --- commit and reveal ----------------------------------------------------------------------------


@pytest.mark.parametrize("confirmed", [True, False])
def test_a_missing_reveal_is_said_plainly_and_handed_over_again(bench: Bench, confirmed: bool) -> None:
    job = a_pair(bench)
    (_, commit), (reveal_id, _) = transactions(job.signed.blob)
    bench.bitcoin.submit(commit)
    if confirmed:
        bench.bitcoin.mine(8)
    outcome = text(job.watch())
    assert "handed over again, and taken" in outcome
    assert reveal_id in outcome
    assert reveal_id in bench.bitcoin.mempool.entries
    bench.bitcoin.mine(6)
    assert isinstance(job.watch(), Final)


@pytest.mark.parametrize("confirmed", [True, False])
def test_a_reveal_that_the_node_does_not_take_is_stuck_until_somebody_takes_it(bench: Bench, confirmed: bool) -> None:
    job = a_pair(bench)
    (_, commit), (reveal_id, reveal) = transactions(job.signed.blob)
    bench.bitcoin.submit(commit)
    if confirmed:
        bench.bitcoin.mine(8)
    bench.bitcoin.policy = KNOTS
    outcome = job.watch()
    assert isinstance(outcome, Pending)
    assert outcome.stuck
    assert all(words in outcome.text for words in ("STUCK", reveal_id, "bare-datacarrier", "miner"))
    bench.bitcoin.mine_exactly([Tx.read(raw) for raw in ([reveal] if confirmed else [commit, reveal])])
    bench.bitcoin.mine(6)
    job.happened()


def test_a_missing_reveal_whose_answer_never_came_is_said_so(bench: Bench) -> None:
    job = a_pair(bench)
    bench.bitcoin.submit(transactions(job.signed.blob)[0][1])
    bench.bitcoin.mine()
    assert "import the answer" in text(job.watch(answered=False))


def test_a_reveal_that_the_node_forgot_is_found_by_the_commit(bench: Bench) -> None:
    job = a_pair(bench)
    job.submit()
    bench.bitcoin.mine(6)
    bench.bitcoin.forget(job.signed.tx_id)
    assert isinstance(job.watch(), Final)


# --- submitting -----------------------------------------------------------------------------------


def test_good_bytes_are_accepted_and_known_from_then_on(bench: Bench) -> None:
    for make in (a_payment, a_pair):
        job = make(bench)
        kinds = [job.submit().kind, job.submit().kind]
        bench.bitcoin.mine()
        assert [*kinds, job.submit().kind] == ["accepted", "known", "known"]


@pytest.mark.parametrize("loss", ["request-lost", "reply-lost"])
def test_a_lost_answer_is_later_and_submitting_again_is_safe(bench: Bench, loss: SubmitLoss) -> None:
    for make in (a_payment, a_pair):
        job = make(bench)
        bench.bitcoin.drop_next_submit(loss)
        assert job.submit().kind == "later"
        assert job.submit().kind in ("accepted", "known")
        bench.bitcoin.mine(6)
        assert isinstance(job.watch(), Final)


@pytest.mark.parametrize("loss", ["request-lost", "reply-lost"])
def test_a_lost_answer_to_the_reveal_is_mended_by_submitting_again(bench: Bench, loss: SubmitLoss) -> None:
    job = a_pair(bench)
    bench.bitcoin.submit(transactions(job.signed.blob)[0][1])
    bench.bitcoin.drop_next_submit(loss)
    assert job.submit().kind == "later"
    assert job.submit().kind == ("accepted" if loss == "request-lost" else "known")
    bench.bitcoin.mine(6)
    job.happened()


def test_a_commit_stays_here_while_its_reveal_would_not_be_relayed(bench: Bench) -> None:
    job = a_pair(bench)
    bench.bitcoin.policy = KNOTS
    verdict = job.submit()
    assert (verdict.kind, verdict.text.startswith("nothing was sent")) == ("later", True)
    assert not bench.bitcoin.mempool.entries
    bench.bitcoin.mine_exactly([Tx.read(raw) for _, raw in transactions(job.signed.blob)])
    bench.bitcoin.mine(5)
    job.happened()


@pytest.mark.parametrize(
    ("encoding", "words"), [("taproot", "OP_IF/NOTIF"), ("multisig", "bad-txns-vout-script-toolarge")]
)
def test_what_only_this_node_takes_for_a_rule_of_the_network_is_not_refused_for_ever(
    bench: Bench, encoding: str, words: str
) -> None:
    """Others mine it: whoever took "refused" for an end would pay again."""
    bench.fund(1_000_000)
    wish = plan(*(pays(friend(n), 5, XCP) for n in range(4)), kind="counterparty-mpma", encoding=encoding)
    job = bench.build(wish)
    bench.bitcoin.policy = KNOTS_OPEN
    verdict = job.submit()
    assert (verdict.kind, words in verdict.text) == ("later", True)
    bench.bitcoin.mine_exactly([Tx.read(raw) for _, raw in transactions(job.signed.blob)])
    bench.bitcoin.mine(5)
    job.happened()


def test_what_the_node_swallowed_is_pending_and_accepted_again(bench: Bench) -> None:
    job = a_payment(bench)
    bench.bitcoin.drop_next_submit("swallowed")
    assert job.submit().kind == "accepted"
    assert "it can still happen" in text(job.watch())
    assert job.submit().kind == "accepted"
    bench.bitcoin.mine(6)
    job.happened()


def test_a_crash_after_the_commit_is_mended_by_submitting_again(bench: Bench) -> None:
    job = a_pair(bench)
    bench.bitcoin.submit(transactions(job.signed.blob)[0][1])
    verdict = job.submit()
    assert verdict.kind == "accepted"
    assert "commit known" in verdict.text


def test_a_reveal_is_not_handed_over_before_its_commit_was_taken(bench: Bench) -> None:
    wish = plan(*(pays(friend(n), 5, XCP) for n in range(4)), kind="counterparty-mpma")
    job = bench.build(wish)
    bench.build(replacing(wish, job, fee_rate=9_000), job.effects.claims).submit()
    verdict = job.submit()
    assert (verdict.kind, verdict.text.startswith("nothing was sent")) == ("later", True)
    assert job.signed.tx_id not in bench.bitcoin.mempool.entries


def test_a_broken_signature_is_refused_for_ever(bench: Bench) -> None:
    job = a_payment(bench)
    blob = bytearray(job.signed.blob)
    blob[-60] ^= 1  # in s: behind it stand the type, the key with its length, and the lock time
    assert bench.gateway.submit(bytes(blob)).kind == "refused"
    assert bench.gateway.submit(b"\x02\x00").kind == "refused"


def test_bytes_whose_input_is_gone_are_later_and_left_to_the_ledger(bench: Bench) -> None:
    wish = plan(pays(friend(1), 20_000))
    job = bench.build(wish)
    bench.build(replacing(wish, job, fee_rate=9_000), job.effects.claims).submit()
    bench.bitcoin.mine()
    verdict = job.submit()
    assert (verdict.kind, "the ledger decides" in verdict.text) == ("later", True)


def test_a_node_that_is_down_is_a_later(bench: Bench) -> None:
    job = a_payment(bench)
    bench.bitcoin.go_down()
    assert job.submit().kind == "later"
