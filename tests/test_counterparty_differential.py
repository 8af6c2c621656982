"""Counterparty's bytes judged by a second reader: the test world's, which shares no code with ours.

Random messages that we write are read there with the same meaning, and batches, envelopes and outputs that we write
are written there to the same bytes.
"""

from __future__ import annotations

import struct

import coincurve
import pytest
from hypothesis import given
from hypothesis import strategies as st

from online.devnet.bitcoin.arc4 import arc4 as world_arc4
from online.devnet.counterparty import envelope as world_envelope
from online.devnet.counterparty import messages as world
from online.devnet.counterparty import mpma as world_mpma
from online.devnet.counterparty.packing import Unreadable
from shared.chains.bitcoin.counterparty.arc4 import arc4
from shared.chains.bitcoin.counterparty.envelope import (
    build_envelope,
    envelope_control_block,
    envelope_output,
)
from shared.chains.bitcoin.counterparty.gates import Table
from shared.chains.bitcoin.counterparty.messages import encode
from shared.chains.bitcoin.counterparty.model import (
    Broadcast,
    ClassicSend,
    EnhancedSend,
    Float64,
    Message,
    Mpma,
    MpmaMemo,
)
from tests.counterparty_strategies import NETWORK, batches, legacy_addresses, messages

secrets = st.integers(1, 2**128).map(
    lambda number: coincurve.PrivateKey.from_int(number).public_key.format()[1:]
)


def world_memo(memo: MpmaMemo | None) -> world_mpma.Memo | None:
    return None if memo is None else world_mpma.Memo(memo.raw, memo.is_hex)


def in_words_of_the_world(message: Message) -> world.Message:
    match message:
        case EnhancedSend(asset, quantity, address, memo):
            return world.Send(asset, quantity, address, memo)
        case ClassicSend(asset, quantity):
            return world.Send(asset, quantity, None)
        case Mpma(sends, memo_of_all):
            own = [(send, world_memo(send.memo or memo_of_all)) for send in sends]
            return world.Many(tuple(world_mpma.Line(s.asset, s.address, s.quantity, memo) for s, memo in own))
        case Broadcast(timestamp, value, fraction, mime, text):
            number = struct.unpack(">d", value.raw)[0] if isinstance(value, Float64) else value
            shown = text.decode("utf-8", "replace") if mime in ("", "text/plain") else text.hex()
            return world.Broadcast(timestamp, number, fraction, shown, mime)
    return world.Sweep(message.address, message.flags, message.memo)


@given(messages)
def test_the_second_reader_reads_what_we_wrote(message: Message) -> None:
    assert world.read(encode(message, NETWORK), new_table=True) == in_words_of_the_world(message)


@given(batches(legacy_addresses))
def test_a_batch_has_the_same_bytes_in_both_tables_and_none_is_read_with_the_other(message: Mpma) -> None:
    lines = [
        world_mpma.Line(send.asset, send.address, send.quantity, world_memo(send.memo))
        for send in message.sends
    ]
    for table, new in ((Table.BEFORE, False), (Table.NOW, True)):
        body = world_mpma.encode(lines, world_memo(message.memo), new_table=new)
        assert encode(message, NETWORK, table) == b"\x03" + body
        assert world.read(b"\x03" + body, new_table=new) == in_words_of_the_world(message)
    with pytest.raises(Unreadable):
        world.read(encode(message, NETWORK, Table.BEFORE), new_table=True)


@given(messages, secrets)
def test_an_envelope_has_the_same_leaf_output_and_control_block(message: Message, key: bytes) -> None:
    blob = encode(message, NETWORK)
    for inscription in {False, isinstance(message, Broadcast)}:
        leaf = build_envelope(blob, key, inscription=inscription)
        theirs = world_envelope.seal(blob, key, ord_form=inscription)
        assert theirs == world_envelope.Envelope(leaf, envelope_control_block(leaf), envelope_output(leaf))


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=300))
def test_the_cipher_is_the_same(key: bytes, blob: bytes) -> None:
    assert arc4(key, blob) == world_arc4(key, blob)
    assert arc4(key, arc4(key, blob)) == blob
