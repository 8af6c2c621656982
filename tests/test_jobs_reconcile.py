"""A coordinator restored from a backup: what the signer signed meanwhile is taken back, or stops every export.

Each test makes a copy of the store, lets the first go on, and goes on with the copy.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from online.audit import verify
from online.cli.exporting import export_orders
from online.jobs.answers import import_answer
from online.jobs.export import export_request, requests
from online.jobs.model import jobs
from online.jobs.reconcile import Reconciled, acknowledge, import_signer_journal
from online.jobs.withdraw import withdraw
from online.orders.approval import approve, rebuild
from online.orders.drafting import draft_rebalance
from online.orders.model import Order
from shared.errors import (
    JournalDamaged,
    NoSuchName,
    RequestOutstanding,
    SignedElsewhere,
    Unreconciled,
)
from tests.online_world import ALICE, BOB, EXPIRY, NOW, STATION, Desk, asking, make_desk, xrp
from tests.test_jobs_flow import make_desk_copy


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return make_desk(tmp_path)


def _drafted(desk: Desk, key: str = "r1") -> Order:
    return draft_rebalance(desk.store, asking(key), from_wallet="cold", to_wallet="hot", amount=xrp(80_000))


def _imported(desk: Desk) -> Reconciled:
    return import_signer_journal(desk.store, desk.signer.station, desk.signer.journal, NOW)


def _exports(desk: Desk) -> None:
    export_orders(desk.store, desk.gateways, NOW, None, None)


def test_a_restored_coordinator_takes_back_what_was_signed_and_watches_it_to_its_end(desk: Desk) -> None:
    desk.rebalance()
    restored = make_desk_copy(desk)
    answer = desk.signer.answer(desk.export().blob)
    desk.world.at += 3  # a transaction built now would be another one for the same transfer
    found = _imported(restored)
    assert (found.jobs, found.unknown) == ((1,), ())
    assert [one.unsigned for one in jobs(restored.store)] == [one.unsigned for one in jobs(desk.store)]
    assert [one.digest for one in requests(restored.store)] == [one.digest for one in requests(desk.store)]
    with pytest.raises(RequestOutstanding):
        _exports(restored)
    import_answer(restored.store, answer, NOW)
    restored.tick()
    desk.world.close()
    restored.tick()
    assert restored.states() == ["final"]
    restored.require_books()
    assert verify(restored.store).problems == ()


def test_what_was_taken_back_and_never_happened_ends_by_its_claims(desk: Desk) -> None:
    desk.rebalance()
    restored = make_desk_copy(desk)
    desk.signer.answer(desk.export().blob)
    _imported(restored)
    desk.world.close(EXPIRY + 1)
    restored.tick()
    assert restored.states() == ["dead"]
    restored.require_books()


def test_the_same_bytes_built_before_the_backup_become_the_exported_ones(desk: Desk) -> None:
    desk.rebalance()
    desk.build()
    restored = make_desk_copy(desk)
    desk.answered()
    assert _imported(restored).jobs == (1,)
    assert restored.states() == ["exported"]


def test_other_bytes_built_since_the_restore_give_way_to_those_that_were_signed(desk: Desk) -> None:
    desk.rebalance()
    restored = make_desk_copy(desk)
    desk.answered()
    desk.world.at += 3
    restored.build()
    assert _imported(restored).jobs == (2,)
    assert restored.states() == ["withdrawn", "exported"]
    assert verify(restored.store).problems == ()


def test_a_job_that_was_built_again_after_the_backup_is_taken_back_as_a_new_one(desk: Desk) -> None:
    desk.rebalance()
    withdraw(desk.store, 1, NOW)
    restored = make_desk_copy(desk)
    rebuild(desk.store, 1, person=ALICE.person, sign=ALICE.sign, now=NOW)
    desk.answered()
    assert _imported(restored).jobs == (2,)
    assert restored.states() == ["withdrawn", "exported"]


def test_an_order_that_is_not_approved_here_stops_the_exports_until_it_is(desk: Desk) -> None:
    order = _drafted(desk)
    restored = make_desk_copy(desk)
    approve(desk.store, order.id, person=BOB.person, sign=BOB.sign, now=NOW)
    desk.answered()
    (unknown,) = _imported(restored).unknown
    assert "not approved" in unknown.why
    approve(restored.store, order.id, person=BOB.person, sign=BOB.sign, now=NOW)
    with pytest.raises(Unreconciled):
        _exports(restored)
    assert restored.states() == ["approved"]
    assert _imported(restored).unknown == ()
    assert restored.states() == ["exported"]


def test_an_unknown_order_is_reported_with_what_it_pays_and_the_same_order_drafted_again_takes_it_back(
    desk: Desk,
) -> None:
    restored = make_desk_copy(desk)
    desk.rebalance()
    desk.answered()
    (unknown,) = _imported(restored).unknown
    assert str(xrp(80_000)) in unknown.pays[0]
    assert desk.address("hot") in unknown.pays[0]
    assert "no order" in unknown.why
    restored.rebalance()
    assert _imported(restored).jobs == (1,)
    assert restored.states() == ["exported"]


def test_another_order_under_the_same_key_is_not_taken_for_what_was_signed(desk: Desk) -> None:
    restored = make_desk_copy(desk)
    desk.rebalance(80_000)
    desk.answered()
    restored.rebalance(70_000)
    (unknown,) = _imported(restored).unknown
    assert "something else" in unknown.why
    assert restored.states() == ["approved"]


def test_an_acknowledged_transaction_lets_exports_go_on_but_never_for_its_transfers(desk: Desk) -> None:
    restored = make_desk_copy(desk)
    desk.rebalance()
    desk.answered()
    (unknown,) = _imported(restored).unknown
    restored.rebalance(10, "other")
    with pytest.raises(Unreconciled):
        export_request(restored.store, desk.signer.station, NOW)
    name = unknown.unsigned_sha256
    acknowledge(restored.store, desk.signer.station, [name], person=BOB.person, sign=BOB.sign, now=NOW)
    assert _imported(restored).unknown[0].acknowledged
    restored.rebalance()
    with pytest.raises(SignedElsewhere):
        _exports(restored)
    assert restored.states() == ["approved", "approved"]
    withdraw(restored.store, 2, NOW)
    _exports(restored)
    assert restored.states() == ["exported", "withdrawn"]
    assert verify(restored.store).problems == ()


def test_only_what_is_unknown_is_acknowledged(desk: Desk) -> None:
    desk.rebalance()
    desk.answered()
    _imported(desk)
    for names in ([], [bytes(32)]):
        with pytest.raises(NoSuchName):
            acknowledge(desk.store, desk.signer.station, names, person=BOB.person, sign=BOB.sign, now=NOW)


def test_what_another_coordinator_asked_for_is_never_taken_back(desk: Desk) -> None:
    from dataclasses import replace

    from nacl.signing import SigningKey

    from online.store.database import Station
    from shared.envelope import open_request, seal_request

    desk.rebalance()
    restored = make_desk_copy(desk)
    pen = SigningKey(bytes(range(32)))
    other = Station(bytes(pen.verify_key), lambda message: pen.sign(message).signature)
    asked = replace(open_request(desk.export().blob)[0], station=other.public_key)
    desk.signer.answer(seal_request(asked, other.sign))
    (unknown,) = _imported(restored).unknown
    assert "another coordinator" in unknown.why
    assert other.public_key != STATION.public_key


def test_a_journal_that_ends_within_an_entry_is_not_taken_in(desk: Desk) -> None:
    with pytest.raises(JournalDamaged):
        import_signer_journal(desk.store, desk.signer.station, desk.signer.journal + b"xyz", NOW)


def test_a_refused_export_builds_nothing(desk: Desk) -> None:
    desk.rebalance()
    _exports(desk)
    desk.rebalance(10, "r2")
    with pytest.raises(RequestOutstanding):
        _exports(desk)
    assert desk.states() == ["exported", "approved"]


@pytest.mark.parametrize("closed", [EXPIRY // 2 + 1, EXPIRY - 1, EXPIRY + 5])
def test_what_was_built_too_long_ago_is_built_again_before_it_is_exported(desk: Desk, closed: int) -> None:
    desk.rebalance()
    desk.build()
    desk.world.close(closed)
    _exports(desk)
    assert desk.states() == ["withdrawn", "exported"]
    (new,) = jobs(desk.store)[1:]
    assert new.expiry_height == desk.world.at + EXPIRY
    desk.require_books()
    assert verify(desk.store).problems == ()


def test_what_was_built_lately_is_exported_as_it_is(desk: Desk) -> None:
    desk.rebalance()
    desk.build()
    desk.world.close(EXPIRY // 2)
    _exports(desk)
    assert desk.states() == ["exported"]
