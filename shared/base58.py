"""Base58, with and without a checksum, in any alphabet. It never repairs a text: each bytes have one text.

Base58Check's checksum is four bytes of a double SHA-256. A text that is read can be a secret: nothing here prints one.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final


class Base58:
    """One alphabet of 58 letters, and the longest text that is read in it."""

    def __init__(self, alphabet: str, longest: int) -> None:
        self._alphabet, self._longest = alphabet, longest
        self._digits = {letter: digit for digit, letter in enumerate(alphabet)}

    def encode(self, whole: bytes) -> str:
        """Write bytes without a checksum; each zero byte at the front is the alphabet's first letter."""
        number = int.from_bytes(whole, "big")
        text = []
        while number:
            number, digit = divmod(number, 58)
            text.append(self._alphabet[digit])
        zeros = len(whole) - len(whole.lstrip(b"\0"))
        return self._alphabet[0] * zeros + "".join(reversed(text))

    def decode(self, text: str) -> bytes | None:
        """Read what `encode` writes; None for every other text."""
        if len(text) > self._longest:
            return None
        number = 0
        for letter in text:
            digit = self._digits.get(letter)
            if digit is None:
                return None
            number = number * 58 + digit
        zeros = len(text) - len(text.lstrip(self._alphabet[0]))
        return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")

    def encode_check(self, payload: bytes) -> str:
        """Write bytes with their checksum."""
        return self.encode(payload + _checksum(payload))

    def decode_check(self, text: str) -> bytes | None:
        """Read what `encode_check` writes; None for every other text."""
        whole = self.decode(text)
        if whole is None or len(whole) < _CHECKSUM_SIZE:
            return None
        payload, checksum = whole[:-_CHECKSUM_SIZE], whole[-_CHECKSUM_SIZE:]
        return payload if _checksum(payload) == checksum else None


BITCOIN_ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
"""Bitcoin's letters, which BIP32's extended keys and most ledgers use too."""

_CHECKSUM_SIZE: Final = 4


def _checksum(payload: bytes) -> bytes:
    return sha256(sha256(payload).digest()).digest()[:_CHECKSUM_SIZE]
