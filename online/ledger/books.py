"""What people and auditors ask of the books: opening balances, differences with the ledgers, proofs and reports.

A difference is shown and never absorbed: only a transaction or an opening writes an entry.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, select

from online.chains.api import Gateway
from online.ledger import postings, rules
from online.orders.model import asset_of
from online.store import journal as station_journal
from online.store import tables
from online.store.database import Store
from online.store.wallets import Wallet, find_keys, find_wallet
from shared.chains import chain
from shared.encoding import Value
from shared.errors import WalletAlreadyOpen
from shared.money import Amount, Asset


@dataclass(frozen=True, slots=True)
class Difference:
    """A wallet on its ledger and in the books, in base units, at a height; `pending` is what is on its way."""

    wallet: str
    asset: Asset
    ledger: int
    books: int
    pending: int
    height: int

    @property
    def difference(self) -> int:
        """Give what the ledger holds beyond the books."""
        return self.ledger - self.books


@dataclass(frozen=True, slots=True)
class Balance:
    """An account's balance of one asset in base units, below zero where it owes."""

    account: str
    asset: Asset
    posted: int
    pending: int


@dataclass(frozen=True, slots=True)
class TrialLine:
    """The sum of all accounts for an asset, which is nothing if the books add up."""

    asset: Asset
    posted: int
    pending: int


@dataclass(frozen=True, slots=True)
class BookEntry:
    """One entry of the books with its lines: account, asset, base units."""

    id: int
    time: int
    memo: str
    status: str
    job: int | None
    lines: tuple[tuple[str, Asset, int], ...]


def open_wallet(store: Store, wallet: str, gateway: Gateway, now: int) -> Balance:
    """Post a wallet's balance on the ledger against own funds, once, before anything of it moves.

    Raises:
        WalletAlreadyOpen: if the books know the wallet. UnknownWallet: if there is none. NodeUnreachable: of the node.
    """
    with store.reading() as connection:
        found = find_wallet(connection, wallet)
        _require_closed(connection, wallet)
    units, height = _on_ledger(store, found, gateway)
    asset = chain(found.network).network(found.network).native
    with store.transaction() as tx:
        _require_closed(tx.sql, wallet)
        lines = rules.opened(wallet, Amount(asset, units))
        postings.post(tx, f"opening of {wallet} at {height}", "posted", lines, None, now)
        body: dict[str, Value] = {"wallet": wallet, "height": height, "units": str(units)}
        station_journal.append(tx, "opening", body, now)
    return Balance(f"wallet:{wallet}", asset, units, 0)


def check(store: Store, gateways: Mapping[str, Gateway]) -> tuple[Difference, ...]:
    """Hold every wallet's books against its ledger, where a gateway is given. Raises NodeUnreachable."""
    with store.reading() as connection:
        names = connection.execute(select(tables.wallets.c.name).order_by(tables.wallets.c.name)).scalars().all()
        wallets = [find_wallet(connection, name) for name in names]
    return tuple(
        _difference(store, wallet, gateways[wallet.network]) for wallet in wallets if wallet.network in gateways
    )


def prove_balances(store: Store) -> tuple[str, ...]:
    """Add up every line anew and say in which accounts the kept balances differ; nothing says that they are proven."""
    with store.reading() as connection:
        proven = postings.recomputed(connection)
        kept = {
            (row.account, row.asset_network, row.asset_code): (int(row.pending), int(row.posted))
            for row in connection.execute(select(tables.balances))
        }
    problems = [
        f"{key[0]} {key[2]}: kept {kept.get(key, (0, 0))}, lines say {proven.get(key, (0, 0))}"
        for key in sorted(kept.keys() | proven.keys())
        if kept.get(key, (0, 0)) != proven.get(key, (0, 0))
    ]
    sums = [f"{line.asset}: {line.posted} posted, {line.pending} pending" for line in trial_balance(store)
            if line.posted or line.pending]
    return (*problems, *sums)


def balance_sheet(store: Store) -> tuple[Balance, ...]:
    """List every account's balance, by account and asset."""
    table = tables.balances
    with store.reading() as connection:
        rows = connection.execute(select(table).order_by(table.c.account, table.c.asset_network, table.c.asset_code))
        return tuple(
            Balance(row.account, asset_of(row.asset_network, row.asset_code), int(row.posted), int(row.pending))
            for row in rows
        )


def trial_balance(store: Store) -> tuple[TrialLine, ...]:
    """Sum all accounts for each asset."""
    posted: Counter[Asset] = Counter()
    pending: Counter[Asset] = Counter()
    for balance in balance_sheet(store):
        posted[balance.asset] += balance.posted
        pending[balance.asset] += balance.pending
    return tuple(TrialLine(asset, posted[asset], pending[asset]) for asset in sorted(posted))


def journal(store: Store) -> tuple[BookEntry, ...]:
    """List the entries with their lines, the oldest first."""
    with store.reading() as connection:
        lines: dict[int, list[tuple[str, Asset, int]]] = {}
        for row in connection.execute(select(tables.lines).order_by(tables.lines.c.entry, tables.lines.c.position)):
            asset = asset_of(row.asset_network, row.asset_code)
            lines.setdefault(row.entry, []).append((row.account, asset, int(row.units)))
        rows = connection.execute(select(tables.entries).order_by(tables.entries.c.id))
        return tuple(
            BookEntry(row.id, row.time, row.memo, row.status, row.job, tuple(lines.get(row.id, ())))
            for row in rows
        )


def _require_closed(connection: Connection, wallet: str) -> None:
    query = select(tables.lines.c.entry).where(tables.lines.c.account == f"wallet:{wallet}").limit(1)
    if connection.execute(query).scalar() is not None:
        raise WalletAlreadyOpen(f"the wallet {wallet} is in the books already")


def _on_ledger(store: Store, wallet: Wallet, gateway: Gateway) -> tuple[int, int]:
    """Add up a wallet's addresses on the ledger, and give the height up to which they were read."""
    with store.reading() as connection:
        states = [gateway.account(key.address) for key in find_keys(connection, wallet.name)]
    return sum(state.balance.units for state in states), max((state.height for state in states), default=0)


def _difference(store: Store, wallet: Wallet, gateway: Gateway) -> Difference:
    units, height = _on_ledger(store, wallet, gateway)
    asset = chain(wallet.network).network(wallet.network).native
    kept = [one for one in balance_sheet(store) if (one.account, one.asset) == (f"wallet:{wallet.name}", asset)]
    posted, pending = (kept[0].posted, kept[0].pending) if kept else (0, 0)
    return Difference(wallet.name, asset, units, posted, pending, height)
