"""What an exchange's stories share: customers, tables, a rebalance, and withdrawals under two people's mandate.

The numbers are those of the XRP Ledger's own guide (xrpl.org, "List XRP as an Exchange"). Before its rebalance it shows
80,000 of Alice's and 50,000 of Bob's that it never explains; here they arrive as deposits. What the wallets hold of the
house's own from the start, for fees and reserves, is no part of the tables, and neither is what was taken out of it.
"""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from typing import ClassVar, Final, Generic, TypeVar

from online.customers.register import register
from online.demo.journey import Journey, now, texts
from online.demo.strangers import Outsider
from online.demo.texts import STORY_RULE, STORY_WALLET
from online.jobs.loop import tick
from online.jobs.model import Job
from online.ledger.accounts import Kind, kind_of
from online.ledger.books import balance_sheet, journal
from online.ledger.reconcile import reconcile
from online.orders.drafting import draft_rebalance
from online.orders.model import Order, orders
from online.orders.writing import Asking
from online.store.database import Store
from online.withdrawals.accepting import Wish, accept
from online.withdrawals.mandates import Ceiling, Mandate, approve_mandate, draft_mandate
from online.withdrawals.settling import ORDER_KIND
from shared.effects import Destination
from shared.errors import DemoFailed
from shared.money import Amount, Asset

CUSTOMERS: Final = ("alice", "bob", "charlie")
COINS: Final = {"dave": 25_000, "edward": 45_000, "charlie": 100_000, "alice": 80_100, "bob": 50_100}
"""What people hold on the ledger before; of alice and bob the guide does not say it."""

_WAITS: Final = {"suspense": "in suspense:  ", "unswept": "to be swept:  "}
"""Where money waits for its customer, and how that is told."""

P = TypeVar("P", bound=Outsider)


class Story(Journey, Generic[P]):
    """Deposits, a rebalance of 80 000 and withdrawals, with what the ledger holds and what is owed after each step."""

    coin: ClassVar[Asset]
    own: ClassVar[Mapping[str, Mapping[Asset, int]]]
    """What is the house's own in each wallet, in whole coins."""
    rules: ClassVar[str]
    """What the policy says of every wallet."""
    registered: ClassVar[str] = ""
    """What the policy says of assets beside the native one."""
    suffix: ClassVar[str] = ""
    """What the policy says of memos behind each of the wallets' addresses."""

    @abstractmethod
    def stranger(self, name: str, coins: int) -> P:
        """Give somebody outside, with an account of their own and so many whole coins."""

    @cached_property
    def outside(self) -> Mapping[str, P]:
        """The guide's people on the ledger."""
        return {name: self.stranger(name, coins) for name, coins in COINS.items()}

    def policy(self) -> str:
        """Let the wallets pay each other and whoever withdraws, in bounds."""
        text, wallets = STORY_WALLET.format(**self.lines) + self.registered, texts(self.wallets)
        for name, cast in self.wallets.items():
            places = texts(address + self.suffix for address in self.addresses(name))
            where = {"network": self.network, "tier": cast.tier, "places": places}
            text += STORY_RULE.format(name=name, wallets=wallets, **where) + self.rules
        return text

    # --- steps that every story has -------------------------------------------------------------

    def register(self) -> None:
        """Note the three customers."""
        for name in CUSTOMERS:
            register(self.store, known(name), now())

    def turn(self) -> None:
        """Let the coordinator do its turn."""
        tick(self.store, self.gateways, now())

    def carry_out(self, told: str, drafts: Mapping[str, Callable[[Asking], Order]]) -> dict[str, Job]:
        """Let two people order something, take it over the gap, and watch until it has happened."""
        drafted = self.order(told, drafts)
        self.cross()
        with self.diary.step("the coordinator submits, and watches until the ledger has decided"):
            return self.settle(drafted)

    def rebalanced(self, amount: Amount) -> Callable[[Asking], Order]:
        """Give the draft of a move from cold to hot."""
        return lambda asking: draft_rebalance(
            self.store, asking, from_wallet="cold", to_wallet="hot", amount=amount
        )

    def withdraw(
        self, told: str, wishes: Sequence[tuple[str, str, Amount]], *, most: Sequence[Amount]
    ) -> dict[str, Order]:
        """Let customers withdraw to people outside under a mandate of so much at once; nobody is asked again here."""
        before = {order.id for order in orders(self.store)}
        with self.diary.step(f"withdrawal: {told}"):
            self.diary.tell("alice and bob gave a mandate; under it the station orders by itself")
            self._mandate(most, count=len(wishes))
            for number, (name, to, amount) in enumerate(wishes, 1):
                place = Destination(self.outside[to].address)
                accept(self.store, Wish(f"w-{number}", known(name), "hot", place, amount), now())
            self.turn()
        self.cross()
        made = [one for one in orders(self.store) if one.kind == ORDER_KIND and one.id not in before]
        return {"withdrawal" if len(made) == 1 else f"withdrawal {at}": one for at, one in enumerate(made, 1)}

    def _mandate(self, most: Sequence[Amount], count: int) -> None:
        """Let two people say once what the hot wallet pays by itself: three times so much in a day."""
        ceilings = {one.asset.code: Ceiling(one.units, *(3 * one.units,) * 2, one.units) for one in most}
        mandate = Mandate("hot", ceilings, count=count, age_seconds=0)
        alice, bob = self._alice, self._bob
        given = draft_mandate(self.store, mandate, person=alice.person, sign=alice.sign, now=now())
        approve_mandate(self.store, given.id, person=bob.person, sign=bob.sign, now=now())

    # --- the tables -----------------------------------------------------------------------------

    def table(
        self, wallets: Mapping[str, int], customers: Mapping[str, int], asset: Asset | None = None, *,
        kept: Mapping[str, int] | None = None, **waits: int,
    ) -> None:  # fmt: skip
        """Tell both sides in whole coins and what waits, and refuse if they are not these to the last base unit.

        What is the house's own stands apart, and so do the fees that were taken out of it. `kept` is what sweeps kept
        back of the deposits where they took them, in base units: above nothing there, below where they went.
        """
        asset = asset or self.coin
        posted = {one.account: one.posted for one in balance_sheet(self.store) if one.asset == asset}
        fees, coin = fees_paid(self.store, asset), 10**asset.decimals
        own = {name: self.own.get(name, {}).get(asset, 0) * coin + (kept or {}).get(name, 0) for name in self.wallets}
        held = {name: posted.get(f"wallet:{name}", 0) + fees[name] - own[name] for name in self.wallets}
        owed = {name: -posted.get(f"customer:{known(name)}", 0) for name in CUSTOMERS}
        waiting = {kind: -posted.get(f"{kind}:{self.network}", 0) for kind in _WAITS}
        self.diary.tell(f"{asset.code} on the ledger: " + _told(held, coin))
        self.diary.tell(f"{asset.code} owed:          " + _told(owed, coin))
        for kind, units in waiting.items():
            if units:
                self.diary.tell(f"{asset.code} {_WAITS[kind]} {_told({'': units}, coin).lstrip()}")
        wanted = [{**dict.fromkeys(row, 0), **{name: coins * coin for name, coins in given.items()}}
                  for row, given in ((held, wallets), (owed, customers), (waiting, waits))]  # fmt: skip
        if [held, owed, waiting] != wanted:
            raise DemoFailed("these are not the guide's tables")

    def outside_holds(self, coins: Mapping[str, int]) -> None:
        """Tell what people outside hold on the ledger, and refuse if it is not this."""
        for name, count in coins.items():
            there = self.outside[name].coins
            self.diary.tell(f"{name} holds {self.coins(there)} on the ledger")
            if there != count:
                raise DemoFailed(f"{name} does not hold what the guide says")

    def covered(self) -> None:
        """Hold every wallet against its ledger, and tell for each asset that what is owed is there."""
        with self.diary.step("node against books: nothing differs, and all that is owed is there"):
            report = reconcile(self.store, self.gateways)
            problems = [f"{one.kind} in {one.wallet}" for one in report.findings] + list(report.failed)
            problems += [f"{one.asset.code} is not covered" for one in report.solvency if not one.covered]
            if problems:
                raise DemoFailed("; ".join(problems))
            for one in report.solvency:
                held, owed = Amount(one.asset, one.on_ledger), Amount(one.asset, one.owed)
                self.diary.tell(f"on the ledger {held}, owed {owed}")

    def coins(self, coins: int, asset: Asset | None = None) -> Amount:
        """Give an amount of whole coins."""
        asset = asset or self.coin
        return Amount(asset, coins * 10**asset.decimals)


def known(name: str) -> str:
    """Give the id under which the exchange knows somebody; alice and bob work there as well."""
    return f"customer-{name}"


def fees_paid(store: Store, asset: Asset) -> Counter[str]:
    """Add up the fees that each wallet paid in an asset, in base units, as the books' entries pair them."""
    paid: Counter[str] = Counter()
    for entry in journal(store):
        for (payer, what, units), (account, _, fee) in pairwise(entry.lines):
            if entry.status == "posted" and what == asset and kind_of(account) is Kind.FEES and fee == -units:
                paid[payer.removeprefix(f"{Kind.WALLET}:")] += fee
    return paid


def _told(row: Mapping[str, int], coin: int) -> str:
    """Tell rows in whole coins, as the guide does."""
    return ", ".join(f"{name} {units // coin:,}".replace(",", " ") for name, units in row.items())
