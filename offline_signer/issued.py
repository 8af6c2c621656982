"""Which keys this signer has issued on its wallets' cards: nothing else is signed with, or believed to be ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from offline_signer.history import History, Wallet
from shared import chains
from shared.chains.api import KeyPath, OwnKeys
from shared.envelope import WalletCard, card_addresses, card_keys
from shared.errors import WrongKey

Issued = Mapping[tuple[str, KeyPath], tuple[str, Mapping[int, bytes]]]
"""By network and path above: a wallet of this signer, and its public keys there by the path's last number."""


def issued_paths(history: History, *, change: bool) -> Issued:
    """Give, for each network and path above a key, the public keys below it that were issued on cards.

    With `change` also the branch to which wallets of other makers take their change; a coordinator watches none there.
    """
    issued: dict[tuple[str, KeyPath], tuple[str, Mapping[int, bytes]]] = {}
    for name, wallet in history.wallets.items():
        card, path = wallet.card, _first(wallet)
        issued[card.network, path[:-1]] = name, dict(enumerate(wallet.keys, path[-1]))
        if change and card.xpub:
            issued[card.network, (*path[:-2], 1)] = name, dict(enumerate(_change_keys(card, wallet.count)))
    return issued


def issued_key(issued: Issued, network: str, path: KeyPath) -> bytes:
    """Give the public key of a path. Raises WrongKey, if none was issued there."""
    _, keys = issued.get((network, path[:-1]), ("", {}))
    if not path or path[-1] not in keys:
        raise WrongKey(f"no wallet of this signer on {network} has this key path")
    return keys[path[-1]]


def wallets_of(issued: Issued, network: str, paths: Sequence[KeyPath]) -> tuple[str, ...]:
    """Give the wallets whose issued keys these are, by name."""
    return tuple(sorted({issued[network, path[:-1]][0] for path in paths}))


def own_keys(history: History, ledger: str) -> OwnKeys:
    """Give the keys of all wallets on a ledger, those of their branches of change among them."""
    return {
        key: (network, (*above, number))
        for (network, above), (_, keys) in issued_paths(history, change=True).items()
        if chains.chain(network).name == ledger
        for number, key in keys.items()
    }


def change_addresses(wallet: Wallet) -> tuple[str, ...]:
    """Give the addresses of a wallet's branch of change, as many as keys were issued."""
    return _change_addresses(wallet.card, wallet.count)


def _first(wallet: Wallet) -> KeyPath:
    card = wallet.card
    return chains.chain(card.network).key_path(card.network, card.curve, card.account, 0, card.form)


@lru_cache(maxsize=16)  # a wallet of thousands of keys is asked for its own several times in one ceremony
def _change_keys(card: WalletCard, count: int) -> tuple[bytes, ...]:
    return card_keys(card, count, branch=1)


@lru_cache(maxsize=16)
def _change_addresses(card: WalletCard, count: int) -> tuple[str, ...]:
    return card_addresses(card, count, branch=1)
