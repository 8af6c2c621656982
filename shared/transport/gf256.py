"""Arithmetic over GF(256) on whole rows of bytes: the field of the fountain code.

A row is scaled with `bytes.translate`, which is one pass in C, and added as one large whole
number, because addition in this field is XOR. The field is that of x^8 + x^4 + x^3 + x^2 + 1 with
generator 2. It must never be used for secrets: nothing here runs in constant time.
"""

from __future__ import annotations

_POLYNOMIAL = 0x11D


def _powers() -> bytes:
    powers, value = bytearray(), 1
    for _ in range(255):
        powers.append(value)
        value <<= 1
        if value > 255:
            value ^= _POLYNOMIAL
    return bytes(powers)


_EXP = _powers() * 2  # twice, so that a sum of two logarithms needs no remainder
_LOG = {value: power for power, value in enumerate(_EXP[:255])}
_TIMES = (bytes(256),) + tuple(
    bytes([0] + [_EXP[_LOG[factor] + _LOG[value]] for value in range(1, 256)]) for factor in range(1, 256)
)


def inverse(value: int) -> int:
    """Return the number that times `value` gives one; `value` must not be zero."""
    return _EXP[255 - _LOG[value]]


def scaled(row: bytes, factor: int) -> bytes:
    """Multiply each byte of the row."""
    return row.translate(_TIMES[factor])


def as_number(row: bytes, factor: int = 1) -> int:
    """Return the row times `factor` as a whole number, so that `^` adds rows."""
    return int.from_bytes(row if factor == 1 else scaled(row, factor), "big")


def as_row(number: int, length: int) -> bytes:
    """Turn a sum of rows back into a row."""
    return number.to_bytes(length, "big")
