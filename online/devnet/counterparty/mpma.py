"""The many-recipients message (type 3): an address table, then a stream of bits.

The table's form is the one of the block that mines it; before and after the gate the same bytes mean other people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from online.devnet.bitcoin.scripts import REGTEST, Letters
from online.devnet.counterparty.packing import (
    LEGACY_BYTES,
    Unreadable,
    asset_id,
    asset_name,
    legacy_packed,
    legacy_unpacked,
    tagged,
    untagged,
)


@dataclass(frozen=True, slots=True)
class Memo:
    """A memo as the wire has it: bytes, and whether they are to be shown as hex."""

    content: bytes
    is_hex: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One recipient's share of one asset."""

    asset: str
    address: str
    quantity: int
    memo: Memo | None


class _Bits:
    def __init__(self, content: bytes) -> None:
        self._number, self._left = int.from_bytes(content, "big"), 8 * len(content)

    def take(self, count: int) -> int:
        if count > self._left:
            raise Unreadable("truncated data")
        self._left -= count
        return self._number >> self._left & (1 << count) - 1

    def memo(self) -> Memo | None:
        if not self.take(1):
            return None
        is_hex, size = bool(self.take(1)), self.take(6)
        return Memo(bytes(self.take(8) for _ in range(size)), is_hex)


def decode(body: bytes, *, new_table: bool, letters: Letters = REGTEST) -> list[Line]:
    """Read the lines; bytes after the end are ignored, as nodes do.

    Raises:
        Unreadable: it is no such message.
    """
    if len(body) < 2:
        raise Unreadable("truncated data")
    count, at = int.from_bytes(body[:2], "big"), 2
    table = []
    for _ in range(count):
        size = LEGACY_BYTES
        if new_table:
            if at >= len(body) or not 21 <= body[at] <= 42:
                raise Unreadable("invalid address length")
            size, at = body[at], at + 1
        if at + size > len(body):
            raise Unreadable("truncated data")
        packed, at = body[at:at + size], at + size
        table.append(untagged(packed, letters) if new_table else legacy_unpacked(packed, letters))
    return _lines(_Bits(body[at:]), table)


def _lines(bits: _Bits, table: list[str]) -> list[Line]:
    width = (len(table) - 1).bit_length() if table else 0
    for_all, lines = bits.memo(), list[Line]()
    while bits.take(1):
        asset = asset_name(bits.take(64))
        for _ in range(bits.take(width) + 1):
            index = bits.take(width)
            if index >= len(table):
                raise Unreadable("address index out of range")
            quantity, memo = bits.take(64), bits.memo()
            lines.append(Line(asset, table[index], quantity, memo or for_all))
    return lines


def encode(lines: Sequence[Line], memo: Memo | None, *, new_table: bool) -> bytes:
    """Write a message's body; lines without a memo of their own are read with `memo`.

    Raises:
        NotAnAddress: a recipient cannot be said in this table.
        Unreadable: an asset cannot be said.
    """
    table = sorted({line.address for line in lines})
    packed = [tagged(each) if new_table else legacy_packed(each) for each in table]
    head = b"".join(bytes([len(each)]) + each if new_table else each for each in packed)
    width = (len(table) - 1).bit_length()
    bits = _memo_bits(memo)
    for asset, group in groupby(sorted(lines, key=lambda line: line.asset), key=lambda line: line.asset):
        share = list(group)
        bits += f"1{asset_id(asset):064b}" + _wide(len(share) - 1, width)
        for line in share:
            bits += _wide(table.index(line.address), width) + f"{line.quantity:064b}" + _memo_bits(line.memo)
    bits += "0"
    bits += "0" * (-len(bits) % 8)
    return len(table).to_bytes(2, "big") + head + int(bits, 2).to_bytes(len(bits) // 8, "big")


def _wide(number: int, width: int) -> str:
    return f"{number:0{width}b}" if width else ""


def _memo_bits(memo: Memo | None) -> str:
    if memo is None:
        return "0"
    content = "".join(f"{byte:08b}" for byte in memo.content)
    return f"1{int(memo.is_hex)}{len(memo.content):06b}{content}"
