"""Streams of bits, most significant first, padded with zeros to a whole byte."""

from __future__ import annotations

from shared.errors import CounterpartyNotUnderstood


class BitReader:
    """Reads numbers of some bits from the front and never past the end."""

    __slots__ = ("_bits", "_place")

    def __init__(self, blob: bytes) -> None:
        self._bits = f"{int.from_bytes(blob, 'big'):0{8 * len(blob)}b}" if blob else ""
        self._place = 0

    def take(self, width: int) -> int:
        """Take a number of some bits; of none it is zero.

        Raises:
            CounterpartyNotUnderstood: where fewer are left.
        """
        end = self._place + width
        if end > len(self._bits):
            raise CounterpartyNotUnderstood("the message is cut short")
        part, self._place = self._bits[self._place : end], end
        return int(part or "0", 2)

    def take_bytes(self, size: int) -> bytes:
        """Take whole bytes, which need not begin where a byte begins. Raises CounterpartyNotUnderstood."""
        return self.take(8 * size).to_bytes(size, "big")


class BitWriter:
    """Writes numbers of some bits one behind the other."""

    __slots__ = ("_parts",)

    def __init__(self) -> None:
        self._parts: list[str] = []

    def put(self, number: int, width: int) -> None:
        """Put a number of some bits; of none nothing is written."""
        if width:
            self._parts.append(f"{number:0{width}b}")

    def put_bytes(self, blob: bytes) -> None:
        """Put whole bytes."""
        self.put(int.from_bytes(blob, "big"), 8 * len(blob))

    def padded(self) -> bytes:
        """Give the bytes, the last filled with zeros."""
        bits = "".join(self._parts)
        size = (len(bits) + 7) // 8
        return int(bits.ljust(8 * size, "0"), 2).to_bytes(size, "big")
