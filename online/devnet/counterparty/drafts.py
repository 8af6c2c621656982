"""The pieces of a composed transaction: data in multisig keys, sizes, the bare PSBT, outputs asked for by text."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from coincurve import PublicKey

from online.devnet.bitcoin.arc4 import arc4
from online.devnet.bitcoin.scripts import kind_of, pushed, script_of
from online.devnet.bitcoin.texts import NotAnAddress
from online.devnet.bitcoin.wire import Outpoint, Tx, TxIn, TxOut, sized
from online.devnet.counterparty.extraction import PREFIX
from online.devnet.counterparty.writing import ComposeError

MULTISIG_PIECE: Final = 53
# What a signed input weighs beside its bare form; nodes reckon with Schnorr signatures of 65 bytes.
_SIGNED_WITNESS: Final = {"witness_v0_keyhash": 108, "witness_v1_taproot": 67}


@dataclass(frozen=True, slots=True)
class Chosen:
    """An input with what it spends."""

    outpoint: Outpoint
    out: TxOut


def multisig_scripts(data: bytes, key: bytes, public_key: bytes) -> list[bytes]:
    """Hide data in the first two keys of 1-of-3 multisig scripts."""
    scripts = []
    for at in range(0, len(data), MULTISIG_PIECE):
        piece = PREFIX + data[at:at + MULTISIG_PIECE]
        hidden = arc4(key, (bytes([len(piece)]) + piece).ljust(62, b"\x00"))
        keys = [_key_around(hidden[:31]), _key_around(hidden[31:]), public_key]
        scripts.append(b"\x51" + b"".join(map(pushed, keys)) + b"\x53\xae")
    return scripts


def _key_around(chunk: bytes) -> bytes:
    seed = hashlib.sha256(chunk).digest()
    for step in range(1, 257):
        key = bytes([2 + (seed[0] & 1)]) + chunk + bytes([(seed[1] + step) % 256])
        try:
            return PublicKey(key).format()
        except ValueError:
            continue
    raise ComposeError("no point on the curve for this data")


def signed_vsize(inputs: Sequence[Chosen], outs: Sequence[TxOut]) -> int:
    """Estimate the virtual size of a transaction once it is signed."""
    tx = Tx(2, tuple(TxIn(each.outpoint, b"", 0) for each in inputs), tuple(outs))
    witness = [_SIGNED_WITNESS.get(kind_of(each.out.script), 0) for each in inputs]
    legacy = sum(4 * 107 for size in witness if not size)
    return (tx.weight + sum(witness) + legacy + (2 if any(witness) else 0) + 3) // 4


def bare_psbt(tx: Tx) -> str:
    """Write the PSBT (BIP174) that knows nothing but the transaction."""
    head = b"psbt\xff\x01\x00" + sized(tx.stripped) + b"\x00"
    return base64.b64encode(head + bytes(len(tx.inputs) + len(tx.outputs))).decode()


def script_for(address: str) -> bytes:
    """Give an address' script.

    Raises:
        ComposeError: it is no address.
    """
    try:
        return script_of(address)
    except NotAnAddress:
        raise ComposeError(f"Invalid address: {address}") from None


def more_output(text: str) -> TxOut:
    """Read an output as "sats:address" or "sats:script".

    Raises:
        ComposeError: it is neither.
    """
    sats, _, where = text.partition(":")
    if not sats.isdecimal():
        raise ComposeError(f"Invalid output: {text}")
    try:
        return TxOut(int(sats), script_of(where))
    except NotAnAddress:
        try:
            return TxOut(int(sats), bytes.fromhex(where))
        except ValueError:
            raise ComposeError(f"Invalid output: {text}") from None
