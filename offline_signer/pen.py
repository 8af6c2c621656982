"""The pen: signs by algorithm and never by chain, deterministically, and verifies every signature before it leaves.

Signatures are raw 64 bytes: r || s with low s (RFC 6979), BIP340 with zero auxiliary bytes, or Ed25519 (RFC 8032).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache
from typing import Final

import coincurve
from coincurve.ecdsa import cdata_to_der, deserialize_compact
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from offline_signer.vault import Vault
from shared.chains.api import Algorithm, Curve, KeyPath, Payload
from shared.errors import BadPen, WrongKey

_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
"""The number of points on secp256k1 (SEC 2)."""

Stroke = Callable[[bytes], bytes]
"""Signs one message with one key: 32 bytes of digest for secp256k1, the whole message for ed25519."""


class Pens:
    """The keys that one ceremony needs, each readied once."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._ready: dict[tuple[Algorithm, KeyPath], tuple[Stroke, bytes]] = {}

    def ready(self, payload: Payload) -> Stroke:
        """Give the function that signs a payload, once its key proves to be the one that the transaction names.

        Raises:
            WrongKey: if the key path does not lead to the payload's public key.
        """
        place = (payload.algorithm, payload.path)
        known = self._ready.get(place)
        if known is None:
            curve: Curve = "ed25519" if payload.algorithm == "ed25519" else "secp256k1"
            secret = self._vault.node(curve, payload.path).private_key
            known = self._ready[place] = _STROKES[payload.algorithm](secret)
        stroke, public_key = known
        if public_key != payload.public_key:
            raise WrongKey(f"the key path does not lead to the public key {payload.public_key.hex()}")
        return stroke


def sign(payload: Payload, stroke: Stroke) -> bytes:
    """Sign a payload and verify the signature with the public key that the transaction names.

    Raises:
        BadPen: if it does not verify; nothing has left then.
    """
    signature = stroke(payload.message)
    if len(signature) != 64 or not _verifies(payload, signature):
        raise BadPen("a signature did not verify after it was made")
    return signature


def _ecdsa(secret: bytes) -> tuple[Stroke, bytes]:
    key = coincurve.PrivateKey(secret)

    def stroke(digest: bytes) -> bytes:
        # 65 bytes: r || s || recovery id. libsecp256k1 gives the low s and RFC 6979 nonces.
        return key.sign_recoverable(digest, hasher=None)[:64]

    return stroke, key.public_key.format(compressed=True)


def _schnorr(secret: bytes) -> tuple[Stroke, bytes]:
    key = coincurve.PrivateKey(secret)
    return lambda digest: key.sign_schnorr(digest, bytes(32)), key.public_key.format(compressed=True)[1:]


def _tweaked_schnorr(secret: bytes) -> tuple[Stroke, bytes]:
    """Give the key of a taproot output without scripts (BIP341, BIP86): the secret, even-sided, plus its own tweak."""
    point = coincurve.PrivateKey(secret).public_key.format(compressed=True)
    even = secret if point[0] == 2 else (_ORDER - int.from_bytes(secret, "big")).to_bytes(32, "big")
    tag = hashlib.sha256(b"TapTweak").digest()
    return _schnorr(coincurve.PrivateKey(even).add(hashlib.sha256(tag + tag + point[1:]).digest()).secret)


def _ed25519(secret: bytes) -> tuple[Stroke, bytes]:
    key = SigningKey(secret)
    return lambda message: key.sign(message).signature, key.verify_key.encode()


def _verifies(payload: Payload, signature: bytes) -> bool:
    if payload.algorithm == "ed25519":
        try:
            VerifyKey(payload.public_key).verify(payload.message, signature)
        except BadSignatureError:
            return False
        return True
    if payload.algorithm != "ecdsa-secp256k1":
        return coincurve.PublicKeyXOnly(payload.public_key).verify(signature, payload.message)
    try:
        der = cdata_to_der(deserialize_compact(signature))
    except ValueError:  # r or s is beyond the group's order
        return False
    return _point(payload.public_key).verify(der, payload.message, hasher=None)


@lru_cache(maxsize=1024)
def _point(public_key: bytes) -> coincurve.PublicKey:
    return coincurve.PublicKey(public_key)


_STROKES: dict[Algorithm, Callable[[bytes], tuple[Stroke, bytes]]] = {
    "ecdsa-secp256k1": _ecdsa,
    "schnorr-bip340": _schnorr,
    "schnorr-bip341": _tweaked_schnorr,
    "ed25519": _ed25519,
}
