"""What a mandate's day still lets leave: all that a wallet's withdrawal orders paid in 24 hours, or may yet pay.

It is asked when withdrawals are gathered: some were accepted days ago, and many may be let go at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, select

from online.jobs.states import ENDS, State
from online.store import tables
from online.store.database import Tx
from online.withdrawals.accepting import DAY_SECONDS
from online.withdrawals.mandates import Ceiling, Given
from online.withdrawals.model import Withdrawal, note_reason
from online.withdrawals.settling import ORDER_KIND
from shared.money import Amount

NO_ROOM: Final = "waits: "
"""How the reason of what waits for room begins."""

_MAY_HAPPEN: Final = [state.value for state in State if state not in ENDS]


class Day:
    """A wallet's last 24 hours within a transaction; what is taken counts at once."""

    def __init__(self, tx: Tx, given: Given, now: int) -> None:
        self._tx, self._given = tx, given
        self._paid = _paid(tx.sql, given.mandate.wallet, now)

    def room_for(self, some: Sequence[Withdrawal]) -> list[Withdrawal]:
        """Leave out what the day has no room for by itself, and say so beside it."""
        return [one for one in some if self._fits(one)]

    def take(self, some: Sequence[Withdrawal]) -> list[Withdrawal]:
        """Take of some withdrawals what fits, the oldest first; the others are told that they wait."""
        taken = []
        for one in some:
            if self._fits(one):
                self._paid[one.amount.asset.code] += one.amount.units
                taken.append(one)
        return taken

    def _fits(self, one: Withdrawal) -> bool:
        code = one.amount.asset.code
        ceiling: Ceiling | None = self._given.mandate.ceilings.get(code)
        # What is above the mandate by itself never fits, and is held for that.
        if ceiling is None or one.amount.units > ceiling.event or self._paid[code] + one.amount.units <= ceiling.day:
            return True
        most = Amount(one.amount.asset, ceiling.day)
        note_reason(self._tx, one, f"{NO_ROOM}{self._given.mandate.wallet} pays at most {most} in 24 hours")
        return False


def _paid(connection: Connection, wallet: str, now: int) -> Counter[str]:
    """Add up by asset what may still leave, and what left: that counts for 24 hours from when it was final."""
    jobs, link, transfers = tables.jobs, tables.job_transfers, tables.transfers
    found: dict[str, tuple[str, int]] = {}  # by transfer, since jobs that replace each other carry out the same
    for when in (
        jobs.c.state.in_(_MAY_HAPPEN),
        (jobs.c.state == State.FINAL.value) & (jobs.c.updated > now - DAY_SECONDS),
    ):
        query = (
            select(transfers.c.id, transfers.c.asset_code, transfers.c.units)
            .join(link, link.c.transfer == transfers.c.id)
            .join(jobs, jobs.c.id == link.c.job)
            .join(tables.orders, tables.orders.c.id == jobs.c.order_id)
            .where(jobs.c.wallet == wallet, tables.orders.c.kind == ORDER_KIND, when)
        )
        found |= {row.id: (row.asset_code, int(row.units)) for row in connection.execute(query)}
    counts: Counter[str] = Counter()
    for code, units in found.values():
        counts[code] += units
    return counts
