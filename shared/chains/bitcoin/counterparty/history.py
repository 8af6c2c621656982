"""Reads transactions of the past for auditors, old forms included, as nodes read them. Nothing read here is signed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from shared.chains.bitcoin.addresses import address_of
from shared.chains.bitcoin.counterparty import kinds
from shared.chains.bitcoin.counterparty.carriers import PREFIX, key_hash_data, multisig_data, op_return_plain
from shared.chains.bitcoin.counterparty.envelope import open_envelope
from shared.chains.bitcoin.counterparty.gates import Table
from shared.chains.bitcoin.counterparty.legacy import parse_legacy, reads_as_legacy
from shared.chains.bitcoin.counterparty.messages import parse
from shared.chains.bitcoin.counterparty.model import ClassicSend, Message, Other
from shared.chains.bitcoin.counterparty.mpma import table_of
from shared.chains.bitcoin.script import Form, data_pushes, form_of_script, read_push
from shared.errors import CounterpartyEnvelopeRefused, CounterpartyKindRefused, CounterpartyRefusal

_REDEEM_END = b"\xad\x00\x75\x74\x00\x87"
_DROP = b"\x75"


@dataclass(frozen=True, slots=True)
class HistoryInput:
    """An input of a signed transaction; the id is that of the transaction it spends, as people read it."""

    txid: bytes
    script_sig: bytes = b""
    witness: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class HistoryReading:
    """A message of the past, its bytes, the addresses that stand before it, and how it was carried."""

    message: Message | Other
    blob: bytes
    destinations: tuple[str, ...]
    encoding: str


def read_history(
    inputs: Sequence[HistoryInput], outputs: Sequence[tuple[int, bytes]], network: str
) -> HistoryReading | None:
    """Read a transaction as nodes read it; None where they find no message.

    Raises:
        CounterpartyRefusal: for a message that not even nodes understand.
    """
    destinations: list[str] = []
    parts: list[bytes] = []
    encoding = ""
    for _, script in outputs:
        found = _data_of(script, inputs)
        if found is not None:
            parts.append(found[1])
            encoding = encoding or found[0]
        elif form_of_script(script) is Form.OP_RETURN:
            return None
        elif parts:
            break
        elif form_of_script(script) not in (Form.OTHER, Form.BARE_MULTISIG):
            destinations.append(address_of(script, network))
    blob = b"".join(parts)
    if not blob:
        return None
    message = decode_history(blob, network)
    if isinstance(message, ClassicSend) and len(destinations) == 1:
        message = replace(message, address=destinations[0])
    return HistoryReading(message, blob, tuple(destinations), encoding)


def decode_history(blob: bytes, network: str) -> Message | Other:
    """Read a message's bytes in any form that nodes have ever read.

    Raises:
        CounterpartyRefusal: for bytes that are no message, by its own code.
    """
    type_id, body = kinds.split(blob)
    table = table_of(body) if type_id == kinds.MPMA else Table.NOW
    try:
        return parse(type_id, body, network, table)
    except CounterpartyKindRefused:
        return Other(type_id, kinds.name_of(type_id), body)
    except CounterpartyRefusal:
        if reads_as_legacy(type_id, body, network):
            return parse_legacy(type_id, body, network)
        raise


def p2sh_data(script_sig: bytes, prefix: bytes = PREFIX) -> bytes | None:
    """Give the part of a message in an input's redeem script (the encoding dead since block 902,000); else None."""
    script = _last_push(script_sig)
    read = read_push(script, 0) if script.endswith(_REDEEM_END) else None
    if read is None or script[read[1] : read[1] + 1] != _DROP or not read[0].startswith(prefix):
        return None
    return read[0][len(prefix) :]


def _data_of(script: bytes, inputs: Sequence[HistoryInput]) -> tuple[str, bytes] | None:
    txid = inputs[0].txid
    if form_of_script(script) is Form.OP_RETURN:
        return _of_op_return(script, inputs)
    part = multisig_data(script, txid)
    if part is not None:
        return "multisig", part
    part = key_hash_data(script, txid)
    return None if part is None else ("key-hash", part)


def _of_op_return(script: bytes, inputs: Sequence[HistoryInput]) -> tuple[str, bytes] | None:
    plain = op_return_plain(script, inputs[0].txid)
    if plain is None:
        return None
    if data_pushes(script) == (PREFIX,):
        return _of_witness(inputs[0].witness)
    if plain == PREFIX + b"P2SH":
        parts = (p2sh_data(each.script_sig) for each in inputs)
        return "p2sh", b"".join(part for part in parts if part is not None)
    return ("opreturn", plain[len(PREFIX) :]) if plain.startswith(PREFIX) else None


def _of_witness(witness: tuple[bytes, ...]) -> tuple[str, bytes] | None:
    if len(witness) != 3:
        return None
    try:
        return "taproot", open_envelope(witness[1]).message
    except CounterpartyEnvelopeRefused:
        return None


def _last_push(script: bytes) -> bytes:
    """Give the last push of an input's script, which for P2SH is the script it satisfies."""
    place, last = 0, b""
    while place < len(script):
        read = read_push(script, place)
        if read is None:
            return b""
        last, place = read
    return last
