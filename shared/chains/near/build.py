"""Builds unsigned transactions from typed values, for the coordinator. What it returns, `decode` accepts.

It decides nothing: nonce, block hash, gas and registrations are the caller's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from shared.chains.near import tokens
from shared.chains.near.codec import encode_transaction, read_transaction
from shared.chains.near.delegates import encode_delegate, read_delegate
from shared.chains.near.model import (
    Action,
    AddKey,
    Delegate,
    DeleteKey,
    FunctionCall,
    Registration,
    TokenTransfer,
    Transaction,
    Transfer,
)
from shared.chains.near.networks import network
from shared.chains.near.rules import MOST_GAS, understand
from shared.effects import Destination
from shared.errors import NearMemoRefused, NearPaymentRefused, WrongNetwork
from shared.money import Amount

TERA: Final = 10**12
"""Gas units in one Tgas."""

TRANSFER_GAS: Final = 10 * TERA
"""For one `ft_transfer`: known contracts burn a third of it; what is left is given back."""

REGISTER_GAS: Final = 20 * TERA
"""For each call of a transaction that registers somebody.

A contract that finds an account registered already pays the deposit back, and to an implicit account that takes the
gas of creating it, about 8 Tgas, before anything else.
"""

CALL_GAS: Final = 60 * TERA
"""For one `ft_transfer_call`, whose receiver and resolution are paid from it."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What every transaction has: who signs with which key (32 bytes), the nonce, and the base block (32 bytes)."""

    network: str
    signer: str
    public_key: bytes
    nonce: int
    block_hash: bytes


@dataclass(frozen=True, slots=True)
class DelegateTerms:
    """What every delegate action has: who signs with which key (32 bytes), the nonce, and the last block's height."""

    network: str
    signer: str
    public_key: bytes
    nonce: int
    max_block_height: int


def payment(terms: Terms, to: Destination, amount: Amount) -> bytes:
    """Build a payment of NEAR to one account.

    Raises:
        WrongNetwork: for an amount of another asset. NearPaymentRefused: for a tag or memo, or as `rules` says.
        NearRefusal, BadAddress: for other terms refused.
    """
    if amount.asset != network(terms.network).native:
        raise WrongNetwork(f"{amount.asset} is not the native asset of {terms.network}")
    if to.tag is not None or to.memo is not None:
        raise NearPaymentRefused("a payment of NEAR has neither tag nor memo")
    return _transaction(terms, to.address, [Transfer(amount.units)])


def token_transfer(
    terms: Terms | DelegateTerms,
    contract: str,
    transfers: Sequence[tuple[Destination, int]],
    registrations: Sequence[tuple[str, int]] = (),
    gas: int | None = None,
) -> bytes:
    """Build transfers of one token, in base units, behind registrations with their deposits in yoctoNEAR.

    Each call gets `gas` units, else what `usual_gas` says. Without transfers it only registers; of delegate terms it
    builds a delegate action. Raises NearRefusal, BadAddress.
    """
    gas = usual_gas(len(transfers), len(registrations)) if gas is None else gas
    calls = _registrations(registrations, gas)
    calls += [tokens.transfer_action(_token(to, units), gas) for to, units in transfers]
    return _any(terms, contract, calls)


def token_call(
    terms: Terms, contract: str, to: Destination, units: int, message: str, gas: int = CALL_GAS
) -> bytes:
    """Build a transfer of a token's base units to a contract that gets a message. Raises NearRefusal, BadAddress."""
    return _transaction(terms, contract, [tokens.transfer_action(_token(to, units), gas, message)])


def registration(
    terms: Terms, contract: str, registrations: Sequence[tuple[str, int]], gas: int | None = None
) -> bytes:
    """Build registrations of accounts with their deposits in yoctoNEAR. Raises NearRefusal, BadAddress."""
    return token_transfer(terms, contract, (), registrations, gas)


def usual_gas(transfers: int, registrations: int) -> int:
    """Give the gas of each call of a transaction with so many, all of them together within the protocol's most."""
    each = REGISTER_GAS if registrations else TRANSFER_GAS
    return min(each, MOST_GAS // max(1, transfers + registrations))


def lanes(terms: Terms, keys: Sequence[bytes]) -> bytes:
    """Build the adding of keys (32 bytes each) with full access to the signing account. Raises NearRefusal."""
    return _transaction(terms, terms.signer, [AddKey(key) for key in keys])


def rotation(terms: Terms | DelegateTerms, added: Sequence[bytes], deleted: Sequence[bytes]) -> bytes:
    """Build the exchange of keys (32 bytes each); of delegate terms it builds a delegate action. Raises NearRefusal."""
    return _any(terms, terms.signer, [*map(AddKey, added), *map(DeleteKey, deleted)])


def _registrations(found: Sequence[tuple[str, int]], gas: int) -> list[FunctionCall]:
    return [tokens.registration_call(Registration(account, deposit), gas) for account, deposit in found]


def _token(to: Destination, units: int) -> TokenTransfer:
    if to.tag is not None:
        raise NearMemoRefused("a transfer of a token has a memo and no tag")
    return TokenTransfer(to.address, units, to.memo)


def _any(terms: Terms | DelegateTerms, receiver: str, actions: Sequence[Action]) -> bytes:
    if isinstance(terms, Terms):
        return _transaction(terms, receiver, actions)
    delegate = Delegate(
        terms.signer, receiver, tuple(actions), terms.nonce, terms.max_block_height, terms.public_key
    )
    unsigned = encode_delegate(delegate)
    understand(read_delegate(unsigned), terms.network)
    return unsigned


def _transaction(terms: Terms, receiver: str, actions: Sequence[Action]) -> bytes:
    transaction = Transaction(
        terms.signer, terms.public_key, terms.nonce, receiver, terms.block_hash, tuple(actions)
    )
    unsigned = encode_transaction(transaction)
    understand(read_transaction(unsigned), terms.network)
    return unsigned
