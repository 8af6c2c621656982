"""The guide's story on NEAR: an account of a pool for each customer, sweeps, and a token that comes with a memo.

Each wallet but that of the deposits holds 20 NEAR of the house's own from the start, for gas and storage, and the cold
one 100 of the token.
"""

from __future__ import annotations

from typing import ClassVar, Final

from online.chains.api import Purser
from online.demo.journey import Cast, now
from online.demo.near import NEAR, NETWORK, USD, OnNear
from online.demo.story import CUSTOMERS, Story, fees_paid, known
from online.demo.strangers import NearStranger
from online.demo.texts import NEAR_STORY_ASSET, NEAR_STORY_RULE
from online.deposits.instructions import instruct
from online.jobs.model import Job
from online.orders.gathering import draft_sweep
from shared.errors import DemoFailed
from shared.money import Amount

OWN: Final = 20
OWN_USD: Final = 100
POOL: Final = 13


class NearStory(OnNear, Story[NearStranger]):
    """Three crossings: the sweep of deposits, the rebalance, and withdrawals of NEAR and of a token."""

    wallets: ClassVar = {name: Cast(name) for name in ("hot", "warm", "cold")} | {"deposits": Cast("warm", keys=POOL)}
    coin = NEAR
    own: ClassVar = {"hot": {NEAR: OWN}, "warm": {NEAR: OWN}, "cold": {NEAR: OWN, USD: OWN_USD}}
    rules = NEAR_STORY_RULE
    registered = NEAR_STORY_ASSET

    def stranger(self, name: str, coins: int) -> NearStranger:
        """Give somebody outside."""
        return NearStranger(self.world, name, coins)

    def fund(self) -> None:
        """Give each wallet a little of the house's own, and let the guide's people have their accounts."""
        self.world.fund_all({self.addresses(name)[0]: OWN * 10**24 for name in self.own})
        self.world.deploy_token(USD.code, USD.decimals, self.addresses("cold")[0], OWN_USD * 10**6, symbol="USD")
        self.world.give(USD.code, {self.outside["bob"].address: 1_000 * 10**6})
        self.diary.tell(f"hot, warm and cold hold {OWN} NEAR each of the house's own, and cold {OWN_USD} {USD.code}")

    def tell(self) -> dict[str, Job]:
        """Tell the guide's deposits, a sweep, its rebalance and its withdrawal, and a token beside them."""
        with self.diary.step(f"customers alice, bob and charlie get an account each of a pool of {POOL}"):
            self.register()
            for name in CUSTOMERS:
                found = instruct(self.store, known(name), "deposits", now())
                self.diary.tell(f"{name} pays to {found.place.address}")
                if found.warning:
                    self.diary.tell(f"and a warning: {found.warning}")
            self.turn()
            self.table({}, {})
        with self.diary.step("deposit: charlie pays 50 000 NEAR to his account"):
            self._deposit("charlie", 50_000)
            self.table({"deposits": 50_000}, {"charlie": 50_000})
        with self.diary.step("what the guide does not explain: alice pays 80 000, bob 50 000"):
            self._deposit("alice", 80_000)
            self._deposit("bob", 50_000)
            self.table({"deposits": 180_000}, {"alice": 80_000, "bob": 50_000, "charlie": 50_000})
        with self.diary.step(f"beside the guide: bob pays 1 000 {USD.code} with a memo"):
            self._token_deposit("bob", 1_000)
            self.table({"cold": 1_000}, {"bob": 1_000}, USD)
        done, kept = self._sweep()
        with self.diary.step("the tables after the sweep"):
            self.table({"cold": 180_000}, {"alice": 80_000, "bob": 50_000, "charlie": 50_000}, kept=kept)
        said = f"rebalance: 80 000 NEAR and 400 {USD.code} from cold to hot"
        moved = {"rebalance": self.coins(80_000), "rebalance of the token": self.coins(400, USD)}
        done |= self.carry_out(said, {name: self.rebalanced(amount) for name, amount in moved.items()})
        with self.diary.step("the tables after the rebalance"):
            everybodys = {"alice": 80_000, "bob": 50_000, "charlie": 50_000}
            self.table({"hot": 80_000, "cold": 100_000}, everybodys, kept=kept)
            self.table({"hot": 400, "cold": 600}, {"bob": 1_000}, USD)
        taken = [("charlie", "charlie", self.coins(25_000)), ("bob", "dave", self.coins(250, USD))]
        said = f"25 000 NEAR for charlie, 250 {USD.code} from bob to dave"
        paid = self.withdraw(said, taken, most=[self.coins(30_000), self.coins(500, USD)])
        with self.diary.step("the tables at the end"):
            done |= self.settle(paid)
            self.table({"hot": 55_000, "cold": 100_000}, {**everybodys, "charlie": 25_000}, kept=kept)
            self.table({"hot": 150, "cold": 600}, {"bob": 750}, USD)
            self.outside_holds({"dave": 25_000, "edward": 45_000, "charlie": 75_000})
            if self.world.token_balance(USD.code, self.outside["dave"].address) != 250 * 10**6:
                raise DemoFailed("dave did not get the token")
        self.covered()
        return done

    def _deposit(self, name: str, coins: int) -> None:
        place = instruct(self.store, known(name), "deposits", now()).place
        self.outside[name].pay(place.address, self.coins(coins).units)
        self.turn()

    def _token_deposit(self, name: str, coins: int) -> None:
        place = instruct(self.store, known(name), "cold", now(), memo=True).place
        self.diary.tell(f"the memo is {place.memo}; it is good for one transaction")
        self.turn()
        self.outside[name].send(USD, coins * 10**6, place)
        self.turn()

    def _kept_back(self) -> dict[str, int]:
        """Say what the sweep kept back on the customers' accounts, for gas and storage, and tell it."""
        left = sum(self.world.balance(address) for address in self.addresses("deposits"))
        back = left + fees_paid(self.store, NEAR)["deposits"]
        self.diary.tell(f"for gas and storage the sweep kept back {Amount(NEAR, back)}, which cold has less")
        return {"deposits": back, "cold": -back}

    def _sweep(self) -> tuple[dict[str, Job], dict[str, int]]:
        """Gather what the customers' accounts hold at the cold wallet, each account by its own key, and what stays."""
        purser, to = self.gateways[NETWORK], self.addresses("cold")[0]
        assert isinstance(purser, Purser)
        done = self.carry_out(
            "sweep: alice drafts that all deposits go to cold; bob approves",
            {"sweep": lambda asking: draft_sweep(self.store, purser, asking, wallet="deposits", to=to)},
        )
        return done, self._kept_back()
