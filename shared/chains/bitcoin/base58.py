"""Base58Check as Bitcoin's addresses have it. It never repairs a text: one wrong character is a wrong checksum."""

from __future__ import annotations

from shared.chains.bitcoin.hashes import double_sha256

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_DIGITS = {character: digit for digit, character in enumerate(ALPHABET)}
_LONGEST = 40


def encode_check(payload: bytes) -> str:
    """Write bytes with their checksum: four bytes of a double SHA-256."""
    whole = payload + double_sha256(payload)[:4]
    number = int.from_bytes(whole, "big")
    text = []
    while number:
        number, digit = divmod(number, 58)
        text.append(ALPHABET[digit])
    zeros = len(whole) - len(whole.lstrip(b"\0"))
    return ALPHABET[0] * zeros + "".join(reversed(text))


def decode_check(text: str) -> bytes | None:
    """Read what `encode_check` writes; None for every other text."""
    if not 0 < len(text) <= _LONGEST:
        return None
    number = 0
    for character in text:
        digit = _DIGITS.get(character)
        if digit is None:
            return None
        number = number * 58 + digit
    zeros = len(text) - len(text.lstrip(ALPHABET[0]))
    whole = bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")
    payload, checksum = whole[:-4], whole[-4:]
    return payload if double_sha256(payload)[:4] == checksum else None
