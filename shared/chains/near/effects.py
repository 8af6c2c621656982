"""What signing a NEAR transaction would do, from its bytes. Everything it holds shows up somewhere here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from typing import Final

from shared.chains.api import NO_ASSETS, Register
from shared.chains.near.accounts import AccountKind, account_kind
from shared.chains.near.fees import attached, fee_most
from shared.chains.near.keys import base58_text, implicit_account, key_text
from shared.chains.near.model import (
    Body,
    Delegate,
    FunctionCall,
    KeysBody,
    PaymentBody,
    Registration,
    TokenCallBody,
    TokensBody,
    TokenTransfer,
    Transaction,
    Tx,
)
from shared.chains.near.networks import network
from shared.effects import Claim, Destination, Effects, Expiry, Payment, SettingChange
from shared.errors import NearTokenUnknown
from shared.money import Amount, Asset, format_units

PAYS_CONTRACT: Final = "pays-token-contract"
"""Danger: native NEAR goes to the contract of a token, which usually cannot give it back."""

_TENTHS_A_BLOCK: Final = 6  # a block takes about 0.6 s
_TENTHS_AN_HOUR: Final = 36_000


def effects(tx: Tx, register: Register = NO_ASSETS) -> Effects:
    """Say what the transaction does; `register` gives the decimals of tokens by the accounts of their contracts.

    Raises:
        NearTokenUnknown: for a token that the register does not have.
    """
    inner, body = tx.inner, tx.body
    return Effects(
        kind=kind_of(inner, body),
        network=tx.network,
        source=inner.signer,
        payments=payments_of(inner, body, tx.network, register),
        fee_payer=inner.signer,
        fee_most=Amount(network(tx.network).native, fee_most(inner)),
        settings=settings_of(inner, body),
        claims=(Claim(_scope(inner), f"nonce {inner.nonce}"),),
        expiry=Expiry(tx.last_height, tx.height),
        facts=(*facts_of(inner, body), *_decimals(body, register), *_life(tx)),
        dangers=tuple(_dangers(body, register)),
    )


def kind_of(inner: Transaction | Delegate, body: Body) -> str:
    """Give the stable name of a kind, that policies allow or forbid."""
    by_relayer = isinstance(inner, Delegate)
    match body:
        case PaymentBody():
            return "payment"
        case TokenCallBody():
            return "nep141-call"
        case TokensBody(_, _, transfers):
            if by_relayer:
                return "nep366-transfer"
            return "nep141-transfer" if transfers else "nep141-register"
        case keys:
            if by_relayer:
                return "nep366-rotate"
            return "near-rotate" if keys.deleted else "near-lanes"


def payments_of(
    inner: Transaction | Delegate, body: Body, network_name: str, register: Register
) -> tuple[Payment, ...]:
    """Give the payments in the order in which they stand. Raises NearTokenUnknown."""
    match body:
        case PaymentBody(receiver, units):
            amount = Amount(network(network_name).native, units)
            return (Payment(inner.signer, Destination(receiver), amount),)
        case TokensBody(contract, _, transfers):
            asset = _asset(network_name, contract, register)
            return tuple(_token_payment(inner.signer, one, asset) for one in transfers)
        case TokenCallBody(contract, transfer):
            return (_token_payment(inner.signer, transfer, _asset(network_name, contract, register)),)
        case _:
            return ()


def settings_of(inner: Transaction | Delegate, body: Body) -> tuple[SettingChange, ...]:
    """Give the changes of who may sign, key by key."""
    if not isinstance(body, KeysBody):
        return ()
    account = inner.signer
    added = [
        SettingChange(
            account,
            "add-key",
            f"full access for {key_text(key)}",
            who_may_sign=True,
            keys=(implicit_account(key),),
        )
        for key in body.added
    ]
    deleted = [
        SettingChange(
            account,
            "delete-key",
            f"no more access for {key_text(key)}",
            who_may_sign=True,
            lost=(implicit_account(key),),
        )
        for key in body.deleted
    ]
    return (*added, *deleted)


def facts_of(inner: Transaction | Delegate, body: Body) -> tuple[str, ...]:
    """Give what a person must read beyond payments and settings, from the bytes alone."""
    return (*_signing(inner), *_body_facts(body), *_costs(inner))


def _asset(network_name: str, contract: str, register: Register) -> Asset:
    decimals = register.get(contract)
    if decimals is None:
        raise NearTokenUnknown(f"the register of {network_name} has no token {contract}")
    return Asset(network_name, contract, decimals)


def _token_payment(source: str, one: TokenTransfer, asset: Asset) -> Payment:
    return Payment(source, Destination(one.receiver, memo=one.memo), Amount(asset, one.units))


def _scope(inner: Transaction | Delegate) -> str:
    return f"{inner.signer} {key_text(inner.public_key)}"


def _signing(inner: Transaction | Delegate) -> Iterator[str]:
    yield f"nonces of {_scope(inner)}"  # so that each transaction below needs to say its number alone
    if implicit_account(inner.public_key) != inner.signer:
        yield f"signed for {inner.signer} with its key {key_text(inner.public_key)}"
    if isinstance(inner, Delegate):
        yield "a relayer carries it out, pays its gas and deposits, and can delay or leave it"
    else:
        yield f"base block {base58_text(inner.block_hash)}"


def _body_facts(body: Body) -> Iterator[str]:
    match body:
        case PaymentBody(receiver):
            yield f"to {_article(account_kind(receiver))}{_CREATED.get(account_kind(receiver), '')}"
        case TokensBody(contract, registrations, transfers):
            yield f"token contract {contract}"
            yield from (_registered(one) for one in registrations)
            if transfers:
                yield f"to {_receivers(transfers)}"
            if len(registrations) + len(transfers) > 1:
                yield "all or nothing: if one of its calls fails, none of them happens"
        case TokenCallBody(contract, transfer, message):
            yield f"token contract {contract}"
            yield f"calls the contract {transfer.receiver}, which may give back what it does not use"
            yield f"message to it: {message}" if message else "message to it: none"
        case keys:
            yield "rotation: the old keys end with this transaction" if keys.deleted else "lanes: no key is deleted"


def _registered(one: Registration) -> str:
    return f"registers {one.account} for {format_units(one.deposit, 24)} NEAR, which stays with the contract"


def _receivers(transfers: tuple[TokenTransfer, ...]) -> str:
    counts = Counter(account_kind(one.receiver) for one in transfers)
    if len(transfers) == 1:
        return _article(account_kind(transfers[0].receiver))
    return ", ".join(f"{count} x {kind.value}" for kind, count in counts.items())


def _costs(inner: Transaction | Delegate) -> Iterator[str]:
    calls = [one for one in inner.actions if isinstance(one, FunctionCall)]
    if calls:
        count = f"{len(calls)} calls, each" if len(calls) > 1 else "1 call"
        yield f"{count} with {format_units(calls[0].gas, 12)} Tgas"
        payer = "which the relayer pays" if isinstance(inner, Delegate) else "counted in the fee"
        yield f"attaches {attached(inner)} yoctoNEAR, {payer}"


def _decimals(body: Body, register: Register) -> Iterator[str]:
    if isinstance(body, TokensBody | TokenCallBody):
        yield f"the register gives this token {register[body.contract]} decimals"


def _life(tx: Tx) -> Iterator[str]:
    hours = (tx.last_height - tx.height) * _TENTHS_A_BLOCK // _TENTHS_AN_HOUR
    length = f"about {hours} hour{'s' if hours != 1 else ''}" if hours else "less than an hour"
    yield f"{length} from the stated height, at about 0.6 s a block"


def _dangers(body: Body, register: Register) -> Iterator[str]:
    match body:
        case PaymentBody(receiver) if receiver in register:
            yield PAYS_CONTRACT
        case TokenCallBody(_, transfer, message):
            yield f"nep141-call:{transfer.receiver}:{sha256(message.encode()).hexdigest()}"


def _article(kind: AccountKind) -> str:
    return f"{'an' if kind.value[0] in 'EIi' else 'a'} {kind.value}"


_CREATED: Final = {
    AccountKind.NAMED: "; if it does not exist the payment fails and comes back",
    AccountKind.IMPLICIT: ", created if it does not exist",
    AccountKind.ETHEREUM: ", created if it does not exist",
    AccountKind.DETERMINISTIC: ", created if it does not exist",
}
