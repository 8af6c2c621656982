"""What may leave an account: no balance of a customer, nor the house's own, ever goes below nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from sqlalchemy import Connection, bindparam, select

from online.ledger.accounts import OWED, Kind, kind_of
from online.ledger.postings import Posting
from online.store import tables
from shared.errors import NotCovered
from shared.money import Amount, Asset

_COVERED = OWED | {Kind.OWN}

_BALANCE = tables.balances.c
_POSTED = select(_BALANCE.posted).where(
    _BALANCE.account == bindparam("account"),
    _BALANCE.asset_network == bindparam("network"),
    _BALANCE.asset_code == bindparam("code"),
)


def held(connection: Connection, account: str, asset: Asset) -> int:
    """Give what is owed on an account in base units: the books have it below nothing."""
    here = {"account": account, "network": asset.network, "code": asset.code}
    posted = connection.execute(_POSTED, here).scalar()
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
