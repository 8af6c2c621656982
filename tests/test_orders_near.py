"""Orders on NEAR, whole: drafted, approved, built, exported, signed, submitted, watched and booked, on the devnet."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from online.jobs.model import jobs
from online.jobs.states import State
from online.orders.drafting import draft_lanes, draft_rebalance, draft_rotation, draft_tickets
from online.orders.gathering import draft_asset_sweep, draft_prime, draft_sweep
from online.orders.spending import draft_batch, draft_options, draft_pay, draft_send
from shared.effects import Destination
from shared.envelope import open_request
from shared.errors import BadOrder, NoSuchOrder, OverEpochBudget
from tests.near_desk import NearHouse, a_near_house, near, usdt
from tests.near_gateway_bench import TOKEN, UNIT


@pytest.fixture
def house(tmp_path: Path) -> Iterator[NearHouse]:
    with a_near_house(tmp_path) as found:
        yield found


def stranger(number: int) -> str:
    return sha256(b"stranger %d" % number).hexdigest()


def test_a_rebalance_moves_near_and_the_books_know_it(house: NearHouse) -> None:
    house.approved(draft_rebalance(house.store, house.asking(), from_wallet="cold", to_wallet="hot", amount=near(7)))
    house.cross()
    house.settle()
    assert house.states() == ["final"]
    assert house.world.balance(house.address("hot")) == 7 * UNIT
    house.require_books()


def test_tokens_are_rebalanced_by_the_same_order(house: NearHouse) -> None:
    house.approved(draft_rebalance(house.store, house.asking(), from_wallet="cold", to_wallet="hot", amount=usdt(500)))
    house.cross()
    house.settle()
    assert house.states() == ["final"]
    assert house.world.token_balance(TOKEN.code, house.address("hot")) == usdt(500).units
    house.require_books()


def test_payments_to_many_are_a_transaction_each_and_cross_at_once(house: NearHouse) -> None:
    wanted = [(Destination(stranger(number)), near(1)) for number in range(5)]
    house.approved(draft_pay(house.store, house.asking(), wallet="cold", payments=wanted))
    request, _ = open_request(house.export().blob)
    assert len(request.flat()) == 5
    answer = house.sign(request_blob(house))
    take(house, answer)
    house.settle()
    assert set(house.states()) == {"final"}
    assert all(house.world.balance(stranger(number)) == UNIT for number in range(5))
    house.require_books()


def test_a_batch_of_tokens_is_one_transaction_that_registers_who_is_new(house: NearHouse) -> None:
    wanted = [(Destination(stranger(number), memo=f"order {number}"), usdt(100 + number)) for number in range(6)]
    house.approved(draft_batch(house.store, house.asking(), wallet="cold", payments=wanted))
    house.cross()
    house.settle()
    assert house.states() == ["final"]
    assert [house.world.token_balance(TOKEN.code, stranger(number)) for number in range(6)] == [
        usdt(100 + number).units for number in range(6)
    ]
    house.require_books()


def test_lanes_let_many_payments_go_in_one_crossing(house: NearHouse) -> None:
    house.lanes(4)
    wanted = [(Destination(stranger(number)), near(1)) for number in range(40)]
    house.approved(draft_pay(house.store, house.asking(), wallet="cold", payments=wanted))
    house.cross()
    scopes = {job.effects.claims[0].scope for job in jobs(house.store)[1:] if job.effects is not None}
    assert len(scopes) == 4
    house.settle(turns=120)
    assert set(house.states()) == {"final"}
    assert all(house.world.balance(stranger(number)) == UNIT for number in range(40))
    house.require_books()


def test_after_lanes_the_wallet_counts_as_empty_until_the_next_policy(house: NearHouse) -> None:
    house.approved(draft_lanes(house.store, house.asking(), wallet="cold", count=3))
    house.cross(people=("carol", "ann"))
    house.settle()
    one = [(Destination(stranger(1)), near(1))]
    house.approved(draft_pay(house.store, house.asking(), wallet="cold", payments=one))
    sealed = house.export().blob
    with pytest.raises(AssertionError, match=OverEpochBudget.code):
        house.sign(sealed)
    house.new_policy()
    house.sign(sealed)


def test_a_rotated_key_signs_no_more_and_the_new_one_does(house: NearHouse) -> None:
    house.approved(draft_rotation(house.store, house.asking(), wallet="cold", old=0, new=2))
    house.cross(people=("carol", "ann"))
    house.settle()
    assert house.states() == ["final"]
    house.new_policy()
    one = [(Destination(stranger(1)), near(1))]
    house.approved(draft_pay(house.store, house.asking(), wallet="cold", payments=one))
    house.cross()
    house.settle()
    assert house.states() == ["final", "final"]
    paid = jobs(house.store)[1]
    assert paid.keys == (paid.plan.inputs[1][1],)
    house.require_books()


def test_deposit_accounts_are_swept_each_by_its_own_key(house: NearHouse) -> None:
    for index in range(3):
        house.approved(
            draft_pay(house.store, house.asking(), wallet="cold",
                      payments=[(Destination(house.address("deposits", index)), near(2 + index))])
        )  # fmt: skip
    house.cross()
    house.settle()
    to = house.address("hot")
    order = house.approved(draft_sweep(house.store, house.gateway, house.asking(), wallet="deposits", to=to))
    assert len(order.steps) == 3
    house.cross()
    house.settle()
    assert set(house.states()) == {"final"}
    assert 8 * UNIT < house.world.balance(to) < 9 * UNIT
    house.require_books()


def test_tokens_on_deposit_accounts_are_primed_and_swept(house: NearHouse) -> None:
    place = house.address("deposits", 1)
    house.approved(draft_send(house.store, house.asking(), wallet="cold", payment=(Destination(place), usdt(900))))
    primed = [(place, near(1))]
    house.approved(draft_prime(house.store, house.gateway, house.asking(), wallet="cold", primed=primed))
    house.cross()
    house.settle()
    order = house.approved(
        draft_asset_sweep(house.store, house.gateway, house.asking(), wallet="deposits",
                          to=Destination(house.address("hot")), assets=[TOKEN])
    )  # fmt: skip
    assert len(order.steps) == 1
    house.cross()
    house.settle()
    assert set(house.states()) == {"final"}
    assert house.world.token_balance(TOKEN.code, house.address("hot")) == usdt(900).units
    house.require_books()


def test_what_near_does_not_have_is_refused_by_name(house: NearHouse) -> None:
    pay = [(Destination(stranger(1)), near(1))]
    with pytest.raises(NoSuchOrder):
        draft_tickets(house.store, house.asking(), wallet="cold", count=2)
    with pytest.raises(NoSuchOrder):
        draft_options(house.store, house.asking(), wallet="cold", demanded=True)
    with pytest.raises(NoSuchOrder):
        draft_pay(house.store, house.asking(), wallet="cold", payments=pay, together=True)
    with pytest.raises(BadOrder):
        draft_lanes(house.store, house.asking(), wallet="cold", count=17)
    with pytest.raises(BadOrder):
        draft_lanes(house.store, house.asking(), wallet="cold", count=6)
    with pytest.raises(BadOrder):
        draft_rotation(house.store, house.asking(), wallet="cold", old=1, new=1)
    assert jobs(house.store, states=(State.DRAFTED,)) == ()


def request_blob(house: NearHouse) -> bytes:
    from online.jobs.export import request_blob as blob
    from online.jobs.export import requests

    return blob(house.store, requests(house.store)[-1].digest)


def take(house: NearHouse, answer: bytes) -> None:
    from online.jobs.answers import import_answer

    import_answer(house.store, answer, house.now)
