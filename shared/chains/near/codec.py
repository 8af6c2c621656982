"""Borsh bytes of transactions to values and back; every other tag and version is refused by name.

It knows what may stand where, and nothing of what a transaction means: that is `rules`.
(Sources: nearcore core/primitives/src/transaction.rs, action/mod.rs.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from shared.chains.near import borsh
from shared.chains.near.accounts import MOST, parse_account
from shared.chains.near.borsh import Reader
from shared.chains.near.model import Action, AddKey, DeleteKey, FunctionCall, Transaction, Transfer
from shared.errors import (
    NearActions,
    NearCreateAccount,
    NearDelegateInside,
    NearDeleteAccount,
    NearDeployContract,
    NearFunctionCallKey,
    NearGasKey,
    NearKeyType,
    NearLaterAction,
    NearMalformed,
    NearRefusal,
    NearStake,
    NearVersion,
)

MOST_ACTIONS: Final = 100
"""nearcore: max_actions_per_receipt."""

MOST_BYTES: Final = 65_536
"""Longer than any accepted transaction; a node takes 1.5 MB."""

_METHOD_MOST: Final = 256  # nearcore: max_length_method_name
_SECP256K1, _ML_DSA = 1, 2
_KEY_KINDS: Final = {_SECP256K1: "secp256k1", _ML_DSA: "ML-DSA-65"}
_FULL_ACCESS: Final = 1


def read_transaction(blob: bytes) -> Transaction:
    """Read an unsigned transaction of version 0, the whole of the bytes.

    Raises:
        NearVersion: for another version. NearKeyType: for a key that is not ed25519.
        NearActions: for none or more than a receipt takes; each refused action has a code of its own.
        BadAddress: for an id that is no account. NearMalformed: for all else that is not the one encoding.
    """
    reader = Reader(blob)
    transaction = take_transaction(reader, blob)
    reader.close()
    return transaction


def take_transaction(reader: Reader, blob: bytes) -> Transaction:
    """Read a transaction from the front of a reader of these bytes. Raises as `read_transaction`."""
    check_size(blob)
    _check_version(blob)
    return Transaction(
        signer=take_account(reader, "the signer"),
        public_key=take_key(reader, "the signer's key"),
        nonce=reader.number(8, "the nonce"),
        receiver=take_account(reader, "the receiver"),
        block_hash=reader.fixed(32, "the block hash"),
        actions=take_actions(reader),
    )


def encode_transaction(tx: Transaction) -> bytes:
    """Write an unsigned transaction. Raises NearMalformed, NearActions, BadAddress for what has no encoding."""
    return b"".join((
        account_bytes(tx.signer),
        key_bytes(tx.public_key),
        borsh.number(tx.nonce, 8, "the nonce"),
        account_bytes(tx.receiver),
        borsh.fixed(tx.block_hash, 32, "the block hash"),
        actions_bytes(tx.actions),
    ))


def take_signature(reader: Reader) -> bytes:
    """Take the last part of signed bytes: an ed25519 signature (64 bytes). Raises NearKeyType, NearMalformed."""
    _check_kind(reader.number(1, "the signature"), "the signature")
    return reader.fixed(64, "the signature")


def signature_bytes(signature: bytes) -> bytes:
    """Write an ed25519 signature (64 bytes) as it ends signed bytes."""
    return b"\0" + borsh.fixed(signature, 64, "the signature")


# --- parts ----------------------------------------------------------------------------------------


def check_size(blob: bytes) -> None:
    """Refuse bytes that no accepted transaction has. Raises NearMalformed."""
    if len(blob) > MOST_BYTES:
        raise NearMalformed(f"{len(blob)} bytes are more than any accepted transaction has")


def _check_version(blob: bytes) -> None:
    # nearcore: of version 0 the first bytes are the signer's length, 2 to 64; the second is zero.
    if len(blob) > 1 and blob[1]:
        what = {1: "version 1", 2: "an unsigned contract call"}.get(blob[0], f"of an unknown version (tag {blob[0]})")
        raise NearVersion(f"the transaction is {what}; version 0 alone is signed")


def take_account(reader: Reader, what: str) -> str:
    """Take an account id. Raises BadAddress, NearMalformed."""
    return parse_account(reader.text(MOST, what))


def account_bytes(account: str) -> bytes:
    """Write an account id. Raises BadAddress."""
    return borsh.text(parse_account(account), "an account")


def take_key(reader: Reader, what: str) -> bytes:
    """Take an ed25519 public key (32 bytes). Raises NearKeyType, NearMalformed."""
    _check_kind(reader.number(1, what), what)
    return reader.fixed(32, what)


def _check_kind(kind: int, what: str) -> None:
    if kind in _KEY_KINDS:
        raise NearKeyType(f"{what} is of {_KEY_KINDS[kind]} and not of ed25519")
    if kind:
        raise NearMalformed(f"{what} has the unknown kind {kind}")


def key_bytes(public_key: bytes) -> bytes:
    """Write an ed25519 public key (32 bytes). Raises NearMalformed."""
    return b"\0" + borsh.fixed(public_key, 32, "a public key")


# --- actions --------------------------------------------------------------------------------------


def take_actions(reader: Reader) -> tuple[Action, ...]:
    """Take a list of actions. Raises NearActions, NearMalformed, and each refused action's own code."""
    count = reader.number(4, "the actions")
    if not 1 <= count <= MOST_ACTIONS:
        raise NearActions(f"{count} actions; a transaction has 1 to {MOST_ACTIONS}")
    return tuple(_action(reader) for _ in range(count))


def actions_bytes(actions: Sequence[Action]) -> bytes:
    """Write a list of actions. Raises NearActions, NearMalformed."""
    if not 1 <= len(actions) <= MOST_ACTIONS:
        raise NearActions(f"{len(actions)} actions; a transaction has 1 to {MOST_ACTIONS}")
    return borsh.number(len(actions), 4, "the actions") + b"".join(map(_action_bytes, actions))


def _action(reader: Reader) -> Action:
    tag = reader.number(1, "an action")
    read = _READERS.get(tag)
    if read is not None:
        return read(reader)
    refused = _REFUSED.get(tag)
    if refused is None:
        raise NearLaterAction(f"the action with tag {tag} came with a later protocol and is never signed here")
    raise refused[0](f"the action {refused[1]} is never signed here")


def _transfer(reader: Reader) -> Transfer:
    return Transfer(reader.number(16, "the deposit"))


def _function_call(reader: Reader) -> FunctionCall:
    return FunctionCall(
        method=reader.text(_METHOD_MOST, "the method"),
        args=reader.sized(MOST_BYTES, "the arguments"),
        gas=reader.number(8, "the gas"),
        deposit=reader.number(16, "the deposit"),
    )


def _add_key(reader: Reader) -> AddKey:
    public_key, nonce = take_key(reader, "the new key"), reader.number(8, "the new key's nonce")
    permission = reader.number(1, "the new key's permission")
    if permission == 0:
        raise NearFunctionCallKey("a key limited to function calls is not added here")
    if permission in (2, 3):
        raise NearGasKey("a gas key is not added here")
    if permission != _FULL_ACCESS:
        raise NearMalformed(f"there is no permission {permission}")
    return AddKey(public_key, nonce)


def _delete_key(reader: Reader) -> DeleteKey:
    return DeleteKey(take_key(reader, "the key to delete"))


def _action_bytes(action: Action) -> bytes:
    match action:
        case Transfer(deposit):
            return b"\3" + borsh.number(deposit, 16, "the deposit")
        case FunctionCall(method, args, gas, deposit):
            head = b"\2" + borsh.text(method, "the method") + borsh.sized(args)
            return head + borsh.number(gas, 8, "the gas") + borsh.number(deposit, 16, "the deposit")
        case AddKey(public_key, nonce):
            return b"\5" + key_bytes(public_key) + borsh.number(nonce, 8, "a nonce") + bytes([_FULL_ACCESS])
        case deletion:
            return b"\6" + key_bytes(deletion.public_key)


_READERS: Final[dict[int, Callable[[Reader], Action]]] = {
    2: _function_call,
    3: _transfer,
    5: _add_key,
    6: _delete_key,
}

_REFUSED: Final[dict[int, tuple[type[NearRefusal], str]]] = {
    0: (NearCreateAccount, "CreateAccount"),
    1: (NearDeployContract, "DeployContract"),
    4: (NearStake, "Stake"),
    7: (NearDeleteAccount, "DeleteAccount"),
    8: (NearDelegateInside, "Delegate"),
}
