"""Bitcoin's bytes as this world reads and writes them: transactions, headers, blocks.

It is strict about length and lenient about meaning: whether a transaction is good is the kernel's word.
"""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from typing import NamedTuple, Self


class Unreadable(Exception):
    """The bytes are no transaction, or no block."""


class Outpoint(NamedTuple):
    """An output of a transaction, by the transaction's id as people write it and the output's number."""

    txid: str
    vout: int

    def __str__(self) -> str:
        return f"{self.txid}:{self.vout}"


def hash256(content: bytes) -> bytes:
    """Hash twice with SHA-256."""
    return hashlib.sha256(hashlib.sha256(content).digest()).digest()


def compact_size(number: int) -> bytes:
    """Write a length as Bitcoin does."""
    if number < 0xFD:
        return bytes([number])
    if number <= 0xFFFF:
        return b"\xfd" + number.to_bytes(2, "little")
    return b"\xfe" + number.to_bytes(4, "little")


def sized(content: bytes) -> bytes:
    """Write bytes behind their length."""
    return compact_size(len(content)) + content


class Reader:
    """Takes bytes from the front; never more than there are."""

    def __init__(self, content: bytes) -> None:
        self._content, self.at = content, 0

    def take(self, count: int) -> bytes:
        """Take some bytes.

        Raises:
            Unreadable: fewer are left.
        """
        if self.at + count > len(self._content):
            raise Unreadable("cut short")
        self.at += count
        return self._content[self.at - count:self.at]

    def number(self, width: int) -> int:
        """Take a little-endian number."""
        return int.from_bytes(self.take(width), "little")

    def size(self) -> int:
        """Take a compact size."""
        first = self.number(1)
        return first if first < 0xFD else self.number({0xFD: 2, 0xFE: 4, 0xFF: 8}[first])

    def sized(self) -> bytes:
        """Take bytes that stand behind their length."""
        return self.take(self.size())

    def done(self) -> bool:
        """Say whether nothing is left."""
        return self.at == len(self._content)


@dataclass(frozen=True, slots=True)
class TxIn:
    """What a transaction spends, and what it shows for it."""

    outpoint: Outpoint
    script_sig: bytes
    sequence: int
    witness: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class TxOut:
    """What a transaction pays."""

    sats: int
    script: bytes


@dataclass(frozen=True)
class Tx:
    """A transaction."""

    version: int
    inputs: tuple[TxIn, ...]
    outputs: tuple[TxOut, ...]
    lock_time: int = 0

    @classmethod
    def read(cls, raw: bytes) -> Self:
        """Read a transaction that fills the bytes.

        Raises:
            Unreadable: it does not, or it has no input.
        """
        reader = Reader(raw)
        tx = cls.take(reader)
        if not reader.done():
            raise Unreadable("bytes after the transaction")
        return tx

    @classmethod
    def take(cls, reader: Reader) -> Self:
        """Take a transaction from the front of some bytes.

        Raises:
            Unreadable: there is none.
        """
        version = reader.number(4)
        count = reader.size()
        segwit = count == 0
        if segwit:
            if reader.number(1) != 1:
                raise Unreadable("no inputs")
            count = reader.size()
        if count == 0:
            raise Unreadable("no inputs")
        inputs = [_take_input(reader) for _ in range(count)]
        outputs = tuple(TxOut(reader.number(8), reader.sized()) for _ in range(reader.size()))
        if segwit:
            inputs = [TxIn(each.outpoint, each.script_sig, each.sequence, _take_witness(reader))
                      for each in inputs]
            if not any(each.witness for each in inputs):
                raise Unreadable("superfluous witness record")
        return cls(version, tuple(inputs), outputs, reader.number(4))

    @property
    def is_coinbase(self) -> bool:
        """Say whether this makes new money."""
        return self.inputs[0].outpoint == NOTHING

    @functools.cached_property
    def stripped(self) -> bytes:
        """The bytes without witness."""
        return self._head + self._body + self.lock_time.to_bytes(4, "little")

    @functools.cached_property
    def raw(self) -> bytes:
        """All bytes."""
        if not any(each.witness for each in self.inputs):
            return self.stripped
        stacks = b"".join(compact_size(len(each.witness)) + b"".join(map(sized, each.witness))
                          for each in self.inputs)
        return self._head + b"\x00\x01" + self._body + stacks + self.lock_time.to_bytes(4, "little")

    @property
    def _head(self) -> bytes:
        return self.version.to_bytes(4, "little")

    @functools.cached_property
    def _body(self) -> bytes:
        inputs = b"".join(
            bytes.fromhex(each.outpoint.txid)[::-1] + each.outpoint.vout.to_bytes(4, "little")
            + sized(each.script_sig) + each.sequence.to_bytes(4, "little") for each in self.inputs)
        outputs = b"".join(each.sats.to_bytes(8, "little") + sized(each.script) for each in self.outputs)
        return compact_size(len(self.inputs)) + inputs + compact_size(len(self.outputs)) + outputs

    @functools.cached_property
    def txid(self) -> str:
        """The id, which no witness changes."""
        return hash256(self.stripped)[::-1].hex()

    @functools.cached_property
    def wtxid(self) -> str:
        """The id of the bytes with witness."""
        return hash256(self.raw)[::-1].hex()

    @property
    def weight(self) -> int:
        """The weight units (BIP141)."""
        return 3 * len(self.stripped) + len(self.raw)

    @property
    def vsize(self) -> int:
        """The virtual bytes."""
        return (self.weight + 3) // 4


NOTHING = Outpoint("00" * 32, 0xFFFFFFFF)


def _take_input(reader: Reader) -> TxIn:
    outpoint = Outpoint(reader.take(32)[::-1].hex(), reader.number(4))
    return TxIn(outpoint, reader.sized(), reader.number(4))


def _take_witness(reader: Reader) -> tuple[bytes, ...]:
    return tuple(reader.sized() for _ in range(reader.size()))


@dataclass(frozen=True)
class Block:
    """A block: its header's fields and its transactions."""

    version: int
    previous: str
    merkle_root: str
    time: int
    bits: int
    nonce: int
    txs: tuple[Tx, ...]

    @classmethod
    def read(cls, raw: bytes) -> Self:
        """Read a block that fills the bytes.

        Raises:
            Unreadable: it does not.
        """
        reader = Reader(raw)
        version, previous, root = reader.number(4), reader.take(32)[::-1].hex(), reader.take(32)[::-1].hex()
        time, bits, nonce = reader.number(4), reader.number(4), reader.number(4)
        block = cls(version, previous, root, time, bits, nonce,
                    tuple(Tx.take(reader) for _ in range(reader.size())))
        if not reader.done():
            raise Unreadable("bytes after the block")
        return block

    @functools.cached_property
    def header(self) -> bytes:
        """The 80 bytes that are hashed."""
        return (self.version.to_bytes(4, "little") + bytes.fromhex(self.previous)[::-1]
                + bytes.fromhex(self.merkle_root)[::-1] + self.time.to_bytes(4, "little")
                + self.bits.to_bytes(4, "little") + self.nonce.to_bytes(4, "little"))

    @functools.cached_property
    def hash(self) -> str:
        """The block's id."""
        return hash256(self.header)[::-1].hex()

    @functools.cached_property
    def raw(self) -> bytes:
        """All bytes."""
        return self.header + compact_size(len(self.txs)) + b"".join(tx.raw for tx in self.txs)

    @property
    def stripped_size(self) -> int:
        """The size without witnesses."""
        return 80 + len(compact_size(len(self.txs))) + sum(len(tx.stripped) for tx in self.txs)


def merkle_root(ids: list[str]) -> bytes:
    """Compute the root over transaction ids, in the order of the hash's bytes."""
    level = [bytes.fromhex(each)[::-1] for each in ids]
    while len(level) > 1:
        level += level[-1:] if len(level) % 2 else []
        level = [hash256(level[at] + level[at + 1]) for at in range(0, len(level), 2)]
    return level[0]
