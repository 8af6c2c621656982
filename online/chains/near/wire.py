"""The bytes of a transaction or a delegate action, signed or not, as far as the gateway needs them."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from shared.chains.near.borsh import Reader
from shared.chains.near.codec import encode_transaction, take_signature, take_transaction
from shared.chains.near.delegates import delegate_hash, encode_delegate, take_delegate
from shared.chains.near.keys import base58_text, key_text
from shared.chains.near.model import Delegate, Transaction
from shared.errors import NearMalformed


@dataclass(frozen=True, slots=True)
class Signed:
    """What the bytes say; the hash is that of the unsigned part, so that it is known before any signature."""

    tx: Transaction
    tx_hash: str

    @property
    def signer(self) -> str:
        """The paying account."""
        return self.tx.signer

    @property
    def key_text(self) -> str:
        """The signing key, "ed25519:..."."""
        return key_text(self.tx.public_key)

    @property
    def block_hash(self) -> str:
        """The block that it was built on, in Base58."""
        return base58_text(self.tx.block_hash)


def read_blob(blob: bytes) -> Signed:
    """Read an unsigned transaction, or one with its signature behind it.

    Raises:
        NearRefusal: for bytes that are neither.
    """
    reader = Reader(blob)
    tx = take_transaction(reader, blob)
    unsigned = encode_transaction(tx)
    if blob[: len(unsigned)] != unsigned:
        raise NearMalformed("the bytes are not the one encoding of their transaction")
    if len(blob) > len(unsigned):
        take_signature(reader)
    reader.close()
    return Signed(tx, base58_text(sha256(unsigned).digest()))


@dataclass(frozen=True, slots=True)
class Delegated:
    """What a delegate action's bytes say; the hash is NEP-461's, which stands in no block."""

    action: Delegate
    hash: str

    @property
    def key_text(self) -> str:
        """The signing key, "ed25519:..."."""
        return key_text(self.action.public_key)


def read_delegated(blob: bytes) -> Delegated:
    """Read a delegate action, or one with its signature behind it. Raises NearRefusal, BadAddress."""
    reader = Reader(blob)
    action = take_delegate(reader, blob)
    unsigned = encode_delegate(action)
    if len(blob) > len(unsigned):
        take_signature(reader)
    reader.close()
    return Delegated(action, base58_text(delegate_hash(unsigned)))
