"""Double entry: an entry's lines add up to nothing for each asset, and balances move in the same transaction.

Entries are pending, posted or voided. A pending one is voided when its job ends, and what really happened is posted
as an entry of its own; a posted entry is never changed again.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, bindparam, func, insert, select, update

from online.store import journal, tables
from online.store.database import Tx
from online.store.many import among, given
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
_BALANCES = select(tables.balances).where(_BALANCE.account.in_(given()))
_MOVE_BALANCE = update(tables.balances).where(_HERE)
_INSERT_BALANCE, _INSERT_LINES = insert(tables.balances), insert(tables.lines)
_INSERT_ENTRIES = insert(tables.entries).returning(tables.entries.c.id, sort_by_parameter_order=True)
_ENTRIES = select(tables.entries).where(tables.entries.c.id.in_(given()))
_LINES = tables.lines.c
_SWORN_LINES = select(tables.lines).where(_LINES.entry.in_(given())).order_by(_LINES.entry, _LINES.position)

_Place = tuple[str, str, str]
"""Where a balance stands: account, network and code."""


@dataclass(frozen=True, slots=True)
class Posting:
    """One line of an entry: base units of an asset into (above 0) or out of (below 0) an account."""

    account: str
    asset: Asset
    units: int


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry to write: what it says of itself, and its lines; lines of nothing are left out."""

    memo: str
    status: Status
    postings: tuple[Posting, ...]
    job: int | None = None


def post(tx: Tx, memo: str, status: Status, postings: Iterable[Posting], job: int | None, now: int) -> int:
    """Write an entry and move the balances; lines of nothing are left out. Give the entry's number."""
    (number,) = post_many(tx, [Entry(memo, status, tuple(postings), job)], now)
    return number


def post_many(tx: Tx, entries: Sequence[Entry], now: int) -> list[int]:
    """Write entries and move the balances, all at once. Give their numbers, which ascend in their order."""
    if not entries:
        return []
    for entry in entries:
        _require_balanced(entry.postings)
    heads = [{"job": one.job, "memo": one.memo, "status": one.status, "time": now} for one in entries]
    numbers = [int(number) for number in tx.sql.execute(_INSERT_ENTRIES, heads).scalars()]
    rows, moved = [], _Moved()
    for number, entry in zip(numbers, entries, strict=True):
        for position, posting in enumerate(one for one in entry.postings if one.units):
            asset = {"asset_network": posting.asset.network, "asset_code": posting.asset.code}
            row = {"entry": number, "position": position, "account": posting.account, "units": str(posting.units)}
            rows.append({**row, **asset})
            moved.note((posting.account, posting.asset.network, posting.asset.code), entry.status, posting.units)
    if rows:
        tx.sql.execute(_INSERT_LINES, rows)
    moved.write(tx)
    return numbers


def void_pending(tx: Tx, job: int, now: int) -> list[Value]:
    """Void what is pending for a job, take it out of the pending balances, and give the entries' numbers."""
    table = tables.entries
    query = select(table.c.id).where(table.c.job == job, table.c.status == "pending")
    voided, moved = tx.sql.execute(query.order_by(table.c.id)).scalars().all(), _Moved()
    when = {"voided_at": journal.time(tx, now), "voided_before": newest(tx.sql) + 1}
    for entry in voided:
        tx.sql.execute(update(table).where(table.c.id == entry).values(status="voided", **when))
        for row in tx.sql.execute(select(tables.lines).where(tables.lines.c.entry == entry)):
            moved.note((row.account, row.asset_network, row.asset_code), "pending", -int(row.units))
    moved.write(tx)
    return list(voided)


def newest(connection: Connection) -> int:
    """Give the number of the newest entry, 0 where there is none."""
    return connection.execute(select(func.max(tables.entries.c.id))).scalar() or 0


def is_pending(connection: Connection, job: int) -> bool:
    """Say whether the books reserve for a job."""
    table = tables.entries
    query = select(table.c.id).where(table.c.job == job, table.c.status == "pending")
    return connection.execute(query.limit(1)).scalar() is not None


def sworn(connection: Connection, entry: int) -> list[Value]:
    """Give what the journal says of an entry: number, status now, and the digest of all else that is written."""
    return sworn_many(connection, [entry])[entry]


def sworn_many(connection: Connection, entries: Collection[int]) -> dict[int, list[Value]]:
    """Give what the journal says of entries, by their numbers, as `sworn` does of one."""
    lines: dict[int, list[Value]] = {entry: [] for entry in entries}
    for row in among(connection, _SWORN_LINES, entries):
        lines[row.entry].append([row.position, row.account, row.asset_network, row.asset_code, row.units])
    found = among(connection, _ENTRIES, entries)
    said = {row.id: (row.status, encode([row.job, row.memo, row.time, lines[row.id]])) for row in found}
    return {entry: [entry, said[entry][0], hashlib.sha256(said[entry][1]).digest()] for entry in entries}


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


def _require_balanced(postings: Sequence[Posting]) -> None:
    sums: Counter[Asset] = Counter()
    for posting in postings:
        sums[posting.asset] += posting.units
    if any(sums.values()):
        raise ValueError(f"an entry does not add up: {postings}")  # a bug of a rule, never a user's doing


class _Moved:
    """What balances move by, pending and posted, gathered and written once."""

    def __init__(self) -> None:
        self._pending: Counter[_Place] = Counter()
        self._posted: Counter[_Place] = Counter()
        self._places: set[_Place] = set()

    def note(self, place: _Place, status: Status, units: int) -> None:
        self._places.add(place)
        if status == "pending":
            self._pending[place] += units
        elif status == "posted":
            self._posted[place] += units

    def write(self, tx: Tx) -> None:
        found = among(tx.sql, _BALANCES, sorted({account for account, _, _ in self._places}))
        there = {(row.account, row.asset_network, row.asset_code): row for row in found}
        changed, new = [], []
        for place in sorted(self._places):
            row = there.get(place)
            before = (0, 0) if row is None else (int(row.pending), int(row.posted))
            units = {"pending": str(before[0] + self._pending[place]), "posted": str(before[1] + self._posted[place])}
            account, network, code = place
            if row is None:
                new.append({"account": account, "asset_network": network, "asset_code": code, **units})
            else:
                changed.append({"at_account": account, "at_network": network, "at_code": code, **units})
        if new:
            tx.sql.execute(_INSERT_BALANCE, new)
        if changed:
            tx.sql.execute(_MOVE_BALANCE, changed)
