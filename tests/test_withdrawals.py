"""Withdrawals: debited when accepted, bounded by two people's mandate, paid by the station's orders or given back.

The ledger and the signer are those of `online_world`: what the coordinator does is all real.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Table, insert, update

from online.audit import verify
from online.chains.api import Built, Plan
from online.customers.register import allow_place, freeze, register, unfreeze
from online.customers.trades import HOUSE, Leg, trade
from online.jobs.answers import import_answer
from online.jobs.build import build_approved
from online.jobs.export import request_blob, requests
from online.jobs.model import jobs
from online.jobs.withdraw import withdraw
from online.ledger.books import balance_sheet, prove_balances, wrong_sides
from online.orders.approval import rebuild
from online.orders.replacement import bump
from online.store import tables
from online.store.database import Store
from online.withdrawals.accepting import Wish, accept, accept_many
from online.withdrawals.gathering import cancel, gather, hold
from online.withdrawals.mandate_text import mandate_lines, read_mandate
from online.withdrawals.mandates import (
    Ceiling,
    Mandate,
    Patience,
    approve_mandate,
    draft_mandate,
    mandates,
    revoke_mandate,
)
from online.withdrawals.model import Withdrawal, withdrawals
from online.withdrawals.paying import pay_out
from online.withdrawals.states import State
from shared.effects import Claim, Destination
from shared.errors import (
    BadMandate,
    BadSeal,
    BadWithdrawal,
    CustomerFrozen,
    DestinationTagNeeded,
    FeeRateUnknown,
    MandateMissing,
    MoveRefused,
    NotAllowedThere,
    NotCovered,
    OverWithdrawalLimit,
    Refusal,
    SamePerson,
    UnknownCustomer,
    UnknownWithdrawal,
    WithdrawalConflict,
    WithdrawalMoved,
    WrongNetwork,
)
from shared.money import Amount, Asset
from tests.growth import no_whole_reads
from tests.online_world import ALICE, BOB, EXPIRY, NETWORK, NOW, Desk, World, let_go, make_desk, xrp

CEILING = Ceiling(xrp(100).units, xrp(250).units, xrp(150).units, xrp(60).units)
MANDATE = Mandate("cold", {"XRP": CEILING}, count=3, age_seconds=30)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return prepared(tmp_path)


def prepared(folder: Path) -> Desk:
    """Dave holds 500 XRP and edward 200; the cold wallet pays withdrawals by a mandate."""
    found = make_desk(folder)
    for name, coins in (("dave", 500), ("edward", 200)):
        register(found.store, name, NOW)
        trade(found.store, name, [Leg(HOUSE, name, xrp(coins))], NOW)
    mandated(found)
    return found


def mandated(desk: Desk, mandate: Mandate = MANDATE) -> bytes:
    given = draft_mandate(desk.store, mandate, person=ALICE.person, sign=ALICE.sign, now=NOW)
    approve_mandate(desk.store, given.id, person=BOB.person, sign=BOB.sign, now=NOW)
    return given.id


def wish(desk: Desk, name: str, coins: int = 10, customer: str = "dave", tag: int | None = 7) -> Wish:
    return Wish(name, customer, "cold", Destination(desk.address("hot"), tag), xrp(coins))


def owed(desk: Desk, account: str) -> int:
    return -sum(one.posted for one in balance_sheet(desk.store) if one.account == account) // 1_000_000


def states(desk: Desk) -> dict[str, State]:
    return {one.id: one.state for one in withdrawals(desk.store)}


def settled(desk: Desk) -> None:
    desk.answered()
    desk.tick()
    desk.world.close()
    desk.tick()


# --- accepting --------------------------------------------------------------------------------------


def test_accepting_debits_the_customer_at_once(desk: Desk) -> None:
    one = accept(desk.store, wish(desk, "w1", 10), NOW)
    assert one.state is State.QUEUED
    assert (owed(desk, "customer:dave"), owed(desk, f"withdrawals:{NETWORK}")) == (490, 10)
    assert prove_balances(desk.store) == ()
    assert verify(desk.store).ok


def test_the_same_withdrawal_again_is_the_same_and_counts_once(desk: Desk) -> None:
    first = accept(desk.store, wish(desk, "w1"), NOW)
    assert accept(desk.store, wish(desk, "w1"), NOW + 50) == first
    assert owed(desk, "customer:dave") == 490


@pytest.mark.parametrize("change", [{"customer": "edward"}, {"amount": xrp(11)}, {"destination": Destination("r")}])
def test_an_id_names_one_withdrawal(desk: Desk, change: dict[str, object]) -> None:
    accept(desk.store, wish(desk, "w1"), NOW)
    with pytest.raises(WithdrawalConflict):
        accept(desk.store, replace(wish(desk, "w1"), **change), NOW)  # type: ignore[arg-type]


def test_withdrawals_are_read_on_from_the_last_that_is_known_or_from_a_moment(desk: Desk) -> None:
    for number, name in enumerate(("c", "a", "b", "d")):
        accept(desk.store, wish(desk, name, 1), NOW + number // 2)  # two in each second

    def read(since: str | int, limit: int = 9, customer: str | None = None) -> list[str]:
        with no_whole_reads(desk.store):
            return [one.id for one in withdrawals(desk.store, customer=customer, since=since, limit=limit)]

    assert [one.id for one in withdrawals(desk.store, limit=2)] == ["a", "c"]
    assert (read("c"), read("a", 2), read("d"), read("c", customer="dave")) == (["b", "d"], ["c", "b"], [], ["b", "d"])
    assert (read(NOW + 1), read(NOW + 2), read(NOW, customer="edward")) == (["b", "d"], [], [])
    with pytest.raises(UnknownWithdrawal):
        read("nobody's")


def test_above_the_review_it_waits_for_a_person(desk: Desk) -> None:
    assert accept(desk.store, wish(desk, "w1", 61), NOW).state is State.HELD
    assert gather(desk.store, NOW + 60).orders == ()


@pytest.mark.parametrize(
    ("many", "refusal"),
    [
        ([("a", 101, "dave")], OverWithdrawalLimit),
        ([("a", 60, "dave"), ("b", 60, "dave"), ("c", 31, "dave")], OverWithdrawalLimit),
        ([("a", 60, "dave"), ("b", 60, "dave"), ("c", 60, "edward"), ("d", 60, "edward"), ("e", 11, "edward")],
         OverWithdrawalLimit),
        ([("a", 10, "nobody")], UnknownCustomer),
        ([("", 10, "dave")], BadWithdrawal),
        ([("a", 0, "dave")], BadWithdrawal),
    ],
)  # fmt: skip
def test_what_nobody_let_through_is_refused_and_debits_nothing(
    desk: Desk, many: list[tuple[str, int, str]], refusal: type[Refusal]
) -> None:
    *before, last = [wish(desk, name, coins, customer) for name, coins, customer in many]
    for one in before:
        accept(desk.store, one, NOW)
    sheet = balance_sheet(desk.store)
    with pytest.raises(refusal):
        accept(desk.store, last, NOW)
    assert balance_sheet(desk.store) == sheet


def test_the_days_limits_look_back_24_hours(desk: Desk) -> None:
    for number, name in enumerate("ab"):
        accept(desk.store, wish(desk, name, 60), NOW + number)
    with pytest.raises(OverWithdrawalLimit):
        accept(desk.store, wish(desk, "c", 60), NOW + 10)
    accept(desk.store, wish(desk, "c", 60), NOW + 86_401)


def test_less_than_the_least_and_more_than_so_many_a_day_are_refused_whatever_became_of_them(desk: Desk) -> None:
    bounded = replace(CEILING, least=xrp(2).units, customer_count=2)
    mandated(desk, replace(MANDATE, ceilings={"XRP": bounded}))
    with pytest.raises(BadWithdrawal, match="less than 2 XRP"):
        accept(desk.store, wish(desk, "small", 1), NOW)
    accept(desk.store, wish(desk, "a", 2), NOW)
    cancel(desk.store, "a", NOW)
    first, second = accept_many(desk.store, [wish(desk, "b", 2), wish(desk, "c", 2)], NOW)
    assert isinstance(first, Withdrawal)
    assert isinstance(second, OverWithdrawalLimit)
    with pytest.raises(OverWithdrawalLimit, match="asked for 2 of XRP"):
        accept(desk.store, wish(desk, "d", 2), NOW + 86_399)
    accept(desk.store, wish(desk, "e", 2, customer="edward"), NOW)
    accept(desk.store, wish(desk, "f", 2), NOW + 86_400)


def test_nobody_withdraws_what_they_do_not_have(desk: Desk) -> None:
    trade(desk.store, "poor", [Leg("edward", HOUSE, xrp(195))], NOW)
    with pytest.raises(NotCovered):
        accept(desk.store, wish(desk, "w1", 6, "edward"), NOW)


def test_a_held_balance_and_a_list_of_places_bind(desk: Desk) -> None:
    freeze(desk.store, "dave", NOW)
    with pytest.raises(CustomerFrozen):
        accept(desk.store, wish(desk, "w1"), NOW)
    unfreeze(desk.store, "dave", person=ALICE.person, sign=ALICE.sign, now=NOW)
    with desk.store.transaction() as tx:
        place = str(wish(desk, "w1").destination)
        row = {"customer": "dave", "network": NETWORK, "place": place, "created": NOW}
        tx.sql.execute(tables.allowed.insert().values(**row))
    accept(desk.store, wish(desk, "w1"), NOW)
    with pytest.raises(NotAllowedThere):
        accept(desk.store, wish(desk, "w2", tag=8), NOW)


def test_of_another_network_or_to_the_wallet_itself_it_is_none(desk: Desk) -> None:
    other = Amount(Asset("xrpl:testnet", "XRP", 6), 5)
    with pytest.raises(WrongNetwork):
        accept(desk.store, replace(wish(desk, "w1"), amount=other), NOW)
    with pytest.raises(Refusal):
        accept(desk.store, replace(wish(desk, "w1"), destination=Destination(desk.address("cold"))), NOW)


def test_many_share_a_transaction_and_a_refusal_is_its_own_answer(desk: Desk) -> None:
    answers = accept_many(desk.store, [wish(desk, "a", 20), wish(desk, "b", 101), wish(desk, "c", 20)], NOW)
    assert [isinstance(one, Withdrawal) for one in answers] == [True, False, True]
    assert owed(desk, "customer:dave") == 460


def test_together_they_become_what_they_would_one_after_another(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = prepared(tmp_path / "other")
    trade_away = [Leg("edward", HOUSE, xrp(140))]
    many = [
        ("a", 20, "dave", 7), ("a", 20, "dave", 7), ("a", 21, "dave", 7), ("b", 61, "dave", 7), ("c", 70, "dave", 7),
        ("d", 50, "edward", 7), ("e", 11, "edward", 7), ("f", 10, "edward", 8), ("g", 10, "nobody", 7),
        ("g", 60, "fritz", 7), ("h", 60, "fritz", 7), ("\0", 1, "dave", 7), ("i", 1, "da\0ve", 7),
    ]  # fmt: skip
    for each in (desk, other):
        trade(each.store, "poor", trade_away, NOW)
        register(each.store, "fritz", NOW)
        trade(each.store, "rich", [Leg(HOUSE, "fritz", xrp(500))], NOW)
        allow_place(each.store, "edward", NETWORK, wish(each, "d").destination, NOW)
    wishes = [wish(desk, name, coins, customer, tag) for name, coins, customer, tag in many]
    apart = [accept_many(other.store, [one], NOW)[0] for one in wishes]
    together = accept_many(desk.store, wishes, NOW)
    assert [str(one) for one in together] == [str(one) for one in apart]
    assert [type(one) for one in together] == [
        Withdrawal, Withdrawal, WithdrawalConflict, Withdrawal, OverWithdrawalLimit, Withdrawal, NotCovered,
        NotAllowedThere, UnknownCustomer, Withdrawal, OverWithdrawalLimit, BadWithdrawal, UnknownCustomer,
    ]  # fmt: skip
    assert balance_sheet(desk.store) == balance_sheet(other.store)
    assert prove_balances(desk.store) == ()
    assert verify(desk.store).problems == verify(other.store).problems == ()


# --- paying -----------------------------------------------------------------------------------------


def test_three_are_gathered_paid_and_booked_without_a_person(desk: Desk) -> None:
    for name in "abc":
        accept(desk.store, wish(desk, name), NOW)
    (order,) = gather(desk.store, NOW).orders
    assert (order.kind, order.drafted_by, order.approved_by) == ("withdrawals", "alice", "bob")
    assert set(states(desk).values()) == {State.ORDERED}
    settled(desk)
    assert set(states(desk).values()) == {State.PAID}
    assert (owed(desk, "customer:dave"), owed(desk, f"withdrawals:{NETWORK}")) == (470, 0)
    assert gather(desk.store, NOW + 100).orders == ()
    assert prove_balances(desk.store) == ()
    assert verify(desk.store).ok


def test_few_wait_until_the_oldest_has_waited_long_enough(desk: Desk) -> None:
    accept(desk.store, wish(desk, "a"), NOW)
    assert gather(desk.store, NOW + 29).orders == ()
    assert len(gather(desk.store, NOW + 30).orders) == 1


def test_what_ends_dead_is_given_back_and_never_tried_again(desk: Desk) -> None:
    accept(desk.store, wish(desk, "a"), NOW)
    gather(desk.store, NOW + 30)
    desk.export()
    for _ in range(EXPIRY + 2):
        desk.world.close()
    desk.tick()
    assert states(desk) == {"a": State.RETURNED}
    assert owed(desk, "customer:dave") == 500
    assert gather(desk.store, NOW + 100).orders == ()
    with pytest.raises(MoveRefused):
        rebuild(desk.store, jobs(desk.store)[0].id, person=ALICE.person, sign=ALICE.sign, now=NOW)
    assert verify(desk.store).ok


def test_what_fails_on_the_ledger_is_given_back_and_the_fee_is_the_houses(desk: Desk) -> None:
    accept(desk.store, wish(desk, "a"), NOW)
    gather(desk.store, NOW + 30)
    desk.answered()
    desk.tick()
    desk.world.next_result = "tecNO_DST"
    desk.world.close()
    desk.tick()
    assert states(desk) == {"a": State.RETURNED}
    assert owed(desk, "customer:dave") == 500
    assert prove_balances(desk.store) == ()


def test_what_the_signer_declines_is_held_for_a_person_and_its_companions_are_paid(desk: Desk) -> None:
    for name in "abc":
        accept(desk.store, wish(desk, name), NOW)
    gather(desk.store, NOW)
    desk.answered({2: "the name looks wrong"})
    (held,) = withdrawals(desk.store, states=[State.HELD])
    assert "the name looks wrong" in held.reason
    assert (held.transfer, owed(desk, f"withdrawals:{NETWORK}")) == (None, 30)
    desk.tick()
    desk.world.close()
    desk.tick()
    assert gather(desk.store, NOW + 3600).orders == ()
    assert sorted(states(desk).values()) == [State.HELD, State.PAID, State.PAID]
    assert owed(desk, f"withdrawals:{NETWORK}") == 10
    assert prove_balances(desk.store) == ()
    assert verify(desk.store).ok


@pytest.mark.parametrize(("decide", "end", "left"), [(let_go, State.PAID, 490), (cancel, State.CANCELLED, 500)])
def test_a_person_decides_of_what_was_declined(
    desk: Desk, decide: Callable[[Store, str, int], Withdrawal], end: State, left: int
) -> None:
    accept(desk.store, wish(desk, "a"), NOW)
    gather(desk.store, NOW + 30)
    desk.answered({0: "no"})
    decide(desk.store, "a", NOW + 40)
    if gather(desk.store, NOW + 70).orders:
        settled(desk)
    assert states(desk) == {"a": end}
    assert owed(desk, "customer:dave") == left
    assert prove_balances(desk.store) == ()
    assert verify(desk.store).ok


def test_a_turn_gathers_and_builds_by_itself(desk: Desk) -> None:
    for name in "abc":
        accept(desk.store, wish(desk, name), NOW)
    assert desk.tick().troubles == ()
    assert desk.states() == ["built"] * 3


def test_what_can_not_arrive_is_held_for_a_person_and_the_others_go(desk: Desk) -> None:
    class Picky(World):
        def build(self, plan: Plan, taken: Collection[Claim]) -> Built:
            if plan.payments[0].destination.tag == 13:
                raise DestinationTagNeeded("nobody has this tag")
            return desk.world.build(plan, taken)

    desk.gateway = Picky()
    for name, tag in (("a", 7), ("b", 13), ("c", 9)):
        accept(desk.store, wish(desk, name, tag=tag), NOW)
    (trouble,) = desk.tick().troubles
    assert "b" in trouble
    assert states(desk) == {"a": State.ORDERED, "b": State.HELD, "c": State.ORDERED}
    assert let_go(desk.store, "b", NOW).state is State.QUEUED
    assert hold(desk.store, "b", "a look", NOW).reason == "a look"
    cancel(desk.store, "b", NOW)
    assert owed(desk, "customer:dave") == 480
    assert verify(desk.store).ok


def test_what_has_left_for_the_signer_is_neither_held_nor_paid_again_nor_given_back(desk: Desk) -> None:
    accept(desk.store, wish(desk, "a"), NOW - 60)
    desk.tick()
    desk.export()
    with pytest.raises(WithdrawalMoved, match="has left for the signer"):
        hold(desk.store, "a", "a look", NOW)
    finished(desk)
    assert (states(desk), owed(desk, "customer:dave")) == ({"a": State.PAID}, 490)
    assert prove_balances(desk.store) == ()


def finished(desk: Desk) -> None:
    """Let what was exported be answered and happen."""
    (blob,) = (request_blob(desk.store, one.digest) for one in requests(desk.store) if one.open)
    import_answer(desk.store, desk.signer.answer(blob), NOW)
    desk.tick()
    desk.world.close()
    desk.tick()


def test_what_an_order_pays_is_held_by_taking_it_back_and_its_companions_go(desk: Desk) -> None:
    for name in ("a", "b", "c"):
        accept(desk.store, wish(desk, name), NOW - 60)
    desk.tick()
    assert hold(desk.store, "b", "a look", NOW).state is State.HELD
    desk.tick()
    settled(desk)
    assert states(desk) == {"a": State.PAID, "b": State.HELD, "c": State.PAID}
    assert let_go(desk.store, "b", NOW).state is State.QUEUED
    assert verify(desk.store).ok


def test_what_is_queued_of_a_held_customer_is_neither_gathered_nor_released(desk: Desk) -> None:
    for name, who in (("a", "dave"), ("b", "edward"), ("c", "dave")):
        accept(desk.store, wish(desk, name, customer=who), NOW - 60)
    hold(desk.store, "c", "a look", NOW)
    freeze(desk.store, "dave", NOW)
    desk.tick()
    assert states(desk) == {"a": State.QUEUED, "b": State.ORDERED, "c": State.HELD}
    with pytest.raises(CustomerFrozen):
        let_go(desk.store, "c", NOW)
    unfreeze(desk.store, "dave", person=ALICE.person, sign=ALICE.sign, now=NOW)
    let_go(desk.store, "c", NOW)
    desk.tick()
    assert set(states(desk).values()) == {State.ORDERED}


def test_an_account_of_what_is_owed_on_the_wrong_side_is_told_at_every_turn_and_by_the_proof(desk: Desk) -> None:
    assert wrong_sides(desk.store) == ()
    xrp_of = {"asset_network": NETWORK, "asset_code": "XRP"}
    with desk.store.transaction() as tx:
        row = {"account": "withdrawals:xrpl:local", "posted": "50000000", "pending": "0", **xrp_of}
        tx.sql.execute(insert(tables.balances).values(row))
    said = "withdrawals:xrpl:local: 50000000 base units of XRP more were paid than owed"
    assert wrong_sides(desk.store) == (said,)
    assert said in desk.tick().troubles
    assert said in prove_balances(desk.store)


def test_what_an_order_pays_is_not_released_into_another_one(desk: Desk) -> None:
    accept(desk.store, wish(desk, "a"), NOW - 60)
    desk.tick()
    with pytest.raises(WithdrawalMoved):
        let_go(desk.store, "a", NOW)
    settled(desk)
    with pytest.raises(WithdrawalMoved):
        let_go(desk.store, "a", NOW)
    desk.tick()
    assert (desk.states(), states(desk)) == (["final"], {"a": State.PAID})


def test_what_a_node_stands_in_the_way_of_is_tried_again(desk: Desk) -> None:
    accept(desk.store, wish(desk, "a"), NOW - 60)
    desk.world.silent = True
    assert any("wait" in text for text in desk.tick().troubles)
    desk.world.silent = False
    assert desk.tick().troubles == ()
    assert desk.states() == ["built"]


# --- cancelling -------------------------------------------------------------------------------------


def test_what_waits_is_cancelled_and_given_back(desk: Desk) -> None:
    for name, coins in (("a", 10), ("b", 61)):
        accept(desk.store, wish(desk, name, coins), NOW)
        cancel(desk.store, name, NOW)
    assert set(states(desk).values()) == {State.CANCELLED}
    assert owed(desk, "customer:dave") == 500


def test_until_it_left_an_ordered_one_is_cancelled_and_the_others_are_paid(desk: Desk) -> None:
    for name in "abc":
        accept(desk.store, wish(desk, name), NOW)
    gather(desk.store, NOW)
    desk.build()
    cancel(desk.store, "b", NOW)
    settled(desk)
    assert states(desk) == {"a": State.PAID, "b": State.CANCELLED, "c": State.PAID}
    assert owed(desk, "customer:dave") == 480


def test_what_left_for_the_signer_is_cancelled_no_more(desk: Desk) -> None:
    accept(desk.store, wish(desk, "a"), NOW)
    gather(desk.store, NOW + 30)
    desk.export()
    with pytest.raises(WithdrawalMoved):
        cancel(desk.store, "a", NOW)
    with pytest.raises(UnknownWithdrawal):
        cancel(desk.store, "z", NOW)


def test_a_job_taken_back_by_staff_lets_its_withdrawals_wait_again(desk: Desk) -> None:
    accept(desk.store, wish(desk, "a"), NOW)
    gather(desk.store, NOW + 30)
    desk.build()
    withdraw(desk.store, jobs(desk.store)[0].id, NOW)
    assert states(desk) == {"a": State.QUEUED}
    gather(desk.store, NOW + 31)
    settled(desk)
    assert states(desk) == {"a": State.PAID}
    assert owed(desk, "customer:dave") == 490


@pytest.mark.parametrize("end", ["withdrawn", "cancelled", "unpayable"])
def test_what_was_to_replace_a_payment_on_its_way_ends_without_letting_it_wait_again(desk: Desk, end: str) -> None:
    """The first may still pay it: waiting again, or let go by a person, it would be paid twice."""
    accept(desk.store, wish(desk, "a"), NOW - 60)
    desk.tick()
    first = desk.export().jobs[0]
    bump(desk.store, first, person=ALICE.person, sign=ALICE.sign, now=NOW, terms={"fee": 24})
    if end == "unpayable":

        class Picky(World):
            def build(self, plan: Plan, taken: Collection[Claim]) -> Built:
                raise DestinationTagNeeded("it asks for a tag since")

        desk.gateway = Picky()
        desk.tick()
        desk.gateway = None
    else:
        desk.build()
    if end == "cancelled":
        with pytest.raises(WithdrawalMoved, match="has left for the signer"):
            cancel(desk.store, "a", NOW)
    if end != "unpayable":
        withdraw(desk.store, jobs(desk.store)[-1].id, NOW)
    assert (desk.states(), states(desk)) == (["exported", "withdrawn"], {"a": State.ORDERED})
    gather(desk.store, NOW)
    assert len(jobs(desk.store)) == 2
    finished(desk)
    assert (states(desk), owed(desk, "customer:dave")) == ({"a": State.PAID}, 490)
    assert prove_balances(desk.store) == ()


# --- mandates and their orders ----------------------------------------------------------------------


def test_one_person_gives_no_mandate(desk: Desk) -> None:
    given = draft_mandate(
        desk.store, replace(MANDATE, count=5), person=ALICE.person, sign=ALICE.sign, now=NOW
    )
    with pytest.raises(SamePerson):
        approve_mandate(desk.store, given.id, person=ALICE.person, sign=ALICE.sign, now=NOW)
    assert {one.mandate.count: one.approved_by for one in mandates(desk.store)} == {3: "bob", 5: None}


@pytest.mark.parametrize(
    "bad",
    [
        replace(MANDATE, ceilings={}),
        replace(MANDATE, count=0),
        replace(MANDATE, age_seconds=86_401),
        replace(MANDATE, ceilings={"XRP": replace(CEILING, event=0)}),
        replace(MANDATE, ceilings={"XRP": replace(CEILING, review=CEILING.event + 1)}),
        replace(MANDATE, ceilings={"XRP": replace(CEILING, customer_day=CEILING.day + 1)}),
    ],
)
def test_a_mandate_that_contradicts_itself_is_refused(desk: Desk, bad: Mandate) -> None:
    with pytest.raises(BadMandate):
        draft_mandate(desk.store, bad, person=ALICE.person, sign=ALICE.sign, now=NOW)


def test_a_later_mandate_takes_the_place_of_the_earlier_one(desk: Desk) -> None:
    mandated(desk, replace(MANDATE, count=1))
    assert [one.revoked for one in sorted(mandates(desk.store), key=lambda one: one.mandate.count)] == [False, True]


def test_a_revoked_mandate_accepts_gathers_and_builds_nothing(desk: Desk) -> None:
    accept(desk.store, wish(desk, "a"), NOW)
    gather(desk.store, NOW + 30)
    accept(desk.store, wish(desk, "b"), NOW)
    revoke_mandate(desk.store, mandates(desk.store)[0].id, person=BOB.person, sign=BOB.sign, now=NOW)
    with pytest.raises(MandateMissing):
        accept(desk.store, wish(desk, "c"), NOW)
    assert gather(desk.store, NOW + 60).orders == ()
    with pytest.raises(MandateMissing):
        build_approved(desk.store, desk.gateways, NOW)


@pytest.mark.parametrize(
    ("table", "values"),
    [
        (tables.withdrawals, {"units": "99"}),
        (tables.withdrawals, {"destination": "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh"}),
        (tables.withdrawals, {"state": "queued"}),
        (tables.withdrawals, {"transfer": None}),
        (tables.mandates, {"drafted_by": "bob"}),
    ],
)
def test_rows_changed_behind_the_stations_back_build_nothing(
    desk: Desk, table: Table, values: dict[str, object]
) -> None:
    accept(desk.store, wish(desk, "a"), NOW)
    gather(desk.store, NOW + 30)
    with desk.store.transaction() as tx:
        tx.sql.execute(update(table).values(values))
    with pytest.raises(BadSeal):
        build_approved(desk.store, desk.gateways, NOW)


# --- while the ledger is dear -------------------------------------------------------------------------


class Dear(World):
    """A ledger that says what a payment costs; a price of None nobody can tell."""

    price: int | None = 20

    def fee_now(self) -> Amount:
        if self.price is None:
            raise FeeRateUnknown("the node has no estimate of fees")
        return Amount(xrp(0).asset, self.price)


@pytest.fixture
def dear(tmp_path: Path) -> Desk:
    """Dave has one withdrawal that waits under a mandate whose patience ends at 12 drops or after 600 seconds."""
    found = make_desk(tmp_path, Dear())
    register(found.store, "dave", NOW)
    trade(found.store, "dave", [Leg(HOUSE, "dave", xrp(500))], NOW)
    mandated(found, replace(MANDATE, patience=Patience(12, 600)))
    accept(found.store, wish(found, "w0"), NOW)
    return found


def paid_at(desk: Desk, now: int) -> tuple[list[str], tuple[str, ...]]:
    troubles = pay_out(desk.store, desk.gateways, now)
    return desk.states(), troubles


def test_while_a_payment_costs_more_withdrawals_wait_and_then_they_go(dear: Desk) -> None:
    assert paid_at(dear, NOW + 599) == ([], ())
    dear.world.price = 12  # type: ignore[attr-defined]
    assert paid_at(dear, NOW + 599) == (["built"], ())


def test_however_dear_it_is_the_patience_ends(dear: Desk) -> None:
    assert paid_at(dear, NOW + 600) == (["built"], ())


def test_as_many_as_are_gathered_wait_too_while_it_is_dear(dear: Desk) -> None:
    for name in ("w1", "w2"):
        accept(dear.store, wish(dear, name), NOW)
    assert paid_at(dear, NOW + 100) == ([], ())
    dear.world.price = 10  # type: ignore[attr-defined]
    assert paid_at(dear, NOW)[0] == ["built"] * 3


def test_a_fee_that_nobody_can_tell_counts_as_dear_and_is_told(dear: Desk) -> None:
    dear.world.price = None  # type: ignore[attr-defined]
    states, (trouble,) = paid_at(dear, NOW + 599)
    assert (states, trouble.endswith("[fee-rate-unknown]")) == ([], True)
    assert paid_at(dear, NOW + 600)[0] == ["built"]


def test_a_cheap_ledger_changes_nothing_of_count_and_age(dear: Desk) -> None:
    dear.world.price = 1  # type: ignore[attr-defined]
    assert paid_at(dear, NOW + 29) == ([], ())
    assert paid_at(dear, NOW + 30) == (["built"], ())


@pytest.mark.parametrize("patience", [Patience(0, 600), Patience(12, 29), Patience(12, 86_401)])
def test_a_patience_that_is_none_is_refused(desk: Desk, patience: Patience) -> None:
    with pytest.raises(BadMandate):
        mandated(desk, replace(MANDATE, patience=patience))


TEXT = """
wallet = "cold"
count = 3
age_seconds = 30
{more}
[assets.XRP]
event = "100"
day = "250"
customer_day = "150"
review = "60"
"""


def test_a_mandate_is_read_as_it_is_written_with_its_patience_and_without(desk: Desk) -> None:
    def find(wallet: str, code: str) -> Asset:
        assert (wallet, code) == ("cold", "XRP")
        return xrp(0).asset

    assert read_mandate(TEXT.format(more=""), find) == MANDATE
    found = read_mandate(TEXT.format(more='fee_most = "0.000012"\nfee_age_seconds = 600'), find)
    assert found == replace(MANDATE, patience=Patience(12, 600))
    assert mandate_lines(found, find)[-3] == "XRP: at least 0.000001 XRP, and 1000 of a customer in 24 hours"
    floors = read_mandate(TEXT.format(more="") + 'least = "2"\ncustomer_count = 5', find).ceilings["XRP"]
    assert floors == replace(CEILING, least=xrp(2).units, customer_count=5)
    assert mandate_lines(found, find)[-1] == "while a payment costs more than 0.000012 XRP, only after 600 seconds"
    number = mandated(desk, found)
    assert next(one.mandate for one in mandates(desk.store) if one.id == number) == found


@pytest.mark.parametrize(
    "more", ['fee_most = "0.1"', "fee_age_seconds = 600", "fee_most = 1\nfee_age_seconds = 600",
             'fee_most = "-1"\nfee_age_seconds = 600', 'fee_most = "1"\nfee_age_seconds = "600"'],
)  # fmt: skip
def test_a_patience_is_written_whole_or_not_at_all(more: str) -> None:
    with pytest.raises(BadMandate):
        read_mandate(TEXT.format(more=more), lambda _wallet, _code: xrp(0).asset)
