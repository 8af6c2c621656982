"""The XRP Ledger's own guide for exchanges, step by step: one address, and a tag for each customer.

Each wallet holds 20 XRP of the house's own from the start, for reserve and fees.
"""

from __future__ import annotations

from typing import ClassVar, Final

from online.demo.journey import Cast, now
from online.demo.story import Story, known
from online.demo.strangers import Stranger
from online.demo.texts import XRP_STORY_RULE
from online.demo.xrpl import NETWORK, OnXrpl
from online.deposits.instructions import instruct
from online.jobs.model import Job
from shared.money import Asset

OWN: Final = 20
_TAGS: Final = {"alice": 123, "bob": 456, "charlie": 789}


class XrpStory(OnXrpl, Story[Stranger]):
    """Two crossings: the rebalance, and Charlie's withdrawal, which the hot wallet pays under a mandate."""

    wallets: ClassVar = {name: Cast(name) for name in ("hot", "warm", "cold")}
    coin = Asset(NETWORK, "XRP", 6)
    own: ClassVar = {"hot": {coin: OWN}, "warm": {coin: OWN}, "cold": {coin: OWN}}
    rules = XRP_STORY_RULE

    def stranger(self, name: str, coins: int) -> Stranger:
        """Give somebody outside."""
        return Stranger(self.world, coins)

    def fund(self) -> None:
        """Give each wallet a little of the house's own, and let the guide's people have their accounts."""
        self.world.fund_all({self.addresses(name)[0]: OWN * 10**6 for name in self.wallets})
        self.diary.tell(f"each wallet holds {OWN} XRP of the house's own; {', '.join(self.outside)} have theirs")

    def tell(self) -> dict[str, Job]:
        """Tell the guide's deposits, its rebalance and its withdrawal."""
        with self.diary.step("customers alice, bob and charlie get their tags 123, 456 and 789"):
            self.register()
            for name, tag in _TAGS.items():
                instruct(self.store, known(name), "cold", now(), tag=tag)
            self.turn()
            self.table({}, {})
        with self.diary.step("deposit: charlie pays 50 000 XRP with his tag 789"):
            self._deposit("charlie", 50_000)
            self.table({"cold": 50_000}, {"charlie": 50_000})
        with self.diary.step("what the guide does not explain: alice pays 80 000, bob 50 000"):
            self._deposit("alice", 80_000)
            self._deposit("bob", 50_000)
            self.table({"cold": 180_000}, {"alice": 80_000, "bob": 50_000, "charlie": 50_000})
        said = "rebalance: alice drafts 80 000 XRP from cold to hot; bob approves"
        done = self.carry_out(said, {"rebalance": self.rebalanced(self.coins(80_000))})
        with self.diary.step("the tables after the rebalance"):
            self.table({"hot": 80_000, "cold": 100_000}, {"alice": 80_000, "bob": 50_000, "charlie": 50_000})
        taken = ("charlie", "charlie", self.coins(25_000))
        paid = self.withdraw("charlie takes 25 000 XRP", [taken], most=[self.coins(30_000)])
        with self.diary.step("the tables at the end"):
            done |= self.settle(paid)
            self.table({"hot": 55_000, "cold": 100_000}, {"alice": 80_000, "bob": 50_000, "charlie": 25_000})
            self.outside_holds({"dave": 25_000, "edward": 45_000, "charlie": 75_000})
        self.covered()
        return done

    def _deposit(self, name: str, coins: int) -> None:
        self.outside[name].pay(self.addresses("cold")[0], self.coins(coins).units, _TAGS[name])
        self.turn()
