"""Accounts as destinations, and the account that a key controls. Nothing is ever repaired."""

from __future__ import annotations

from shared.chains.api import Curve
from shared.chains.near.accounts import AccountKind, account_kind
from shared.chains.near.keys import implicit_account
from shared.chains.near.networks import network
from shared.effects import Destination
from shared.errors import BadAddress, NearKeyRefused, WrongNetwork

_FOREIGN = {"near:mainnet": "testnet", "near:testnet": "near"}
"""The top-level account under which the other public network's names stand."""


def parse_address(text: str, network_name: str) -> Destination:
    """Read an account id as a destination.

    Raises:
        BadAddress: for a text that is no account id, and for an account that nobody can be paid at.
        WrongNetwork: for a name of the other public network.
        UnknownChain: for a name that is no network.
    """
    network(network_name)
    kind = account_kind(text)
    if kind in (AccountKind.SYSTEM, AccountKind.UNIVERSAL):
        raise BadAddress(f"{text} is {kind.value}, which is not paid from here")
    check_network(text, network_name)
    return Destination(text)


def check_network(account: str, network_name: str) -> None:
    """Refuse a name that stands under the other public network's top-level account. Raises WrongNetwork."""
    foreign = _FOREIGN.get(network_name)
    if foreign is not None and account.rpartition(".")[2] == foreign:
        raise WrongNetwork(f"{account} is not an account of {network_name}")


def address(public_key: bytes, curve: Curve, network_name: str) -> str:
    """Give the implicit account of a public key (32 bytes).

    Raises:
        NearKeyRefused: for bytes that are no ed25519 public key, and for another curve.
        UnknownChain: for a name that is no network.
    """
    network(network_name)
    if curve != "ed25519":
        raise NearKeyRefused(f"NEAR wallets here have no keys on {curve}")
    return implicit_account(public_key)
