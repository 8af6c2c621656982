"""Base58 texts of keys, signatures and hashes, and rules of account ids, all by nearcore's own crates (pyonear)."""

from __future__ import annotations

import hashlib
import re
from typing import Final

from pyonear.account_id import AccountId
from pyonear.crypto import (
    ED25519PublicKey,
    ED25519Signature,
    Secp256K1PublicKey,
    Secp256K1Signature,
)
from pyonear.crypto_hash import CryptoHash
from pyonear.error.exception import ParseKeyError, ParseSignatureError

SYSTEM: Final = "system"
NOBODYS_KEY: Final = "ed25519:11111111111111111111111111111111"
"""What refunds of deposits are signed by."""
NO_CODE: Final = "1" * 32

_RECOVERY_IDS: Final = 4
_IMPLICIT: Final = re.compile(r"[0-9a-f]{64}")
_ETH: Final = re.compile(r"0x[0-9a-f]{40}")
_DETERMINISTIC: Final = re.compile(r"0s[0-9a-f]{40}")


def base58_hash(data: bytes) -> str:
    """Give the SHA-256 of some bytes as Base58."""
    return str(CryptoHash(hashlib.sha256(data).digest()))


def hash_text(digest: bytes) -> str:
    """Give 32 bytes as Base58."""
    return str(CryptoHash(digest))


def is_hash(text: str) -> bool:
    """Say whether a text is the Base58 of 32 bytes."""
    try:
        CryptoHash.from_str(text)
    except ValueError:
        return False
    return True


def key_text(kind: int, data: bytes) -> str:
    """Give a public key's text by its kind on the wire: 0 is ed25519 with 32 bytes, 1 secp256k1 with 64."""
    return str(ED25519PublicKey(data) if kind == 0 else Secp256K1PublicKey(data))


def signature_text(kind: int, data: bytes) -> str:
    """Give a signature's text by its kind on the wire: 0 is ed25519 with 64 bytes, 1 secp256k1 with 65.

    Raises:
        ValueError: no signature has these bytes.
    """
    if kind == 1 and data[-1] >= _RECOVERY_IDS:
        raise ValueError(f"recovery id {data[-1]}")
    try:
        return str(ED25519Signature(data) if kind == 0 else Secp256K1Signature(data))
    except ParseSignatureError as error:
        raise ValueError(str(error)) from None


def is_key(text: str) -> bool:
    """Say whether a text is a public key."""
    try:
        (Secp256K1PublicKey if text.startswith("secp256k1:") else ED25519PublicKey).from_str(text)
    except ParseKeyError:
        return False
    return text.startswith(("ed25519:", "secp256k1:"))


def signed_by(key: str, signature: str, payload: bytes) -> bool:
    """Say whether a signature is the key's over the payload."""
    if key.startswith("ed25519:") and signature.startswith("ed25519:"):
        return ED25519Signature.from_str(signature).verify(payload, ED25519PublicKey.from_str(key))
    if key.startswith("secp256k1:") and signature.startswith("secp256k1:"):
        return Secp256K1Signature.from_str(signature).verify(payload, Secp256K1PublicKey.from_str(key))
    return False


def implicit_key(account: str) -> str:
    """Give the key that a 64-digit account is born with."""
    return key_text(0, bytes.fromhex(account))


def is_account(text: str) -> bool:
    """Say whether a text is an account id."""
    try:
        AccountId.validate(text)
    except ValueError:
        return False
    return True


def is_implicit(account: str) -> bool:
    """Say whether an account is named by its ed25519 key."""
    return _IMPLICIT.fullmatch(account) is not None


def is_eth(account: str) -> bool:
    """Say whether an account is an Ethereum-implicit one (NEP-518)."""
    return _ETH.fullmatch(account) is not None


def is_born_by_transfer(account: str) -> bool:
    """Say whether a transfer makes this account where it is missing: implicit, 0x (NEP-518) or 0s (NEP-616)."""
    return is_implicit(account) or is_eth(account) or _DETERMINISTIC.fullmatch(account) is not None
