"""Deposits on the XRP Ledger: credited from what arrived, once, or held with a reason; by the devnet's own ledger.

What the devnet has no transactions for, such as checks, is read from metadata as servers give it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from online.audit import verify
from online.chains.api import Arrival
from online.chains.xrpl.answers import Found
from online.chains.xrpl.arrivals import arrival_of
from online.cli.output import moment
from online.customers.register import register
from online.demo.strangers import Stranger
from online.deposits import intake
from online.deposits.instructions import instruct, instructions
from online.deposits.model import deposits
from online.deposits.states import State
from online.deposits.suspense import credit, draft_return
from online.jobs.loop import tick
from online.jobs.model import jobs
from online.jobs.withdraw import withdraw
from online.ledger.books import balance_sheet, prove_balances
from online.store import journal
from online.store.database import open_store
from online.withdrawals.accepting import Wish, accept
from online.withdrawals.mandates import Ceiling, Mandate, approve_mandate, draft_mandate
from shared.chains.xrpl import XRPL
from shared.chains.xrpl.addresses import parse_address
from shared.effects import Destination
from shared.errors import (
    HistoryMissing,
    NodeAnswerUnreadable,
    NoSuchPlace,
    NotInSuspense,
    PlaceTaken,
    SamePerson,
    UnknownCustomer,
)
from shared.policy import Person
from tests.both_machines import NOW
from tests.growth import no_whole_reads
from tests.house_app import shell_of
from tests.store_place import url_of
from tests.xrpl_house import NETWORK, XRP, XrplHouse, an_xrpl_house, xrp


@pytest.fixture
def house(tmp_path: Path) -> Iterator[XrplHouse]:
    """Dave has tag 1 and edward tag 2 on the cold wallet's address; everything before was read."""
    with an_xrpl_house(tmp_path) as found:
        for name in ("dave", "edward"):
            register(found.store, name, NOW)
            instruct(found.store, name, "cold", NOW)
        found.tick()
        yield found


def told(house: XrplHouse) -> list[tuple[str | None, int, str, str]]:
    return [(one.customer, one.amount.units // 10**6, one.state.value, one.reason) for one in deposits(house.store)]


def posted(house: XrplHouse) -> dict[str, int]:
    return {one.account.partition(":")[0]: one.posted for one in balance_sheet(house.store)}


def signers(house: XrplHouse, *names: str) -> list[tuple[Person, object]]:
    return [(Person(name, house.people[name].public), house.people[name].sign) for name in names]


# --- instructions -----------------------------------------------------------------------------------


def test_a_customer_gets_a_tag_of_their_own_and_the_same_again(house: XrplHouse) -> None:
    first = instruct(house.store, "dave", "cold", NOW)
    assert (first.place, instruct(house.store, "dave", "cold", NOW + 9).place) == (first.place, first.place)
    assert parse_address(first.packed, NETWORK) == first.place
    assert (first.place.tag, instruct(house.store, "edward", "cold", NOW).place.tag) == (1, 2)
    assert instruct(house.store, "dave", "cold", NOW, new=True).place.tag == 3
    assert [one.place.tag for one in instructions(house.store, "dave")] == [1, 3]


def test_a_tag_is_chosen_once_and_never_nought(house: XrplHouse) -> None:
    assert instruct(house.store, "dave", "cold", NOW, tag=789).place.tag == 789
    with pytest.raises(PlaceTaken):
        instruct(house.store, "edward", "cold", NOW, tag=789)
    for bad in (0, 2**32):
        with pytest.raises(NoSuchPlace):
            instruct(house.store, "edward", "cold", NOW, tag=bad)
    with pytest.raises(UnknownCustomer):
        instruct(house.store, "nobody", "cold", NOW)


# --- crediting --------------------------------------------------------------------------------------


def test_a_payment_with_a_customers_tag_is_credited_once_over_restarts(house: XrplHouse) -> None:
    alice = Stranger(house.world, 1_000)
    alice.pay(house.address("cold"), 50 * 10**6, 1)
    house.tick()
    url = url_of(house.store)
    house.store.close()
    house.store = open_store(url, house.store.station)
    for _ in range(3):
        house.tick()
        house.world.close()
    assert told(house) == [("dave", 50, "credited", "")]
    assert (house.owed("dave"), house.coins("cold")) == (50, 70 * 10**6)
    house.require_books()
    assert verify(house.store).ok


@pytest.mark.parametrize(
    ("tag", "reason"),
    [(None, "it came without a tag"), (0, "no customer has this tag"), (99, "no customer has this tag")],
)
def test_what_has_no_customers_tag_waits_in_suspense(house: XrplHouse, tag: int | None, reason: str) -> None:
    Stranger(house.world, 1_000).pay(house.address("cold"), 50 * 10**6, tag)
    house.tick()
    assert told(house) == [(None, 50, "suspense", reason)]
    assert house.owed("dave") == 0
    house.require_books()


def test_a_crash_before_the_commit_loses_nothing_and_doubles_nothing(
    house: XrplHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    Stranger(house.world, 1_000).pay(house.address("cold"), 50 * 10**6, 1)

    def crash(*_: object) -> None:
        raise RuntimeError("the process ends here")

    with monkeypatch.context() as broken:
        broken.setattr(journal, "append_many", crash)
        with pytest.raises(RuntimeError):
            intake.take_in(house.store, house.gateways, NOW)
    assert (told(house), house.owed("dave")) == ([], 0)
    house.tick()
    house.tick()
    assert (len(told(house)), house.owed("dave")) == (1, 50)


def test_what_our_own_jobs_move_is_no_deposit_but_what_a_withdrawal_pays_to_us_is_one(house: XrplHouse) -> None:
    from online.orders.drafting import draft_rebalance

    Stranger(house.world, 1_000).pay(house.address("cold"), 100 * 10**6, 1)
    house.tick()
    house.approved(draft_rebalance(house.store, house.asking(), from_wallet="cold", to_wallet="hot", amount=xrp(60)))
    house.cross()
    house.settle()
    ceiling = Ceiling(*(xrp(50).units,) * 4)
    (alice, sign), (bob, countersign) = signers(house, "alice", "bob")
    given = draft_mandate(house.store, Mandate("hot", {"XRP": ceiling}, 1, 0), person=alice, sign=sign, now=NOW)  # type: ignore[arg-type]
    approve_mandate(house.store, given.id, person=bob, sign=countersign, now=NOW)  # type: ignore[arg-type]
    for name, tag, coins in (("w1", 2, 10), ("w2", 99, 5)):
        accept(house.store, Wish(name, "dave", "hot", Destination(house.address("cold"), tag), xrp(coins)), NOW)
    house.tick()
    house.cross()
    house.settle()
    assert [row[0] for row in told(house) if row[2] == "credited"] == ["dave", "edward"]
    assert (None, 5, "suspense", "no customer has this tag") in told(house)
    assert (house.owed("dave"), house.owed("edward")) == (85, 10)
    house.require_books()


def test_a_node_that_lacks_the_ledgers_between_is_told_and_nothing_is_skipped(house: XrplHouse) -> None:
    cursor = "1 " + "0" * 64
    with pytest.raises(HistoryMissing):
        house.gateway.arrivals([house.address("cold")], [], cursor)
    house.world.faults.down = True
    assert any("deposits" in text for text in tick(house.store, house.gateways, NOW).troubles)


# --- reading on -------------------------------------------------------------------------------------


def test_a_program_reads_deposits_on_from_the_last_it_knows(house: XrplHouse) -> None:
    shell, stranger = shell_of(house), Stranger(house.world, 1_000)
    for coins in (1, 2, 3, 4):
        stranger.pay(house.address("cold"), coins * 10**6, 1 + coins % 2)
        house.now += 60
        house.tick()

    def read(*words: str) -> list[int]:
        with no_whole_reads(house.store):
            rows = json.loads(shell.printed("deposit", "list", "--json", *words))
        return [int(row["units"]) // 10**6 for row in rows]

    first = read("--limit", "2")
    assert (first, read("--since", "2", "--limit", "1"), read("--since", "4")) == ([1, 2], [3], [])
    assert read("--customer", "dave", "--since", "2", "--limit", "9") == [4]
    assert read("--since", moment(NOW + 180), "--limit", "9") == [3, 4]
    assert read("--since", "2020-01-01", "--limit", "9") == [1, 2, 3, 4]


# --- what metadata says -----------------------------------------------------------------------------

US = XRPL.address(b"\2" + bytes(31) + b"\1", "secp256k1", NETWORK)
THEM = "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh"
OWNER = "rPT1Sjq2YGrBMTttX4GZHjKu9dyfzbpAYe"
USD = {"value": "8", "currency": "USD", "issuer": THEM}


def raised(drops: int, *beside: object) -> dict[str, object]:
    fields = {"Account": US, "Balance": str(10**9 + drops)}
    node = {"LedgerEntryType": "AccountRoot", "FinalFields": fields, "PreviousFields": {"Balance": str(10**9)}}
    return {"AffectedNodes": [{"ModifiedNode": node}, *beside]}


def held(entry: str, drops: int, *, form: str = "DeletedNode", to: str = US, **tags: int) -> dict[str, object]:
    """Give metadata by which an entry that was held for somebody paid us so much."""
    fields = {"Account": OWNER, "Destination": to, "Amount": "900", **tags}
    return raised(drops, {form: {"LedgerEntryType": entry, "FinalFields": fields}})


def found(kind: str, meta: dict[str, object], result: str = "tesSUCCESS", **fields: object) -> Found:
    whole = {"TransactionType": kind, "Account": THEM, "Fee": "10", **fields}
    return Found("AB" * 32, True, 90_000_000, result, whole, {"TransactionResult": result, **meta})


@pytest.mark.parametrize(
    ("one", "drops", "tag"),
    [
        (found("Payment", {"delivered_amount": "7"}, Destination=US, DestinationTag=5, Amount="9000000"), 7, 5),
        (found("Payment", {"delivered_amount": "1"}, Destination=US, Amount="9000000000", Flags=0x20000), 1, None),
        (found("CheckCash", {"delivered_amount": "18", **raised(8)}, Account=US, CheckID="CD" * 32), 18, None),
        (found("CheckCash", raised(-10), "tecPATH_PARTIAL", Account=US, CheckID="CD" * 32), 0, None),
        (found("TicketCreate", raised(-10), Account=US, TicketCount=1), 0, None),
        (found("AccountSet", raised(0), Account=US, Delegate=THEM), 0, None),
        (found("AccountDelete", {"delivered_amount": "9", **raised(9)}, Destination=US, DestinationTag=3), 9, 3),
        (found("EscrowFinish", raised(11), Owner=THEM), 11, None),
        (found("EscrowFinish", held("Escrow", 11, DestinationTag=5), Owner=OWNER), 11, 5),
        (found("EscrowFinish", held("Escrow", 1, DestinationTag=5), Owner=OWNER, Account=US), 11, 5),
        (found("EscrowFinish", held("Escrow", 11, to=THEM, DestinationTag=5), Owner=OWNER), 11, None),
        (found("EscrowFinish", held("Escrow", 11, form="CreatedNode", DestinationTag=5), Owner=OWNER), 11, None),
        (found("EscrowFinish", held("Escrow", 0, DestinationTag=5), "tecNO_PERMISSION", Owner=OWNER), 0, None),
        (found("EscrowCancel", held("Escrow", 11, to=THEM, DestinationTag=5), Owner=US), 11, None),
        (found("PaymentChannelClaim", raised(12)), 12, None),
        (found("PaymentChannelClaim", held("PayChannel", 12, form="ModifiedNode", DestinationTag=6)), 12, 6),
        (found("PaymentChannelClaim", held("PayChannel", 2, DestinationTag=6), Account=US), 12, 6),
        (found("PaymentChannelClaim", held("PayChannel", -10, form="ModifiedNode"), Account=US), 0, None),
        (found("CheckCash", {"delivered_amount": "18", **held("Check", 8, DestinationTag=7)}, Account=US), 18, 7),
        (found("CheckCash", {"delivered_amount": "18", **held("Check", 8, DestinationTag=0)}, Account=US), 18, 0),
        (found("NFTokenAcceptOffer", {**raised(13), "nftoken_id": "00" * 32}), 13, None),
        (found("NFTokenAcceptOffer", held("NFTokenOffer", 13, DestinationTag=5)), 13, None),
        (found("AMMWithdraw", raised(14), Account=US), 24, None),
        (found("OfferCreate", raised(15)), 15, None),
        (found("OfferCreate", raised(5), Account=US), 15, None),
        (found("Payment", {"delivered_amount": USD, **raised(16)}, Destination=THEM), 16, None),
        (found("Payment", {"delivered_amount": USD, **raised(16)}, Destination=US, DestinationTag=5), 16, None),
        (found("Batch", {"AffectedNodes": []}, RawTransactions=[]), 0, None),
        (found("Payment", {"delivered_amount": "7", "ParentBatchID": "EF" * 32, **raised(7)}, Destination=US,
               DestinationTag=5, Fee="0", Flags=0x40000000), 7, 5),
        (found("Payment", {"ParentBatchID": "EF" * 32, **raised(-7), "delivered_amount": "7"}, Destination=THEM,
               Account=US, Fee="0", Flags=0x40000000), 0, None),
        (found("Payment", {"delivered_amount": "8"}, "tecPATH_DRY", Destination=US), 0, None),
        (found("Payment", {"delivered_amount": USD, **raised(0)}, Destination=US), 0, None),
        (found("Payment", raised(0), Destination=THEM), 0, None),
        (found("OfferCreate", raised(-5)), 0, None),
        (found("Payment", {"delivered_amount": "7", **raised(-17)}, Destination=THEM, Account=US), 0, None),
    ],
)  # fmt: skip
def test_what_arrived_is_what_was_delivered_or_what_the_balance_rose_by(
    one: Found, drops: int, tag: int | None
) -> None:
    arrival = arrival_of(one, US, XRP)
    assert (0 if arrival is None else arrival.amount.units) == drops
    assert arrival is None or isinstance(arrival, Arrival)
    assert (None if arrival is None else arrival.destination.tag) == tag


@pytest.mark.parametrize(
    ("one", "sender", "tag"),
    [
        (found("Payment", {"delivered_amount": "7"}, Destination=US, SourceTag=9), THEM, 9),
        (found("Payment", {"delivered_amount": "7"}, Destination=US), THEM, None),
        (found("EscrowFinish", held("Escrow", 11, SourceTag=9, DestinationTag=5), SourceTag=3), OWNER, 9),
        (found("PaymentChannelClaim", held("PayChannel", 2, SourceTag=9), Account=US, SourceTag=3), OWNER, 9),
        (found("CheckCash", held("Check", 8, SourceTag=9), Account=US), OWNER, 9),
        (found("OfferCreate", raised(15), SourceTag=9), THEM, None),
        (found("AMMWithdraw", raised(14), Account=US, SourceTag=9), "", None),
    ],
)  # fmt: skip
def test_it_came_from_who_made_what_brought_it_with_their_own_tag(one: Found, sender: str, tag: int | None) -> None:
    arrival = arrival_of(one, US, XRP)
    assert arrival is not None
    assert (arrival.sender, arrival.source_tag) == (sender, tag)


@pytest.mark.parametrize("name", ["DestinationTag", "SourceTag"])
def test_a_tag_that_is_no_number_stops_the_reading(name: str) -> None:
    with pytest.raises(NodeAnswerUnreadable):
        arrival_of(found("Payment", {"delivered_amount": "7"}, Destination=US, **{name: "7"}), US, XRP)


def test_a_payment_of_which_nobody_can_say_what_it_delivered_stops_the_reading() -> None:
    with pytest.raises(NodeAnswerUnreadable):
        arrival_of(found("Payment", {"delivered_amount": "unavailable"}, Destination=US), US, XRP)


# --- suspense ---------------------------------------------------------------------------------------


def test_what_waits_is_credited_by_two_people_and_not_by_one(house: XrplHouse) -> None:
    Stranger(house.world, 1_000).pay(house.address("cold"), 50 * 10**6)
    house.tick()
    (one,) = deposits(house.store)
    alice, bob = signers(house, "alice", "bob")
    with pytest.raises(SamePerson):
        credit(house.store, one.id, "dave", alice, alice, NOW)  # type: ignore[arg-type]
    credit(house.store, one.id, "dave", alice, bob, NOW)  # type: ignore[arg-type]
    assert (told(house)[0][0], house.owed("dave")) == ("dave", 50)
    with pytest.raises(NotInSuspense):
        credit(house.store, one.id, "edward", alice, bob, NOW)  # type: ignore[arg-type]
    house.require_books()
    assert verify(house.store).ok


def test_what_waits_goes_back_to_its_sender_by_an_order_of_two_people(house: XrplHouse) -> None:
    stranger = Stranger(house.world, 1_000)
    stranger.pay(house.address("cold"), 50 * 10**6)
    house.tick()
    (one,) = deposits(house.store)
    house.approved(draft_return(house.store, house.asking(), one.id))
    house.cross()
    house.settle()
    assert deposits(house.store)[0].state is State.RETURNED
    assert stranger.coins == 1_000
    assert prove_balances(house.store) == ()
    with pytest.raises(NotInSuspense):
        draft_return(house.store, house.asking(), one.id)
    house.require_books()


def test_what_waits_goes_back_with_the_tag_that_its_sender_gave(house: XrplHouse) -> None:
    """Many share an exchange's address: without their tag, what goes back is lost to them."""
    stranger = Stranger(house.world, 1_000)
    stranger.pay(house.address("cold"), 50 * 10**6, source_tag=77)
    house.tick()
    (one,) = deposits(house.store)
    assert (one.sender, one.source_tag) == (stranger.address, 77)
    order = draft_return(house.store, house.asking(), one.id)
    assert [line.destination for line in order.lines] == [Destination(stranger.address, 77)]
    (job,) = [each for each in jobs(house.store) if each.order == order.id]
    withdraw(house.store, job.id, NOW)
    order = draft_return(house.store, house.asking(), one.id, to=Destination(stranger.address))
    assert [line.destination for line in order.lines] == [Destination(stranger.address)]


def test_what_is_kept_back_of_what_is_sent_back_is_the_houses_own_once_that_is_final(house: XrplHouse) -> None:
    stranger = Stranger(house.world, 1_000)
    stranger.pay(house.address("cold"), 50 * 10**6)
    house.tick()
    before = posted(house)
    (one,) = deposits(house.store)
    house.approved(draft_return(house.store, house.asking(), one.id, less=2 * 10**6))
    house.cross()
    assert posted(house)["suspense"] == before["suspense"] == -50 * 10**6
    house.settle()
    assert (stranger.coins, told(house)[0][2]) == (998, "returned")
    assert (posted(house)["suspense"], posted(house)["own"]) == (0, before["own"] - 2 * 10**6)
    house.require_books()
    assert verify(house.store).ok


def test_what_is_being_sent_back_is_neither_sent_back_twice_nor_credited(house: XrplHouse) -> None:
    stranger = Stranger(house.world, 1_000)
    stranger.pay(house.address("cold"), 5 * 10**6)
    house.tick()
    (one,) = deposits(house.store)
    asking = house.asking()
    order = draft_return(house.store, asking, one.id)
    assert draft_return(house.store, asking, one.id).id == order.id
    alice, bob = signers(house, "alice", "bob")
    for _ in range(2):
        with pytest.raises(NotInSuspense):
            draft_return(house.store, house.asking(), one.id)
        with pytest.raises(NotInSuspense):
            credit(house.store, one.id, "dave", alice, bob, NOW)  # type: ignore[arg-type]
        if order.approved_by is None:
            order = house.approved(order)
    house.cross()
    house.settle()
    assert (stranger.coins, told(house)[0][2], house.owed("dave")) == (1_000, "returned", 0)
    house.require_books()


def test_what_was_to_be_sent_back_waits_again_once_its_order_is_withdrawn(house: XrplHouse) -> None:
    Stranger(house.world, 1_000).pay(house.address("cold"), 5 * 10**6)
    house.tick()
    (one,) = deposits(house.store)
    order = draft_return(house.store, house.asking(), one.id)
    (job,) = [each for each in jobs(house.store) if each.order == order.id]
    withdraw(house.store, job.id, NOW)
    alice, bob = signers(house, "alice", "bob")
    credit(house.store, one.id, "dave", alice, bob, NOW)  # type: ignore[arg-type]
    assert house.owed("dave") == 5
    house.require_books()
    assert verify(house.store).ok
