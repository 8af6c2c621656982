"""Targets: how much of an asset a wallet should hold, and the band within which nothing is moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, delete, insert, select

from online.store import journal, tables
from online.store.assets import finder
from online.store.database import Store
from online.store.people import known
from online.store.wallets import find_wallet
from shared.encoding import Value, encode, units_to_bytes
from shared.errors import BadTarget
from shared.money import Asset
from shared.policy import Person
from shared.sealed import Sign, seal

KIND: Final = "target/1"


@dataclass(frozen=True, slots=True)
class Target:
    """A wallet's band for one asset, in base units: below `low` it is filled, above `high` emptied, to `target`."""

    wallet: str
    asset: Asset
    low: int
    target: int
    high: int


def set_target(store: Store, wanted: Target, *, person: Person, sign: Sign, now: int) -> Target:
    """Set or change a target by a person's signed word; it moves nothing, since orders need two people.

    Raises:
        BadTarget: if low, target and high do not ascend, or the asset is another network's. UnknownWallet,
            UnknownPerson, UnknownAsset.
    """
    with store.transaction() as tx:
        known(tx.sql, person)
        wallet = find_wallet(tx.sql, wanted.wallet)
        if finder(tx.sql)(wallet.network, wanted.asset.code) != wanted.asset:
            raise BadTarget(f"{wanted.asset} is no asset of the wallet {wallet.name}")
        if not 0 <= wanted.low <= wanted.target <= wanted.high:
            raise BadTarget("low, target and high ascend")
        units: list[Value] = [*map(units_to_bytes, (wanted.low, wanted.target, wanted.high))]
        body: dict[str, Value] = {"wallet": wallet.name, "asset": wanted.asset.code, "units": units, "time": now}
        sealed = seal(KIND, encode(body), [(person.key, sign)])
        table = tables.targets
        here = (table.c.wallet == wallet.name) & (table.c.asset_code == wanted.asset.code)
        tx.sql.execute(delete(table).where(here))
        band = {"low": str(wanted.low), "target": str(wanted.target), "high": str(wanted.high)}
        row = {"wallet": wallet.name, "asset_code": wanted.asset.code, "sealed": sealed}
        tx.sql.execute(insert(table).values(**row, **band))
        journal.append(tx, "target", {"sealed": sealed, "by": person.name}, now)
    return wanted


def targets(store: Store) -> tuple[Target, ...]:
    """List the targets, by wallet and asset."""
    with store.reading() as connection:
        return find_targets(connection)


def find_targets(connection: Connection) -> tuple[Target, ...]:
    """List the targets within a transaction."""
    table, asset = tables.targets, finder(connection)
    rows = connection.execute(select(table).order_by(table.c.wallet, table.c.asset_code)).all()
    return tuple(
        Target(
            row.wallet, asset(find_wallet(connection, row.wallet).network, row.asset_code),
            int(row.low), int(row.target), int(row.high),
        )
        for row in rows
    )  # fmt: skip
