"""Taproot (BIP341): output keys, leaves and control blocks. Keys here are public; secrets never come here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import coincurve

from shared.chains.bitcoin.hashes import tagged
from shared.chains.bitcoin.script import segwit
from shared.chains.bitcoin.sizes import compact
from shared.errors import BitcoinKeyRefused

LEAF_VERSION: Final = 0xC0


@dataclass(frozen=True, slots=True)
class OutputKey:
    """A taproot output key: 32 bytes, and whether its point has an odd y, which control blocks tell."""

    x_only: bytes
    odd: bool

    @property
    def script(self) -> bytes:
        """Give the output script that pays to the key."""
        return segwit(1, self.x_only)


def point_of(public_key: bytes) -> coincurve.PublicKey:
    """Read a public key of 33 bytes.

    Raises:
        BitcoinKeyRefused: for bytes that are no compressed point.
    """
    if len(public_key) != 33:  # 65 bytes would be a point as well
        raise BitcoinKeyRefused("a public key is compressed to 33 bytes")
    return _point(public_key)


@lru_cache(maxsize=4096)
def output_key(internal_key: bytes, root: bytes = b"") -> OutputKey:
    """Tweak an internal key of 32 bytes by a root of scripts; none for a wallet's own key (BIP86).

    Raises:
        BitcoinKeyRefused: for bytes that are no x coordinate of a point.
    """
    if len(internal_key) != 32:
        raise BitcoinKeyRefused("a taproot key has 32 bytes")
    tweak = tagged("TapTweak", internal_key + root)
    try:
        point = _point(b"\2" + internal_key).add(tweak).format()
    except ValueError:  # a tweak beyond the order: once in 2^128
        raise BitcoinKeyRefused("the taproot tweak is no number of the curve") from None
    return OutputKey(point[1:], point[0] == 3)


def bip86_script(internal_key: bytes) -> bytes:
    """Give the script that pays to a key alone."""
    return output_key(internal_key).script


def leaf_hash(script: bytes, version: int = LEAF_VERSION) -> bytes:
    """Give the hash of a script as a leaf."""
    return tagged("TapLeaf", bytes([version]) + compact(len(script)) + script)


def branch_hash(one: bytes, other: bytes) -> bytes:
    """Give the hash of two neighbours; the smaller comes first."""
    return tagged("TapBranch", min(one, other) + max(one, other))


def control_block(
    internal_key: bytes, root: bytes, path: tuple[bytes, ...] = (), version: int = LEAF_VERSION
) -> bytes:
    """Give what shows that a leaf belongs to an output: parity, internal key and the neighbours up to the root."""
    return bytes([version | output_key(internal_key, root).odd]) + internal_key + b"".join(path)


@lru_cache(maxsize=4096)
def _point(public_key: bytes) -> coincurve.PublicKey:
    if public_key[0] not in (2, 3):
        raise BitcoinKeyRefused("the bytes are no compressed point of secp256k1")
    try:
        return coincurve.PublicKey(public_key)
    except ValueError:
        raise BitcoinKeyRefused("the bytes are no point of secp256k1") from None
