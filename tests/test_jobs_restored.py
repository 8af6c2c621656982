"""A coordinator restored from a backup that has customers: nothing is paid twice, and nothing credited twice.

Each test makes a copy of the store, lets the first one go on, and goes on with the copy: it pays nothing before it
knows the signer's journal, takes back what was paid meanwhile, and reads the ledger's deposits on from where it stood.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from online.audit import verify
from online.customers.register import register
from online.customers.trades import HOUSE, Leg, trade
from online.demo.strangers import Stranger
from online.deposits.instructions import instruct
from online.deposits.model import deposits
from online.jobs.answers import import_answer
from online.jobs.export import export_request
from online.jobs.model import jobs, transfer_refs
from online.jobs.reconcile import Reconciled, acknowledge, import_signer_journal
from online.jobs.signer_journal import note_checkpoint
from online.ledger.books import prove_balances
from online.withdrawals import gathering
from online.withdrawals.accepting import Wish, accept
from online.withdrawals.gathering import gather
from online.withdrawals.mandates import Ceiling, Mandate, approve_mandate, draft_mandate
from online.withdrawals.model import withdrawals
from shared.effects import Destination
from shared.errors import EntriesMissing, Unreconciled
from tests.online_world import ALICE, BOB, NOW, Desk, let_go, make_desk, xrp
from tests.store_place import backed_up
from tests.test_jobs_flow import make_desk_copy
from tests.xrpl_house import an_xrpl_house

FRIEND = "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Dave holds 500 XRP; the cold wallet pays withdrawals by a mandate, at once."""
    found = make_desk(tmp_path)
    register(found.store, "dave", NOW)
    trade(found.store, "bought", [Leg(HOUSE, "dave", xrp(500))], NOW)
    ceiling = Ceiling(*[xrp(400).units] * 4)
    given = draft_mandate(found.store, Mandate("cold", {"XRP": ceiling}, 3, 0), person=ALICE.person, sign=ALICE.sign,
                          now=NOW)  # fmt: skip
    approve_mandate(found.store, given.id, person=BOB.person, sign=BOB.sign, now=NOW)
    return found


def ask(desk: Desk, name: str, coins: int = 10, tag: int = 7, now: int = NOW) -> None:
    accept(desk.store, Wish(name, "dave", "cold", Destination(FRIEND, tag), xrp(coins)), now)


def states(desk: Desk) -> dict[str, str]:
    return {one.id: str(one.state) for one in withdrawals(desk.store)}


def paid(desk: Desk) -> int:
    """Give how many XRP came to the recipient."""
    return desk.world.accounts[FRIEND].units // 10**6


def pays(desk: Desk) -> bytes:
    """Gather, build, sign, and let it happen; give the answer."""
    gather(desk.store, NOW + 3600)
    answer = desk.signer.answer(desk.export().blob)
    import_answer(desk.store, answer, NOW)
    desk.tick()
    desk.world.close()
    desk.tick()
    return answer


def imported(desk: Desk) -> Reconciled:
    return import_signer_journal(desk.store, desk.signer.station, desk.signer.journal, NOW)


def require_paid_once(desk: Desk, answer: bytes, coins: int) -> None:
    """Take the lost answer in again, watch, and assert that all is paid, once, and booked."""
    import_answer(desk.store, answer, NOW)
    desk.tick()
    desk.world.close()
    desk.tick()
    assert set(states(desk).values()) == {"paid"}
    assert paid(desk) == coins
    assert gather(desk.store, NOW + 3600).orders == ()
    assert prove_balances(desk.store) == ()
    assert verify(desk.store).problems == ()


def test_a_withdrawal_that_waited_at_the_backup_and_was_paid_since_is_taken_back_and_not_paid_again(
    desk: Desk,
) -> None:
    ask(desk, "a")
    restored = make_desk_copy(desk)
    answer = pays(desk)
    assert imported(restored).unknown == ()
    assert states(restored) == {"a": "ordered"}
    assert [job.unsigned for job in jobs(restored.store)] == [job.unsigned for job in jobs(desk.store)]
    require_paid_once(restored, answer, 10)
    restored.require_books()


def test_a_withdrawal_that_was_accepted_and_paid_since_is_taken_back_once_it_is_asked_for_again(desk: Desk) -> None:
    restored = make_desk_copy(desk)
    ask(desk, "a")
    answer = pays(desk)
    assert "no order" in imported(restored).unknown[0].why
    ask(restored, "a", now=NOW + 500)
    ask(restored, "new", 20, now=NOW + 500)
    assert gather(restored.store, NOW + 3600).orders == ()
    assert any("unreconciled" in text and "withdrawals of cold" in text for text in restored.tick().troubles)
    assert states(restored) == {"a": "queued", "new": "queued"}
    with pytest.raises(Unreconciled):
        export_request(restored.store, desk.signer.station, NOW)
    assert imported(restored).unknown == ()
    assert states(restored) == {"a": "ordered", "new": "queued"}
    import_answer(restored.store, answer, NOW)
    restored.tick()
    pays(restored)
    assert states(restored) == {"a": "paid", "new": "paid"}
    assert paid(restored) == 30
    restored.require_books()
    assert verify(restored.store).problems == ()


def test_what_was_paid_together_is_found_whatever_the_order_in_which_it_is_asked_for_again(desk: Desk) -> None:
    restored = make_desk_copy(desk)
    for name, coins, tag in (("a", 10, 7), ("b", 10, 7), ("c", 30, 8)):
        ask(desk, name, coins, tag)
    answer = pays(desk)
    for at, (name, coins, tag) in enumerate((("c", 30, 8), ("x", 10, 7), ("b", 10, 7), ("a", 10, 7))):
        ask(restored, name, coins, tag, NOW + at)
    assert imported(restored).unknown == ()
    assert states(restored) == {"a": "ordered", "b": "ordered", "c": "ordered", "x": "queued"}
    import_answer(restored.store, answer, NOW)
    pays(restored)
    assert set(states(restored).values()) == {"paid"}
    assert paid(restored) == 60
    restored.require_books()


def test_which_of_too_many_alike_were_paid_is_said_not_to_be_known(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    restored = make_desk_copy(desk)
    for name in ("y", "z"):
        ask(desk, name)
    answer = pays(desk)
    for name in ("v", "w", "x", "y", "z"):
        ask(restored, name)
    monkeypatch.setattr(gathering, "MOST_CHOICES", 9)  # two of five in ten ways, and the last is the one
    assert "too many withdrawals of cold are alike" in imported(restored).unknown[0].why
    assert set(states(restored).values()) == {"queued"}
    assert gather(restored.store, NOW + 3600).orders == ()
    monkeypatch.setattr(gathering, "MOST_CHOICES", 10)
    assert imported(restored).unknown == ()
    assert states(restored) == {**dict.fromkeys("vwx", "queued"), **dict.fromkeys("yz", "ordered")}
    import_answer(restored.store, answer, NOW)
    pays(restored)
    assert paid(restored) == 50


def test_other_withdrawals_of_the_same_sums_are_not_taken_for_those_that_were_paid(desk: Desk) -> None:
    restored = make_desk_copy(desk)
    ask(desk, "a")
    pays(desk)
    ask(restored, "other")
    (unknown,) = imported(restored).unknown
    assert states(restored) == {"other": "queued"}
    name = unknown.unsigned_sha256
    acknowledge(restored.store, desk.signer.station, [name], person=BOB.person, sign=BOB.sign, now=NOW)
    assert len(gather(restored.store, NOW).orders) == 1


def test_a_copy_that_is_known_to_be_behind_gathers_nothing(desk: Desk) -> None:
    ask(desk, "a")
    restored = make_desk_copy(desk)
    pays(desk)
    note_checkpoint(restored.store, desk.signer.station, desk.signer.checkpoint(), NOW)
    assert gather(restored.store, NOW + 3600).orders == ()
    assert any("withdrawals of cold wait" in text and "entries-missing" in text for text in restored.tick().troubles)
    with pytest.raises(EntriesMissing):
        export_request(restored.store, desk.signer.station, NOW)
    assert states(restored) == {"a": "queued"}


def test_a_copy_that_does_not_know_it_yet_orders_the_same_transfer_so_that_the_signer_can_tell(desk: Desk) -> None:
    ask(desk, "a")
    restored = make_desk_copy(desk)
    (first,), (second,) = gather(desk.store, NOW).orders, gather(restored.store, NOW + 999).orders
    assert first.id == second.id
    with desk.store.reading() as mine, restored.store.reading() as theirs:
        assert transfer_refs(mine, 1) == transfer_refs(theirs, 1)


def test_what_is_ordered_again_after_the_signer_declined_it_has_another_transfer(desk: Desk) -> None:
    ask(desk, "a")
    gather(desk.store, NOW)
    desk.answered({0: "no"})
    let_go(desk.store, "a", NOW)
    desk.world.close()  # so that other bytes are built
    (again,) = gather(desk.store, NOW).orders
    assert again.id != jobs(desk.store)[0].order
    restored = make_desk_copy(desk)
    answer = pays_the_rest(desk)
    assert imported(restored).unknown == ()
    require_paid_once(restored, answer, 10)


def pays_the_rest(desk: Desk) -> bytes:
    answer = desk.signer.answer(desk.export().blob)
    import_answer(desk.store, answer, NOW)
    desk.tick()
    desk.world.close()
    return answer


def test_deposits_since_the_backup_are_read_again_once_and_those_before_it_not_at_all(tmp_path: Path) -> None:
    with an_xrpl_house(tmp_path) as house:
        register(house.store, "dave", NOW)
        instruct(house.store, "dave", "cold", NOW)
        house.tick()
        alice = Stranger(house.world, 1_000)
        alice.pay(house.address("cold"), 50 * 10**6, 1)
        house.tick()
        restored = replace(house, store=backed_up(house.store))
        alice.pay(house.address("cold"), 7 * 10**6, 1)
        house.tick()
        for _ in range(3):
            restored.tick()
        assert [one.amount.units // 10**6 for one in deposits(restored.store)] == [50, 7]
        assert deposits(restored.store) == deposits(house.store)
        assert (restored.owed("dave"), house.owed("dave")) == (57, 57)
        restored.require_books()
        assert verify(restored.store).problems == ()
        restored.store.close()
