"""The fields of a PSBT (BIP174, BIP370, BIP371 and the registry of BIP174): where each may stand, how it must look.

A field that is not in these tables is carried along and never read; what is in them must have its form.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from shared.chains.bitcoin.sizes import Reader
from shared.chains.bitcoin.taproot import point_of
from shared.chains.bitcoin.transactions import read, read_output, read_witness
from shared.errors import BitcoinKeyRefused, BitcoinPsbtRefused, BitcoinRefusal

Check = Callable[[bytes], bool]
_BOTH: Final = (0, 2)
_FIRST_TIME: Final = 500_000_000
_MOST_TREE_DEPTH: Final = 128

# global
UNSIGNED_TX, XPUB, TX_VERSION, FALLBACK_LOCK_TIME = 0x00, 0x01, 0x02, 0x03
INPUT_COUNT, OUTPUT_COUNT, MODIFIABLE, VERSION = 0x04, 0x05, 0x06, 0xFB
# input
NON_WITNESS_UTXO, WITNESS_UTXO, PARTIAL_SIG, SIGHASH, REDEEM_SCRIPT, WITNESS_SCRIPT = 0, 1, 2, 3, 4, 5
DERIVATION, FINAL_SCRIPT, FINAL_WITNESS = 6, 7, 8
PREVIOUS_TXID, OUTPUT_INDEX, SEQUENCE, TIME_LOCK, HEIGHT_LOCK = 0x0E, 0x0F, 0x10, 0x11, 0x12
TAP_KEY_SIG, TAP_SCRIPT_SIG, TAP_LEAF, TAP_DERIVATION, TAP_INTERNAL, TAP_ROOT = (
    0x13,
    0x14,
    0x15,
    0x16,
    0x17,
    0x18,
)
# output
OUT_DERIVATION, AMOUNT, SCRIPT, OUT_TAP_INTERNAL, OUT_TAP_TREE, OUT_TAP_DERIVATION = 2, 3, 4, 5, 6, 7


@dataclass(frozen=True, slots=True)
class Rule:
    """How a field's key (behind its type) and its value must look, and in which versions it may stand."""

    key: Check
    value: Check
    versions: tuple[int, ...] = _BOTH


def _nothing(key: bytes) -> bool:
    return not key


def _anything(value: bytes) -> bool:
    return True


def _exactly(*sizes: int) -> Check:
    return lambda blob: len(blob) in sizes


def _point(key: bytes) -> bool:
    if len(key) == 65 and key[0] == 4:
        return True  # uncompressed keys of old wallets; nothing here signs with them
    try:
        point_of(key)
    except BitcoinKeyRefused:
        return False
    return True


def _points(value: bytes) -> bool:
    return bool(value) and len(value) % 33 == 0 and all(map(_point, _split(value)))


def _two_points(key: bytes) -> bool:
    return len(key) in (66, 98) and all(map(_point, _split(key[:66])))


def _split(blob: bytes) -> list[bytes]:
    return [blob[place : place + 33] for place in range(0, len(blob), 33)]


def _path(value: bytes) -> bool:
    return len(value) >= 4 and len(value) % 4 == 0


def _xpub(key: bytes) -> bool:
    return len(key) == 78


def _tap_path(value: bytes) -> bool:
    reader = Reader(value)
    reader.take(32 * reader.compact())
    return reader.left >= 4 and reader.left % 4 == 0


def _control_block(key: bytes) -> bool:
    return 33 <= len(key) <= 33 + 32 * 128 and (len(key) - 33) % 32 == 0


def _tree(value: bytes) -> bool:
    """Tell whether leaves with their depths, in order, make one whole tree."""
    reader, open_depths = Reader(value), [0]
    while reader.left:
        depth, version = reader.number(1), reader.number(1)
        reader.sized()
        if depth > _MOST_TREE_DEPTH or version & 1 or not open_depths or open_depths[-1] > depth:
            return False
        place = open_depths.pop()
        open_depths += range(depth, place, -1)[::-1]
    return not open_depths


def _transaction(value: bytes) -> bool:
    read(value)
    return True


def _output(value: bytes) -> bool:
    reader = Reader(value)
    read_output(reader)
    return reader.left == 0


def _witness(value: bytes) -> bool:
    reader = Reader(value)
    read_witness(reader)
    return reader.left == 0


def _der(value: bytes) -> bool:
    # A type byte behind DER: enough to know a signature by its form; whoever uses it verifies it.
    return 9 <= len(value) <= 73 and value[0] == 0x30 and value[1] == len(value) - 3


def _time(value: bytes) -> bool:
    return len(value) == 4 and int.from_bytes(value, "little") >= _FIRST_TIME


def _height(value: bytes) -> bool:
    return len(value) == 4 and 0 < int.from_bytes(value, "little") < _FIRST_TIME


def _count(value: bytes) -> bool:
    reader = Reader(value)
    reader.compact()
    return reader.left == 0


_4, _32 = _exactly(4), _exactly(32)
_SCHNORR = _exactly(64, 65)
_HASHES: Final = {0x0A: 20, 0x0B: 32, 0x0C: 20, 0x0D: 32}

GLOBAL: Final[Mapping[int, Rule]] = {
    UNSIGNED_TX: Rule(_nothing, _anything, (0,)),
    XPUB: Rule(_xpub, _path),
    TX_VERSION: Rule(_nothing, _4, (2,)),
    FALLBACK_LOCK_TIME: Rule(_nothing, _4, (2,)),
    INPUT_COUNT: Rule(_nothing, _count, (2,)),
    OUTPUT_COUNT: Rule(_nothing, _count, (2,)),
    MODIFIABLE: Rule(_nothing, _exactly(1), (2,)),
    VERSION: Rule(_nothing, _4),
}
INPUT: Final[Mapping[int, Rule]] = {
    NON_WITNESS_UTXO: Rule(_nothing, _transaction),
    WITNESS_UTXO: Rule(_nothing, _output),
    PARTIAL_SIG: Rule(_point, _der),
    SIGHASH: Rule(_nothing, _4),
    REDEEM_SCRIPT: Rule(_nothing, _anything),
    WITNESS_SCRIPT: Rule(_nothing, _anything),
    DERIVATION: Rule(_point, _path),
    FINAL_SCRIPT: Rule(_nothing, _anything),
    FINAL_WITNESS: Rule(_nothing, _witness),
    0x09: Rule(_nothing, _anything),
    **{kind: Rule(_exactly(size), _anything) for kind, size in _HASHES.items()},
    PREVIOUS_TXID: Rule(_nothing, _32, (2,)),
    OUTPUT_INDEX: Rule(_nothing, _4, (2,)),
    SEQUENCE: Rule(_nothing, _4, (2,)),
    TIME_LOCK: Rule(_nothing, _time, (2,)),
    HEIGHT_LOCK: Rule(_nothing, _height, (2,)),
    TAP_KEY_SIG: Rule(_nothing, _SCHNORR),
    TAP_SCRIPT_SIG: Rule(_exactly(64), _SCHNORR),
    TAP_LEAF: Rule(_control_block, bool),
    TAP_DERIVATION: Rule(_32, _tap_path),
    TAP_INTERNAL: Rule(_nothing, _32),
    TAP_ROOT: Rule(_nothing, _32),
    0x1A: Rule(_point, _points),  # MuSig2 (BIP373): participants, nonces, partial signatures
    0x1B: Rule(_two_points, _exactly(66)),
    0x1C: Rule(_two_points, _32),
}
OUTPUT: Final[Mapping[int, Rule]] = {
    0x00: Rule(_nothing, _anything),
    0x01: Rule(_nothing, _anything),
    OUT_DERIVATION: Rule(_point, _path),
    AMOUNT: Rule(_nothing, _exactly(8), (2,)),
    SCRIPT: Rule(_nothing, _anything, (2,)),
    OUT_TAP_INTERNAL: Rule(_nothing, _32),
    OUT_TAP_TREE: Rule(_nothing, _tree),
    OUT_TAP_DERIVATION: Rule(_32, _tap_path),
    0x08: Rule(_point, _points),
}


def check_map(fields: Mapping[bytes, bytes], table: Mapping[int, Rule], version: int, where: str) -> None:
    """Check every known field of one map.

    Raises:
        BitcoinPsbtRefused: for one that has not its form, or may not stand in this version.
    """
    for key, value in fields.items():
        rule = table.get(key[0])
        if rule is None:
            continue
        if version not in rule.versions:
            if not rule.key(key[1:]):
                continue  # of another's making, and no field of the other version
            raise BitcoinPsbtRefused(f"{where}: field {key[0]:#04x} has no place in version {version}")
        try:
            good = rule.key(key[1:]) and rule.value(value)
        except BitcoinRefusal as refusal:
            raise BitcoinPsbtRefused(f"{where}: field {key[0]:#04x}: {refusal}") from None
        if not good or not _preimage_fits(table, key, value):
            raise BitcoinPsbtRefused(f"{where}: field {key[0]:#04x} has not its form")


def _preimage_fits(table: Mapping[int, Rule], key: bytes, value: bytes) -> bool:
    if table is not INPUT or key[0] not in (0x0B, 0x0D):
        return True
    digest = hashlib.sha256(value).digest()
    return key[1:] == (digest if key[0] == 0x0B else hashlib.sha256(digest).digest())
