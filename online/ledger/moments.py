"""Points in the life of the books: an entry, or a moment; and what the balances were there.

What was posted never changes again. A voided entry was pending until it was voided, which its row says.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import ColumnElement, Connection, select, true

from online.ledger.books import Balance
from online.ledger.postings import newest
from online.ledger.reserves import Locked, locked
from online.store import tables
from online.store.assets import finder
from shared.errors import BadMoment

_ENTRY: Final = re.compile(r"#?([1-9][0-9]{0,17})", re.ASCII)
_FORMS: Final = ("%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S")


@dataclass(frozen=True, slots=True)
class Point:
    """A point in the books: an entry's number, or Unix seconds; both included. With neither it is now."""

    entry: int | None = None
    time: int | None = None

    @property
    def is_now(self) -> bool:
        """Say whether nothing lies behind the point."""
        return self.entry is None and self.time is None

    def reaches(self, entry: int, time: int) -> bool:
        """Say whether an entry lies at the point or before it."""
        if self.entry is not None:
            return entry <= self.entry
        return self.time is None or time <= self.time

    def condition(self, entry: ColumnElement[int], time: ColumnElement[int]) -> ColumnElement[bool]:
        """Give what holds for rows of the point or before it, by their columns of an entry's number and a time."""
        if self.entry is not None:
            return entry <= self.entry
        return true() if self.time is None else time <= self.time


NOW: Final = Point()


def parse_point(text: str) -> Point:
    """Read an entry's number ("12", "#12"), or a moment in UTC ("2026-06-01 14:30"); a date alone is its midnight.

    Raises:
        BadMoment: for any other text.
    """
    if (match := _ENTRY.fullmatch(text)) is not None:
        return Point(entry=int(match[1]))
    for form in _FORMS:
        try:
            return Point(time=int(datetime.strptime(text, form).replace(tzinfo=UTC).timestamp()))
        except ValueError:
            continue
    raise BadMoment(f"no entry and no moment: {text[:40]!r}")


def balances_at(connection: Connection, point: Point = NOW) -> tuple[Balance, ...]:
    """Give every account's balance as it was at a point, by account and asset: now from what is kept, else summed.

    Raises:
        BadMoment: for an entry that there is not.
    """
    last = newest(connection)
    if point.entry is not None and point.entry > last:
        raise BadMoment(f"there is no entry {point.entry}: the newest is {last}")
    kept = _summed(connection, point) if not point.is_now else _running(connection)
    asset = finder(connection)
    return tuple(
        Balance(account, asset(network, code), posted, pending)
        for (account, network, code), (posted, pending) in sorted(kept.items())
    )


def was_pending(point: Point, status: str, voided_before: int | None, voided_at: int | None) -> bool:
    """Say whether an entry was pending at a point, by its status and when it was voided."""
    if voided_before is None or voided_at is None:
        return status == "pending"
    return not point.is_now and not point.reaches(voided_before, voided_at)


def locked_at(connection: Connection, point: Point = NOW) -> tuple[Locked, ...]:
    """Give what was last noted of each wallet up to a point, by wallet."""
    seen = tables.reserves.c
    return locked(connection, point.condition(seen.entry, seen.time))


_Key = tuple[str, str, str]


def _running(connection: Connection) -> dict[_Key, tuple[int, int]]:
    rows = connection.execute(select(tables.balances))
    return {(row.account, row.asset_network, row.asset_code): (int(row.posted), int(row.pending)) for row in rows}


def _summed(connection: Connection, point: Point) -> dict[_Key, tuple[int, int]]:
    line, entry = tables.lines.c, tables.entries.c
    query = (
        select(line.account, line.asset_network, line.asset_code, line.units, entry.status, entry.voided_at,
               entry.voided_before)
        .join(tables.entries, entry.id == line.entry)
        .where(point.condition(entry.id, entry.time))
    )  # fmt: skip
    posted: Counter[_Key] = Counter()
    pending: Counter[_Key] = Counter()
    for row in connection.execute(query):
        key = (row.account, row.asset_network, row.asset_code)
        posted[key] += int(row.units) if row.status == "posted" else 0
        pending[key] += int(row.units) if was_pending(point, row.status, row.voided_before, row.voided_at) else 0
    return {key: (posted[key], pending[key]) for key in posted}
