"""Segwit addresses as text: Bech32 for version 0 (BIP173), Bech32m for others (BIP350). Nothing is ever repaired."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

_LETTERS: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_DIGITS: Final = {letter: digit for digit, letter in enumerate(_LETTERS)}
_GENERATOR: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_BECH32: Final = 1
_BECH32M: Final = 0x2BC830A3
_LONGEST: Final = 90


def encode_segwit(words: str, version: int, program: bytes) -> str:
    """Write a witness version and program behind a network's human-readable part."""
    digits = [version, *_in_fives(program)]
    check = _polymod(_expanded(words) + digits + [0] * 6) ^ (_BECH32M if version else _BECH32)
    digits += [check >> 5 * (5 - place) & 31 for place in range(6)]
    return f"{words}1{''.join(_LETTERS[digit] for digit in digits)}"


def decode_segwit(text: str) -> tuple[str, int, bytes] | None:
    """Read a segwit address as its human-readable part, version and program; None for every other text.

    BIP173: all letters are small or all are capital; the last digit's spare bits are zero; a program has 2 to
    40 bytes, in version 0 it has 20 or 32.
    """
    if len(text) > _LONGEST or text not in (text.lower(), text.upper()) or not text.isascii():
        return None
    words, separator, rest = text.lower().rpartition("1")
    if not (separator and words and len(rest) >= 7 and all(letter in _DIGITS for letter in rest)):
        return None
    digits = [_DIGITS[letter] for letter in rest]
    version, program = digits[0], _in_bytes(digits[1:-6])
    if _polymod(_expanded(words) + digits) != (_BECH32M if version else _BECH32) or version > 16:
        return None
    if program is None or not 2 <= len(program) <= 40 or (version == 0 and len(program) not in (20, 32)):
        return None
    return words, version, program


def _expanded(words: str) -> list[int]:
    return [ord(letter) >> 5 for letter in words] + [0] + [ord(letter) & 31 for letter in words]


def _polymod(digits: Iterable[int]) -> int:
    check = 1
    for digit in digits:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ digit
        for place, term in enumerate(_GENERATOR):
            if top >> place & 1:
                check ^= term
    return check


def _in_fives(program: bytes) -> list[int]:
    spare = -len(program) * 8 % 5
    number, count = int.from_bytes(program, "big") << spare, (len(program) * 8 + spare) // 5
    return [number >> 5 * (count - 1 - place) & 31 for place in range(count)]


def _in_bytes(digits: list[int]) -> bytes | None:
    number = 0
    for digit in digits:
        number = number << 5 | digit
    spare = len(digits) * 5 % 8
    if spare > 4 or number & ((1 << spare) - 1):
        return None
    return (number >> spare).to_bytes(len(digits) * 5 // 8, "big")
