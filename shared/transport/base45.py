"""Frames as text for alphanumeric QR: a prefix and strict base45 (RFC 9285).

Two bytes become three letters, least significant first; a single last byte becomes two. One text
for each byte string: the decoder refuses letters outside the alphabet, impossible lengths and
groups beyond the largest value.
"""

from __future__ import annotations

from shared.errors import BadFrame

PREFIX = "LG:"  # lets a person, or another reader, see whose frame this is

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_DIGITS = {letter: value for value, letter in enumerate(_ALPHABET)}
_PAIRS = tuple(low + high for high in _ALPHABET for low in _ALPHABET)  # value -> its two low letters


def as_text(frame: bytes) -> str:
    """Write a frame as the text of its symbol."""
    return PREFIX + encode(frame)


def from_text(text: str) -> bytes:
    """Read a frame from the text of a symbol.

    Raises:
        BadFrame: a symbol that is none of ours.
    """
    if not text.startswith(PREFIX):
        raise BadFrame("a QR symbol that is not ours")
    return decode(text[len(PREFIX) :])


def bytes_in(letters: int) -> int:
    """Say how many bytes of frame fit a text of that many letters."""
    return (letters - len(PREFIX)) // 3 * 2 + ((letters - len(PREFIX)) % 3) // 2


def encode(plain: bytes) -> str:
    """Write bytes as base45."""
    groups = []
    for start in range(0, len(plain) - 1, 2):
        high, low = divmod(plain[start] << 8 | plain[start + 1], 2025)
        groups.append(_PAIRS[low] + _ALPHABET[high])
    if len(plain) % 2:
        groups.append(_PAIRS[plain[-1]])
    return "".join(groups)


def decode(text: str) -> bytes:
    """Read base45.

    Raises:
        BadFrame: not the base45 of any bytes.
    """
    try:
        digits = [_DIGITS[letter] for letter in text]
    except KeyError as error:
        raise BadFrame("a letter outside base45") from error
    plain = bytearray()
    for start in range(0, len(digits), 3):
        plain += _group(digits[start : start + 3])
    return bytes(plain)


def _group(digits: list[int]) -> bytes:
    value = 0
    for digit in reversed(digits):
        value = value * 45 + digit
    size = len(digits) - 1
    if size == 0 or value >> 8 * size:
        raise BadFrame("a group of letters that stands for no bytes")
    return value.to_bytes(size, "big")
