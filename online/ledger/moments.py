"""Points in the life of the books: an entry, or a moment; and what the balances were there.

What was posted never changes again. A voided entry was pending until the station's journal says that it was voided.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import ColumnElement, Connection, func, select, true

from online.ledger.books import Balance
from online.ledger.reserves import Locked, reserves_of
from online.ledger.told import Said, told
from online.store import tables
from online.store.assets import finder
from shared.chains import chain
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

    def condition(self) -> ColumnElement[bool]:
        """Give what holds for the rows of entries that lie at the point or before it."""
        if self.entry is not None:
            return tables.entries.c.id <= self.entry
        return true() if self.time is None else tables.entries.c.time <= self.time


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
    newest = connection.execute(select(func.max(tables.entries.c.id))).scalar() or 0
    if point.entry is not None and point.entry > newest:
        raise BadMoment(f"there is no entry {point.entry}: the newest is {newest}")
    kept = _summed(connection, point) if not point.is_now else _running(connection)
    asset = finder(connection)
    return tuple(
        Balance(account, asset(network, code), posted, pending)
        for (account, network, code), (posted, pending) in sorted(kept.items())
    )


def voided_after(connection: Connection, point: Point) -> frozenset[int]:
    """Give the entries that were voided only after a point, by the journal's word."""
    later: set[int] = set()
    beyond = False
    for said in told(connection):
        posted = said.body.get("posted")
        number = posted[0] if isinstance(posted, list) and isinstance(posted[0], int) else 0
        beyond = beyond or (point.entry is not None and number > point.entry)
        if beyond or (point.time is not None and said.time > point.time):
            voided = said.body.get("voided")
            later |= {each for each in voided if isinstance(each, int)} if isinstance(voided, list) else set()
        beyond = beyond or (point.entry is not None and number == point.entry)
    return frozenset(later)


def locked_at(connection: Connection, point: Point = NOW) -> tuple[Locked, ...]:
    """Give what was last noted of each wallet up to a point, by wallet."""
    homes = {row.name: row.network for row in connection.execute(select(tables.wallets))}
    if point.is_now:
        rows = connection.execute(select(tables.reserves).order_by(tables.reserves.c.wallet))
        found = {row.wallet: (int(row.units), row.height, row.time) for row in rows}
    else:
        found = {}
        for said in _until(connection, point):
            found |= {name: (units, height, said.time) for name, units, height in reserves_of(said.body)}
    native = {name: chain(home).network(home).native for name, home in homes.items()}
    return tuple(Locked(name, native[name], *found[name]) for name in sorted(found))


_Key = tuple[str, str, str]


def _running(connection: Connection) -> dict[_Key, tuple[int, int]]:
    rows = connection.execute(select(tables.balances))
    return {(row.account, row.asset_network, row.asset_code): (int(row.posted), int(row.pending)) for row in rows}


def _summed(connection: Connection, point: Point) -> dict[_Key, tuple[int, int]]:
    line, entry = tables.lines.c, tables.entries.c
    query = (
        select(line.account, line.asset_network, line.asset_code, line.units, line.entry, entry.status)
        .join(tables.entries, entry.id == line.entry)
        .where(point.condition())
    )
    later = voided_after(connection, point)
    posted: Counter[_Key] = Counter()
    pending: Counter[_Key] = Counter()
    for row in connection.execute(query):
        key = (row.account, row.asset_network, row.asset_code)
        posted[key] += int(row.units) if row.status == "posted" else 0
        waits = row.status == "pending" or (row.status == "voided" and row.entry in later)
        pending[key] += int(row.units) if waits else 0
    return {key: (posted[key], pending[key]) for key in posted}


def _until(connection: Connection, point: Point) -> Iterable[Said]:
    """Give the journal's lines up to a point: up to the one that posted the entry, or what stands before the next."""
    for said in told(connection):
        posted = said.body.get("posted")
        number = posted[0] if isinstance(posted, list) and isinstance(posted[0], int) else 0
        if not point.reaches(number, said.time):
            return
        yield said
