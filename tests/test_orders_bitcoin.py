"""Orders on Bitcoin and Counterparty, each through the real signer onto the devnet, with the books proven after it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from online.cli.exporting import review_of
from online.jobs.answers import import_answer
from online.jobs.export import request_review_input
from online.orders.gathering import draft_asset_sweep, draft_prime, draft_sweep
from online.orders.spending import draft_batch, draft_everything, draft_options, draft_pay, draft_send
from online.store.wallets import keys
from shared.effects import Destination
from shared.errors import AssetsShort, NotEnoughApprovals, NothingToMove
from shared.money import Amount
from tests.bitcoin_house import CARD, COIN, XCP, House, a_house, amount, friend


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with a_house(tmp_path) as made:
        yield made


def test_many_payments_are_one_transaction_and_one_job(house: House) -> None:
    payments = [(Destination(friend(number)), amount(10_000 + number)) for number in range(5)]
    house.approved(draft_pay(house.store, house.asking(), wallet="cold", payments=payments))
    house.cross()
    house.settle()
    assert house.states() == ["final"]
    assert [house.gateway.account(friend(number)).balance.units for number in (0, 4)] == [10_000, 10_004]
    house.require_books()


def test_a_send_arrives_with_its_memo(house: House) -> None:
    payment = (Destination(friend(1), memo='"order 7"'), amount(5 * COIN, XCP))
    house.approved(draft_send(house.store, house.asking(), wallet="cold", payment=payment))
    house.cross()
    house.settle()
    assert house.states() == ["final"]
    assert house.held(friend(1)) == 5 * COIN
    house.require_books()


def test_a_batch_to_40_is_a_commit_and_a_reveal_signed_in_one_crossing(house: House) -> None:
    house.approved(draft_batch(house.store, house.asking(), wallet="cold", payments=_lines(40)))
    crossed = house.cross()
    assert len(crossed.answered) == 1
    house.settle()
    assert house.states() == ["final"]
    assert [house.held(friend(number)) for number in range(40)] == [1_000 + number for number in range(40)]
    house.require_books()


def test_a_batch_of_two_assets_binds_each_line_to_its_own_transfer(house: House) -> None:
    pairs = [(number, asset) for number in range(4) for asset in (XCP, CARD)]
    lines = [(Destination(friend(number), memo="hex 00ff"), amount(7, asset)) for number, asset in pairs]
    house.approved(draft_batch(house.store, house.asking(), wallet="cold", payments=lines))
    house.cross()
    house.settle()
    assert house.states() == ["final"]
    assert {house.held(friend(number), asset) for number in range(4) for asset in (XCP, CARD)} == {7}
    house.require_books()


def test_a_batch_that_is_too_long_is_split_and_nobody_stands_twice_in_a_part(house: House) -> None:
    house.approved(draft_batch(house.store, house.asking(), wallet="cold", payments=[*_lines(5), *_lines(2)], most=4))
    house.cross()
    house.settle()
    assert house.states() == ["final", "final"]
    assert [house.held(friend(number)) for number in range(3)] == [2_000, 2_002, 1_002]
    house.require_books()


def test_options_are_set_for_several_addresses(house: House) -> None:
    house.fund(COIN, index=1)
    house.require_difference(COIN)
    sources = [house.address("cold", index) for index in range(2)]
    order = draft_options(house.store, house.asking(), wallet="cold", memo_required=True, sources=sources)
    house.approved(order)
    house.cross()
    house.settle()
    assert house.states() == ["final", "final"]
    books = house.counterparty.books()
    assert [books.options[source][0] for source in sources] == [1, 1]


def test_a_sweep_leaves_nothing_on_any_deposit_address(house: House) -> None:
    for index in range(6):
        house.fund(100_000 + index, 50_000, wallet="deposits", index=index)
    held = house.gateway.accounts([house.address("deposits", index) for index in range(6)])
    before = sum(one.balance.units for one in held)
    to = house.address("holding")
    house.approved(draft_sweep(house.store, house.gateway, house.asking(), wallet="deposits", to=to))
    house.cross()
    house.settle()
    assert house.states() == ["final"]
    held = house.gateway.accounts([house.address("deposits", index) for index in range(6)])
    assert [one.balance.units for one in held] == [0] * 6
    fee = before - house.gateway.account(to).balance.units
    assert 0 < fee < 20_000
    house.require_difference(before, wallet="deposits")


def test_a_sweep_of_many_addresses_is_split_by_addresses(house: House) -> None:
    for index in range(6):
        house.fund(100_000, wallet="deposits", index=index)
    to = house.address("holding")
    order = draft_sweep(house.store, house.gateway, house.asking(), wallet="deposits", to=to, most=4)
    house.approved(order)
    house.cross()
    house.settle()
    assert house.states() == ["final", "final"]
    assert [len(step.inputs) for step in order.steps] == [3, 1]


def test_assets_are_swept_address_by_address_and_counted(house: House) -> None:
    for index in range(2):
        house.fund(200_000, wallet="deposits", index=index)
        house.counterparty.credit(house.address("deposits", index), "XCP", 500 + index)
    house.counterparty.credit(house.address("deposits", 0), CARD.code, 3)
    to = Destination(house.address("holding"))
    order = draft_asset_sweep(
        house.store, house.gateway, house.asking(), wallet="deposits", to=to, assets=[XCP, CARD]
    )
    house.approved(order)
    house.cross()
    house.settle()
    assert house.states() == ["final", "final"]
    assert (house.held(to.address), house.held(to.address, CARD)) == (1_001, 3)


def test_a_sweep_of_500_outputs_of_250_addresses_is_one_crossing(tmp_path: Path) -> None:
    with a_house(tmp_path, deposits=250, fee_rate_cap=50) as house:
        addresses = [key.address for key in keys(house.store, "deposits")]
        house.bitcoin.fund_all([(address, 20_000 + n) for n, address in enumerate(addresses * 2)])
        to = house.address("holding")
        house.approved(draft_sweep(house.store, house.gateway, house.asking(), wallet="deposits", to=to))
        assert len(house.cross().answered) == 2
        house.settle()
        assert house.states() == ["final", "final"]
        assert not any(one.balance.units for one in house.gateway.accounts(addresses))


def test_a_taproot_wallet_pays_sends_batches_and_is_swept(tmp_path: Path) -> None:
    with a_house(tmp_path, form="p2tr") as house:
        store, to = house.store, house.address("holding")
        assert to.startswith("bcrt1p")
        house.approved(
            draft_pay(store, house.asking(), wallet="cold", payments=[(Destination(friend(1)), amount(9_000))])
        )
        payment = (Destination(friend(1), memo='"x"'), amount(COIN, XCP))
        house.approved(draft_send(store, house.asking(), wallet="cold", payment=payment))
        house.approved(draft_batch(store, house.asking(), wallet="cold", payments=_lines(20)))
        house.cross()
        house.settle()
        assert house.states() == ["final"] * 3
        house.require_books()
        house.fund(70_000, wallet="deposits", index=2)
        house.approved(draft_sweep(store, house.gateway, house.asking(), wallet="deposits", to=to))
        house.cross()
        house.settle()
        assert house.states() == ["final"] * 4


def test_everything_of_an_address_is_swept_by_one_message_and_the_books_learn_it_from_the_ledger(
    house: House,
) -> None:
    to = Destination(house.address("holding"), memo='"all"')
    house.counterparty.credit(house.address("cold"), "RAREPEPE", 3)  # of this asset nobody noted anything
    house.approved(draft_everything(house.store, house.asking(), wallet="cold", to=to))
    blob = house.export().blob
    with pytest.raises(NotEnoughApprovals):
        house.sign(blob)
    import_answer(house.store, house.sign(blob, people=("carol", "ann")), house.now)
    house.settle()
    assert house.states() == ["final"]
    held = [house.held(to.address, asset) for asset in (XCP, CARD)]
    assert held == [1_000 * COIN - 600_000, 1_000]
    assert house.counterparty.books().balance(to.address, "RAREPEPE") == 3
    house.require_books()


def test_priming_pays_only_the_addresses_that_hold_too_little(house: House) -> None:
    house.fund(60_000, wallet="deposits", index=0)
    house.fund(20_000, wallet="deposits", index=1)
    primed = [(house.address("deposits", index), amount(50_000)) for index in range(3)]
    order = draft_prime(house.store, house.gateway, house.asking(), wallet="cold", primed=primed)
    assert [line.destination.address for line in order.lines] == [address for address, _ in primed[1:]]
    house.approved(order)
    house.cross()
    house.settle()
    with pytest.raises(NothingToMove):
        draft_prime(house.store, house.gateway, house.asking(), wallet="cold", primed=primed)


def test_a_batch_of_500_is_built_crossed_signed_and_confirmed(house: House) -> None:
    house.approved(draft_batch(house.store, house.asking(), wallet="cold", payments=_lines(500)))
    exported = house.export()
    request, effects = request_review_input(house.store, exported.digest)
    assert [len(item.transfers) for _, item in request.flat()] == [500]
    text = review_of(house.store, exported.digest).lines
    assert all(any(friend(number) in line for line in text) for number in (0, 250, 499))
    assert len(effects[0].payments) == 500
    import_answer(house.store, house.sign(exported.blob), house.now)
    house.settle()
    assert house.states() == ["final"]
    assert sum(house.held(friend(number)) for number in range(500)) == sum(1_000 + n for n in range(500))
    house.require_books()


def test_what_other_jobs_will_still_send_is_not_sent_twice(house: House) -> None:
    for key in ("first", "second"):
        payment = (Destination(friend(1), memo='"x"'), amount(600 * COIN, XCP))
        house.approved(draft_send(house.store, house.asking(key), wallet="cold", payment=payment))
    with pytest.raises(AssetsShort):
        house.build()
    assert house.states() == ["built", "approved"]


def _lines(count: int) -> list[tuple[Destination, Amount]]:
    return [
        (Destination(friend(number), memo=f'"order {number}"'), amount(1_000 + number, XCP)) for number in range(count)
    ]
