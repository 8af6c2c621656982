"""What must be true of the accounts before a transaction is worth signing, all of it at final blocks.

A check that passes promises nothing; it spares the gas and a walk across the gap.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from online.chains.near.answers import Account, Protocol
from online.chains.near.document import Document, units
from online.chains.near.node import Node
from shared.chains.near.accounts import CREATED_BY_PAYMENT, account_kind
from shared.effects import Payment
from shared.errors import AssetsShort, DestinationMissing, NodeRefused, ReserveTooLow, TokenDiffers
from shared.money import Asset

KEY_BYTES = 82
"""What a further full-access key adds to an account's storage (nearcore: 40 for the record, 33 and 9 for the key)."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token's contract as it stands: what it is called here, and the least deposit that registers an account."""

    asset: Asset
    least_deposit: int


def spendable(account: Account, protocol: Protocol, pending: int, *, new_keys: int = 0) -> int:
    """Give what an account can pay beside its storage and what is pending, in yoctoNEAR; its stake covers storage."""
    needed = protocol.storage_units(account.storage_bytes + new_keys * KEY_BYTES)
    return account.amount - max(0, needed - account.locked) - pending


def check_balance(account: Account, left: int, needed: int) -> None:
    """Check that an account can pay what it moves, its fees and prepaid gas. Raises ReserveTooLow."""
    if needed > left:
        raise ReserveTooLow(
            f"{account.account_id} can spend {max(left, 0)} yoctoNEAR beside its storage and what is pending, "
            f"and needs {needed} with prepaid gas"
        )


def check_exists(node: Node, account_id: str) -> None:
    """Check a destination that a payment would not create.

    Raises:
        DestinationMissing: for a named account that is not there at the final block.
    """
    if account_kind(account_id) not in CREATED_BY_PAYMENT and node.account(account_id) is None:
        raise DestinationMissing(f"{account_id} does not exist")


def read_token(node: Node, asset: Asset) -> Token:
    """Ask a token's contract what it is (NEP-148, NEP-145).

    Raises:
        TokenDiffers: for other decimals, or a contract that does not tell.
    """
    there = decimals(node, asset.code)
    if there != asset.decimals:
        raise TokenDiffers(f"{asset.code} has {there} decimals there, and {asset.decimals} here")
    try:
        bounds = Document(node.view(asset.code, "storage_balance_bounds", {}), "storage_balance_bounds")
    except NodeRefused as refused:
        raise TokenDiffers(f"{asset.code} does not tell what registering costs: {refused}") from None
    return Token(asset, bounds.units("min"))


def decimals(node: Node, contract: str) -> int:
    """Ask a token's contract for its decimals (NEP-148). Raises TokenDiffers where it does not tell."""
    try:
        found = Document(node.view(contract, "ft_metadata", {}), "ft_metadata")
    except NodeRefused as refused:
        raise TokenDiffers(f"{contract} is no token: {refused}") from None
    return found.number("decimals")


def token_units(node: Node, contract: str, account_id: str) -> int:
    """Ask how many base units of a token an account holds (NEP-141)."""
    return units(node.view(contract, "ft_balance_of", {"account_id": account_id}), "ft_balance_of")


def check_tokens(node: Node, token: Token, source: str, payments: Sequence[Payment], pending: int) -> None:
    """Check that the source holds what it sends beside what is pending. Raises AssetsShort."""
    held = token_units(node, token.asset.code, source) - pending
    wanted = sum(payment.amount.units for payment in payments)
    if wanted > held:
        text = f"{source} has {max(held, 0)} units of {token.asset.code} beside what is pending, and sends {wanted}"
        raise AssetsShort(text, hint="Send less: a token batch with one line too much moves nothing and costs its gas.")


def unregistered(node: Node, token: Token, accounts: Sequence[str]) -> tuple[str, ...]:
    """Name those accounts that the token's contract does not know yet, once each, in their order.

    Raises:
        DestinationMissing: for one that is a named account and does not exist: tokens would go to nobody.
        TokenDiffers: where the contract does not tell.
    """
    missing = tuple(one for one in Counter(accounts) if not _registered(node, token, one))
    for account_id in missing:
        check_exists(node, account_id)
    return missing


def _registered(node: Node, token: Token, account_id: str) -> bool:
    try:
        found = node.view(token.asset.code, "storage_balance_of", {"account_id": account_id})
    except NodeRefused as refused:
        raise TokenDiffers(f"{token.asset.code} does not tell who is registered: {refused}") from None
    return isinstance(found, Mapping)
