"""How Counterparty writes addresses, asset names and plain values in its messages: a second reader's own tables.

Before block 902,000 an address took 21 bytes; since then it is tagged. Both are still read.
"""

from __future__ import annotations

import struct
from typing import Any, Final

from online.devnet.bitcoin.scripts import REGTEST, Letters, address_of, kind_of, script_of
from online.devnet.bitcoin.texts import NotAnAddress, base58check, segwit_address

LEGACY_BYTES: Final = 21
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_FIRST_NUMERIC: Final = 26**12 + 1
_MOST_ID: Final = 2**64 - 1


class Unreadable(Exception):
    """The bytes are no message; the text says why in the node's words."""


# --- addresses ----------------------------------------------------------------------------------------


def tagged(address: str) -> bytes:
    """Pack an address in today's form.

    Raises:
        NotAnAddress: it has no such form.
    """
    script = script_of(address)
    kind = kind_of(script)
    if kind == "pubkeyhash":
        return b"\x01" + script[3:23]
    if kind == "scripthash":
        return b"\x02" + script[2:22]
    version = script[0] - 0x50 if script[0] else 0
    return b"\x03" + bytes([version]) + script[2:]


def untagged(packed: bytes, letters: Letters = REGTEST) -> str:
    """Read an address in today's form.

    Raises:
        Unreadable: it is none.
    """
    body, size = packed[1:], len(packed)
    if packed[:1] == b"\x01" and size == 21:
        return base58check(bytes([letters.p2pkh]) + body)
    if packed[:1] == b"\x02" and size == 21:
        return base58check(bytes([letters.p2sh]) + body)
    if packed[:1] == b"\x03" and size > 3:
        version, program = body[0], body[1:]
        if version <= 16 and (len(program) in (20, 32) if version == 0 else 2 <= len(program) <= 40):
            return segwit_address(version, program, letters.hrp)
    raise Unreadable("invalid address")


def legacy_packed(address: str) -> bytes:
    """Pack an address in 21 bytes.

    Raises:
        NotAnAddress: it has no such form.
    """
    script = script_of(address)
    kind = kind_of(script)
    if kind == "pubkeyhash":
        return bytes([REGTEST.p2pkh]) + script[3:23]
    if kind == "scripthash":
        return bytes([REGTEST.p2sh]) + script[2:22]
    if kind == "witness_v0_keyhash":
        return b"\x80" + script[2:]
    raise NotAnAddress(address)


def legacy_unpacked(packed: bytes, letters: Letters = REGTEST) -> str:
    """Read an address of 21 bytes; whatever is no segwit form becomes Base58, as nodes do."""
    if 0x80 <= packed[0] <= 0x8F:
        return segwit_address(packed[0] - 0x80, packed[1:], letters.hrp)
    return base58check(packed)


def source_of(script: bytes) -> str | None:
    """Give the address whose owner a spent output's script makes the source."""
    return address_of(script)


# --- assets -------------------------------------------------------------------------------------------


def asset_name(number: int) -> str:
    """Give an asset's name.

    Raises:
        Unreadable: no asset has this number.
    """
    if number in (0, 1):
        return ("BTC", "XCP")[number]
    if _FIRST_NUMERIC <= number <= _MOST_ID:
        return f"A{number}"
    if not 26**3 <= number < _FIRST_NUMERIC:
        raise Unreadable("asset id invalid")
    name = ""
    while number:
        number, digit = divmod(number, 26)
        name = _LETTERS[digit] + name
    return name


def asset_id(name: str) -> int:
    """Give an asset's number.

    Raises:
        Unreadable: no asset has this name.
    """
    if name in ("BTC", "XCP"):
        return int(name == "XCP")
    if name[:1] == "A" and name[1:].isdecimal() and _FIRST_NUMERIC <= int(name[1:]) <= _MOST_ID:
        return int(name[1:])
    if not 4 <= len(name) <= 12 or name[:1] == "A" or any(letter not in _LETTERS for letter in name):
        raise Unreadable(f"invalid asset name: {name}")
    number = 0
    for letter in name:
        number = number * 26 + _LETTERS.index(letter)
    return number


# --- plain values (RFC 8949) --------------------------------------------------------------------------


def values(body: bytes) -> list[Any]:
    """Read one array of plain values that fills the bytes.

    Raises:
        Unreadable: it is none.
    """
    value, end = _value(body, 0)
    if not isinstance(value, list) or end != len(body):
        raise Unreadable("could not unpack")
    return value


def _value(body: bytes, at: int) -> tuple[Any, int]:
    if at >= len(body):
        raise Unreadable("could not unpack")
    kind, low = body[at] >> 5, body[at] & 31
    if body[at] == 0xFB:
        return struct.unpack(">d", _part(body, at + 1, 8))[0], at + 9
    width = {24: 1, 25: 2, 26: 4, 27: 8}.get(low, 0)
    if low > 27 or kind not in (0, 1, 2, 3, 4):
        raise Unreadable("could not unpack")
    count = int.from_bytes(_part(body, at + 1, width), "big") if width else low
    at += 1 + width
    if kind in (0, 1):
        return (-1 - count if kind else count), at
    if kind == 4:
        return _array(body, at, count)
    content = _part(body, at, count)
    try:
        return (content.decode() if kind == 3 else content), at + count
    except UnicodeDecodeError:
        raise Unreadable("could not unpack") from None


def _array(body: bytes, at: int, count: int) -> tuple[list[Any], int]:
    found = []
    for _ in range(count):
        value, at = _value(body, at)
        found.append(value)
    return found, at


def _part(body: bytes, at: int, count: int) -> bytes:
    if at + count > len(body):
        raise Unreadable("could not unpack")
    return body[at:at + count]


def written(*items: float | bytes | str) -> bytes:
    """Write an array of plain values."""
    return _head(4, len(items)) + b"".join(_written(item) for item in items)


def _written(item: float | bytes | str) -> bytes:
    if isinstance(item, float):
        return b"\xfb" + struct.pack(">d", item)
    if isinstance(item, int):
        return _head(0, item) if item >= 0 else _head(1, -1 - item)
    content = item.encode() if isinstance(item, str) else item
    return _head(3 if isinstance(item, str) else 2, len(content)) + content


def _head(kind: int, count: int) -> bytes:
    if count < 24:
        return bytes([kind << 5 | count])
    for low, width in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if count < 1 << 8 * width:
            return bytes([kind << 5 | low]) + count.to_bytes(width, "big")
    raise Unreadable("integer overflow")
