"""The hashes that Bitcoin is made of: double SHA-256, RIPEMD-160 of SHA-256, and BIP340's tagged hashes."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from hashlib import sha256

from shared.errors import NoRipemd160


def double_sha256(blob: bytes) -> bytes:
    """Give SHA-256 of SHA-256."""
    return sha256(sha256(blob).digest()).digest()


@lru_cache(maxsize=4096)
def hash160(blob: bytes) -> bytes:
    """Give RIPEMD-160 of SHA-256.

    Raises:
        NoRipemd160: where the system's OpenSSL lacks the hash.
    """
    try:
        digest = hashlib.new("ripemd160")
    except ValueError:
        raise NoRipemd160("this Python cannot compute RIPEMD-160") from None
    digest.update(sha256(blob).digest())
    return digest.digest()


def tagged(tag: str, blob: bytes) -> bytes:
    """Give BIP340's hash: the tag's own hash stands twice before the bytes."""
    state = _midstate(tag).copy()
    state.update(blob)
    return state.digest()


@lru_cache(maxsize=32)
def _midstate(tag: str) -> hashlib._Hash:
    name = sha256(tag.encode()).digest()
    return sha256(name + name)
