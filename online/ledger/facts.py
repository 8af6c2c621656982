"""What the books have of each transaction in each wallet, as facts that can be held against a ledger.

A wallet's account moves by its opening, by jobs, by arrivals, and by two people's corrections; whatever else moved it
is told by itself.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Select, or_, select

from online.chains import customs
from online.ledger.accounts import Kind, kind_of, wallet
from online.ledger.differences import Booked, Place
from online.ledger.differences import Kind as Difference
from online.store import tables
from online.store.assets import finder
from online.store.many import among, given
from shared.errors import UnknownAsset
from shared.money import Asset

PATIENCE_BLOCKS: Final = 144
"""After so many heights a submitted transaction that never expires is called overdue: a day of Bitcoin's blocks."""

_HAPPENED: Final = re.compile(r"job [0-9]+: .* at ([0-9]+), (\S+)", re.ASCII | re.DOTALL)
_ON_THEIR_WAY: Final = frozenset({"exported", "answered", "submitted"})


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which entries are read: those above one up to another, and these besides."""

    above: int = 0
    upto: int = 0
    besides: Collection[int] = ()

    def rows(self, connection: Connection, query: Select[Any], number: ColumnElement[int]) -> Iterator[Row[Any]]:
        """Give the rows of a query whose number of an entry is among them."""
        if self.upto > self.above:
            yield from connection.execute(query.where(number > self.above, number <= self.upto))
        yield from among(connection, query.where(number.in_(given())), self.besides)


@dataclass(frozen=True, slots=True)
class Facts:
    """What some entries of the books have, by wallet and asset in base units.

    `alias` leads from the ids of a job's further transactions to the one that the books name. `strays` are lines that
    name no transaction. `posted` is what all posted entries among them moved.
    """

    booked: tuple[Booked, ...]
    alias: Mapping[str, str]
    strays: tuple[tuple[int, str, Asset, int], ...]
    posted: Mapping[Place, int]


@dataclass(slots=True)
class Openings:
    """What wallets were opened with: base units and the height they were read at, by wallet and asset; the entries."""

    units: dict[Place, int] = field(default_factory=dict)
    heights: dict[Place, int] = field(default_factory=dict)
    entries: set[int] = field(default_factory=set)


@dataclass(slots=True)
class _Sums:
    """One entry's movements of wallets, and which of them were fees."""

    units: Counter[Place] = field(default_factory=Counter)
    fees: Counter[Place] = field(default_factory=Counter)
    posted: bool = False


def facts(connection: Connection, network: str, chosen: Chosen, known: Openings) -> Facts:
    """Read the facts of some entries of a network within a transaction; `known` are its openings."""
    sums = _sums(connection, network, chosen)
    booked: list[Booked] = []
    alias: dict[str, str] = {}
    named = set(known.entries)
    for row in _jobs(connection, network, chosen):
        tx_id, height = _named(row)
        alias |= {each: tx_id for each in _ids(row) if each != tx_id}
        booked += _of_job(row, tx_id, height, sums.get(row.id, _Sums()))
        named.add(row.id)
    named |= _taken_back(connection, chosen)
    table = tables.arrivals
    for row in chosen.rows(connection, select(table).where(table.c.network == network), table.c.entry):
        if row.state == "gone":
            continue  # what it brought was taken back: both entries together moved nothing
        named.add(row.entry)
        for place, units in sums.get(row.entry, _Sums()).units.items():
            booked.append(
                Booked(row.tx_id, *place, units, 0, "posted", f"arrival {row.id}", row.height, None, row.entry)
            )
    for row in _corrections(connection, network, chosen):
        stray = row.kind == Difference.ENTRY_WITHOUT_TRANSACTION
        named |= {row.entry, row.reverses} if stray else {row.entry}
        moved = sums.get(row.entry, _Sums())
        for place, units in () if stray else moved.units.items():
            source, fee = f"correction {row.entry}", moved.fees[place]
            booked.append(Booked(row.tx_id, *place, units, fee, "posted", source, row.height, None, row.entry))
    strays = [
        (entry, name, asset, units)
        for entry, moved in sorted(sums.items()) if entry not in named
        for (name, asset), units in sorted(moved.units.items()) if units
    ]  # fmt: skip
    posted: Counter[Place] = Counter()
    for moved in sums.values():
        posted.update(moved.units if moved.posted else {})
    return Facts(tuple(booked), alias, tuple(strays), posted)


def waiting(connection: Connection, network: str, tx_ids: Collection[str]) -> tuple[Booked, ...]:
    """Give what of some transactions was seen and is not booked: no deposit is missing that somebody knows of."""
    table = tables.arrivals
    here = table.c.tx_id.in_(given()), table.c.network == network, table.c.entry.is_(None), table.c.state != "gone"
    rows = among(connection, select(table).where(*here), tx_ids)
    return tuple(one for row in rows for one in _waiting(connection, row))


def entries_of(
    connection: Connection, network: str, tx_ids: Collection[str], jobs: Collection[int] = ()
) -> frozenset[int]:
    """Give the numbers of all entries that book some transactions, or are of some jobs."""
    came, job, entry, corrected = tables.arrivals.c, tables.jobs.c, tables.entries.c, tables.corrections.c
    of_tx = (
        select(came.entry).where(came.tx_id.in_(given()), came.network == network, came.entry.is_not(None)),
        select(entry.id).join(tables.jobs, job.id == entry.job).where(job.tx_id.in_(given()), job.network == network),
        select(corrected.entry).where(corrected.tx_id.in_(given()), corrected.network == network),
    )
    found = [row[0] for query in of_tx for row in among(connection, query, tx_ids)]
    found += [row[0] for row in among(connection, select(entry.id).where(entry.job.in_(given())), jobs)]
    return frozenset(found)


def openings(connection: Connection, network: str) -> Openings:
    """Read which assets the wallets of a network were opened with, empty ones as well, and at which height."""
    asset, found, table = finder(connection), Openings(), tables.openings
    homes = select(tables.wallets.c.name).where(tables.wallets.c.network == network)
    for row in connection.execute(select(table).where(table.c.wallet.in_(homes))):
        place = row.wallet, asset(network, row.asset_code)
        found.units[place], found.heights[place] = int(row.units), row.height
        found.entries.add(row.entry)
    return found


def _sums(connection: Connection, network: str, chosen: Chosen) -> dict[int, _Sums]:
    """Add up the lines of wallets, entry by entry. Where a fee is taken, its line follows that of who paid it."""
    line, entry = tables.lines.c, tables.entries.c
    accounts = or_(*(line.account.startswith(f"{kind}:", autoescape=True) for kind in (Kind.WALLET, Kind.FEES)))
    query = (
        select(line.entry, line.position, line.account, line.asset_code, line.units, entry.status)
        .join(tables.entries, entry.id == line.entry)
        .where(accounts, entry.status != "voided", line.asset_network == network)
        .order_by(line.entry, line.position)
    )
    asset = finder(connection)
    cached: dict[str, Asset] = {}
    found: dict[int, _Sums] = {}
    for number, rows in groupby(chosen.rows(connection, query, line.entry), key=lambda row: row.entry):
        sums, before = found.setdefault(number, _Sums()), ("", -2, 0)
        for row in rows:
            one = cached.get(row.asset_code) or cached.setdefault(row.asset_code, asset(network, row.asset_code))
            units = int(row.units)
            if kind_of(row.account) is Kind.WALLET:
                sums.units[row.account.partition(":")[2], one] += units
            elif (before[1], before[2]) == (row.position - 1, -units) and before[0].startswith(wallet("")):
                sums.fees[before[0].partition(":")[2], one] += units
            sums.posted = row.status == "posted"
            before = (row.account, row.position, units)
    return found


def _jobs(connection: Connection, network: str, chosen: Chosen) -> Iterable[Row[Any]]:
    entry, job = tables.entries.c, tables.jobs.c
    query = (
        select(entry.id, entry.status, entry.memo, entry.job, job.network, job.state, job.tx_id, job.expiry_height,
               job.submitted_height)
        .join(tables.jobs, job.id == entry.job)
        .where(entry.status != "voided", job.network == network)
    )  # fmt: skip
    if customs(network).transactions is not None:
        query = query.add_columns(tables.jobs.c.blob)  # only where one job may be several transactions
    return chosen.rows(connection, query, entry.id)


def happened_at(memo: str) -> tuple[str, int] | None:
    """Give the id and height of what happened, as the memo of a job's posted entry tells them."""
    match = _HAPPENED.fullmatch(memo)
    return None if match is None else (match[2], int(match[1]))


def _named(row: Row[Any]) -> tuple[str, int]:
    """Give the id and height of what happened, which may be another id than the one that was known beforehand."""
    told_by_memo = happened_at(row.memo) if row.status == "posted" else None
    return told_by_memo or (row.tx_id or f"job {row.job}", 0)


def _ids(row: Row[Any]) -> tuple[str, ...]:
    split = customs(row.network).transactions
    if split is None or row.blob is None:
        return ()
    return tuple(tx_id for tx_id, _ in split(row.blob))


def _of_job(row: Row[Any], tx_id: str, height: int, moved: _Sums) -> Iterable[Booked]:
    until = row.expiry_height
    if until is None and row.submitted_height is not None:
        until = row.submitted_height + PATIENCE_BLOCKS
    if row.state not in _ON_THEIR_WAY:
        until = None
    for place, units in moved.units.items():
        fee = moved.fees[place]
        yield Booked(tx_id, *place, units, fee, row.status, f"job {row.job}", height, until, row.id)


def _corrections(connection: Connection, network: str, chosen: Chosen) -> Iterable[Row[Any]]:
    """Give the corrections among some entries, and those of strays that are among them."""
    table = tables.corrections
    here = select(table).where(table.c.network == network)
    by_entry = {row.entry: row for number in (table.c.entry, table.c.reverses)
                for row in chosen.rows(connection, here, number)
                if number is table.c.entry or row.kind == Difference.ENTRY_WITHOUT_TRANSACTION}  # fmt: skip
    return by_entry.values()


def _taken_back(connection: Connection, chosen: Chosen) -> set[int]:
    """Give the entries that took arrivals back, and those that they reversed."""
    either = (tables.taken_back.c.entry, tables.taken_back.c.reverses)
    return {row[0] for number in either for row in chosen.rows(connection, select(number), number)}


def _waiting(connection: Connection, row: Row[Any]) -> Iterable[Booked]:
    """Give what was seen and is not booked: no deposit is missing that somebody knows of.

    Where nobody noted the asset, neither the books nor the ledger are asked about it.
    """
    try:
        asset = finder(connection)(row.network, row.asset_code)
    except UnknownAsset:
        return
    yield Booked(row.tx_id, row.wallet, asset, int(row.units), 0, "waiting", f"arrival {row.id}", row.height)
