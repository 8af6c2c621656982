"""Building against a served ledger: what is built, its claim and fee, and every check that refuses it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from online.chains.xrpl import build as building
from online.chains.xrpl.answers import account_of
from online.chains.xrpl.node import Node
from online.devnet.xrpl.hashes import account_key
from online.devnet.xrpl.state import DEPOSIT_AUTH, DISABLE_MASTER, DISALLOW_XRP, REQUIRE_DEST
from shared import errors
from shared.chains.api import Context
from shared.chains.xrpl import XRPL
from shared.chains.xrpl.build import Terms, build_payment
from shared.effects import Claim, Destination, Effects, Expiry, Payment
from shared.money import Amount
from tests.gateway_bench import ASSET, COLD, HOT, NETWORK, OTHER, XRP, Bench, Key, a_bench

STRANGER = Key(77)


@pytest.fixture
def bench() -> Iterator[Bench]:
    with a_bench() as made:
        yield made


def sequence(bench: Bench) -> int:
    return int(bench.world.state[account_key(HOT.address)]["Sequence"])


def set_hot(bench: Bench, drops: int = 1000 * XRP, **settings: Any) -> None:
    bench.world.put_account(HOT.address, drops, 300, **settings)


def set_other(bench: Bench, **settings: Any) -> None:
    bench.world.put_account(OTHER.address, 100 * XRP, 3, **settings)


# --- what is built --------------------------------------------------------------------------------


def test_a_payment_is_built_with_its_claim_expiry_and_fee_from_the_validated_ledger(bench: Bench) -> None:
    memo = 'data="invoice 7"'
    payment = Payment(HOT.address, Destination(OTHER.address, 0, memo), Amount(ASSET, 5 * XRP))
    built = bench.gateway.build(replace(bench.plan(), payments=(payment,)), [])
    height = bench.world.validated_index
    assert built.context == {"height": height}
    assert built.keys == ((1,),)
    assert built.effects == Effects(
        "payment", NETWORK, HOT.address, (payment,), HOT.address, Amount(ASSET, 10), (),
        (Claim(f"{NETWORK}/{HOT.address}", f"sequence {sequence(bench)}"),), Expiry(height + 256, height),
    )  # fmt: skip
    assert built.effects == XRPL.effects(XRPL.decode(built.unsigned, built.context, built.keys, NETWORK))


def test_the_life_of_a_transaction_follows_the_settings() -> None:
    with a_bench(expiry_ledgers=25_000) as bench:
        expiry = bench.build().built.effects.expiry
        assert expiry == Expiry(bench.world.validated_index + 25_000, bench.world.validated_index)


def test_tickets_are_made_and_then_used_from_the_lowest_on(bench: Bench) -> None:
    before = sequence(bench)
    bench.run(bench.settings_plan("tickets", count=3))
    assert sequence(bench) == before + 4
    first = bench.build()
    second = bench.build(taken=first.built.effects.claims)
    assert [first.claim, second.claim] == [f"ticket {before + 1}", f"ticket {before + 2}"]


def test_tickets_are_read_over_several_pages(bench: Bench) -> None:
    set_hot(bench, tickets=range(10, 259))
    node = Node(bench.server.url, 3)
    assert node.tickets(HOT.address, bench.world.validated_index) == tuple(range(10, 259))
    where = f"{NETWORK}/{HOT.address}"
    job = bench.build(taken=[Claim(where, f"ticket {number}") for number in range(10, 258)])
    assert job.claim == "ticket 258"


def test_the_history_of_a_busy_account_is_read_over_several_pages(bench: Bench) -> None:
    for _ in range(210):
        bench.world.fund(HOT.address, 1)
    node, height = Node(bench.server.url, 3), bench.world.validated_index
    heights = [found.height for found in node.history(HOT.address, 3, height)]
    assert heights == list(range(3, height + 1))


def test_an_account_of_a_ledger_that_is_not_validated_is_not_believed() -> None:
    root = {"Account": HOT.address, "Balance": "1", "Sequence": 1, "OwnerCount": 0, "Flags": 0}
    answer = {"account_data": root, "ledger_index": 5}
    assert account_of({**answer, "validated": True}).height == 5
    with pytest.raises(errors.NodeAnswerUnreadable, match="not validated"):
        account_of({**answer, "validated": False})


def test_sequences_that_wait_for_each_other_all_happen(bench: Bench) -> None:
    first = bench.build()
    second = bench.build(taken=first.built.effects.claims)
    third = bench.build(taken=first.built.effects.claims + second.built.effects.claims)
    verdicts = [job.submit().kind for job in (first, second, third)]
    bench.world.close()
    assert verdicts == ["accepted"] * 3
    assert {type(job.watch()).__name__ for job in (first, second, third)} == {"Final"}


def test_a_flag_is_set_and_cleared_by_its_name(bench: Bench) -> None:
    bench.run(bench.settings_plan("account-set", set="require-dest"))
    assert bench.world.state[account_key(HOT.address)]["Flags"] & REQUIRE_DEST
    bench.run(bench.settings_plan("account-set", clear="require-dest"))
    assert not bench.world.state[account_key(HOT.address)]["Flags"] & REQUIRE_DEST


def test_an_account_set_without_flags_uses_up_a_named_ticket_and_changes_nothing(bench: Bench) -> None:
    set_hot(bench, tickets=[40, 41])
    job = bench.build(bench.settings_plan("account-set", claim="ticket 41"))
    assert job.claim == "ticket 41"
    assert job.built.effects.settings == ()


def test_an_ed25519_wallet_and_a_regular_key_build_as_well(bench: Bench) -> None:
    set_hot(bench, regular_key=COLD.address, flags=DISABLE_MASTER)
    built = bench.gateway.build(replace(bench.plan(), public_key=COLD.public), [])
    signed = COLD.sign(built)
    assert bench.gateway.submit(signed.blob).kind == "accepted"


def test_the_open_ledgers_fee_is_offered_up_to_the_cap() -> None:
    with a_bench(fee_cap_drops=7200) as bench:
        bench.world.crowd(7200)
        assert bench.build().built.effects.fee_most.units == 7200
        bench.world.crowd(7201)
        with pytest.raises(errors.FeeTooHigh):
            bench.build()


def test_the_state_of_an_account_names_balance_and_reserve(bench: Bench) -> None:
    set_hot(bench, drops=30 * XRP, tickets=[7, 8])
    state = bench.gateway.account(HOT.address)
    assert (state.exists, state.balance.units, state.reserved.units) == (True, 30 * XRP, 1_400_000)
    assert state.height == bench.gateway.height() == bench.world.validated_index
    assert not bench.gateway.account(STRANGER.address).exists


# --- the source -----------------------------------------------------------------------------------


def test_a_source_that_does_not_exist_is_refused(bench: Bench) -> None:
    payment = Payment(STRANGER.address, Destination(OTHER.address), Amount(ASSET, XRP))
    plan = replace(bench.plan(), source=STRANGER.address, public_key=STRANGER.public, payments=(payment,))
    with pytest.raises(errors.SourceMissing):
        bench.gateway.build(plan, [])


@pytest.mark.parametrize(
    ("key", "settings"), [(STRANGER, {}), (HOT, {"flags": DISABLE_MASTER, "regular_key": COLD.address})]
)
def test_a_key_that_may_not_sign_is_refused(bench: Bench, key: Key, settings: dict[str, Any]) -> None:
    set_hot(bench, **settings)
    with pytest.raises(errors.KeyMayNotSign):
        bench.gateway.build(replace(bench.plan(), public_key=key.public), [])


def test_a_source_keeps_its_reserve_for_what_it_owns_its_fee_and_what_is_pending(bench: Bench) -> None:
    set_hot(bench, drops=10 * XRP, tickets=[40, 41])
    most = 10 * XRP - 1_400_000 - 10
    assert bench.build(bench.plan(most)).built.effects.payments[0].amount.units == most
    with pytest.raises(errors.ReserveTooLow):
        bench.build(bench.plan(most + 1))
    bench.build(bench.plan(most - 500, pending_units=500))
    with pytest.raises(errors.ReserveTooLow):
        bench.build(bench.plan(most - 500, pending_units=501))


def test_reserves_come_from_the_ledger_and_no_constant(bench: Bench) -> None:
    bench.world.vote(base_fee_drops=10, reserve_base_drops=9 * XRP, reserve_increment_drops=200_000)
    bench.world.close()
    set_hot(bench, drops=10 * XRP)
    with pytest.raises(errors.ReserveTooLow):
        bench.build(bench.plan(XRP))


@pytest.mark.parametrize(
    ("drops", "held", "count", "refusal"),
    [
        (1_000_000 + 2 * 200_000 + 9, 0, 2, errors.ReserveTooLow),
        (1000 * XRP, 248, 4, errors.TooManyTickets),
        (1000 * XRP, 0, 251, errors.XrplTicketCount),
    ],
)
def test_tickets_beyond_reserve_or_limit_are_refused(
    bench: Bench, drops: int, held: int, count: int, refusal: type[errors.Refusal]
) -> None:
    set_hot(bench, drops=drops, tickets=range(1, 1 + held))
    with pytest.raises(refusal):
        bench.build(bench.settings_plan("tickets", count=count))


def test_a_ticket_may_pay_for_the_last_tickets_that_an_account_may_hold(bench: Bench) -> None:
    bench.world.put_account(HOT.address, 1000 * XRP, 300, tickets=range(1, 249))
    assert bench.run(bench.settings_plan("tickets", count=3)).success


def test_a_change_of_settings_may_take_its_fee_out_of_the_reserve(bench: Bench) -> None:
    set_hot(bench, drops=10)
    bench.build(bench.settings_plan("account-set", set="deposit-auth"))
    set_hot(bench, drops=9)
    with pytest.raises(errors.ReserveTooLow):
        bench.build(bench.settings_plan("account-set", set="deposit-auth"))


# --- the destination ------------------------------------------------------------------------------


def test_a_new_destination_must_get_the_base_reserve(bench: Bench) -> None:
    with pytest.raises(errors.DestinationUnfunded):
        bench.build(bench.plan(999_999, STRANGER.address))
    bench.build(bench.plan(1_000_000, STRANGER.address))


def test_a_destination_that_asks_for_a_tag_gets_one_and_zero_is_one(bench: Bench) -> None:
    set_other(bench, flags=REQUIRE_DEST)
    with pytest.raises(errors.DestinationTagNeeded):
        bench.build(bench.plan())
    bench.build(bench.plan(tag=0))


def test_a_destination_that_asks_not_to_be_sent_xrp_is_honoured(bench: Bench) -> None:
    set_other(bench, flags=DISALLOW_XRP)
    with pytest.raises(errors.DestinationDisallowsXrp):
        bench.build(bench.plan())


def test_a_destination_that_picks_its_payers_is_paid_only_by_those(bench: Bench) -> None:
    set_other(bench, flags=DEPOSIT_AUTH)
    with pytest.raises(errors.DepositNotAuthorized):
        bench.build(bench.plan())
    set_other(bench, flags=DEPOSIT_AUTH, preauthorized=[HOT.address])
    bench.build(bench.plan())


@pytest.mark.parametrize("name", ["AMMID", "VaultID", "LoanBrokerID"])
def test_an_account_that_belongs_to_a_pool_or_vault_is_not_paid(bench: Bench, name: str) -> None:
    root = bench.world.state[account_key(OTHER.address)]
    bench.world.state[account_key(OTHER.address)] = {**root, name: "AB" * 32}
    with pytest.raises(errors.DestinationPseudo):
        bench.build(bench.plan())


# --- the plan and the dry run ---------------------------------------------------------------------


def test_what_the_dry_run_says_would_fail_is_refused(bench: Bench) -> None:
    plan = bench.settings_plan("account-set", set="disable-master")
    with pytest.raises(errors.DryRunFailed, match="tecNO_ALTERNATIVE_KEY"):
        bench.build(plan)


def test_a_sequence_spent_in_the_open_ledger_by_others_shows_in_the_dry_run(bench: Bench) -> None:
    bench.build().submit()
    with pytest.raises(errors.DryRunFailed, match="tefPAST_SEQ"):
        bench.build()


def test_bytes_that_do_not_do_what_the_plan_says_are_never_given(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crooked(terms: Terms, destination: Destination, amount: Amount) -> bytes:
        return build_payment(terms, replace(destination, address=COLD.address), amount)

    monkeypatch.setattr(building, "build_payment", crooked)
    bench.world.fund(COLD.address, 100 * XRP)
    with pytest.raises(errors.BuiltWrong):
        bench.build()


@pytest.mark.parametrize("field", ["fee_drops", "last_ledger", "sequence"])
def test_a_wrong_fee_expiry_or_claim_in_the_bytes_is_never_given(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, field: str
) -> None:
    def crooked(terms: Terms, destination: Destination, amount: Amount) -> bytes:
        return build_payment(replace(terms, **{field: getattr(terms, field) + 1}), destination, amount)

    monkeypatch.setattr(building, "build_payment", crooked)
    with pytest.raises(errors.BuiltWrong):
        bench.build()


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "escrow"},
        {"kind": "tickets"},
        {"payments": ()},
        {"params": {"count": 3}},
        {"params": {"claim": 17}},
        {"params": {"pending_units": -1}},
        {"params": {"pending_units": "5"}},
        {"source": OTHER.address},
    ],
)
def test_a_plan_that_does_not_add_up_is_refused(bench: Bench, change: dict[str, object]) -> None:
    with pytest.raises(errors.BadPlan):
        bench.gateway.build(replace(bench.plan(), **change), [])  # type: ignore[arg-type]


def test_a_plan_of_another_network_is_refused(bench: Bench) -> None:
    with pytest.raises(errors.WrongNetwork):
        bench.gateway.build(replace(bench.plan(), network="xrpl:testnet"), [])


def test_an_unknown_flag_name_is_refused(bench: Bench) -> None:
    with pytest.raises(errors.XrplSettingRefused):
        bench.build(bench.settings_plan("account-set", set="global-freeze"))


def test_nothing_is_built_on_a_node_of_another_network(bench: Bench) -> None:
    bench.world.lie_about(network_id=1)
    with pytest.raises(errors.NodeUnfit):
        bench.build()


def test_the_stated_context_is_the_height_alone(bench: Bench) -> None:
    context: Context = bench.build().built.context
    assert set(context) == {"height"}
