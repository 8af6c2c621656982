"""Double entry: an entry's lines add up to nothing for each asset, and balances move in the same transaction.

Entries are pending, posted or voided. A pending one is voided when its job ends, and what really happened is posted
as an entry of its own; a posted entry is never changed again.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, bindparam, insert, select, update

from online.store import tables
from online.store.database import Tx
from shared.encoding import Value, encode
from shared.money import Asset

Status = Literal["pending", "posted", "voided"]

# Statements that every posting makes are built once: building them anew costs more than the database's own work.
_BALANCE = tables.balances.c
_HERE = (
    (_BALANCE.account == bindparam("at_account"))
    & (_BALANCE.asset_network == bindparam("at_network"))
    & (_BALANCE.asset_code == bindparam("at_code"))
)
_FIND_BALANCE = select(_BALANCE.pending, _BALANCE.posted).where(_HERE)
_MOVE_BALANCE = update(tables.balances).where(_HERE)
_INSERT_BALANCE, _INSERT_LINES = insert(tables.balances), insert(tables.lines)
_INSERT_ENTRY = insert(tables.entries).returning(tables.entries.c.id)
_FIND_ENTRY = select(tables.entries).where(tables.entries.c.id == bindparam("entry"))
_SWORN_LINES = (
    select(*(column for column in tables.lines.c if column.name != "entry"))
    .where(tables.lines.c.entry == bindparam("entry"))
    .order_by(tables.lines.c.position)
)


@dataclass(frozen=True, slots=True)
class Posting:
    """One line of an entry: base units of an asset into (above 0) or out of (below 0) an account."""

    account: str
    asset: Asset
    units: int


def post(tx: Tx, memo: str, status: Status, postings: Iterable[Posting], job: int | None, now: int) -> int:
    """Write an entry and move the balances; lines of nothing are left out. Give the entry's number."""
    kept = [posting for posting in postings if posting.units]
    _require_balanced(kept)
    values = {"job": job, "memo": memo, "status": status, "time": now}
    entry = int(tx.sql.execute(_INSERT_ENTRY, values).scalar_one())
    rows = []
    for position, posting in enumerate(kept):
        asset = {"asset_network": posting.asset.network, "asset_code": posting.asset.code}
        row = {"entry": entry, "position": position, "account": posting.account, "units": str(posting.units)}
        rows.append({**row, **asset})
        _move_balance(tx, posting.account, asset, status, posting.units)
    if rows:
        tx.sql.execute(_INSERT_LINES, rows)
    return entry


def void_pending(tx: Tx, job: int) -> list[Value]:
    """Void what is pending for a job, take it out of the pending balances, and give the entries' numbers."""
    table = tables.entries
    query = select(table.c.id).where(table.c.job == job, table.c.status == "pending")
    voided = tx.sql.execute(query.order_by(table.c.id)).scalars().all()
    for entry in voided:
        tx.sql.execute(update(table).where(table.c.id == entry).values(status="voided"))
        for row in tx.sql.execute(select(tables.lines).where(tables.lines.c.entry == entry)).all():
            asset = {"asset_network": row.asset_network, "asset_code": row.asset_code}
            _move_balance(tx, row.account, asset, "pending", -int(row.units))
    return list(voided)


def is_pending(connection: Connection, job: int) -> bool:
    """Say whether the books reserve for a job."""
    table = tables.entries
    query = select(table.c.id).where(table.c.job == job, table.c.status == "pending")
    return connection.execute(query.limit(1)).scalar() is not None


def sworn(connection: Connection, entry: int) -> list[Value]:
    """Give what the journal says of an entry: number, status now, and the digest of all else that is written."""
    row = connection.execute(_FIND_ENTRY, {"entry": entry}).one()
    found = connection.execute(_SWORN_LINES, {"entry": entry})
    lines: list[Value] = [list(line) for line in found]
    said = encode([row.job, row.memo, row.time, lines])
    return [entry, row.status, hashlib.sha256(said).digest()]


def recomputed(connection: Connection) -> dict[tuple[str, str, str], tuple[int, int]]:
    """Add up all lines anew: (account, network, code) -> (pending, posted)."""
    pending: Counter[tuple[str, str, str]] = Counter()
    posted: Counter[tuple[str, str, str]] = Counter()
    query = select(tables.lines, tables.entries.c.status).join(
        tables.entries, tables.entries.c.id == tables.lines.c.entry
    )
    for row in connection.execute(query):
        key = (row.account, row.asset_network, row.asset_code)
        pending[key] += int(row.units) if row.status == "pending" else 0
        posted[key] += int(row.units) if row.status == "posted" else 0
    return {key: (pending[key], posted[key]) for key in pending.keys() | posted.keys()}


def _require_balanced(postings: list[Posting]) -> None:
    sums: Counter[Asset] = Counter()
    for posting in postings:
        sums[posting.asset] += posting.units
    if any(sums.values()):
        raise ValueError(f"an entry does not add up: {postings}")  # a bug of a rule, never a user's doing


def _move_balance(tx: Tx, account: str, asset: dict[str, str], status: Status, units: int) -> None:
    here = {"at_account": account, "at_network": asset["asset_network"], "at_code": asset["asset_code"]}
    row = tx.sql.execute(_FIND_BALANCE, here).one_or_none()
    pending, posted = (0, 0) if row is None else (int(row.pending), int(row.posted))
    if status == "pending":
        pending += units
    elif status == "posted":
        posted += units
    values = {"pending": str(pending), "posted": str(posted)}
    if row is None:
        tx.sql.execute(_INSERT_BALANCE, {"account": account, **asset, **values})
    else:
        tx.sql.execute(_MOVE_BALANCE, {**here, **values})
