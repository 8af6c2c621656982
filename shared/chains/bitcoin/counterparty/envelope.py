"""The taproot envelope: a script leaf that carries a message, spent by the reveal and paid by the commit.

The plain form has the message alone; the ord form (read and built for broadcasts) shows it as an inscription. A
leaf is never believed: it is built again from message and key, and compared.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from shared.chains.bitcoin import taproot
from shared.chains.bitcoin.counterparty import kinds
from shared.chains.bitcoin.counterparty.carriers import PREFIX
from shared.chains.bitcoin.counterparty.cbor import Item, read_array, write_array
from shared.chains.bitcoin.script import OP_RETURN, push, read_push
from shared.errors import CounterpartyEnvelopeRefused, CounterpartyNotUnderstood

REVEAL_MARK: Final = (0, bytes([OP_RETURN]) + push(PREFIX))
"""Output 0 of every reveal."""

ORD_SATS: Final = 546

_HEAD: Final = b"\x00\x63"
_END: Final = b"\x68\x20"
_TAIL: Final = 35  # OP_ENDIF, the key's push and OP_CHECKSIG
_PIECE: Final = 520
_ORD: Final = b"ord"
_ORD_HEAD: Final = (_ORD, b"\x07", b"xcp", b"\x01")
_METADATA: Final = b"\x05"
_PLAIN_TEXT: Final = "text/plain"


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a leaf says: who may spend it, the message, and whether it is in the ord form."""

    x_only_key: bytes
    message: bytes
    inscription: bool = False


def build_envelope(message: bytes, x_only_key: bytes, *, inscription: bool = False) -> bytes:
    """Write the leaf script that carries a message and is spent by a key.

    Raises:
        CounterpartyEnvelopeRefused: for an empty message, a key that is not 32 bytes, or an inscription of a message
            that is no broadcast.
    """
    if len(x_only_key) != 32 or not message:
        raise CounterpartyEnvelopeRefused("an envelope needs a message and a key of 32 bytes")
    parts = _ord_parts(message) if inscription else _pieces(message)
    return _HEAD + b"".join(push(part) for part in parts) + _END + x_only_key + b"\xac"


def read_envelope(leaf_script: bytes) -> Envelope:
    """Read a leaf script: built again it is the same.

    Raises:
        CounterpartyEnvelopeRefused: for a script that is no envelope in its one form.
    """
    found = open_envelope(leaf_script)
    if build_envelope(found.message, found.x_only_key, inscription=found.inscription) != leaf_script:
        raise CounterpartyEnvelopeRefused("an envelope that is not in its one form")
    return found


def open_envelope(leaf_script: bytes) -> Envelope:
    """Read a leaf script as widely as nodes read it; what is signed passes `read_envelope`.

    Raises:
        CounterpartyEnvelopeRefused: for a script that is no envelope.
    """
    tail = leaf_script[-_TAIL:]
    if not leaf_script.startswith(_HEAD) or tail[:2] != _END or tail[-1:] != b"\xac":
        raise CounterpartyEnvelopeRefused("the script is no envelope")
    parts = _pushes(leaf_script[len(_HEAD) : -_TAIL])
    inscription = parts[:1] == (_ORD,)
    message = _ord_message(parts) if inscription else b"".join(parts)
    return Envelope(tail[2:-1], message, inscription)


def envelope_output(leaf_script: bytes) -> bytes:
    """Give the output script by which the commit pays for an envelope.

    Raises:
        CounterpartyEnvelopeRefused: for a script that is no envelope.
        BitcoinKeyRefused: for one whose key is no point.
    """
    key = open_envelope(leaf_script).x_only_key
    return taproot.output_key(key, taproot.leaf_hash(leaf_script)).script


def envelope_control_block(leaf_script: bytes) -> bytes:
    """Give the control block of the reveal's witness. Raises as `envelope_output`."""
    key = open_envelope(leaf_script).x_only_key
    return taproot.control_block(key, taproot.leaf_hash(leaf_script))


def _pieces(blob: bytes) -> list[bytes]:
    return [blob[start : start + _PIECE] for start in range(0, len(blob), _PIECE)]


def _pushes(script: bytes) -> tuple[bytes, ...]:
    found, place = [], 0
    while place < len(script):
        read = read_push(script, place)
        if read is None or len(read[0]) > _PIECE:
            raise CounterpartyEnvelopeRefused("an envelope with something other than pushes")
        found.append(read[0])
        place = read[1]
    if not found:
        raise CounterpartyEnvelopeRefused("an envelope without a message")
    return tuple(found)


def _ord_parts(message: bytes) -> Iterable[bytes]:
    type_id, body = kinds.split(message)
    fields = _fields(body)
    if type_id != kinds.BROADCAST or len(fields) != 5:
        raise CounterpartyEnvelopeRefused("of all messages only broadcasts are inscribed here")
    *numbers, mime, content = fields
    if not isinstance(mime, str) or not isinstance(content, bytes):
        raise CounterpartyEnvelopeRefused("a broadcast without a MIME type and text")
    metadata = write_array([type_id, *numbers])
    marked = [part for piece in _pieces(metadata) for part in (_METADATA, piece)]
    # Nodes inscribe an empty MIME type as text/plain: the message on the ledger is then another one.
    return [*_ORD_HEAD, (mime or _PLAIN_TEXT).encode(), *marked, b"", *_pieces(content)]


def _ord_message(parts: tuple[bytes, ...]) -> bytes:
    if parts[:4] != _ORD_HEAD or b"" not in parts[5:]:
        raise CounterpartyEnvelopeRefused("an inscription that is not Counterparty's")
    end = parts.index(b"", 5)
    marks, pieces = parts[5:end:2], parts[6:end:2]
    type_id, *numbers = _fields(b"".join(pieces)) or (None,)
    if set(marks) != {_METADATA} or len(marks) != len(pieces) or type_id != kinds.BROADCAST:
        raise CounterpartyEnvelopeRefused("an inscription that is no broadcast")
    try:
        mime = parts[4].decode()
    except UnicodeDecodeError:
        raise CounterpartyEnvelopeRefused("an inscription whose MIME type is no text") from None
    return bytes([kinds.BROADCAST]) + write_array([*numbers, mime, b"".join(parts[end + 1 :])])


def _fields(blob: bytes) -> tuple[Item, ...]:
    try:
        return read_array(blob)
    except CounterpartyNotUnderstood:
        raise CounterpartyEnvelopeRefused("an inscription without a readable message") from None
