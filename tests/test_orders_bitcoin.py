"""Orders on Bitcoin and Counterparty, each through the real signer onto the devnet, with the books proven after it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from offline_signer import ceremony, screen
from offline_signer.box import opened
from online.cli.exporting import review_of
from online.jobs.answers import import_answer
from online.jobs.export import request_review_input
from online.orders.gathering import draft_asset_sweep, draft_prime, draft_sweep
from online.orders.spending import draft_batch, draft_everything, draft_options, draft_pay, draft_send
from online.store.wallets import keys
from shared.effects import Destination
from shared.errors import AssetsShort, NotEnoughApprovals, NothingToMove
from shared.money import Amount
from shared.transport.base45 import from_text
from shared.transport.collector import Collector
from shared.transport.message import film
from shared.transport.pack import unpack
from shared.transport.qr import Display
from tests.bitcoin_house import CARD, COIN, PASSPHRASE, WALLETS, XCP, House, a_house, amount, friend


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
    order = draft_options(house.store, house.asking(), wallet="cold", demanded=True, sources=sources)
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
    house.require_books()  # what came from outside is nobody's yet, and waits in suspense


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


@pytest.mark.large
def test_a_sweep_of_500_outputs_of_250_addresses_is_one_crossing(tmp_path: Path) -> None:
    with a_house(tmp_path, wallets={**WALLETS, "deposits": 250}, fee_rate_cap=50) as house:
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


@pytest.mark.large
def test_a_batch_of_500_is_built_crossed_signed_and_confirmed(
    house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sums = [amount(1_000 + number, XCP) if number % 2 else amount(1 + number % 3, CARD) for number in range(500)]
    lines = [(Destination(friend(number), memo=f'"order {number}"'), each) for number, each in enumerate(sums)]
    house.approved(draft_batch(house.store, house.asking(), wallet="cold", payments=lines))
    exported = house.export()
    (reviewed,) = request_review_input(house.store, exported.digest)
    assert len(reviewed.transfers) == len(reviewed.effects.payments) == 500
    crossed = _by_frames(exported.blob)
    with opened(house.folder / "signer", PASSPHRASE, lambda: house.now) as box:
        seen = ceremony.examine(crossed, box.history, box.policy(), house.signer, box.now())
    assert seen.review.lines == review_of(house.store, exported.digest).lines
    pages = _paged([*seen.review.lines, *seen.lines()], monkeypatch, capsys)
    assert len(pages) > 40
    assert all(len(page.splitlines()) <= 24 for page in pages)
    read = "".join(pages)
    for to, _ in lines:
        assert read.count(f"to {to.address} memo {to.memo}") == 1
    totals = {asset: sum(sent.units for _, sent in lines if sent.asset == asset) for asset in (XCP, CARD)}
    assert all(f"pays {Amount(asset, units)} on" in pages[0] for asset, units in totals.items())
    import_answer(house.store, _by_frames(house.sign(crossed)), house.now)
    house.settle()
    assert house.states() == ["final"]
    assert [house.held(to.address, sent.asset) for to, sent in lines] == [each.units for each in sums]
    house.require_books()


def _by_frames(sealed: bytes) -> bytes:
    """Carry bytes across as the texts of QR frames, every third of which is lost."""
    shown, collector = film(sealed, Display(20)), Collector()
    for index in range(4 * shown.needed + 20):
        if index % 3:
            collector.add(from_text(shown.text(index)))
    assert collector.message is not None
    return unpack(collector.message)


def _paged(lines: Sequence[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Read lines on a terminal of 80 x 24 as the signer shows them, Enter after Enter; give the pages."""
    pages: list[str] = []

    def more(question: str) -> str:
        pages.append(capsys.readouterr().out + question)
        return ""

    capsys.readouterr()
    monkeypatch.setattr(screen, "is_terminal", lambda: True)
    monkeypatch.setattr("builtins.input", more)
    screen.show(lines)
    return [*pages, capsys.readouterr().out]


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
