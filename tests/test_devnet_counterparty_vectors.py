"""The devnet's second Counterparty reader reads the shared vectors as the nodes that made them did.

It was written apart from the signer's decoder; both agree with the same cases. Cases of history are read as well.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from online.devnet.bitcoin import BitcoinWorld
from online.devnet.bitcoin.kernel import all_hold
from online.devnet.bitcoin.scripts import MAINNET, REGTEST, TESTNET, address_of
from online.devnet.bitcoin.wire import Tx, TxOut
from online.devnet.counterparty import CounterpartyWorld, extraction, messages, mpma
from online.devnet.counterparty.books import Books, Place
from online.devnet.counterparty.compose import Composer
from online.devnet.counterparty.drafts import multisig_scripts
from online.devnet.counterparty.envelope import message_of, seal
from online.devnet.counterparty.messages import Broadcast, Many, Message, Send, Sweep
from online.devnet.counterparty.packing import Unreadable
from online.devnet.counterparty.reading import Read, read_into
from tests.shared_vectors import cases, name_of

FILE = "bitcoin-counterparty.json"
LETTERS = {"mainnet": MAINNET, "regtest": REGTEST, "testnet4": TESTNET}
MODELLED = {0, 2, 3, 4, 30}
WORLD = CounterpartyWorld(BitcoinWorld(premined=0))


def told(message: Message) -> dict[str, Any]:
    """Show a message as the vectors do."""
    if isinstance(message, Send):
        memo = {"hex": message.memo.hex()} if message.memo else None
        return {
            "asset": message.asset,
            "quantity": message.quantity,
            "address": message.address,
            "memo": memo,
        }
    if isinstance(message, Many):
        return {"sends": [_line(line) for line in message.lines]}
    if isinstance(message, Sweep):
        memo_text = message.memo.decode() or None
        return {"destination": message.destination, "flags": message.flags, "memo": memo_text}
    assert isinstance(message, Broadcast)
    return {
        "timestamp": message.timestamp,
        "value": message.value,
        "fee_fraction_int": message.fee_fraction,
        "text": message.text,
        "mime_type": message.mime_type or "text/plain",
        "status": "valid",
    }


def _line(line: mpma.Line) -> dict[str, Any]:
    memo: Any = None
    if line.memo is not None:
        memo = {"hex": line.memo.content.hex()} if line.memo.is_hex else line.memo.content.decode()
    return {
        "asset": line.asset,
        "address": line.address,
        "quantity": line.quantity,
        "memo": memo,
        "memo_is_hex": line.memo.is_hex if line.memo else None,
    }


def expected(case: dict[str, Any]) -> dict[str, Any]:
    """Give a case's facts in one order of lines."""
    decoded = dict(case["decoded"])
    if "destination" in decoded and case["message_type_id"] == 0:
        return {**{name: decoded[name] for name in ("asset", "quantity")}, "address": None, "memo": None}
    return decoded


def read(case: dict[str, Any]) -> Message | None:
    letters = LETTERS[case.get("network", "regtest")]
    return messages.read(bytes.fromhex(case["message_hex"]), new_table=False, letters=letters)


@pytest.mark.parametrize(
    "case", cases(FILE, "message", "transaction", "transaction_p2sh_data", "regtest_transaction"), ids=name_of
)
def test_a_message_says_what_the_node_said_it_does(case: dict[str, Any]) -> None:
    message = read(case)
    if case["message_type_id"] not in MODELLED:
        assert message is None
        return
    assert message is not None
    found, wanted = told(message), expected(case)
    if "sends" in wanted:
        key = lambda row: (row["asset"], row["address"])  # noqa: E731
        found, wanted = ({"sends": sorted(each["sends"], key=key)} for each in (found, wanted))
    assert found == wanted


@pytest.mark.parametrize("case", cases(FILE, "mpma_both_tables"), ids=name_of)
def test_both_address_tables_are_read(case: dict[str, Any]) -> None:
    for name, new_table in (("legacy_body_before_971700", False), ("length_prefixed_body_from_971700", True)):
        if case[name] is None:
            continue
        lines = mpma.decode(bytes.fromhex(case[name]), new_table=new_table, letters=MAINNET)
        found = {(line.asset, line.address, line.quantity) for line in lines}
        assert found == {tuple(send[:3]) for send in case["sends"]}


@pytest.mark.parametrize("case", cases(FILE, "mpma_refused"), ids=name_of)
def test_a_broken_table_is_not_read(case: dict[str, Any]) -> None:
    with pytest.raises(Unreadable):
        mpma.decode(bytes.fromhex(case["length_prefixed_body_from_971700"]), new_table=True, letters=MAINNET)


@pytest.mark.parametrize(
    "case",
    [
        each
        for each in cases(FILE, "message", "regtest_transaction")
        if each["message_type_id"] == 3 and each.get("network") != "mainnet"
    ],
    ids=name_of,
)
def test_a_read_batch_is_written_again_in_the_old_table(case: dict[str, Any]) -> None:
    message = read(case)
    assert isinstance(message, Many)
    memos = {line.memo for line in message.lines}
    shared = next(iter(memos)) if len(memos) == 1 else None
    bare = [
        mpma.Line(line.asset, line.address, line.quantity, None if shared else line.memo)
        for line in message.lines
    ]
    assert b"\x03" + mpma.encode(bare, shared, new_table=False) == bytes.fromhex(case["message_hex"])


def prevouts(case: dict[str, Any]) -> list[TxOut]:
    return [
        TxOut(sats, bytes.fromhex(script))
        for sats, script in zip(case["prevout_values"], case["prevout_scripts"], strict=True)
    ]


@pytest.mark.parametrize(
    "case",
    [each for each in cases(FILE, "regtest_transaction") if each["encoding"] != "taproot"],
    ids=name_of,
)
def test_a_transaction_holds_its_message_before_and_after_signing(case: dict[str, Any]) -> None:
    spent = prevouts(case)
    for name in ("unsigned_tx_hex", "signed_tx_hex"):
        if name not in case:
            continue
        found = extraction.find(Tx.read(bytes.fromhex(case[name])), spent)
        assert found is not None
        assert found.message.hex() == case["message_hex"]
        assert found.source == case.get("from_address", found.source)
    signed = Tx.read(bytes.fromhex(case["signed_tx_hex"]))
    assert signed.txid == case["txid"]
    assert all_hold(signed, spent)


@pytest.mark.parametrize("case", cases(FILE, "transaction"), ids=name_of)
def test_an_old_transaction_holds_its_message(case: dict[str, Any]) -> None:
    tx = Tx.read(bytes.fromhex(case["tx_hex"]))
    _, data, _ = extraction._outputs(tx)
    assert (tx.txid, data.hex()) == (case["txid"], case["message_hex"])


@pytest.mark.parametrize(
    "case",
    [
        each
        for each in cases(FILE, "regtest_transaction")
        if "node_events" in each and each["encoding"] != "taproot"
    ],
    ids=name_of,
)
def test_the_books_tell_the_events_that_the_node_told(case: dict[str, Any]) -> None:
    books = Books()
    decoded = case["decoded"]
    assets = {row["asset"] for row in decoded.get("sends", [decoded]) if "asset" in row} or {"XCP"}
    for asset in assets:
        books.balances[case["from_address"], asset] = 10**15
    tx = Tx.read(bytes.fromhex(case["signed_tx_hex"]))
    status = read_into(books, Place(200, 0), Read(tx, prevouts(case)), new_table=False)
    names = (
        f"{row['event']} {row['params']['status']}" if "status" in row["params"] else row["event"]
        for row in books.events
    )
    assert status == "valid"
    assert dict(Counter(names)) == case["node_events"]


@pytest.mark.parametrize(
    "case",
    [each for each in cases(FILE, "regtest_transaction") if each["encoding"] == "taproot"],
    ids=name_of,
)
def test_a_reveal_by_a_strangers_key_counts_for_nothing(case: dict[str, Any]) -> None:
    commit, reveal = (Tx.read(bytes.fromhex(case[name])) for name in ("signed_tx_hex", "reveal_hex"))
    books = Books()
    books.balances[case["from_address"], "XCP"] = 10**15
    given = Read(reveal, [commit.outputs[0]], prevouts(case)[0])
    assert reveal.txid == case["reveal_txid"]
    assert message_of(bytes.fromhex(case["envelope_script_hex"])) is not None
    assert read_into(books, Place(200, 0), given, new_table=False) is None
    assert books.events == []


@pytest.mark.parametrize("case", cases(FILE, "taproot_commit_reveal"), ids=name_of)
def test_an_envelope_is_sealed_and_opened_as_upstream_does(case: dict[str, Any]) -> None:
    message, source = bytes.fromhex(case["message_hex"]), TxOut(0, bytes.fromhex(case["source_script"]))
    key = bytes.fromhex(case["reveal_control_block"])[1:]
    envelope = seal(message, key, ord_form="ORD" in case["name"])
    assert envelope.leaf.hex() == case["envelope_script"]
    assert envelope.control_block.hex() == case["reveal_control_block"]
    assert envelope.lock_script.hex() == case["reveal_lock_script"]
    reveal = Tx.read(bytes.fromhex(case["reveal_signed"]))
    spent = [TxOut(case["reveal_input_value"], envelope.lock_script)]
    found = extraction.find(reveal, spent, source)
    assert all_hold(reveal, spent)
    assert found is not None
    assert found.message == message


@pytest.mark.parametrize(
    "case",
    [each for each in cases(FILE, "regtest_transaction") if each["encoding"] == "multisig"],
    ids=name_of,
)
def test_data_in_multisig_keys_is_written_as_upstream_does(case: dict[str, Any]) -> None:
    tx = Tx.read(bytes.fromhex(case["unsigned_tx_hex"]))
    key = tx.outputs[0].script[-35:-2]
    scripts = multisig_scripts(bytes.fromhex(case["message_hex"]), extraction.key_of(tx), key)
    assert scripts == [out.script for out in tx.outputs[: len(scripts)]]


# --- compose, byte by byte ----------------------------------------------------------------------------


def composer(case: dict[str, Any], address: str, tx: Tx, spent: list[TxOut], **given: str) -> Composer:
    inputs = ",".join(
        f"{each.outpoint}:{out.sats}:{out.script.hex()}" for each, out in zip(tx.inputs, spent, strict=True)
    )
    asked = {"inputs_set": inputs, "use_all_inputs_set": "true", **given}
    return Composer(WORLD, address, {name: [value] for name, value in asked.items()})


@pytest.mark.parametrize(
    "case",
    [
        each
        for each in cases(FILE, "regtest_transaction")
        if each["encoding"] in ("opreturn", "multisig") and each["message_type_id"]
    ],
    ids=name_of,
)
def test_compose_writes_the_bytes_that_the_node_wrote(case: dict[str, Any]) -> None:
    tx = Tx.read(bytes.fromhex(case["unsigned_tx_hex"]))
    work = composer(
        case,
        case["from_address"],
        tx,
        prevouts(case),
        exact_fee=str(case["fee"]),
        encoding=case["encoding"],
        multisig_pubkey=tx.outputs[0].script[-35:-2].hex(),
    )
    assert work.build(bytes.fromhex(case["message_hex"]))["rawtransaction"] == case["unsigned_tx_hex"]


@pytest.mark.parametrize("case", cases(FILE, "taproot_commit_reveal"), ids=name_of)
def test_compose_writes_the_commit_and_the_reveal_that_the_node_wrote(case: dict[str, Any]) -> None:
    tx, script = Tx.read(bytes.fromhex(case["commit_unsigned"])), bytes.fromhex(case["source_script"])
    spent = [TxOut(case["commit_input_value"], script)]
    rate = {"MPMA_P2WPKH": "3", "BROADCAST_P2TR_OUTPUT_KEY": "2", "ORD_BROADCAST_P2WPKH": "5"}
    keys = {} if script[0] else {"pubkeys": case["source_pubkey"]}
    work = composer(
        case,
        address_of(script) or "",
        tx,
        spent,
        encoding="taproot",
        **keys,
        inscription=str("ORD" in case["name"]),
        sat_per_vbyte=rate[case["name"].split(": ")[1]],
    )
    result = work.build(bytes.fromhex(case["message_hex"]))
    assert result["rawtransaction"] == case["commit_unsigned"]
    assert result["reveal_rawtransaction"] == case["reveal_unsigned"]
    assert result["reveal_inputs_values"] == [case["reveal_input_value"]]
    assert result["envelope_script"] == case["envelope_script"]
