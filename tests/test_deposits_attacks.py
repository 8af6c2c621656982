"""Attacks on deposits, and how XRP comes unasked: from the devnet's ledger into the books, credited or held.

The devnet has no tokens and no checks. What this file needs of them is put into its engine for a test, which then makes
the metadata as for every other transaction; node, gateway and intake are the real ones. A doubled memo stands in
`test_deposits_counterparty`, a reorganisation after one confirmation there and in `test_deposits_bitcoin`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from xrpl.core.binarycodec import encode, encode_for_signing
from xrpl.core.keypairs import derive_classic_address, derive_keypair, generate_seed, sign

from online.audit import verify
from online.customers.register import register
from online.deposits.instructions import instruct
from online.deposits.model import deposits
from online.devnet.xrpl import engine
from online.devnet.xrpl.hashes import account_key
from online.devnet.xrpl.payments import LEDGERS_BEFORE_DELETION, PARTIAL, PAYMENT
from online.devnet.xrpl.work import Kind, Work
from online.ledger.books import check, prove_balances
from online.ledger.differences import Kind as Difference
from online.ledger.reconcile import reconcile
from tests.both_machines import NOW
from tests.xrpl_house import NETWORK, XrplHouse, an_xrpl_house

COIN = 10**6
CLAIMED, ARRIVED = 9_000 * COIN, 3 * COIN


class Somebody:
    """An account with the key to it, which sends whatever it likes."""

    def __init__(self, house: XrplHouse, coins: int = 100) -> None:
        self.world = house.world
        self.public, self._private = derive_keypair(generate_seed())
        self.address = derive_classic_address(self.public)
        self.world.fund_all({self.address: coins * COIN})

    def send(self, kind: str, account: str = "", fee: int = 10, **fields: Any) -> str:
        """Send a transaction, of an account whose regular key this is if one is named, and close its ledger."""
        payer = account or self.address
        whole = {
            "TransactionType": kind, "Account": payer, "Fee": str(fee), "NetworkID": self.world.rules.network_id,
            "Sequence": self.world.state[account_key(payer)]["Sequence"], "SigningPubKey": self.public, **fields,
        }  # fmt: skip
        whole["TxnSignature"] = sign(bytes.fromhex(encode_for_signing(whole)), self._private)
        submitted = self.world.submit(bytes.fromhex(encode(whole)))
        assert submitted.result == "tesSUCCESS", submitted.result
        self.world.close()
        return submitted.tx.id


@pytest.fixture
def house(tmp_path: Path) -> Iterator[XrplHouse]:
    """Dave has tag 1 on the cold wallet's address; everything before was read."""
    with an_xrpl_house(tmp_path) as found:
        register(found.store, "dave", NOW)
        instruct(found.store, "dave", "cold", NOW)
        found.tick()
        yield found


def told(house: XrplHouse) -> list[tuple[str | None, int, str, str]]:
    """Take in what there is, twice, and give what the books hold of it."""
    house.tick()
    house.tick()
    return [(one.customer, one.amount.units, one.state.value, one.reason) for one in deposits(house.store)]


def require_proven(house: XrplHouse) -> None:
    house.require_books()
    assert verify(house.store).ok


def old_enough(house: XrplHouse) -> Somebody:
    """Give somebody whose account may be deleted."""
    leaver = Somebody(house)
    for number in range(LEDGERS_BEFORE_DELETION + 1):
        house.world.close()
        if not number % 100:
            house.tick()
    return leaver


def _part(work: Work) -> str:
    """Deliver a little of what a partial payment names, as one does whose sender's token buys no more."""
    work.view.add(work.tx.account, -ARRIVED)
    work.view.add(work.tx.fields["Destination"], ARRIVED)
    work.delivered_drops = ARRIVED
    return "tesSUCCESS"


def with_kind(monkeypatch: pytest.MonkeyPatch, name: str, kind: Kind) -> None:
    monkeypatch.setattr(engine, "KINDS", {**engine.KINDS, name: kind})


def test_a_partial_payment_is_credited_for_what_arrived_and_not_for_what_it_says(
    house: XrplHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    mallory = Somebody(house)
    with_kind(monkeypatch, "Payment", Kind(_part, flags=PAYMENT.flags))
    token = {"currency": "USD", "issuer": mallory.address, "value": "1"}
    tx_id = mallory.send("Payment", Destination=house.address("cold"), DestinationTag=1, Amount=str(CLAIMED),
                         SendMax=token, Flags=PARTIAL)  # fmt: skip
    record = house.world.history.record(tx_id)
    assert record is not None
    assert (record.tx.fields["Amount"], record.meta["delivered_amount"]) == (str(CLAIMED), str(ARRIVED))
    assert told(house) == [("dave", ARRIVED, "credited", "")]
    assert house.owed("dave") == ARRIVED // COIN
    require_proven(house)


def test_an_account_that_is_deleted_towards_a_customers_tag_is_credited_with_what_was_left(house: XrplHouse) -> None:
    leaver = old_enough(house)
    fee = house.world.rules.reserve_increment_drops
    leaver.send("AccountDelete", fee=fee, Destination=house.address("cold"), DestinationTag=1)
    assert account_key(leaver.address) not in house.world.state
    assert told(house) == [("dave", 100 * COIN - fee, "credited", "")]
    require_proven(house)


@pytest.mark.parametrize(
    ("tag", "reason"), [({}, "it came without a tag"), ({"DestinationTag": 0}, "no customer has this tag")]
)
def test_what_a_deleted_account_leaves_without_a_customers_tag_is_held(
    house: XrplHouse, tag: dict[str, Any], reason: str
) -> None:
    leaver = old_enough(house)
    fee = house.world.rules.reserve_increment_drops
    leaver.send("AccountDelete", fee=fee, Destination=house.address("cold"), **tag)
    assert told(house) == [(None, 100 * COIN - fee, "suspense", reason)]
    assert house.owed("dave") == 0
    require_proven(house)


def test_a_tag_of_nought_is_nobodys(house: XrplHouse) -> None:
    Somebody(house).send("Payment", Destination=house.address("cold"), DestinationTag=0, Amount=str(5 * COIN))
    assert told(house) == [(None, 5 * COIN, "suspense", "no customer has this tag")]
    require_proven(house)


def test_a_check_that_was_cashed_for_us_is_held_in_full_and_its_fee_is_shown_as_a_difference(
    house: XrplHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    cold, writer, clerk = house.address("cold"), Somebody(house), Somebody(house)

    def cash(work: Work) -> str:
        work.view.add(writer.address, -18 * COIN)
        work.view.add(work.tx.account, 18 * COIN)
        return "tesSUCCESS"

    with_kind(monkeypatch, "CheckCash", Kind(cash))
    held = house.world.state[account_key(cold)]
    house.world.put_account(cold, int(held["Balance"]), held["Sequence"], regular_key=clerk.address)
    tx_id = clerk.send("CheckCash", account=cold, CheckID="CD" * 32, Amount=str(18 * COIN))
    assert told(house) == [(None, 18 * COIN, "suspense", "it came without a tag")]
    assert house.owed("dave") == 0
    assert prove_balances(house.store) == ()
    assert verify(house.store).ok
    # No order of ours cashed it: who did paid the fee with the wallet's money, and the books say so.
    assert [one.difference for one in check(house.store, {NETWORK: house.gateway}) if one.wallet == "cold"] == [-10]
    found = [(one.kind, one.tx_id) for one in reconcile(house.store, {NETWORK: house.gateway}).findings]
    assert found == [(Difference.FEE_OFF, tx_id)]
