"""What transactions and receipts of a NEAR world consist of, as values; amounts are yoctoNEAR, gas is gas.

Nothing here reads or writes bytes: `wire` does.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Calls:
    """What a function-call key may do: call some methods (all, where none is named) of one contract, paying nothing."""

    allowance: int | None
    receiver: str
    methods: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AccessKey:
    """A key's nonce and permission; `calls` is None for full access."""

    nonce: int
    calls: Calls | None = None


@dataclass(frozen=True, slots=True)
class CreateAccount:
    """Make the receiver's account."""


@dataclass(frozen=True, slots=True)
class DeployContract:
    """Put code on the receiver's account."""

    code: bytes


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """Call a method of the receiver's contract."""

    method: str
    args: bytes
    gas: int
    deposit: int


@dataclass(frozen=True, slots=True)
class Transfer:
    """Give the receiver NEAR."""

    deposit: int


@dataclass(frozen=True, slots=True)
class Stake:
    """Stake NEAR of the receiver's account."""

    amount: int
    key: str


@dataclass(frozen=True, slots=True)
class AddKey:
    """Give the receiver's account a key."""

    key: str
    access: AccessKey


@dataclass(frozen=True, slots=True)
class DeleteKey:
    """Take a key from the receiver's account."""

    key: str


@dataclass(frozen=True, slots=True)
class DeleteAccount:
    """Delete the receiver's account and give what it has to another."""

    beneficiary: str


@dataclass(frozen=True, slots=True)
class Delegate:
    """Actions that somebody signed for a relayer to send (NEP-366); `payload` is the hash under the signature."""

    sender: str
    receiver: str
    actions: tuple[Action, ...]
    nonce: int
    height_most: int
    key: str
    signature: str
    payload: bytes


Action = (CreateAccount | DeployContract | FunctionCall | Transfer | Stake | AddKey | DeleteKey | DeleteAccount
          | Delegate)


@dataclass(frozen=True, slots=True)
class SignedTx:
    """A signed transaction of version 0; `id` is the Base58 hash of what was signed, `base` the Base58 block hash."""

    id: str
    signer: str
    key: str
    nonce: int
    receiver: str
    base: str
    actions: tuple[Action, ...]
    signature: str
    size: int


def deposit_of(action: Action) -> int:
    """Give what an action takes from whoever pays for it."""
    if isinstance(action, (FunctionCall, Transfer)):
        return action.deposit
    return sum(map(deposit_of, action.actions)) if isinstance(action, Delegate) else 0


def call_gas_of(action: Action) -> int:
    """Give the gas that an action attaches to calls."""
    if isinstance(action, FunctionCall):
        return action.gas
    return sum(map(call_gas_of, action.actions)) if isinstance(action, Delegate) else 0
