"""What people and auditors ask of the books: opening balances, differences with the ledgers, proofs and reports.

A difference is shown and never absorbed: only a transaction or an opening writes an entry.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, delete, insert, or_, select

from online.chains.api import Gateway
from online.ledger import postings, reserves, rules
from online.ledger.accounts import OWED
from online.ledger.holdings import assets_of, holdings
from online.store import journal as station_journal
from online.store import tables
from online.store.assets import finder
from online.store.database import Store, Tx
from online.store.wallets import Wallet, find_wallet
from shared.chains import chain
from shared.encoding import Value
from shared.errors import NodeUnfit, WalletAlreadyOpen
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
class BookEntry:
    """One entry of the books with its lines: account, asset, base units."""

    id: int
    time: int
    memo: str
    status: str
    job: int | None
    lines: tuple[tuple[str, Asset, int], ...]


def open_wallet(store: Store, wallet: str, gateway: Gateway, now: int) -> Balance:
    """Post a wallet's balances on the ledger against own funds, each asset once, before anything of it moves.

    What lies at an address that was given to customers, without a tag that tells them apart, waits in suspense instead.
    Assets beside the native one are those that are noted; one that is noted later is opened by a further call.

    Raises:
        WalletAlreadyOpen: if the books know the wallet. UnknownWallet: if there is none. NodeUnreachable: of the node.
        NodeUnfit: if deposits were read further than the balances.
    """
    with store.reading() as connection:
        found = find_wallet(connection, wallet)
        _require_closed(connection, found, gateway)
    seen = holdings(store, found, gateway)
    held, height = seen.held, seen.height
    with store.transaction() as tx:
        fresh = _require_closed(tx.sql, found, gateway)
        _require_unread(tx.sql, found.network, height)
        found_there = _at_places(tx.sql, wallet, fresh, seen.at)
        theirs = {asset: sum(found_there[asset].values()) for asset in fresh}
        lines = [line for asset in fresh for line in rules.opened(wallet, Amount(asset, held[asset]), theirs[asset])]
        entry = postings.post(tx, f"opening of {wallet} at {height}", "posted", lines, None, now)
        units = {asset.code: str(held[asset]) for asset in fresh}
        body: dict[str, Value] = {"wallet": wallet, "height": height, "units": {**units}}
        places: dict[str, Value] = {
            asset.code: {address: str(units) for address, units in there.items()}
            for asset, there in found_there.items() if there
        }  # fmt: skip
        body["places"], body["posted"] = places, postings.sworn(tx.sql, entry)
        native = chain(found.network).network(found.network).native
        body["reserves"] = reserves.noted(tx, [(wallet, native, seen.reserved, height)], now, reconciled=False)
        station_journal.append(tx, "opening", body, now)
        rows = [{"wallet": wallet, "asset_code": code, "height": height, "units": held_units, "entry": entry}
                for code, held_units in units.items()]  # fmt: skip
        table = tables.openings  # what was empty when it was opened may be opened again, and the later height counts
        again = (table.c.wallet == wallet) & table.c.asset_code.in_(asset.code for asset in fresh)
        tx.sql.execute(delete(table).where(again))
        tx.sql.execute(insert(table), rows)
        _keep_found(tx, wallet, found_there)
    asset = native if native in fresh else fresh[0]
    return Balance(f"wallet:{wallet}", asset, held[asset], 0)


def check(store: Store, gateways: Mapping[str, Gateway]) -> tuple[Difference, ...]:
    """Hold every wallet's books against its ledger, where a gateway is given. Raises NodeUnreachable."""
    with store.reading() as connection:
        names = connection.execute(select(tables.wallets.c.name).order_by(tables.wallets.c.name)).scalars().all()
        wallets = [find_wallet(connection, name) for name in names]
    return tuple(
        difference
        for wallet in wallets
        if wallet.network in gateways
        for difference in _differences(store, wallet, gateways[wallet.network])
    )


def wrong_sides(store: Store) -> tuple[str, ...]:
    """Name the accounts of what the house owes that stand above nothing: more was paid out of them than was owed."""
    with store.reading() as connection:
        return find_wrong_sides(connection)


def find_wrong_sides(connection: Connection) -> tuple[str, ...]:
    """Name those accounts within a transaction."""
    table = tables.balances
    owed = or_(*(table.c.account.like(f"{kind}:%") for kind in sorted(OWED)))
    query = select(table).where(owed, table.c.posted != "0", table.c.posted.not_like("-%")).order_by(table.c.account)
    rows = connection.execute(query).all()
    return tuple(
        f"{row.account}: {row.posted} base units of {row.asset_code} more were paid than owed" for row in rows
    )


def prove_balances(store: Store) -> tuple[str, ...]:
    """Add up every line anew and say in which accounts the kept balances differ; nothing says that they are proven.

    What is owed and stands on the wrong side is said as well.
    """
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
    sums: dict[tuple[str, str], tuple[int, int]] = {}
    for (_, network, code), (pending, posted) in kept.items():
        before = sums.get((network, code), (0, 0))
        sums[network, code] = before[0] + posted, before[1] + pending
    off = [f"{code} on {network}: {posted} posted, {pending} pending"
           for (network, code), (posted, pending) in sorted(sums.items()) if posted or pending]  # fmt: skip
    return (*problems, *off, *wrong_sides(store))


def balance_sheet(store: Store) -> tuple[Balance, ...]:
    """List every account's balance, by account and asset."""
    return _balances(store, select(tables.balances))


def balances_of(store: Store, account: str) -> tuple[Balance, ...]:
    """List one account's balances, by asset."""
    return _balances(store, select(tables.balances).where(tables.balances.c.account == account))


def _balances(store: Store, query: Select[Any]) -> tuple[Balance, ...]:
    table = tables.balances.c
    with store.reading() as connection:
        rows = connection.execute(query.order_by(table.account, table.asset_network, table.asset_code))
        asset_of = finder(connection)
        return tuple(
            Balance(row.account, asset_of(row.asset_network, row.asset_code), int(row.posted), int(row.pending))
            for row in rows
        )


def journal(store: Store) -> tuple[BookEntry, ...]:
    """List the entries with their lines, the oldest first."""
    with store.reading() as connection:
        lines: dict[int, list[tuple[str, Asset, int]]] = {}
        asset_of = finder(connection)
        for row in connection.execute(select(tables.lines).order_by(tables.lines.c.entry, tables.lines.c.position)):
            asset = asset_of(row.asset_network, row.asset_code)
            lines.setdefault(row.entry, []).append((row.account, asset, int(row.units)))
        rows = connection.execute(select(tables.entries).order_by(tables.entries.c.id))
        return tuple(
            BookEntry(row.id, row.time, row.memo, row.status, row.job, tuple(lines.get(row.id, ())))
            for row in rows
        )


def _require_closed(connection: Connection, wallet: Wallet, gateway: Gateway) -> list[Asset]:
    """Give the assets of which the books do not know the wallet yet, the native one first."""
    table = tables.lines
    query = select(table.c.asset_code).where(table.c.account == f"wallet:{wallet.name}").distinct()
    open_ = set(connection.execute(query).scalars())
    fresh = [asset for asset in assets_of(connection, wallet, gateway) if asset.code not in open_]
    if not fresh:
        raise WalletAlreadyOpen(f"the wallet {wallet.name} is in the books already")
    return fresh


def _at_places(
    connection: Connection, wallet: str, assets: Sequence[Asset], at: Mapping[tuple[Asset, str], int]
) -> dict[Asset, dict[str, int]]:
    """Give what of each asset lies at addresses that were given to customers, not counting those with tags."""
    table = tables.places
    query = select(table.c.address).where(table.c.wallet == wallet, table.c.custom != "tag").distinct()
    places = sorted(connection.execute(query).scalars())
    return {asset: {one: at[asset, one] for one in places if (asset, one) in at} for asset in assets}


def _keep_found(tx: Tx, wallet: str, found: Mapping[Asset, Mapping[str, int]]) -> None:
    rows = [
        {"wallet": wallet, "asset_code": asset.code, "address": address, "units": str(units), "left": str(units)}
        for asset, there in found.items() for address, units in there.items()
    ]  # fmt: skip
    if rows:
        tx.sql.execute(insert(tables.found_at_opening), rows)


def _require_unread(connection: Connection, network: str, height: int) -> None:
    """Demand that what arrives above the height of an opening is still to be read. Raises NodeUnfit."""
    table = tables.cursors
    read = connection.execute(select(table.c.height).where(table.c.network == network)).scalar()
    if read is not None and read > height:
        raise NodeUnfit(f"deposits on {network} were read up to {read}, and the balances are those of {height}")


def _differences(store: Store, wallet: Wallet, gateway: Gateway) -> list[Difference]:
    """Compare every asset that the ledger or the books know of the wallet; the native one always."""
    seen = holdings(store, wallet, gateway)
    held, height = seen.held, seen.height
    kept = {one.asset: one for one in balances_of(store, f"wallet:{wallet.name}")}
    native = chain(wallet.network).network(wallet.network).native
    known = {asset for asset in held if held[asset]} | {one.asset for one in kept.values() if one.posted or one.pending}
    found = []
    for asset in sorted(known | {native}, key=lambda one: (one != native, one)):
        posted, pending = (kept[asset].posted, kept[asset].pending) if asset in kept else (0, 0)
        found.append(Difference(wallet.name, asset, held[asset], posted, pending, height))
    return found
