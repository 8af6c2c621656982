"""What signatures of segwit inputs cover: BIP143 (version 0) and BIP341 (taproot), for SIGHASH ALL and DEFAULT alone.

What all inputs share is hashed once, so the work for many inputs grows with their number and not with its square.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final

from shared.chains.bitcoin.hashes import tagged
from shared.chains.bitcoin.sizes import sized
from shared.chains.bitcoin.transactions import Output, Transaction
from shared.errors import BitcoinSighash

DEFAULT: Final = 0
ALL: Final = 1


class Digests:
    """The digests of one transaction, whose inputs spend the given outputs in order."""

    __slots__ = ("_head", "_inputs", "_lock_time", "_outputs", "_spent", "_taproot", "_version")

    def __init__(self, transaction: Transaction, spent: Sequence[Output]) -> None:
        if len(spent) != len(transaction.inputs):
            raise ValueError("every input spends one output")
        self._inputs, self._spent = transaction.inputs, spent
        self._version = transaction.version.to_bytes(4, "little")
        self._lock_time = transaction.lock_time.to_bytes(4, "little")
        outpoints = _sha(one.outpoint for one in transaction.inputs)
        sequences = _sha(one.sequence.to_bytes(4, "little") for one in transaction.inputs)
        outputs = _sha(output.write() for output in transaction.outputs)
        self._head = self._version + sha256(outpoints).digest() + sha256(sequences).digest()
        self._outputs = sha256(outputs).digest()
        amounts = _sha(output.value.to_bytes(8, "little") for output in spent)
        scripts = _sha(sized(output.script) for output in spent)
        self._taproot = outpoints + amounts + scripts + sequences + outputs

    def segwit(self, index: int, script_code: bytes, sighash: int = ALL) -> bytes:
        """Give the digest of a version 0 input (BIP143).

        Raises:
            BitcoinSighash: for another type than ALL.
        """
        if sighash != ALL:
            raise BitcoinSighash(f"signature type {sighash:#x}")
        one, value = self._inputs[index], self._spent[index].value
        tail = sized(script_code) + value.to_bytes(8, "little") + one.sequence.to_bytes(4, "little")
        tail += self._outputs + self._lock_time + ALL.to_bytes(4, "little")
        return sha256(sha256(self._head + one.outpoint + tail).digest()).digest()

    def taproot(self, index: int, leaf: bytes | None = None, sighash: int = DEFAULT) -> bytes:
        """Give the digest of a taproot input (BIP341), by its key or, with a leaf's hash, by that script (BIP342).

        Raises:
            BitcoinSighash: for another type than DEFAULT and ALL.
        """
        if sighash not in (DEFAULT, ALL):
            raise BitcoinSighash(f"signature type {sighash:#x}")
        # The spend type says whether a leaf is behind it; then come key version 0 and no code separator.
        way, end = (b"\0", b"") if leaf is None else (b"\2", leaf + b"\0\xff\xff\xff\xff")
        message = bytes([0, sighash]) + self._version + self._lock_time + self._taproot
        return tagged("TapSighash", message + way + index.to_bytes(4, "little") + end)


def p2wpkh_code(key_hash: bytes) -> bytes:
    """Give the script code of a P2WPKH input (BIP143): that of P2PKH."""
    return b"\x76\xa9\x14" + key_hash + b"\x88\xac"


def _sha(parts: Iterable[bytes]) -> bytes:
    return sha256(b"".join(parts)).digest()
