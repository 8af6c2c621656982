"""What may leave an account: no balance of a customer, nor the house's own, ever goes below nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from sqlalchemy import Connection, select

from online.ledger.accounts import OWED, Kind, kind_of
from online.ledger.postings import Posting
from online.store import tables
from shared.errors import NotCovered
from shared.money import Amount, Asset

_COVERED = OWED | {Kind.OWN}


def held(connection: Connection, account: str, asset: Asset) -> int:
    """Give what is owed on an account in base units: the books have it below nothing."""
    table = tables.balances
    here = (table.c.account == account) & (table.c.asset_network == asset.network) & (table.c.asset_code == asset.code)
    posted = connection.execute(select(table.c.posted).where(here)).scalar()
    return -int(posted or 0)


def require_covered(connection: Connection, lines: Iterable[Posting]) -> None:
    """Demand that every account of the owed side still holds nothing or more after these lines.

    Raises:
        NotCovered: naming the first that would not.
    """
    moved: Counter[tuple[str, Asset]] = Counter()
    for line in lines:
        if kind_of(line.account) in _COVERED:
            moved[line.account, line.asset] += line.units
    for (account, asset), units in moved.items():
        has = held(connection, account, asset)
        if units > 0 and units > has:
            raise NotCovered(f"{account} holds {Amount(asset, max(has, 0))}, and {Amount(asset, units)} would leave it")
