"""Orders: written before anything is done, the same for the same key, and never moved by one person alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select, update

from online.audit import verify
from online.jobs.model import jobs
from online.orders.approval import approve
from online.orders.drafting import draft_rebalance, draft_tickets
from online.orders.model import KIND, Order, order, orders
from online.orders.spending import draft_pay
from online.store import tables
from shared.effects import Destination
from shared.envelope import TransferRef, order_id
from shared.errors import (
    BadAddress,
    BadOrder,
    BadSeal,
    BadSignature,
    OrderConflict,
    Refusal,
    SamePerson,
    UnknownOrder,
    UnknownPerson,
    UnknownWallet,
    WrongNetwork,
)
from shared.money import Amount, Asset
from shared.sealed import open_sealed
from tests.online_world import ALICE, BOB, NOW, XRP, Desk, Somebody, asking, make_desk, xrp
from tests.store_place import reopened


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return make_desk(tmp_path)


def _draft(desk: Desk, by: Somebody = ALICE, amount: Amount | None = None, key: str = "r1") -> Order:
    moved = amount or xrp(80_000)
    return draft_rebalance(desk.store, asking(key, by), from_wallet="cold", to_wallet="hot", amount=moved)


def _pay(desk: Desk, destination: Destination, amount: Amount, sources: tuple[str, ...] = ()) -> Order:
    return draft_pay(desk.store, asking("p1"), wallet="cold", payments=[(destination, amount)], sources=sources)


def test_an_order_has_the_id_of_its_key_and_its_drafters_signature(desk: Desk) -> None:
    drafted = _draft(desk)
    assert drafted.id == order_id("r1")
    assert open_sealed(drafted.sealed, KIND).signers == (ALICE.person.key,)
    assert desk.states() == ["drafted"]


def test_a_restored_coordinator_makes_the_same_ids_again(desk: Desk, tmp_path: Path) -> None:
    first = _draft(desk)
    (tmp_path / "b").mkdir()
    second = _draft(make_desk(tmp_path / "b"))
    assert first.id == second.id
    assert TransferRef(first.id, 0).transfer_id == TransferRef(second.id, 0).transfer_id


def test_the_same_key_with_the_same_order_gives_the_order_that_is_there(desk: Desk) -> None:
    first = _draft(desk)
    assert _draft(desk, BOB) == first
    assert len(orders(desk.store)) == len(jobs(desk.store)) == 1


def test_the_same_key_with_another_order_is_refused(desk: Desk) -> None:
    _draft(desk)
    with pytest.raises(OrderConflict):
        _draft(desk, amount=xrp(80_001))


def test_who_drafted_an_order_does_not_approve_it(desk: Desk) -> None:
    drafted = _draft(desk)
    with pytest.raises(SamePerson):
        approve(desk.store, drafted.id, person=ALICE.person, sign=ALICE.sign, now=NOW)
    assert desk.states() == ["drafted"]


def test_another_persons_signature_approves_it(desk: Desk) -> None:
    drafted = _draft(desk)
    approved = approve(desk.store, drafted.id, person=BOB.person, sign=BOB.sign, now=NOW)
    assert set(open_sealed(approved.sealed, KIND).signers) == {ALICE.person.key, BOB.person.key}
    assert desk.states() == ["approved"]
    assert approve(desk.store, drafted.id, person=BOB.person, sign=BOB.sign, now=NOW) == approved


def test_a_stranger_drafts_and_approves_nothing(desk: Desk) -> None:
    carol = Somebody("carol")
    with pytest.raises(UnknownPerson):
        _draft(desk, carol)
    drafted = _draft(desk)
    with pytest.raises(UnknownPerson):
        approve(desk.store, drafted.id, person=carol.person, sign=carol.sign, now=NOW)


def test_a_signature_by_another_key_than_the_persons_is_refused(desk: Desk) -> None:
    drafted = _draft(desk)
    with pytest.raises(BadSignature):
        approve(desk.store, drafted.id, person=BOB.person, sign=ALICE.sign, now=NOW)
    assert desk.states() == ["drafted"]


def test_an_order_that_was_changed_in_the_store_is_not_approved(desk: Desk) -> None:
    drafted, other = _draft(desk), _draft(desk, amount=xrp(1), key="r2")
    with desk.store.engine.begin() as connection:
        body = connection.execute(select(tables.orders.c.body).where(tables.orders.c.id == other.id.hex()))
        here = tables.orders.c.id == drafted.id.hex()
        connection.execute(update(tables.orders).where(here).values(body=body.scalar_one()))
    with pytest.raises(BadSeal):
        approve(desk.store, drafted.id, person=BOB.person, sign=BOB.sign, now=NOW)


def test_an_order_without_its_second_signature_is_found_by_the_audit(desk: Desk) -> None:
    desk.rebalance()
    with desk.store.engine.begin() as connection:
        connection.execute(update(tables.orders).values(approved_by="alice"))
    assert "not signed by the people" in " ".join(verify(desk.store).problems)


REFUSED: list[tuple[Callable[[Desk], object], type[Refusal]]] = [
    (lambda desk: _pay(desk, Destination(desk.address("hot")), Amount(XRP, 0)), BadOrder),
    (lambda desk: _pay(desk, Destination("rNothing"), xrp(1)), BadAddress),
    (lambda desk: _pay(desk, Destination(desk.address("cold")), xrp(1)), BadOrder),
    (
        lambda desk: _pay(
            desk, Destination(desk.address("hot")), Amount(Asset("xrpl:mainnet", "XRP", 6), 1)
        ),
        WrongNetwork,
    ),
    (lambda desk: _pay(desk, Destination(desk.address("hot")), xrp(1), ("rElse",)), UnknownWallet),
    (lambda desk: _draft(desk, key=""), BadOrder),
    (lambda desk: _draft(desk, key="a\nb"), BadOrder),
    (lambda desk: order(desk.store, bytes(16)), UnknownOrder),
]


@pytest.mark.parametrize(("ask", "refusal"), REFUSED)
def test_what_no_wallet_can_do_is_refused(
    desk: Desk, ask: Callable[[Desk], object], refusal: type[Refusal]
) -> None:
    with pytest.raises(refusal):
        ask(desk)
    assert orders(desk.store) == ()


def test_a_tag_of_zero_is_a_tag(desk: Desk) -> None:
    address = desk.address("hot")
    _pay(desk, Destination(address, 0), xrp(1))
    (line,) = orders(reopened(desk.store))[0].lines
    assert line.destination == Destination(address, 0)


def test_payments_are_dealt_round_over_the_addresses_that_pay(desk: Desk) -> None:
    sources = (desk.address("cold", 0), desk.address("cold", 1))
    desk.payments(5, sources=sources)
    assert [job.plan.source for job in jobs(desk.store)] == [sources[n % 2] for n in range(5)]


def test_five_hundred_payments_are_one_order(desk: Desk) -> None:
    desk.payments(500)
    assert len(jobs(desk.store)) == 500
    assert len(orders(desk.store)[0].lines) == 500


def test_tickets_are_an_order_without_lines(desk: Desk) -> None:
    drafted = draft_tickets(desk.store, asking("t1"), wallet="cold", count=10)
    approve(desk.store, drafted.id, person=BOB.person, sign=BOB.sign, now=NOW)
    desk.answered()
    desk.tick()
    desk.world.close()
    desk.tick()
    assert desk.states() == ["final"]
    assert len(desk.world.accounts[desk.address("cold")].tickets) == 10
    desk.require_books()


def test_amounts_beyond_64_bits_are_kept_exactly(desk: Desk) -> None:
    amount = Amount(XRP, 2**127 + 1)
    _pay(desk, Destination(desk.address("hot")), amount)
    assert orders(desk.store)[0].lines[0].amount == amount
    assert jobs(desk.store)[0].plan.payments[0].amount == amount
