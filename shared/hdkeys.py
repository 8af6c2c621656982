"""Keys from one seed: BIP32 on secp256k1, SLIP-10 on ed25519 (hardened children only).

On secp256k1 the two standards give the same keys. They differ only where a hash is no valid key, once in
2^127 cases: then this code refuses, and never steps on to another key. Private keys stay out of every
repr and message; the points are coincurve's and PyNaCl's. Written extended keys (xpub, xprv) are in
`shared.xkeys`.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from coincurve import PublicKey
from nacl.signing import SigningKey

from shared.chains.api import Curve, KeyPath
from shared.errors import BadKey, BadKeyPath

HARDENED: Final = 2**31
_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_MASTER: Final[dict[Curve, bytes]] = {"secp256k1": b"Bitcoin seed", "ed25519": b"ed25519 seed"}
_STEP: Final = re.compile(r"(0|[1-9][0-9]{0,9})('?)", re.ASCII)


@dataclass(frozen=True, slots=True)
class PublicNode:
    """A public key on secp256k1 whose further public keys can be derived."""

    public_key: bytes
    chain_code: bytes = field(repr=False)
    depth: int = 0
    parent: bytes = bytes(4)
    number: int = 0

    @property
    def fingerprint(self) -> bytes:
        """The first four bytes of the key's hash, by which its children name it."""
        return _fingerprint(self.public_key)

    def child(self, number: int) -> PublicNode:
        """Derive a public child.

        Raises:
            BadKeyPath: for a hardened number, which needs the private key.
        """
        if not 0 <= number < HARDENED:
            raise BadKeyPath("a public key has no hardened children")
        tweak, chain_code = _split_mac(self.chain_code, self.public_key + number.to_bytes(4, "big"))
        _require_scalar(tweak)
        try:
            public_key = PublicKey(self.public_key).add(tweak).format()
        except ValueError:
            raise BadKey("this child is no valid key") from None
        return PublicNode(public_key, chain_code, _deeper(self.depth), self.fingerprint, number)


@dataclass(frozen=True, slots=True)
class Node:
    """A private key whose further keys can be derived.

    `public_key` has 33 bytes on secp256k1 and 32 on ed25519.
    """

    curve: Curve
    public_key: bytes
    private_key: bytes = field(repr=False)
    chain_code: bytes = field(repr=False)
    depth: int = 0
    parent: bytes = bytes(4)
    number: int = 0

    @property
    def fingerprint(self) -> bytes:
        """The first four bytes of the key's hash, by which its children name it."""
        return _fingerprint(self.public_key.rjust(33, b"\0"))

    def child(self, number: int) -> Node:
        """Derive a child; numbers from 2^31 on are hardened.

        Raises:
            BadKeyPath: for a number out of range, or one not hardened on ed25519.
        """
        if not 0 <= number < 2**32 or (self.curve == "ed25519" and number < HARDENED):
            raise BadKeyPath("ed25519 has hardened children only, and numbers lie below 2^32")
        known = self.public_key if number < HARDENED else b"\0" + self.private_key
        secret, chain_code = _split_mac(self.chain_code, known + number.to_bytes(4, "big"))
        if self.curve == "secp256k1":
            secret = _add(self.private_key, secret)
        return _node(self.curve, secret, chain_code, _deeper(self.depth), self.fingerprint, number)

    def descend(self, path: Iterable[int]) -> Node:
        """Derive along a path."""
        node = self
        for number in path:
            node = node.child(number)
        return node

    def public(self) -> PublicNode:
        """Give the half that may leave the machine.

        Raises:
            BadKey: on ed25519, where nothing can be derived from it.
        """
        if self.curve != "secp256k1":
            raise BadKey("on ed25519 no public key has children")
        return PublicNode(self.public_key, self.chain_code, self.depth, self.parent, self.number)


def master(seed: bytes, curve: Curve) -> Node:
    """Give the root of all keys of a seed (16 to 64 bytes).

    Raises:
        BadKey: for a seed of another length.
    """
    if not 16 <= len(seed) <= 64:
        raise BadKey("a seed has 16 to 64 bytes")
    secret, chain_code = _split_mac(_MASTER[curve], seed)
    if curve == "secp256k1":
        _require_scalar(secret)
    return _node(curve, secret, chain_code, 0, bytes(4), 0)


def derive(seed: bytes, curve: Curve, path: KeyPath) -> Node:
    """Give the key of a seed at a path."""
    return master(seed, curve).descend(path)


def node_from_parts(private_key: bytes, chain_code: bytes, depth: int, parent: bytes, number: int) -> Node:
    """Give the secp256k1 node of an extended private key that was read.

    Raises:
        BadKey: if the private key is zero or too large.
    """
    _require_scalar(private_key)
    return _node("secp256k1", private_key, chain_code, depth, parent, number)


def parse_path(text: str) -> KeyPath:
    """Read a path such as "m/44'/144'/0'/0/7", in this spelling only.

    Raises:
        BadKeyPath: for anything else.
    """
    first, *steps = text.split("/")
    if first != "m" or len(steps) > 255:
        raise BadKeyPath("a path begins with m and has at most 255 steps")
    return tuple(_parse_step(step) for step in steps)


def print_path(path: KeyPath) -> str:
    """Write a path as people read it."""
    return "/".join(["m", *(f"{n - HARDENED}'" if n >= HARDENED else str(n) for n in path)])


def _parse_step(step: str) -> int:
    match = _STEP.fullmatch(step)
    if match is None or int(match[1]) >= HARDENED:
        raise BadKeyPath("a path's step is a number below 2^31, with ' where it is hardened")
    return int(match[1]) + (HARDENED if match[2] else 0)


def _node(curve: Curve, secret: bytes, chain_code: bytes, depth: int, parent: bytes, number: int) -> Node:
    if curve == "secp256k1":
        public_key = PublicKey.from_valid_secret(secret).format()
    else:
        public_key = bytes(SigningKey(secret).verify_key)
    return Node(curve, public_key, secret, chain_code, depth, parent, number)


def _split_mac(key: bytes, message: bytes) -> tuple[bytes, bytes]:
    mac = hmac.digest(key, message, "sha512")
    return mac[:32], mac[32:]


def _add(secret: bytes, tweak: bytes) -> bytes:
    _require_scalar(tweak)
    total = (int.from_bytes(secret, "big") + int.from_bytes(tweak, "big")) % _ORDER
    if total == 0:
        raise BadKey("this child is no valid key")
    return total.to_bytes(32, "big")


def _require_scalar(secret: bytes) -> None:
    if not 0 < int.from_bytes(secret, "big") < _ORDER:
        raise BadKey("this is no valid private key of secp256k1")


def _deeper(depth: int) -> int:
    if depth >= 255:
        raise BadKeyPath("a path has at most 255 steps")
    return depth + 1


def _fingerprint(public_key: bytes) -> bytes:
    return hashlib.new("ripemd160", hashlib.sha256(public_key).digest()).digest()[:4]
