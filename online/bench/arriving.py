"""The bench's deposits: how many a second the intake takes in, on SQLite as it is by default.

A ledger tells of many at each look. Every one is judged, posted, told in the journal and kept with the cursor as in
life, and afterwards the books are proven: each deposit stands credited to whom it was for, once.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Final

from sqlalchemy import select

from online.bench.exchange import NATIVE, NETWORK, NOW, OPENED, WALLET, Exchange, Ledger, on_disk
from online.bench.rows import Row
from online.chains.api import Arrival, Arrivals
from online.deposits.intake import take_in
from online.ledger import accounts
from online.store import tables
from shared.effects import Destination
from shared.money import Amount, Asset

DEPOSITS: Final = 20_000
CUSTOMERS: Final = 10_000
AT_ONCE: Final = 1_000
"""So many arrive between two looks, and share a commit."""


def measure(folder: Path, say: Callable[[str], None]) -> list[Row]:
    """Measure how fast deposits with tags are taken in."""
    say("deposits: taken in")
    exchange = Exchange(on_disk(folder), CUSTOMERS)
    ledger = _Busy(exchange.customers, exchange.address)
    exchange.insert(tables.places, map(_place, ledger.places, exchange.customers))
    gateways, credited = {NETWORK: ledger}, 0
    begun = time.perf_counter()
    while credited < DEPOSITS:
        taken = take_in(exchange.store, gateways, NOW)  # type: ignore[arg-type]  # it tells of arrivals
        if not taken.credited or taken.suspended or taken.troubles:
            raise AssertionError(f"not every deposit was credited: {taken}")
        credited += taken.credited
    rate = DEPOSITS / (time.perf_counter() - begun)
    _require_credited(exchange, ledger)
    return [Row("deposits.taken-in", rate, "deposits/s", aim="at least 3000", met=rate >= 3000)]


class _Busy(Ledger):
    """A ledger on which deposits arrive for customers drawn by lot, so many between two looks."""

    def __init__(self, customers: Sequence[str], address: str) -> None:
        super().__init__()
        lots = random.Random(4)
        self.places = [Destination(address, tag) for tag, _ in enumerate(customers, 1)]
        self.owed: Counter[str] = Counter()
        self._found: list[Arrival] = []
        for number in range(DEPOSITS):
            to, units, tx_id = lots.randrange(len(customers)), lots.randrange(1, 10**9), f"{number:064X}"
            height, amount = OPENED + 1 + number // 50, Amount(NATIVE, units)
            self._found.append(Arrival(tx_id, tx_id, height, "there", self.places[to], amount))
            self.owed[customers[to]] += units

    def arrivals(
        self, addresses: Collection[str], assets: Collection[Asset], cursor: str, since: int | None = None
    ) -> Arrivals:
        """Tell of the next ones."""
        first = int(cursor or 0)
        found = self._found[first : first + AT_ONCE]
        return Arrivals(tuple(found), str(first + len(found)), found[-1].height if found else self.at)


def _place(place: Destination, customer: str) -> dict[str, object]:
    where = {"network": NETWORK, "place": str(place), "address": place.address, "tag": place.tag, "memo": None}
    return {**where, "customer": customer, "wallet": WALLET, "custom": "tag", "created": NOW}


def _require_credited(exchange: Exchange, ledger: _Busy) -> None:
    """Demand that the books owe each customer what was sent to them. Raises AssertionError."""
    exchange.require_proven()
    table, lead = tables.balances, accounts.customer("")
    with exchange.store.reading() as connection:
        rows = connection.execute(select(table).where(table.c.account.startswith(lead))).all()
        kept = connection.execute(select(tables.arrivals.c.key)).scalars().all()
    if {row.account.removeprefix(lead): -int(row.posted) for row in rows} != dict(ledger.owed):
        raise AssertionError("the books owe the customers something else than what arrived")
    if len(kept) != DEPOSITS:
        raise AssertionError(f"{len(kept)} arrivals are kept of {DEPOSITS}")
