"""The balance sheet side by side: what ledgers hold for the house, and to whom it belongs; and the trial balance.

Posted amounts make up the sheet; what is pending stands apart in it. What ledgers lock of a wallet, as it was last
seen, is taken off the wallet's row and stands in a row of its own: both together are what the ledger holds. Prices play
no part: every asset adds up alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import Connection, select

from online.ledger import accounts
from online.ledger.accounts import ON_LEDGER, Kind, kind_of
from online.ledger.books import Balance
from online.ledger.moments import NOW, Point, balances_at, locked_at
from online.ledger.reserves import Locked
from online.store import tables
from online.store.database import Store
from shared.money import Asset

TIERS: Final = ("hot", "warm", "cold")

PARTS: Final[Mapping[Kind, str]] = {
    Kind.WALLET: "wallet",
    Kind.TRANSIT: "in transit",
    Kind.CUSTOMER: "customers",
    Kind.WITHDRAWALS: "withdrawals on their way",
    Kind.UNSWEPT: "deposits to be swept",
    Kind.SUSPENSE: "suspense",
    Kind.OWN: "own funds",
    Kind.FEES: "fees",
    Kind.REFUNDS: "refunds",
    Kind.OUTSIDE: "paid outside",
}
"""What an account's kind is called on the sheet; a wallet is called by its tier."""

LOCKED: Final = "locked as reserve"
"""What is called so on the sheet: it is the wallets', and can not be spent."""

_ORDER: Final = (*TIERS, PARTS[Kind.WALLET], LOCKED, *(part for kind, part in PARTS.items() if kind is not Kind.WALLET))


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a sheet in base units, as its side shows it: what others hold is above zero on the right side.

    `account` is empty where several accounts are added up.
    """

    part: str
    account: str
    posted: int
    pending: int


@dataclass(frozen=True, slots=True)
class AssetSheet:
    """One asset's balance sheet: what ledgers hold for the house, and to whom it belongs.

    `locked` says of each wallet what was taken off its row, and when that was seen.
    """

    asset: Asset
    on_ledger: tuple[Row, ...]
    off_ledger: tuple[Row, ...]
    locked: tuple[Locked, ...] = ()

    @property
    def on_total(self) -> int:
        """Give what the ledger holds, in base units."""
        return sum(row.posted for row in self.on_ledger)

    @property
    def off_total(self) -> int:
        """Give what belongs to customers and to the house, in base units."""
        return sum(row.posted for row in self.off_ledger)

    @property
    def equal(self) -> bool:
        """Say whether both sides are the same, with what is pending and without."""
        waiting = sum(row.pending for row in self.on_ledger) - sum(row.pending for row in self.off_ledger)
        return self.on_total == self.off_total and waiting == 0


@dataclass(frozen=True, slots=True)
class TrialLine:
    """The sum of all accounts for an asset, which is nothing if the books add up."""

    asset: Asset
    posted: int
    pending: int


def trial_balance(store: Store, point: Point = NOW) -> tuple[TrialLine, ...]:
    """Sum all accounts for each asset, as they were at a point. Raises BadMoment."""
    posted: Counter[Asset] = Counter()
    pending: Counter[Asset] = Counter()
    with store.reading() as connection:
        for balance in balances_at(connection, point):
            posted[balance.asset] += balance.posted
            pending[balance.asset] += balance.pending
    return tuple(TrialLine(asset, posted[asset], pending[asset]) for asset in sorted(posted))


def sheet(store: Store, point: Point = NOW, *, each_customer: bool = False) -> tuple[AssetSheet, ...]:
    """Give each asset's balance sheet at a point; customers one by one if asked, else in sum."""
    with store.reading() as connection:
        tiers = _tiers(connection)
        balances = balances_at(connection, point)
        locked = {accounts.wallet(one.wallet): one for one in locked_at(connection, point) if one.units}
    sums: dict[Asset, tuple[_Side, _Side]] = {}
    for one in balances:
        kind = kind_of(one.account)
        merged = kind is Kind.CUSTOMER and not each_customer
        sides = sums.get(one.asset) or sums.setdefault(one.asset, ({}, {}))
        key = part_of(one.account, tiers), "" if merged else one.account
        row = sides[0 if kind in ON_LEDGER else 1].setdefault(key, [0, 0])
        row[0] += one.posted
        row[1] += one.pending
    return tuple(_page(asset, _rows(on, 1), _rows(off, -1), locked) for asset, (on, off) in sorted(sums.items()))


def part_of(account: str, tiers: Mapping[str, str]) -> str:
    """Name the part of the sheet that an account belongs to; `tiers` says each wallet's."""
    kind = kind_of(account)
    name = account.partition(":")[2]
    return tiers.get(name, PARTS[kind]) if kind is Kind.WALLET else PARTS[kind]


def is_on_ledger(account: str) -> bool:
    """Say on which side of the sheet an account stands."""
    return kind_of(account) in ON_LEDGER


def balances(store: Store, point: Point = NOW) -> tuple[tuple[Balance, str, Locked | None], ...]:
    """Give every account's balance at a point with the part of the sheet it belongs to, signed as the books keep it.

    Beside a wallet's balance of the native asset stands what its ledger locks of it, where that was ever looked at.
    """
    with store.reading() as connection:
        tiers = _tiers(connection)
        locked = {(accounts.wallet(one.wallet), one.asset): one for one in locked_at(connection, point)}
        return tuple(
            (one, part_of(one.account, tiers), locked.get((one.account, one.asset)))
            for one in balances_at(connection, point)
        )


def _page(
    asset: Asset, on_ledger: Iterable[Row], off_ledger: tuple[Row, ...], locked: Mapping[str, Locked]
) -> AssetSheet:
    """Part what is locked from what wallets hold; where the books are behind, no more is locked than they hold."""
    rows: list[Row] = []
    taken: list[Locked] = []
    for row in on_ledger:
        found = locked.get(row.account)
        units = 0 if found is None or found.asset != asset else min(found.units, max(row.posted, 0))
        if found is not None and units:
            taken.append(replace(found, units=units))
        rows.append(replace(row, posted=row.posted - units))
    rows += [Row(LOCKED, "", sum(one.units for one in taken), 0)] if taken else []
    return AssetSheet(asset, tuple(sorted(rows, key=_rank)), off_ledger, tuple(taken))


def _tiers(connection: Connection) -> dict[str, str]:
    return {row.name: row.tier for row in connection.execute(select(tables.wallets.c.name, tables.wallets.c.tier))}


_Side = dict[tuple[str, str], list[int]]
"""One side of a sheet while it is added up: part and account, posted and pending."""


def _rows(side: _Side, sign: int) -> tuple[Row, ...]:
    rows = [Row(part, account, sign * posted, sign * pending) for (part, account), (posted, pending) in side.items()]
    return tuple(sorted(rows, key=_rank))


def _rank(row: Row) -> tuple[int, str]:
    return _ORDER.index(row.part), row.account
