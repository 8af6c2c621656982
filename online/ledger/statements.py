"""The journal by filters, and statements: an account's movements between two points, with the balance after each.

Only what is posted makes a balance. What is pending is told beside it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, Connection, and_, select

from online.customers.register import find_customer
from online.ledger.accounts import OWED, Kind, kind_of
from online.ledger.books import BookEntry
from online.ledger.moments import NOW, Point, was_pending
from online.store import tables
from online.store.assets import finder
from online.store.database import Store
from online.store.wallets import find_wallet
from shared.money import Asset


@dataclass(frozen=True, slots=True)
class Filter:
    """Which entries of the journal are wanted; what is empty is not asked for. Times and numbers are included.

    `account` is one account's full name, `kind` the kind of an account that a line names, `asset` an asset's code.
    """

    account: str = ""
    kind: Kind | None = None
    asset: str = ""
    status: str = ""
    job: int | None = None
    since: Point = NOW
    until: Point = NOW


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One line of a statement: its entry, and the balance after it, in base units."""

    entry: int
    time: int
    memo: str
    units: int
    balance: int


@dataclass(frozen=True, slots=True)
class Statement:
    """An account's movements of one asset between two points. What a customer holds stands above zero.

    `pending` is on its way at the end of the span, and no part of the balances.
    """

    account: str
    asset: Asset
    opening: int
    lines: tuple[StatementLine, ...]
    closing: int
    pending: int


def journal(store: Store, wanted: Filter) -> tuple[BookEntry, ...]:
    """List the entries that a filter lets through, the oldest first, each with all of its lines."""
    here = and_(*_conditions(wanted))
    lines: dict[int, list[tuple[str, Asset, int]]] = defaultdict(list)
    with store.reading() as connection:
        asset = finder(connection)
        query = select(tables.lines).join(tables.entries, tables.entries.c.id == tables.lines.c.entry).where(here)
        for row in connection.execute(query.order_by(tables.lines.c.entry, tables.lines.c.position)):
            lines[row.entry].append((row.account, asset(row.asset_network, row.asset_code), int(row.units)))
        rows = connection.execute(select(tables.entries).where(here).order_by(tables.entries.c.id)).all()
    return tuple(
        BookEntry(row.id, row.time, row.memo, row.status, row.job, tuple(lines.get(row.id, ()))) for row in rows
    )


def customer_statement(store: Store, customer_id: str, since: Point = NOW, until: Point = NOW) -> tuple[Statement, ...]:
    """Give a customer's statement for each asset; a span without a beginning has all. Raises UnknownCustomer."""
    with store.reading() as connection:
        account = f"{Kind.CUSTOMER}:{find_customer(connection, customer_id).id}"
        return _statements(connection, account, since, until)


def wallet_statement(store: Store, wallet: str, since: Point = NOW, until: Point = NOW) -> tuple[Statement, ...]:
    """Give a wallet's statement for each asset; a span without a beginning has all. Raises UnknownWallet."""
    with store.reading() as connection:
        account = f"{Kind.WALLET}:{find_wallet(connection, wallet).name}"
        return _statements(connection, account, since, until)


def _conditions(wanted: Filter) -> Iterable[ColumnElement[bool]]:
    entry, line = tables.entries.c, tables.lines.c
    yield wanted.until.condition(entry.id, entry.time)
    if not wanted.since.is_now:
        since = wanted.since
        yield entry.id >= since.entry if since.entry is not None else entry.time >= since.time
    if wanted.status:
        yield entry.status == wanted.status
    if wanted.job is not None:
        yield entry.job == wanted.job
    named = []
    if wanted.account:
        named.append(line.account == wanted.account)
    if wanted.kind is not None:
        named.append(line.account.startswith(f"{wanted.kind}:", autoescape=True))
    if wanted.asset:
        named.append(line.asset_code == wanted.asset)
    if named:
        yield entry.id.in_(select(line.entry).where(and_(*named)))


def _statements(connection: Connection, account: str, since: Point, until: Point) -> tuple[Statement, ...]:
    """Read an account's lines once, and divide them into before, within and pending."""
    line, entry = tables.lines.c, tables.entries.c
    query = (
        select(line.entry, line.asset_network, line.asset_code, line.units, entry.time, entry.memo, entry.status,
               entry.voided_at, entry.voided_before)
        .join(tables.entries, entry.id == line.entry)
        .where(line.account == account, until.condition(entry.id, entry.time))
        .order_by(line.entry, line.position)
    )  # fmt: skip
    sign = -1 if kind_of(account) in OWED else 1
    pages: dict[Asset, _Page] = {}
    asset = finder(connection)
    for row in connection.execute(query):
        page = pages.setdefault(asset(row.asset_network, row.asset_code), _Page())
        units = sign * int(row.units)
        if row.status == "posted":
            line_of_it = StatementLine(row.entry, row.time, row.memo, units, 0)
            page.take(line_of_it, inside=_inside(since, row.entry, row.time))
        elif was_pending(until, row.status, row.voided_before, row.voided_at):
            page.pending += units
    return tuple(
        Statement(account, one, page.opening, tuple(page.lines), page.balance, page.pending)
        for one, page in sorted(pages.items())
    )


def _inside(since: Point, entry: int, time: int) -> bool:
    if since.entry is not None:
        return entry >= since.entry
    return since.time is None or time >= since.time


class _Page:
    """One asset's statement while it is written.

    Entries are numbered in the order of their making; a clock that was set back does not move one into the opening.
    """

    def __init__(self) -> None:
        self.opening = self.balance = self.pending = 0
        self.lines: list[StatementLine] = []

    def take(self, line: StatementLine, *, inside: bool) -> None:
        self.balance += line.units
        if inside or self.lines:
            self.lines.append(replace(line, balance=self.balance))
        else:
            self.opening = self.balance
