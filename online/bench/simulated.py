"""A ledger and its books drawn by lot, with differences put in on purpose: for tests and measurements.

Nothing is stored: the facts are those that a gateway and the books would give. The same seed gives the same facts.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from typing import Final

from online.ledger.differences import Booked, Kind, Shown, Span
from shared.money import Asset

NETWORK: Final = "xrpl:local"
XRP, TOKEN = Asset(NETWORK, "XRP", 6), Asset(NETWORK, "TOK", 2)
OPENED, SETTLED = 1_000, 900_000
WALLETS: Final = ("cold", "hot", "warm")
SPANS: Final = {(wallet, asset): Span(OPENED, SETTLED) for wallet in WALLETS for asset in (XRP, TOKEN)}

KINDS: Final = (Kind.MISSING_DEPOSIT, Kind.UNEXPECTED_MOVEMENT, Kind.WRONG_AMOUNT, Kind.FEE_OFF, Kind.STUCK_IN_FLIGHT,
         Kind.DOUBLE_CREDIT, Kind.DOUBLE_DEBIT, Kind.REORGANISED_AWAY)  # fmt: skip

Injected = tuple[Kind, str, str, int]
"""Kind, transaction, wallet and amount of a difference that was put in."""


@dataclass
class Simulated:
    """A ledger and its books, drawn by lot, and the differences that were put in."""

    lots: random.Random
    shown: list[Shown] = field(default_factory=list)
    booked: list[Booked] = field(default_factory=list)
    injected: list[Injected] = field(default_factory=list)

    def add(self, number: int, kind: Kind | None) -> None:
        """Add a transaction that both have alike, or with one difference."""
        asset = self.lots.choice((XRP, XRP, TOKEN))
        out = kind in (Kind.UNEXPECTED_MOVEMENT, Kind.FEE_OFF, Kind.DOUBLE_DEBIT) or (
            kind not in (Kind.MISSING_DEPOSIT, Kind.DOUBLE_CREDIT) and self.lots.random() < 0.5
        )
        fee = self.lots.randrange(10, 10_000) if out else 0
        units = -self.lots.randrange(fee + 20_000, 10**30) if out else self.lots.randrange(20_000, 10**30)
        height, wallet = self.lots.randrange(OPENED + 1, SETTLED), self.lots.choice(WALLETS)
        fact = Shown(f"{number:064X}", wallet, asset, units, fee, height)
        source = f"job {number}" if out else f"arrival {number}"
        row = Booked(fact.tx_id, fact.wallet, asset, units, fee, "posted", source, fact.height)
        books, amount = [row], 0
        match kind:
            case Kind.MISSING_DEPOSIT | Kind.UNEXPECTED_MOVEMENT:
                books, amount = [], units
            case Kind.WRONG_AMOUNT:
                amount = self.lots.randrange(1, 9_000) * self.lots.choice((1, -1))
                books = [replace(row, units=units - amount)]
            case Kind.FEE_OFF:
                amount = self.lots.randrange(1, 9)
                books = [replace(row, units=units - amount, fee=fee + amount)]
            case Kind.DOUBLE_CREDIT | Kind.DOUBLE_DEBIT:
                books, amount = [row, replace(row, source=f"{source} again")], -units
            case Kind.REORGANISED_AWAY:
                amount = -units
            case Kind.STUCK_IN_FLIGHT:
                books, amount = [replace(row, status="pending", height=0, until=SETTLED - 1)], units
            case _:
                pass
        self.booked += books
        if kind is not Kind.REORGANISED_AWAY and not (kind is Kind.STUCK_IN_FLIGHT and self.lots.random() < 0.5):
            self.shown.append(fact)
        if kind is not None:
            self.injected.append((kind, fact.tx_id, fact.wallet, amount))


def simulated(seed: int, count: int, differences: int) -> Simulated:
    """Draw a ledger and its books with so many differences in them, each kind as often as the others."""
    world = Simulated(random.Random(seed))
    places = world.lots.sample(range(count), differences)
    wrong = {number: KINDS[at % len(KINDS)] for at, number in enumerate(places)}
    for number in range(count):
        world.add(number, wrong.get(number))
    world.lots.shuffle(world.shown)
    world.lots.shuffle(world.booked)
    return world
