"""The devnet as a world: what ledgers do with transactions over time, and what the controls do to the world.

Transactions are made and signed by xrpl-py; the world's time is fixed and its ledgers close when told.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from xrpl.core.binarycodec import encode, encode_for_multisigning
from xrpl.core.keypairs import sign as sign_bytes
from xrpl.models.transactions.transaction import Transaction as Model
from xrpl.transaction import sign
from xrpl.wallet import Wallet

from online.devnet.xrpl import XrplWorld
from online.devnet.xrpl.grants import GENESIS, payment
from online.devnet.xrpl.pool import Submission
from online.devnet.xrpl.state import DEPOSIT_AUTH, REQUIRE_DEST, Sandbox
from online.devnet.xrpl.storage import load_world, save_world
from online.devnet.xrpl.transaction import NotATransaction
from tests.shared_vectors import cases, name_of

ANN, BOB, EVE = (Wallet.from_seed(seed) for seed in (
    "sEdTM1uX8pu2do5XvTnutH6HsouMaM2", "sEdTpbCavdK28351gzVNPTbU22imkoe", "snoPBrXtMeMyMHUVTgbuqAfg1SUTb"))
XRP = 1_000_000
NETWORK = 21337


@pytest.fixture
def world() -> XrplWorld:
    made = XrplWorld(network_id=NETWORK, clock=lambda: 1_800_000_000)
    made.fund_all({ANN.address: 1000 * XRP, BOB.address: 100 * XRP})
    return made


def blob_of(world: XrplWorld, wallet: Wallet, kind: str, **fields: Any) -> bytes:
    """Sign a transaction of the wallet's next sequence unless fields say otherwise."""
    next_sequence = root(world, wallet.address)["Sequence"]
    base = {"TransactionType": kind, "Account": wallet.address, "Fee": "10", "Sequence": next_sequence,
            "NetworkID": NETWORK}
    return bytes.fromhex(sign(Model.from_xrpl({**base, **fields}), wallet).blob())


def send(world: XrplWorld, wallet: Wallet, kind: str, **fields: Any) -> Submission:
    """Sign and submit."""
    return world.submit(blob_of(world, wallet, kind, **fields))


def pay(world: XrplWorld, drops: int, **fields: Any) -> Submission:
    """Let Ann pay Bob."""
    return send(world, ANN, "Payment", Destination=BOB.address, Amount=str(drops), **fields)


def root(world: XrplWorld, address: str) -> Any:
    """Give an account as the open ledger has it."""
    return Sandbox(world.pool.state).must_have(address)


def final(world: XrplWorld, submission: Submission) -> str | None:
    """Give the result in a validated ledger."""
    record = world.history.record(submission.tx.id)
    return None if record is None else str(record.meta["TransactionResult"])


# --- money and history ----------------------------------------------------------------------------


def test_drops_are_only_moved_or_burnt_as_fees(world: XrplWorld) -> None:
    before = world.history.last.total_drops
    pay(world, 5 * XRP)
    pay(world, 5000 * XRP)
    world.close()
    assert world.history.last.total_drops == before - 20


def test_a_submit_changes_the_open_ledger_and_only_a_close_the_validated_one(world: XrplWorld) -> None:
    submission = pay(world, XRP)
    assert submission.applied
    assert final(world, submission) is None
    assert int(Sandbox(world.state).must_have(BOB.address)["Balance"]) == 100 * XRP
    world.close()
    assert final(world, submission) == "tesSUCCESS"
    assert int(Sandbox(world.state).must_have(BOB.address)["Balance"]) == 101 * XRP


def test_metadata_tells_each_balance_before_and_after_and_what_was_delivered(world: XrplWorld) -> None:
    submission = pay(world, 7)
    world.close()
    meta = world.history.record(submission.tx.id).meta  # type: ignore[union-attr]
    modified = [node["ModifiedNode"] for node in meta["AffectedNodes"]]
    nodes = {node["FinalFields"]["Account"]: node for node in modified}
    assert nodes[BOB.address]["PreviousFields"] == {"Balance": str(100 * XRP)}
    assert nodes[BOB.address]["FinalFields"]["Balance"] == str(100 * XRP + 7)
    assert set(nodes[ANN.address]["PreviousFields"]) == {"Balance", "Sequence"}
    assert (meta["delivered_amount"], meta["TransactionIndex"]) == ("7", 0)
    assert meta["TransactionResult"] == "tesSUCCESS"


def test_a_new_account_begins_with_the_index_of_its_ledger_as_sequence(world: XrplWorld) -> None:
    world.fund("rD4EeXjFn9w5s8radh878MzuTgDJWZN6Hj", XRP)
    assert root(world, "rD4EeXjFn9w5s8radh878MzuTgDJWZN6Hj")["Sequence"] == world.validated_index


def test_a_deleted_account_pays_out_the_rest_and_its_node_says_so(world: XrplWorld) -> None:
    world.advance(256)
    rest = 100 * XRP - 200_000
    submission = send(world, BOB, "AccountDelete", Destination=ANN.address, Fee="200000")
    world.close()
    meta = world.history.record(submission.tx.id).meta  # type: ignore[union-attr]
    deleted = next(node["DeletedNode"] for node in meta["AffectedNodes"] if "DeletedNode" in node)
    assert (meta["DeliveredAmount"], meta["delivered_amount"]) == (str(rest), str(rest))
    assert (deleted["FinalFields"]["Balance"], deleted["PreviousFields"]["Balance"]) == ("0", str(100 * XRP))


# --- sequences, tickets, expiry -------------------------------------------------------------------


def test_a_transaction_ahead_of_its_sequence_waits_and_goes_when_the_gap_is_filled(world: XrplWorld) -> None:
    next_sequence = root(world, ANN.address)["Sequence"]
    early = pay(world, 2, Sequence=next_sequence + 1)
    assert (early.result, early.applied, early.kept) == ("terPRE_SEQ", False, True)
    world.close()
    assert final(world, early) is None
    pay(world, 1)
    world.close()
    assert final(world, early) == "tesSUCCESS"


def test_a_held_transaction_is_let_go_after_some_ledgers(world: XrplWorld) -> None:
    early = pay(world, 2, Sequence=root(world, ANN.address)["Sequence"] + 1)
    world.advance(10)
    pay(world, 1)
    world.advance(2)
    assert final(world, early) is None


def test_with_fail_hard_nothing_is_held(world: XrplWorld) -> None:
    early = blob_of(world, ANN, "Payment", Destination=BOB.address, Amount="2",
                    Sequence=root(world, ANN.address)["Sequence"] + 1)
    submission = world.submit(early, fail_hard=True)
    assert (submission.result, submission.kept) == ("terPRE_SEQ", False)
    assert world.pool.find(submission.tx.id) is None


def test_with_fail_hard_a_would_be_tec_is_neither_applied_nor_broadcast(world: XrplWorld) -> None:
    too_much = blob_of(world, ANN, "Payment", Destination=BOB.address, Amount=str(5000 * XRP))
    hard = world.submit(too_much, fail_hard=True)
    assert hard.result == "tecUNFUNDED_PAYMENT"
    assert (hard.applied, hard.broadcast, hard.kept) == (False, False, False)
    world.close()
    assert final(world, hard) is None
    soft = world.submit(too_much)
    assert (soft.applied, soft.broadcast) == (True, True)
    world.close()
    assert final(world, soft) == "tecUNFUNDED_PAYMENT"


def test_a_transaction_dies_with_the_ledger_after_its_last(world: XrplWorld) -> None:
    last = world.open_index
    held = pay(world, 2, Sequence=root(world, ANN.address)["Sequence"] + 1, LastLedgerSequence=last)
    world.close()
    pay(world, 1)
    world.advance(2)
    assert final(world, held) is None
    assert world.submit(held.tx.blob).result == "tefMAX_LEDGER"


def test_tickets_are_used_in_any_order_and_canonical_order_is_by_number(world: XrplWorld) -> None:
    first = root(world, ANN.address)["Sequence"] + 1
    send(world, ANN, "TicketCreate", TicketCount=3)
    world.close()
    assert (root(world, ANN.address)["TicketCount"], root(world, ANN.address)["OwnerCount"]) == (3, 3)
    sent = [pay(world, 1, Sequence=0, TicketSequence=number) for number in (first + 2, first, first + 1)]
    world.close()
    assert [final(world, one) for one in sent] == ["tesSUCCESS"] * 3
    assert [record.tx.ticket for record in world.history.last.records] == [first, first + 1, first + 2]
    assert "TicketCount" not in root(world, ANN.address)


def test_a_ticketed_transaction_waits_for_its_ticket(world: XrplWorld) -> None:
    ahead = root(world, ANN.address)["Sequence"] + 1
    early = pay(world, 1, Sequence=0, TicketSequence=ahead)
    assert early.result == "terPRE_TICKET"
    send(world, ANN, "TicketCreate", TicketCount=1)
    world.close()
    assert final(world, early) == "tesSUCCESS"


def test_the_250th_ticket_is_the_last(world: XrplWorld) -> None:
    send(world, ANN, "TicketCreate", TicketCount=250)
    world.close()
    assert send(world, ANN, "TicketCreate", TicketCount=1).result == "tecDIR_FULL"


def test_tickets_beyond_the_reserve_are_refused_and_the_fee_is_burnt(world: XrplWorld) -> None:
    world.put_account(BOB.address, 1_399_999, 50)
    assert send(world, BOB, "TicketCreate", TicketCount=2).result == "tecINSUFFICIENT_RESERVE"
    assert root(world, BOB.address)["Balance"] == "1399989"


# --- the network and who may sign -----------------------------------------------------------------


@pytest.mark.parametrize(("named", "result"), [
    (None, "telREQUIRES_NETWORK_ID"), (21338, "telWRONG_NETWORK"), (NETWORK, "tesSUCCESS")])
def test_a_network_above_1024_asks_for_its_number(world: XrplWorld, named: int | None, result: str) -> None:
    assert pay(world, 1, NetworkID=named).result == result


def multi_signed(world: XrplWorld, signers: list[Wallet], **fields: Any) -> bytes:
    """Let several wallets sign a payment of Ann's."""
    base: dict[str, Any] = {
        "TransactionType": "Payment", "Account": ANN.address, "Destination": BOB.address, "Amount": "1",
        "Fee": "30", "Sequence": root(world, ANN.address)["Sequence"], "NetworkID": NETWORK,
        "SigningPubKey": "", **fields}
    return bytes.fromhex(encode({**base, "Signers": [signer(base, wallet) for wallet in signers]}))


def signer(base: dict[str, Any], wallet: Wallet) -> dict[str, Any]:
    """Sign for somebody else's account."""
    message = bytes.fromhex(encode_for_multisigning(base, wallet.address))
    return {"Signer": {"Account": wallet.address, "SigningPubKey": wallet.public_key,
                       "TxnSignature": sign_bytes(message, wallet.private_key)}}


def in_order(*wallets: Wallet) -> list[Wallet]:
    """Order wallets by account id, as the ledger asks."""
    from xrpl.core.addresscodec import decode_classic_address
    return sorted(wallets, key=lambda wallet: decode_classic_address(wallet.address))


@pytest.fixture
def shared(world: XrplWorld) -> XrplWorld:
    entries = [{"SignerEntry": {"Account": wallet.address, "SignerWeight": 1}} for wallet in (BOB, EVE)]
    send(world, ANN, "SignerListSet", SignerQuorum=2, SignerEntries=entries)
    world.close()
    return world


def test_a_quorum_pays_the_base_fee_for_each_signer_and_once_more(shared: XrplWorld) -> None:
    assert root(shared, ANN.address)["OwnerCount"] == 1
    assert shared.submit(multi_signed(shared, in_order(BOB, EVE), Fee="29")).result == "telINSUF_FEE_P"
    assert shared.submit(multi_signed(shared, in_order(BOB, EVE))).result == "tesSUCCESS"


def test_less_than_a_quorum_and_strangers_are_refused(shared: XrplWorld) -> None:
    assert shared.submit(multi_signed(shared, [BOB])).result == "tefBAD_QUORUM"
    stranger = Wallet.from_seed("sEdSjXYjPkgwqmfyMD7MUXRcZk6Xbcs")
    assert shared.submit(multi_signed(shared, in_order(BOB, stranger))).result == "tefBAD_SIGNATURE"


def test_signers_out_of_order_never_reach_the_engine(shared: XrplWorld) -> None:
    with pytest.raises(NotATransaction, match="Unsorted Signers array"):
        shared.submit(multi_signed(shared, in_order(BOB, EVE)[::-1]))


def test_removing_the_list_frees_its_reserve(shared: XrplWorld) -> None:
    send(shared, ANN, "SignerListSet", SignerQuorum=0)
    assert root(shared, ANN.address)["OwnerCount"] == 0
    assert shared.submit(multi_signed(shared, in_order(BOB, EVE))).result == "tefNOT_MULTI_SIGNING"


def test_the_free_key_reset_is_given_once_and_again_after_a_payment(world: XrplWorld) -> None:
    reset = {"RegularKey": EVE.address, "Fee": "0"}
    assert send(world, BOB, "SetRegularKey", **reset).result == "tesSUCCESS"
    assert send(world, BOB, "SetRegularKey", **reset).result == "telINSUF_FEE_P"
    pay(world, 1)
    assert send(world, BOB, "SetRegularKey", **reset).result == "tesSUCCESS"


# --- destinations ---------------------------------------------------------------------------------


def test_an_account_that_asks_for_tags_or_leave_gets_them(world: XrplWorld) -> None:
    send(world, BOB, "AccountSet", SetFlag=1)
    assert root(world, BOB.address)["Flags"] & REQUIRE_DEST
    assert pay(world, 1).result == "tecDST_TAG_NEEDED"
    assert pay(world, 1, DestinationTag=0).result == "tesSUCCESS"
    send(world, BOB, "AccountSet", SetFlag=9)
    assert root(world, BOB.address)["Flags"] & DEPOSIT_AUTH
    assert pay(world, 1, DestinationTag=0).result == "tecNO_PERMISSION"
    send(world, BOB, "DepositPreauth", Authorize=ANN.address)
    assert pay(world, 1, DestinationTag=0).result == "tesSUCCESS"


def test_disallow_xrp_is_only_advice(world: XrplWorld) -> None:
    send(world, BOB, "AccountSet", SetFlag=3)
    assert pay(world, 1).result == "tesSUCCESS"


# --- hostile bytes --------------------------------------------------------------------------------


@pytest.mark.parametrize("row", [r for r in cases("xrpl.json", "malformed_blob") if not r.get("strict_only")],
                         ids=name_of)
def test_a_malformed_blob_never_reaches_the_engine(row: dict[str, Any]) -> None:
    with pytest.raises(NotATransaction):
        XrplWorld(network_id=0).submit(bytes.fromhex(row["tx_blob"]))


def test_a_changed_byte_breaks_the_signature(world: XrplWorld) -> None:
    blob = bytearray(blob_of(world, ANN, "Payment", Destination=BOB.address, Amount="1"))
    blob[blob.index(b"\x61\x40") + 8] ^= 1
    with pytest.raises(NotATransaction, match="Invalid signature"):
        world.submit(bytes(blob))


# --- controls -------------------------------------------------------------------------------------


def test_a_stalled_ledger_does_not_close(world: XrplWorld) -> None:
    before = world.validated_index
    world.stall()
    assert world.advance(3) == before
    world.resume()
    assert world.close() == before + 1


def test_a_forgotten_ledger_takes_its_transactions_with_it(world: XrplWorld) -> None:
    submission = pay(world, 1)
    gone = world.close()
    world.advance(2)
    world.forget([gone])
    assert final(world, submission) is None
    assert world.history.spans() == [(1, gone - 1), (gone + 1, gone + 2)]
    assert not world.history.holds_all(1, gone + 2)


def test_a_vote_changes_fee_and_reserves_from_the_open_ledger_on(world: XrplWorld) -> None:
    world.vote(base_fee_drops=20, reserve_base_drops=2 * XRP, reserve_increment_drops=XRP)
    assert pay(world, 1).result == "telINSUF_FEE_P"
    assert send(world, ANN, "Payment", Destination="rD4EeXjFn9w5s8radh878MzuTgDJWZN6Hj", Amount=str(XRP),
                Fee="20").result == "tecNO_DST_INSUF_XRP"


def test_a_second_node_shares_the_ledger_and_has_troubles_of_its_own(world: XrplWorld) -> None:
    other = world.second_node()
    submission = pay(world, 1)
    other.close()
    world.forget([2, world.validated_index])
    world.advance(1)
    other.go_down()
    assert (world.history.last, world.faults.down) == (other.history.last, False)
    assert final(other, submission) == "tesSUCCESS"
    assert (world.history.spans(), other.history.spans()) == ([(1, 1), (3, 4)], [(1, 4)])


def test_in_a_crowd_a_low_fee_queues_and_goes_into_the_next_ledger(world: XrplWorld) -> None:
    world.crowd(7200)
    assert pay(world, 1, LastLedgerSequence=world.open_index).result == "telCAN_NOT_QUEUE"
    queued = pay(world, 1)
    assert (queued.result, queued.queued) == ("terQUEUED", True)
    assert world.pool.find(queued.tx.id) is queued.tx
    world.advance(2)
    assert final(world, queued) == "tesSUCCESS"


def test_a_world_outlives_a_restart(world: XrplWorld, tmp_path: Path) -> None:
    done = pay(world, 1)
    world.close()
    open_one = pay(world, 2)
    save_world(world, tmp_path / "world.json")
    again = load_world(tmp_path / "world.json")
    assert again.history.last.hash == world.history.last.hash
    assert final(again, done) == "tesSUCCESS"
    again.close()
    assert final(again, open_one) == "tesSUCCESS"


def test_many_threads_move_no_more_than_there_is(world: XrplWorld) -> None:
    first = root(world, GENESIS)["Sequence"]
    blobs = [blob_of(world, EVE, "Payment", Destination=BOB.address, Amount="1", Sequence=first + number)
             for number in range(24)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(world.submit, blobs[::-1]))
    world.close()
    assert len(world.history.last.records) == 24


def test_five_hundred_payments_take_less_than_ten_seconds(world: XrplWorld) -> None:
    began = time.monotonic()
    for number in range(500):
        world.submit(payment(Sandbox(world.pool.state), world.rules, BOB.address, number + 1))
    world.close()
    assert len(world.history.last.records) == 500
    assert root(world, GENESIS)["Sequence"] > 500
    assert time.monotonic() - began < 10
