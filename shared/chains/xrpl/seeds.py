"""Family seeds ("s...", "sEd...") and their keys, for importing wallets and for test vectors.

The vault never uses them: its keys come from BIP32 and SLIP-10. No message here holds a seed or a key.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha512

import coincurve
from nacl.signing import SigningKey

from shared.chains.api import Curve
from shared.chains.xrpl.addresses import ED25519_PREFIX
from shared.chains.xrpl.networks import BASE58
from shared.errors import XrplBadSeed

_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_PREFIXES: dict[bytes, Curve] = {b"\x21": "secp256k1", b"\x01\xe1\x4b": "ed25519"}


@dataclass(frozen=True, slots=True)
class Seed:
    """Sixteen secret bytes and the curve that their prefix names."""

    entropy: bytes = field(repr=False)
    curve: Curve


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A secret key of 32 bytes and its public key as transactions carry it: 33 bytes."""

    curve: Curve
    secret: bytes = field(repr=False)
    public_key: bytes


def decode_seed(text: str) -> Seed:
    """Read a family seed.

    Raises:
        XrplBadSeed: for every other text.
    """
    payload = BASE58.decode_check(text)
    for prefix, curve in _PREFIXES.items():
        if payload is not None and payload.startswith(prefix) and len(payload) == len(prefix) + 16:
            return Seed(payload[len(prefix) :], curve)
    raise XrplBadSeed("the text is no family seed")


def keypair_from_seed(text: str, curve: Curve | None = None) -> KeyPair:
    """Derive the master key of a family seed.

    An "s..." seed may be asked for ed25519, which gives another address.

    Raises:
        XrplBadSeed: for a text that is no seed, and for an "sEd..." seed asked for secp256k1.
    """
    seed = decode_seed(text)
    wanted = curve or seed.curve
    if wanted == "ed25519":
        secret = _half(seed.entropy)
        return KeyPair("ed25519", secret, ED25519_PREFIX + bytes(SigningKey(secret).verify_key))
    if seed.curve != "secp256k1":
        raise XrplBadSeed("the seed is one of ed25519")
    secret = _secp256k1_secret(seed.entropy)
    return KeyPair("secp256k1", secret, coincurve.PrivateKey(secret).public_key.format())


def _secp256k1_secret(entropy: bytes) -> bytes:
    # XRPL: the account's key is root + middle, where middle comes from the root's public key and
    # account number 0.
    root = _first_in_range(entropy)
    public_root = coincurve.PrivateKey(root.to_bytes(32, "big")).public_key.format()
    middle = _first_in_range(public_root + bytes(4))
    return ((root + middle) % _ORDER).to_bytes(32, "big")


def _first_in_range(start: bytes, counter: int = 0) -> int:
    candidate = int.from_bytes(_half(start + counter.to_bytes(4, "big")), "big")
    return candidate if 0 < candidate < _ORDER else _first_in_range(start, counter + 1)


def _half(message: bytes) -> bytes:
    return sha512(message).digest()[:32]
