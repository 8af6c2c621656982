"""Corrections of the books: two people's word ends one difference that a look has just found, and nothing else.

Everything is on a served ledger. After each correction a look finds nothing more, and books and journal hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from online.audit import verify
from online.customers.trades import HOUSE as THE_HOUSE
from online.customers.trades import Leg, trade
from online.ledger.accounts import Kind as Account
from online.ledger.books import balance_sheet, prove_balances
from online.ledger.corrections import Correction, Wanted, correct
from online.ledger.differences import CORRECTABLE, NEXT_STEPS, Kind
from online.ledger.postings import Posting
from online.store import tables
from shared.errors import BadCorrection, LedgerUnread, NoSuchDifference, NotCovered, SamePerson, UnknownPerson
from shared.money import Amount
from tests.online_world import ALICE, BOB, NETWORK, NOW, XRP, Somebody
from tests.served_house import House, a_house, again, found, kept, look, paid, posted


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Dave was paid 7 drops, which the books have and a look has seen."""
    with a_house(tmp_path) as served:
        paid(served, 7)
        served.tick()
        kept(served)
        yield served


def corrected(house: House, wanted: Wanted, *people: Somebody) -> Correction:
    first, second = ((one.person, one.sign) for one in people or (ALICE, BOB))
    return correct(house.store, house.gateway, wanted, first, second, NOW)


def wanted(house: House, kind: Kind, **how: Any) -> Wanted:
    """Ask for the correction of the one transaction or entry that differs."""
    (name,) = {one.tx_id or one.source.removeprefix("entry ") for one in look(house).findings}
    return Wanted(NETWORK, kind, name, **how)


def balance(house: House, account: str) -> int:
    return sum(one.posted for one in balance_sheet(house.store) if one.account == account)


def require_right(house: House) -> None:
    """Demand that nothing differs any more, from the stand and from the openings, and that the books are proven."""
    assert found(house) == found(house, whole=True) == []
    kept(house)
    assert found(house) == []
    assert prove_balances(house.store) == ()
    assert not [one for one in verify(house.store).problems if not one.startswith("arrivals ")]


def unread(house: House) -> None:
    """Let a payment come that the deposits' cursor has passed."""
    paid(house, 9)
    height = house.gateway.height()
    with house.store.transaction() as tx:
        cursor = f"{height} {house.gateway.block(height)}"
        tx.sql.execute(update(tables.cursors).values(cursor=cursor, height=height))


def stray(house: House) -> int:
    return posted(house, Posting("wallet:hot", XRP, 7), Posting(f"own:{NETWORK}", XRP, -7))


MISSING = "AB" * 32
WRONG: dict[str, tuple[Kind, Callable[[House], Any]]] = {
    "a deposit that was passed over": (Kind.MISSING_DEPOSIT, unread),
    "a deposit that was credited twice": (Kind.DOUBLE_CREDIT, again),
    "a deposit that never was": (Kind.REORGANISED_AWAY, lambda house: again(house, tx_id=MISSING)),
    "a deposit that the opening holds": (Kind.BEFORE_OPENING, lambda house: again(house, tx_id=MISSING, height=1)),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_difference_is_ended_against_own_funds(house: House, name: str) -> None:
    kind, make = WRONG[name]
    make(house)
    ((there, _, amount),) = found(house)
    own = balance(house, f"own:{NETWORK}")
    done = corrected(house, wanted(house, kind, against=Account.OWN))
    assert (there, balance(house, f"own:{NETWORK}")) == (kind, own - amount)
    assert [line.units for line in done.lines] == [amount, -amount]
    require_right(house)


def test_an_entry_is_taken_back_by_its_number_and_the_customer_owes_it_no_more(house: House) -> None:
    number = again(house)
    assert balance(house, "customer:dave") == -14
    corrected(house, wanted(house, Kind.DOUBLE_CREDIT, reverses=number))
    assert balance(house, "customer:dave") == -7
    require_right(house)


def test_an_entry_without_a_transaction_is_taken_back_by_its_number(house: House) -> None:
    number = stray(house)
    corrected(house, Wanted(NETWORK, Kind.ENTRY_WITHOUT_TRANSACTION, str(number)))
    require_right(house)


def test_nothing_is_taken_from_whom_it_is_owed_no_more(house: House) -> None:
    number = again(house)
    trade(house.store, "t", [Leg("dave", THE_HOUSE, Amount(XRP, 10))], NOW)
    with pytest.raises(NotCovered):
        corrected(house, wanted(house, Kind.DOUBLE_CREDIT, reverses=number))
    with pytest.raises(NotCovered):
        corrected(house, wanted(house, Kind.DOUBLE_CREDIT, against=Account.SUSPENSE))
    corrected(house, wanted(house, Kind.DOUBLE_CREDIT, against=Account.OWN))
    require_right(house)


def test_only_what_is_found_now_is_corrected_and_only_once(house: House) -> None:
    again(house)
    asked = wanted(house, Kind.DOUBLE_CREDIT, against=Account.OWN)
    for other in (Wanted(NETWORK, Kind.WRONG_AMOUNT, asked.transaction, Account.OWN),
                  Wanted(NETWORK, Kind.DOUBLE_CREDIT, MISSING, Account.OWN),
                  Wanted(NETWORK, Kind.DOUBLE_CREDIT, asked.transaction, Account.OWN, wallet="hot")):  # fmt: skip
        with pytest.raises(NoSuchDifference):
            corrected(house, other)
    corrected(house, asked)
    with pytest.raises(NoSuchDifference):
        corrected(house, asked)


def test_a_deposit_that_is_still_to_be_read_is_left_to_the_loop(house: House) -> None:
    paid(house, 9)
    with pytest.raises(BadCorrection):
        corrected(house, wanted(house, Kind.MISSING_DEPOSIT, against=Account.OWN))
    house.tick()
    assert found(house) == []


def test_a_correction_that_would_not_end_the_difference_is_refused(house: House) -> None:
    number = again(house)
    for how in ({}, {"against": Account.OWN, "reverses": number}, {"reverses": 1}, {"reverses": 999}):
        with pytest.raises(BadCorrection):
            corrected(house, wanted(house, Kind.DOUBLE_CREDIT, **how))
    with pytest.raises(BadCorrection):
        corrected(house, Wanted(NETWORK, Kind.STUCK_IN_FLIGHT, MISSING, Account.OWN))
    assert [kind for kind, *_ in found(house)] == [Kind.DOUBLE_CREDIT]


def test_it_takes_two_people_whom_the_store_knows_and_a_ledger_that_answers(house: House) -> None:
    again(house)
    asked = wanted(house, Kind.DOUBLE_CREDIT, against=Account.OWN)
    with pytest.raises(SamePerson):
        corrected(house, asked, ALICE, ALICE)
    with pytest.raises(UnknownPerson):
        corrected(house, asked, ALICE, Somebody("mallory"))
    house.world.go_down()
    with pytest.raises(LedgerUnread):
        corrected(house, asked)


def test_every_edit_of_a_correction_is_noticed(house: House) -> None:
    number, table = stray(house), tables.corrections
    corrected(house, Wanted(NETWORK, Kind.ENTRY_WITHOUT_TRANSACTION, str(number)))
    assert verify(house.store).ok
    edits = {"kind": "fee-off", "tx_id": "EF", "height": 3, "reverses": 1, "sealed": b"\0", "network": "xrpl:mainnet"}
    for column, value in edits.items():
        with house.store.transaction() as tx:
            before = tx.sql.execute(select(table.c[column])).scalar()
            tx.sql.execute(update(table).values({column: value}))
        assert any(one.startswith("corrections ") for one in verify(house.store).problems), column
        with house.store.transaction() as tx:
            tx.sql.execute(update(table).values({column: before}))
    with house.store.transaction() as tx:
        tx.sql.execute(delete(table))
    assert any(one.startswith("corrections ") for one in verify(house.store).problems)


def test_the_next_step_names_the_command_for_every_kind_that_it_takes() -> None:
    named = {kind for kind, step in NEXT_STEPS.items() if f"`lockgate books correct {kind} " in step}
    assert named == CORRECTABLE
