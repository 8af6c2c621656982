"""A job's life from order to books, in a small world: every end, and the books after each.

The ledger and the signer of `tests.online_world` are in memory; the store is a real one.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from online.chains.api import Dead, Outcome, Verdict, Watched
from online.jobs import watch
from online.jobs.answers import import_answer
from online.jobs.export import export_request, request_blob, requests
from online.jobs.model import job, jobs
from online.jobs.moves import move
from online.jobs.states import ENDS, MOVES, State
from online.jobs.withdraw import withdraw
from online.ledger.books import balance_sheet
from online.orders.approval import rebuild
from online.withdrawals import paying
from shared.errors import MandateMissing, MoveRefused, NothingToExport, RecipientRefused, RequestOutstanding
from tests.online_world import ALICE, EXPIRY, NETWORK, NOW, XRP, Desk, World, make_desk, xrp
from tests.store_place import backed_up


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return make_desk(tmp_path)


def _posted(desk: Desk, account: str) -> int:
    return next(one.posted for one in balance_sheet(desk.store) if one.account == account)


def test_a_rebalance_goes_from_order_to_books(desk: Desk) -> None:
    desk.rebalance(80_000)
    assert desk.answered().answered == (1,)
    desk.tick()
    desk.world.close()
    report = desk.tick()
    assert [(one.job, one.state) for one in report.moved] == [(1, State.FINAL)]
    assert _posted(desk, "wallet:hot") == xrp(81_000).units
    assert _posted(desk, f"fees:{NETWORK}") == 12
    desk.require_books()


def test_while_it_is_on_its_way_the_amount_is_pending_in_transit(desk: Desk) -> None:
    desk.rebalance(80_000)
    desk.build()
    pending = {one.account: one.pending for one in balance_sheet(desk.store)}
    assert pending["wallet:cold"] == -xrp(80_000).units - 12
    assert pending[f"transit:{NETWORK}"] == xrp(80_000).units
    desk.require_books()


def test_a_dead_transaction_frees_its_claims_and_leaves_the_books_as_they_were(desk: Desk) -> None:
    desk.rebalance()
    desk.answered()
    desk.world.loses_everything = True
    desk.tick()
    desk.world.close(EXPIRY + 1)
    assert [one.state for one in desk.tick().moved] == [State.DEAD]
    desk.require_books()
    again = rebuild(desk.store, 1, person=ALICE.person, sign=ALICE.sign, now=NOW)
    (built,) = desk.build()
    assert built.id == again.id
    first = job(desk.store, 1)
    assert built.effects is not None
    assert first.effects is not None
    assert built.effects.claims == first.effects.claims


def test_a_job_that_is_built_again_keeps_its_transfers_ids(desk: Desk) -> None:
    desk.rebalance()
    first = desk.export()
    desk.world.close(EXPIRY + 1)
    desk.tick()
    rebuild(desk.store, 1, person=ALICE.person, sign=ALICE.sign, now=NOW)
    second = desk.export()
    refs = [request_of(desk, one.digest) for one in (first, second)]
    assert refs[0] == refs[1]


def request_of(desk: Desk, digest: bytes) -> list[bytes]:
    from shared.envelope import open_request

    request, _ = open_request(request_blob(desk.store, digest))
    return [ref.transfer_id for _, item in request.flat() for ref in item.transfers]


def test_a_transfer_has_no_second_job_while_the_first_may_happen(desk: Desk) -> None:
    desk.rebalance()
    desk.export()
    with pytest.raises(MoveRefused):
        rebuild(desk.store, 1, person=ALICE.person, sign=ALICE.sign, now=NOW)


def test_a_dead_job_is_built_again_only_once(desk: Desk) -> None:
    desk.rebalance()
    withdraw(desk.store, 1, NOW)
    rebuild(desk.store, 1, person=ALICE.person, sign=ALICE.sign, now=NOW)
    with pytest.raises(MoveRefused):
        rebuild(desk.store, 1, person=ALICE.person, sign=ALICE.sign, now=NOW)


def test_a_tec_books_the_fee_and_voids_the_payment(desk: Desk) -> None:
    desk.rebalance()
    desk.answered()
    desk.world.next_result = "tecUNFUNDED_PAYMENT"
    desk.tick()
    desk.world.close()
    assert [one.state for one in desk.tick().moved] == [State.FAILED]
    assert _posted(desk, "wallet:cold") == xrp(150_000).units - 12
    desk.require_books()
    with pytest.raises(MoveRefused):
        rebuild(desk.store, 1, person=ALICE.person, sign=ALICE.sign, now=NOW)


def test_a_withdrawn_job_frees_its_claims_and_its_money(desk: Desk) -> None:
    desk.rebalance()
    desk.build()
    assert withdraw(desk.store, 1, NOW).state is State.WITHDRAWN
    assert all(one.pending == 0 for one in balance_sheet(desk.store))
    desk.rebalance(70_000, "r2")
    (second,) = desk.build()
    assert second.effects is not None
    assert second.effects.claims[0].name == "sequence 5"


def test_what_was_exported_is_not_withdrawn(desk: Desk) -> None:
    desk.rebalance()
    desk.export()
    with pytest.raises(MoveRefused):
        withdraw(desk.store, 1, NOW)


def test_a_declined_transaction_ends_by_the_signers_word_and_the_others_go_on(desk: Desk) -> None:
    desk.payments(3)
    answered = desk.answered({2: "not today"})
    assert (answered.answered, answered.declined) == ((1, 2), (3,))
    assert job(desk.store, 3).result == "not today"
    desk.tick()
    desk.world.close(3)
    desk.tick()
    assert desk.states() == ["final", "final", "declined"]
    desk.require_books()


def test_the_same_request_is_shown_again_as_the_same_bytes(desk: Desk) -> None:
    desk.rebalance()
    exported = desk.export()
    assert request_blob(desk.store, exported.digest) == exported.blob
    assert [(one.digest, one.open) for one in requests(desk.store)] == [(exported.digest, True)]


def test_a_second_request_waits_for_the_first_ones_answer(desk: Desk) -> None:
    desk.rebalance()
    first = desk.export()
    desk.rebalance(10, "r2")
    desk.build()
    with pytest.raises(RequestOutstanding):
        export_request(desk.store, desk.signer.station, NOW)
    import_answer(desk.store, desk.signer.answer(first.blob), NOW)
    assert export_request(desk.store, desk.signer.station, NOW).jobs == (2,)


def test_what_expired_before_its_export_is_left_out(desk: Desk) -> None:
    desk.rebalance()
    desk.build()
    desk.world.close(EXPIRY)
    with pytest.raises(NothingToExport):
        export_request(desk.store, desk.signer.station, NOW, heights={NETWORK: desk.world.height()})


def test_nothing_built_is_nothing_to_export(desk: Desk) -> None:
    with pytest.raises(NothingToExport):
        desk.export()


def test_what_was_exported_and_never_answered_ends_by_the_ledgers_proof(desk: Desk) -> None:
    desk.rebalance()
    desk.export()
    desk.world.close(EXPIRY)
    assert desk.tick().moved == ()
    desk.world.close()
    assert [one.state for one in desk.tick().moved] == [State.DEAD]
    desk.require_books()


def test_a_transaction_that_happened_without_its_answer_is_reported_and_then_booked(desk: Desk) -> None:
    desk.rebalance()
    answer = desk.signer.answer(desk.export().blob)
    copy = make_desk_copy(desk)
    import_answer(copy.store, answer, NOW)
    copy.tick()
    desk.world.close(EXPIRY + 2)
    (trouble,) = desk.tick().troubles
    assert "import the answer" in trouble
    import_answer(desk.store, answer, NOW)
    desk.tick()
    assert desk.states() == ["final"]
    desk.require_books()


def make_desk_copy(desk: Desk) -> Desk:
    """A backup of the store, opened beside it."""
    return Desk(backed_up(desk.store), desk.world, desk.signer)


def test_a_silent_node_decides_nothing(desk: Desk) -> None:
    desk.rebalance()
    desk.answered()
    desk.world.silent = True
    (trouble,) = desk.tick().troubles
    assert "node-silent" in trouble
    assert desk.states() == ["answered"]


def test_a_nodes_words_are_kept_whatever_they_are_and_decide_nothing(tmp_path: Path) -> None:
    class Mumbling(World):
        def submit(self, blob: bytes) -> Verdict:
            super().submit(blob)
            return Verdict("later", "no\0thing \x1b[2J" + "!" * 5_000)

        def watch(self, watched: Watched) -> Outcome:
            found = super().watch(watched)
            return replace(found, proof="it\0is over") if isinstance(found, Dead) else found

    desk = make_desk(tmp_path, Mumbling())
    desk.rebalance()
    desk.answered()
    assert len(desk.tick().submitted) == 1
    desk.world.pool.clear()
    desk.world.close(EXPIRY + 1)
    assert [one.state for one in desk.tick().moved] == [State.DEAD]
    assert jobs(desk.store)[0].result == "it\\0is over"


def test_while_nothing_is_decided_the_same_bytes_are_handed_over_again(desk: Desk) -> None:
    desk.rebalance()
    desk.answered()
    desk.world.loses_everything = True
    for _ in range(3):
        desk.tick()
        desk.world.close()
    assert len(desk.world.submitted) == 3
    assert len(set(desk.world.submitted)) == 1


def test_a_pool_of_tickets_carries_many_payments_from_two_addresses(desk: Desk) -> None:
    sources = (desk.address("cold", 0), desk.address("cold", 1))
    for source in sources:
        desk.world.accounts[source].tickets = set(range(1, 11))
    desk.payments(20, sources=sources)
    desk.answered()
    desk.tick()
    desk.world.close()
    assert {one.state for one in desk.tick().moved} == {State.FINAL}
    assert len(set(desk.world.submitted)) == 20
    desk.require_books()


def test_no_move_exists_beside_the_table(desk: Desk) -> None:
    desk.rebalance()
    for to in set(State) - MOVES[State.APPROVED]:
        with desk.store.transaction() as tx, pytest.raises(MoveRefused):
            move(tx, jobs(desk.store)[0], to, NOW)
    assert {State.FINAL, State.DECLINED, State.WITHDRAWN, State.DEAD, State.FAILED} == ENDS
    assert XRP.decimals == 6


def test_what_another_process_has_moved_meanwhile_is_left_alone(desk: Desk) -> None:
    desk.rebalance()
    (built,) = desk.build()
    desk.answered()
    desk.tick()
    (submitted,) = jobs(desk.store)
    desk.world.close()
    desk.tick()
    assert watch._end(desk.store, submitted, State.DEAD, Dead(1, "late"), NOW) is None
    assert paying._wait_again(desk.store, built, MandateMissing("revoked"), NOW) == ""
    assert paying._hold(desk.store, built, RecipientRefused("no"), NOW) == ""
    assert desk.states() == ["final"]
