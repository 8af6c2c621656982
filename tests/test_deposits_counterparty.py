"""Deposits of Counterparty's assets in both customs: an address for each customer, or a shared one with a memo.

A stranger with a key of their own builds real sends, signs them, and the served devnet's two nodes tell what arrived.
Sweeps are not waited for here; where they are, `test_deposits_swept` tells.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from online.audit import verify
from online.chains.api import Plan
from online.customers.register import register
from online.deposits.instructions import instruct
from online.deposits.model import deposits
from online.deposits.suspense import credit
from online.jobs.loop import tick
from online.ledger.books import balance_sheet, open_wallet
from online.ledger.reconcile import reconcile
from online.orders.spending import draft_send
from online.store.assets import add_asset
from shared.effects import Destination
from shared.errors import BooksNotOpen, NoSuchPlace
from shared.money import Asset
from shared.policy import Person
from tests.bitcoin_house import CARD, CONFIRMATIONS, NETWORK, NOW, XCP, House, a_house, amount
from tests.btc_gateway_bench import HOT, pays, plan, signed
from tests.btc_gateway_bench import register as decimals_of
from tests.xrpl_house import an_xrpl_house

OTHER = Asset(NETWORK, "OTHERCARD", 0)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Dave and edward are registered, and a stranger has coins and assets; everything before was read."""
    with a_house(tmp_path, credit_after_sweep=False) as found:
        for name in ("dave", "edward"):
            register(found.store, name, NOW)
        found.counterparty.issue(OTHER.code, divisible=False)
        found.bitcoin.fund_all([(HOT.address, 10**7)] * 6)
        for asset in (XCP, CARD, OTHER):
            found.counterparty.credit(HOT.address, asset.code, 1_000 * 10**asset.decimals)
        yield found


def place(house: House, customer: str, *, memo: bool, new: bool = False) -> Destination:
    found = instruct(house.store, customer, "deposits", NOW, memo=memo, new=new).place
    house.tick()
    return found


def sends(house: House, wish: Plan, confirmations: int = CONFIRMATIONS) -> str:
    """Let the stranger send, mine, and take in; gives the transaction's id."""
    done = signed(house.gateway.build(wish, ()), decimals_of(wish))
    assert house.gateway.submit(done.blob).kind == "accepted"
    house.bitcoin.mine(confirmations)
    house.tick()
    return done.tx_id


def send(house: House, to: Destination, units: int, asset: Asset = XCP, confirmations: int = CONFIRMATIONS) -> str:
    wish = plan(pays(to.address, units, asset, to.memo), kind="counterparty-send")
    return sends(house, wish, confirmations)


def told(house: House) -> list[tuple[str | None, str, int, str, str]]:
    rows = deposits(house.store)
    return [(one.customer, one.amount.asset.code, one.amount.units, one.state.value, one.reason) for one in rows]


def owed(house: House, customer: str) -> dict[str, int]:
    mine = [one for one in balance_sheet(house.store) if one.account == f"customer:{customer}"]
    return {one.asset.code: -one.posted for one in mine}


# --- an address for each ------------------------------------------------------------------------------


def test_an_asset_at_a_customers_own_address_is_credited_when_it_is_deep_enough_and_once(house: House) -> None:
    to = place(house, "dave", memo=False)
    send(house, to, 7_000, confirmations=CONFIRMATIONS - 1)
    assert told(house) == []
    house.bitcoin.mine(1)
    for _ in range(3):
        house.tick()
    assert told(house) == [("dave", "XCP", 7_000, "credited", "")]
    assert deposits(house.store)[0].sender == HOT.address
    house.require_books()
    assert verify(house.store).ok


def test_whatever_memo_comes_to_a_customers_own_address_is_theirs(house: House) -> None:
    to = place(house, "dave", memo=False)
    send(house, Destination(to.address, memo='"order 7"'), 3, CARD)
    assert told(house) == [("dave", "BOOKCARD", 3, "credited", "")]


def test_what_raises_a_balance_without_a_send_is_seen_as_well(house: House) -> None:
    to = place(house, "dave", memo=False)
    sweep = plan(kind="counterparty-sweep", destination=to.address, flags=1)
    sends(house, sweep)
    units = {code: count for _, code, count, _, _ in told(house)}
    assert units["BOOKCARD"] == 1_000
    assert units["XCP"] == house.held(to.address)
    assert owed(house, "dave") == {code: units[code] for code in ("XCP", "BOOKCARD")}
    assert [row[4] for row in told(house) if row[1] == OTHER.code] == ["OTHERCARD is not noted here"]


def test_an_asset_that_nobody_noted_waits_and_disturbs_no_books_until_they_are_open_for_it(house: House) -> None:
    send(house, place(house, "dave", memo=False), 4, OTHER)
    assert told(house) == [(None, "OTHERCARD", 4, "suspense", "OTHERCARD is not noted here")]
    assert owed(house, "dave") == {}
    house.require_books()
    alice, bob = ((Person(name, house.people[name].public), house.people[name].sign) for name in ("alice", "bob"))
    with pytest.raises(BooksNotOpen):
        credit(house.store, deposits(house.store)[0].id, "dave", alice, bob, NOW)
    assert verify(house.store).ok

    add_asset(house.store, NETWORK, OTHER.code, 0, NOW)
    house.tick()
    with pytest.raises(BooksNotOpen):  # noted, and the wallet's books do not have it yet
        credit(house.store, deposits(house.store)[0].id, "dave", alice, bob, NOW)
    open_wallet(house.store, "deposits", house.gateway, NOW)
    for _ in range(2):
        house.bitcoin.mine(1)
        house.tick()
    house.require_books()
    credit(house.store, deposits(house.store)[0].id, "dave", alice, bob, NOW)
    assert owed(house, "dave") == {"OTHERCARD": 4}
    house.require_books()
    assert verify(house.store).ok


def test_what_our_own_order_sends_to_a_customers_address_is_no_deposit(house: House) -> None:
    to = place(house, "dave", memo=False)
    house.approved(draft_send(house.store, house.asking(), wallet="cold", payment=(to, amount(500, XCP))))
    house.cross()
    house.settle()
    house.tick()
    assert [row[3] for row in told(house) if row[1] == "XCP"] == ["own"]
    assert owed(house, "dave") == {}
    house.require_books()


# --- a memo for each ----------------------------------------------------------------------------------


def test_customers_share_an_address_and_are_told_apart_by_memos(house: House) -> None:
    first, second = (place(house, name, memo=True) for name in ("dave", "edward"))
    assert first.address == second.address
    assert first.memo != second.memo
    assert len(first.memo or "") == len("hex ") + 16
    assert place(house, "dave", memo=True) == first
    send(house, second, 9_000)
    assert told(house) == [("edward", "XCP", 9_000, "credited", "")]
    house.require_books()
    assert verify(house.store).ok


def test_a_memo_is_written_as_hex_even_where_a_text_was_drawn(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "token_bytes", lambda count: b"A" * count)
    assert place(house, "dave", memo=True).memo == "hex c1" + "41" * 7


def test_an_address_that_customers_share_is_nobodys_own(house: House) -> None:
    shared = place(house, "dave", memo=True)
    assert place(house, "edward", memo=False).address != shared.address


def test_one_message_that_pays_two_memos_credits_both(house: House) -> None:
    first, second = (place(house, name, memo=True) for name in ("dave", "edward"))
    pair = [pays(first.address, 5, CARD, first.memo), pays(second.address, 6_000, XCP, second.memo)]
    sends(house, plan(*pair, kind="counterparty-mpma"))
    assert sorted(told(house), key=str) == [
        ("dave", "BOOKCARD", 5, "credited", ""), ("edward", "XCP", 6_000, "credited", ""),
    ]  # fmt: skip
    house.require_books()


def test_a_doubled_memo_waits_in_suspense_and_its_customer_gets_another(house: House) -> None:
    to = place(house, "dave", memo=True)
    send(house, to, 9_000)
    send(house, to, 8_000)
    assert told(house) == [
        ("dave", "XCP", 9_000, "credited", ""),
        (None, "XCP", 8_000, "suspense", "its memo came with an earlier deposit"),
    ]
    again = place(house, "dave", memo=True)
    assert (again.address, again.memo == to.memo) == (to.address, False)
    house.require_books()


@pytest.mark.parametrize("memo", [None, '"dave"', "hex 80ffffffffffffff"])
def test_a_wrong_memo_or_none_at_a_shared_address_waits_in_suspense(house: House, memo: str | None) -> None:
    to = place(house, "dave", memo=True)
    send(house, Destination(to.address, memo=memo), 9_000)
    reason = "no customer has this address" if memo is None else "no customer has this memo"
    assert told(house) == [(None, "XCP", 9_000, "suspense", reason)]
    house.require_books()


def test_no_memos_are_given_out_where_nothing_comes_with_them(tmp_path: Path) -> None:
    with an_xrpl_house(tmp_path) as found:
        register(found.store, "dave", NOW)
        with pytest.raises(NoSuchPlace):
            instruct(found.store, "dave", "cold", NOW, memo=True)


# --- nodes that lag and chains that turn ---------------------------------------------------------------


def test_a_counterparty_node_that_is_behind_skips_nothing(house: House) -> None:
    to = place(house, "dave", memo=False)
    done = signed(house.gateway.build(wish := plan(pays(to.address, 70, XCP), kind="counterparty-send"), ()),
                  decimals_of(wish))  # fmt: skip
    house.gateway.submit(done.blob)
    house.counterparty.fall_behind(CONFIRMATIONS + 4)
    house.bitcoin.mine(CONFIRMATIONS + 1)
    tick(house.store, {NETWORK: house.gateway}, NOW)
    assert told(house) == []
    house.counterparty.fall_behind(0)
    house.tick()
    assert told(house) == [("dave", "XCP", 70, "credited", "")]


def test_a_send_that_a_reorganisation_takes_after_one_confirmation_is_never_credited(house: House) -> None:
    to = place(house, "dave", memo=False)
    taken = send(house, to, 7_000, confirmations=1)
    house.bitcoin.reorg(1)
    house.bitcoin.mine(CONFIRMATIONS + 2, without=[taken])
    house.tick()
    assert told(house) == []
    house.require_books()


def test_a_send_that_a_reorganisation_moves_to_another_block_is_credited_once(house: House) -> None:
    to = place(house, "dave", memo=False)
    send(house, to, 7_000, confirmations=1)
    house.bitcoin.reorg(1)
    house.bitcoin.mine(CONFIRMATIONS + 2)
    for _ in range(2):
        house.tick()
    assert told(house) == [("dave", "XCP", 7_000, "credited", "")]


def test_a_send_of_more_than_the_sender_has_left_is_not_valid_and_no_deposit(house: House) -> None:
    to = place(house, "dave", memo=False)
    wish = plan(pays(to.address, 900 * 10**8, XCP), kind="counterparty-send")
    first = house.gateway.build(wish, ())
    second = house.gateway.build(wish, first.effects.claims)
    for built in (first, second):
        assert house.gateway.submit(signed(built, decimals_of(wish)).blob).kind == "accepted"
    house.bitcoin.mine(CONFIRMATIONS)
    house.tick()
    statuses = [row["status"] for row in house.counterparty.books().sends if row["destination"] == to.address]
    assert len(statuses) == 2
    assert statuses.count("valid") == 1
    assert told(house) == [("dave", "XCP", 900 * 10**8, "credited", "")]
    house.require_books()


def test_what_waits_for_its_asset_to_be_noted_stops_no_reconciliation(house: House) -> None:
    send(house, place(house, "dave", memo=False), 4, OTHER)
    assert reconcile(house.store, {NETWORK: house.gateway}).findings == ()


def test_what_the_books_were_opened_with_before_it_was_posted_is_not_counted_twice(house: House) -> None:
    send(house, place(house, "dave", memo=False), 4, OTHER)
    add_asset(house.store, NETWORK, OTHER.code, 0, NOW)
    open_wallet(house.store, "deposits", house.gateway, NOW)
    house.tick()
    house.require_books()
    sums = {one.account: one.posted for one in balance_sheet(house.store) if one.asset == OTHER}
    assert sums == {"wallet:deposits": 4, f"suspense:{NETWORK}": -4}
    assert reconcile(house.store, {NETWORK: house.gateway}).findings == ()
