"""The one way in which Lockgate writes structured bytes: a strict, deterministic subset of CBOR.

RFC 8949 section 4.2.1 without tags, floats, negative numbers and indefinite lengths; map keys are texts.
Every value has exactly one encoding, and `decode` refuses every other: that is what lets a signature stand
for a meaning. It never repairs, never guesses, and bounds its work by the length of its input.

`Fields` reads a decoded map field by field, once, at the edge, into a frozen type.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final, TypeAlias, TypeVar

from shared.errors import BadEncoding, BadField
from shared.money import MOST_UNITS

Value: TypeAlias = "int | bytes | str | bool | None | Sequence[Value] | Mapping[str, Value]"
"""What the subset holds. `decode` gives lists and dicts; `encode` takes tuples as well."""

# Other names for two types, since `Fields` has readers called `bytes` and `list`.
_Bytes: TypeAlias = bytes
_List: TypeAlias = "list[Value]"
T = TypeVar("T")

MOST_NUMBER: Final = 2**64 - 1
MOST_BYTES: Final = 16 * 1024 * 1024
MOST_DEPTH: Final = 16

_NUMBER, _BYTES, _TEXT, _ARRAY, _MAP, _SIMPLE = 0, 2, 3, 4, 5, 7
_TOO_DEEP: Final = "arrays and maps stand too deep in one another"
_SIMPLE_VALUES: Final[dict[int, bool | None]] = {0xF4: False, 0xF5: True, 0xF6: None}
# The least number that needs the long head ending in 24, 25, 26, 27: a smaller one has a shorter head.
_LEAST: Final = {24: 24, 25: 2**8, 26: 2**16, 27: 2**32}


def encode(value: Value) -> bytes:
    """Write a value in its only encoding.

    Raises:
        BadEncoding: for numbers below 0 or above 2^64-1, broken text, or nesting beyond `MOST_DEPTH`.
        TypeError: for a type that the subset does not have; that is a bug of the caller.
    """
    out = bytearray()
    _write(out, value, MOST_DEPTH)
    return bytes(out)


def decode(blob: bytes, *, most_bytes: int = MOST_BYTES, depth: int = MOST_DEPTH) -> Value:
    """Read bytes that hold exactly one value in its only encoding.

    `depth` counts the arrays and maps that may stand in one another.

    Raises:
        BadEncoding: for anything else, trailing bytes included.
    """
    if len(blob) > most_bytes:
        raise BadEncoding(f"{len(blob)} bytes are more than the {most_bytes} allowed")
    value, end = _read(blob, 0, depth)
    if end != len(blob):
        raise BadEncoding(f"{len(blob) - end} bytes follow the end of the value")
    return value


def units_to_bytes(units: int) -> bytes:
    """Write an amount's base units as big-endian bytes without leading zeros; nothing at all for zero.

    Raises:
        BadEncoding: for a number that no amount can have.
    """
    if type(units) is not int or not 0 <= units <= MOST_UNITS:
        raise BadEncoding("a number of base units lies between 0 and 2^128-1")
    return units.to_bytes((units.bit_length() + 7) // 8, "big")


def units_from_bytes(blob: bytes) -> int:
    """Read what `units_to_bytes` wrote.

    Raises:
        BadEncoding: for leading zeros or more than 16 bytes.
    """
    if len(blob) > 16 or blob[:1] == b"\0":
        raise BadEncoding("base units are at most 16 bytes and do not begin with a zero byte")
    return int.from_bytes(blob, "big")


class Fields:
    """The fields of one map that were not read yet.

    A reader refuses (`BadField`) a field that is missing, of another type or out of bounds. An `optional_*`
    reader gives None for a field that is absent; a null is refused there too, since nothing may be said in
    two ways.
    """

    __slots__ = ("_left", "_where")

    def __init__(self, value: Value, where: str) -> None:
        """Take a decoded map; `where` names it in refusals, such as "request"."""
        if not isinstance(value, dict):
            raise BadField(f"{where}: not a map")
        self._left: dict[str, Value] = dict(value)
        self._where = where

    def text(self, name: str, *, least: int = 0, most: int = 256) -> str:
        """Read a text of some characters."""
        value = self._take(name)
        if not isinstance(value, str):
            raise self._wrong(name, "not a text")
        if not least <= len(value) <= most:
            raise self._wrong(name, f"not of {least} to {most} characters")
        return value

    def choice(self, name: str, allowed: Collection[str]) -> str:
        """Read a text that is one of a few."""
        value = self._take(name)
        if not isinstance(value, str) or value not in allowed:
            raise self._wrong(name, f"not one of {', '.join(allowed)}")
        return value

    def bytes(
        self, name: str, *, exactly: int | None = None, least: int = 0, most: int = 2**20
    ) -> _Bytes:
        """Read a byte string of an exact length, or of one within bounds."""
        value = self._take(name)
        if not isinstance(value, _Bytes):
            raise self._wrong(name, "not a byte string")
        if exactly is not None and len(value) != exactly:
            raise self._wrong(name, f"not of {exactly} bytes")
        if not least <= len(value) <= most:
            raise self._wrong(name, f"not of {least} to {most} bytes")
        return value

    def number(self, name: str, least: int = 0, most: int = MOST_NUMBER) -> int:
        """Read a whole number within bounds, both of them allowed."""
        value = self._take(name)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self._wrong(name, "not a number")
        if not least <= value <= most:
            raise self._wrong(name, f"not between {least} and {most}")
        return value

    def units(self, name: str) -> int:
        """Read an amount's base units, written by `units_to_bytes`."""
        blob = self.bytes(name)
        try:
            return units_from_bytes(blob)
        except BadEncoding as refusal:
            raise self._wrong(name, str(refusal)) from None

    def flag(self, name: str) -> bool:
        """Read true or false."""
        value = self._take(name)
        if not isinstance(value, bool):
            raise self._wrong(name, "not true or false")
        return value

    def list(self, name: str, *, least: int = 0, most: int = 2**20) -> _List:
        """Read an array of some items."""
        value = self._take(name)
        if not isinstance(value, list):
            raise self._wrong(name, "not an array")
        if not least <= len(value) <= most:
            raise self._wrong(name, f"not of {least} to {most} items")
        return value

    def map(self, name: str) -> Fields:
        """Read a map, whose fields are then read and closed in their turn."""
        return Fields(self._take(name), f"{self._where}.{name}")

    def items(
        self, name: str, read: Callable[[Fields], T], *, least: int = 0, most: int = 2**20
    ) -> tuple[T, ...]:
        """Read an array of maps, each with one function; each is closed afterwards."""
        found = []
        for index, value in enumerate(self.list(name, least=least, most=most)):
            fields = Fields(value, f"{self._where}.{name}[{index}]")
            found.append(read(fields))
            fields.close()
        return tuple(found)

    def optional_text(self, name: str, *, least: int = 0, most: int = 256) -> str | None:
        """Read a text if it is there."""
        return self.text(name, least=least, most=most) if name in self._left else None

    def optional_bytes(self, name: str, *, exactly: int | None = None, most: int = 2**20) -> _Bytes | None:
        """Read a byte string if it is there."""
        return self.bytes(name, exactly=exactly, most=most) if name in self._left else None

    def optional_number(self, name: str, least: int = 0, most: int = MOST_NUMBER) -> int | None:
        """Read a number if it is there."""
        return self.number(name, least, most) if name in self._left else None

    def optional_list(self, name: str, *, least: int = 0, most: int = 2**20) -> _List | None:
        """Read an array if it is there."""
        return self.list(name, least=least, most=most) if name in self._left else None

    def optional_units(self, name: str) -> int | None:
        """Read base units if they are there."""
        return self.units(name) if name in self._left else None

    def optional_flag(self, name: str) -> bool | None:
        """Read true or false if it is there."""
        return self.flag(name) if name in self._left else None

    def optional_map(self, name: str) -> Fields | None:
        """Read a map if it is there."""
        return self.map(name) if name in self._left else None

    def value(self, name: str) -> Value:
        """Read a field of any kind, to be judged elsewhere."""
        return self._take(name)

    def close(self) -> None:
        """Refuse fields that nobody read.

        Raises:
            BadField: naming them.
        """
        if self._left:
            names = ", ".join(ascii(name[:40]) for name in sorted(self._left)[:5])
            raise BadField(f"{self._where}: unknown field {names}")

    def _take(self, name: str) -> Value:
        try:
            return self._left.pop(name)
        except KeyError:
            raise self._wrong(name, "missing") from None

    def _wrong(self, name: str, why: str) -> BadField:
        return BadField(f"{self._where}.{name}: {why}")


def _write(out: bytearray, value: Value, depth: int) -> None:
    kind = type(value)  # exact types: bool is an int in Python, and is none here
    # The short heads of the commonest kinds are written here: a request has some ten thousand of them.
    if isinstance(value, bytes):
        size = len(value)
        if size < 24:
            out.append(_BYTES << 5 | size)
        else:
            _write_head(out, _BYTES, size)
        out += value
    elif kind is int:
        assert isinstance(value, int)
        if 0 <= value < 24:
            out.append(value)
        else:
            _write_head(out, _NUMBER, value)
    elif isinstance(value, str):
        out += _text(value)
    elif kind is list or kind is tuple:
        assert isinstance(value, (list, tuple))
        if not depth:
            raise BadEncoding(_TOO_DEEP)
        _write_head(out, _ARRAY, len(value))
        for item in value:
            _write(out, item, depth - 1)
    elif value is None or isinstance(value, bool):
        out.append(0xF6 if value is None else 0xF4 + value)
    else:
        _write_map(out, value, depth)


def _write_map(out: bytearray, value: Value, depth: int) -> None:
    if not isinstance(value, dict):
        raise TypeError(f"no encoding for {type(value).__name__}")
    if not depth:
        raise BadEncoding(_TOO_DEEP)
    _write_head(out, _MAP, len(value))
    # RFC 8949: keys ascend by the bytes of their encodings, so that shorter keys come first.
    for key, item in sorted([(_text(name), item) for name, item in value.items()], key=_first):
        out += key
        _write(out, item, depth - 1)


def _first(pair: tuple[bytes, Value]) -> bytes:
    return pair[0]


@functools.lru_cache(maxsize=4096)
def _text(text: str) -> bytes:
    if not isinstance(text, str):
        raise TypeError(f"a map's key is text, not {type(text).__name__}")
    try:
        raw = text.encode("utf-8")
    except UnicodeEncodeError:
        raise BadEncoding("a text holds half a surrogate pair") from None
    if len(raw) < 24:
        return bytes((_TEXT << 5 | len(raw),)) + raw
    head = bytearray()
    _write_head(head, _TEXT, len(raw))
    return bytes(head) + raw


def _write_head(out: bytearray, major: int, number: int) -> None:
    if number < 0 or number > MOST_NUMBER:
        raise BadEncoding("a number lies between 0 and 2^64-1")
    if number < 24:
        out.append(major << 5 | number)
    elif number < 2**8:
        out += bytes((major << 5 | 24, number))
    else:
        size = 1 if number < 2**16 else 2 if number < 2**32 else 3
        out.append(major << 5 | 24 + size)
        out += number.to_bytes(1 << size, "big")


def _read(blob: bytes, at: int, depth: int) -> tuple[Value, int]:
    """Read the value that begins at a position, and say where it ends."""
    head = _head(blob, at)
    major, number = head >> 5, head & 31
    if major == _SIMPLE:
        return _simple(head), at + 1
    if number < 24:
        at += 1
    else:
        number, at = _long_head(blob, at, number)
    if major == _NUMBER:
        return number, at
    if major == _BYTES or major == _TEXT:
        end = at + number
        if end > len(blob):
            raise BadEncoding("cut short: a string reaches beyond the end")
        return blob[at:end] if major == _BYTES else _as_text(blob[at:end]), end
    if not depth:
        raise BadEncoding(_TOO_DEEP)
    if major == _ARRAY:
        return _read_array(blob, at, number, depth - 1)
    if major == _MAP:
        return _read_map(blob, at, number, depth - 1)
    raise BadEncoding("negative numbers and tags have no place here")


def _read_array(blob: bytes, at: int, count: int, depth: int) -> tuple[Value, int]:
    items: list[Value] = []
    if count > len(blob) - at:
        raise BadEncoding("cut short: an array promises more items than bytes follow")
    for _ in range(count):
        item, at = _read(blob, at, depth)
        items.append(item)
    return items, at


def _read_map(blob: bytes, at: int, count: int, depth: int) -> tuple[Value, int]:
    fields: dict[str, Value] = {}
    before = b""
    for _ in range(count):
        if _head(blob, at) >> 5 != _TEXT:
            raise BadEncoding("a map's key is not text")
        name, end = _read(blob, at, depth)
        key = blob[at:end]
        if key <= before:
            raise BadEncoding("a map's keys are repeated or out of order")
        assert isinstance(name, str)
        fields[name], at = _read(blob, end, depth)
        before = key
    return fields, at


def _head(blob: bytes, at: int) -> int:
    try:
        return blob[at]
    except IndexError:
        raise BadEncoding("cut short: a value is missing") from None


def _simple(head: int) -> bool | None:
    try:
        return _SIMPLE_VALUES[head]
    except KeyError:
        raise BadEncoding("of the simple values only true, false and null have a place here") from None


def _long_head(blob: bytes, at: int, size: int) -> tuple[int, int]:
    if size > 27:
        raise BadEncoding("lengths are always written out")
    end = at + 1 + (1 << size - 24)
    if end > len(blob):
        raise BadEncoding("cut short: a head reaches beyond the end")
    number = int.from_bytes(blob[at + 1 : end], "big")
    if number < _LEAST[size]:
        raise BadEncoding("a number or length is written longer than needed")
    return number, end


def _as_text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise BadEncoding("a text is not UTF-8") from None
