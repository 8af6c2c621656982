"""What becomes of NEAR transactions when time runs out, nodes forget and receipts fail: only proof ends a job.

The window is 20,000 heights here; what passes without blocks passes in one step.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from offline_signer import ceremony
from offline_signer.box import opened
from online.chains.near.customs import turn
from online.jobs.answers import import_answer
from online.jobs.export import export_request, request_blob, requests
from online.jobs.model import Job, jobs
from online.jobs.renew import renew_stale
from online.jobs.states import State
from online.jobs.turns import Lines, overtaken
from online.ledger.books import balance_sheet
from online.orders.approval import rebuild
from online.orders.drafting import draft_rebalance
from online.orders.spending import draft_pay
from shared.effects import Destination
from shared.errors import NotExclusive
from shared.policy import Person
from tests.both_machines import PASSPHRASE
from tests.near_desk import VALIDITY, NearHouse, a_near_house, near
from tests.near_gateway_bench import UNIT


@pytest.fixture
def house(tmp_path: Path) -> Iterator[NearHouse]:
    with a_near_house(tmp_path) as found:
        yield found


def stranger(number: int) -> str:
    return sha256(b"stranger %d" % number).hexdigest()


def paid(house: NearHouse, count: int = 1, coins: int = 1) -> None:
    """Draft and approve payments to so many strangers."""
    wanted = [(Destination(stranger(number)), near(coins)) for number in range(count)]
    house.approved(draft_pay(house.store, house.asking(), wallet="cold", payments=wanted))


def run_out(house: NearHouse) -> None:
    """Let the whole window pass, with a block now and then: no network is silent for 500 heights."""
    for _ in range(VALIDITY // 400 + 1):
        house.world.skip_heights(400)
    house.world.advance(6)


def again(house: NearHouse, job: Job) -> Job:
    """Let bob decide that what is dead is paid anew, and take it to its end."""
    bob = house.people["bob"]
    made = rebuild(house.store, job.id, person=Person("bob", bob.public), sign=bob.sign, now=house.now)
    house.cross()
    house.settle()
    return next(one for one in jobs(house.store) if one.id == made.id)


# --- the window runs out ----------------------------------------------------------------------------


def test_what_was_only_built_is_built_anew_and_nobody_decides_again(house: NearHouse) -> None:
    paid(house)
    (built,) = house.build()
    run_out(house)
    height = {house.network: house.gateway.height()}
    (new,) = renew_stale(house.store, house.signer, height, house.now)
    assert house.states() == ["withdrawn", "approved"]
    house.cross()
    house.settle()
    done = jobs(house.store)[-1]
    assert (done.id, done.state, done.effects and done.effects.claims) == (new, State.FINAL, built.effects.claims)  # type: ignore[union-attr]
    house.require_books()


def test_what_was_exported_and_never_answered_ends_dead_by_proof_and_is_paid_anew_on_its_nonce(
    house: NearHouse,
) -> None:
    paid(house)
    house.export()
    house.tick()
    assert house.states() == ["exported"]
    run_out(house)
    house.tick()
    dead = jobs(house.store)[0]
    assert dead.state is State.DEAD
    assert "nonce" in dead.result
    new = again(house, dead)
    assert new.state is State.FINAL
    assert new.effects is not None
    assert dead.effects is not None
    assert new.effects.claims == dead.effects.claims
    assert house.world.balance(stranger(0)) == UNIT
    house.require_books()


def test_a_signed_transaction_that_was_never_submitted_ends_dead_and_its_successor_excludes_it(
    house: NearHouse,
) -> None:
    paid(house)
    house.cross()
    run_out(house)
    house.settle()
    dead = jobs(house.store)[0]
    assert dead.state is State.DEAD
    new = again(house, dead)
    assert new.state is State.FINAL
    assert house.world.balance(stranger(0)) == UNIT
    house.require_books()


def test_what_the_node_forgot_is_open_until_the_window_is_over(house: NearHouse) -> None:
    paid(house)
    house.cross()
    house.world.forget(jobs(house.store)[0].tx_id or "")
    for _ in range(5):
        house.tick()
        house.world.advance(10)
    assert house.states() == ["submitted"]
    pending = next(one for one in balance_sheet(house.store) if one.account == "wallet:cold")
    assert pending.pending < -UNIT
    run_out(house)
    house.tick()
    assert house.states() == ["dead"]
    house.require_books()


def test_what_the_node_forgot_for_a_while_lands_by_the_same_bytes(house: NearHouse) -> None:
    paid(house)
    house.cross()
    (job,) = jobs(house.store)
    house.world.forget(job.tx_id or "")
    house.tick()
    house.world.advance(10)
    house.world.faults.forgotten.clear()
    house.settle()
    (done,) = jobs(house.store)
    assert (done.state, done.blob) == (State.FINAL, job.blob)
    house.require_books()


def test_a_transaction_overtaken_on_its_key_needs_the_quorums_release_to_be_paid_again(house: NearHouse) -> None:
    paid(house)
    house.export()  # its answer is lost on the way
    lost = jobs(house.store)[0]
    house.sign(request_blob(house.store, requests(house.store)[0].digest))
    assert lost.effects is not None
    bump_nonce(house)
    house.tick()
    run_out(house)
    house.tick()
    assert house.states() == ["dead"]
    bob = house.people["bob"]
    rebuild(house.store, lost.id, person=Person("bob", bob.public), sign=bob.sign, now=house.now)
    sealed = house.export().blob
    with opened(house.folder / "signer", PASSPHRASE, lambda: house.now) as box:
        seen = ceremony.examine(sealed, box.history, box.policy(), house.signer, box.now())
    assert [type(one) for one in seen.objections] == [NotExclusive]


def bump_nonce(house: NearHouse) -> None:
    """Let the same key sign something else elsewhere, with a higher nonce: somebody used it beside this coordinator."""
    from online.devnet.near.actions import AccessKey

    account = house.address("cold")
    ((text, access),) = house.world.keys(account).items()
    house.world._write(lambda view: view.put_key(account, text, AccessKey(access.nonce + 50)))


# --- turns ------------------------------------------------------------------------------------------


def test_a_later_nonce_waits_until_the_earlier_one_is_in_a_block(house: NearHouse) -> None:
    paid(house, 3)
    house.cross()
    first, second, third = jobs(house.store)
    house.world.forget(first.tx_id or "")
    house.tick()
    house.world.advance(5)
    house.tick()
    assert house.world.balance(stranger(1)) == 0
    with house.store.reading() as connection:
        lines = Lines(connection, house.network)
    assert [lines.waits_for(job.id) for job in (first, second, third)] == [None, first.id, first.id]
    house.world.faults.forgotten.clear()
    house.settle()
    assert house.states() == ["final"] * 3
    assert [house.world.balance(stranger(number)) for number in range(3)] == [UNIT] * 3
    house.require_books()


def test_what_was_built_before_and_not_exported_is_built_anew_once_a_later_one_left(house: NearHouse) -> None:
    paid(house)
    (early,) = house.build()
    order = house.approved(
        draft_rebalance(house.store, house.asking(), from_wallet="cold", to_wallet="hot", amount=near(2))
    )
    (late,) = house.build()
    with house.store.reading() as connection:
        assert not overtaken(connection, early)
    sealed = export_request(house.store, house.signer, house.now, order=order.id).blob
    import_answer(house.store, house.sign(sealed), house.now)
    house.settle()
    with house.store.reading() as connection:
        assert overtaken(connection, early)
    renew_stale(house.store, house.signer, {}, house.now)
    house.cross()
    house.settle()
    assert house.states() == ["withdrawn", "final", "final"]
    assert late.effects is not None
    newest = jobs(house.store)[-1].effects
    assert newest is not None
    assert turn(newest.claims[0]) > turn(late.effects.claims[0])
    house.require_books()


# --- a large batch in which three things go wrong ---------------------------------------------------


@pytest.mark.large
def test_of_two_hundred_over_four_lanes_one_expires_one_fails_one_is_forgotten_and_each_ends_right(
    house: NearHouse,
) -> None:
    house.lanes(4)
    house.world.create("leaver.customers", (), UNIT)
    wanted = [(Destination(stranger(number)), near(1)) for number in range(199)]
    wanted.insert(50, (Destination("leaver.customers"), near(1)))
    house.approved(draft_pay(house.store, house.asking(), wallet="cold", payments=wanted))
    house.cross()
    mine = [job for job in jobs(house.store) if job.kind == "payment"]
    lanes: dict[str, list[Job]] = {}
    for job in mine:
        assert job.effects is not None
        lanes.setdefault(job.effects.claims[0].scope, []).append(job)
    failing = next(job for job in mine if job.plan.payments[0].destination.address == "leaver.customers")
    ends = [max(lane, key=_turn_of) for lane in lanes.values()]
    expiring, forgotten = [job for job in ends if job.id != failing.id][:2]
    house.world.remove("leaver.customers")
    house.world.forget(expiring.tx_id or "", forgotten.tx_id or "")
    house.settle(turns=70)
    house.world.faults.forgotten.discard(forgotten.tx_id or "")
    house.settle(turns=10)
    run_out(house)
    house.settle(turns=3)
    states = {job.id: job.state for job in jobs(house.store)}
    assert states[failing.id] is State.FAILED
    assert states[forgotten.id] is State.FINAL
    assert states[expiring.id] is State.DEAD
    others = [state for job, state in states.items() if job not in (failing.id, forgotten.id, expiring.id)]
    assert set(others) == {State.FINAL}
    house.require_books()
    new = again(house, next(job for job in jobs(house.store) if job.id == expiring.id))
    assert new.state is State.FINAL
    assert sum(house.world.balance(stranger(number)) for number in range(199)) == 199 * UNIT
    house.require_books()


def _turn_of(job: Job) -> int:
    assert job.effects is not None
    return turn(job.effects.claims[0])
