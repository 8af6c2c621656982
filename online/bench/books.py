"""The bench's part of the books: a sheet over a million postings, and a reconciliation.

Everything is on disk in SQLite as it is by default, synchronous=FULL. What was written in bulk is proven before it is
measured: the kept balances are those that all lines add up to.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Table

from online.bench.exchange import FUNDS, NATIVE, NETWORK, NOW, OPENED, WALLET, Exchange, Ledger, on_disk
from online.bench.rows import Row
from online.chains.api import Movement, Movements
from online.ledger.postings import recomputed
from online.ledger.reconcile import reconcile
from online.ledger.reports import sheet
from online.store import journal, tables
from shared.encoding import Value
from shared.money import Asset

POSTINGS: Final = 1_000_000
CUSTOMERS: Final = 10_000
TRANSACTIONS: Final = 100_000
DIFFERENCES: Final = 1_000
_ROUNDS: Final = 5
_FEE: Final = 10
_SPAN: Final = 40
_ORDER: Final = "ab" * 16
_ONWARD: Final = (("built", "exported"), ("exported", "answered"), ("answered", "submitted"))
_NOT_VOIDED: Final[dict[str, int | None]] = {"voided_at": None, "voided_before": None}
_WRITTEN: Final = (tables.jobs, tables.claims, tables.entries, tables.lines, tables.arrivals)


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
    _live(exchange, history.moved[: TRANSACTIONS - DIFFERENCES])
    exchange.require_proven()
    begun = time.perf_counter()
    found = reconcile(exchange.store, {NETWORK: history}).findings  # type: ignore[dict-item]  # it tells of movements
    took = time.perf_counter() - begun
    named = {(one.kind.value, one.tx_id) for one in found}
    wrong = history.moved[TRANSACTIONS - DIFFERENCES :]
    if named != {("missing-deposit" if units > 0 else "unexpected-movement", tx_id) for tx_id, _, units in wrong}:
        raise AssertionError(f"{len(found)} differences were found, and not the {DIFFERENCES} that are there")
    return Row("books.reconcile.100000", took, "s", aim="at most 30", met=took <= 30)


_Moved = tuple[str, int, int]
"""A transaction's id, its height, and base units that came, or went with their fee."""


def _live(exchange: Exchange, moved: Sequence[_Moved]) -> None:
    """Write what a life leaves: arrivals, jobs with their claims, reserved and posted, and the journal of all."""
    lives = _Lives(exchange)
    for one in moved:
        lives.took_in(one) if one[2] > 0 else lives.paid(one)
    lives.write()


class _Lives:
    """Rows of transactions and lines of the journal, gathered and written at once."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.rows: dict[Table, list[dict[str, Any]]] = {table: [] for table in _WRITTEN}
        self.told: list[tuple[str, dict[str, Value]]] = []
        self.entry = 1  # the opening
        order = {"id": _ORDER, "idempotency_key": "bench", "kind": "payment", "body": b"", "sealed": b""}
        exchange.insert(tables.orders, [{**order, "drafted_by": "alice", "created": NOW}])

    def took_in(self, one: _Moved) -> None:
        """Note a deposit."""
        tx_id, height, units = one
        lines = [(f"wallet:{WALLET}", units), (f"customer:{self.exchange.customers[0]}", -units)]
        row = {"network": NETWORK, "key": tx_id, "tx_id": tx_id, "height": height, "wallet": WALLET, "address": "here",
               "source": "there", "asset_code": NATIVE.code, "units": str(units), "state": "credited", "reason": "",
               "customer": self.exchange.customers[0], "created": NOW}  # fmt: skip
        said = self._post(f"deposit {tx_id} at {height}", "posted", lines)
        self.rows[tables.arrivals].append({**row, "entry": self.entry})
        self.told.append(("arrival", {"network": NETWORK, "key": tx_id, "posted": said}))

    def paid(self, one: _Moved) -> None:
        """Note a payment by a job, from its claim to its end."""
        tx_id, height, units = one
        job = len(self.rows[tables.jobs]) + 1
        mine, fees, outside = f"wallet:{WALLET}", f"fees:{NETWORK}", f"outside:{NETWORK}"
        lines = [(mine, -_FEE), (fees, _FEE), (mine, units + _FEE), (outside, -units - _FEE)]
        row = {"id": job, "order_id": _ORDER, "state": "final", "network": NETWORK, "kind": "payment", "wallet": WALLET,
               "source": "here", "plan": b"", "tx_id": tx_id, "result": "", "expiry_height": height + 9,
               "submitted_height": height - 1, "created": NOW, "updated": NOW}  # fmt: skip
        claim = {"network": NETWORK, "scope": "here", "name": f"sequence {job}", "job": job, "active": True,
                 "shared": False}  # fmt: skip
        self.rows[tables.jobs].append(row)
        self.rows[tables.claims].append(claim)
        reserved = self._post(f"job {job}: payment on its way", "voided", lines, job)
        self.told.append(("move", {"job": job, "from": "approved", "to": "built", "posted": reserved}))
        self.told += [("move", {"job": job, "from": before, "to": after}) for before, after in _ONWARD]
        posted = self._post(f"job {job}: payment tesSUCCESS at {height}, {tx_id}", "posted", lines, job)
        end: dict[str, Value] = {"job": job, "from": "submitted", "to": "final", "voided": [self.entry - 1]}
        self.told.append(("move", {**end, "posted": posted}))

    def write(self) -> None:
        """Write all of it, and the balances that follow."""
        for table in _WRITTEN:
            self.exchange.insert(table, self.rows[table])
        with self.exchange.store.transaction() as tx:
            journal.append_many(tx, self.told, NOW)
            tx.sql.execute(tables.balances.delete())
            summed = recomputed(tx.sql).items()
        self.exchange.insert(
            tables.balances,
            ({"account": account, "asset_network": network, "asset_code": code, "pending": str(pending),
              "posted": str(posted)} for (account, network, code), (pending, posted) in summed),
        )  # fmt: skip

    def _post(self, memo: str, status: str, lines: Sequence[tuple[str, int]], job: int | None = None) -> list[Value]:
        self.entry += 1
        at = {"voided_at": NOW, "voided_before": self.entry + 1} if status == "voided" else _NOT_VOIDED
        head = {"id": self.entry, "job": job, "memo": memo, "status": status, "time": NOW}
        self.rows[tables.entries].append({**head, **at})
        asset = {"asset_network": NATIVE.network, "asset_code": NATIVE.code}
        self.rows[tables.lines] += [
            {"entry": self.entry, "position": position, "account": account, "units": str(units), **asset}
            for position, (account, units) in enumerate(lines)
        ]
        return [self.entry, status, bytes(32)]


class _History(Ledger):
    """A ledger that tells of so many deposits to one address and payments from it, in spans as a node does."""

    def __init__(self, count: int) -> None:
        lots = random.Random(2)
        self.moved: list[_Moved] = [
            (f"{at:064X}", OPENED + 1 + at // 50, lots.choice((1, 1, 1, 1, -1)) * lots.randrange(_FEE + 1, 10**9))
            for at in range(count)
        ]
        super().__init__(FUNDS + sum(units for _, _, units in self.moved), self.moved[-1][1])

    def movements(self, addresses: Collection[str], assets: Collection[Asset], since: int) -> Movements:
        """Give what moved in the ledgers above a height."""
        (address,) = addresses
        last = min(self.at, since + _SPAN)
        first, end = (max(0, (height - OPENED) * 50) for height in (since, last))
        found = tuple(Movement(tx_id, height, address, NATIVE, units, _FEE if units < 0 else 0)
                      for tx_id, height, units in self.moved[first:end])  # fmt: skip
        return Movements(found, last, last, more=last < self.at)

    def block(self, height: int) -> str:
        """Give a block's hash."""
        return f"{height:064X}"
