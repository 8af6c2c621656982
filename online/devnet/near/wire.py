"""Reads signed transactions: `pyonear` decides what is one, and a second small reader says what it does.

pyonear (near-primitives 0.15) knows no delegate action, so the reader takes that apart itself (NEP-366, NEP-461) and
hands pyonear the inner actions in a transaction of their own. Version 1 is told apart and refused as nearcore words it.
"""

from __future__ import annotations

import hashlib
import struct
from typing import Final

from pyonear.transaction import SignedTransaction, Transaction, verify_transaction_signature

from online.devnet.near.actions import (
    AccessKey,
    Action,
    AddKey,
    Calls,
    CreateAccount,
    Delegate,
    DeleteAccount,
    DeleteKey,
    DeployContract,
    FunctionCall,
    SignedTx,
    Stake,
    Transfer,
)
from online.devnet.near.texts import hash_text, is_account, key_text, signature_text, signed_by

DELEGATE_TAG: Final = struct.pack("<I", (1 << 30) + 366)
_KEY_BYTES: Final = (32, 64)
_SIGNATURE_BYTES: Final = (64, 65)


class Unreadable(ValueError):
    """The bytes are no signed transaction of version 0."""


class OtherVersion(Unreadable):
    """The bytes are a transaction of a version that this world does not take."""


class BadSignature(ValueError):
    """The transaction's signature is not its key's."""


class _Reader:
    def __init__(self, raw: bytes) -> None:
        self.raw, self.at = raw, 0

    def take(self, count: int) -> bytes:
        if self.at + count > len(self.raw):
            raise Unreadable("unexpected end of bytes")
        self.at += count
        return self.raw[self.at - count:self.at]

    def number(self, width: int) -> int:
        return int.from_bytes(self.take(width), "little")

    def blob(self) -> bytes:
        return self.take(self.number(4))

    def text(self) -> str:
        try:
            return self.blob().decode()
        except UnicodeDecodeError:
            raise Unreadable("text is not UTF-8") from None

    def account(self) -> str:
        text = self.text()
        if not is_account(text):
            raise Unreadable(f"no account id: {text[:80]!r}")
        return text

    def option(self) -> bool:
        tag = self.number(1)
        if tag > 1:
            raise Unreadable(f"option tag {tag}")
        return tag == 1

    def key(self) -> str:
        kind = self.number(1)
        if kind >= len(_KEY_BYTES):
            raise Unreadable(f"kind of key {kind}")
        return key_text(kind, self.take(_KEY_BYTES[kind]))

    def signature(self) -> str:
        kind = self.number(1)
        if kind >= len(_SIGNATURE_BYTES):
            raise Unreadable(f"kind of signature {kind}")
        data = self.take(_SIGNATURE_BYTES[kind])
        try:
            return signature_text(kind, data)
        except ValueError as error:
            raise Unreadable(str(error)) from None


def read_signed(raw: bytes) -> SignedTx:
    """Read a signed transaction and verify its signature.

    Raises:
        OtherVersion: it is of version 1.
        Unreadable: it is none, or has trailing bytes.
        BadSignature: its signature does not verify.
    """
    if len(raw) > 1 and raw[0] == 1 and raw[1] != 0:
        raise OtherVersion("transaction of version 1")
    reader = _Reader(raw)
    signer, key, nonce = reader.account(), reader.key(), reader.number(8)
    receiver, base = reader.account(), hash_text(reader.take(32))
    actions = _actions(reader, nested=False)
    signed, signature = raw[:reader.at], reader.signature()
    if reader.at != len(raw):
        raise Unreadable("trailing bytes")
    digest = hashlib.sha256(signed).digest()
    tx = SignedTx(hash_text(digest), signer, key, nonce, receiver, base, actions, signature, len(signed))
    if any(isinstance(action, Delegate) for action in actions):
        if not signed_by(key, signature, digest):
            raise BadSignature(tx.id)
    else:
        _by_pyonear(raw, tx)
    return tx


def _by_pyonear(raw: bytes, tx: SignedTx) -> None:
    try:
        theirs = SignedTransaction.from_bytes(raw)
    except ValueError as error:
        raise Unreadable(str(error)) from None
    if str(theirs.hash) != tx.id or bytes(theirs) != raw:
        raise Unreadable("the two readers do not agree")
    if not verify_transaction_signature(theirs, [theirs.transaction.public_key]):
        raise BadSignature(tx.id)


def _actions(reader: _Reader, *, nested: bool) -> tuple[Action, ...]:
    return tuple(_action(reader, nested=nested) for _ in range(reader.number(4)))


def _action(reader: _Reader, *, nested: bool) -> Action:
    match reader.number(1):
        case 0:
            return CreateAccount()
        case 1:
            return DeployContract(reader.blob())
        case 2:
            return FunctionCall(reader.text(), reader.blob(), reader.number(8), reader.number(16))
        case 3:
            return Transfer(reader.number(16))
        case 4:
            return Stake(reader.number(16), reader.key())
        case 5:
            return AddKey(reader.key(), _access(reader))
        case 6:
            return DeleteKey(reader.key())
        case 7:
            return DeleteAccount(reader.account())
        case 8 if not nested:
            return _delegate(reader)
        case tag:
            raise Unreadable(f"action {tag}")


def _access(reader: _Reader) -> AccessKey:
    nonce = reader.number(8)
    match reader.number(1):
        case 0:
            allowance = reader.number(16) if reader.option() else None
            receiver = reader.text()
            return AccessKey(nonce, Calls(allowance, receiver, tuple(reader.text() for _ in range(reader.number(4)))))
        case 1:
            return AccessKey(nonce)
        case tag:
            raise Unreadable(f"permission {tag}")


def _delegate(reader: _Reader) -> Delegate:
    start = reader.at
    sender, receiver = reader.account(), reader.account()
    inner_start = reader.at
    actions = _actions(reader, nested=True)
    inner = reader.raw[inner_start:reader.at]
    nonce, height_most, key = reader.number(8), reader.number(8), reader.key()
    payload = hashlib.sha256(DELEGATE_TAG + reader.raw[start:reader.at]).digest()
    _inner_by_pyonear(inner)
    return Delegate(sender, receiver, actions, nonce, height_most, key, reader.signature(), payload)


def _inner_by_pyonear(inner: bytes) -> None:
    someone = struct.pack("<I", 2) + b"aa"
    try:
        Transaction.from_bytes(someone + bytes(33) + bytes(8) + someone + bytes(32) + inner)
    except ValueError as error:
        raise Unreadable(f"inside a delegate action: {error}") from None
