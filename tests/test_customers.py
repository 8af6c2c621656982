"""Customers and trades: balances move between customers and the house at once, balanced, once, and never uncovered."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import delete

from online.audit import verify
from online.customers.register import (
    Customer,
    allow_place,
    allowed,
    customers,
    disallow_place,
    freeze,
    register,
    unfreeze,
)
from online.customers.trades import HOUSE, Leg, trade
from online.ledger.books import balance_sheet, prove_balances
from online.store import tables
from shared.effects import Destination
from shared.errors import (
    BadCustomer,
    BadTrade,
    CustomerFrozen,
    LastPlace,
    NotAllowedThere,
    NotCovered,
    Refusal,
    TradeConflict,
    UnknownCustomer,
)
from tests.online_world import ALICE, NETWORK, NOW, Desk, make_desk, xrp


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A coordinator whose house owns what its wallets hold, and two customers."""
    found = make_desk(tmp_path)
    for name in ("dave", "edward"):
        register(found.store, name, NOW)
    return found


def _owed(desk: Desk, account: str) -> int:
    return -sum(one.posted for one in balance_sheet(desk.store) if one.account == account)


def test_a_customer_is_registered_once(desk: Desk) -> None:
    assert register(desk.store, "dave", NOW + 9) == Customer("dave", NOW, frozen=False)
    assert [one.id for one in customers(desk.store)] == ["dave", "edward"]


@pytest.mark.parametrize("bad", ["", "a b", "a:b", "-a", "ä", "a" * 65, "a\n", "../x", "house", "House"])
def test_a_text_that_is_no_id_is_refused(desk: Desk, bad: str) -> None:
    with pytest.raises(BadCustomer):
        register(desk.store, bad, NOW)


def test_a_trade_moves_both_sides_at_once(desk: Desk) -> None:
    trade(desk.store, "t1", [Leg(HOUSE, "dave", xrp(500))], NOW)
    trade(desk.store, "t2", [Leg("dave", "edward", xrp(120)), Leg("dave", HOUSE, xrp(1))], NOW)
    assert (_owed(desk, "customer:dave"), _owed(desk, "customer:edward")) == (379_000_000, 120_000_000)
    assert prove_balances(desk.store) == ()
    assert verify(desk.store).ok


def test_the_same_trade_again_changes_nothing(desk: Desk) -> None:
    first = trade(desk.store, "t1", [Leg(HOUSE, "dave", xrp(5))], NOW)
    again = trade(desk.store, "t1", [Leg(HOUSE, "dave", xrp(5))], NOW + 1)
    assert (again.entry, first.repeated, again.repeated) == (first.entry, False, True)
    assert _owed(desk, "customer:dave") == 5_000_000


def test_an_id_names_one_trade(desk: Desk) -> None:
    trade(desk.store, "t1", [Leg(HOUSE, "dave", xrp(5))], NOW)
    with pytest.raises(TradeConflict):
        trade(desk.store, "t1", [Leg(HOUSE, "dave", xrp(6))], NOW)


def test_nobody_gives_what_they_do_not_have_not_even_over_several_legs(desk: Desk) -> None:
    trade(desk.store, "t1", [Leg(HOUSE, "dave", xrp(5))], NOW)
    for legs in (
        [Leg("dave", "edward", xrp(6))],
        [Leg("dave", "edward", xrp(3)), Leg("dave", HOUSE, xrp(3))],
        [Leg("edward", "dave", xrp(1))],
        [Leg(HOUSE, "dave", xrp(10_000_000))],
    ):
        with pytest.raises(NotCovered):
            trade(desk.store, "t2", legs, NOW)
    assert (_owed(desk, "customer:dave"), _owed(desk, "customer:edward")) == (5_000_000, 0)


def test_what_comes_in_by_a_trade_covers_what_goes_out_by_it(desk: Desk) -> None:
    trade(desk.store, "t1", [Leg(HOUSE, "dave", xrp(5)), Leg("dave", "edward", xrp(5))], NOW)
    assert (_owed(desk, "customer:dave"), _owed(desk, "customer:edward")) == (0, 5_000_000)


def test_a_held_balance_takes_and_does_not_give(desk: Desk) -> None:
    freeze(desk.store, "dave", NOW)
    trade(desk.store, "t1", [Leg(HOUSE, "dave", xrp(5))], NOW)
    with pytest.raises(CustomerFrozen):
        trade(desk.store, "t2", [Leg("dave", "edward", xrp(1))], NOW)
    unfreeze(desk.store, "dave", person=ALICE.person, sign=ALICE.sign, now=NOW)
    trade(desk.store, "t2", [Leg("dave", "edward", xrp(1))], NOW)


@pytest.mark.parametrize(
    ("legs", "refusal"),
    [
        ([], BadTrade),
        ([Leg("dave", "dave", xrp(1))], BadTrade),
        ([Leg(HOUSE, "dave", xrp(0))], BadTrade),
        ([Leg(HOUSE, "dave", xrp(1))] * 101, BadTrade),
        ([Leg(HOUSE, "nobody", xrp(1))], UnknownCustomer),
        ([Leg("nobody", HOUSE, xrp(1))], UnknownCustomer),
    ],
)
def test_what_is_no_trade_is_refused_and_moves_nothing(desk: Desk, legs: list[Leg], refusal: type[Refusal]) -> None:
    before = balance_sheet(desk.store)
    with pytest.raises(refusal):
        trade(desk.store, "t1", legs, NOW)
    assert balance_sheet(desk.store) == before


# --- where they may withdraw to -----------------------------------------------------------------------

HERE, THERE = Destination("rHere", 5), Destination("rThere")


def listed(desk: Desk) -> list[str]:
    with desk.store.reading() as connection:
        return [one.place for one in allowed(connection, "dave")]


def test_a_list_of_places_is_shortened_and_the_journal_says_so(desk: Desk) -> None:
    for place in (HERE, THERE):
        allow_place(desk.store, "dave", NETWORK, place, NOW)
    disallow_place(desk.store, "dave", NETWORK, HERE, NOW)
    assert listed(desk) == ["rThere"]
    assert verify(desk.store).ok
    allow_place(desk.store, "dave", NETWORK, HERE, NOW)
    assert verify(desk.store).ok
    with desk.store.transaction() as tx:
        tx.sql.execute(delete(tables.allowed).where(tables.allowed.c.place == "rThere"))
    assert verify(desk.store).problems == (f"allowed dave {NETWORK} rThere: not as the journal says",)


def test_the_last_place_goes_only_where_anywhere_is_meant(desk: Desk) -> None:
    allow_place(desk.store, "dave", NETWORK, HERE, NOW)
    allow_place(desk.store, "dave", "xrpl:test", THERE, NOW)  # another network's list is another list
    with pytest.raises(LastPlace):
        disallow_place(desk.store, "dave", NETWORK, HERE, NOW)
    disallow_place(desk.store, "dave", NETWORK, HERE, NOW, anywhere=True)
    assert listed(desk) == ["rThere"]
    assert verify(desk.store).ok


@pytest.mark.parametrize(("who", "place", "refusal"), [
    ("dave", THERE, NotAllowedThere), ("dave", Destination("rHere"), NotAllowedThere),
    ("edward", HERE, NotAllowedThere), ("nobody", HERE, UnknownCustomer),
])  # fmt: skip
def test_only_what_is_listed_is_taken_off(
    desk: Desk, who: str, place: Destination, refusal: type[Refusal]
) -> None:
    allow_place(desk.store, "dave", NETWORK, HERE, NOW)
    with pytest.raises(refusal):
        disallow_place(desk.store, who, NETWORK, place, NOW, anywhere=True)
    assert listed(desk) == ["rHere tag 5"]
