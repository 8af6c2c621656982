"""Signs NEAR transactions for the devnet's tests by nearcore's own crates (pyonear), which knows nothing of ours.

Delegate actions are written here byte by byte, since pyonear has none (NEP-366: signed with the prefix 2^30 + 366).
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable
from typing import Any

from pyonear.account import AccessKey, AccessKeyPermissionFieldless, FunctionCallPermission
from pyonear.account_id import AccountId
from pyonear.crypto import ED25519PublicKey, ED25519SecretKey, InMemorySigner
from pyonear.crypto_hash import CryptoHash
from pyonear.transaction import Transaction

from online.devnet.near import NearWorld

TGAS = 10**12
NEAR = 10**24
Write = Callable[[Transaction], Transaction]


class Wallet:
    """An account with one key of its own, made from a word."""

    def __init__(self, word: str, account: str | None = None) -> None:
        self.secret = ED25519SecretKey.from_seed(word)
        self.key = str(self.secret.public_key())
        self.account = account or bytes(self.secret.public_key())[-32:].hex()

    def signs(self, world: NearWorld, receiver: str, *writes: Write, nonce: int | None = None,
              base: str | None = None) -> bytes:
        """Give a signed transaction; the nonce is the key's next and the base the newest final block unless told."""
        if nonce is None:
            nonce = world.keys(self.account)[self.key].nonce + 1
        tx = Transaction(AccountId(self.account), self.secret.public_key(), nonce, AccountId(receiver),
                         CryptoHash.from_str(base or world.chain.final.hash), [])
        for write in writes:
            tx = write(tx)
        return bytes(tx.sign(InMemorySigner.from_secret_key(AccountId(self.account), self.secret)))

    def delegates(self, receiver: str, *actions: bytes, nonce: int, height_most: int) -> bytes:
        """Give a delegate action with its signature, in borsh."""
        body = (_text(self.account) + _text(receiver) + struct.pack("<I", len(actions)) + b"".join(actions)
                + struct.pack("<QQ", nonce, height_most) + b"\0" + bytes(self.secret.public_key())[-32:])
        digest = hashlib.sha256(struct.pack("<I", 2**30 + 366) + body).digest()
        return body + b"\0" + bytes(self.secret.sign(digest))[-64:]

    def relays(self, world: NearWorld, sender: str, delegate: bytes) -> bytes:
        """Give a signed transaction that brings somebody's delegate action."""
        nonce = world.keys(self.account)[self.key].nonce + 1
        body = (_text(self.account) + b"\0" + bytes(self.secret.public_key())[-32:] + struct.pack("<Q", nonce)
                + _text(sender) + bytes(CryptoHash.from_str(world.chain.final.hash)) + struct.pack("<I", 1) + b"\x08"
                + delegate)
        return body + b"\0" + bytes(self.secret.sign(hashlib.sha256(body).digest()))[-64:]


def _text(text: str) -> bytes:
    return struct.pack("<I", len(text.encode())) + text.encode()


def call_bytes(method: str, args: dict[str, Any], gas: int, deposit: int) -> bytes:
    """Write a function call in borsh."""
    body = json.dumps(args).encode()
    return (b"\x02" + _text(method) + struct.pack("<I", len(body)) + body + struct.pack("<Q", gas)
            + deposit.to_bytes(16, "little"))


def transfer_bytes(yocto: int) -> bytes:
    """Write a transfer in borsh."""
    return b"\x03" + yocto.to_bytes(16, "little")


def transfer(yocto: int) -> Write:
    """Transfer."""
    return lambda tx: tx.transfer(yocto)


def call(method: str, args: dict[str, Any], *, gas: int = 30 * TGAS, deposit: int = 0) -> Write:
    """Call a method with arguments in JSON."""
    return lambda tx: tx.function_call(method, json.dumps(args).encode(), gas, deposit)


def ft_transfer(receiver: str, units: int, *, gas: int = 30 * TGAS, deposit: int = 1) -> Write:
    """Transfer tokens."""
    return call("ft_transfer", {"receiver_id": receiver, "amount": str(units)}, gas=gas, deposit=deposit)


def add_key(key: str, *, calls: str | None = None, allowance: int | None = None) -> Write:
    """Add a full-access key, or one that may only call a contract."""
    if calls is None:
        access = AccessKey(0, AccessKeyPermissionFieldless.FullAccess)
    else:
        access = AccessKey(0, FunctionCallPermission(calls, [], allowance))
    return lambda tx: tx.add_key(ED25519PublicKey.from_str(key), access)


def delete_key(key: str) -> Write:
    """Delete a key."""
    return lambda tx: tx.delete_key(ED25519PublicKey.from_str(key))


def delete_account(beneficiary: str) -> Write:
    """Delete the account."""
    return lambda tx: tx.delete_account(AccountId(beneficiary))
