"""The bench's part of the books: a sheet over a million postings, a reconciliation, and withdrawals accepted.

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

from online.bench.exchange import FUNDS, NATIVE, NETWORK, NOW, OPENED, WALLET, Exchange, Ledger
from online.bench.rows import Row
from online.chains.api import Movement, Movements
from online.ledger.books import prove_balances
from online.ledger.reconcile import reconcile
from online.ledger.reports import sheet
from online.store import tables
from online.withdrawals.accepting import Wish, accept_many
from online.withdrawals.mandates import Ceiling, Mandate, approve_mandate, draft_mandate
from online.withdrawals.model import Withdrawal
from shared.chains.xrpl.addresses import encode_address
from shared.effects import Destination
from shared.money import Amount, Asset

POSTINGS: Final = 1_000_000
CUSTOMERS: Final = 10_000
TRANSACTIONS: Final = 100_000
DIFFERENCES: Final = 1_000
WITHDRAWALS: Final = 6_000
GROUP: Final = 200
"""So many withdrawals share a commit; each is acknowledged when it is on disk."""

_ROUNDS: Final = 5


def measure(folder: Path, say: Callable[[str], None]) -> list[Row]:
    """Measure the books on a store of their own each."""
    rows = []
    for name, part in (("sheet", _sheet), ("reconcile", _reconcile), ("withdrawals", _withdrawals)):
        say(f"books: {name}")
        place = folder / name
        place.mkdir()
        rows.append(part(place))
    return rows


def _sheet(folder: Path) -> Row:
    lots, exchange = random.Random(1), Exchange(folder, CUSTOMERS)
    own = f"own:{NETWORK}"
    moves = [(f"customer:{lots.choice(exchange.customers)}", own, lots.randrange(1, 10**9))
             for _ in range(POSTINGS // 2)]  # fmt: skip
    exchange.entries(moves, "trade")
    _require_proven(exchange)
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
    exchange, history = Exchange(folder, 10), _History(TRANSACTIONS)
    booked = history.moved[: TRANSACTIONS - DIFFERENCES]
    exchange.entries([(f"customer:{exchange.customers[0]}", f"wallet:{WALLET}", units) for _, _, units in booked], "in")
    exchange.insert(
        tables.arrivals,
        ({"network": NETWORK, "key": tx_id, "tx_id": tx_id, "height": height, "wallet": WALLET, "address": "here",
          "source": "there", "asset_code": NATIVE.code, "units": str(units), "state": "credited", "reason": "",
          "customer": exchange.customers[0], "entry": at, "created": NOW}
         for at, (tx_id, height, units) in enumerate(booked, 2)),  # the opening is the first entry
    )  # fmt: skip
    _require_proven(exchange)
    begun = time.perf_counter()
    found = reconcile(exchange.store, {NETWORK: history}).findings  # type: ignore[dict-item]  # it tells of movements
    took = time.perf_counter() - begun
    missing = {(one.kind.value, one.tx_id) for one in found}
    if missing != {("missing-deposit", tx_id) for tx_id, _, _ in history.moved[TRANSACTIONS - DIFFERENCES :]}:
        raise AssertionError(f"{len(found)} differences were found, and not the {DIFFERENCES} that are there")
    return Row("books.reconcile.100000", took, "s", aim="at most 30", met=took <= 30)


def _withdrawals(folder: Path) -> Row:
    lots, exchange = random.Random(3), Exchange(folder, 1_000)
    own, most = f"own:{NETWORK}", FUNDS
    exchange.entries([(f"customer:{one}", own, 10**9) for one in exchange.customers], "trade")
    mandate = Mandate(WALLET, {NATIVE.code: Ceiling(most, most, most, most)}, count=100, age_seconds=3600)
    given = draft_mandate(exchange.store, mandate, **exchange.signing("alice"), now=NOW)
    approve_mandate(exchange.store, given.id, **exchange.signing("bob"), now=NOW)
    wishes = [
        Wish(f"w{number}", lots.choice(exchange.customers), WALLET, Destination(encode_address(lots.randbytes(20))),
             Amount(NATIVE, lots.randrange(1, 10**6)))
        for number in range(WITHDRAWALS)
    ]  # fmt: skip
    begun = time.perf_counter()
    for start in range(0, WITHDRAWALS, GROUP):
        answers = accept_many(exchange.store, wishes[start : start + GROUP], NOW)
        if not all(isinstance(one, Withdrawal) for one in answers):
            raise AssertionError("a withdrawal was refused")
    rate = WITHDRAWALS / (time.perf_counter() - begun)
    _require_proven(exchange)
    return Row("books.withdrawals.accepted", rate, "withdrawals/s", aim="at least 600", met=rate >= 600)


def _require_proven(exchange: Exchange) -> None:
    if faults := prove_balances(exchange.store):
        raise AssertionError(f"the balances are not those of the lines: {faults[:3]}")


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
