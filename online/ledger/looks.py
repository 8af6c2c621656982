"""Reads a network's ledger for reconciliation: what each open wallet holds, and all that moved since its opening.

A ledger that goes on while it is read is read again, so that balances and movements are of the same height.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import select

from online.chains.api import Gateway, Historian, Movement, Movements
from online.ledger.facts import openings
from online.ledger.holdings import Holdings, assets_of, holdings
from online.store import tables
from online.store.database import Store
from online.store.wallets import Wallet, find_keys, find_wallet
from shared.errors import HistoryMissing
from shared.money import Asset

_LOOKS: Final = 3
"""So often a ledger that goes on meanwhile is read; then its balances are not judged this time."""


@dataclass(frozen=True, slots=True)
class Read:
    """What was read of a network's ledger and is settled: of whom, above which height, up to where, and what moved."""

    owners: frozenset[str]
    assets: tuple[Asset, ...]
    since: int
    settled: int
    found: tuple[Movement, ...]


Memory = dict[str, Read]
"""What earlier looks of one process have read, by network, so that only what is new is asked for.

Who forgets it now and then sees whatever became of what was settled, such as a reorganisation deeper than that.
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """One network's ledger: each wallet's holdings, and the movements where the gateway tells them."""

    network: str
    wallets: tuple[Wallet, ...]
    owners: Mapping[str, str]
    held: Mapping[str, Holdings]
    moved: Movements | None
    quiet: bool
    trouble: str = ""


def networks(store: Store) -> list[str]:
    """List the networks that wallets are on."""
    with store.reading() as connection:
        return list(connection.execute(select(tables.wallets.c.network).distinct().order_by("network")).scalars())


def look(store: Store, gateway: Gateway, network: str, memory: Memory) -> Seen:
    """Read a network's ledger, again where it went on meanwhile; `memory` is read and filled.

    Raises:
        NodeUnreachable: when the node does not answer.
    """
    with store.reading() as connection:
        opened = openings(connection, frozenset({network}))
        wallets = tuple(find_wallet(connection, name) for name in sorted({name for name, _ in opened.units}))
        owners = {key.address: one.name for one in wallets for key in find_keys(connection, one.name)}
        assets = assets_of(connection, wallets[0], gateway) if wallets else []
    since = min(opened.heights.values(), default=0)
    seen = Seen(network, wallets, owners, {}, None, quiet=False)
    for _ in range(_LOOKS if wallets else 0):
        height = gateway.height()
        held = {one.name: holdings(store, one, gateway) for one in wallets}
        try:
            moved = _moved(gateway, owners, assets, since, memory) if isinstance(gateway, Historian) else None
        except HistoryMissing as missing:
            return replace(seen, held=held, trouble=f"{missing} [{missing.code}]")
        seen = replace(seen, held=held, moved=moved, quiet=gateway.height() == height)
        if seen.quiet:
            break
    return seen


def _moved(
    gateway: Historian, owners: Collection[str], assets: Collection[Asset], since: int, memory: Memory
) -> Movements:
    """Read what moved above a height; what the memory has of the same addresses and assets is not asked for again."""
    read = memory.get(gateway.network)
    if read is None or (read.owners, read.assets, read.since) != (frozenset(owners), tuple(assets), since):
        read = Read(frozenset(owners), tuple(assets), since, since, ())
    new = gateway.movements(owners, assets, read.settled)
    found = (*read.found, *new.found)
    settled = max(read.settled, new.settled)
    memory[gateway.network] = replace(
        read, settled=settled, found=tuple(one for one in found if one.height <= settled)
    )
    return Movements(found, new.height, new.settled)
