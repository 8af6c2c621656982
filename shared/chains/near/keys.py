"""The texts of keys and hashes: `ed25519:` and Base58 without a checksum, as the ledger's tools write them.

A text is never repaired, and each 32 bytes have one text. No secret is read or written here.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from shared.base58 import BITCOIN_ALPHABET
from shared.errors import NearKeyRefused

_PREFIX: Final = "ed25519:"
_DIGITS: Final = {letter: digit for digit, letter in enumerate(BITCOIN_ALPHABET)}


@lru_cache(maxsize=8192)
def key_text(public_key: bytes) -> str:
    """Write a public key (32 bytes) as `ed25519:...`."""
    return _PREFIX + base58_text(public_key)


@lru_cache(maxsize=8192)
def parse_key(text: str) -> bytes:
    """Read a public key of 32 bytes.

    Raises:
        NearKeyRefused: for every other text, keys of other curves included.
    """
    if not text.startswith(_PREFIX):
        raise NearKeyRefused(f"a public key is written {_PREFIX}..., not {text[:80]!r}")
    return parse_base58(text[len(_PREFIX) :], 32)


def implicit_account(public_key: bytes) -> str:
    """Give the account that a public key (32 bytes) controls by itself: its bytes in lower-case hex."""
    if len(public_key) != 32:
        raise NearKeyRefused("an ed25519 public key has 32 bytes")
    return public_key.hex()


def base58_text(raw: bytes) -> str:
    """Write bytes in Base58 without a checksum; ids of transactions and blocks are 32 bytes so written."""
    number = int.from_bytes(raw, "big")
    letters = []
    while number:
        number, digit = divmod(number, 58)
        letters.append(BITCOIN_ALPHABET[digit])
    zeros = len(raw) - len(raw.lstrip(b"\0"))
    return BITCOIN_ALPHABET[0] * zeros + "".join(reversed(letters))


def parse_base58(text: str, width: int) -> bytes:
    """Read a Base58 text of exactly `width` bytes.

    Raises:
        NearKeyRefused: for every text that `base58_text` does not write of so many bytes.
    """
    number = 0
    for letter in text if len(text) <= 2 * width else "!":
        if letter not in _DIGITS:
            raise NearKeyRefused(f"not {width} bytes in Base58: {text[:80]!r}")
        number = number * 58 + _DIGITS[letter]
    raw = number.to_bytes(width, "big") if number.bit_length() <= 8 * width else b""
    if base58_text(raw) != text:
        raise NearKeyRefused(f"not {width} bytes in Base58: {text[:80]!r}")
    return raw
