"""The XRPL networks by their full names, their ids and classes, and the key paths of wallets on them."""

from __future__ import annotations

import re
from functools import lru_cache

from shared.base58 import Base58
from shared.chains.api import Curve, KeyPath, Network
from shared.errors import UnknownChain, XrplKeyRefused
from shared.money import Asset

BASE58 = Base58("rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz", 64)
"""Base58Check in the ledger's own letters."""

_NAMED = {"xrpl:mainnet": 0, "xrpl:testnet": 1, "xrpl:devnet": 2, "xrpl:local": 21337}
_NUMBERED = re.compile(r"xrpl:net-([1-9][0-9]{3,9})", re.ASCII)
_IMPLICIT_MOST = 1024
_HARD = 1 << 31


@lru_cache(maxsize=64)
def network(name: str) -> Network:
    """Give the network of a full name.

    Raises:
        UnknownChain: for every other text.
    """
    main = network_id(name) == 0
    return Network(name, "main" if main else "test", Asset(name, "XRP", 6))


@lru_cache(maxsize=64)
def network_id(name: str) -> int:
    """Give a network's id. Below 2^31, since it is a level of key paths; each network has one name.

    Raises:
        UnknownChain: for a text that names no network.
    """
    if name in _NAMED:
        return _NAMED[name]
    match = _NUMBERED.fullmatch(name)
    number = int(match[1]) if match else 0
    if not _IMPLICIT_MOST < number < _HARD or number in _NAMED.values():
        raise UnknownChain(f"no XRPL network: {name[:40]!r}")
    return number


def signed_network_id(name: str) -> int | None:
    """Give the NetworkID that a transaction must carry. XRPL: absent for ids up to 1,024, exact above."""
    number = network_id(name)
    return number if number > _IMPLICIT_MOST else None


def key_path(name: str, curve: Curve, account: int, index: int) -> KeyPath:
    """Give the path of a wallet's key.

    Main network: m/44'/144'/account'/0/index (BIP44, SLIP-44 coin 144), as hardware wallets have it.
    Test networks: m/44'/1'/144'/id'/account'/0/index with the network's id, so that no two networks
    share a key. For ed25519 every level is hardened, since SLIP-10 has no other.

    Raises:
        UnknownChain: for a text that names no network.
        XrplKeyRefused: for numbers outside of 0 to 2^31 - 1.
    """
    if not (0 <= account < _HARD and 0 <= index < _HARD):
        raise XrplKeyRefused(f"no key path: account {account}, index {index}")
    number = network_id(name)
    trunk = (44, 144, account) if number == 0 else (44, 1, 144, number, account)
    soft = _HARD if curve == "ed25519" else 0
    return (*(level | _HARD for level in trunk), soft, index | soft)
