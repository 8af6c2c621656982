"""Why withdrawals wait, when they are ordered at the latest, and what would become of one that is not asked for yet.

What is foretold is held against what `gather` then does, at the second before and at the second itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from online.customers.register import freeze, register
from online.jobs.signer_journal import note_checkpoint
from online.store import journal
from online.withdrawals.accepting import Wish, accept
from online.withdrawals.gathering import cancel, gather, hold
from online.withdrawals.mandates import Patience, revoke_mandate
from online.withdrawals.model import withdrawals
from online.withdrawals.states import State
from online.withdrawals.waiting import Wait, foretell, look
from shared.effects import Destination
from shared.errors import (
    CustomerFrozen,
    NotCovered,
    OverWithdrawalLimit,
    Refusal,
    UnknownCustomer,
    WithdrawalConflict,
)
from tests.online_world import ALICE, NETWORK, NOW, Desk, xrp
from tests.test_withdrawals import MANDATE, mandated, prepared

DEAR, CHEAP = {NETWORK: 99}, {NETWORK: 1}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return prepared(tmp_path)


def wish(desk: Desk, name: str, coins: int = 10, customer: str = "dave") -> Wish:
    return Wish(name, customer, "cold", Destination(desk.address("hot"), 7), xrp(coins))


def accepted(desk: Desk, *ages: int, customer: str = "dave") -> None:
    for age in ages:
        accept(desk.store, wish(desk, f"w{age}", customer=customer), NOW - age)


def waits(desk: Desk, name: str, now: int = NOW) -> Wait:
    wait = look(desk.store, name, now)[1]
    assert wait is not None
    return wait


def ordered(desk: Desk) -> set[str]:
    return {one.id for one in withdrawals(desk.store, states=(State.ORDERED,))}


# --- by the mandate's rules ---------------------------------------------------------------------------


def test_it_says_how_many_more_or_until_when(desk: Desk) -> None:
    accepted(desk, 20, 5)
    assert waits(desk, "w20") == waits(desk, "w5") == Wait("1 more of XRP", 1, NOW + 10)


def test_whole_parts_wait_for_nothing_and_the_rest_for_its_own_oldest(desk: Desk) -> None:
    accepted(desk, 20, 15, 10, 5)
    assert [waits(desk, f"w{age}").until for age in (20, 15, 10)] == [NOW] * 3
    assert waits(desk, "w5") == Wait("2 more of XRP", 2, NOW + 25)


def test_what_is_dear_waits_longer_and_the_oldest_of_its_asset_counts(desk: Desk) -> None:
    mandated(desk, replace(MANDATE, patience=Patience(12, 600)))
    accepted(desk, 20, 5)
    wait = waits(desk, "w5")
    assert (wait.until, wait.latest) == (NOW + 10, NOW + 580)
    assert wait.dear is not None
    assert str(wait.dear.fee) == "0.000012 XRP"


def test_others_whose_customers_are_held_count_for_nothing(desk: Desk) -> None:
    accepted(desk, 20)
    accepted(desk, 5, customer="edward")
    freeze(desk.store, "dave", NOW)
    assert waits(desk, "w5") == Wait("2 more of XRP", 2, NOW + 25)
    assert waits(desk, "w20") == Wait("its customer dave is held")


@pytest.mark.parametrize(
    ("patience", "fees"), [(None, DEAR), (Patience(12, 600), CHEAP), (Patience(12, 600), DEAR)],
    ids=["at any price", "cheap", "dear"],
)  # fmt: skip
@pytest.mark.parametrize("ages", [(20, 5), (25, 20, 10), (28, 24, 20, 16, 12, 10, 4)])
def test_what_is_foretold_is_what_is_gathered(
    desk: Desk, ages: tuple[int, ...], patience: Patience | None, fees: dict[str, int]
) -> None:
    mandated(desk, replace(MANDATE, patience=patience))
    accepted(desk, *ages)
    last = f"w{ages[-1]}"
    wait = waits(desk, last)
    due = wait.latest if fees is DEAR else wait.until
    assert due is not None
    if due > NOW:
        gather(desk.store, NOW, fees)  # turns come every few seconds
        gather(desk.store, due - 1, fees)
        assert last not in ordered(desk)
    gather(desk.store, due, fees)
    assert last in ordered(desk)


# --- by people ----------------------------------------------------------------------------------------


def no_mandate(desk: Desk) -> None:
    revoke_mandate(desk.store, mandated(desk), person=ALICE.person, sign=ALICE.sign, now=NOW)


def forgotten(desk: Desk) -> None:
    note_checkpoint(desk.store, desk.signer.station, desk.signer.checkpoint(), NOW)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda desk: hold(desk.store, "w9", "the phone call", NOW), "a person releases or cancels it: the phone call"),
        (no_mandate, "no mandate lets the wallet cold pay"),
        (forgotten, "the journal of vault has 1 entries, and 0 are known here [entries-missing]"),
        (lambda desk: gather(desk.store, NOW + 60), "job 1: its transaction is built next"),
    ],
)
def test_what_people_or_a_job_must_do_is_said(desk: Desk, make: Callable[[Desk], object], said: str) -> None:
    accepted(desk, 9)
    make(desk)
    assert waits(desk, "w9") == Wait(said)


def test_what_has_ended_waits_for_nothing(desk: Desk) -> None:
    accepted(desk, 9)
    cancel(desk.store, "w9", NOW)
    assert look(desk.store, "w9", NOW)[1] is None


# --- before it is asked for ---------------------------------------------------------------------------


def test_what_would_be_accepted_is_foretold_and_nothing_is_written(desk: Desk) -> None:
    accepted(desk, 20)
    with desk.store.reading() as connection:
        before = journal.tip(connection)
    found = foretell(desk.store, wish(desk, "w1"), NOW)
    with desk.store.reading() as connection:
        assert journal.tip(connection) == before
    assert (found.state, found.there, found.wait) == (State.QUEUED, False, Wait("1 more of XRP", 1, NOW + 10))
    accept(desk.store, wish(desk, "w1"), NOW)
    assert waits(desk, "w1") == found.wait
    assert foretell(desk.store, wish(desk, "w1"), NOW).there


def test_what_would_be_held_is_foretold(desk: Desk) -> None:
    found = foretell(desk.store, wish(desk, "w1", 61), NOW)
    assert found.state is State.HELD
    assert found.wait == Wait("a person releases or cancels it: above what is paid without a look")


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"amount": xrp(101)}, OverWithdrawalLimit),
        ({"customer": "nobody"}, UnknownCustomer),
        ({"customer": "fred"}, NotCovered),
        ({"id": "w20", "amount": xrp(1)}, WithdrawalConflict),
        ({"customer": "frozen"}, CustomerFrozen),
    ],
)
def test_what_would_be_refused_is_refused_with_the_same_code(
    desk: Desk, change: dict[str, object], refusal: type[Refusal]
) -> None:
    accepted(desk, 20)
    register(desk.store, "fred", NOW)
    if change.get("customer") == "frozen":
        freeze(desk.store, "edward", NOW)
        change = {"customer": "edward"}
    wanted = replace(wish(desk, "w1"), **change)  # type: ignore[arg-type]
    with pytest.raises(refusal) as foretold:
        foretell(desk.store, wanted, NOW)
    with pytest.raises(refusal) as done:
        accept(desk.store, wanted, NOW)
    assert str(foretold.value) == str(done.value)
