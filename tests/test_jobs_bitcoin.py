"""Jobs on Bitcoin: crashes between commit and reveal, replacement on purpose, refusals of the signer, altered rows.

Everything is real but the blocks, which tests mine; a crash is an exit at a call, and the store is opened anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select, update

from offline_signer import pen
from offline_signer.box import opened
from online.chains.bitcoin.node import Node
from online.devnet.bitcoin import KNOTS
from online.devnet.bitcoin.wire import Tx
from online.jobs.answers import import_answer
from online.jobs.build import build_job
from online.jobs.loop import tick
from online.jobs.model import Job, encode_plan, job, jobs, transfer_refs
from online.jobs.submit import last_word
from online.jobs.withdraw import withdraw
from online.orders.approval import rebuild
from online.orders.gathering import draft_sweep
from online.orders.replacement import bump
from online.orders.spending import draft_batch, draft_pay, draft_send
from online.store import tables
from shared.chains.bitcoin import BITCOIN
from shared.chains.bitcoin.signing import transactions
from shared.effects import Destination
from shared.envelope import Declined
from shared.errors import BadSeal, ClaimTaken, CoinsShort, MoveRefused, PlanMismatch, Refusal
from shared.policy import Person
from tests.bitcoin_house import COIN, NETWORK, PASSPHRASE, XCP, House, a_house, amount, friend
from tests.store_place import reopened


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with a_house(tmp_path) as made:
        yield made


def _pay(house: House, units: int = 20_000, to: int = 1, **terms: int) -> Job:
    payments = [(Destination(friend(to)), amount(units))]
    order = draft_pay(house.store, house.asking(), wallet="cold", payments=payments, terms=terms)
    house.approved(order)
    return jobs(house.store, order=order.id)[0]


def _batch(house: House) -> None:
    lines = [(Destination(friend(number), memo='"hello"'), amount(100, XCP)) for number in range(12)]
    house.approved(draft_batch(house.store, house.asking(), wallet="cold", payments=lines))


def _bump(house: House, job_id: int, **terms: int) -> Job:
    alice = house.people["alice"]
    person = Person("alice", alice.public)
    return bump(house.store, job_id, person=person, sign=alice.sign, now=house.now, terms=terms)


def _rebuild(house: House, job_id: int) -> Job:
    alice = house.people["alice"]
    return rebuild(house.store, job_id, person=Person("alice", alice.public), sign=alice.sign, now=house.now)


# --- crashes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("calls", [0, 1, 2])
@pytest.mark.parametrize("mined", [0, 1])
def test_a_crash_around_commit_and_reveal_loses_nothing_and_sends_nothing_twice(
    house: House, monkeypatch: pytest.MonkeyPatch, calls: int, mined: int
) -> None:
    _batch(house)
    house.cross()
    send, sent = Node.send, list[bytes]()

    def dying(node: Node, raw: bytes) -> object:
        if len(sent) == calls:
            raise Killed
        sent.append(raw)
        return send(node, raw)

    with monkeypatch.context() as patch:
        patch.setattr(Node, "send", dying)
        if calls < 2:
            with pytest.raises(Killed):
                house.tick()
        else:
            house.tick()
    assert house.states() == ["submitted"]
    house.bitcoin.mine(mined)
    _restart(house)
    house.settle()
    house.settle()
    assert house.states() == ["final"]
    assert [house.held(friend(number)) for number in range(12)] == [100] * 12
    house.require_books()


def test_a_reveal_that_every_node_lost_gets_out_again(house: House) -> None:
    _batch(house)
    house.cross()
    house.tick()
    (found,) = jobs(house.store)
    reveal = transactions(found.blob or b"")[1][0]
    house.bitcoin.forget(reveal)
    house.bitcoin.remember()
    house.bitcoin.mine(1)
    assert "handed over again, and taken" in house.fate(found)
    house.settle()
    house.settle()
    assert house.states() == ["final"]
    assert house.held(friend(3)) == 100
    house.require_books()


def test_a_reveal_that_no_mempool_takes_is_a_trouble_that_names_it_until_a_miner_took_it(house: House) -> None:
    _batch(house)
    house.cross()
    (found,) = jobs(house.store)
    reveal_id, reveal = transactions(found.blob or b"")[1]
    house.tick()
    house.bitcoin.forget(reveal_id)
    house.bitcoin.remember()
    house.bitcoin.policy = KNOTS
    house.bitcoin.mine(1)
    for _ in range(2):
        report = tick(house.store, {NETWORK: house.gateway}, house.now)
        assert (report.moved, report.pending) == ((), 1)
        (trouble,) = report.troubles
        assert trouble.startswith("job 1: STUCK: ")
        assert reveal_id in trouble
        with house.store.reading() as connection:
            assert last_word(connection, 1) == trouble.replace("job 1: ", "later: ")
    assert house.states() == ["submitted"]
    house.bitcoin.mine_exactly([Tx.read(reveal)])
    house.bitcoin.mine(1)
    house.tick()
    assert house.states() == ["final"]
    assert [house.held(friend(number)) for number in range(12)] == [100] * 12
    house.require_books()


def _restart(house: House) -> None:
    house.store.close()
    house.store = reopened(house.store)


# --- replacement ----------------------------------------------------------------------------------


def test_the_replacement_with_a_higher_fee_happens_and_the_first_one_is_dead(house: House) -> None:
    _pay(house, fee_rate=2_000)
    house.cross()
    house.tick()
    _bump(house, 1, fee_rate=30_000)
    house.cross()
    first, second = jobs(house.store)
    assert first.effects is not None
    assert second.effects is not None
    assert set(first.effects.claims) <= set(second.effects.claims)
    assert second.effects.fee_most.units > 10 * first.effects.fee_most.units
    house.settle()
    assert house.states() == ["dead", "final"]
    assert house.gateway.account(friend(1)).balance.units == 20_000
    house.require_books()


def test_the_first_one_may_win_and_ends_its_replacement(house: House) -> None:
    _pay(house, fee_rate=2_000)
    house.cross()
    house.tick()
    _bump(house, 1, fee_rate=30_000)
    house.cross()
    house.bitcoin.mine(2)
    house.settle()
    assert house.states() == ["final", "dead"]
    assert house.gateway.account(friend(1)).balance.units == 20_000
    house.require_books()


def test_what_no_answer_came_for_ends_when_another_transaction_used_its_coins(house: House) -> None:
    _pay(house, fee_rate=2_000)
    house.build()
    request = house.export()
    assert house.tick().moved == ()
    _sent_elsewhere(house)
    house.settle()
    assert house.states() == ["dead"]
    assert request.jobs == (1,)


def _sent_elsewhere(house: House) -> None:
    """Spend the job's coins by another transaction of the same key, as whoever else holds it could."""
    (job,) = jobs(house.store)
    assert job.effects is not None
    other = replace(job.plan, payments=(replace(job.plan.payments[0], destination=Destination(friend(7))),))
    built = house.gateway.build(other, ())
    assert set(built.effects.claims) == set(job.effects.claims)
    tx = BITCOIN.decode(built.unsigned, built.context, built.keys, NETWORK)
    with opened(house.folder / "signer", PASSPHRASE, lambda: house.now) as box:
        signatures = [pen.sign(payload, box.pens.ready(payload)) for payload in BITCOIN.payloads(tx)]
    assert house.gateway.submit(BITCOIN.assemble(tx, signatures).blob).kind == "accepted"


def test_a_batch_is_replaced_as_a_whole(house: House) -> None:
    _batch(house)
    house.cross()
    house.tick()
    _bump(house, 1, fee_rate=40_000)
    house.cross()
    house.settle()
    house.settle()
    assert house.states() == ["dead", "final"]
    assert [house.held(friend(number)) for number in range(12)] == [100] * 12
    house.require_books()


def test_what_is_replaced_does_not_count_as_still_to_be_sent(house: House) -> None:
    payment = (Destination(friend(1), memo='"x"'), amount(600 * COIN, XCP))
    house.approved(draft_send(house.store, house.asking(), wallet="cold", payment=payment))
    house.cross()
    house.tick()
    _bump(house, 1)
    house.cross()
    house.settle()
    assert house.states() == ["dead", "final"]
    assert house.held(friend(1)) == 600 * COIN
    house.require_books()


def test_a_replacement_is_itself_replaced_and_only_the_newest_can_be(house: House) -> None:
    _pay(house, fee_rate=2_000)
    house.cross()
    house.tick()
    for job_id in (1, 2):
        _bump(house, job_id, fee_rate=10_000 * job_id)
        with pytest.raises(MoveRefused):
            _bump(house, job_id, fee_rate=90_000)
        house.cross()
        house.tick()
    house.settle()
    assert house.states() == ["dead", "dead", "final"]
    house.require_books()


def test_what_a_replacement_shares_stays_taken_for_everybody_else(house: House) -> None:
    _pay(house, fee_rate=2_000)
    house.cross()
    _bump(house, 1, fee_rate=30_000)
    house.build()
    withdraw(house.store, 2, house.now)
    other = _pay(house, units=30_000, to=2)
    house.build()
    first, built = job(house.store, 1).effects, job(house.store, other.id).effects
    assert first is not None
    assert built is not None
    assert not set(first.claims) & set(built.claims)


@pytest.mark.parametrize("dust", [1, 400])
def test_dust_that_strangers_send_blocks_no_sweep(house: House, dust: int) -> None:
    """Their address may be the richest of all and hold no coin that is worth its fee."""
    house.bitcoin.fund_all([(house.address("deposits", 0), 330)] * dust)
    house.fund(330 * dust // 2 + 20_000, wallet="deposits", index=1)
    to = house.address("holding")
    house.approved(draft_sweep(house.store, house.gateway, house.asking(), wallet="deposits", to=to))
    house.cross()
    house.settle()
    assert house.states() == ["final"]
    assert house.gateway.account(to).balance.units > 330 * dust // 2 + 19_000
    assert house.gateway.account(house.address("deposits", 1)).balance.units == 0


def test_a_sweep_of_what_another_sweep_moves_is_refused_before_anybody_signs_it(house: House) -> None:
    house.fund(90_000, wallet="deposits", index=0)
    house.fund(50_000, wallet="deposits", index=1)
    to = house.address("holding")
    house.approved(draft_sweep(house.store, house.gateway, house.asking(), wallet="deposits", to=to))
    house.build()
    house.fund(20_000, wallet="deposits", index=1)
    with pytest.raises(CoinsShort, match="no confirmed output that is free"):
        draft_sweep(house.store, house.gateway, house.asking(), wallet="deposits", to=to)


def test_a_gateway_that_offers_a_taken_coin_again_is_refused(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    _pay(house)
    house.build()
    other = _pay(house, to=2)
    build = house.gateway.build
    monkeypatch.setattr(house.gateway, "build", lambda plan, taken: build(plan, ()))
    with pytest.raises(ClaimTaken):
        build_job(house.store, other.id, house.gateway, house.now)


def test_only_what_is_on_its_way_is_replaced(house: House) -> None:
    _pay(house)
    with pytest.raises(MoveRefused):
        _bump(house, 1)
    house.cross()
    house.settle()
    with pytest.raises(MoveRefused):
        _bump(house, 1)


def test_a_dead_replacement_is_not_built_again_when_the_first_one_happened(house: House) -> None:
    _pay(house, fee_rate=2_000)
    house.cross()
    house.tick()
    _bump(house, 1, fee_rate=30_000)
    house.cross()
    house.bitcoin.mine(2)
    house.settle()
    with pytest.raises(MoveRefused):
        _rebuild(house, 2)


def test_a_decision_that_was_altered_builds_nothing(house: House) -> None:
    _pay(house, fee_rate=2_000)
    house.cross()
    house.tick()
    new = _bump(house, 1, fee_rate=30_000)
    plan = replace(new.plan, params={**new.plan.params, "fee_rate": 90_000})
    _alter(house, new.id, plan=encode_plan(plan))
    with pytest.raises(PlanMismatch):
        house.build()
    _alter(house, new.id, plan=encode_plan(new.plan), decision=None)
    with pytest.raises(Refusal):
        house.build()


def test_a_decision_about_another_job_is_refused(house: House) -> None:
    for number in (1, 2):
        _pay(house, to=number, fee_rate=2_000)
    house.cross()
    house.tick()
    new = _bump(house, 1, fee_rate=30_000)
    _alter(house, new.id, replaces=2)
    with pytest.raises(BadSeal):
        house.build()


def _alter(house: House, job_id: int, **values: object) -> None:
    with house.store.transaction() as tx:
        tx.sql.execute(update(tables.jobs).where(tables.jobs.c.id == job_id).values(values))


# --- the signer's no, and altered rows ------------------------------------------------------------


def test_a_declined_batch_ends_and_frees_its_coins(house: House) -> None:
    _batch(house)
    answered = house.cross([Declined(0, "not today")])
    assert (answered.answered, answered.declined) == ((), (1,))
    assert house.states() == ["declined"]
    with house.store.reading() as connection:
        assert not connection.execute(select(tables.claims.c.id).where(tables.claims.c.active)).all()
    house.require_books()


def test_a_declined_batch_is_built_again_by_a_persons_decision(house: House) -> None:
    _batch(house)
    house.cross([Declined(0, "not today")])
    house.bitcoin.mine(1)
    _rebuild(house, 1)
    house.fund(COIN)
    house.build()
    assert house.states() == ["declined", "built"]
    with house.store.reading() as connection:
        assert len(transfer_refs(connection, 2)) == 12


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "counterparty-sweep"},
        {"params": {"fee_rate": 90_000}},
        {"payments": ()},
        {"source": "other"},
    ],
)
def test_a_plan_that_nobody_signed_is_not_built(house: House, change: dict[str, object]) -> None:
    found = _pay(house)
    if "source" in change:
        change = {"source": house.address("cold", 1)}
    _alter(house, found.id, plan=encode_plan(replace(found.plan, **change)))  # type: ignore[arg-type]
    with pytest.raises(PlanMismatch):
        house.build()


def test_further_inputs_that_nobody_signed_are_not_built(house: House) -> None:
    found = _pay(house)
    stranger = ((house.address("deposits"), found.plan.key, found.plan.public_key),)
    _alter(house, found.id, plan=encode_plan(replace(found.plan, inputs=stranger)))
    with pytest.raises(PlanMismatch):
        house.build()


def test_an_answer_that_comes_again_is_harmless(house: House) -> None:
    payment = (Destination(friend(1), memo="hex 0102"), amount(COIN, XCP))
    house.approved(draft_send(house.store, house.asking(), wallet="cold", payment=payment))
    answer = house.sign(house.export().blob)
    assert import_answer(house.store, answer, house.now).repeated is False
    assert import_answer(house.store, answer, house.now).repeated is True
    house.settle()
    tick(house.store, {NETWORK: house.gateway}, house.now)
    assert house.held(friend(1)) == COIN
    house.require_books()
