"""Where the reading of a network begins: nothing that came since the books of its wallets were opened is missed.

Wallets to which no customer pays are read as well: what comes there is the house's own to name, and the books have it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection, update

from online.audit import verify
from online.chains.near import deposits as near_deposits
from online.chains.near.node import Node as NearNode
from online.chains.xrpl.node import Node
from online.customers.register import register
from online.customers.trades import HOUSE, Leg, trade
from online.demo.strangers import Stranger
from online.deposits import intake
from online.deposits.instructions import instruct
from online.deposits.model import deposits
from online.deposits.suspense import Signer, credit, credit_own
from online.ledger.books import balance_sheet, check, journal, open_wallet
from online.ledger.reconcile import reconcile
from online.store import tables
from online.store.database import Store
from online.store.wallets import find_keys
from online.withdrawals.accepting import Wish, accept
from online.withdrawals.mandates import Ceiling, Mandate, approve_mandate, draft_mandate
from shared.effects import Destination
from shared.errors import HistoryMissing, NodeUnfit, NotInSuspense, SamePerson
from shared.policy import Person
from tests.bitcoin_house import a_house as bitcoin_house
from tests.both_machines import NOW
from tests.near_gateway_bench import OTHER, UNIT, a_bench
from tests.online_world import NETWORK, Account, set_up
from tests.online_world import xrp as paper_xrp
from tests.open_world import OpenWorld
from tests.xrpl_house import NETWORK as XRPL_LOCAL
from tests.xrpl_house import XrplHouse, an_xrpl_house, xrp

THEM = "rrrrrrrrrrrrrrrrrrrrBZbvji"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[XrplHouse]:
    """Three wallets with open books; nobody has a place yet, and nothing was read."""
    with an_xrpl_house(tmp_path) as found:
        register(found.store, "dave", NOW)
        yield found


def told(house: XrplHouse) -> list[tuple[str, str | None, int, str]]:
    return [(one.wallet, one.customer, one.amount.units // 10**6, one.state.value) for one in deposits(house.store)]


def sheet(house: XrplHouse) -> dict[str, int]:
    return {one.account: one.posted // 10**6 for one in balance_sheet(house.store)}


def require_agreed(house: XrplHouse) -> None:
    """Demand that books and ledger agree, by balance and by transaction, and that the journal proves the books."""
    gateways = {XRPL_LOCAL: house.gateway}
    assert [one.difference for one in check(house.store, gateways)] == [0, 0, 0]
    assert [one for one in reconcile(house.store, gateways).findings if one.kind != "reserve-changed"] == []
    assert verify(house.store).problems == ()


# --- before the first look ----------------------------------------------------------------------------


def test_a_deposit_before_the_first_turn_is_credited(house: XrplHouse) -> None:
    place = instruct(house.store, "dave", "cold", NOW).place
    Stranger(house.world, 1_000).pay(place.address, 50 * 10**6, place.tag)
    for _ in range(3):
        house.world.close()
        house.tick()
    assert told(house) == [("cold", "dave", 50, "credited")]
    assert house.owed("dave") == 50
    require_agreed(house)


def test_what_a_wallet_received_before_it_had_a_place_waits_in_suspense(house: XrplHouse) -> None:
    instruct(house.store, "dave", "cold", NOW)
    house.tick()
    Stranger(house.world, 1_000).pay(house.address("warm"), 50 * 10**6, 1)
    house.tick()
    assert told(house) == [("warm", None, 50, "suspense")]
    place = instruct(house.store, "dave", "warm", NOW).place
    Stranger(house.world, 1_000).pay(place.address, 7 * 10**6, place.tag)
    house.tick()
    assert told(house) == [("warm", None, 50, "suspense"), ("warm", "dave", 7, "credited")]
    require_agreed(house)


def test_of_what_an_opening_held_only_a_customers_deposit_is_taken_in(tmp_path: Path) -> None:
    """The hot wallet's books are opened after the first ones, from where all is read, and what came holds own funds."""
    store, world = paper(tmp_path)
    register(store, "dave", NOW)
    (hot,) = find(store, "hot")
    open_wallet(store, "cold", world, NOW)
    for tag, coins in ((None, 30), (1, 20), (7, 10)):
        world.pay(THEM, Destination(hot, tag), paper_xrp(coins))
    world.close(2)
    open_wallet(store, "hot", world, NOW)
    instruct(store, "dave", "hot", NOW)
    world.pay(THEM, Destination(hot), paper_xrp(5))
    world.close(9)
    intake.take_in(store, {NETWORK: world}, NOW)
    came = [(one.customer, one.amount.units // 10**6, one.state.value) for one in deposits(store)]
    assert sorted(came, key=str) == [("dave", 20, "credited"), (None, 5, "suspense")]
    held = {one.account: one.posted // 10**6 for one in balance_sheet(store)}
    assert held["wallet:hot"] == world.accounts[hot].units // 10**6
    assert (held["customer:dave"], held[f"suspense:{NETWORK}"]) == (-20, -5)


# --- wallets without places ---------------------------------------------------------------------------


def test_a_withdrawal_to_a_wallet_of_ours_without_places_is_in_its_books(house: XrplHouse) -> None:
    trade(house.store, "g", [Leg(HOUSE, "dave", xrp(15))], NOW)
    ceiling = Ceiling(*(xrp(15).units,) * 4)
    alice, bob = (Person(name, house.people[name].public) for name in ("alice", "bob"))
    given = draft_mandate(
        house.store, Mandate("hot", {"XRP": ceiling}, 1, 0), person=alice, sign=house.people["alice"].sign, now=NOW
    )
    approve_mandate(house.store, given.id, person=bob, sign=house.people["bob"].sign, now=NOW)
    house.tick()
    accept(house.store, Wish("w", "dave", "hot", Destination(house.address("warm"), 2), xrp(5)), NOW)
    house.tick()
    house.cross()
    house.settle()
    assert told(house) == [("warm", None, 5, "suspense")]
    assert (sheet(house)["wallet:warm"], house.owed("dave")) == (25, 10)
    require_agreed(house)


def test_a_top_up_of_a_wallet_waits_until_two_people_call_it_the_houses_own(house: XrplHouse) -> None:
    Stranger(house.world, 1_000).pay(house.address("hot"), 100 * 10**6)
    house.tick()
    (one,) = deposits(house.store)
    before = sheet(house)
    assert (told(house), before["wallet:hot"]) == ([("hot", None, 100, "suspense")], 120)
    alice, bob = signer(house, "alice"), signer(house, "bob")
    with pytest.raises(SamePerson):
        credit_own(house.store, one.id, alice, alice, NOW)
    credit_own(house.store, one.id, alice, bob, NOW)
    after = sheet(house)
    assert (after["suspense:xrpl:local"], after["own:xrpl:local"]) == (0, before["own:xrpl:local"] - 100)
    assert told(house) == [("hot", None, 100, "own")]
    with pytest.raises(NotInSuspense):
        credit_own(house.store, one.id, alice, bob, NOW)
    with pytest.raises(NotInSuspense):
        credit(house.store, one.id, "dave", alice, bob, NOW)
    require_agreed(house)


def test_the_journal_proves_what_was_called_the_houses_own(house: XrplHouse) -> None:
    Stranger(house.world, 1_000).pay(house.address("hot"), 100 * 10**6)
    house.tick()
    credit_own(house.store, 1, signer(house, "alice"), signer(house, "bob"), NOW)
    with house.store.transaction() as tx:
        tx.sql.execute(update(tables.arrivals).values(state="suspense"))
    assert any("arrivals" in problem for problem in verify(house.store).problems)


def signer(house: XrplHouse, name: str) -> Signer:
    return Person(name, house.people[name].public), house.people[name].sign


# --- openings beside a reading ------------------------------------------------------------------------




def test_a_reading_of_other_wallets_than_are_there_by_now_is_not_written(
    house: XrplHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody gets a place while the ledger is read: that reading knows nothing of a wallet that came beside it."""
    house.tick()
    Stranger(house.world, 1_000).pay(house.address("cold"), 5 * 10**6)
    wanted, looks = intake._wanted, []

    def blinkered(connection: Connection, network: str) -> intake._Wanted:
        looks.append(network)
        found = wanted(connection, network)
        return replace(found, addresses=found.addresses[:-1]) if len(looks) == 1 else found

    monkeypatch.setattr(intake, "_wanted", blinkered)
    house.tick()
    assert told(house) == []
    house.tick()
    assert told(house) == [("cold", None, 5, "suspense")]


def test_books_are_not_opened_at_a_height_above_which_was_read(tmp_path: Path) -> None:
    """What came between would be in nobody's books: a node that has fallen behind can not open any."""
    store, world = paper(tmp_path)
    open_wallet(store, "cold", world, NOW)
    world.close(5)
    intake.take_in(store, {NETWORK: world}, NOW)
    newest = world.at
    world.at -= 1
    with pytest.raises(NodeUnfit):
        open_wallet(store, "hot", world, NOW)
    world.at = newest
    assert open_wallet(store, "hot", world, NOW).account == "wallet:hot"


def paper(folder: Path) -> tuple[Store, OpenWorld]:
    """A paper ledger with coins in both wallets, of which no books are open."""
    store, world = set_up(folder), OpenWorld()
    world.accounts |= {address: Account(10**9) for name in ("cold", "hot") for address in find(store, name)}
    return store, world


def find(store: Store, wallet: str) -> list[str]:
    with store.reading() as connection:
        return [key.address for key in find_keys(connection, wallet)]


# --- the gateways -------------------------------------------------------------------------------------


def test_a_node_that_does_not_hold_the_beginning_says_so(house: XrplHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    house.world.close()
    address = house.address("cold")
    assert [one.amount.units for one in house.gateway.arrivals([address], [], "", 1).found] == [20 * 10**6]
    assert house.gateway.arrivals([address], [], "", house.gateway.height()).found == ()
    monkeypatch.setattr(Node, "ledger_hash", lambda _self, _height: None)
    with pytest.raises(HistoryMissing):
        house.gateway.arrivals([address], [], "", 1)


def test_on_bitcoin_all_above_a_height_is_read_and_nothing_that_is_not_deep_enough(tmp_path: Path) -> None:
    with bitcoin_house(tmp_path) as house:
        address = house.address("deposits")
        since = house.gateway.height()
        house.bitcoin.fund_all([(address, 70_000)])
        for _ in range(8):
            assert house.gateway.arrivals([address], [], "", since + 50).found == ()
            house.bitcoin.mine(1)
        read = house.gateway.arrivals([address], [], "", since)
        assert [one.amount.units for one in read.found] == [70_000]
        assert house.gateway.arrivals([address], [], read.cursor, since).found == ()
        assert house.gateway.arrivals([address], [], "").found == ()


def test_on_near_all_above_a_height_is_read_and_what_came_late_of_before(monkeypatch: pytest.MonkeyPatch) -> None:
    with a_bench() as bench:
        ours = [OTHER.account]
        bench.run(bench.plan(5 * UNIT))
        since = bench.gateway.height()
        bench.run(bench.plan(3 * UNIT))
        assert [one.amount.units // UNIT for one in bench.gateway.arrivals(ours, [], "", since).found][-2:] == [5, 3]
        monkeypatch.setattr(near_deposits, "DELAYED_MOST", 0)
        read = bench.gateway.arrivals(ours, [], "", since)
        assert [one.amount.units // UNIT for one in read.found] == [3]
        assert bench.gateway.arrivals(ours, [], read.cursor, since).found == ()
        monkeypatch.setattr(NearNode, "block", lambda _self, _at: None)
        with pytest.raises(HistoryMissing):
            bench.gateway.arrivals(ours, [], "", since)


# --- what an opening finds at customers' places -------------------------------------------------------


def test_what_an_opening_finds_at_a_customers_own_address_waits_in_suspense(tmp_path: Path) -> None:
    """It came before anybody looked: nothing tells how, and two people say whose it is."""
    with bitcoin_house(tmp_path, opened=False) as house:
        register(house.store, "dave", NOW)
        for index in range(2):
            house.bitcoin.fund_all([(house.address("deposits", index), 70_000)])
            house.counterparty.credit(house.address("deposits", index), "XCP", 70)
        house.bitcoin.mine(9)
        house.tick()
        theirs = instruct(house.store, "dave", "deposits", NOW).place.address
        house.open_books()
        both = {("own", "BTC"): 70_000, ("suspense", "BTC"): 70_000, ("own", "XCP"): 70, ("suspense", "XCP"): 70}
        assert sums(house.store, "deposits") == both
        for _ in range(2):
            house.bitcoin.mine(9)
            house.tick()
        assert [(one.place.address, one.amount.units, one.state.value) for one in deposits(house.store)] == [
            (theirs, 70_000, "suspense"), (theirs, 70, "suspense"),
        ]  # fmt: skip
        house.require_books()
        alice, bob = ((Person(name, house.people[name].public), house.people[name].sign) for name in ("alice", "bob"))
        credit(house.store, 1, "dave", alice, bob, NOW)
        credit_own(house.store, 2, alice, bob, NOW)
        house.require_books()
        assert verify(house.store).problems == ()


def test_what_is_told_of_after_the_opening_comes_out_of_what_that_found_and_is_counted_once(tmp_path: Path) -> None:
    with bitcoin_house(tmp_path, opened=False) as house:
        register(house.store, "dave", NOW)
        place = instruct(house.store, "dave", "deposits", NOW, new=True).place
        house.bitcoin.fund_all([(place.address, 30_000)])
        house.bitcoin.mine(9)
        house.tick()
        for units in (20_000, 10_000):
            house.bitcoin.fund_all([(place.address, units)])
        house.open_books()
        assert sums(house.store, "deposits")["suspense", "BTC"] == 60_000
        for _ in range(9):
            house.bitcoin.mine(1)
            house.tick()
        came = sorted((one.amount.units, one.state.value) for one in deposits(house.store))
        assert came == [(10_000, "credited"), (20_000, "credited"), (30_000, "suspense")]
        house.require_books()
        assert verify(house.store).problems == ()


def test_the_journal_proves_what_an_opening_found(tmp_path: Path) -> None:
    with bitcoin_house(tmp_path, opened=False) as house:
        register(house.store, "dave", NOW)
        house.bitcoin.fund_all([(instruct(house.store, "dave", "deposits", NOW, new=True).place.address, 70_000)])
        house.bitcoin.mine(9)
        house.open_books()
        with house.store.transaction() as tx:
            tx.sql.execute(update(tables.found_at_opening).values(units="1"))
        assert any("found_at_opening" in problem for problem in verify(house.store).problems)


def sums(store: Store, wallet: str) -> dict[tuple[str, str], int]:
    """Give what the opening of a wallet put where, in base units."""
    (entry,) = [one for one in journal(store) if one.memo.startswith(f"opening of {wallet}")]
    return {(name.partition(":")[0], asset.code): -units for name, asset, units in entry.lines if units < 0}
