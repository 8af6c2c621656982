"""What the tests of the exchange's story share: its people, its tables, its mandate, and what holds at its end.

It is no test. The numbers are those of the XRP Ledger's guide for exchanges, whichever ledger the story is told on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from online.audit import verify
from online.customers.register import register
from online.demo.story import fees_paid
from online.ledger.books import balance_sheet
from online.ledger.reconcile import reconcile
from online.orders.drafting import draft_rebalance
from online.withdrawals.accepting import Wish, accept
from online.withdrawals.mandates import Ceiling, Mandate, approve_mandate, draft_mandate
from online.withdrawals.model import withdrawals
from online.withdrawals.states import State
from shared.effects import Destination
from shared.money import Amount, Asset
from shared.policy import Person
from tests.both_machines import NOW, BothMachines

PEOPLE = {"dave": 25_000, "edward": 45_000, "charlie": 100_000, "alice": 80_100, "bob": 50_100}
CUSTOMERS = ("alice", "bob", "charlie")
WAITS = ("suspense", "unswept")
"""Accounts in which money waits for its customer."""


@dataclass(frozen=True)
class Tables:
    """What the guide shows of an asset after each step; `own` is what wallets hold of the house's own all the time."""

    house: BothMachines
    asset: Asset
    own: Mapping[str, int]

    def require(
        self, wallets: Mapping[str, int], customers: Mapping[str, int], *, kept: Mapping[str, int] | None = None,
        **waits: int,
    ) -> None:  # fmt: skip
        """Assert both tables, and what waits for somebody, in whole coins; whoever is not named has none.

        Wallets hold that to the last base unit, less the fees that they paid. `kept` is what sweeps kept back of the
        deposits where they took them, for fees and the ledger's own, in base units: above nothing there, below where
        they went.
        """
        rows, coin = self.rows(), 10**self.asset.decimals
        fees = fees_paid(self.house.store, self.asset)
        assert fees.total() == rows.get("fees", 0)
        held = {name: rows.get(f"wallet:{name}", 0) + fees[name] - own * coin for name, own in self.own.items()}
        guides = {name: wallets.get(name, 0) * coin + (kept or {}).get(name, 0) for name in self.own}
        assert held == guides, held
        owed = {name: rows.get(f"customer:{known(name)}", 0) for name in CUSTOMERS}
        assert owed == {name: -customers.get(name, 0) * coin for name in CUSTOMERS}, owed
        assert {kind: rows.get(kind, 0) for kind in WAITS} == {kind: -waits.get(kind, 0) * coin for kind in WAITS}, rows

    def rows(self) -> dict[str, int]:
        """Give what every account has, in base units; those of the whole network go by their kind."""
        rows = [one for one in balance_sheet(self.house.store) if one.asset == self.asset]
        return {one.account.removesuffix(f":{self.house.network}"): one.posted for one in rows}


def registered(house: BothMachines) -> None:
    """Note the three customers."""
    for name in CUSTOMERS:
        register(house.store, known(name), NOW)


def known(name: str) -> str:
    """Give a customer's id; alice and bob work at the exchange as well."""
    return f"customer-{name}"


def rebalanced(house: BothMachines, *amounts: Amount) -> None:
    """Order by two people that amounts move from cold to hot."""
    for one in amounts:
        house.approved(draft_rebalance(house.store, house.asking(), from_wallet="cold", to_wallet="hot", amount=one))


def withdrawn(house: BothMachines, *wishes: tuple[str, str, Amount]) -> None:
    """Let customers withdraw to places outside, and the station order it under the mandate."""
    for number, (name, place, amount) in enumerate(wishes):
        accept(house.store, Wish(f"w{number}", known(name), "hot", Destination(place), amount), NOW)
    house.tick()


def mandated(house: BothMachines, *most: Amount, count: int = 1) -> None:
    """Let two people say once that the hot wallet pays withdrawals of up to so much by itself, thrice in a day."""
    ceilings = {one.asset.code: Ceiling(one.units, 3 * one.units, 3 * one.units, one.units) for one in most}
    alice, bob = house.people["alice"], house.people["bob"]
    given = draft_mandate(
        house.store, Mandate("hot", ceilings, count, 0), person=Person("alice", alice.public), sign=alice.sign,
        now=NOW,
    )  # fmt: skip
    approve_mandate(house.store, given.id, person=Person("bob", bob.public), sign=bob.sign, now=NOW)


def require_ended(house: BothMachines, *tables: Tables) -> None:
    """Assert that books and ledger agree, what is owed is there, and nothing waits or is on its way."""
    house.require_books()
    assert {one.state for one in withdrawals(house.store)} == {State.PAID}
    lines = {one.asset: one.covered for one in reconcile(house.store, house.gateways).solvency}
    assert lines.keys() >= {one.asset for one in tables}
    assert set(lines.values()) == {True}, lines
    for one in tables:
        rows = one.rows()
        assert [kind for kind in ("transit", "withdrawals", "suspense", "unswept", "outside") if rows.get(kind)] == []
    assert verify(house.store).ok
