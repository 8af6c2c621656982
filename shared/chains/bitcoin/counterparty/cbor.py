"""The CBOR of Counterparty's messages: one array of numbers, byte strings and texts; floats have 64 bits.

Reading is as wide as nodes read; whoever signs writes the array again and compares.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

from shared.chains.bitcoin.counterparty.model import Float64
from shared.errors import CounterpartyNotUnderstood

Item: TypeAlias = int | Float64 | bytes | str

_NUMBER, _BYTES, _TEXT, _ARRAY = 0, 2, 3, 4
_FLOAT64: Final = 0xFB
_MOST_ITEMS: Final = 16


def write_array(items: Sequence[Item]) -> bytes:
    """Write an array, every length and integer in its shortest form."""
    return _head(_ARRAY, len(items)) + b"".join(_write(item) for item in items)


def read_array(blob: bytes) -> tuple[Item, ...]:
    """Read bytes that are one array and nothing else.

    Raises:
        CounterpartyNotUnderstood: for everything else, floats without a finite value included.
    """
    major, count, at = _read_head(blob, 0)
    if major != _ARRAY or count > _MOST_ITEMS:
        raise CounterpartyNotUnderstood("the message is no array")
    items: list[Item] = []
    for _ in range(count):
        item, at = _read(blob, at)
        items.append(item)
    if at != len(blob):
        raise CounterpartyNotUnderstood("bytes follow the end of the message")
    return tuple(items)


def _write(item: Item) -> bytes:
    if isinstance(item, bytes):
        return _head(_BYTES, len(item)) + item
    if isinstance(item, str):
        raw = item.encode()
        return _head(_TEXT, len(raw)) + raw
    if isinstance(item, Float64):
        return bytes([_FLOAT64]) + item.raw
    return _head(_NUMBER, item)


def _head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes([major << 5 | number])
    power = next(power for power in range(4) if number < 1 << (8 << power))
    return bytes([major << 5 | 24 + power]) + number.to_bytes(1 << power, "big")


def _read(blob: bytes, at: int) -> tuple[Item, int]:
    if blob[at : at + 1] == bytes([_FLOAT64]):
        return Float64(blob[at + 1 : at + 9]), at + 9
    major, number, at = _read_head(blob, at)
    if major == _NUMBER:
        return number, at
    part = blob[at : at + number]
    if len(part) != number or major not in (_BYTES, _TEXT):
        raise CounterpartyNotUnderstood("the message is cut short, or holds what no message holds")
    return part if major == _BYTES else _as_text(part), at + number


def _read_head(blob: bytes, at: int) -> tuple[int, int, int]:
    if at >= len(blob):
        raise CounterpartyNotUnderstood("the message is cut short")
    major, number = blob[at] >> 5, blob[at] & 31
    if number < 24:
        return major, number, at + 1
    end = at + 1 + (1 << number - 24)
    if number > 27 or end > len(blob):
        raise CounterpartyNotUnderstood("the message is cut short, or has an open length")
    return major, int.from_bytes(blob[at + 1 : end], "big"), end


def _as_text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise CounterpartyNotUnderstood("a text that is not UTF-8") from None
