"""What may leave an account: no balance of a customer, nor the house's own, ever goes below nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from sqlalchemy import Connection, select

from online.ledger.accounts import OWED, Kind, kind_of
from online.ledger.postings import Posting
from online.store import tables
from online.store.many import among, given
from shared.errors import NotCovered
from shared.money import Amount, Asset

_COVERED = OWED | {Kind.OWN}

_BALANCES = select(tables.balances).where(tables.balances.c.account.in_(given()))


def require_covered(connection: Connection, lines: Collection[Posting]) -> None:
    """Demand that every account of the owed side still holds nothing or more after these lines.

    Raises:
        NotCovered: naming the first that would not.
    """
    Cover(connection, [line.account for line in lines]).take(lines)


class Cover:
    """What some accounts hold: read once in a transaction, and counted on for one entry after another."""

    def __init__(self, connection: Connection, accounts: Collection[str]) -> None:
        self._held: Counter[tuple[str, str, str]] = Counter()
        for row in among(connection, _BALANCES, accounts):
            # What is owed stands below nothing in the books.
            self._held[row.account, row.asset_network, row.asset_code] = -int(row.posted)

    def held(self, account: str, asset: Asset) -> int:
        """Give what an account holds in base units, below zero where it owes the house."""
        return self._held[account, asset.network, asset.code]

    def take(self, lines: Collection[Posting]) -> None:
        """Count an entry's lines, if every account of the owed side still holds nothing or more after them.

        Raises:
            NotCovered: naming the first that would not; then nothing is counted.
        """
        moved: Counter[tuple[str, Asset]] = Counter()
        for line in lines:
            moved[line.account, line.asset] += line.units
        for (account, asset), units in moved.items():
            has = self._held[account, asset.network, asset.code]
            if kind_of(account) in _COVERED and units > 0 and units > has:
                text = f"{account} holds {Amount(asset, max(has, 0))}, and {Amount(asset, units)} would leave it"
                raise NotCovered(text)
        for (account, asset), units in moved.items():
            self._held[account, asset.network, asset.code] -= units
