"""Delegate actions: built for days, carried out by a relayer of our own or a stranger's, settled by the inner receipt.

The relayer's transaction has another id than what was signed; only the key's nonce and the chain's own receipts say
what became of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from nacl.signing import SigningKey

from online.chains.api import Dead, Final, Plan
from online.chains.near.gateway import NearGateway, connect
from online.chains.near.relay import Relayer, read_relayer, wrap
from online.devnet.near import Blocks, NearWorld, rpc
from online.devnet.near.rpc_forms import RpcError
from shared import errors
from shared.chains.near.keys import base58_text, key_text
from shared.errors import BadGatewaySettings, Refusal
from tests.near_gateway_bench import HOT, NETWORK, NOBODY, OTHER, TOKEN, UNIT, Bench, Job, a_bench
from tests.test_near_gateway_watch import beside, proof_of, text_of

SECRET = SigningKey(sha256(b"a relayer of tests").digest())
RELAYER = Relayer("relayer.exchange", SECRET)


@pytest.fixture
def bench() -> Iterator[Bench]:
    with a_bench() as made:
        made.deploy_token()
        made.world.register(TOKEN.code, OTHER.account)
        made.world.create(RELAYER.account, [key_text(RELAYER.public_key)], 20 * UNIT)
        yield made


@pytest.fixture
def relaying(bench: Bench, tmp_path: Path) -> Iterator[NearGateway]:
    file = tmp_path / "relayer.json"
    secret = "ed25519:" + base58_text(bytes(SECRET) + RELAYER.public_key)
    file.write_text(json.dumps({"account_id": RELAYER.account, "private_key": secret}))
    gateway = connect(NETWORK, {**bench.settings, "relayer_file": str(file)})
    yield gateway
    gateway.close()


def tokens(bench: Bench, units: int = 70, **params: int) -> Plan:
    return bench.tokens((OTHER.account, units), kind="nep366-transfer", **params)


def carry(bench: Bench, job: Job) -> str:
    """Carry a signed delegate action out as a stranger's relayer would."""
    outer = wrap(bench.gateway._nodes[0], job.signed.blob, RELAYER)
    bench.world.submit(outer.blob)
    bench.world.advance(10)
    return outer.tx_id


def test_a_delegate_action_is_good_for_days_and_states_no_validity(bench: Bench) -> None:
    job = bench.build(tokens(bench))
    assert job.built.context == {"height": bench.world.final_height}
    expiry = job.built.effects.expiry
    assert expiry is not None
    assert expiry.last_height == bench.world.final_height + 432_000
    assert job.built.effects.fee_most.units == 0


def test_tokens_move_and_the_relayer_pays(bench: Bench) -> None:
    job, before = bench.build(tokens(bench)), bench.world.balance(HOT.account)
    assert "no relayer carried it out yet" in text_of(job.watch())
    outer = carry(bench, job)
    outcome = job.watch()
    assert isinstance(outcome, Final)
    assert (outcome.success, outcome.tx_id, outcome.fee.units, outcome.costs) == (True, outer, 0, ())
    assert outcome.delivered == job.built.effects.payments
    assert bench.world.balance(HOT.account) == before
    assert bench.world.token_balance(TOKEN.code, OTHER.account) == 70


def test_an_account_without_any_near_sends_tokens_by_a_relayer(bench: Bench) -> None:
    bench.world.create("empty.exchange", [HOT.text], 0)
    bench.world.deploy_token("gold.tokens", 6, "empty.exchange", 100)
    bench.world.register("gold.tokens", OTHER.account)
    plan = tokens(bench)
    asset = replace(TOKEN, code="gold.tokens")
    amount = replace(plan.payments[0].amount, asset=asset)
    payment = replace(plan.payments[0], source="empty.exchange", amount=amount)
    job = bench.build(replace(plan, source="empty.exchange", payments=(payment,)))
    carry(bench, job)
    outcome = job.watch()
    assert isinstance(outcome, Final)
    assert outcome.success


def test_keys_are_rotated_by_a_relayer(bench: Bench) -> None:
    job = bench.build(bench.bare("nep366-rotate", new=NOBODY.account, old=HOT.account))
    carry(bench, job)
    assert set(bench.world.keys(HOT.account)) == {NOBODY.text}
    outcome = job.watch()
    assert isinstance(outcome, Final)
    assert outcome.success


def test_tokens_that_are_gone_fail_in_the_inner_receipt(bench: Bench) -> None:
    first = bench.build(bench.tokens((OTHER.account, 1)))
    late = bench.build(tokens(bench, 10**12), {first.claim})
    first.submit()
    bench.world.advance(8)
    carry(bench, late)
    outcome = late.watch()
    assert isinstance(outcome, Final)
    assert (outcome.success, outcome.delivered) == (False, ())
    assert "doesn't have enough balance" in outcome.result


def test_what_no_relayer_took_in_time_is_dead(bench: Bench) -> None:
    job = bench.build(tokens(bench, blocks=20))
    bench.world.advance(30)
    assert "is above its last" in proof_of(job.watch())
    carry(bench, job)  # too late: it fails in the relayer's receipt
    assert isinstance(job.watch(), Dead)
    assert bench.world.token_balance(TOKEN.code, OTHER.account) == 0


def test_what_another_transaction_overtook_is_dead_and_the_other_named(bench: Bench) -> None:
    job = bench.build(tokens(bench))
    later = bench.build(bench.plan(), {job.claim})
    later.submit()
    bench.world.advance(10)
    assert later.signed.tx_id in proof_of(job.watch())


def test_what_another_delegate_action_overtook_is_dead(bench: Bench) -> None:
    job = bench.build(tokens(bench))
    later = bench.build(tokens(bench, 5), {job.claim})
    carry(bench, later)
    assert isinstance(later.watch(), Final)
    assert isinstance(job.watch(), Dead)
    carry(bench, job)
    assert isinstance(job.watch(), Dead)
    assert bench.world.token_balance(TOKEN.code, OTHER.account) == 5


def test_a_copy_with_a_spoiled_signature_is_not_taken_for_it(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    job = bench.build(tokens(bench))
    node = bench.gateway._nodes[0]
    spoiled = job.signed.blob[:-1] + bytes([job.signed.blob[-1] ^ 1])
    bench.world.submit(wrap(node, spoiled, RELAYER).blob)
    bench.world.advance()
    bench.world.submit(wrap(node, job.signed.blob, RELAYER).blob)
    bench.world.advance(10)

    def none(world: NearWorld, params: Mapping[str, Any]) -> Any:
        raise RpcError("METHOD_NOT_FOUND")

    monkeypatch.setattr(rpc, "METHODS", {**rpc.METHODS, "EXPERIMENTAL_changes": (none, ())})
    assert isinstance(job.watch(), Final)


def test_two_of_the_same_nonce_are_told_apart(bench: Bench) -> None:
    short, long = bench.build(tokens(bench, 5, blocks=100)), bench.build(tokens(bench, 7))
    assert short.claim == long.claim
    carry(bench, long)
    assert isinstance(long.watch(), Final)
    assert isinstance(short.watch(), Dead)


def test_an_answer_that_never_came_back_is_found_by_its_nonce(bench: Bench) -> None:
    job = bench.build(tokens(bench))
    carry(bench, job)
    assert isinstance(bench.gateway.look().watch(job.unanswered), Final)


def test_what_a_node_does_not_show_any_more_stays_open(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    job = bench.build(tokens(bench))
    outer = carry(bench, job)
    bench.world.faults.forgotten.add(outer)
    assert "does not know the transaction behind" in text_of(job.watch())
    bench.world.faults.forgotten.clear()
    bench.world.faults.history_from = bench.world.final_height
    assert "an archive_url is needed" in text_of(job.watch())
    with beside(bench, "archive_url") as (gateway, _):
        assert isinstance(gateway.look().watch(job.watched), Final)
    bench.world.faults.syncing = True
    assert "is not believed" in text_of(job.watch())


def test_it_is_found_by_the_chunks_where_a_node_lists_no_changes(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    job = bench.build(tokens(bench))
    carry(bench, job)

    def none(world: NearWorld, params: Mapping[str, Any]) -> Any:
        raise RpcError("METHOD_NOT_FOUND")

    monkeypatch.setattr(rpc, "METHODS", {**rpc.METHODS, "EXPERIMENTAL_changes": (none, ())})
    assert isinstance(job.watch(), Final)


def test_it_is_pending_until_all_of_it_is_final(bench: Bench) -> None:
    job = bench.build(tokens(bench))
    outer = wrap(bench.gateway._nodes[0], job.signed.blob, RELAYER)
    bench.world.submit(outer.blob)
    seen = []
    for _ in range(10):
        bench.world.advance()
        seen.append(type(job.watch()).__name__)
    assert seen == sorted(seen, reverse=True)
    assert set(seen) == {"Pending", "Final"}


# --- our own relayer ------------------------------------------------------------------------------


def test_our_own_relayer_carries_it_out_once(bench: Bench, relaying: NearGateway) -> None:
    job = bench.build(tokens(bench))
    with Blocks(bench.world, 0.05):
        assert relaying.submit(job.signed.blob).kind == "accepted"
    bench.world.advance(10)
    assert relaying.submit(job.signed.blob).kind == "known"
    assert isinstance(relaying.look().watch(job.watched), Final)
    assert bench.world.token_balance(TOKEN.code, OTHER.account) == 70


def test_without_a_relayer_it_is_refused_by_name_and_can_be_carried_as_a_file(bench: Bench) -> None:
    job = bench.build(tokens(bench))
    verdict = bench.gateway.submit(job.signed.blob)
    assert (verdict.kind, "relayer_file" in verdict.text) == ("refused", True)
    carry(bench, job)
    assert isinstance(job.watch(), Final)


def test_a_relayer_whose_node_is_down_or_whose_key_is_none_decides_nothing(
    bench: Bench, relaying: NearGateway
) -> None:
    job = bench.build(tokens(bench))
    bench.world._write(lambda sandbox: sandbox.drop_key(RELAYER.account, key_text(RELAYER.public_key)))
    verdict = relaying.submit(job.signed.blob)
    assert (verdict.kind, "is none of relayer.exchange" in verdict.text) == ("later", True)
    bench.world.faults.down = True
    assert relaying.submit(job.signed.blob).kind == "later"


@pytest.mark.parametrize("secret", [bytes(SECRET), bytes(SECRET) + RELAYER.public_key])
def test_credentials_are_read_in_both_lengths_and_not_shown(tmp_path: Path, secret: bytes) -> None:
    file = tmp_path / "key.json"
    text = base58_text(secret)
    file.write_text(json.dumps({"account_id": "relayer.exchange", "private_key": f"ed25519:{text}"}))
    relayer = read_relayer(str(file))
    assert (relayer.account, relayer.public_key) == (RELAYER.account, RELAYER.public_key)
    assert text not in repr(relayer)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        json.dumps({"account_id": "a.b"}),
        json.dumps({"account_id": "A.B", "private_key": "ed25519:" + base58_text(bytes(32))}),
        json.dumps({"account_id": "a.b", "private_key": base58_text(bytes(32))}),
        json.dumps({"account_id": "a.b", "private_key": "secp256k1:" + base58_text(bytes(32))}),
        json.dumps({"account_id": "a.b", "private_key": "ed25519:" + base58_text(bytes(31))}),
        json.dumps({"account_id": "a.b", "private_key": "ed25519:SECRET0OIl"}),
    ],
)
def test_a_file_that_holds_no_credentials_is_refused_without_showing_it(tmp_path: Path, content: str) -> None:
    file = tmp_path / "key.json"
    file.write_text(content)
    with pytest.raises(BadGatewaySettings) as refused:
        connect(NETWORK, {"url": "http://127.0.0.1:1", "relayer_file": str(file)})
    assert "SECRET" not in str(refused.value)


def test_a_missing_file_of_credentials_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadGatewaySettings):
        connect(NETWORK, {"url": "http://127.0.0.1:1", "relayer_file": str(tmp_path / "none.json")})
    with pytest.raises(BadGatewaySettings):
        connect(NETWORK, {"url": "http://127.0.0.1:1", "relayer_file": 5})


# --- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plan", "refusal"),
    [
        (lambda bench: replace(bench.plan(), kind="nep366-transfer"), errors.BadPlan),
        (lambda bench: tokens(bench, blocks=0), errors.BadPlan),
        (lambda bench: tokens(bench, blocks=3_000_000), errors.BadPlan),
        (lambda bench: bench.plan(blocks=5), errors.BadPlan),
        (lambda bench: bench.tokens((NOBODY.account, 5), kind="nep366-transfer"), errors.BadPlan),
        (lambda bench: bench.tokens(("nobody.merchants", 5), kind="nep366-transfer"), errors.DestinationMissing),
        (lambda bench: tokens(bench, 10**12 + 1), errors.AssetsShort),
        (lambda bench: bench.bare("nep366-rotate", new=NOBODY.account), errors.BadPlan),
        (lambda bench: bench.bare("nep366-rotate", new=NOBODY.account, old=OTHER.account), errors.KeyMayNotSign),
        (lambda bench: tokens(bench, blocks=1), errors.ValidityTooShort),
    ],
)
def test_a_delegate_action_that_would_not_do_is_refused(
    bench: Bench, plan: Callable[[Bench], Plan], refusal: type[Refusal]
) -> None:
    with pytest.raises(refusal):
        bench.build(plan(bench))


def test_bytes_behind_a_signed_delegate_action_are_refused(bench: Bench) -> None:
    with pytest.raises(errors.NearRefusal):
        bench.gateway.submit(bench.build(tokens(bench)).signed.blob + b"\0")
