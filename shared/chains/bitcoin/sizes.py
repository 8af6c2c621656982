"""Compact sizes: Bitcoin's numbers before lists and byte strings, in their one shortest form."""

from __future__ import annotations

from shared.errors import BitcoinMalformed

_WIDTHS = {0xFD: (2, 0xFD), 0xFE: (4, 0x10000), 0xFF: (8, 0x1_0000_0000)}


def compact(number: int) -> bytes:
    """Write a number as a compact size."""
    for head, (width, _) in _WIDTHS.items():
        if number < _WIDTHS[0xFD][1]:
            return bytes([number])
        if number < 1 << 8 * width:
            return bytes([head]) + number.to_bytes(width, "little")
    raise ValueError("a compact size has 64 bits")


def sized(blob: bytes) -> bytes:
    """Write bytes behind their length."""
    return compact(len(blob)) + blob


class Reader:
    """Reads bytes from the front and never past their end."""

    __slots__ = ("_blob", "place")

    def __init__(self, blob: bytes, place: int = 0) -> None:
        self._blob = blob
        self.place = place

    def take(self, size: int) -> bytes:
        """Take exactly so many bytes.

        Raises:
            BitcoinMalformed: where fewer are left.
        """
        end = self.place + size
        if end > len(self._blob):
            raise BitcoinMalformed("the bytes end too early")
        part = self._blob[self.place : end]
        self.place = end
        return part

    def number(self, width: int) -> int:
        """Take a little-endian number of some bytes. Raises BitcoinMalformed."""
        return int.from_bytes(self.take(width), "little")

    def compact(self) -> int:
        """Take a compact size.

        Raises:
            BitcoinMalformed: for one that is longer than it need be.
        """
        head = self.take(1)[0]
        if head < 0xFD:
            return head
        width, least = _WIDTHS[head]
        number = self.number(width)
        if number < least:
            raise BitcoinMalformed("a length is written longer than it need be")
        return number

    def sized(self) -> bytes:
        """Take bytes behind their length. Raises BitcoinMalformed."""
        return self.take(self.compact())

    @property
    def left(self) -> int:
        """Give how many bytes are left."""
        return len(self._blob) - self.place
