"""Counterparty's bytes have one meaning and a meaning has one form: round trips, mutations and flipped bits.

Random messages are written and read; damaged ones are read again: whatever is still accepted writes itself again to
the same bytes, and whatever is not is a refusal and never a traceback.
"""

from __future__ import annotations

import random
from hashlib import sha256

import coincurve
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from shared.chains.bitcoin.addresses import address_of
from shared.chains.bitcoin.counterparty.arc4 import arc4
from shared.chains.bitcoin.counterparty.carriers import choose_encoding, encode_outputs
from shared.chains.bitcoin.counterparty.envelope import build_envelope, read_envelope
from shared.chains.bitcoin.counterparty.gates import Table
from shared.chains.bitcoin.counterparty.history import HistoryInput, decode_history, read_history
from shared.chains.bitcoin.counterparty.memos import memo_text, parse_memo_text
from shared.chains.bitcoin.counterparty.messages import decode, encode, options, signable
from shared.chains.bitcoin.counterparty.model import (
    Broadcast,
    ClassicSend,
    EnhancedSend,
    Message,
    Mpma,
    MpmaMemo,
    MpmaSend,
)
from shared.chains.bitcoin.counterparty.reading import read
from shared.chains.bitcoin.script import segwit
from shared.errors import CounterpartyMemoRefused, Refusal
from tests.counterparty_strategies import NETWORK, batches, broadcasts, legacy_addresses, messages, sends

KEY = coincurve.PrivateKey(b"\x07" * 32).public_key.format()
TXID = sha256(b"an output of before").digest()
FAR = 2_000_000


def is_one_form(blob: bytes, table: Table = Table.NOW) -> bool:
    """Tell whether bytes are accepted; those that are must write themselves again."""
    try:
        message = decode(blob, NETWORK, table)
    except Refusal:
        return False
    assert encode(message, NETWORK, table) == blob
    return True


@given(messages)
def test_what_is_written_is_read_back(message: Message) -> None:
    blob = encode(message, NETWORK)
    assert decode(blob, NETWORK) == message
    assert encode(decode(blob, NETWORK), NETWORK) == blob
    assert decode_history(blob, NETWORK) == message


@given(batches(legacy_addresses))
def test_a_batch_with_the_old_table_is_read_back_with_it_alone(message: Mpma) -> None:
    blob = encode(message, NETWORK, Table.BEFORE)
    assert decode(blob, NETWORK, Table.BEFORE) == message
    assert decode_history(blob, NETWORK) == message
    assert not is_one_form(blob)
    assert not is_one_form(encode(message, NETWORK), Table.BEFORE)


@given(messages, st.data())
def test_a_damaged_message_is_refused_or_is_another_one_in_its_one_form(
    message: Message, data: st.DataObject
) -> None:
    blob = bytearray(encode(message, NETWORK))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(blob)))
        blob[place : place + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=2))
    is_one_form(bytes(blob))
    is_one_form(bytes(blob), Table.BEFORE)


@given(
    st.binary(max_size=200),
    st.sampled_from([b"", b"\0\0\0\0", b"\2", b"\2\x84", b"\3\0\2", b"\4", b"\x1e\x85"]),
)
def test_any_bytes_at_all_give_a_refusal_or_a_message(tail: bytes, head: bytes) -> None:
    is_one_form(head + tail)
    try:
        decode_history(head + tail, NETWORK)
    except Refusal:
        return


@given(messages, st.binary(min_size=1, max_size=3))
def test_bytes_behind_the_end_are_refused(message: Message, extra: bytes) -> None:
    assume(not isinstance(message, ClassicSend) or len(extra) > 0)
    assert not is_one_form(encode(message, NETWORK) + extra)


@pytest.mark.parametrize("table", Table)
def test_no_flipped_bit_leaves_the_message_as_it_was(table: Table) -> None:
    places = [address_of(segwit(0, sha256(bytes([n])).digest()[:20]), NETWORK) for n in range(3)]
    lines = (
        MpmaSend("PEPECASH", places[2], 5),
        MpmaSend("XCP", places[0], 6, MpmaMemo(b"order 7")),
        MpmaSend("XCP", places[1], 7),
    )
    found: list[Message] = [
        Mpma(lines, MpmaMemo(b"\xff", is_hex=True)),
        EnhancedSend("XCP", 1000, places[0], b"memo"),
        options(True, 1_800_000_000),
    ]
    for message in found:
        blob = encode(message, NETWORK, table)
        for bit in range(8 * len(blob)):
            flipped = bytearray(blob)
            flipped[bit // 8] ^= 1 << bit % 8
            if is_one_form(bytes(flipped), table):
                assert decode(bytes(flipped), NETWORK, table) != message


@given(st.integers(0, 8 * 300), st.booleans())
def test_a_flipped_bit_in_the_outputs_is_refused_or_says_something_else(bit: int, wide: bool) -> None:
    memo = b"0123456789" * 3 if wide else b""
    address = address_of(segwit(1, TXID), NETWORK)
    message = EnhancedSend("A95428956661682177", 2**62, address, memo)
    blob = encode(message, NETWORK)
    outputs = encode_outputs(blob, TXID, choose_encoding(blob), KEY)
    index, place = divmod(bit, 8 * len(outputs[0][1]))
    assume(index < len(outputs))
    script = bytearray(outputs[index][1])
    script[place % len(script)] ^= 1 << bit % 8
    changed = [*outputs[:index], (outputs[index][0], bytes(script)), *outputs[index + 1 :]]
    try:
        reading = read(TXID, changed, NETWORK, FAR)
    except Refusal:
        return
    # One bit of the opcode hides the data: the Bitcoin layer then refuses a script that has no address.
    assert reading is None or reading.message != message or reading.multisig_key != KEY


@given(
    st.one_of(sends, batches()),
    st.sampled_from(["opreturn", "multisig"]),
    st.binary(min_size=32, max_size=32),
)
def test_what_is_put_into_outputs_is_read_out_of_them(message: Message, encoding: str, txid: bytes) -> None:
    blob, change = encode(message, NETWORK), (5000, segwit(0, bytes(20)))
    outputs = encode_outputs(blob, txid, encoding, KEY)
    reading = read(txid, [*outputs, change], NETWORK, FAR)
    assert reading is not None
    assert (reading.message, reading.encoding, reading.destination_output) == (message, encoding, None)
    assert reading.data_outputs == tuple(range(len(outputs)))
    assert reading.multisig_key == (KEY if encoding == "multisig" else b"")
    past = read_history([HistoryInput(txid)], [*outputs, change], NETWORK)
    assert past is not None
    assert (past.blob, past.encoding, past.destinations) == (blob, encoding, ())


@given(messages, st.binary(min_size=32, max_size=32))
def test_an_envelope_is_read_back(message: Message, key: bytes) -> None:
    blob = encode(message, NETWORK)
    found = read_envelope(build_envelope(blob, key))
    assert (found.message, found.x_only_key, found.inscription) == (blob, key, False)


@given(broadcasts, st.binary(min_size=32, max_size=32))
def test_an_inscription_is_read_back_with_its_mime_type_written_out(message: Broadcast, key: bytes) -> None:
    leaf = build_envelope(encode(message, NETWORK), key, inscription=True)
    found = read_envelope(leaf)
    shown = Broadcast(
        message.timestamp, message.value, message.fee_fraction, message.mime or "text/plain", message.text
    )
    assert (found.message, found.inscription) == (encode(shown, NETWORK), True)


@given(st.one_of(sends, broadcasts), st.booleans(), st.data())
def test_a_damaged_envelope_is_refused_or_is_another_one(
    message: Message, ord_form: bool, data: st.DataObject
) -> None:
    ord_form = ord_form and isinstance(message, Broadcast)
    leaf = bytearray(build_envelope(encode(message, NETWORK), bytes(32), inscription=ord_form))
    place = data.draw(st.integers(0, len(leaf)))
    leaf[place : place + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=2))
    try:
        found = read_envelope(bytes(leaf))
    except Refusal:
        return
    assert build_envelope(found.message, found.x_only_key, inscription=found.inscription) == bytes(leaf)


@given(st.binary(min_size=1, max_size=63))
def test_a_memo_has_one_text_and_a_text_one_memo(raw: bytes) -> None:
    assert parse_memo_text(memo_text(raw)) == raw


@given(st.one_of(st.text(max_size=12), st.from_regex(r'\A"?(hex )?[0-9a-f]{1,6}"?\Z')))
def test_a_text_that_is_no_memos_text_is_refused(text: str) -> None:
    try:
        assert memo_text(parse_memo_text(text)) == text
    except CounterpartyMemoRefused:
        return


def test_arc4_gives_the_bytes_of_its_published_test() -> None:
    assert arc4(b"Key", b"Plaintext").hex() == "bbf316e8d940af0ad3"
    assert arc4(b"Wiki", b"pedia").hex() == "1021bf0420"


def test_a_batch_of_500_recipients_with_memos_goes_through_every_carrier() -> None:
    dice = random.Random(500)
    sends_ = tuple(
        MpmaSend(
            "XCP" if number % 3 else "PEPECASH",
            address_of(segwit(number % 2, dice.randbytes(32 if number % 2 else 20)), NETWORK),
            dice.randrange(1, 10**12),
            MpmaMemo(b"order %06d" % number),
        )
        for number in range(500)
    )
    message = Mpma(tuple(sorted(sends_, key=lambda send: send.asset)))
    blob = encode(message, NETWORK)
    assert signable(blob, NETWORK, FAR) == message
    assert read_envelope(build_envelope(blob, bytes(32))).message == blob
    for encoding in ("opreturn", "multisig"):
        reading = read(TXID, encode_outputs(blob, TXID, encoding, KEY), NETWORK, FAR)
        assert reading is not None
        assert reading.message == message
