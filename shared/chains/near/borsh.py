"""Borsh, strictly: little endian, lengths of 32 bits, valid UTF-8, nothing left over. Each value has one encoding.

(Source: borsh.io specification; nearcore's use of it.)
"""

from __future__ import annotations

from shared.errors import NearMalformed


class Reader:
    """Takes values from bytes one after another; `what` names them in refusals."""

    __slots__ = ("_at", "_blob")

    def __init__(self, blob: bytes) -> None:
        self._blob, self._at = blob, 0

    @property
    def left(self) -> bytes:
        """The bytes that nobody took yet."""
        return self._blob[self._at :]

    def fixed(self, size: int, what: str) -> bytes:
        """Take so many bytes. Raises NearMalformed when there are fewer."""
        part = self._blob[self._at : self._at + size]
        if len(part) != size:
            raise NearMalformed(f"{what} is cut short")
        self._at += size
        return part

    def number(self, size: int, what: str) -> int:
        """Take an unsigned number of so many bytes. Raises NearMalformed."""
        return int.from_bytes(self.fixed(size, what), "little")

    def sized(self, most: int, what: str) -> bytes:
        """Take a length and so many bytes. Raises NearMalformed, also for more than `most`."""
        size = self.number(4, what)
        if size > most:
            raise NearMalformed(f"{what} says that it has {size} bytes; at most {most} are read")
        return self.fixed(size, what)

    def text(self, most: int, what: str) -> str:
        """Take a length and a text of at most so many bytes. Raises NearMalformed, also for what is no UTF-8."""
        raw = self.sized(most, what)
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            raise NearMalformed(f"{what} is no UTF-8") from None

    def close(self) -> None:
        """Demand that nothing is left. Raises NearMalformed."""
        if len(self._blob) != self._at:
            raise NearMalformed(f"{len(self._blob) - self._at} bytes are left over")


def number(value: int, size: int, what: str) -> bytes:
    """Write an unsigned number in so many bytes. Raises NearMalformed for one that does not fit."""
    if type(value) is not int or not 0 <= value < 1 << 8 * size:
        raise NearMalformed(f"{what} is no number of {8 * size} bits: {value!r}")
    return value.to_bytes(size, "little")


def fixed(value: bytes, size: int, what: str) -> bytes:
    """Write bytes of a known length. Raises NearMalformed for another length."""
    if len(value) != size:
        raise NearMalformed(f"{what} has {len(value)} bytes and not {size}")
    return value


def sized(value: bytes) -> bytes:
    """Write bytes behind their length."""
    return number(len(value), 4, "a length") + value


def text(value: str, what: str) -> bytes:
    """Write a text behind its length. Raises NearMalformed for one that UTF-8 cannot write."""
    try:
        return sized(value.encode("utf-8"))
    except UnicodeEncodeError:
        raise NearMalformed(f"{what} is no text") from None
