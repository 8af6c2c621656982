"""What ledgers lock of what wallets hold, as it was last looked at: a line of the sheet, and no account of the books.

Nothing moves when a ledger locks more or less, so nothing is posted (docs/adr/011). Each look that is kept says it in
the station's journal and as a row: the opening of a wallet, and every reconciliation with `--keep`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, insert, select

from online.ledger.postings import newest
from online.store import journal, tables
from online.store.database import Tx
from shared.chains import chain
from shared.encoding import Value
from shared.money import Asset


@dataclass(frozen=True, slots=True)
class Locked:
    """What of a wallet's native asset its ledger locks, in base units, at a height, and when that was noted."""

    wallet: str
    asset: Asset
    units: int
    height: int
    time: int


def noted(tx: Tx, seen: Iterable[tuple[str, Asset, int, int]], now: int, *, reconciled: bool) -> list[Value]:
    """Note what was seen (wallet, asset, base units, height), and give it as the journal's line says it."""
    at = {"time": journal.time(tx, now), "entry": newest(tx.sql), "reconciled": reconciled}
    lines: list[Value] = []
    for wallet, asset, units, height in sorted(seen):
        row = {"wallet": wallet, "asset_code": asset.code, "units": str(units), "height": height, **at}
        tx.sql.execute(insert(tables.reserves).values(row))
        lines.append([wallet, asset.code, str(units), height])
    return lines


def locked(connection: Connection, here: ColumnElement[bool]) -> tuple[Locked, ...]:
    """Give what was noted last of each wallet, by wallet, among the rows for which a condition holds."""
    table, found = tables.reserves, []
    for wallet in connection.execute(select(tables.wallets).order_by(tables.wallets.c.name)):
        query = select(table).where(table.c.wallet == wallet.name, here).order_by(table.c.id.desc()).limit(1)
        row = connection.execute(query).one_or_none()
        if row is not None:
            native = chain(wallet.network).network(wallet.network).native
            found.append(Locked(wallet.name, native, int(row.units), row.height, row.time))
    return tuple(found)


def reserves_of(body: Mapping[str, Value]) -> Iterable[tuple[str, int, int]]:
    """Read the reserves in a line of the journal: wallet, base units, height; none where it tells of none."""
    rows = body.get("reserves")
    for row in rows if isinstance(rows, list) else ():
        match row:
            case [str(wallet), str(_), str(units), int(height)]:
                yield wallet, int(units), height
            case _:
                raise AssertionError("a kept reserve is a wallet, an asset's code, units and a height")
