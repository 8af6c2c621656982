"""The XRP Ledger's own guide for exchanges as a demonstration, step by step with its tables.

The guide (xrpl.org, "List XRP as an Exchange") tells of deposits, a rebalance and a withdrawal. Before the rebalance it
shows 80,000 XRP of Alice's and 50,000 of Bob's that it never explains; here they arrive as deposits. Each wallet holds
20 XRP of the house's own from the start, for reserve and fees.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, ClassVar, Final

from online.customers.register import register
from online.demo.journey import Cast, now
from online.demo.strangers import Stranger
from online.demo.texts import STORY_RULE, STORY_WALLET
from online.demo.xrpl import NETWORK, XrplJourney
from online.deposits.instructions import instruct
from online.jobs.loop import tick
from online.jobs.model import Job, jobs
from online.ledger.books import balance_sheet
from online.orders.drafting import draft_rebalance
from online.orders.model import Order
from online.orders.writing import Asking
from online.withdrawals.accepting import Wish, accept
from online.withdrawals.mandates import Ceiling, Mandate, approve_mandate, draft_mandate
from shared.effects import Destination
from shared.errors import DemoFailed
from shared.money import Amount, Asset

OWN: Final = 20
_XRP: Final = Asset(NETWORK, "XRP", 6)
_TAGS: Final = {"alice": 123, "bob": 456, "charlie": 789}
_COINS: Final = {"dave": 25_000, "edward": 45_000, "charlie": 100_000, "alice": 80_100, "bob": 50_100}


class XrpStory(XrplJourney):
    """Two crossings: the rebalance, and Charlie's withdrawal, which the hot wallet pays under a mandate."""

    wallets: ClassVar = {"hot": Cast("hot"), "warm": Cast("warm"), "cold": Cast("cold")}
    orders = "rebalance: alice drafts 80 000 XRP from cold to hot; bob approves"

    @cached_property
    def _people_outside(self) -> dict[str, Stranger]:
        return {name: Stranger(self.world, coins) for name, coins in _COINS.items()}

    def fund(self) -> None:
        """Give each wallet a little of the house's own, and let the guide's people have their accounts."""
        self.world.fund_all({self.addresses(name)[0]: OWN * 10**6 for name in self.wallets})
        self.diary.tell(f"each wallet holds {OWN} XRP of the house's own; dave, edward and charlie have theirs")
        assert len(self._people_outside) == len(_COINS)

    def policy(self) -> str:
        """Let the wallets pay each other and whoever withdraws, in bounds."""
        places = {name: self.addresses(name)[0] for name in self.wallets}
        rules = "".join(STORY_RULE.format(name=name, place=place) for name, place in places.items())
        return STORY_WALLET.format(**self.lines) + rules

    def drafts(self) -> Mapping[str, Callable[[Asking], Order]]:
        """Give the rebalance."""
        return {
            "rebalance": lambda asking: draft_rebalance(
                self.store, asking, from_wallet="cold", to_wallet="hot", amount=_coins(80_000)
            )
        }

    def settled(self, done: Mapping[str, Job]) -> None:
        """Nothing beyond the tables that the story tells."""

    def run(self) -> dict[str, Any]:
        """Tell the whole story and give its report."""
        begun = time.monotonic()
        self._set_up()
        with self.diary.step("customers alice, bob and charlie get their tags 123, 456 and 789"):
            for name, tag in _TAGS.items():
                register(self.store, f"customer-{name}", now())
                instruct(self.store, f"customer-{name}", "cold", now(), tag=tag)
            tick(self.store, self.gateways, now())
            self._table({"hot": 0, "warm": 0, "cold": 0}, {"alice": 0, "bob": 0, "charlie": 0})
        with self.diary.step("deposit: charlie pays 50 000 XRP with his tag 789"):
            self._deposit("charlie", 50_000)
            self._table({"hot": 0, "warm": 0, "cold": 50_000}, {"alice": 0, "bob": 0, "charlie": 50_000})
        with self.diary.step("what the guide does not explain: alice pays 80 000, bob 50 000"):
            self._deposit("alice", 80_000)
            self._deposit("bob", 50_000)
            self._table({"hot": 0, "warm": 0, "cold": 180_000}, {"alice": 80_000, "bob": 50_000, "charlie": 50_000})
        orders = self._order()
        request, shown = self._export()
        answer = self._sign(request)
        done = self._settle(orders)
        with self.diary.step("the tables after the rebalance"):
            self._table(
                {"hot": 80_000, "warm": 0, "cold": 100_000}, {"alice": 80_000, "bob": 50_000, "charlie": 50_000}
            )
        done["withdrawal"] = self._withdraw()
        checkpoints = self._prove()
        return self._report(begun, done, shown, answer, checkpoints)

    def _deposit(self, name: str, coins: int) -> None:
        self._people_outside[name].pay(self.addresses("cold")[0], _coins(coins).units, _TAGS[name])
        tick(self.store, self.gateways, now())

    def _withdraw(self) -> Job:
        """Let Charlie take 25,000 XRP: two people gave the mandate, and nobody is asked again here."""
        charlie = self._people_outside["charlie"]
        before = {job.id for job in jobs(self.store)}
        with self.diary.step("withdrawal: charlie takes 25 000 XRP; the station orders it under two people's mandate"):
            self._mandate()
            to = Destination(charlie.address)
            accept(self.store, Wish("w-1", "customer-charlie", "hot", to, _coins(25_000)), now())
            tick(self.store, self.gateways, now())
        self._another_crossing("crossing-2")
        request, _ = self._export()
        self._sign(request)
        (job,) = [job for job in jobs(self.store) if job.id not in before]
        with self.diary.step("the tables at the end"):
            self._wait()
            self._table(
                {"hot": 55_000, "warm": 0, "cold": 100_000}, {"alice": 80_000, "bob": 50_000, "charlie": 25_000}
            )
            self.diary.tell(f"charlie holds {_coins(charlie.coins)} on the ledger")
            if charlie.coins != 75_000:
                raise DemoFailed("charlie did not get what he withdrew")
        return next(one for one in jobs(self.store) if one.id == job.id)

    def _mandate(self) -> None:
        mandate = Mandate("hot", {"XRP": Ceiling(*(_coins(30_000).units,) * 4)}, count=1, age_seconds=0)
        alice, bob = self._alice, self._bob
        given = draft_mandate(self.store, mandate, person=alice.person, sign=alice.sign, now=now())
        approve_mandate(self.store, given.id, person=bob.person, sign=bob.sign, now=now())

    def _table(self, wallets: Mapping[str, int], customers: Mapping[str, int]) -> None:
        """Tell both sides, and refuse if they are not the guide's; fees and what was the house's own stand apart."""
        posted = {one.account: one.posted for one in balance_sheet(self.store)}
        held = {name: -(-(posted[f"wallet:{name}"] - OWN * 10**6) // 10**6) for name in wallets}
        owed = {name: -posted.get(f"customer:customer-{name}", 0) // 10**6 for name in customers}
        self.diary.tell("on the ledger:  " + _told(held))
        self.diary.tell("owed:           " + _told(owed))
        if (held, owed) != (dict(wallets), dict(customers)):
            raise DemoFailed("these are not the guide's tables")


def _told(row: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {_coins(coins)}" for name, coins in row.items())


def _coins(coins: int) -> Amount:
    return Amount(_XRP, coins * 10**6)
