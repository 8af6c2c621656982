"""What ledgers lock of what wallets hold, as it was last looked at: a line of the sheet, and no account of the books.

Nothing moves when a ledger locks more or less, so nothing is posted (docs/adr/011). Each look that is kept says it in
the station's journal: the opening of a wallet, and every reconciliation with `--keep`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import delete, insert

from online.store import tables
from online.store.database import Tx
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


def noted(tx: Tx, seen: Iterable[tuple[str, Asset, int, int]], now: int) -> list[Value]:
    """Note what was seen (wallet, asset, base units, height), and give it as the journal's line says it."""
    table = tables.reserves
    lines: list[Value] = []
    for wallet, asset, units, height in sorted(seen):
        tx.sql.execute(delete(table).where(table.c.wallet == wallet))
        row = {"wallet": wallet, "asset_code": asset.code, "units": str(units), "height": height, "time": now}
        tx.sql.execute(insert(table).values(**row))
        lines.append([wallet, asset.code, str(units), height])
    return lines


def reserves_of(body: Mapping[str, Value]) -> Iterable[tuple[str, int, int]]:
    """Read the reserves in a line of the journal: wallet, base units, height; none where it tells of none."""
    rows = body.get("reserves")
    for row in rows if isinstance(rows, list) else ():
        match row:
            case [str(wallet), str(_), str(units), int(height)]:
                yield wallet, int(units), height
            case _:
                raise AssertionError("a kept reserve is a wallet, an asset's code, units and a height")
