"""Looks at a network's ledger for reconciliation: what each open wallet holds, and what moved since its stand.

A ledger that goes on while it is read is read again, so that balances and movements are of the same height.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import select

from online.chains.api import Gateway, Historian
from online.ledger.facts import Openings, openings
from online.ledger.holdings import Holdings, assets_of, holdings
from online.ledger.stands import Stand
from online.ledger.walk import Ground, Walked, beginning, holds, walk
from online.store import tables
from online.store.database import Store
from online.store.wallets import Wallet, find_keys, find_wallet
from shared.errors import (
    AssetsShort,
    CounterpartyNodeMissing,
    NodeUnfit,
    NodeUnreachable,
    TokenDiffers,
)

_OF_THE_NODE: Final = (NodeUnreachable, NodeUnfit, CounterpartyNodeMissing, AssetsShort, TokenDiffers)
"""What a gateway raises for what its node says, or does not say."""

_LOOKS: Final = 3
"""So often a ledger that goes on meanwhile is read; then its balances are not judged this time."""


Memory = dict[str, Stand]
"""How far networks were held against the books, by network, so that only what is new is asked for."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One network's ledger: each wallet's holdings, and what was walked where the gateway tells of movements."""

    network: str
    wallets: tuple[Wallet, ...]
    opened: Openings
    held: Mapping[str, Holdings]
    walked: Walked | None
    quiet: bool
    trouble: str = ""


def networks(store: Store) -> list[str]:
    """List the networks that wallets are on."""
    with store.reading() as connection:
        return list(connection.execute(select(tables.wallets.c.network).distinct().order_by("network")).scalars())


def look(store: Store, gateway: Gateway, network: str, stand: Stand | None) -> Seen:
    """Read a network's ledger, again where it went on meanwhile; from a stand where it holds, else from the openings.

    What its node refuses is this network's trouble, and no other's.
    """
    with store.reading() as connection:
        opened = openings(connection, network)
        wallets = tuple(find_wallet(connection, name) for name in sorted({name for name, _ in opened.units}))
        owners = {key.address: one.name for one in wallets for key in find_keys(connection, one.name)}
        assets = assets_of(connection, wallets[0], gateway) if wallets else []
    ground = Ground(network, owners, tuple(assets), opened)
    seen = Seen(network, wallets, opened, {}, None, quiet=False)
    for _ in range(_LOOKS if wallets else 0):
        try:
            height = gateway.height()
            seen = replace(seen, held={one.name: holdings(store, one, gateway) for one in wallets})
            seen = replace(seen, walked=_walked(store, gateway, ground, stand), quiet=gateway.height() == height)
        except _OF_THE_NODE as refusal:
            return replace(seen, walked=None, trouble=f"{refusal} [{refusal.code}]")
        if seen.quiet:
            break
        stand = None if seen.walked is None else seen.walked.stand
    return seen


def _walked(store: Store, gateway: Gateway, ground: Ground, stand: Stand | None) -> Walked | None:
    if not isinstance(gateway, Historian):
        return None
    known = stand if stand is not None and holds(store, gateway, ground, stand) else beginning(ground)
    return walk(store, gateway, ground, known)
