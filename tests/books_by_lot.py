"""A store's books and the ledger beside them, drawn by lot, with differences put in on purpose; it is no test.

Rows are written in bulk, past the rules that write them one by one: deposits, payments, transfers between own wallets,
batches with many rows of one transaction, on three wallets and two assets.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import insert

from online.chains.api import (
    AccountState,
    Built,
    Look,
    Movement,
    Movements,
    NodeReport,
    Plan,
    Verdict,
)
from online.ledger.books import open_wallet
from online.ledger.differences import Kind, Place
from online.ledger.postings import recomputed
from online.store import tables
from online.store.database import Store
from online.store.wallets import import_card, keys
from shared.effects import Claim
from shared.money import Amount, Asset
from tests.online_world import NETWORK, NOW, XRP, PaperSigner, set_up

TOKEN = Asset(NETWORK, "TOK", 2)
WALLETS = ("cold", "hot", "warm")
OPENED, FUNDS, RESERVED = 1_000, 10**15, 10**6
SPAN = 150
Injected = tuple[str, str, str, str, int]
"""Kind, transaction or entry, wallet, asset's code and amount of a difference."""

KINDS = (
    Kind.MISSING_DEPOSIT, Kind.UNEXPECTED_MOVEMENT, Kind.WRONG_AMOUNT, Kind.FEE_OFF, Kind.STUCK_IN_FLIGHT,
    Kind.DOUBLE_CREDIT, Kind.DOUBLE_DEBIT, Kind.REORGANISED_AWAY, Kind.BEFORE_OPENING, Kind.ENTRY_WITHOUT_TRANSACTION,
)  # fmt: skip

_Line = tuple[str, Asset, int]


@dataclass
class Ledger:
    """A ledger that tells what was drawn, in spans of heights."""

    homes: dict[str, str] = field(default_factory=dict)
    moved: list[Movement] = field(default_factory=list)
    at: int = OPENED
    off: Counter[Place] = field(default_factory=Counter)
    network: str = NETWORK

    def height(self) -> int:
        return self.at

    def block(self, height: int) -> str:
        return f"block {height}"

    def held(self, address: str, asset: Asset) -> int:
        units = sum(one.units for one in self.moved if (one.address, one.asset) == (address, asset))
        first = min(one for one, name in self.homes.items() if name == self.homes[address])
        return FUNDS + units + (self.off[self.homes[address], asset] if address == first else 0)

    def account(self, address: str) -> AccountState:
        held, reserved = Amount(XRP, self.held(address, XRP)), Amount(XRP, RESERVED)
        return AccountState(address, True, self.at, held, reserved)

    def accounts(self, addresses: Sequence[str]) -> tuple[AccountState, ...]:
        return tuple(self.account(address) for address in addresses)

    def asset_balance(self, address: str, asset: Asset) -> Amount:
        return Amount(asset, self.held(address, asset))

    def movements(self, addresses: Collection[str], assets: Collection[Asset], since: int) -> Movements:
        last = min(self.at, since + SPAN)
        found = tuple(one for one in self.moved if since < one.height <= last)
        return Movements(found, last, last, more=last < self.at)

    def filled(self, plan: Plan, taken: Collection[Claim]) -> Plan:
        raise NotImplementedError

    def check(self) -> NodeReport:
        raise NotImplementedError

    def build(self, plan: Plan, taken: Collection[Claim]) -> Built:
        raise NotImplementedError

    def submit(self, blob: bytes) -> Verdict:
        raise NotImplementedError

    def look(self) -> Look:
        raise NotImplementedError


class ByLot:
    """The store with its ledger, and what was put in."""

    def __init__(self, folder: Any, seed: int) -> None:
        self.store: Store = set_up(folder)
        self.lots, self.ledger = random.Random(seed), Ledger()
        self.injected: list[Injected] = []
        self._rows: dict[str, list[dict[str, Any]]] = {name: [] for name in ("entries", "lines", "jobs", "arrivals")}
        import_card(self.store, PaperSigner().card("warm", 2, "hot"), NOW)
        with self.store.transaction() as tx:
            tx.sql.execute(insert(tables.assets).values(network=NETWORK, code=TOKEN.code, decimals=TOKEN.decimals))
            order = {"id": "ab" * 16, "idempotency_key": "k", "kind": "payment", "body": b"", "sealed": b""}
            tx.sql.execute(insert(tables.orders).values(**order, drafted_by="alice", created=NOW))
        self.addresses = {name: [key.address for key in keys(self.store, name)] for name in WALLETS}
        self.ledger.homes = {one: name for name, several in self.addresses.items() for one in several}
        for name in WALLETS:
            open_wallet(self.store, name, self.ledger, NOW)
        self._entry, self._job, self._arrival, self._tx = len(WALLETS), 0, 0, 0

    def draw(self, count: int, differences: int) -> None:
        """Draw so many transactions, of which so many are wrong, each kind as often as the others, and write them."""
        wrong = self.lots.sample(range(count), differences)
        kinds = {number: KINDS[at % len(KINDS)] for at, number in enumerate(wrong)}
        self.ledger.at += 1
        for number in range(count):
            self._tx += 1
            if self._tx % 5 == 0:
                self.ledger.at += 1
            self._one(kinds.get(number))
        self._write()

    # --- one transaction ------------------------------------------------------------------------------

    def _one(self, kind: Kind | None) -> None:
        if kind in (Kind.MISSING_DEPOSIT, Kind.DOUBLE_CREDIT, Kind.BEFORE_OPENING):
            self._deposit(kind)
        elif kind is Kind.ENTRY_WITHOUT_TRANSACTION:
            name, asset, units = self.lots.choice(WALLETS), self._asset(), self._units()
            entry = self._post("by hand", [(f"wallet:{name}", asset, units), (f"own:{NETWORK}", asset, -units)])
            self._put(kind, f"entry {entry}", name, asset, -units)
        elif kind is Kind.WRONG_AMOUNT:
            self.lots.choice((self._deposit, self._payment))(kind)
        elif kind is Kind.REORGANISED_AWAY:
            self.lots.choice((self._deposit, self._payment, self._transfer))(kind)
        elif kind in (Kind.STUCK_IN_FLIGHT, Kind.DOUBLE_DEBIT, Kind.UNEXPECTED_MOVEMENT, Kind.FEE_OFF):
            self._payment(kind)
        else:
            self.lots.choice((self._deposit, self._payment, self._transfer, self._batch, self._many))(None)

    def _deposit(self, kind: Kind | None) -> None:
        tx, height, name = self._id(), self.ledger.at, self.lots.choice(WALLETS)
        asset, units = self._asset(), self._units()
        if kind is Kind.BEFORE_OPENING:
            height = OPENED - 5
        elif kind is not Kind.REORGANISED_AWAY:
            self._show(tx, self.lots.choice(self.addresses[name]), asset, units, 0 if asset == XRP else None)
        off = self.lots.randrange(1, 900) if kind is Kind.WRONG_AMOUNT else 0
        for _ in range({Kind.MISSING_DEPOSIT: 0, Kind.DOUBLE_CREDIT: 2}.get(kind, 1) if kind else 1):
            self._arrive(tx, height, name, asset, units + off)
        amount = {Kind.MISSING_DEPOSIT: units, Kind.WRONG_AMOUNT: -off}.get(kind, -units) if kind else 0
        self._put(kind, tx, name, asset, amount)

    def _many(self, _kind: None) -> None:
        """Draw one transaction that pays many places at one address, each an arrival of its own."""
        tx, name, address = self._id(), "cold", self.addresses["cold"][0]
        for _ in range(self.lots.randrange(3, 12)):
            units = self._units()
            self._show(tx, address, TOKEN, units, None)
            self._arrive(tx, self.ledger.at, name, TOKEN, units)

    def _payment(self, kind: Kind | None) -> None:
        name, units = self.lots.choice(WALLETS), self._units()
        fee = self.lots.randrange(10, 99)
        tx, booked_fee = self._id(), fee
        shown = kind is not Kind.REORGANISED_AWAY and not (kind is Kind.STUCK_IN_FLIGHT and self.lots.random() < 0.5)
        if shown:
            self._show(tx, self.addresses[name][0], XRP, -units - fee, fee)
        off, amount = 0, 0
        if kind is Kind.WRONG_AMOUNT:
            off = self.lots.randrange(1, 900)
            amount = off
        elif kind is Kind.FEE_OFF:
            booked_fee += self.lots.randrange(1, 9)
            amount = booked_fee - fee
        elif kind is Kind.REORGANISED_AWAY or kind is Kind.DOUBLE_DEBIT:
            amount = units + fee
        elif kind in (Kind.UNEXPECTED_MOVEMENT, Kind.STUCK_IN_FLIGHT):
            amount = -units - fee
        lines = self._paid(name, booked_fee, [(f"outside:{NETWORK}", XRP, units + off)])
        if kind is Kind.STUCK_IN_FLIGHT:
            self._pend(tx, name, lines)
        elif kind is not Kind.UNEXPECTED_MOVEMENT:
            self._happen(tx, name, lines, times=2 if kind is Kind.DOUBLE_DEBIT else 1)
        self._put(kind, tx, name, XRP, amount)

    def _transfer(self, kind: Kind | None) -> None:
        """Draw a transfer between two of our wallets: both see it, and it is one entry."""
        source, target = self.lots.sample(WALLETS, 2)
        tx, units, fee = self._id(), self._units(), self.lots.randrange(10, 99)
        if kind is None:
            self._show(tx, self.addresses[source][0], XRP, -units - fee, fee)
            self._show(tx, self.addresses[target][0], XRP, units, 0)
        self._happen(tx, source, self._paid(source, fee, [(f"wallet:{target}", XRP, units)]))
        self._put(kind, tx, source, XRP, units + fee)
        self._put(kind, tx, target, XRP, -units)

    def _batch(self, _kind: None) -> None:
        """Draw one payment to many: strangers, and another wallet of ours."""
        source, target = self.lots.sample(WALLETS, 2)
        tx, fee, ours = self._id(), self.lots.randrange(10, 99), self._units()
        others = [self._units() for _ in range(self.lots.randrange(2, 30))]
        self._show(tx, self.addresses[source][0], XRP, -sum(others) - ours - fee, fee)
        self._show(tx, self.addresses[target][0], XRP, ours, 0)
        to = [(f"outside:{NETWORK}", XRP, units) for units in others]
        self._happen(tx, source, self._paid(source, fee, [*to, (f"wallet:{target}", XRP, ours)]))

    # --- rows -----------------------------------------------------------------------------------------

    def _id(self) -> str:
        return f"{self._tx:064X}"

    def _asset(self) -> Asset:
        return self.lots.choice((XRP, TOKEN))

    def _units(self) -> int:
        return self.lots.randrange(10_000, 10**7)

    def _put(self, kind: Kind | None, name: str, wallet: str, asset: Asset, amount: int) -> None:
        if kind is not None:
            self.injected.append((kind.value, name, wallet, asset.code, amount))

    def _show(self, tx: str, address: str, asset: Asset, units: int, fee: int | None) -> None:
        self.ledger.moved.append(Movement(tx, self.ledger.at, address, asset, units, fee))

    def _paid(self, name: str, fee: int, to: Sequence[_Line]) -> list[_Line]:
        mine = f"wallet:{name}"
        pairs = [(mine, XRP, -fee), (f"fees:{NETWORK}", XRP, fee)]
        for account, asset, units in to:
            pairs += [(mine, asset, -units), (account, asset, units)]
        return pairs

    def _post(self, memo: str, lines: Iterable[_Line], job: int | None = None, status: str = "posted") -> int:
        self._entry += 1
        voided = {"voided_at": NOW, "voided_before": self._entry + 1} if status == "voided" else {}
        empty: dict[str, Any] = {"voided_at": None, "voided_before": None}
        head = {"id": self._entry, "job": job, "memo": memo, "status": status, "time": NOW}
        self._rows["entries"].append({**head, **empty, **voided})
        self._rows["lines"] += [
            {"entry": self._entry, "position": at, "account": account, "asset_network": NETWORK,
             "asset_code": asset.code, "units": str(units)} for at, (account, asset, units) in enumerate(lines)
        ]  # fmt: skip
        return self._entry

    def _arrive(self, tx: str, height: int, name: str, asset: Asset, units: int) -> None:
        lines = [(f"wallet:{name}", asset, units), (f"suspense:{NETWORK}", asset, -units)]
        self._arrival += 1
        row = {"network": NETWORK, "key": f"{tx}/{self._arrival}", "tx_id": tx, "height": height, "wallet": name,
               "address": self.addresses[name][0], "source": "", "asset_code": asset.code, "units": str(units),
               "state": "suspense", "reason": "", "created": NOW}  # fmt: skip
        self._rows["arrivals"].append({**row, "entry": self._post(f"deposit {tx} at {height}", lines)})

    def _job_row(self, tx: str, name: str, state: str) -> int:
        self._job += 1
        row = {"id": self._job, "order_id": "ab" * 16, "state": state, "network": NETWORK, "kind": "payment",
               "wallet": name, "source": self.addresses[name][0], "plan": b"", "tx_id": tx, "result": "",
               "expiry_height": self.ledger.at + 1, "created": NOW, "updated": NOW}  # fmt: skip
        self._rows["jobs"].append(row)
        return self._job

    def _happen(self, tx: str, name: str, lines: Sequence[_Line], times: int = 1) -> None:
        job = self._job_row(tx, name, "final")
        self._post(f"job {job}: payment on its way", lines, job, "voided")
        for _ in range(times):
            self._post(f"job {job}: payment tesSUCCESS at {self.ledger.at}, {tx}", lines, job)

    def _pend(self, tx: str, name: str, lines: Sequence[_Line]) -> None:
        job = self._job_row(tx, name, "submitted")
        self._post(f"job {job}: payment on its way", lines, job, "pending")

    def _write(self) -> None:
        with self.store.transaction() as tx:
            for name in ("jobs", "entries", "lines", "arrivals"):
                if self._rows[name]:
                    tx.sql.execute(insert(getattr(tables, name)), self._rows[name])
                self._rows[name] = []
            tx.sql.execute(tables.balances.delete())
            rows = [
                {"account": account, "asset_network": network, "asset_code": code, "pending": str(pending),
                 "posted": str(posted)}
                for (account, network, code), (pending, posted) in recomputed(tx.sql).items()
            ]  # fmt: skip
            tx.sql.execute(insert(tables.balances), rows)
