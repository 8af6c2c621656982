"""How a message stands in outputs: one OP_RETURN, or bare multisig outputs whose first two keys are data.

`encode_outputs` is deterministic, so that whoever signs demands the exact scripts.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from shared.chains.bitcoin.counterparty.arc4 import arc4
from shared.chains.bitcoin.script import OP_RETURN, Form, bare_multisig, data_pushes, form_and_program, push
from shared.chains.bitcoin.taproot import point_of
from shared.errors import BitcoinKeyRefused, CounterpartyCarrierRefused

PREFIX: Final = b"CNTRPRTY"
MULTISIG_SATS: Final = 1000
OP_RETURN_COMPOSED: Final = 80
"""The longest push that nodes compose; their parser has no limit, and relays had one of their own."""

_CHUNK: Final = 53
_PLAIN: Final = 62
_HALF: Final = 31
_MOST: Final = 65_000


def choose_encoding(message: bytes) -> str:
    """Choose as nodes do: OP_RETURN where the message fits, else multisig."""
    return "opreturn" if len(PREFIX + message) <= OP_RETURN_COMPOSED else "multisig"


def encode_outputs(
    message: bytes, first_input_txid: bytes, encoding: str, multisig_key: bytes = b""
) -> tuple[tuple[int, bytes], ...]:
    """Give the outputs, satoshi and script, that carry a message; `encoding` is "opreturn" or "multisig".

    The id is that of the first input's transaction, in the order in which people read it; the key is the source's
    own, so that it can spend the multisig outputs again.

    Raises:
        CounterpartyCarrierRefused: for another encoding, a message that is empty or too long, or a key that is none.
    """
    if len(first_input_txid) != 32 or not 0 < len(message) <= _MOST:
        raise CounterpartyCarrierRefused("a transaction id has 32 bytes, and a message some")
    if encoding == "opreturn":
        return ((0, bytes([OP_RETURN]) + push(arc4(first_input_txid, PREFIX + message))),)
    if encoding != "multisig" or not _is_point(multisig_key):
        raise CounterpartyCarrierRefused("the data needs an encoding: opreturn, or multisig with a key")
    chunks = (message[start : start + _CHUNK] for start in range(0, len(message), _CHUNK))
    return tuple((MULTISIG_SATS, _multisig(chunk, first_input_txid, multisig_key)) for chunk in chunks)


def op_return_plain(script: bytes, first_input_txid: bytes) -> bytes | None:
    """Give what an OP_RETURN with exactly one push says decrypted; None for every other script."""
    pushes = data_pushes(script)
    return arc4(first_input_txid, pushes[0]) if pushes is not None and len(pushes) == 1 else None


def multisig_data(script: bytes, first_input_txid: bytes) -> bytes | None:
    """Give the part of a message that a bare multisig script carries; None where it carries none."""
    known = bare_multisig(script)
    if known is None:
        return None
    hidden = b"".join(key[1:-1] for key in known[1][:-1])
    return _framed(arc4(first_input_txid, hidden))


def key_hash_data(script: bytes, first_input_txid: bytes) -> bytes | None:
    """Give the part of a message in what looks like a payment to a key's hash; None for real payments."""
    form, program = form_and_program(script)
    return _framed(arc4(first_input_txid, program)) if form is Form.P2PKH else None


def _framed(plain: bytes) -> bytes | None:
    """Read: length of what follows, prefix, data, filling."""
    if plain[1:9] != PREFIX or not 8 <= plain[0] < len(plain):
        return None
    return plain[9 : 1 + plain[0]]


def _multisig(chunk: bytes, txid: bytes, key: bytes) -> bytes:
    plain = (bytes([len(PREFIX) + len(chunk)]) + PREFIX + chunk).ljust(_PLAIN, b"\0")
    hidden = arc4(txid, plain)
    keys = (_key_over(hidden[:_HALF]), _key_over(hidden[_HALF:]), key)
    return b"\x51" + b"".join(b"\x21" + each for each in keys) + b"\x53\xae"


def _key_over(half: bytes) -> bytes:
    """Give the key that holds 31 bytes: its sign and the first last byte that makes a point follow from their hash."""
    digest = sha256(half).digest()
    tries = (
        bytes([2 + (digest[0] & 1)]) + half + bytes([(digest[1] + step) & 255]) for step in range(1, 257)
    )
    return next(key for key in tries if _is_point(key))


def _is_point(key: bytes) -> bool:
    try:
        point_of(key)
    except BitcoinKeyRefused:
        return False
    return True
