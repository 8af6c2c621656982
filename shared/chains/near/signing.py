"""What is signed, what a good signature is, and how signed bytes are put together.

Never trusts a signature: each is verified before it becomes part of a blob. ed25519 signs the SHA-256 of the unsigned
bytes; of a delegate action those of NEP-461, a number that no transaction can begin with stands before them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256

from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from shared.chains.api import Payload, Signed
from shared.chains.near.codec import signature_bytes
from shared.chains.near.delegates import delegate_hash
from shared.chains.near.keys import base58_text
from shared.chains.near.model import Delegate, Transaction, Tx
from shared.errors import NearBadSignature


def payloads(tx: Tx) -> tuple[Payload, ...]:
    """Say what the one key is to sign: the 32 bytes of the hash, by ed25519."""
    return (Payload(tx.path, "ed25519", tx.inner.public_key, hash_of(tx.inner, tx.unsigned)),)


def assemble(tx: Tx, signatures: Sequence[bytes]) -> Signed:
    """Verify the signature and give the signed transaction, or the signed delegate action, with the id of its hash.

    Raises:
        NearBadSignature: for other than one signature of 64 bytes that verifies.
    """
    if len(signatures) != 1:
        raise NearBadSignature(f"one signature is needed, not {len(signatures)}")
    digest = hash_of(tx.inner, tx.unsigned)
    verify(tx.inner.public_key, digest, signatures[0])
    return Signed(tx.unsigned + signature_bytes(signatures[0]), base58_text(digest))


def hash_of(inner: Transaction | Delegate, unsigned: bytes) -> bytes:
    """Give the hash that is signed and that names a transaction, 32 bytes; signatures are no part of it."""
    return delegate_hash(unsigned) if isinstance(inner, Delegate) else sha256(unsigned).digest()


def verify(public_key: bytes, message: bytes, signature: bytes) -> None:
    """Check an ed25519 signature (64 bytes) by a public key (32 bytes).

    Raises:
        NearBadSignature: when it does not verify.
    """
    try:
        _key(public_key).verify(message, signature)
    except (BadSignatureError, ValueError):
        raise NearBadSignature("the ed25519 signature does not verify") from None


@lru_cache(maxsize=256)
def _key(public_key: bytes) -> VerifyKey:
    return VerifyKey(public_key)
