"""Final and dead as validated ledgers prove them: expiry, gaps, rivals, stripped signatures, two nodes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from online.chains.api import Dead, Final, Outcome, Pending, Watched
from online.chains.xrpl import watch as watching
from online.devnet.server import serve
from online.devnet.xrpl import XrplWorld
from online.devnet.xrpl.hashes import account_key
from online.devnet.xrpl.state import REQUIRE_DEST
from online.devnet.xrpl.storage import load_world, save_world
from shared.chains.api import Context, Signed
from shared.chains.xrpl import XRPL, codec
from shared.chains.xrpl.addresses import decode_address
from shared.chains.xrpl.build import Terms, build_payment
from shared.chains.xrpl.signing import signed as signed_bytes
from shared.effects import Destination, Effects, Payment
from shared.errors import NodeAnswerUnreadable, NodeUnreachable, WrongNetwork
from shared.money import Amount
from tests.gateway_bench import ASSET, HOT, NETWORK, OTHER, XRP, Bench, Job, Key, a_bench

SIGNERS = (Key(21), Key(22, "ed25519"), Key(23))


@pytest.fixture
def bench() -> Iterator[Bench]:
    with a_bench(expiry_ledgers=4) as made:
        yield made


def expire(bench: Bench) -> None:
    bench.world.advance(5)


def pending_text(outcome: Outcome) -> str:
    assert isinstance(outcome, Pending), outcome
    return outcome.text


def proof(outcome: Outcome) -> str:
    assert isinstance(outcome, Dead), outcome
    return outcome.proof


# --- final ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("socket", [False, True])
def test_a_payment_is_pending_until_a_validated_ledger_holds_it(socket: bool) -> None:
    with a_bench(socket=socket) as bench:
        job = bench.build(bench.plan(5 * XRP, tag=7))
        assert "not in a validated ledger" in pending_text(job.watch())
        job.submit()
        assert "no validated ledger holds it" in pending_text(job.watch())
        height = bench.world.close()
        (payment,) = job.built.effects.payments
        final = Final(job.signed.tx_id, height, True, "tesSUCCESS", Amount(ASSET, 10), (payment,))
        assert job.watch() == final
        bench.world.advance(300)
        assert job.watch() == final


def test_what_succeeds_without_a_payment_delivers_nothing(bench: Bench) -> None:
    assert bench.run(bench.settings_plan("tickets", count=2)).delivered == ()


def test_a_tec_is_final_takes_the_fee_and_delivers_nothing(bench: Bench) -> None:
    job = bench.build()
    bench.world.put_account(OTHER.address, 100 * XRP, 3, flags=REQUIRE_DEST)
    bench.world.submit(job.signed.blob)
    height = bench.world.close()
    assert job.watch() == Final(job.signed.tx_id, height, False, "tecDST_TAG_NEEDED", Amount(ASSET, 10), ())


@pytest.mark.parametrize(
    "change",
    [
        {"delivered_amount": "unavailable"},
        {"delivered_amount": {"currency": "USD", "issuer": "r", "value": "1"}},
    ],
)
def test_a_success_without_a_known_delivery_stays_pending(bench: Bench, change: dict[str, Any]) -> None:
    job = bench.build()
    job.submit()
    bench.world.close()
    record = bench.world.history.record(job.signed.tx_id)
    assert record is not None
    record.meta.update(change)
    assert "does not say how much" in pending_text(job.watch())


def test_a_fee_other_than_the_signed_one_is_not_believed(bench: Bench) -> None:
    job = bench.build()
    job.submit()
    bench.world.close()
    effects = replace(job.built.effects, fee_most=Amount(ASSET, 11))
    with pytest.raises(NodeAnswerUnreadable):
        bench.gateway.look().watch(replace(job.watched, effects=effects))


# --- dead by expiry -------------------------------------------------------------------------------


def test_it_is_dead_after_its_last_ledger_and_not_in_it(bench: Bench) -> None:
    job = bench.build()
    bench.world.advance(4)
    assert "can still happen in 0 ledgers" in pending_text(job.watch())
    bench.world.close()
    outcome = job.watch()
    assert isinstance(outcome, Dead)
    assert outcome.height == bench.world.validated_index
    assert f"LastLedgerSequence {job.height + 4}" in outcome.proof


def test_a_good_answer_that_was_swallowed_ends_in_death_by_expiry(bench: Bench) -> None:
    job = bench.build()
    bench.world.drop_next_submit("swallowed")
    assert job.submit().kind == "accepted"
    expire(bench)
    assert "all of which were searched" in proof(job.watch())


@pytest.mark.parametrize("where", [0, 1, 4])
def test_a_gap_anywhere_in_its_life_proves_nothing(bench: Bench, where: int) -> None:
    job = bench.build()
    expire(bench)
    bench.world.advance(3)
    bench.world.forget([job.height + where])
    assert "proves nothing" in pending_text(job.watch())


def test_a_gap_that_swallowed_the_payment_itself_is_no_death(bench: Bench) -> None:
    job = bench.build()
    job.submit()
    happened = bench.world.close()
    expire(bench)
    bench.world.forget([happened])
    assert "used up" in pending_text(job.watch())


def test_a_node_that_says_it_searched_less_than_all_proves_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = bench.build()
    expire(bench)
    monkeypatch.setattr(watching, "_searched", lambda answer: False)
    assert "proves nothing" in pending_text(job.watch())


def test_a_gap_told_in_the_ranges_alone_proves_nothing_either(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = bench.build()
    expire(bench)
    bench.world.forget([job.height + 2])
    monkeypatch.setattr(bench.world.history, "holds_all", lambda low, high: True)
    assert "proves nothing" in pending_text(job.watch())


def test_a_long_life_is_searched_in_windows_that_a_node_answers() -> None:
    with a_bench(expiry_ledgers=2500) as bench:
        job = bench.build()
        bench.world.advance(2501)
        assert "were searched" in proof(job.watch())


def test_the_search_begins_where_it_was_built_when_it_was_submitted_later(bench: Bench) -> None:
    job = bench.build()
    expire(bench)
    late = replace(job.watched, submitted_height=job.height + 3)
    assert f"ledgers {job.height} to" in proof(bench.gateway.look().watch(late))


def test_a_sequence_that_ticket_creation_jumped_over_dies_by_expiry(bench: Bench) -> None:
    tickets = bench.build(bench.settings_plan("tickets", count=5))
    stuck = bench.build(taken=tickets.built.effects.claims)
    tickets.submit()
    bench.world.close()
    assert isinstance(stuck.watch(), Pending)
    expire(bench)
    assert "were searched" in proof(stuck.watch())


def test_a_refused_second_submission_proves_nothing(bench: Bench) -> None:
    job = bench.build()
    job.submit()
    bench.world.close()
    assert job.submit().kind == "known"
    assert isinstance(job.watch(), Final)


# --- dead by another ------------------------------------------------------------------------------


@pytest.mark.parametrize("claim", ["ticket", "sequence"])
def test_a_claim_used_up_by_another_transaction_is_death_with_its_id(bench: Bench, claim: str) -> None:
    bench.run(bench.settings_plan("tickets", count=2))
    job = bench.build(bench.plan(2 * XRP, claim=claim))
    rival = bench.build(bench.plan(3 * XRP, claim=job.claim))
    rival.submit()
    height = bench.world.close()
    outcome = job.watch()
    assert isinstance(outcome, Dead)
    assert outcome.height == height
    assert rival.signed.tx_id in outcome.proof
    assert job.claim in outcome.proof


def test_a_rival_that_ended_in_tec_used_the_claim_up_as_well(bench: Bench) -> None:
    job, rival = bench.build(), bench.build(bench.plan(3 * XRP))
    bench.world.put_account(OTHER.address, 100 * XRP, 3, flags=REQUIRE_DEST)
    bench.world.submit(rival.signed.blob)
    bench.world.close()
    assert "tecDST_TAG_NEEDED" in proof(job.watch())


def test_a_payment_from_elsewhere_with_the_same_sequence_is_no_rival(bench: Bench) -> None:
    bench.world.put_account(HOT.address, 100 * XRP, 30)
    bench.world.put_account(OTHER.address, 100 * XRP, 30)
    job, rival = bench.build(), bench.build(bench.plan(3 * XRP))
    to_hot = Payment(OTHER.address, Destination(HOT.address), Amount(ASSET, XRP))
    plan = replace(bench.plan(), source=OTHER.address, public_key=OTHER.public, payments=(to_hot,))
    foreign = OTHER.sign(bench.gateway.build(plan, []))
    bench.gateway.submit(foreign.blob)
    bench.world.close()
    rival.submit()
    bench.world.close()
    assert rival.signed.tx_id in proof(job.watch())
    assert foreign.tx_id not in proof(job.watch())


def test_a_rival_in_a_ledger_that_the_node_lost_is_no_proof(bench: Bench) -> None:
    job, rival = bench.build(), bench.build(bench.plan(3 * XRP))
    rival.submit()
    happened = bench.world.close()
    bench.world.advance(2)
    bench.world.forget([happened])
    assert "used up" in pending_text(job.watch())


def test_a_ticket_that_does_not_exist_yet_is_not_used_up(bench: Bench) -> None:
    bench.run(bench.settings_plan("tickets", count=2))
    job = bench.build()
    root = bench.world.state[account_key(HOT.address)]
    bench.world.put_account(HOT.address, 100 * XRP, int(job.claim.split()[1]))
    assert root["TicketCount"] == 2
    assert "can still happen" in pending_text(job.watch())


def test_a_payment_to_the_account_does_not_use_up_its_claims(bench: Bench) -> None:
    job = bench.build()
    bench.world.fund(HOT.address, XRP)
    assert isinstance(job.watch(), Pending)


# --- the same payment under another id ------------------------------------------------------------


def several(bench: Bench) -> tuple[Effects, list[Signed]]:
    """Give one payment signed by all three signers of two needed, and stripped to two of them."""
    bench.world.put_account(HOT.address, 100 * XRP, 30, quorum=2, signers={key.address: 1 for key in SIGNERS})
    height = bench.world.validated_index
    terms = Terms(NETWORK, HOT.address, b"", fee_drops=40, last_ledger=height + 4, sequence=30)
    unsigned = build_payment(terms, Destination(OTHER.address, 5), Amount(ASSET, XRP))
    items, effects = {}, None
    for key in SIGNERS:
        public = key.public if key.curve == "secp256k1" else b"\xed" + key.public
        context: Context = {"height": height, "signer": key.address, "public_key": public}
        tx = XRPL.decode(unsigned, context, [(1,)], NETWORK)
        effects = XRPL.effects(tx)
        (payload,) = XRPL.payloads(tx)
        blob = XRPL.assemble(tx, [key.sign_payload(payload)]).blob
        items[decode_address(key.address)] = codec.read(blob)["Signers"][0]
    assert effects is not None
    ordered = [items[account] for account in sorted(items)]
    fields = codec.read(unsigned)
    return effects, [
        signed_bytes(codec.write({**fields, "Signers": kept})) for kept in (ordered, ordered[:2])
    ]


def test_a_payment_stripped_of_a_spare_signature_is_final_under_its_other_id(bench: Bench) -> None:
    effects, (full, stripped) = several(bench)
    assert full.tx_id != stripped.tx_id
    watched = Watched(full.tx_id, full.blob, effects, bench.world.validated_index)
    assert bench.gateway.submit(stripped.blob).kind == "accepted"
    height = bench.world.close()
    outcome = bench.gateway.look().watch(watched)
    assert outcome == Final(stripped.tx_id, height, True, "tesSUCCESS", Amount(ASSET, 40), effects.payments)
    expire(bench)
    assert bench.gateway.look().watch(watched) == outcome


# --- two nodes ------------------------------------------------------------------------------------


@contextmanager
def two_nodes(path: Path) -> Iterator[tuple[Bench, XrplWorld, Bench]]:
    """Serve a world and a true copy of it, and connect a gateway to both."""
    with a_bench(expiry_ledgers=4) as bench:
        save_world(bench.world, path)
        twin = load_world(path)
        with serve(twin) as server:
            from online.chains import connect

            both = connect(NETWORK, {**bench.settings, "second_url": server.url})
            yield bench, twin, replace(bench, gateway=both)


def test_death_needs_the_second_node_to_agree(tmp_path: Path) -> None:
    with two_nodes(tmp_path / "world") as (bench, twin, both):
        job = both.build()
        expire(bench)
        twin.advance(2)
        assert isinstance(replace(job, bench=bench).watch(), Dead)
        assert "does not agree yet" in pending_text(job.watch())
        twin.advance(5)
        assert "the second node agrees" in proof(job.watch())


def test_a_gap_at_the_second_node_is_no_agreement(tmp_path: Path) -> None:
    with two_nodes(tmp_path / "world") as (bench, twin, both):
        job = both.build()
        expire(bench)
        twin.advance(6)
        twin.forget([job.height + 2])
        assert "proves nothing" in pending_text(job.watch())


def test_nodes_that_disagree_on_what_happened_prove_nothing(tmp_path: Path) -> None:
    with two_nodes(tmp_path / "world") as (bench, twin, both):
        job = both.build()
        twin.submit(job.signed.blob)
        twin.close()
        expire(bench)
        assert "disagree" in pending_text(job.watch())


def test_without_the_second_nodes_answer_there_is_no_death(tmp_path: Path) -> None:
    with two_nodes(tmp_path / "world") as (bench, twin, both):
        job = both.build()
        expire(bench)
        twin.go_down()
        with pytest.raises(NodeUnreachable):
            job.watch()


# --- nodes that are not believed ------------------------------------------------------------------


def test_a_node_of_another_network_proves_nothing(bench: Bench) -> None:
    job = bench.build()
    expire(bench)
    bench.world.lie_about(network_id=1)
    assert "not believed" in pending_text(job.watch())


def test_a_node_out_of_step_proves_nothing(bench: Bench) -> None:
    job = bench.build()
    expire(bench)
    bench.world.lose_sync()
    assert "not believed" in pending_text(job.watch())


def test_a_stalled_node_keeps_everything_pending(bench: Bench) -> None:
    job = bench.build()
    job.submit()
    bench.world.stall()
    expire(bench)
    assert isinstance(job.watch(), Pending)
    bench.world.resume()
    bench.world.close()
    assert isinstance(job.watch(), Final)


def test_a_node_that_is_down_decides_nothing(bench: Bench) -> None:
    job = bench.build()
    bench.world.go_down()
    with pytest.raises(NodeUnreachable):
        job.watch()
    bench.world.come_up()
    assert isinstance(job.watch(), Pending)


def test_a_transaction_of_another_network_is_not_watched_here(bench: Bench) -> None:
    job: Job = bench.build()
    effects = replace(job.built.effects, network="xrpl:testnet")
    with pytest.raises(WrongNetwork):
        bench.gateway.look().watch(replace(job.watched, effects=effects))
