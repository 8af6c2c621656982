"""Consolidation: many coins of an address become one of its own, through the real signer, with the books proven.

The signer proves the one output ours as change: nothing is paid, and the policy counts it as what pays nobody.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from offline_signer import ceremony
from offline_signer.box import opened
from online.jobs.model import jobs
from online.orders.drafting import draft_consolidation
from online.orders.model import Order
from online.orders.replacement import bump
from online.orders.spending import draft_pay
from shared.chains.bitcoin.addresses import script_of
from shared.effects import Destination, Payment
from shared.errors import BadPlan, NoSuchOrder, NothingToMove
from shared.policy import Person
from tests import online_world
from tests.bitcoin_house import COIN, NETWORK, PASSPHRASE, House, a_house, amount, friend

RATE = 1_000


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with a_house(tmp_path, opened=False) as made:
        made.fund(*[5_000 + number for number in range(5)], *[10_000 + number for number in range(5)], wallet="holding")
        made.fund(COIN, wallet="holding")
        made.open_books()
        yield made


def consolidated(house: House, coins: int = 500, **terms: int) -> Order:
    order = draft_consolidation(
        house.store, house.asking(), wallet="holding", coins=coins, terms={"fee_rate": RATE, **terms}
    )
    return house.approved(order)


def examined(house: House, **change: Any) -> ceremony.Examination:
    """Let the signer look at the request, under its policy or one with other rules."""
    blob = house.export().blob
    with opened(house.folder / "signer", PASSPHRASE, lambda: house.now) as box:
        policy = box.policy()
        assert policy is not None
        policy = replace(policy, rules=tuple(replace(rule, **change) for rule in policy.rules))
        return ceremony.examine(blob, box.history, policy, house.signer, box.now())


def coins(house: House) -> list[int]:
    """Give the sats of each confirmed coin of the holding wallet, the smallest first."""
    script = script_of(house.address("holding"), NETWORK)
    return sorted(each.sats for each in house.gateway._nodes[0].scan([script]).unspent)


def test_all_coins_but_the_largest_become_one_and_only_the_fee_is_gone(house: House) -> None:
    before = coins(house)
    consolidated(house)
    house.cross()
    house.settle()
    assert house.states() == ["final"]
    small, large = coins(house)
    assert large == COIN
    assert 0 < sum(before) - small - large < 10 * 70 + 200  # a virtual byte for a satoshi
    house.require_books()


def test_people_on_both_machines_read_that_it_comes_back_and_the_signer_sees_no_payment(house: House) -> None:
    consolidated(house)
    seen = examined(house)
    assert seen.objections == ()
    assert any("change 0.000" in line and line.endswith(f"back to {house.address('holding')}")
               for line in seen.review.lines)  # fmt: skip
    (one,) = seen.transactions
    assert (one.effects.kind, one.effects.payments, one.effects.dangers) == ("payment", (), ())


def test_no_more_coins_than_asked_are_taken_the_smallest_first(house: House) -> None:
    consolidated(house, coins=3)
    house.cross()
    house.settle()
    left = coins(house)
    assert (len(left), left[:2]) == (9, [5_003, 5_004])


def test_coins_that_are_not_worth_their_fee_stay_where_they_are(house: House) -> None:
    consolidated(house, fee_rate=100_000)  # 68 vB each cost 6,800 sat
    house.cross()
    house.settle()
    left = coins(house)
    assert left[:5] == [5_000 + number for number in range(5)]
    assert (len(left), left[-1]) == (7, COIN)


def test_with_two_coins_there_is_nothing_to_gain(house: House) -> None:
    consolidated(house)
    house.cross()
    house.settle()
    consolidated(house)
    with pytest.raises(NothingToMove, match="nothing is gained"):
        house.build()


def test_the_largest_coin_pays_while_the_others_are_being_consolidated(house: House) -> None:
    consolidated(house)
    house.build()
    payment = (Destination(friend(1)), amount(COIN // 2))
    house.approved(draft_pay(house.store, house.asking(), wallet="holding", payments=[payment]))
    house.cross()
    house.settle()
    assert house.states() == ["final", "final"]
    house.require_books()


def test_it_is_replaced_by_the_same_coins_at_a_higher_fee(house: House) -> None:
    consolidated(house)
    house.cross()
    house.tick()
    (first,) = jobs(house.store)
    alice = house.people["alice"]
    bump(
        house.store, first.id, person=Person("alice", alice.public), sign=alice.sign, now=house.now,
        terms={"fee_rate": 5_000},
    )  # fmt: skip
    house.cross()
    house.settle()
    old, new = jobs(house.store)
    assert house.states() == ["dead", "final"]
    assert old.effects is not None
    assert new.effects is not None
    assert set(old.effects.claims) == set(new.effects.claims)
    house.require_books()


@pytest.mark.parametrize(
    ("change", "code"),
    [({"kinds": frozenset({"counterparty-send"})}, "kind-not-allowed"), ({"free_most": 0}, "too-many-without-payment")],
)
def test_the_policy_must_allow_payments_and_counts_it_among_those_that_pay_nobody(
    house: House, change: dict[str, Any], code: str
) -> None:
    consolidated(house)
    assert [refusal.code for refusal in examined(house, **change).decision.refusals] == [code]


def test_it_spends_from_one_address_and_pays_nobody_beside(house: House) -> None:
    consolidated(house)
    plan = jobs(house.store)[0].plan
    payment = Payment(plan.source, Destination(friend(1)), amount(9_000))
    for bad in (replace(plan, payments=(payment,)), replace(plan, params={})):
        with pytest.raises(BadPlan):
            house.gateway.build(bad, ())


def test_a_ledger_without_coins_has_no_such_order(tmp_path: Path) -> None:
    desk = online_world.make_desk(tmp_path)
    with pytest.raises(NoSuchOrder):
        draft_consolidation(desk.store, online_world.asking("c"), wallet="hot", coins=5)
