"""Receipts and outcomes: what a transaction becomes, block after block."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from online.devnet.near.actions import Action, Transfer, call_gas_of, deposit_of
from online.devnet.near.fees import receipt_gas
from online.devnet.near.texts import NOBODYS_KEY, SYSTEM, base58_hash


@dataclass(frozen=True, slots=True)
class Receipt:
    """Actions on their way to an account, with the gas bought for them at `gas_price` yoctoNEAR for one gas.

    `waits_for` are ids of data that must come first; `data_to` says who waits for this one's value (data id, account).
    `tx` is the transaction that all began with, `local` whether it never left its shard.
    """

    id: str
    predecessor: str
    receiver: str
    signer: str
    signer_key: str
    gas_price: int
    actions: tuple[Action, ...]
    tx: str
    waits_for: tuple[str, ...] = ()
    data_to: tuple[tuple[str, str], ...] = ()
    local: bool = False

    @property
    def is_refund(self) -> bool:
        """Whether it gives back what was not used."""
        return self.predecessor == SYSTEM

    @property
    def held(self) -> int:
        """What it carries, in yoctoNEAR: deposits, and the gas that was bought."""
        gas = 0 if self.is_refund else receipt_gas(self.actions, self.receiver) * self.gas_price
        return gas + sum(map(deposit_of, self.actions))

    @property
    def call_gas(self) -> int:
        """The gas attached to its calls."""
        return sum(map(call_gas_of, self.actions))


@dataclass(frozen=True, slots=True)
class DataReceipt:
    """A value on its way to a receipt that waits for it; `data` is None where what should have made it failed."""

    id: str
    predecessor: str
    receiver: str
    data_id: str
    data: bytes | None
    tx: str


AnyReceipt = Receipt | DataReceipt


@dataclass(frozen=True, slots=True)
class Returned:
    """What an execution came to: a value, the receipt that will give it, or an error in nearcore's JSON form."""

    value: bytes = b""
    receipt: str | None = None
    error: Any = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a transaction or receipt did; `burnt` yoctoNEAR hold a contract's reward too, as tokens_burnt does."""

    id: str
    executor: str
    returned: Returned
    gas_burnt: int
    burnt: int
    logs: tuple[str, ...] = ()
    receipts: tuple[str, ...] = field(default=())


def made_id(*parts: object) -> str:
    """Give the id of what comes out of something: the same parts give the same id."""
    return base58_hash("/".join(map(str, parts)).encode())


def refund(receipt: Receipt, name: str, to: str, yocto: int, *, of_gas: bool) -> Receipt:
    """Make the receipt that gives something back: for gas signed as its transaction was, for deposits by nobody."""
    signer, key = (receipt.signer, receipt.signer_key) if of_gas else (SYSTEM, NOBODYS_KEY)
    return Receipt(made_id(receipt.id, name), SYSTEM, to, signer, key, 0, (Transfer(yocto),), receipt.tx)


def shard_of(account: str, count: int) -> int:
    """Say which of the shards keeps an account."""
    return hashlib.sha256(account.encode()).digest()[0] % count
