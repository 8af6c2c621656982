"""The NEAR networks by their full names, their native asset, and the key paths of wallets on them.

No chain id is signed: only the block hash ties a transaction to a network. So no two networks ever share a key.
"""

from __future__ import annotations

from typing import Final

from shared.chains.api import Curve, KeyPath, Network
from shared.errors import NearKeyRefused, UnknownChain
from shared.money import Asset

_HARD: Final = 1 << 31
_COIN: Final = 397  # SLIP-44
_TEST_IDS: Final = {"near:testnet": 1, "near:localnet": 2}
_NETWORKS: Final = {
    name: Network(name, "test" if name in _TEST_IDS else "main", Asset(name, "NEAR", 24), "ed25519")
    for name in ("near:mainnet", *_TEST_IDS)
}


def network(name: str) -> Network:
    """Give the network of a full name.

    Raises:
        UnknownChain: for every other text.
    """
    try:
        return _NETWORKS[name]
    except KeyError:
        raise UnknownChain(f"no NEAR network: {name[:40]!r}") from None


def key_path(name: str, curve: Curve, account: int, index: int) -> KeyPath:
    """Give the path of a wallet's key; every level is hardened, since SLIP-10 has no other on ed25519.

    Main network: m/44'/397'/index' for account 0, whose first key is that of the ledger's own wallets (m/44'/397'/0'),
    and m/44'/397'/account'/index' for further accounts. Test networks: m/44'/1'/397'/id'/account'/index' with id 1
    for testnet and 2 for localnet, so that no two networks share a key.

    Raises:
        UnknownChain: for a text that names no network.
        NearKeyRefused: for another curve, and for numbers outside of 0 to 2^31 - 1.
    """
    main = network(name).network_class == "main"
    if curve != "ed25519":
        raise NearKeyRefused(f"NEAR wallets here have no keys on {curve}")
    if not (0 <= account < _HARD and 0 <= index < _HARD):
        raise NearKeyRefused(f"no key path: account {account}, index {index}")
    own = (account,) if account else ()
    levels = (44, _COIN, *own, index) if main else (44, 1, _COIN, _TEST_IDS[name], account, index)
    return tuple(level | _HARD for level in levels)
