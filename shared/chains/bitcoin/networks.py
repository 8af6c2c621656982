"""The Bitcoin networks by their full names, the prefixes of their addresses, and the key paths of wallets on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from shared.base58 import BITCOIN_ALPHABET, Base58
from shared.chains.api import Algorithm, Curve, KeyPath, Network
from shared.errors import BitcoinKeyRefused, UnknownChain
from shared.money import Asset

BASE58 = Base58(BITCOIN_ALPHABET, 40)
"""Base58Check in the ledger's own letters."""

FORMS: Final = {"p2wpkh": 84, "p2tr": 86}
"""The address forms of a wallet's own key, each with the first level of its paths (BIP84, BIP86)."""

TWEAKED_SCHNORR: Final[Algorithm] = "schnorr-bip341"
"""BIP340 by the key of the path after BIP341's tweak without scripts; the public key is then the output's."""

_HARD: Final = 1 << 31
_TEST_ACCOUNTS: Final = 1 << 28


@dataclass(frozen=True, slots=True)
class Prefixes:
    """How the addresses of a network begin: the human-readable part, and the Base58 versions."""

    words: str
    key_hash: int
    script_hash: int


_MAIN = Prefixes("bc", 0x00, 0x05)
_TEST = Prefixes("tb", 0x6F, 0xC4)
_REGTEST = Prefixes("bcrt", 0x6F, 0xC4)
_PREFIXES: Final = {
    "bitcoin:mainnet": _MAIN,
    "bitcoin:testnet4": _TEST,
    "bitcoin:signet": _TEST,
    "bitcoin:regtest": _REGTEST,
}
_NETWORKS: Final = {
    name: Network(name, "main" if words is _MAIN else "test", Asset(name, "BTC", 8))
    for name, words in _PREFIXES.items()
}
_TEST_RANGE: Final = {"bitcoin:testnet4": 0, "bitcoin:signet": 1, "bitcoin:regtest": 2}


def network(name: str) -> Network:
    """Give the network of a full name.

    Raises:
        UnknownChain: for every other text.
    """
    prefixes(name)
    return _NETWORKS[name]


def prefixes(name: str) -> Prefixes:
    """Give how a network's addresses begin.

    Raises:
        UnknownChain: for a text that names no network.
    """
    try:
        return _PREFIXES[name]
    except KeyError:
        raise UnknownChain(f"no Bitcoin network: {name[:40]!r}") from None


def all_prefixes() -> frozenset[Prefixes]:
    """Give the prefixes of every network, to tell an address of another network from none at all."""
    return frozenset(_PREFIXES.values())


def form_of(form: str) -> str:
    """Give the address form that a text names; nothing names the default.

    Raises:
        BitcoinKeyRefused: for a form that is none.
    """
    if form not in ("", *FORMS):
        raise BitcoinKeyRefused(f"no address form: {form[:20]!r}")
    return form or "p2wpkh"


def key_path(name: str, curve: Curve, account: int, index: int, form: str = "") -> KeyPath:
    """Give the path of a wallet's key.

    Main network: m/84'/0'/account'/0/index for P2WPKH and m/86'/0'/account'/0/index for P2TR. Test networks have
    coin 1, and a range of accounts each, so that no two share a key: testnet4 accounts begin at 0, those of
    signet at 2^28, those of regtest at 2 x 2^28.

    Raises:
        UnknownChain: for a text that names no network.
        BitcoinKeyRefused: for another curve or form, and for numbers outside of the range.
    """
    main = network(name).network_class == "main"
    purpose = FORMS[form_of(form)]
    if curve != "secp256k1":
        raise BitcoinKeyRefused(f"Bitcoin has no keys on {curve}")
    if not (0 <= account < (_HARD if main else _TEST_ACCOUNTS) and 0 <= index < _HARD):
        raise BitcoinKeyRefused(f"no key path: account {account}, index {index}")
    if main:
        return (purpose | _HARD, _HARD, account | _HARD, 0, index)
    return (purpose | _HARD, 1 | _HARD, (account + _TEST_RANGE[name] * _TEST_ACCOUNTS) | _HARD, 0, index)
