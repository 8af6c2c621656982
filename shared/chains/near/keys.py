"""The texts of keys and hashes: `ed25519:` and Base58 without a checksum, as the ledger's tools write them.

A text is never repaired, and each 32 bytes have one text. No secret is read or written here.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from shared.base58 import BITCOIN_ALPHABET, Base58
from shared.errors import NearKeyRefused

_PREFIX: Final = "ed25519:"
_BASE58: Final = Base58(BITCOIN_ALPHABET, 88)  # 64 bytes fill 88 letters


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


@lru_cache(maxsize=8192)  # a request names the same base block again and again
def base58_text(raw: bytes) -> str:
    """Write bytes in Base58 without a checksum; ids of transactions and blocks are 32 bytes so written."""
    return _BASE58.encode(raw)


def parse_base58(text: str, width: int) -> bytes:
    """Read a Base58 text of exactly `width` bytes.

    Raises:
        NearKeyRefused: for every text that `base58_text` does not write of so many bytes.
    """
    raw = _BASE58.decode(text)
    if raw is None or len(raw) != width:
        raise NearKeyRefused(f"not {width} bytes in Base58: {text[:80]!r}")
    return raw
