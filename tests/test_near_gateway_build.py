"""What a NEAR gateway builds, and what it refuses to build, against a world behind a node's JSON-RPC."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from online.chains.api import AccountState, Final, Gateway, Plan, Purser
from online.chains.near.lanes import choose, nonce_of
from shared import errors
from shared.chains.near.codec import read_transaction
from shared.chains.near.model import AddKey, DeleteKey, FunctionCall
from shared.effects import Claim, Destination, Payment
from shared.errors import Refusal
from shared.money import Amount, Asset
from tests.near_gateway_bench import (
    ASSET,
    HOT,
    LANES,
    NETWORK,
    NOBODY,
    OTHER,
    SHOP,
    TOKEN,
    UNIT,
    Bench,
    Job,
    a_bench,
)


@pytest.fixture
def bench() -> Iterator[Bench]:
    with a_bench() as made:
        yield made


@pytest.fixture
def rich() -> Iterator[Bench]:
    """Give a bench whose token HOT holds, and OTHER is registered with."""
    with a_bench() as made:
        made.deploy_token()
        made.world.register(TOKEN.code, OTHER.account)
        yield made


def calls(job: Job) -> list[tuple[str, int, dict[str, object]]]:
    found = []
    for action in read_transaction(job.built.unsigned).actions:
        assert isinstance(action, FunctionCall)
        found.append((action.method, action.deposit, json.loads(action.args)))
    return found


# --- payments -------------------------------------------------------------------------------------


@pytest.mark.parametrize("to", [OTHER.account, NOBODY.account, "0x" + "a1" * 20, SHOP])
def test_a_payment_to_whom_it_can_reach_arrives_whole(bench: Bench, to: str) -> None:
    before = bench.world.balance(to)
    outcome = bench.run(bench.plan(5 * UNIT, to))
    assert outcome.success
    assert outcome.delivered == (Payment(HOT.account, Destination(to), Amount(ASSET, 5 * UNIT)),)
    assert bench.world.balance(to) == before + 5 * UNIT


def test_what_a_payment_took_is_its_amount_and_its_fee_to_the_last_yocto(bench: Bench) -> None:
    before = bench.world.balance(HOT.account)
    outcome = bench.run(bench.plan(3 * UNIT, NOBODY.account))
    assert before - bench.world.balance(HOT.account) == 3 * UNIT + outcome.fee.units
    assert outcome.refunds
    assert outcome.costs == ()


def test_the_context_is_the_final_block_and_the_networks_period(bench: Bench) -> None:
    job = bench.build()
    assert job.built.context == {"height": bench.world.final_height, "validity": 86_400}
    expiry = job.built.effects.expiry
    assert expiry is not None
    assert expiry.last_height == bench.world.final_height + 86_400


def test_the_nonce_is_the_keys_next_and_never_one_that_is_taken(bench: Bench) -> None:
    first, taken = bench.build(), set[Claim]()
    for count in range(3):
        job = bench.build(taken=taken)
        assert nonce_of(job.claim) == nonce_of(first.claim) + count
        taken.add(job.claim)


@pytest.mark.parametrize(
    ("plan", "refusal"),
    [
        (lambda bench: bench.plan(to="nobody.merchants"), errors.DestinationMissing),
        (lambda bench: bench.plan(1000 * UNIT), errors.ReserveTooLow),
        (lambda bench: bench.plan(10 * UNIT, pending_units=990 * UNIT), errors.ReserveTooLow),
        (lambda bench: bench.plan(0), errors.NearPaymentRefused),
        (lambda bench: bench.plan(to=HOT.account), errors.NearPaymentRefused),
        (lambda bench: bench.plan(to="system"), errors.NearPaymentRefused),
        (lambda bench: bench.plan(to="Bob.near"), errors.BadAddress),
        (lambda bench: bench.plan(claim="nonce 5"), errors.BadPlan),
        (lambda bench: bench.plan(pending_units=-1), errors.BadPlan),
        (lambda bench: replace(bench.plan(), kind="stake"), errors.BadPlan),
        (lambda bench: replace(bench.plan(), network="near:mainnet"), errors.WrongNetwork),
        (lambda bench: replace(bench.plan(), source=OTHER.account), errors.BadPlan),
        (lambda bench: replace(bench.plan(), payments=()), errors.BadPlan),
        (lambda bench: replace(bench.plan(), payments=bench.plan().payments * 2), errors.BadPlan),
        (lambda bench: replace(bench.tokens((OTHER.account, 1)), kind="payment"), errors.BadPlan),
        (lambda bench: replace(bench.plan(), kind="nep141-transfer"), errors.BadPlan),
        (lambda bench: replace(bench.plan(), public_key=NOBODY.public), errors.KeyMayNotSign),
        (lambda bench: from_account(bench.plan(), NOBODY.account), errors.SourceMissing),
    ],
)
def test_a_plan_that_cannot_be_carried_out_is_refused_before_anything_is_exported(
    bench: Bench, plan: Callable[[Bench], Plan], refusal: type[Refusal]
) -> None:
    with pytest.raises(refusal):
        bench.gateway.build(plan(bench), ())


def from_account(plan: Plan, account: str) -> Plan:
    return replace(plan, source=account, payments=tuple(replace(one, source=account) for one in plan.payments))


def test_gas_dearer_than_the_bound_of_fees_builds_nothing(bench: Bench) -> None:
    bench.world.pace.gas_price = 2 * 10**9
    bench.world.advance(3)
    with pytest.raises(errors.FeeTooHigh):
        bench.build()


def test_a_transaction_that_would_not_outlive_the_crossing_is_not_built() -> None:
    with a_bench(validity=100, crossing_seconds=61) as bench, pytest.raises(errors.ValidityTooShort, match="100"):
        bench.build()


def test_a_transaction_that_just_outlives_the_crossing_is_built() -> None:
    with a_bench(validity=100, crossing_seconds=55) as bench:
        assert bench.build().built.context["validity"] == 100


def test_a_named_account_pays_by_any_of_our_keys_that_it_has(bench: Bench) -> None:
    bench.world.create("cold.exchange", [HOT.text], 50 * UNIT)
    plan = from_account(bench.plan(), "cold.exchange")
    outcome = bench.run(plan)
    assert outcome.success
    assert bench.world.balance("cold.exchange") < 49 * UNIT


# --- tokens ---------------------------------------------------------------------------------------


def test_a_batch_of_tokens_registers_only_who_is_missing_and_is_one_transaction(rich: Bench) -> None:
    job = rich.build(rich.tokens((OTHER.account, 5_000_000), (NOBODY.account, 7), (SHOP, 1)))
    deposit = 125 * 10**19
    assert calls(job) == [
        ("storage_deposit", deposit, {"account_id": NOBODY.account, "registration_only": True}),
        ("storage_deposit", deposit, {"account_id": SHOP, "registration_only": True}),
        ("ft_transfer", 1, {"receiver_id": OTHER.account, "amount": "5000000"}),
        ("ft_transfer", 1, {"receiver_id": NOBODY.account, "amount": "7"}),
        ("ft_transfer", 1, {"receiver_id": SHOP, "amount": "1"}),
    ]
    before = rich.world.balance(HOT.account)
    job.submit()
    rich.world.advance(8)
    outcome = job.watch()
    assert isinstance(outcome, Final)
    assert outcome.success
    assert len(outcome.delivered) == 3
    assert [cost.units for cost in outcome.costs] == [2 * deposit + 3]
    assert before - rich.world.balance(HOT.account) == outcome.fee.units + 2 * deposit + 3
    assert rich.world.token_balance(TOKEN.code, NOBODY.account) == 7


def test_one_receiver_paid_twice_is_registered_once(rich: Bench) -> None:
    job = rich.build(rich.tokens((NOBODY.account, 1), (NOBODY.account, 2)))
    assert [method for method, *_ in calls(job)] == ["storage_deposit", "ft_transfer", "ft_transfer"]


def other_asset(plan: Plan, asset: Asset) -> Plan:
    payment = plan.payments[0]
    return replace(plan, payments=(replace(payment, amount=Amount(asset, payment.amount.units)),))


@pytest.mark.parametrize(
    ("plan", "refusal"),
    [
        (lambda rich: rich.tokens((OTHER.account, 10**12 + 1)), errors.AssetsShort),
        (lambda rich: rich.tokens((OTHER.account, 5), **{f"pending:{TOKEN.code}": 10**12 - 4}), errors.AssetsShort),
        (lambda rich: rich.tokens((OTHER.account, 5), (OTHER.account, 10**12)), errors.AssetsShort),
        (lambda rich: rich.tokens(("nobody.merchants", 5)), errors.DestinationMissing),
        (lambda rich: rich.tokens((TOKEN.code, 5)), errors.NearTokenRefused),
        (lambda rich: rich.tokens((HOT.account, 5)), errors.NearTokenRefused),
        (lambda rich: rich.tokens((OTHER.account, 0)), errors.NearTokenRefused),
        (lambda rich: other_asset(rich.tokens((OTHER.account, 5)), replace(TOKEN, decimals=18)), errors.TokenDiffers),
        (lambda rich: other_asset(rich.tokens((OTHER.account, 5)), replace(TOKEN, code=SHOP)), errors.TokenDiffers),
        (lambda rich: other_asset(rich.tokens((OTHER.account, 5)), replace(TOKEN, code="x.y")), errors.TokenDiffers),
        (lambda rich: rich.tokens((OTHER.account, 5), pending_units=1000 * UNIT), errors.ReserveTooLow),
        (lambda rich: rich.tokens((NOBODY.account, 5), kind="nep141-call", msg="x"), errors.BadPlan),
        (lambda rich: rich.tokens((OTHER.account, 5), kind="nep141-call"), errors.BadPlan),
        (lambda rich: rich.tokens((OTHER.account, 5), msg="x"), errors.BadPlan),
        (lambda rich: rich.bare("nep141-register", contract=TOKEN.code), errors.BadPlan),
        (lambda rich: rich.bare("nep141-register", contract=TOKEN.code, account_1=OTHER.account), errors.BadPlan),
        (lambda rich: rich.bare("nep141-register", contract=TOKEN.code, account_2=SHOP), errors.BadPlan),
        (lambda rich: rich.bare("nep141-register", contract=SHOP, account_1=SHOP), errors.TokenDiffers),
    ],
)
def test_tokens_that_would_not_arrive_are_refused(
    rich: Bench, plan: Callable[[Bench], Plan], refusal: type[Refusal]
) -> None:
    with pytest.raises(refusal):
        rich.gateway.build(plan(rich), ())


def test_accounts_are_registered_by_a_transaction_that_pays_nobody(rich: Bench) -> None:
    whom = {"account_1": NOBODY.account, "account_2": OTHER.account}
    outcome = rich.run(rich.bare("nep141-register", contract=TOKEN.code, **whom))
    assert outcome.success
    assert outcome.delivered == ()
    assert [cost.units for cost in outcome.costs] == [125 * 10**19]
    assert rich.world.is_registered(TOKEN.code, NOBODY.account)


@pytest.mark.parametrize(
    ("code", "kept"),
    [("takes-tokens", 10), ("returns-half", 5), ("returns-tokens", 0), ("panics", 0)],
)
def test_a_call_with_tokens_delivers_what_the_receiver_kept(rich: Bench, code: str, kept: int) -> None:
    rich.world.deploy("pool.swaps", code)
    rich.world.register(TOKEN.code, "pool.swaps")
    outcome = rich.run(rich.tokens(("pool.swaps", 10), kind="nep141-call", msg="swap"))
    assert outcome.success == bool(kept)
    assert sum(payment.amount.units for payment in outcome.delivered) == kept
    assert rich.world.token_balance(TOKEN.code, "pool.swaps") == kept


# --- keys and lanes -------------------------------------------------------------------------------


def test_lanes_are_dealt_round_so_that_each_has_as_few_as_any(bench: Bench) -> None:
    bench.add_lanes()
    wide, taken = with_lanes(bench.plan()), set[Claim]()
    for _ in range(8):
        job = bench.build(wide, taken)
        taken.add(job.claim)
    scopes = [claim.scope for claim in taken]
    assert sorted(scopes.count(scope) for scope in set(scopes)) == [2, 2, 2, 2]
    assert len({(claim.scope, claim.name) for claim in taken}) == 8


def with_lanes(plan: Plan) -> Plan:
    return replace(plan, inputs=tuple((key.account, key.path, key.public) for key in LANES))


def test_a_lane_that_the_account_does_not_have_is_not_used(bench: Bench) -> None:
    bench.add_lanes(LANES[:1])
    wide, taken = with_lanes(bench.plan()), set[Claim]()
    for _ in range(4):
        taken.add(bench.build(wide, taken).claim)
    assert {claim.scope.partition(" ")[2] for claim in taken} == {HOT.text, LANES[0].text}


def test_what_was_claimed_before_is_claimed_again_while_the_ledger_lets_it(bench: Bench) -> None:
    first = bench.build(taken={bench.build().claim})
    again = replace(bench.plan(), again=(first.claim,))
    assert bench.build(again).claim == first.claim
    bench.run()  # takes the nonce before it only
    assert bench.build(again).claim == first.claim
    bench.run()
    assert nonce_of(bench.build(again).claim) > nonce_of(first.claim)


def test_what_another_job_holds_is_not_claimed_again(bench: Bench) -> None:
    first = bench.build()
    again = replace(bench.plan(), again=(first.claim,))
    assert bench.build(again, {first.claim}).claim != first.claim


def test_a_nonce_beyond_what_the_height_allows_is_not_given() -> None:
    from online.chains.near.lanes import Lane

    lane = Lane((1,), HOT.public, HOT.text, 10**8)
    with pytest.raises(errors.NoFreeClaim):
        choose(HOT.account, [lane], (), (), 100)
    assert choose(HOT.account, [lane], (), (), 101).nonce == 10**8 + 1


@pytest.mark.parametrize("name", ["sequence 5", "nonce", "nonce 05", "nonce -1", "nonce 5 ", "nonce 1" + "0" * 20])
def test_a_claim_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(errors.BadPlan):
        nonce_of(Claim("x", name))


def test_a_key_is_rotated_by_one_transaction_and_signs_no_more(bench: Bench) -> None:
    job = bench.build(bench.bare("near-rotate", new=NOBODY.account, old=HOT.account))
    actions = read_transaction(job.built.unsigned).actions
    assert [type(action) for action in actions] == [AddKey, DeleteKey]
    job.submit()
    bench.world.advance(6)
    assert set(bench.world.keys(HOT.account)) == {NOBODY.text}
    with pytest.raises(errors.KeyMayNotSign):
        bench.build()


@pytest.mark.parametrize(
    ("params", "refusal"),
    [
        ({"new": HOT.account, "old": OTHER.account}, errors.NearKeyRefused),
        ({"new": NOBODY.account, "old": OTHER.account}, errors.KeyMayNotSign),
        ({"new": NOBODY.account}, errors.BadPlan),
        ({"old": HOT.account}, errors.BadPlan),
        ({"new": NOBODY.account.upper(), "old": HOT.account}, errors.BadPlan),
        ({"new": "alice.near", "old": HOT.account}, errors.BadPlan),
        ({"new": 5, "old": HOT.account}, errors.BadPlan),
    ],
)
def test_a_rotation_that_would_fail_or_says_too_little_is_refused(
    bench: Bench, params: dict[str, int | str], refusal: type[Refusal]
) -> None:
    with pytest.raises(refusal):
        bench.build(bench.bare("near-rotate", **params))


def test_a_lane_that_is_there_already_is_refused(bench: Bench) -> None:
    bench.add_lanes(LANES[:1])
    with pytest.raises(errors.KeyMayNotSign, match="already"):
        bench.build(bench.bare("near-lanes", key_1=LANES[0].account))


# --- what addresses hold --------------------------------------------------------------------------


def test_balances_of_many_accounts_are_told_with_what_they_must_keep(bench: Bench) -> None:
    there, missing = bench.gateway.accounts([HOT.account, NOBODY.account])
    assert there == AccountState(
        HOT.account, True, bench.world.final_height, Amount(ASSET, 1000 * UNIT), Amount(ASSET, 0)
    )
    assert (missing.exists, missing.balance.units) == (False, 0)
    assert bench.gateway.account(HOT.account) == there
    as_any_other: Gateway = bench.gateway
    assert isinstance(as_any_other, Purser)


def test_an_account_above_the_free_bytes_keeps_its_storage(bench: Bench) -> None:
    bench.world.deploy("big.contracts", "nep141", 50 * UNIT)
    bench.world.deploy_token("big.contracts", 6, HOT.account, 1)
    bench.world.register("big.contracts", *(f"holder-{number}.of-tokens" for number in range(20)))
    state = bench.gateway.account("big.contracts")
    assert state.reserved.units > 0
    assert state.reserved.units % 10**19 == 0


def test_a_filled_payment_takes_everything_and_is_accepted(bench: Bench) -> None:
    plan = bench.gateway.filled(bench.plan(1), ())
    outcome = bench.run(plan)
    assert outcome.success
    left = bench.world.balance(HOT.account)
    assert left == 1000 * UNIT - outcome.delivered[0].amount.units - outcome.fee.units
    assert left < UNIT // 100  # the prepaid gas that came back


@pytest.mark.parametrize(
    ("plan", "refusal"),
    [
        (lambda bench: bench.plan(1, pending_units=1000 * UNIT), errors.NothingToMove),
        (lambda bench: bench.plan(1, pending_units=1000 * UNIT - 10**20), errors.NothingToMove),
        (lambda bench: bench.tokens((OTHER.account, 1)), errors.BadPlan),
        (lambda bench: from_account(bench.plan(1), NOBODY.account), errors.SourceMissing),
        (lambda bench: replace(bench.plan(1), network="near:testnet"), errors.WrongNetwork),
    ],
)
def test_what_is_not_worth_its_fee_or_no_payment_is_not_filled(
    bench: Bench, plan: Callable[[Bench], Plan], refusal: type[Refusal]
) -> None:
    with pytest.raises(refusal):
        bench.gateway.filled(plan(bench), ())


def test_balances_of_tokens_are_told_by_their_contracts(rich: Bench) -> None:
    assert rich.gateway.asset_balance(HOT.account, TOKEN) == Amount(TOKEN, 10**12)
    assert rich.gateway.asset_balance(NOBODY.account, TOKEN).units == 0
    with pytest.raises(errors.TokenDiffers):
        rich.gateway.asset_balance(HOT.account, replace(TOKEN, decimals=8))
    with pytest.raises(errors.TokenDiffers):
        rich.gateway.asset_balance(HOT.account, Asset(NETWORK, SHOP, 6))
