"""Counterparty against the shared vectors: messages, both MPMA tables, extraction from outputs, envelopes, history.

Every case is read and, where it may be written here, written again to the same bytes. Batches of the vectors that
were made with the address table of before block 971,700 are refused for signing and read with their own table.
"""

from __future__ import annotations

import struct
from typing import Any

import pytest

from shared.chains.bitcoin.counterparty.carriers import encode_outputs
from shared.chains.bitcoin.counterparty.envelope import (
    REVEAL_MARK,
    build_envelope,
    envelope_control_block,
    envelope_output,
    read_envelope,
)
from shared.chains.bitcoin.counterparty.gates import Table
from shared.chains.bitcoin.counterparty.history import (
    HistoryInput,
    decode_history,
    p2sh_data,
    read_history,
)
from shared.chains.bitcoin.counterparty.messages import decode, encode, signable
from shared.chains.bitcoin.counterparty.model import (
    Broadcast,
    ClassicSend,
    EnhancedSend,
    Float64,
    Message,
    Mpma,
    MpmaMemo,
    MpmaSend,
    Other,
    Sweep,
)
from shared.chains.bitcoin.counterparty.mpma import ordered, table_of
from shared.chains.bitcoin.counterparty.reading import read
from shared.chains.bitcoin.sizes import Reader
from shared.errors import (
    CounterpartyBroadcastRefused,
    CounterpartyCarrierRefused,
    CounterpartyFeedLock,
    CounterpartyKindRefused,
    CounterpartyLegacyForm,
    CounterpartyP2shDead,
    Refusal,
    TableOfAnotherBlock,
)
from tests.shared_vectors import cases, name_of

FILE = "bitcoin-counterparty.json"
FAR = 2_000_000


class Tx:
    """A transaction cut into its inputs, outputs and witnesses, without judging it."""

    def __init__(self, text: str) -> None:
        reader = Reader(bytes.fromhex(text), 4)
        segwit = text[8:12] == "0001"
        reader.take(2 if segwit else 0)
        spent = [
            (reader.take(32)[::-1], reader.number(4), reader.sized(), reader.number(4))
            for _ in range(reader.compact())
        ]
        self.outputs = [(reader.number(8), reader.sized()) for _ in range(reader.compact())]
        witnesses: list[tuple[bytes, ...]] = [()] * len(spent)
        if segwit:
            witnesses = [tuple(reader.sized() for _ in range(reader.compact())) for _ in spent]
        reader.take(4)
        assert not reader.left
        self.inputs = [
            HistoryInput(txid, script, witness)
            for (txid, _, script, _), witness in zip(spent, witnesses, strict=True)
        ]


def network_of(case: dict[str, Any]) -> str:
    return f"bitcoin:{case['network']}"


def memo_bytes(memo: str | dict[str, str] | None) -> bytes:
    if isinstance(memo, dict):
        return bytes.fromhex(memo["hex"])
    return (memo or "").encode()


def as_vector(message: Message | Other) -> dict[str, Any]:
    """Say a message in the words of the vectors' `decoded`, memos as bytes."""
    match message:
        case EnhancedSend(asset, quantity, address, memo):
            return {"asset": asset, "quantity": quantity, "address": address, "memo": memo}
        case Sweep(address, flags, memo):
            return {"destination": address, "flags": flags, "memo": memo}
        case Mpma():
            return {"sends": [mpma_line(message, send) for send in message.sends]}
        case Broadcast(timestamp, value, fraction, mime, text):
            shown = text.decode() if mime in ("", "text/plain") else text.hex()
            said = {
                "timestamp": timestamp,
                "value": struct.unpack(">d", value.raw)[0] if isinstance(value, Float64) else value,
                "fee_fraction_int": fraction,
            }
            return {**said, "text": shown, "mime_type": mime or "text/plain", "status": "valid"}
        case Other(_, _, body):
            return {"raw": {"hex": body.hex()}}
        case ClassicSend(asset, quantity):
            return {
                "asset": asset,
                "quantity": quantity,
                "destination": "the P2PKH output before the data output",
            }


def mpma_line(message: Mpma, send: MpmaSend) -> dict[str, Any]:
    memo = send.memo or message.memo
    return {
        "asset": send.asset,
        "address": send.address,
        "quantity": send.quantity,
        "memo": memo.raw if memo else b"",
        "memo_is_hex": memo.is_hex if memo else None,
    }


def expected(case: dict[str, Any]) -> dict[str, Any]:
    decoded: dict[str, Any] = dict(case["decoded"])
    if "sends" in decoded:
        decoded["sends"] = [{**line, "memo": memo_bytes(line["memo"])} for line in decoded["sends"]]
    if "memo" in decoded:
        decoded["memo"] = memo_bytes(decoded["memo"])
    return decoded


def table_in(blob: bytes) -> Table:
    return table_of(blob[1:]) if blob[0] == 3 else Table.NOW


@pytest.mark.parametrize("case", cases(FILE, "message"), ids=name_of)
def test_a_message_of_the_vectors_is_read_as_they_say(case: dict[str, Any]) -> None:
    blob, network = bytes.fromhex(case["message_hex"]), network_of(case)
    if case["expect"] == "refuse":
        for reading in (decode, decode_history):
            with pytest.raises(Refusal):
                reading(blob, network)
        return
    assert as_vector(decode_history(blob, network)) == expected(case)
    if case["expect"] == "history":
        with pytest.raises(Refusal):
            decode(blob, network, table_in(blob))
        with pytest.raises(Refusal):
            signable(blob, network, FAR)
        return
    message = decode(blob, network, table_in(blob))
    assert as_vector(message) == expected(case)
    assert encode(message, network, table_in(blob)) == blob


@pytest.mark.parametrize("case", [c for c in cases(FILE, "message") if c["expect"] == "history"], ids=name_of)
def test_an_old_form_is_refused_by_its_name(case: dict[str, Any]) -> None:
    blob = bytes.fromhex(case["message_hex"])
    code = TableOfAnotherBlock if blob[0] == 3 else CounterpartyLegacyForm
    with pytest.raises(code):
        signable(blob, network_of(case), FAR)


def test_a_broadcast_that_locks_the_feed_is_understood_and_never_signed() -> None:
    for case in cases(FILE, "message"):
        if "LOCK" in case["name"]:
            with pytest.raises(CounterpartyFeedLock):
                signable(bytes.fromhex(case["message_hex"]), network_of(case), FAR)


def mpma_of(case: dict[str, Any]) -> Mpma:
    def memo(text: str | None, is_hex: bool | None) -> MpmaMemo | None:
        if text is None:
            return None
        return MpmaMemo(bytes.fromhex(text) if is_hex else text.encode(), bool(is_hex))

    sends = tuple(
        MpmaSend(line[0], line[1], line[2], memo(*line[3:]) if len(line) > 3 else None)
        for line in case["sends"]
    )
    return Mpma(sends, memo(case["memo"], case["memo_is_hex"]))


@pytest.mark.parametrize("case", cases(FILE, "mpma_both_tables"), ids=name_of)
def test_a_batch_has_the_bytes_of_both_tables_in_both_directions(case: dict[str, Any]) -> None:
    message, network = mpma_of(case), network_of(case)
    new = b"\x03" + bytes.fromhex(case["length_prefixed_body_from_971700"])
    assert encode(message, network) == new
    assert signable(new, network, 971_700) == ordered(message)
    with pytest.raises(TableOfAnotherBlock):
        signable(new, network, 971_699)
    if case["legacy_body_before_971700"] is None:
        with pytest.raises(Refusal):
            encode(message, network, Table.BEFORE)
        return
    old = b"\x03" + bytes.fromhex(case["legacy_body_before_971700"])
    assert encode(message, network, Table.BEFORE) == old
    assert signable(old, network, 971_699) == ordered(message)
    with pytest.raises(TableOfAnotherBlock):
        signable(old, network, 971_700)


@pytest.mark.parametrize("case", cases(FILE, "mpma_refused"), ids=name_of)
def test_a_broken_address_table_is_refused(case: dict[str, Any]) -> None:
    blob = b"\x03" + bytes.fromhex(case["length_prefixed_body_from_971700"])
    with pytest.raises(Refusal):
        decode(blob, network_of(case))
    with pytest.raises(Refusal):
        decode_history(blob, network_of(case))


@pytest.mark.parametrize("case", cases(FILE, "transaction"), ids=name_of)
def test_the_message_comes_out_of_a_transaction(case: dict[str, Any]) -> None:
    tx, network = Tx(case["tx_hex"]), network_of(case)
    assert tx.inputs[0].txid.hex() == case["first_input_txid"]
    found = read_history(tx.inputs, tx.outputs, network)
    assert found is not None
    assert found.blob.hex() == case["message_hex"]
    assert found.destinations == tuple(case["destinations"])
    assert as_vector(found.message) == expected(case)
    if case["expect"] == "decode":
        reading = read(tx.inputs[0].txid, tx.outputs, network, FAR)
        assert reading is not None
        assert as_vector(reading.message) == expected(case)
        return
    refused = CounterpartyKindRefused if case["message_type_id"] == 101 else CounterpartyLegacyForm
    with pytest.raises(refused):
        read(tx.inputs[0].txid, tx.outputs, network, FAR)


@pytest.mark.parametrize("case", cases(FILE, "regtest_transaction"), ids=name_of)
def test_the_message_comes_out_before_and_after_signing(case: dict[str, Any]) -> None:
    network, blob = network_of(case), bytes.fromhex(case["message_hex"])
    for field in ("unsigned_tx_hex", "signed_tx_hex"):
        if field not in case:
            continue
        tx = Tx(case[field])
        if case["encoding"] == "taproot":
            assert read(tx.inputs[0].txid, tx.outputs, network, FAR) is None
            assert read_history(tx.inputs, tx.outputs, network) is None
            continue
        found = read_history(tx.inputs, tx.outputs, network)
        assert found is not None
        assert found.blob == blob
        assert as_vector(found.message) == expected(case)
        assert read_for_signing(tx, network, blob, expected(case)) or blob[0] in (3, 30)


def read_for_signing(tx: Tx, network: str, blob: bytes, meaning: dict[str, Any]) -> bool:
    """Read for signing; a batch with the old table and a broadcast other than OPTIONS are refused as such."""
    try:
        reading = read(tx.inputs[0].txid, tx.outputs, network, FAR, classic=True)
    except TableOfAnotherBlock:
        assert table_in(blob) is Table.BEFORE
        return False
    except CounterpartyBroadcastRefused:
        assert blob[0] == 30
        assert b"OPTIONS" not in blob
        return False
    assert reading is not None
    assert as_vector(reading.message) == meaning
    found = tuple(tx.outputs[index] for index in reading.data_outputs)
    assert encode_outputs(blob, tx.inputs[0].txid, reading.encoding, reading.multisig_key) == found
    assert encode(reading.message, network) == blob
    return True


@pytest.mark.parametrize(
    "case", [c for c in cases(FILE, "regtest_transaction") if c["encoding"] != "taproot"], ids=name_of
)
def test_the_outputs_with_data_are_written_to_the_same_bytes(case: dict[str, Any]) -> None:
    tx, blob = Tx(case["signed_tx_hex"]), bytes.fromhex(case["message_hex"])
    data = tuple(out for out in tx.outputs if out[1][:1] == b"\x6a" or out[1][-1:] == b"\xae")
    key = data[0][1][-35:-2] if len(data[0][1]) == 105 and data[0][1][-1] == 0xAE else b""
    assert encode_outputs(blob, tx.inputs[0].txid, "multisig" if key else "opreturn", key) == data


def on_chain(case: dict[str, Any]) -> bytes:
    """Give the message that an envelope holds: the ord form writes an empty MIME type out."""
    blob = bytes.fromhex(case["message_hex"])
    if not case["envelope_script_hex"].startswith("0063036f7264"):
        return blob
    message = decode_history(blob, network_of(case))
    assert isinstance(message, Broadcast)
    return encode(
        Broadcast(message.timestamp, message.value, message.fee_fraction, "text/plain", message.text),
        network_of(case),
    )


@pytest.mark.parametrize(
    "case", [c for c in cases(FILE, "regtest_transaction") if c["encoding"] == "taproot"], ids=name_of
)
def test_an_envelope_of_the_server_gives_its_message(case: dict[str, Any]) -> None:
    leaf, commit = bytes.fromhex(case["envelope_script_hex"]), Tx(case["unsigned_tx_hex"])
    envelope = read_envelope(leaf)
    assert envelope.message == on_chain(case)
    assert build_envelope(envelope.message, envelope.x_only_key, inscription=envelope.inscription) == leaf
    assert envelope_output(leaf) == commit.outputs[0][1]
    if "reveal_hex" in case:
        reveal = Tx(case["reveal_hex"])
        found = read_history(reveal.inputs, reveal.outputs, network_of(case))
        assert found is not None
        assert (found.blob, found.encoding) == (on_chain(case), "taproot")


@pytest.mark.parametrize("case", cases(FILE, "taproot_commit_reveal"), ids=name_of)
def test_envelope_output_and_control_block_follow_from_key_and_message(case: dict[str, Any]) -> None:
    blob, leaf = bytes.fromhex(case["message_hex"]), bytes.fromhex(case["envelope_script"])
    inscription = case["name"].endswith("ORD_BROADCAST_P2WPKH")
    source = bytes.fromhex(case["source_script"])
    key = source[2:] if "OUTPUT_KEY" in case["name"] else bytes.fromhex(case["source_pubkey"])[1:]
    assert build_envelope(blob, key, inscription=inscription) == leaf
    assert read_envelope(leaf).message == blob
    assert envelope_output(leaf).hex() == case["reveal_lock_script"]
    assert envelope_control_block(leaf).hex() == case["reveal_control_block"]
    assert Tx(case["commit_unsigned"]).outputs[0] == (case["reveal_input_value"], envelope_output(leaf))
    reveal = Tx(case["reveal_signed"])
    assert reveal.outputs[0] == REVEAL_MARK
    found = read_history(reveal.inputs, reveal.outputs, network_of(case))
    assert found is not None
    assert found.blob == blob
    with pytest.raises(CounterpartyCarrierRefused):
        read(reveal.inputs[0].txid, reveal.outputs, network_of(case), FAR)


@pytest.mark.parametrize("case", cases(FILE, "taproot_reveal"), ids=name_of)
def test_a_reveal_in_the_ord_form_is_read_and_built_again(case: dict[str, Any]) -> None:
    leaf, reveal = bytes.fromhex(case["envelope_script_hex"]), Tx(case["reveal_hex"])
    envelope = read_envelope(leaf)
    assert envelope.message.hex() == case["message_hex"]
    assert envelope.inscription
    found = read_history(reveal.inputs, reveal.outputs, network_of(case))
    assert found is not None
    assert as_vector(found.message) == expected(case)


@pytest.mark.parametrize("case", cases(FILE, "transaction_p2sh_data"), ids=name_of)
def test_the_p2sh_encoding_is_read_for_auditors_and_never_signed(case: dict[str, Any]) -> None:
    tx, network = Tx(case["tx_hex"]), network_of(case)
    found = read_history(tx.inputs, tx.outputs, network)
    assert found is not None
    assert (found.blob.hex(), found.encoding) == (case["message_hex"], "p2sh")
    assert as_vector(found.message) == expected(case)
    with pytest.raises(CounterpartyP2shDead):
        read(tx.inputs[0].txid, tx.outputs, network, FAR)


@pytest.mark.parametrize("case", cases(FILE, "p2sh_pair"), ids=name_of)
def test_the_p2sh_pair_gives_its_message(case: dict[str, Any]) -> None:
    tx = Tx(case["datatx_hex"])
    blob = p2sh_data(tx.inputs[0].script_sig, case["prefix"].encode())
    assert blob is not None
    assert blob.hex() == case["message_hex"]
    assert p2sh_data(tx.inputs[0].script_sig) is None
    assert as_vector(decode_history(blob, "bitcoin:regtest")) == expected(case)
