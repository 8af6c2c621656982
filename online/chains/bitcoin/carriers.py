"""Which encoding a message gets, and its bytes in it: OP_RETURN where it fits, else an envelope, else bare multisig."""

from __future__ import annotations

from online.chains.bitcoin.plans import Wish
from shared.chains.bitcoin.counterparty.carriers import OP_RETURN_COMPOSED, PREFIX, encode_outputs
from shared.chains.bitcoin.counterparty.envelope import build_envelope
from shared.chains.bitcoin.counterparty.gates import mpma_table
from shared.chains.bitcoin.counterparty.messages import encode
from shared.chains.bitcoin.counterparty.model import Message, Mpma
from shared.chains.bitcoin.script import Form, form_of_script
from shared.chains.bitcoin.transactions import Output
from shared.errors import EncodingRefused, TableGateNear

_GATE_ROOM = 144
"""Nobody knows which block takes a transaction: an MPMA is not built within a day before its table changes."""

_MULTISIG_MOST = 190 * 53
"""Nodes relay 16,000 units of signature operations, and a bare multisig output counts 80."""


def message_bytes(message: Message, network: str, height: int) -> bytes:
    """Write a message as the block of a height reads it.

    Raises:
        TableGateNear: for an MPMA so near to the change of its table that another block may read it otherwise.
        CounterpartyRefusal: for a message that nodes would refuse, by its own code.
    """
    table = mpma_table(network, height)
    if isinstance(message, Mpma) and mpma_table(network, height + _GATE_ROOM) is not table:
        raise TableGateNear(f"the MPMA table changes within {_GATE_ROOM} blocks of {height}")
    return encode(message, network, table)


def choose_encoding(wish: Wish, message: bytes) -> str:
    """Choose the encoding of a message, or take the one that the plan names.

    Raises:
        EncodingRefused: by name, where the named one or none at all will do.
    """
    fits = len(PREFIX + message) <= OP_RETURN_COMPOSED
    seals = form_of_script(wish.source.script) in (Form.P2WPKH, Form.P2TR) and not wish.outputs
    able = {"opreturn": fits, "taproot": seals, "multisig": len(message) <= _MULTISIG_MOST}
    chosen = wish.encoding or next((name for name, can in able.items() if can), None)
    if chosen is None or not able[chosen]:
        form = form_of_script(wish.source.script).value
        beside = " with payments beside it" if wish.outputs else ""
        raise EncodingRefused(
            f"a message of {len(message)} bytes from a {form} address{beside} does not go by {chosen or 'any encoding'}"
        )
    return chosen


def carried(message: bytes, encoding: str, first_txid: str, public_key: bytes) -> tuple[Output, ...]:
    """Give the outputs that carry a message behind a first input."""
    pairs = encode_outputs(message, bytes.fromhex(first_txid), encoding, public_key)
    return tuple(Output(sats, script) for sats, script in pairs)


def leaf_of(message: bytes, public_key: bytes) -> bytes:
    """Give the leaf script that carries a message and that the source's own key spends."""
    return build_envelope(message, public_key[1:])
