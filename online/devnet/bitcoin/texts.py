"""The text forms of addresses: base58check, bech32 (BIP173) and bech32m (BIP350). Text and bytes, no meaning."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from online.devnet.bitcoin.wire import hash256

_BASE58: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BECH32: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_BECH32_CONST: Final = 1
_BECH32M_CONST: Final = 0x2BC830A3


class NotAnAddress(ValueError):
    """The text is no address of this network."""


# --- base58check --------------------------------------------------------------------------------------


def base58check(payload: bytes) -> str:
    """Write bytes with their checksum."""
    full = payload + hash256(payload)[:4]
    number, text = int.from_bytes(full, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = _BASE58[digit] + text
    return "1" * (len(full) - len(full.lstrip(b"\x00"))) + text


def base58check_payload(text: str) -> bytes:
    """Read bytes with their checksum.

    Raises:
        NotAnAddress: a strange letter, or a wrong checksum.
    """
    if not text or any(letter not in _BASE58 for letter in text):
        raise NotAnAddress(text)
    number = 0
    for letter in text:
        number = number * 58 + _BASE58.index(letter)
    zeros = len(text) - len(text.lstrip("1"))
    full = b"\x00" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")
    if len(full) < 5 or hash256(full[:-4])[:4] != full[-4:]:
        raise NotAnAddress(text)
    return full[:-4]


# --- bech32 -------------------------------------------------------------------------------------------


def _polymod(values: Iterable[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for at, factor in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= factor if top >> at & 1 else 0
    return check


def _expanded(hrp: str) -> list[int]:
    return [ord(letter) >> 5 for letter in hrp] + [0] + [ord(letter) & 31 for letter in hrp]


def _regroup(values: Iterable[int], width: int, to: int, *, pad: bool) -> list[int]:
    held, bits, out = 0, 0, []
    for value in values:
        held, bits = held << width | value, bits + width
        while bits >= to:
            bits -= to
            out.append(held >> bits & (1 << to) - 1)
    if pad and bits:
        out.append(held << to - bits & (1 << to) - 1)
    elif not pad and (bits >= width or held & (1 << bits) - 1):
        raise NotAnAddress("padding")
    return out


def segwit_address(version: int, program: bytes, hrp: str) -> str:
    """Write a witness program as an address (BIP173, BIP350)."""
    content = [version, *_regroup(program, 8, 5, pad=True)]
    const = _BECH32_CONST if version == 0 else _BECH32M_CONST
    check = _polymod([*_expanded(hrp), *content, 0, 0, 0, 0, 0, 0]) ^ const
    content += [check >> 5 * (5 - at) & 31 for at in range(6)]
    return f"{hrp}1" + "".join(_BECH32[value] for value in content)


def segwit_program(text: str, hrp: str) -> tuple[int, bytes]:
    """Read the version and program of a segwit address.

    Raises:
        NotAnAddress: it is none of this network.
    """
    lower = text.lower()
    at = lower.rfind("1")
    letters = lower[at + 1:]
    if text not in (lower, text.upper()) or lower[:at] != hrp or len(letters) < 7:
        raise NotAnAddress(text)
    if any(letter not in _BECH32 for letter in letters):
        raise NotAnAddress(text)
    values = [_BECH32.index(letter) for letter in letters]
    version = values[0]
    const = _BECH32_CONST if version == 0 else _BECH32M_CONST
    if version > 16 or _polymod([*_expanded(hrp), *values]) != const:
        raise NotAnAddress(text)
    program = bytes(_regroup(values[1:-6], 5, 8, pad=False))
    if not 2 <= len(program) <= 40 or (version == 0 and len(program) not in (20, 32)):
        raise NotAnAddress(text)
    return version, program
