"""What the books reserve for a transaction and those that replace it: for one of them, since only one can happen.

Driven by orders on the devnet's Bitcoin through the real signer. After each step the pending balances are exactly the
reservation of one job, the journal swears to every entry, and the books agree with the ledgers at the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from online.audit import verify
from online.jobs.model import job, jobs
from online.jobs.rivals import holder
from online.jobs.states import State
from online.jobs.withdraw import withdraw
from online.ledger import rules
from online.ledger.books import balance_sheet, prove_balances
from online.orders.approval import rebuild
from online.orders.replacement import bump
from online.orders.spending import draft_pay, draft_send
from shared.effects import Destination
from shared.envelope import Declined
from shared.errors import AssetsShort
from shared.policy import Person
from tests.bitcoin_house import COIN, CONFIRMATIONS, XCP, House, a_house, amount, friend


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with a_house(tmp_path) as made:
        yield made


# --- one reservation ----------------------------------------------------------------------------------


def test_a_replacement_takes_the_reservation_over_and_does_not_add_to_it(house: House) -> None:
    _on_its_way(house)
    _require_reserved(house, 1)
    _bump(house, 1)
    _require_reserved(house, 1)  # it is only approved
    house.build()
    _require_reserved(house, 2)
    house.cross()
    house.tick()
    _require_reserved(house, 2)
    house.settle()
    assert house.states() == ["dead", "final"]
    house.require_books()


@pytest.mark.parametrize("end", ["withdrawn", "declined"])
def test_the_first_gets_its_reservation_back_when_its_replacement_ends_without_effect(house: House, end: str) -> None:
    _on_its_way(house)
    _bump(house, 1)
    house.build()
    if end == "withdrawn":
        withdraw(house.store, 2, house.now)
    else:
        house.cross([Declined(0, "no")])
    assert house.states() == ["submitted", end]
    _require_reserved(house, 1)
    house.settle()
    assert house.states() == ["final", end]
    house.require_books()


def test_a_replacement_of_a_replacement_holds_it_alone_and_gives_it_back_by_one(house: House) -> None:
    _on_its_way(house)
    _bump(house, 1, fee_rate=9_000)
    house.cross()
    _bump(house, 2, fee_rate=20_000)
    house.build()
    _require_reserved(house, 3)
    withdraw(house.store, 3, house.now)
    _require_reserved(house, 2)
    _bump(house, 2, fee_rate=30_000)
    house.build()
    _require_reserved(house, 4)
    house.cross()
    house.settle()
    assert house.states() == ["dead", "dead", "withdrawn", "final"]
    house.require_books()


def test_nothing_is_reserved_any_more_once_the_first_one_won(house: House) -> None:
    _on_its_way(house)
    _bump(house, 1)
    house.cross()
    house.bitcoin.mine(CONFIRMATIONS)  # the replacement was never handed over
    house.settle()
    assert house.states() == ["final", "dead"]
    _require_reserved(house, None)
    house.require_books()


def test_a_first_one_that_wins_while_its_replacement_is_with_the_signer_leaves_nothing_reserved(house: House) -> None:
    _on_its_way(house)
    _bump(house, 1)
    house.export()
    house.bitcoin.mine(CONFIRMATIONS)
    house.tick()
    assert house.states()[0] == "final"
    _require_reserved(house, None)


def test_what_was_declined_and_is_built_again_is_reserved_again(house: House) -> None:
    _pay(house)
    house.cross([Declined(0, "not today")])
    _require_reserved(house, None)
    alice = house.people["alice"]
    rebuild(house.store, 1, person=Person("alice", alice.public), sign=alice.sign, now=house.now)
    house.build()
    _require_reserved(house, 2)


# --- what others may spend meanwhile ------------------------------------------------------------------


@pytest.mark.parametrize(("units", "taken"), [(400 * COIN, True), (400 * COIN + 1, False)])
def test_others_may_spend_all_that_one_of_the_two_leaves_and_no_more(house: House, units: int, taken: bool) -> None:
    _send(house, 600 * COIN)
    house.cross()
    house.tick()
    _bump(house, 1)
    house.build()
    _send(house, units)
    if not taken:
        with pytest.raises(AssetsShort):
            house.build()
        return
    house.cross()
    house.settle()
    assert house.states() == ["dead", "final", "final"]
    assert house.held(friend(1)) == 600 * COIN + units
    house.require_books()


# --- the rule -----------------------------------------------------------------------------------------

_S = State


@pytest.mark.parametrize(
    ("states", "held"),
    [
        ({1: _S.SUBMITTED}, 1),
        ({1: _S.SUBMITTED, 2: _S.APPROVED}, 1),
        ({1: _S.SUBMITTED, 2: _S.BUILT}, 2),
        ({1: _S.SUBMITTED, 2: _S.EXPORTED, 3: _S.WITHDRAWN}, 2),
        ({1: _S.SUBMITTED, 2: _S.DECLINED}, 1),
        ({1: _S.DEAD, 2: _S.SUBMITTED}, 2),
        ({1: _S.FINAL, 2: _S.SUBMITTED}, None),
        ({1: _S.FAILED, 2: _S.SUBMITTED}, None),
        ({1: _S.SUBMITTED, 2: _S.FINAL}, None),
        ({1: _S.DEAD, 2: _S.DEAD}, None),
        ({1: _S.DRAFTED}, None),
    ],
)
def test_the_newest_that_may_happen_holds_the_reservation(states: dict[int, State], held: int | None) -> None:
    assert holder(states) == held


# --- parts --------------------------------------------------------------------------------------------


def _pay(house: House, **terms: int) -> None:
    payments = [(Destination(friend(1)), amount(20_000))]
    house.approved(draft_pay(house.store, house.asking(), wallet="cold", payments=payments, terms=terms))


def _on_its_way(house: House) -> None:
    _pay(house, fee_rate=2_000)
    house.cross()
    house.tick()


def _send(house: House, units: int) -> None:
    payment = (Destination(friend(1), memo='"x"'), amount(units, XCP))
    house.approved(draft_send(house.store, house.asking(), wallet="cold", payment=payment))


def _bump(house: House, job_id: int, **terms: int) -> None:
    alice = house.people["alice"]
    bump(house.store, job_id, person=Person("alice", alice.public), sign=alice.sign, now=house.now, terms=terms)


def _require_reserved(house: House, number: int | None) -> None:
    """Assert that the pending balances are the reservation of one job, and that books and journal hold."""
    with house.store.reading() as connection:
        effects = None if number is None else job(house.store, number).effects
        lines = () if effects is None else rules.reserved(connection, effects)
    wanted: dict[tuple[str, str], int] = {}
    for line in lines:
        key = (line.account, line.asset.code)
        wanted[key] = wanted.get(key, 0) + line.units
    found = {(one.account, one.asset.code): one.pending for one in balance_sheet(house.store) if one.pending}
    assert found == wanted, [one.state for one in jobs(house.store)]
    assert prove_balances(house.store) == ()
    assert verify(house.store).problems == ()
