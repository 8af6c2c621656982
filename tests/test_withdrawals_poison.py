"""One withdrawal that can not be paid stands in nobody else's way: refused at once, or held by its id and told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import update

from online.audit import verify
from online.customers.register import register
from online.customers.trades import HOUSE, Leg, trade
from online.jobs.answers import import_answer
from online.jobs.export import export_request
from online.jobs.loop import tick
from online.ledger.books import prove_balances
from online.store import tables
from online.store.wallets import Key, Wallet
from online.withdrawals import gathering
from online.withdrawals.accepting import Wish, accept
from online.withdrawals.gathering import cancel, gather
from online.withdrawals.mandates import Ceiling, Mandate, revoke_mandate
from online.withdrawals.model import withdrawals
from online.withdrawals.payable import require_payable
from online.withdrawals.paying import pay_out
from online.withdrawals.states import State
from online.withdrawals.waiting import Wait, look
from shared.chains import chain
from shared.effects import Destination
from shared.errors import BadOrder, MandateMissing, NothingToExport, Refusal
from shared.money import Amount, Asset
from tests.btc_gateway_bench import HOT, friend
from tests.online_world import ALICE, EXPIRY, NOW, Desk, let_go, make_desk, xrp
from tests.test_withdrawals import mandated, owed, states, wish

CEILING = Ceiling(xrp(100).units, xrp(100).units, xrp(100).units, xrp(60).units)
MANDATE = Mandate("cold", {"XRP": CEILING}, count=2, age_seconds=0)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Dave and edward hold 500 XRP each; the cold wallet pays up to 100 a day, in pairs."""
    found = make_desk(tmp_path)
    for name in ("dave", "edward"):
        register(found.store, name, NOW)
        trade(found.store, name, [Leg(HOUSE, name, xrp(500))], NOW)
    mandated(found, MANDATE)
    return found


# --- what a ledger can not pay ------------------------------------------------------------------------

BTC, XCP = chain("bitcoin:regtest").network("bitcoin:regtest").native, Asset("bitcoin:regtest", "XCP", 8)
NEAR = chain("near:localnet").network("near:localnet").native


@pytest.mark.parametrize(
    ("amount", "to", "code"),
    [
        (Amount(BTC, 1), Destination(friend(1)), "payment-dust"),
        (Amount(BTC, 10_000), Destination(friend(1), memo='"hello"'), "bad-plan"),
        (Amount(BTC, 10_000), Destination(friend(1), tag=7), "bad-plan"),
        (Amount(XCP, 5), Destination(friend(1), memo="no form of a memo"), "counterparty-memo-refused"),
        (Amount(NEAR, 10**24), Destination("ab" * 32, memo="hello"), "memo-not-carried"),
        (xrp(5), Destination("rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh", memo="hello"), "xrpl-memo-refused"),
    ],
    ids=lambda one: str(one)[:40],
)
def test_what_no_node_could_make_good_is_refused(amount: Amount, to: Destination, code: str) -> None:
    wallet = Wallet("till", amount.asset.network, "hot", "secp256k1", 0, b"", b"")
    key = Key("till", 0, HOT.path, HOT.public, _own_address(amount.asset.network))
    with pytest.raises(Refusal) as refused:
        require_payable(wallet, [key], (to, amount))
    assert refused.value.code == code
    require_payable(wallet, [key], (Destination(to.address), Amount(amount.asset, max(amount.units, 1_000))))


def _own_address(network: str) -> str:
    if network == BTC.network:
        return HOT.address
    return "cd" * 32 if network == NEAR.network else "rPT1Sjq2YGrBMTttX4GZHjKu9dyfzbpAYe"


def test_a_wish_that_its_ledger_can_not_pay_is_its_own_answer_and_debits_nothing(desk: Desk) -> None:
    with pytest.raises(Refusal, match="memo"):
        accept(desk.store, replace(wish(desk, "a"), destination=Destination(desk.address("hot"), 7, "hello")), NOW)
    assert (states(desk), owed(desk, "customer:dave")) == ({}, 500)


def test_one_that_can_not_be_paid_after_all_is_held_by_its_id_and_the_others_go(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, tag in (("a", 7), ("b", 8), ("c", 7)):
        accept(desk.store, wish(desk, name, tag=tag), NOW)
    real = require_payable

    def poisoned(*words: object) -> None:
        if words[2] == (poison.destination, poison.amount):
            raise BadOrder("nobody can pay this")
        real(*words)  # type: ignore[arg-type]

    poison = next(one for one in withdrawals(desk.store) if one.id == "b")
    monkeypatch.setattr(gathering, "require_payable", poisoned)
    (trouble,) = pay_out(desk.store, desk.gateways, NOW)
    assert trouble == "withdrawal held: b: nobody can pay this [bad-order]"
    assert states(desk) == {"a": State.ORDERED, "b": State.HELD, "c": State.ORDERED}
    assert next(one.reason for one in withdrawals(desk.store) if one.id == "b") == "nobody can pay this [bad-order]"


def test_a_wallet_whose_mandate_was_altered_stops_no_other(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    mandated(desk, replace(MANDATE, wallet="hot"))
    accept(desk.store, wish(desk, "a"), NOW)
    accept(desk.store, Wish("b", "dave", "hot", Destination(desk.address("cold"), 7), xrp(10)), NOW)
    with desk.store.transaction() as tx:
        here = (tables.mandates.c.wallet == "cold") & ~tables.mandates.c.revoked
        tx.sql.execute(update(tables.mandates).where(here).values(approved_by="alice"))
    found = gather(desk.store, NOW)
    assert states(desk) == {"a": State.QUEUED, "b": State.ORDERED}
    assert [text.rpartition("[")[2] for text in found.troubles] == ["bad-seal]"]


# --- what a mandate does not let through any more -----------------------------------------------------


def test_what_was_gathered_under_an_earlier_mandate_waits_again_and_goes_under_the_new_one(desk: Desk) -> None:
    accept(desk.store, wish(desk, "a"), NOW)
    gather(desk.store, NOW)
    mandated(desk, replace(MANDATE, count=1))
    (trouble,) = pay_out(desk.store, desk.gateways, NOW)
    assert trouble.startswith("withdrawals wait again: a: ")
    assert pay_out(desk.store, desk.gateways, NOW) == ()
    assert desk.states() == ["withdrawn", "built"]
    assert verify(desk.store).ok


def test_a_lower_mandate_holds_what_it_does_not_let_through_and_pays_the_rest(desk: Desk) -> None:
    accept(desk.store, wish(desk, "big", 60), NOW)
    accept(desk.store, wish(desk, "small", 20, customer="edward"), NOW)
    gather(desk.store, NOW)
    low = xrp(50).units
    mandated(desk, replace(MANDATE, ceilings={"XRP": Ceiling(low, low, low, low)}))
    told = [*pay_out(desk.store, desk.gateways, NOW), *pay_out(desk.store, desk.gateways, NOW)]
    assert any("withdrawal held: big: " in text for text in told)
    assert states(desk) == {"big": State.HELD, "small": State.ORDERED}
    assert desk.states()[-1] == "built"


# --- what the mandate's day lets leave ------------------------------------------------------------------

LATER = NOW + 200_000


def released_together(desk: Desk) -> None:
    """Let three of 90 XRP go at once that were accepted on three days; the day is 100 XRP."""
    for day, name in enumerate(("a", "b", "c")):
        accept(desk.store, wish(desk, name, 90), NOW + day * 86_400)
    for name in ("a", "b", "c"):
        let_go(desk.store, name, LATER)


def paid(desk: Desk, now: int) -> list[str]:
    """Let a turn's withdrawals be paid, and give the ids of all that are."""
    assert pay_out(desk.store, desk.gateways, now) == ()
    if "built" in desk.states():
        import_answer(desk.store, desk.signer.answer(export_request(desk.store, desk.signer.station, now).blob), now)
        for _ in range(2):
            tick(desk.store, desk.gateways, now)
            desk.world.close()
        tick(desk.store, desk.gateways, now)
    return sorted(name for name, state in states(desk).items() if state is State.PAID)


def test_released_together_they_leave_one_day_after_another_and_say_why_they_wait(desk: Desk) -> None:
    released_together(desk)
    assert paid(desk, LATER) == ["a"]
    reasons = {one.id: one.reason for one in withdrawals(desk.store)}
    assert reasons["b"] == reasons["c"] == "waits: cold pays at most 100 XRP in 24 hours"
    assert look(desk.store, "b", LATER)[1] == Wait("cold pays at most 100 XRP in 24 hours")
    assert paid(desk, LATER + 86_399) == ["a"]
    assert paid(desk, LATER + 86_400) == ["a", "b"]
    assert paid(desk, LATER + 2 * 86_400) == ["a", "b", "c"]
    assert prove_balances(desk.store) == ()
    assert verify(desk.store).problems == ()


def test_what_is_small_enough_for_the_rest_of_the_day_goes_before_what_waits(desk: Desk) -> None:
    released_together(desk)
    accept(desk.store, wish(desk, "small", 10, "edward"), LATER)
    assert paid(desk, LATER) == ["a", "small"]


def test_what_waits_for_the_next_day_makes_nothing_else_hurry(desk: Desk) -> None:
    mandated(desk, replace(MANDATE, age_seconds=3_600))
    released_together(desk)
    assert paid(desk, LATER) == ["a"]
    accept(desk.store, wish(desk, "small", 10, "edward"), LATER)
    assert paid(desk, LATER + 3_599) == ["a"]
    assert paid(desk, LATER + 3_600) == ["a", "small"]


def test_what_is_on_its_way_for_long_counts_and_what_died_does_not(desk: Desk) -> None:
    released_together(desk)
    assert pay_out(desk.store, desk.gateways, LATER) == ()
    desk.export()
    assert gather(desk.store, LATER + 100_000).orders == ()
    for _ in range(EXPIRY + 2):
        desk.world.close()
    desk.tick()
    assert states(desk)["a"] is State.RETURNED
    assert len(gather(desk.store, LATER + 100_000).orders) == 1


def test_what_is_taken_back_does_not_count(desk: Desk) -> None:
    released_together(desk)
    gather(desk.store, LATER)
    cancel(desk.store, "a", LATER)
    assert len(gather(desk.store, LATER).orders) == 1
    assert states(desk) == {"a": State.CANCELLED, "b": State.ORDERED, "c": State.QUEUED}


# --- the mandate that is there ---------------------------------------------------------------------------


def test_without_any_mandate_what_was_gathered_waits_for_one(desk: Desk) -> None:
    number = mandated(desk, replace(MANDATE, count=1))
    accept(desk.store, wish(desk, "a"), NOW)
    gather(desk.store, NOW)
    revoke_mandate(desk.store, number, person=ALICE.person, sign=ALICE.sign, now=NOW)
    (trouble,) = pay_out(desk.store, desk.gateways, NOW)
    assert trouble.endswith(f"[{MandateMissing.code}]")
    assert pay_out(desk.store, desk.gateways, NOW) == ()
    assert states(desk) == {"a": State.QUEUED}


def test_what_is_built_leaves_no_more_once_its_mandate_is_revoked_or_lowered(desk: Desk) -> None:
    number = mandated(desk, replace(MANDATE, count=1))
    accept(desk.store, wish(desk, "a", 60), NOW)
    assert pay_out(desk.store, desk.gateways, NOW) == ()
    revoke_mandate(desk.store, number, person=ALICE.person, sign=ALICE.sign, now=NOW)
    with pytest.raises(NothingToExport):
        desk.export()
    (trouble,) = pay_out(desk.store, desk.gateways, NOW)
    assert trouble.startswith("withdrawals wait again: a: ")
    assert (desk.states(), states(desk)) == (["withdrawn"], {"a": State.QUEUED})
    mandated(desk, replace(MANDATE, count=2))
    assert pay_out(desk.store, desk.gateways, NOW) == ()
    low = xrp(50).units
    mandated(desk, replace(MANDATE, ceilings={"XRP": Ceiling(low, low, low, low)}))
    with pytest.raises(NothingToExport):
        desk.export()
    pay_out(desk.store, desk.gateways, NOW)
    pay_out(desk.store, desk.gateways, NOW)
    assert states(desk) == {"a": State.HELD}
