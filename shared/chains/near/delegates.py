"""NEP-366's delegate actions: what a relayer carries out for a key that signs without paying gas.

Their bytes, their hash after NEP-461, and the transaction that a relayer wraps around a signed one. What a delegate
action may do here is in `rules`; a nested one is refused by the codec.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from shared.chains.near import borsh, codec
from shared.chains.near.accounts import LEAST, MOST
from shared.chains.near.borsh import Reader
from shared.chains.near.model import Delegate

NEP366: Final = (2**30 + 366).to_bytes(4, "little")
"""What NEP-461 puts before a delegate action: as the length of a signer it is too long for any account."""

_DELEGATE: Final = b"\x08"


def read_delegate(blob: bytes) -> Delegate:
    """Read a delegate action, the whole of the bytes. Raises as `codec.read_transaction`; a nested one is refused."""
    reader = Reader(blob)
    delegate = take_delegate(reader, blob)
    reader.close()
    return delegate


def take_delegate(reader: Reader, blob: bytes) -> Delegate:
    """Read a delegate action from the front of a reader of these bytes. Raises as `read_delegate`."""
    codec.check_size(blob)
    return Delegate(
        signer=codec.take_account(reader, "the sender"),
        receiver=codec.take_account(reader, "the receiver"),
        actions=codec.take_actions(reader),
        nonce=reader.number(8, "the nonce"),
        max_block_height=reader.number(8, "the last block height"),
        public_key=codec.take_key(reader, "the sender's key"),
    )


def encode_delegate(delegate: Delegate) -> bytes:
    """Write a delegate action. Raises as `codec.encode_transaction`."""
    return b"".join((
        codec.account_bytes(delegate.signer),
        codec.account_bytes(delegate.receiver),
        codec.actions_bytes(delegate.actions),
        borsh.number(delegate.nonce, 8, "the nonce"),
        borsh.number(delegate.max_block_height, 8, "the last block height"),
        codec.key_bytes(delegate.public_key),
    ))


def is_delegate(blob: bytes) -> bool:
    """Say whether bytes can only be a delegate action.

    Behind the first account a transaction has the kind of a key, which is zero, and a delegate action the length of its
    receiver, which is 2 to 64.
    """
    at = 4 + int.from_bytes(blob[:4], "little")
    return LEAST <= int.from_bytes(blob[at : at + 4], "little") <= MOST


def delegate_hash(blob: bytes) -> bytes:
    """Give the 32 bytes that are signed for a delegate action's bytes (NEP-461)."""
    return sha256(NEP366 + blob).digest()


def read_signed(blob: bytes) -> tuple[Delegate, bytes]:
    """Read a signed delegate action: the action, and its signature (64 bytes), which is not verified here.

    Raises:
        NearRefusal, BadAddress: as `read_delegate`, and for what is no signature.
    """
    reader = Reader(blob)
    delegate = take_delegate(reader, blob)
    signature = codec.take_signature(reader)
    reader.close()
    return delegate, signature


def relayed(signed: bytes, relayer: str, public_key: bytes, nonce: int, block_hash: bytes) -> bytes:
    """Build the unsigned transaction by which a relayer carries out one signed delegate action.

    NEP-366: its receiver is the delegate's sender, and it holds that one action. `public_key` and `block_hash` have 32
    bytes. A wallet's signer never signs this; it is for a relayer's own key.

    Raises:
        NearRefusal, BadAddress: for bytes that are no signed delegate action, and for terms that have no encoding.
    """
    delegate, _ = read_signed(signed)
    return b"".join((
        codec.account_bytes(relayer),
        codec.key_bytes(public_key),
        borsh.number(nonce, 8, "the nonce"),
        codec.account_bytes(delegate.signer),
        borsh.fixed(block_hash, 32, "the block hash"),
        borsh.number(1, 4, "the actions"),
        _DELEGATE,
        signed,
    ))
