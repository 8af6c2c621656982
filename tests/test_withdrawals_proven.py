"""Whoever can write in the database, but has no key, gets no withdrawal paid: rows are held against the signed journal.

Each test writes what a thief would. What it must not do is pay; what does not hold is told, and stops nothing else.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from nacl.signing import SigningKey
from sqlalchemy import Table, delete, insert, select, text, update

from online.audit import verify
from online.customers.register import freeze, register, unfreeze
from online.customers.trades import HOUSE, Leg, trade
from online.jobs.export import export_request
from online.jobs.model import encode_context, jobs
from online.jobs.states import State as JobState
from online.jobs.withdraw import withdraw
from online.ledger.books import prove_balances
from online.orders.model import KIND
from online.store import journal, tables
from online.store.database import Store
from online.store.migrations.versions import v0003_lines
from online.withdrawals.accepting import accept
from online.withdrawals.gathering import cancel, gather, hold
from online.withdrawals.mandates import Ceiling, Mandate, draft_mandate
from online.withdrawals.model import ACCEPTED, Withdrawal, asked_for, find_withdrawal, move, withdrawals
from online.withdrawals.paying import pay_out, release
from online.withdrawals.states import State
from online.withdrawals.sworn import release_word
from shared.chains.xrpl.build import Terms, build_payment
from shared.effects import Destination
from shared.encoding import Value
from shared.errors import JournalDamaged, NothingToExport, PlanMismatch, UnknownPerson, WithdrawalUnproven
from shared.journal import make_entry
from shared.sealed import seal
from tests.online_world import ALICE, NETWORK, NOW, Desk, Somebody, let_go, make_desk, xrp
from tests.store_place import reopened
from tests.test_withdrawals import mandated, owed, settled, states, wish

CEILING = Ceiling(xrp(100).units, xrp(400).units, xrp(300).units, xrp(60).units)
MANDATE = Mandate("cold", {"XRP": CEILING}, count=1, age_seconds=0)
THIEF = "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh"
MALLORY = Somebody("mallory")
TOLD = "[withdrawal-unproven]: Somebody wrote in the database: run `lockgate audit verify`, "


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Dave holds 500 XRP and has asked for 10 as "a" and 20 as "b"; everything is gathered at once."""
    found = make_desk(tmp_path)
    for name in ("dave", "edward"):
        register(found.store, name, NOW)
    trade(found.store, "dave", [Leg(HOUSE, "dave", xrp(500))], NOW)
    mandated(found, MANDATE)
    mandated(found, Mandate("hot", MANDATE.ceilings, count=1, age_seconds=0))
    for name, coins in (("a", 10), ("b", 20)):
        accept(found.store, wish(found, name, coins), NOW)
    return found


def written(desk: Desk, table: Table, where: Any, **values: object) -> None:
    with desk.store.transaction() as tx:
        assert tx.sql.execute(update(table).where(where).values(**values)).rowcount


def row_changed(desk: Desk, name: str, **values: object) -> None:
    written(desk, tables.withdrawals, tables.withdrawals.c.id == name, **values)


def line_of(desk: Desk, name: str) -> int:
    (line,) = (one.line for one in withdrawals(desk.store) if one.id == name)
    assert line is not None
    return line


def told(troubles: tuple[str, ...], name: str) -> bool:
    """Say whether one trouble, and no other, tells of a withdrawal, by its code and what to do."""
    return len(troubles) == 1 and troubles[0].startswith(f"withdrawal not paid: {name}: ") and TOLD in troubles[0]


# --- rows that are not what was accepted --------------------------------------------------------------


@pytest.mark.parametrize(
    "values",
    [
        {"destination": THIEF}, {"tag": 8}, {"tag": None}, {"memo": "hex 00"}, {"units": "11000000"},
        {"customer": "edward"}, {"wallet": "hot", "destination": THIEF}, {"line": None}, {"line": 10**9}, {"line": -1},
    ],
    ids=str,
)  # fmt: skip
def test_a_row_that_was_changed_is_not_paid_and_told_each_turn_and_the_others_go(
    desk: Desk, values: dict[str, object]
) -> None:
    row_changed(desk, "a", **values)
    assert told(pay_out(desk.store, desk.gateways, NOW), "a")
    assert told(pay_out(desk.store, desk.gateways, NOW), "a")
    assert states(desk) == {"a": State.QUEUED, "b": State.ORDERED}
    assert any(one.startswith("withdrawals a: ") for one in verify(desk.store).problems)


@pytest.mark.parametrize(("name", "other"), [("a", "b"), ("b", "a")])
def test_a_row_that_points_at_another_withdrawals_line_is_not_paid(desk: Desk, name: str, other: str) -> None:
    row_changed(desk, name, line=line_of(desk, other))
    assert told(pay_out(desk.store, desk.gateways, NOW), name)
    assert states(desk) == {name: State.QUEUED, other: State.ORDERED}


@pytest.mark.parametrize("line", [None, 0, "a's", "the last"])
def test_a_row_that_was_invented_is_not_paid(desk: Desk, line: object) -> None:
    number = {"a's": line_of(desk, "a"), "the last": line_of(desk, "b")}.get(str(line), line)
    with desk.store.transaction() as tx:
        row = tx.sql.execute(select(tables.withdrawals).where(tables.withdrawals.c.id == "a")).mappings().one()
        tx.sql.execute(insert(tables.withdrawals).values({**row, "id": "z", "destination": THIEF, "line": number}))
    assert told(pay_out(desk.store, desk.gateways, NOW), "z")
    assert states(desk) == {"a": State.ORDERED, "b": State.ORDERED, "z": State.QUEUED}


def test_an_invented_row_takes_nobodys_place_in_the_day(desk: Desk) -> None:
    with desk.store.transaction() as tx:
        row = tx.sql.execute(select(tables.withdrawals).where(tables.withdrawals.c.id == "a")).mappings().one()
        for name in ("x", "y", "z"):
            values = {"id": name, "units": CEILING.event, "created": 0, "line": None}
            tx.sql.execute(insert(tables.withdrawals).values({**row, **values}))
    assert len(gather(desk.store, NOW).troubles) == 3
    assert (states(desk)["a"], states(desk)["b"]) == (State.ORDERED, State.ORDERED)


# --- a journal that was written in ----------------------------------------------------------------------


def forged(desk: Desk, number: int, key: SigningKey) -> bytes:
    """Give a line of another key at a place, which says that "a" goes to the thief."""
    with desk.store.reading() as connection:
        tip = journal.tip(connection)
    one = replace(next(one for one in withdrawals(desk.store) if one.id == "a"), destination=Destination(THIEF, 7))
    body: dict[str, Value] = {**asked_for(one), "state": "queued", "posted": []}
    mine = replace(tip, size=number, key=bytes(key.verify_key))
    return make_entry(mine, tip.time, ACCEPTED, body, lambda text: key.sign(text).signature, bytes(key.verify_key))[1]


@pytest.mark.parametrize("where", ["in its place", "at the end"])
def test_a_line_of_another_key_lets_nothing_be_paid(desk: Desk, where: str) -> None:
    with desk.store.reading() as connection:
        size = journal.tip(connection).size
    number = line_of(desk, "a") if where == "in its place" else size
    line = forged(desk, number, SigningKey(bytes(32)))
    with desk.store.transaction() as tx:
        tx.sql.execute(delete(tables.audit).where(tables.audit.c.n == number))
        tx.sql.execute(insert(tables.audit).values(n=number, line=line))
    row_changed(desk, "a", destination=THIEF, line=number)
    (trouble,) = pay_out(desk.store, desk.gateways, NOW)
    assert trouble.endswith("[journal-damaged]")
    assert set(states(desk).values()) == {State.QUEUED}


def tip_of(store: Store) -> bytes:
    with store.reading() as connection:
        return bytes(connection.execute(select(tables.audit_tip.c.tip)).scalar_one())


def test_a_journal_that_was_cut_is_told_by_the_process_that_read_it(desk: Desk) -> None:
    tip, line = tip_of(desk.store), line_of(desk, "b")
    gather(desk.store, NOW)
    settled(desk)
    accept(desk.store, wish(desk, "c"), NOW)
    pay_out(desk.store, desk.gateways, NOW)
    with desk.store.transaction() as tx:
        tx.sql.execute(delete(tables.audit).where(tables.audit.c.n > line))
        tx.sql.execute(update(tables.audit_tip).values(tip=tip))
    row_changed(desk, "a", state="queued", transfer=None)
    (trouble,) = gather(desk.store, NOW).troubles
    assert trouble.endswith("and had more [journal-damaged]")
    assert states(desk)["a"] is State.QUEUED


def test_a_journal_that_was_cut_and_grew_again_is_told_by_the_process_that_read_it(desk: Desk) -> None:
    tip, line = tip_of(desk.store), line_of(desk, "b")
    gather(desk.store, NOW)
    accept(desk.store, wish(desk, "c"), NOW)
    gather(desk.store, NOW)
    with desk.store.transaction() as tx:
        tx.sql.execute(delete(tables.audit).where(tables.audit.c.n > line))
        tx.sql.execute(update(tables.audit_tip).values(tip=tip))
    other = reopened(desk.store)
    for number in range(20):
        accept(other, wish(desk, f"d{number}", 1, tag=number), NOW)
    other.close()
    (trouble,) = gather(desk.store, NOW).troubles
    assert trouble.endswith("it was another one before [journal-damaged]")


# --- rows that were put back to where they were ---------------------------------------------------------


@pytest.mark.parametrize("again", [False, True], ids=["the same process", "another process"])
@pytest.mark.parametrize("end", [State.PAID, State.CANCELLED])
def test_what_has_ended_is_not_paid_once_its_row_is_put_back(desk: Desk, end: State, *, again: bool) -> None:
    if end is State.CANCELLED:
        cancel(desk.store, "a", NOW)
    gather(desk.store, NOW)
    settled(desk)
    assert states(desk) == {"a": end, "b": State.PAID}
    row_changed(desk, "a", state="queued", transfer=None)
    store = reopened(desk.store) if again else desk.store
    assert told(gather(store, NOW).troubles, "a")
    assert states(desk)["a"] is State.QUEUED
    store.close()


def test_what_another_process_cancelled_is_not_paid_once_its_row_is_put_back(desk: Desk) -> None:
    accept(desk.store, wish(desk, "c"), NOW)
    hold(desk.store, "c", "a look", NOW)
    gather(desk.store, NOW)
    other = reopened(desk.store)
    cancel(other, "c", NOW)
    other.close()
    row_changed(desk, "c", state="queued")
    assert told(gather(desk.store, NOW).troubles, "c")


def test_an_order_that_was_paid_and_is_put_back_does_not_leave_again(desk: Desk) -> None:
    cancel(desk.store, "b", NOW)
    gather(desk.store, NOW)
    transfer = next(one.transfer for one in withdrawals(desk.store) if one.id == "a")
    settled(desk)
    assert transfer is not None
    row_changed(desk, "a", state="ordered", transfer=transfer.hex())
    written(desk, tables.jobs, tables.jobs.c.state == "final", state="built")
    with pytest.raises(NothingToExport):
        desk.export()
    (trouble,) = pay_out(desk.store, desk.gateways, NOW)
    assert trouble.endswith("[withdrawal-unproven]")
    assert told(pay_out(desk.store, desk.gateways, NOW), "a")


def test_a_station_that_is_led_to_take_back_what_was_paid_does_not_pay_it_again(desk: Desk) -> None:
    cancel(desk.store, "b", NOW)
    gather(desk.store, NOW)
    transfer = next(one.transfer for one in withdrawals(desk.store) if one.id == "a")
    settled(desk)
    assert transfer is not None
    row_changed(desk, "a", state="ordered", transfer=transfer.hex())
    written(desk, tables.jobs, tables.jobs.c.state == "final", state="approved")
    withdraw(desk.store, jobs(desk.store)[0].id, NOW)
    assert states(desk)["a"] is State.QUEUED  # the station signed that move
    assert told(gather(desk.store, NOW).troubles, "a")


@pytest.mark.parametrize("act", [cancel, hold])
def test_what_left_for_the_signer_is_not_taken_back_by_a_row_that_says_built(desk: Desk, act: Any) -> None:
    gather(desk.store, NOW)
    desk.export()
    written(desk, tables.jobs, tables.jobs.c.id == 1, state="built")
    if act is cancel:
        with pytest.raises(WithdrawalUnproven, match="stands in two ways"):
            cancel(desk.store, "a", NOW)
        assert owed(desk, "customer:dave") == 470
    else:
        hold(desk.store, "a", "a look", NOW)
        with pytest.raises(WithdrawalUnproven):
            let_go(desk.store, "a")
        row_changed(desk, "a", state="queued")
        assert told(gather(desk.store, NOW).troubles, "a")


# --- releases -------------------------------------------------------------------------------------------


@pytest.fixture
def held(desk: Desk) -> Desk:
    """Dave has asked for 90 more, which wait for a person, and nothing else waits."""
    for name in ("a", "b"):
        cancel(desk.store, name, NOW)
    accept(desk.store, wish(desk, "big", 90), NOW)
    assert states(desk)["big"] is State.HELD
    return desk


def big(desk: Desk) -> Withdrawal:
    return next(one for one in withdrawals(desk.store) if one.id == "big")


def test_what_a_person_releases_is_paid_and_its_word_stands_in_the_journal(held: Desk) -> None:
    let_go(held.store, "big")
    assert gather(held.store, NOW).troubles == ()
    settled(held)
    assert states(held)["big"] is State.PAID
    assert prove_balances(held.store) == ()
    assert verify(held.store).problems == ()


def test_a_row_above_the_review_that_says_queued_is_not_paid(held: Desk) -> None:
    row_changed(held, "big", state="queued")
    assert told(pay_out(held.store, held.gateways, NOW), "big")
    assert held.states() == []


def let_go_by(desk: Desk, word: bytes | None) -> None:
    """Move what is held as somebody would who could make the station write it."""
    with desk.store.transaction() as tx:
        one = find_withdrawal(tx.sql, "big")
        move(tx, one, State.QUEUED, NOW, told={"word": word, "by": "alice"} if word else None)


def test_a_release_without_a_word_is_not_paid_and_the_audit_names_it(held: Desk) -> None:
    let_go_by(held, None)
    assert told(pay_out(held.store, held.gateways, NOW), "big")
    assert any(one.startswith("withdrawals big: ") for one in verify(held.store).problems)
    hold(held.store, "big", "nobody signed", NOW)
    let_go(held.store, "big")
    assert pay_out(held.store, held.gateways, NOW) == ()
    assert held.states() == ["built"]


def test_a_release_by_somebody_unknown_is_not_paid_and_the_audit_names_it(held: Desk) -> None:
    let_go_by(held, release_word(big(held), MALLORY.person, MALLORY.sign))
    assert told(pay_out(held.store, held.gateways, NOW), "big")
    assert any(one.startswith("withdrawals big: ") for one in verify(held.store).problems)


def test_the_word_for_another_withdrawal_releases_nothing(held: Desk) -> None:
    accept(held.store, wish(held, "other", 61), NOW)
    other = next(one for one in withdrawals(held.store) if one.id == "other")
    let_go_by(held, release_word(other, ALICE.person, ALICE.sign))
    assert told(pay_out(held.store, held.gateways, NOW), "big")
    assert any(one.startswith("withdrawals big: ") for one in verify(held.store).problems)


def test_who_is_unknown_releases_nothing(held: Desk) -> None:
    with pytest.raises(UnknownPerson):
        release(held.store, "big", person=MALLORY.person, sign=MALLORY.sign, now=NOW)
    assert states(held)["big"] is State.HELD


def test_nobody_signs_for_a_row_that_was_changed(held: Desk) -> None:
    signed: list[bytes] = []

    def sign(message: bytes) -> bytes:
        signed.append(message)
        return ALICE.sign(message)

    row_changed(held, "big", destination=THIEF)
    with pytest.raises(WithdrawalUnproven):
        release(held.store, "big", person=ALICE.person, sign=sign, now=NOW)
    assert signed == []


def test_a_word_counts_until_it_is_held_again(held: Desk) -> None:
    let_go(held.store, "big")
    gather(held.store, NOW)
    withdraw(held.store, jobs(held.store)[0].id, NOW)
    assert len(gather(held.store, NOW).orders) == 1  # its order was withdrawn: the word still stands
    hold(held.store, "big", "a second look", NOW)
    row_changed(held, "big", state="queued")
    assert told(gather(held.store, NOW).troubles, "big")


def test_more_than_was_taken_is_not_given_back(desk: Desk) -> None:
    row_changed(desk, "a", units="400000000")
    with pytest.raises(WithdrawalUnproven):
        cancel(desk.store, "a", NOW)
    assert owed(desk, "customer:dave") == 470


def test_a_customers_release_has_a_persons_word_and_the_audit_holds_it(desk: Desk) -> None:
    freeze(desk.store, "dave", NOW)
    with pytest.raises(UnknownPerson):
        unfreeze(desk.store, "dave", person=MALLORY.person, sign=MALLORY.sign, now=NOW)
    unfreeze(desk.store, "dave", person=ALICE.person, sign=ALICE.sign, now=NOW)
    assert verify(desk.store).problems == ()
    freeze(desk.store, "dave", NOW)
    with desk.store.transaction() as tx:
        tx.sql.execute(update(tables.customers).values(frozen=False))
        journal.append(tx, "customer", {"customer": "dave", "frozen": False}, NOW)
    (problem,) = verify(desk.store).problems
    assert problem.startswith("customers dave: ")


# --- between gathering and leaving ----------------------------------------------------------------------


def test_a_withdrawal_that_was_changed_after_it_was_built_does_not_leave_and_the_other_does(desk: Desk) -> None:
    pay_out(desk.store, desk.gateways, NOW)
    assert desk.states() == ["built", "built"]
    row_changed(desk, "a", units="11000000")
    with pytest.raises(NothingToExport):
        export_request(desk.store, desk.signer.station, NOW, order=jobs(desk.store)[0].order)
    assert desk.states() == ["built", "built"]
    (trouble,) = pay_out(desk.store, desk.gateways, NOW)
    assert trouble.startswith("withdrawals wait again: a: ")  # so that its claims stand in nobody's way
    assert told(pay_out(desk.store, desk.gateways, NOW), "a")
    settled(desk)
    assert states(desk) == {"a": State.QUEUED, "b": State.PAID}


def to_the_thief(desk: Desk) -> dict[str, object]:
    """Give a built job's columns that pay 400 XRP to the thief."""
    (job, *_) = jobs(desk.store, states=[JobState.BUILT])
    assert job.unsigned is not None
    terms = Terms(NETWORK, job.plan.source, job.plan.public_key, 12, job.expiry_height or 0, sequence=5)
    return {"unsigned": build_payment(terms, Destination(THIEF), xrp(400)), "context": encode_context({"height": 100})}


def test_bytes_that_were_changed_after_they_were_built_do_not_leave(desk: Desk) -> None:
    pay_out(desk.store, desk.gateways, NOW)
    written(desk, tables.jobs, tables.jobs.c.id == 1, **to_the_thief(desk))
    assert desk.export().jobs == (2,)
    (trouble,) = pay_out(desk.store, desk.gateways, NOW)
    assert trouble.endswith("[plan-mismatch]")
    assert pay_out(desk.store, desk.gateways, NOW) == ()  # it was gathered and built anew
    assert desk.states() == ["withdrawn", "exported", "built"]


def test_nor_do_the_bytes_of_an_order_that_two_people_signed(desk: Desk) -> None:
    desk.rebalance(100)
    desk.build()
    written(desk, tables.jobs, tables.jobs.c.id == 1, **to_the_thief(desk))
    with pytest.raises(PlanMismatch):
        desk.export()


def test_where_the_journal_does_not_hold_no_withdrawal_leaves(desk: Desk) -> None:
    pay_out(desk.store, desk.gateways, NOW)
    with desk.store.transaction() as tx:
        tx.sql.execute(delete(tables.audit).where(tables.audit.c.n == line_of(desk, "b")))
    assert all("[journal-damaged]" in trouble for trouble in pay_out(desk.store, desk.gateways, NOW))
    with pytest.raises(NothingToExport):
        export_request(desk.store, desk.signer.station, NOW)
    with pytest.raises(JournalDamaged):
        cancel(desk.store, "a", NOW)


# --- people ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("line", [None, 10**9, "alice's"])
def test_people_that_were_invented_sign_neither_orders_nor_mandates_nor_releases(desk: Desk, line: object) -> None:
    order, eve = desk.rebalance(100), Somebody("eve")
    pens = [(one.person.key, one.sign) for one in (MALLORY, eve)]
    with desk.store.transaction() as tx:
        alices = tx.sql.execute(select(tables.people.c.line).where(tables.people.c.name == "alice")).scalar_one()
        body = tx.sql.execute(select(tables.orders.c.body).where(tables.orders.c.id == order.id.hex())).scalar_one()
        for one in (MALLORY, eve):
            row = {"name": one.person.name, "public_key": one.person.key}
            tx.sql.execute(insert(tables.people).values(**row, line=alices if line == "alice's" else line))
        signed = {"sealed": seal(KIND, body, pens), "drafted_by": "mallory", "approved_by": "eve"}
        tx.sql.execute(update(tables.orders).where(tables.orders.c.id == order.id.hex()).values(signed))
    with pytest.raises(UnknownPerson, match="the journal does not say"):
        desk.build()
    with pytest.raises(UnknownPerson, match="the journal does not say"):
        draft_mandate(desk.store, MANDATE, person=MALLORY.person, sign=MALLORY.sign, now=NOW)
    accept(desk.store, wish(desk, "big", 90), NOW)
    let_go_by(desk, release_word(big(desk), MALLORY.person, MALLORY.sign))
    assert told(gather(desk.store, NOW).troubles, "big")


# --- stores of the first form -----------------------------------------------------------------------------


def test_a_store_of_an_earlier_form_learns_its_lines_from_the_journal(desk: Desk) -> None:
    lines = {name: line_of(desk, name) for name in ("a", "b")}
    with desk.store.transaction() as tx:
        tx.sql.execute(text("ALTER TABLE withdrawals DROP COLUMN line"))
        tx.sql.execute(text("ALTER TABLE people DROP COLUMN line"))
        tx.sql.execute(text("DROP INDEX jobs_by_state"))
        tx.sql.execute(text("CREATE INDEX ix_jobs_state ON jobs (state)"))
        with Operations.context(MigrationContext.configure(tx.sql)):
            v0003_lines.upgrade()
    desk.store.close()
    desk.store = reopened(desk.store)
    assert {name: line_of(desk, name) for name in ("a", "b")} == lines
    assert verify(desk.store).problems == ()
    assert pay_out(desk.store, desk.gateways, NOW) == ()
    assert set(states(desk).values()) == {State.ORDERED}
