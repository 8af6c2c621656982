"""Reorganisations deeper than final: what was taken in is taken back by postings, and given again where it comes anew.

Two blocks are deep enough here. A reorganisation mines one block more than it takes; what was in the old ones waits
again, until blocks are mined that leave it out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from online.audit import verify
from online.chains.api import Arrivals
from online.chains.bitcoin.cursors import Cursor, Reach, read_cursor
from online.customers.register import register
from online.customers.trades import HOUSE, Leg, trade
from online.deposits.instructions import instruct
from online.deposits.model import Deposit, deposits
from online.deposits.suspense import credit, draft_return
from online.jobs.loop import tick
from online.jobs.model import jobs
from online.ledger.books import balance_sheet, prove_balances
from online.ledger.books import journal as entries
from online.ledger.reconcile import reconcile
from online.orders.gathering import draft_asset_sweep
from online.orders.spending import draft_pay
from online.store import journal, tables
from shared.effects import Destination
from shared.errors import BadField
from shared.policy import Person
from tests.bitcoin_house import BTC, COIN, CONFIRMATIONS, NETWORK, NOW, XCP, House, a_house, amount
from tests.btc_gateway_bench import HOT, pays, plan, signed
from tests.btc_gateway_bench import register as decimals_of

DEEP = CONFIRMATIONS + 1


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Dave has an address of his own; everything before was read."""
    with a_house(tmp_path) as found:
        found.bitcoin.mine(20)
        for name in ("dave", "edward"):
            register(found.store, name, NOW)
        instruct(found.store, "dave", "deposits", NOW)
        found.tick()
        yield found


def paid(house: House, units: int = 70_000, *, index: int = 0) -> str:
    """Let a stranger pay an address of the deposit wallet, deep enough; gives the transaction's id."""
    (out,) = house.bitcoin.fund_all([(house.address("deposits", index + 1), units)])
    house.bitcoin.mine(CONFIRMATIONS)
    house.tick()
    return out.txid


def reorganised(house: House, *without: str, depth: int = DEEP) -> tuple[str, ...]:
    """Let another chain win that leaves some transactions out, as deep as the old one was; give what a turn says."""
    house.bitcoin.reorg(depth)
    house.bitcoin.mine(1, without=without)
    return troubles(house)


def troubles(house: House) -> tuple[str, ...]:
    return tick(house.store, house.gateways, NOW).troubles


def back(house: House) -> None:
    """Let what waits be in a block, and take it in."""
    house.bitcoin.mine(CONFIRMATIONS + 1)
    house.tick()


def states(house: House) -> list[str]:
    return [one.state.value for one in deposits(house.store)]


def first(house: House) -> Deposit:
    return deposits(house.store)[0]


def sums(house: House) -> dict[str, int]:
    rows = [one for one in balance_sheet(house.store) if one.asset == BTC]
    return {one.account.removesuffix(f":{NETWORK}"): one.posted for one in rows}


def require_sound(house: House) -> None:
    house.require_books()
    assert prove_balances(house.store) == ()
    assert verify(house.store).problems == ()


# --- taken back, and given again -----------------------------------------------------------------------


def test_a_credited_deposit_that_is_gone_is_taken_back_and_named(house: House) -> None:
    gone = paid(house)
    before = sums(house)
    assert before["customer:dave"] == -70_000
    incident, named = reorganised(house, gone)
    assert "another chain after block" in incident
    assert gone in named
    assert "credited" in named
    after = sums(house)
    assert (after["customer:dave"], after["wallet:deposits"], after["own"]) == (0, 0, before["own"])
    assert (states(house), "a reorganisation after block" in first(house).reason) == (["gone"], True)
    require_sound(house)
    assert troubles(house) == ()


def test_what_the_customer_has_spent_already_is_the_houses_loss_and_shown(house: House) -> None:
    gone = paid(house)
    trade(house.store, "t1", [Leg("dave", HOUSE, amount(50_000))], NOW)
    own = sums(house)["own"]
    reorganised(house, gone)
    assert (sums(house)["customer:dave"], sums(house)["own"]) == (0, own + 50_000)
    assert "0.0005 BTC of it were gone already" in first(house).reason
    require_sound(house)
    back(house)
    assert (sums(house)["customer:dave"], sums(house)["own"]) == (-20_000, own)
    require_sound(house)


def test_a_deposit_that_comes_again_later_is_credited_once_more_and_stands_once(house: House) -> None:
    gone = paid(house)
    before, height = sums(house), first(house).height
    reorganised(house, gone)
    back(house)
    house.tick()
    assert (states(house), sums(house)) == (["credited"], before)
    assert first(house).height > height
    require_sound(house)
    reorganised(house, gone, depth=DEEP + 1)
    assert states(house) == ["gone"]
    back(house)
    assert (states(house), sums(house)) == (["credited"], before)
    require_sound(house)


@pytest.mark.parametrize("again", ["the same", "something else"])
def test_what_a_node_tells_twice_comes_again_once(
    house: House, monkeypatch: pytest.MonkeyPatch, again: str
) -> None:
    gone = paid(house)
    before = sums(house)
    reorganised(house, gone)
    if again == "something else":  # than the row says that came before
        with house.store.transaction() as tx:
            tx.sql.execute(update(tables.arrivals).values(units="69999"))
    told = type(house.gateway).arrivals

    def twice(*asked: Any) -> Arrivals:
        found = told(*asked)
        return replace(found, found=(*found.found, *found.found))

    monkeypatch.setattr(type(house.gateway), "arrivals", twice)
    back(house)
    assert (states(house), sums(house)) == (["credited"], before)
    house.require_books()
    assert prove_balances(house.store) == ()


def test_a_deposit_that_only_stands_in_another_block_keeps_its_postings(house: House) -> None:
    moved, _ = house.bitcoin.chain.find(paid(house)) or (None, None)
    assert moved is not None
    before, height = entries(house.store), first(house).height
    house.bitcoin.reorg(DEEP + 1, transactions=[moved])
    (incident,) = troubles(house)
    assert "another chain" in incident
    assert (states(house), entries(house.store)) == (["credited"], before)
    assert first(house).height == height - 1
    require_sound(house)


def test_what_waits_in_suspense_is_taken_out_of_it(house: House) -> None:
    gone = paid(house, index=3)
    assert (states(house), sums(house)["suspense"]) == (["suspense"], -70_000)
    reorganised(house, gone)
    assert (states(house), sums(house)["suspense"]) == (["gone"], 0)
    require_sound(house)
    back(house)
    assert (states(house), sums(house)["suspense"]) == (["suspense"], -70_000)
    require_sound(house)


def test_what_two_people_credited_out_of_suspense_is_taken_from_whom_they_gave_it(house: House) -> None:
    gone = paid(house, index=3)
    alice, bob = ((Person(name, house.people[name].public), house.people[name].sign) for name in ("alice", "bob"))
    credit(house.store, first(house).id, "edward", alice, bob, NOW)
    reorganised(house, gone)
    assert (sums(house)["customer:edward"], sums(house)["suspense"]) == (0, 0)
    require_sound(house)
    back(house)
    assert (states(house), sums(house)["customer:edward"]) == (["credited"], -70_000)
    require_sound(house)


def test_what_is_on_its_way_back_to_its_sender_is_the_houses_loss_until_it_comes_again(house: House) -> None:
    gone = paid(house, index=3)
    house.approved(draft_return(house.store, house.asking(), first(house).id, to=Destination(house.address("cold"))))
    own = sums(house)["own"]
    reorganised(house, gone)
    assert (states(house), sums(house)["suspense"], sums(house)["own"]) == (["gone"], -70_000, own + 70_000)
    back(house)
    assert (states(house), sums(house)["suspense"], sums(house)["own"]) == (["suspense"], -70_000, own)
    assert verify(house.store).problems == ()


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE arrivals SET state = 'credited'",
        "UPDATE taken_back SET state = 'suspense'",
        "UPDATE taken_back SET reverses = NULL",
        "DELETE FROM taken_back",
    ],
)
def test_an_edit_of_what_was_taken_back_is_noticed(house: House, edit: str) -> None:
    reorganised(house, paid(house))
    with house.store.engine.begin() as connection:
        assert connection.exec_driver_sql(edit).rowcount
    assert verify(house.store).problems != ()


# --- while it lasts, and in between ----------------------------------------------------------------------


def test_nothing_is_taken_in_or_back_while_the_new_chain_is_not_as_deep(house: House) -> None:
    gone = paid(house)
    before = sums(house)
    for _ in range(DEEP + 2):
        house.bitcoin.chain.declare(house.bitcoin.chain.active[-1], invalid=True)
    for _ in range(2):
        (trouble,) = troubles(house)
        assert "deep-reorganisation" in trouble
        house.bitcoin.mine(1, without=[gone])
    assert (states(house), sums(house)) == (["credited"], before)


def test_a_crash_in_the_middle_takes_back_nothing_or_all(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = paid(house)
    before = sums(house)
    whole = journal.append

    def dies(*said: Any) -> None:
        whole(*said)
        if "reorganisation" in said:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(journal, "append", dies)
        with pytest.raises(KeyboardInterrupt):
            reorganised(house, gone)
    assert (states(house), sums(house)) == (["credited"], before)
    assert any(gone in one for one in troubles(house))
    assert states(house) == ["gone"]
    require_sound(house)


def test_a_chain_that_shares_no_block_that_was_read_stops_the_reading(house: House) -> None:
    house.bitcoin.mine(3)
    house.tick()
    with house.store.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE cursors SET cursor = '5 5 5:{'ab' * 32} 4:{'cd' * 32}'")
    (trouble,) = troubles(house)
    assert "history-missing" in trouble


@pytest.mark.parametrize("text", ["", "5", "5 5", f"5 5 4:{'ab' * 32}", "5 5 5:ab", f"x 5 5:{'ab' * 32}"])
def test_a_cursor_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadField):
        read_cursor(text)


def test_a_cursor_is_read_back_as_it_was() -> None:
    cursor = Cursor(Reach(3, 7), ((7, "ab" * 32), (6, "cd" * 32)))
    assert read_cursor(str(cursor)) == cursor


# --- assets, sweeps, and what we sent ourselves --------------------------------------------------------


def test_an_asset_whose_sweep_was_counted_is_taken_back_and_given_again(tmp_path: Path) -> None:
    with a_house(tmp_path, opened=False, confirmations=5) as house:
        house.bitcoin.fund_all([(HOT.address, 10**7), (house.address("deposits", 1), 100_000)])
        house.counterparty.credit(HOT.address, "XCP", 10**6)
        house.open_books()
        house.bitcoin.mine(5)
        register(house.store, "dave", NOW)
        instruct(house.store, "dave", "deposits", NOW)
        house.tick()
        wish = plan(pays(house.address("deposits", 1), 700, XCP), kind="counterparty-send")
        done = signed(house.gateway.build(wish, ()), decimals_of(wish))
        house.gateway.submit(done.blob)
        house.bitcoin.mine(2)
        house.tick()
        house.approved(draft_asset_sweep(
            house.store, house.gateway, house.asking(), wallet="deposits", assets=[XCP],
            to=Destination(house.address("holding")),
        ))  # fmt: skip
        house.cross()
        house.tick()
        house.bitcoin.mine(1)
        house.tick()
        assert states(house) == ["credited"]
        house.bitcoin.reorg(3)
        house.bitcoin.mine(1, without=[done.tx_id, jobs(house.store)[0].tx_id or ""])
        assert any(done.tx_id in one for one in troubles(house))
        assert (states(house), xcp(house)["customer:dave"], xcp(house)["wallet:deposits"]) == (["gone"], 0, 0)
        assert verify(house.store).problems == ()
        house.bitcoin.mine_exactly([house.bitcoin.mempool.entries[done.tx_id].tx])
        house.bitcoin.mine(7)
        house.tick()
        house.tick()
        assert (states(house), xcp(house)["customer:dave"], house.states()) == (["credited", "own"], -700, ["final"])
        require_sound(house)


def xcp(house: House) -> dict[str, int]:
    return {one.account: one.posted for one in balance_sheet(house.store) if one.asset == XCP}


def test_a_final_payment_of_ours_that_is_gone_is_named_and_handed_over_again(house: House) -> None:
    payments = [(Destination(house.address("holding")), amount(COIN // 2))]
    house.approved(draft_pay(house.store, house.asking(), wallet="cold", payments=payments))
    house.cross()
    house.settle()
    house.tick()
    (ours,) = house.bitcoin.chain.blocks[house.bitcoin.chain.active[-CONFIRMATIONS]].txs[1:]
    house.bitcoin.reorg(CONFIRMATIONS)
    house.bitcoin.mempool.evict([ours.txid])
    house.bitcoin.mine(1)
    named = troubles(house)
    assert any("job 1 was final" in one and "0.5 BTC" in one for one in named), named
    assert [one.kind.value for one in reconcile(house.store, house.gateways).findings] == ["reorganised-away"] * 2
    assert ours.txid in house.bitcoin.mempool.entries
    house.bitcoin.mine(CONFIRMATIONS)
    house.tick()
    require_sound(house)
