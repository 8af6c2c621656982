"""Reconciliation: every difference between a ledger and the books is found and named, and none is invented.

The comparison is pure: lists of facts go in. First one difference at a time, then 100,000 simulated transactions with
1,000 injected ones.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from online.bench.simulated import OPENED, SETTLED, SPANS, TOKEN, XRP, Injected, simulated
from online.ledger.differences import (
    NEXT_STEPS,
    Booked,
    Finding,
    Kind,
    Place,
    Shown,
    balances_off,
    compare,
    reserves_changed,
)


def shown(**change: Any) -> Shown:
    return replace(Shown("T1", "hot", XRP, 500, 0, 2_000), **change)


def booked(**change: Any) -> Booked:
    return replace(Booked("T1", "hot", XRP, 500, 0, "posted", "arrival 1", 2_000), **change)


# --- one difference at a time -------------------------------------------------------------------------

OUT = {"units": -510, "fee": 10}
ROWS: dict[str, tuple[list[Shown], list[Booked], list[tuple[Kind, int]]]] = {
    "a deposit as booked": ([shown()], [booked()], []),
    "a payment as booked": ([shown(**OUT)], [booked(**OUT)], []),
    "two deposits in one transaction": (
        [shown(), shown(units=500)], [booked(), booked(source="arrival 2")], []),
    "nothing moved": ([shown(units=0)], [], []),
    "a deposit that nobody booked": ([shown()], [], [(Kind.MISSING_DEPOSIT, 500)]),
    "a payment that nobody ordered": ([shown(**OUT)], [], [(Kind.UNEXPECTED_MOVEMENT, -510)]),
    "a fee that nobody ordered": ([shown(units=0, fee=3)], [], [(Kind.UNEXPECTED_MOVEMENT, 0)]),
    "a smaller deposit": ([shown(units=400)], [booked()], [(Kind.WRONG_AMOUNT, -100)]),
    "a larger payment": ([shown(units=-610, fee=10)], [booked(**OUT)], [(Kind.WRONG_AMOUNT, -100)]),
    "another fee": ([shown(units=-512, fee=12)], [booked(**OUT)], [(Kind.FEE_OFF, -2)]),
    "a fee booked as an amount": ([shown(**OUT)], [booked(units=-510, fee=0)], [(Kind.FEE_OFF, -10)]),
    "a fee that the ledger does not tell": ([shown(units=-510, fee=None)], [booked(**OUT)], []),
    "an amount off where the fee is not told": (
        [shown(units=-512, fee=None)], [booked(**OUT)], [(Kind.WRONG_AMOUNT, -2)]),
    "credited twice": ([shown()], [booked(), booked(source="arrival 2")], [(Kind.DOUBLE_CREDIT, -500)]),
    "credited three times": ([shown()], [booked()] * 3, [(Kind.DOUBLE_CREDIT, -1_000)]),
    "debited twice": ([shown(**OUT)], [booked(**OUT)] * 2, [(Kind.DOUBLE_DEBIT, 510)]),
    "two credits of which one is too large": (
        [shown(units=700)], [booked(), booked(units=300)], [(Kind.WRONG_AMOUNT, -100)]),
    "booked, and on no ledger": ([], [booked()], [(Kind.REORGANISED_AWAY, -500)]),
    "booked without any units, and on no ledger": ([], [booked(units=0)], []),
    "booked and reversed, and on no ledger": ([], [booked(), booked(units=-500, source="correction 1")], []),
    "booked above what was read": ([], [booked(height=SETTLED + 1)], []),
    "booked from before the opening": ([], [booked(height=OPENED)], [(Kind.BEFORE_OPENING, -500)]),
    "shown from before the opening, and booked": (
        [shown(height=OPENED)], [booked(height=OPENED)], [(Kind.BEFORE_OPENING, -500)]),
    "shown from before the opening": ([shown(height=7)], [], []),
    "not settled yet": ([shown(height=SETTLED + 1)], [], []),
    "seen and not booked yet": ([shown()], [booked(status="waiting")], []),
    "seen, and gone again": ([], [booked(status="waiting")], []),
    "on its way": ([], [booked(status="pending", until=SETTLED)], []),
    "on its way without an end": ([], [booked(status="pending")], []),
    "on its way for too long": ([], [booked(**OUT, status="pending", until=5_000)], [(Kind.STUCK_IN_FLIGHT, -510)]),
    "happened, and still on its way in the books": (
        [shown(**OUT)], [booked(**OUT, status="pending", until=5_000)], [(Kind.STUCK_IN_FLIGHT, -510)]),
    "the other end of what is still on its way in the books": (
        [shown(**OUT), shown(wallet="cold")], [booked(**OUT, status="pending")],
        [(Kind.STUCK_IN_FLIGHT, 500), (Kind.STUCK_IN_FLIGHT, -510)]),
    "another asset of the same transaction": (
        [shown(), shown(asset=TOKEN, units=9)], [booked()], [(Kind.MISSING_DEPOSIT, 9)]),
    "another wallet of the same transaction": (
        [shown(**OUT), shown(wallet="cold")], [booked(**OUT)], [(Kind.MISSING_DEPOSIT, 500)]),
    "a wallet whose books are not open": ([shown(wallet="new")], [booked(wallet="gone")], []),
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_each_difference_has_its_name_and_its_amount(name: str) -> None:
    ledger, books, expected = ROWS[name]
    assert [(one.kind, one.amount) for one in compare(ledger, books, SPANS)] == expected


def test_what_has_just_happened_may_be_on_its_way_into_the_books() -> None:
    fresh = shown(height=SETTLED - 5)
    assert compare([fresh], [], SPANS, grace=10) == ()
    assert [one.kind for one in compare([fresh], [], SPANS, grace=4)] == [Kind.MISSING_DEPOSIT]
    late = booked(status="pending", until=SETTLED - 5)
    assert compare([], [late], SPANS, grace=10) == ()
    assert [one.kind for one in compare([], [late], SPANS, grace=4)] == [Kind.STUCK_IN_FLIGHT]


def test_grace_is_never_given_to_what_is_booked_wrongly() -> None:
    (one,) = compare([shown(height=SETTLED, units=1)], [booked(height=SETTLED)], SPANS, grace=1_000)
    assert one.kind is Kind.WRONG_AMOUNT


def test_a_balance_that_its_movements_do_not_explain_is_named() -> None:
    place: Place = ("hot", XRP)
    assert balances_off({place: 1_500}, {place: 1_000}, {place: 500}) == ()
    assert balances_off({place: 1_000}, {place: 1_000}, {}) == ()
    (one,) = balances_off({place: 1_400}, {place: 1_000}, {place: 500})
    assert (one.kind, one.amount) == (Kind.BALANCE_OFF, -100)


def test_a_reserve_that_is_not_as_before_is_named() -> None:
    place, other = ("hot", XRP), ("cold", XRP)
    assert reserves_changed({place: 10}, {place: 10, other: 7}) == ()
    (one,) = reserves_changed({place: 10, other: 1}, {place: 12})
    assert (one.kind, one.amount, one.wallet) == (Kind.RESERVE_CHANGED, 2, "hot")


def test_every_kind_says_what_to_do_next() -> None:
    assert set(NEXT_STEPS) == set(Kind)
    assert Finding(Kind.FEE_OFF, "hot", XRP, 1).next_step == NEXT_STEPS[Kind.FEE_OFF]


# --- a hundred thousand transactions ------------------------------------------------------------------

def named(found: tuple[Finding, ...]) -> list[Injected]:
    return sorted((one.kind, one.tx_id, one.wallet, one.amount) for one in found)


def test_a_thousand_differences_among_100_000_transactions_are_found_and_named_and_none_invented() -> None:
    world = simulated(1, 100_000, 1_000)
    begun = time.perf_counter()
    found = compare(world.shown, world.booked, SPANS)
    assert time.perf_counter() - begun < 30
    assert named(found) == sorted(world.injected)
    assert len(found) == 1_000
    assert set(Counter(one.kind for one in found).values()) == {125}


def test_books_and_ledger_that_agree_have_no_difference() -> None:
    world = simulated(2, 5_000, 0)
    assert compare(world.shown, world.booked, SPANS) == ()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 60), st.data())
def test_whatever_is_put_in_is_what_is_found(seed: int, count: int, data: st.DataObject) -> None:
    world = simulated(seed, count, data.draw(st.integers(0, count)))
    assert named(compare(world.shown, world.booked, SPANS)) == sorted(world.injected)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 40))
def test_a_pair_of_lists_in_another_order_says_the_same(seed: int, count: int) -> None:
    world = simulated(seed, count, count // 2)
    again = compare(world.shown[::-1], world.booked[::-1], SPANS)
    assert compare(world.shown, world.booked, SPANS) == again
