"""Deposits of assets at customers' own addresses: seen at two blocks, credited once a sweep of ours has one.

Our own jobs are final at four blocks here, so that every depth is another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from online.audit import verify
from online.chains.bitcoin.counterparty import CpNode
from online.customers.register import register
from online.deposits.instructions import instruct
from online.deposits.intake import UNSWEPT
from online.deposits.model import Deposit, deposits
from online.deposits.states import State
from online.deposits.sweeping import credit_swept
from online.jobs.answers import import_answer
from online.jobs.loop import tick
from online.jobs.model import jobs
from online.ledger.books import balance_sheet, prove_balances
from online.ledger.reconcile import reconcile
from online.orders.gathering import draft_asset_sweep, draft_prime
from online.orders.model import Order
from online.orders.replacement import bump
from online.orders.spending import draft_everything, draft_send
from online.store import journal
from online.store.database import Station, Store, open_store
from shared.effects import Destination
from shared.errors import CoinsShort
from shared.money import Asset
from shared.policy import Person
from tests.bitcoin_house import CARD, NETWORK, NOW, XCP, House, a_house, amount
from tests.btc_gateway_bench import HOT, pays, plan, signed
from tests.btc_gateway_bench import register as decimals_of

FINAL = 4


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Dave has an address of his own, the second of the deposit wallet, with coins for fees; a stranger has assets."""
    with a_house(tmp_path, opened=False, confirmations=FINAL) as found:
        furnish(found)
        yield found


def furnish(house: House) -> None:
    house.bitcoin.fund_all([(HOT.address, 10**7)] * 6)
    house.bitcoin.fund_all([(house.address("deposits", 1), 100_000)] * 4)
    for asset in (XCP, CARD):
        house.counterparty.credit(HOT.address, asset.code, 10**6)
    house.open_books()
    house.bitcoin.mine(FINAL)
    register(house.store, "dave", NOW)
    instruct(house.store, "dave", "deposits", NOW)
    house.tick()


def send(house: House, units: int, asset: Asset = XCP) -> str:
    """Let the stranger pay dave, without a block."""
    wish = plan(pays(house.address("deposits", 1), units, asset), kind="counterparty-send")
    done = signed(house.gateway.build(wish, ()), decimals_of(wish))
    assert house.gateway.submit(done.blob).kind == "accepted"
    return done.tx_id


def arrived(house: House, units: int, asset: Asset = XCP) -> None:
    send(house, units, asset)
    house.bitcoin.mine(2)
    house.tick()


def sweep(house: House, *assets: Asset) -> Order:
    """Order that the holding wallet gets all assets, sign it and hand it over, without a block."""
    to = Destination(house.address("holding"))
    order = draft_asset_sweep(
        house.store, house.gateway, house.asking(), wallet="deposits", to=to, assets=assets or (XCP,)
    )
    return handed_over(house, order)


def handed_over(house: House, order: Order) -> Order:
    house.approved(order)
    house.cross()
    house.tick()
    return order


def mined(house: House, blocks: int = 1) -> None:
    house.bitcoin.mine(blocks)
    house.tick()


def told(house: House) -> list[tuple[str, int, str]]:
    return [(one.amount.asset.code, one.amount.units, one.state.value) for one in assets(house)]


def assets(house: House) -> list[Deposit]:
    """Give what strangers sent, and not what came to another wallet by our own sweeps."""
    return [one for one in deposits(house.store) if one.amount.asset.code != "BTC" and one.state is not State.OWN]


def sums(house: House, asset: Asset = XCP) -> Mapping[str, int]:
    return {one.account: one.posted for one in balance_sheet(house.store) if one.asset == asset and one.posted}


def owed(house: House, asset: Asset = XCP) -> tuple[int, int]:
    """Give what dave has, and what waits for a sweep."""
    kept = sums(house, asset)
    return -kept.get("customer:dave", 0), -kept.get(f"unswept:{NETWORK}", 0)


def require_sound(house: House) -> None:
    assert prove_balances(house.store) == ()
    assert verify(house.store).problems == ()
    report = reconcile(house.store, {NETWORK: house.gateway})
    assert report.findings == ()
    assert all(line.covered for line in report.solvency if line.asset == XCP)


def test_while_nothing_is_swept_nothing_is_written(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    arrived(house, 700)

    def locked(_store: Store) -> None:
        raise AssertionError("nobody else can write meanwhile")

    with monkeypatch.context() as watched:
        watched.setattr(Store, "transaction", locked)
        assert credit_swept(house.store, house.gateway, NOW) == 0
    sweep(house)
    mined(house)
    assert told(house) == [("XCP", 700, "credited")]


def test_a_deposit_is_seen_at_two_blocks_and_credited_at_the_first_of_its_sweep(house: House) -> None:
    send(house, 700)
    mined(house)
    assert told(house) == []
    mined(house)
    assert told(house) == [("XCP", 700, "unswept")]
    assert (owed(house), assets(house)[0].reason) == ((0, 700), UNSWEPT)
    require_sound(house)
    sweep(house)
    assert owed(house) == (0, 700)
    mined(house)
    assert (told(house), owed(house)) == ([("XCP", 700, "credited")], (700, 0))
    assert (house.states()[-1], assets(house)[0].reason) == ("submitted", "swept by job 1")
    require_sound(house)
    mined(house, FINAL)
    assert (house.states()[-1], owed(house)) == ("final", (700, 0))
    house.require_books()
    require_sound(house)


def test_bitcoins_at_the_same_address_are_credited_at_their_own_depth_and_need_no_sweep(tmp_path: Path) -> None:
    with a_house(tmp_path, opened=False, confirmations=FINAL, deposit_confirmations=3) as house:
        furnish(house)
        house.bitcoin.fund_all([(house.address("deposits", 1), 5_000)])
        seen = []
        for _ in range(3):
            house.tick()
            seen.append([one.state.value for one in deposits(house.store) if one.amount.units == 5_000])
            house.bitcoin.mine(1)
        assert seen == [[], [], ["credited"]]


def test_a_sweep_that_a_reorganisation_takes_away_counts_when_it_is_there_again(house: House) -> None:
    arrived(house, 700)
    sweep(house)
    house.bitcoin.mine(1)
    house.bitcoin.reorg(1)
    house.tick()
    assert owed(house) == (0, 700)
    require_sound(house)
    mined(house)
    assert owed(house) == (700, 0)
    require_sound(house)


def test_two_deposits_are_credited_by_one_sweep_and_what_comes_after_it_waits(house: House) -> None:
    arrived(house, 700)
    arrived(house, 50)
    sweep(house)
    mined(house)
    arrived(house, 8)
    assert told(house) == [("XCP", 700, "credited"), ("XCP", 50, "credited"), ("XCP", 8, "unswept")]
    mined(house, FINAL)
    assert owed(house) == (750, 8)
    require_sound(house)
    sweep(house)
    mined(house, FINAL)
    assert owed(house) == (758, 0)
    house.require_books()


def test_a_deposit_that_several_sends_of_ours_take_is_credited_by_all_of_them(house: House) -> None:
    arrived(house, 700)
    arrived(house, 50)
    for units in (400, 330):
        payment = (Destination(house.address("holding")), amount(units, XCP))
        order = draft_send(
            house.store, house.asking(), wallet="deposits", payment=payment, source=house.address("deposits", 1)
        )
        handed_over(house, order)
        assert owed(house) == (0, 750)
        mined(house, FINAL)
        require_sound(house)
    house.tick()
    assert told(house) == [("XCP", 700, "credited"), ("XCP", 50, "unswept")]
    assert assets(house)[0].reason == "swept by job 1, job 2"
    sweep(house)
    mined(house, FINAL)
    assert owed(house) == (750, 0)
    require_sound(house)


def test_what_we_took_before_a_deposit_came_is_no_sweep_of_it(tmp_path: Path) -> None:
    with a_house(tmp_path, opened=False, confirmations=FINAL) as house:
        house.counterparty.credit(house.address("deposits", 1), "XCP", 700)  # the exchange's own
        furnish(house)
        sweep(house)
        mined(house)
        arrived(house, 700)
        assert (told(house), house.states()) == ([("XCP", 700, "unswept")], ["submitted"])


def test_a_sweep_of_one_asset_credits_no_other(house: House) -> None:
    arrived(house, 700)
    arrived(house, 3, CARD)
    sweep(house, CARD)
    mined(house)
    assert told(house) == [("XCP", 700, "unswept"), ("BOOKCARD", 3, "credited")]
    require_sound(house)


def test_a_message_that_takes_everything_is_a_sweep_as_well(house: House) -> None:
    arrived(house, 10**6 // 2)
    arrived(house, 3, CARD)
    to = Destination(house.address("holding"))
    source = house.address("deposits", 1)
    house.counterparty.credit(source, "XCP", 10**6)  # for its fee
    house.bitcoin.mine(2)
    house.tick()
    order = draft_everything(house.store, house.asking(), wallet="deposits", to=to, source=source)
    house.approved(order)
    import_answer(house.store, house.sign(house.export().blob, people=("carol", "ann")), house.now)
    house.tick()
    assert {state for *_, state in told(house)} == {"unswept"}
    mined(house)
    assert ("BOOKCARD", 3, "credited") in told(house)
    assert verify(house.store).problems == ()


def test_without_a_sweep_a_deposit_waits_for_ever_and_is_owed_all_the_while(house: House) -> None:
    arrived(house, 700)
    mined(house, 20)
    assert (told(house), owed(house)) == ([("XCP", 700, "unswept")], (0, 700))
    house.require_books()
    require_sound(house)


def test_a_send_to_a_shared_address_is_credited_by_its_memo_without_a_sweep(house: House) -> None:
    to = instruct(house.store, "dave", "deposits", NOW, memo=True).place
    wish = plan(pays(to.address, 9, XCP, to.memo), kind="counterparty-send")
    assert house.gateway.submit(signed(house.gateway.build(wish, ()), decimals_of(wish)).blob).kind == "accepted"
    mined(house)
    assert told(house) == []
    mined(house)
    assert (told(house), owed(house)) == ([("XCP", 9, "credited")], (9, 0))


def test_where_the_settings_want_no_sweep_a_deposit_is_credited_at_once(tmp_path: Path) -> None:
    with a_house(tmp_path, opened=False, confirmations=FINAL, credit_after_sweep=False) as house:
        furnish(house)
        arrived(house, 700)
        assert (told(house), owed(house)) == ([("XCP", 700, "credited")], (700, 0))
        require_sound(house)


def test_what_waits_is_credited_when_the_settings_want_no_sweep_any_more(house: House) -> None:
    arrived(house, 700)
    house.gateway._settings = replace(house.gateway._settings, credit_after_sweep=False)
    house.tick()
    assert (told(house), owed(house)) == ([("XCP", 700, "credited")], (700, 0))
    require_sound(house)


def test_a_crash_before_the_credit_is_written_leaves_it_to_the_next_start(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrived(house, 700)
    sweep(house)
    house.bitcoin.mine(1)
    whole = journal.append

    def dies(*args: object) -> None:
        if "sweep-credited" in args:
            raise KeyboardInterrupt
        whole(*args)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(journal, "append", dies)
        with pytest.raises(KeyboardInterrupt):
            tick(house.store, house.gateways, NOW)
    pen = house.people["station"]
    again = open_store(house.store.engine.url.render_as_string(hide_password=False), Station(pen.public, pen.sign))
    for _ in range(2):
        assert tick(again, house.gateways, NOW).troubles == ()
    again.close()
    assert owed(house) == (700, 0)
    require_sound(house)


def test_nothing_is_taken_from_a_counterparty_node_that_stands_on_another_branch(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(house, 700)
    house.bitcoin.mine(2)
    with monkeypatch.context() as patch:
        patch.setattr(CpNode, "block_hash", lambda _node, _height: "ab" * 32)
        (trouble,) = tick(house.store, house.gateways, NOW).troubles
    assert "different blocks" in trouble
    assert told(house) == []
    house.tick()
    assert told(house) == [("XCP", 700, "unswept")]


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE sweeps SET units = '1'",
        "DELETE FROM sweeps",
        "UPDATE arrivals SET state = 'unswept' WHERE customer = 'dave'",
    ],
)
def test_an_edit_of_what_was_swept_is_noticed(house: House, edit: str) -> None:
    arrived(house, 700)
    sweep(house)
    mined(house)
    with house.store.engine.begin() as connection:
        assert connection.exec_driver_sql(edit).rowcount
    assert verify(house.store).problems != ()


# --- primed and swept before any block -----------------------------------------------------------------


def primed(house: House) -> Order:
    """Order bitcoins for dave's second address, where nothing is, and hand that over without a block."""
    wanted = [(house.address("deposits", 2), amount(50_000))]
    return handed_over(
        house, draft_prime(house.store, house.gateway, house.asking(), wallet="cold", primed=wanted)
    )


def swept_unconfirmed(house: House) -> Order:
    terms = {"unconfirmed": 1}
    to = Destination(house.address("holding"))
    return draft_asset_sweep(
        house.store, house.gateway, house.asking(), wallet="deposits", to=to, assets=[XCP], terms=terms
    )


@pytest.fixture
def bare(house: House) -> House:
    """Dave's second address holds 700 XCP that are deep enough, and no coin."""
    to = instruct(house.store, "dave", "deposits", NOW, new=True).place
    assert to.address == house.address("deposits", 2)
    house.tick()
    wish = plan(pays(to.address, 700, XCP), kind="counterparty-send")
    assert house.gateway.submit(signed(house.gateway.build(wish, ()), decimals_of(wish)).blob).kind == "accepted"
    mined(house, 2)
    assert owed(house) == (0, 700)
    return house


def test_an_address_is_primed_and_swept_within_one_block(bare: House) -> None:
    primed(bare)
    handed_over(bare, swept_unconfirmed(bare))
    assert [job.state.value for job in jobs(bare.store)] == ["submitted"] * 2
    made, spent = (job.tx_id for job in jobs(bare.store))
    assert [each.outpoint.txid for each in bare.bitcoin.mempool.entries[spent or ""].tx.inputs] == [made]
    mined(bare)
    assert owed(bare) == (700, 0)
    mined(bare, FINAL)
    bare.require_books()
    require_sound(bare)


def test_a_strangers_coins_are_not_spent_before_a_block_has_them(bare: House) -> None:
    bare.bitcoin.fund(bare.address("deposits", 2), 50_000, confirmed=False)
    bare.approved(swept_unconfirmed(bare))
    with pytest.raises(CoinsShort):
        bare.build()


def test_our_own_coins_are_spent_before_a_block_has_them_only_where_two_people_said_so(bare: House) -> None:
    primed(bare)
    bare.approved(
        draft_asset_sweep(
            bare.store, bare.gateway, bare.asking(), wallet="deposits", to=Destination(bare.address("holding")),
            assets=[XCP],
        )
    )  # fmt: skip
    with pytest.raises(CoinsShort):
        bare.build()


def test_a_family_that_no_node_would_take_is_not_made(bare: House, monkeypatch: pytest.MonkeyPatch) -> None:
    primed(bare)
    bare.approved(swept_unconfirmed(bare))
    monkeypatch.setattr("online.chains.bitcoin.purse.FAMILY_MOST", 1)
    with pytest.raises(CoinsShort):
        bare.build()


def test_a_sweep_whose_priming_was_replaced_is_dead_and_may_be_ordered_again(bare: House) -> None:
    primed(bare)
    handed_over(bare, swept_unconfirmed(bare))
    alice = bare.people["alice"]
    bump(bare.store, 1, person=Person("alice", alice.public), sign=alice.sign, now=NOW, terms={"fee_rate": 20_000})
    bare.cross()
    bare.tick()
    mined(bare, FINAL)
    mined(bare)
    assert [job.state.value for job in jobs(bare.store)] == ["dead", "dead", "final"]
    assert "job 1 was to make and never can" in jobs(bare.store)[1].result
    assert owed(bare) == (0, 700)
    handed_over(bare, swept_unconfirmed(bare))
    mined(bare, FINAL)
    assert owed(bare) == (700, 0)
    require_sound(bare)
