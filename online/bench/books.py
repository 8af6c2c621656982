"""The bench's part of the books: a sheet over a million postings, and a reconciliation.

Everything is on disk in SQLite as it is by default, synchronous=FULL. What was written in bulk is proven before it is
measured: the kept balances are those that all lines add up to.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Final

from online.bench.exchange import FUNDS, NATIVE, NETWORK, NOW, OPENED, WALLET, Exchange, Ledger, on_disk
from online.bench.rows import Row
from online.chains.api import Movement, Movements
from online.ledger.reconcile import reconcile
from online.ledger.reports import sheet
from online.store import tables
from shared.money import Asset

POSTINGS: Final = 1_000_000
CUSTOMERS: Final = 10_000
TRANSACTIONS: Final = 100_000
DIFFERENCES: Final = 1_000
_ROUNDS: Final = 5


def measure(folder: Path, say: Callable[[str], None]) -> list[Row]:
    """Measure the books on a store of their own each."""
    rows = []
    for name, part in (("sheet", _sheet), ("reconcile", _reconcile)):
        say(f"books: {name}")
        place = folder / name
        place.mkdir()
        rows.append(part(place))
    return rows


def _sheet(folder: Path) -> Row:
    lots, exchange = random.Random(1), Exchange(on_disk(folder), CUSTOMERS)
    own = f"own:{NETWORK}"
    moves = [(f"customer:{lots.choice(exchange.customers)}", own, lots.randrange(1, 10**9))
             for _ in range(POSTINGS // 2)]  # fmt: skip
    exchange.entries(moves, "trade")
    exchange.require_proven()
    spent = []
    for _ in range(_ROUNDS):
        begun = time.perf_counter()
        (page,) = sheet(exchange.store)
        spent.append(time.perf_counter() - begun)
        if not page.equal:
            raise AssertionError("the two sides of the sheet differ")
    took = statistics.median(spent) * 1000
    return Row("books.sheet.million-postings", took, "ms", aim="at most 100", met=took <= 100)


def _reconcile(folder: Path) -> Row:
    exchange, history = Exchange(on_disk(folder), 10), _History(TRANSACTIONS)
    booked = history.moved[: TRANSACTIONS - DIFFERENCES]
    exchange.entries([(f"customer:{exchange.customers[0]}", f"wallet:{WALLET}", units) for _, _, units in booked], "in")
    exchange.insert(
        tables.arrivals,
        ({"network": NETWORK, "key": tx_id, "tx_id": tx_id, "height": height, "wallet": WALLET, "address": "here",
          "source": "there", "asset_code": NATIVE.code, "units": str(units), "state": "credited", "reason": "",
          "customer": exchange.customers[0], "entry": at, "created": NOW}
         for at, (tx_id, height, units) in enumerate(booked, 2)),  # the opening is the first entry
    )  # fmt: skip
    exchange.require_proven()
    begun = time.perf_counter()
    found = reconcile(exchange.store, {NETWORK: history}).findings  # type: ignore[dict-item]  # it tells of movements
    took = time.perf_counter() - begun
    missing = {(one.kind.value, one.tx_id) for one in found}
    if missing != {("missing-deposit", tx_id) for tx_id, _, _ in history.moved[TRANSACTIONS - DIFFERENCES :]}:
        raise AssertionError(f"{len(found)} differences were found, and not the {DIFFERENCES} that are there")
    return Row("books.reconcile.100000", took, "s", aim="at most 30", met=took <= 30)


class _History(Ledger):
    """A ledger that tells of so many deposits to one address."""

    def __init__(self, count: int) -> None:
        lots = random.Random(2)
        self.moved = [(f"{at:064X}", OPENED + 1 + at // 50, lots.randrange(1, 10**9)) for at in range(count)]
        super().__init__(FUNDS + sum(units for _, _, units in self.moved), self.moved[-1][1])

    def movements(self, addresses: Collection[str], assets: Collection[Asset], since: int) -> Movements:
        """Give all deposits."""
        (address,) = addresses
        found = tuple(Movement(tx_id, height, address, NATIVE, units, 0) for tx_id, height, units in self.moved)
        return Movements(found, self.at, self.at)
