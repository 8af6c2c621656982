"""The guide's story of XCP, with both customs of deposits: addresses of one's own that are swept, or one with memos.

The cold address takes sends with a memo alone, and sweeps bring one. The house's own are bitcoins for fees, at the cold
and the hot wallet, and nothing else.
"""

from __future__ import annotations

from functools import partial
from typing import ClassVar, Final

from online.chains.api import Purser
from online.demo.bitcoin import CONFIRMATIONS, NETWORK, XCP, OnBitcoin
from online.demo.journey import Cast, now
from online.demo.story import Story, known
from online.demo.strangers import XcpStranger
from online.demo.texts import XCP_STORY_ASSET, XCP_STORY_RULE
from online.deposits.instructions import instruct
from online.deposits.model import deposits
from online.deposits.states import State
from online.deposits.suspense import draft_return
from online.jobs.model import Job
from online.orders.gathering import draft_asset_sweep, draft_prime
from online.orders.model import Order
from online.orders.spending import draft_options
from online.orders.writing import Asking
from shared.chains import chain
from shared.effects import Destination
from shared.errors import DemoFailed, MemoRequired
from shared.money import Amount

_COIN: Final = 10**8
_PRIMED: Final = Amount(chain(NETWORK).network(NETWORK).native, 50_000)
_SWEEP: Final = '"sweep"'
_NOBODYS: Final = "hex 80ffffffffffffff"
_SWEPT: Final = ("alice", "charlie")
_BATCH: Final = (("charlie", "charlie", 25_000), ("alice", "dave", 10_000), ("bob", "edward", 5_000))


class XcpStory(OnBitcoin, Story[XcpStranger]):
    """Four crossings: what deposits need, the sweep, the rebalance with returns, and three withdrawals in one batch."""

    wallets: ClassVar = {name: Cast(name) for name in ("hot", "warm", "cold")} | {"deposits": Cast("warm", keys=12)}
    coin = XCP
    own: ClassVar = {}
    rules = XCP_STORY_RULE
    registered = XCP_STORY_ASSET
    suffix = " tag any"

    def stranger(self, name: str, coins: int) -> XcpStranger:
        """Give somebody outside."""
        return XcpStranger(self.world, self.tokens, name, coins)

    def fund(self) -> None:
        """Give the wallets that pay fees some bitcoins, and let the guide's people have their accounts."""
        self.world.fund_all([(self.addresses(name)[0], _COIN // 10) for name in ("cold", "hot")] * 4)
        assert self.outside
        self.diary.tell("cold and hot hold 0.4 BTC each of the house's own, for fees; nobody has any XCP here yet")

    def tell(self) -> dict[str, Job]:
        """Tell deposits in both customs, a sweep, the guide's rebalance, and a batch."""
        paid = {"alice": 80_000, "bob": 50_000, "charlie": 50_000}
        with self.diary.step("alice and charlie get addresses of their own, bob a memo at cold's"):
            self._instruct()
            self.table({}, {})
        done = self._prepare()
        with self.diary.step("deposit: charlie pays 50 000 XCP to his address"):
            self._send("charlie", 50_000, instruct(self.store, known("charlie"), "deposits", now()).place)
            self.table({"deposits": 50_000}, {}, unswept=50_000)
        with self.diary.step("alice pays 80 000 to hers, bob 50 000 with his memo"):
            memo = instruct(self.store, known("bob"), "cold", now(), memo=True).place
            self._send("alice", 80_000, instruct(self.store, known("alice"), "deposits", now()).place)
            self._send("bob", 50_000, memo)
            self.table({"deposits": 130_000, "cold": 50_000}, {"bob": 50_000}, unswept=130_000)
        with self.diary.step("dave pays 5 with bob's memo again, edward 7 with one nobody has"):
            self._require_refused("edward", 7, Destination(memo.address))
            self._send("dave", 5, memo)
            self._send("edward", 7, Destination(memo.address, memo=_NOBODYS))
            for one in deposits(self.store, states=(State.SUSPENSE,)):
                self.diary.tell(f"{one.amount} waits in suspense: {one.reason}")
            self.table({"deposits": 130_000, "cold": 50_012}, {"bob": 50_000}, unswept=130_000, suspense=12)
        done |= self._sweep()
        with self.diary.step("the tables after the sweep"):
            self.table({"cold": 180_012}, paid, suspense=12)
        done |= self._rebalance()
        with self.diary.step("the tables after the rebalance"):
            self.table({"hot": 80_000, "cold": 100_000}, paid)
        done |= self._withdraw()
        self.covered()
        return done

    def _instruct(self) -> None:
        self.register()
        for name in _SWEPT:
            found = instruct(self.store, known(name), "deposits", now())
            self.diary.tell(f"{name} pays to {found.place.address}")
        place = instruct(self.store, known("bob"), "cold", now(), memo=True).place
        self.diary.tell(f"bob pays to {place.address} with the memo {place.memo}")
        self.turn()

    def _prepare(self) -> dict[str, Job]:
        """Let the cold address take sends with a memo alone, and give the deposit addresses what their sends cost."""
        places = [instruct(self.store, known(name), "deposits", now()).place for name in _SWEPT]
        primed = [(place.address, _PRIMED) for place in places]
        return self.carry_out(
            "alice drafts: cold demands memos, deposit addresses get bitcoins",
            {
                "options": lambda asking: draft_options(self.store, asking, wallet="cold", demanded=True),
                "prime": lambda asking: draft_prime(self.store, self._purser, asking, wallet="cold", primed=primed),
            },
        )

    def _send(self, name: str, coins: int, to: Destination) -> None:
        """Let somebody send XCP, and wait until that is deep enough."""
        self.outside[name].send(self.gateways[NETWORK], self.coins(coins), to)
        self.world.mine(CONFIRMATIONS)
        self.turn()

    def _require_refused(self, name: str, coins: int, to: Destination) -> None:
        try:
            self._send(name, coins, to)
        except MemoRequired as refusal:
            self.diary.tell(f"{name}'s first try, without any, is refused: {refusal}")
        else:
            raise DemoFailed("the cold address takes a send without a memo")

    def _sweep(self) -> dict[str, Job]:
        to = Destination(self.addresses("cold")[0], memo=_SWEEP)
        return self.carry_out(
            "sweep: alice drafts that deposits go to cold, with a memo",
            {
                "sweep": lambda asking: draft_asset_sweep(
                    self.store, self._purser, asking, wallet="deposits", to=to, assets=[XCP]
                )
            },
        )

    def _rebalance(self) -> dict[str, Job]:
        """Move 80 000 to hot, and send back what waits in suspense: both from the cold address."""
        drafts = {"rebalance": self.rebalanced(self.coins(80_000))}
        for one in deposits(self.store, states=(State.SUSPENSE,)):
            drafts[f"return of {one.amount}"] = partial(self._return, one.id)
        return self.carry_out(
            "rebalance: 80 000 XCP from cold to hot; and suspense goes back", drafts
        )

    def _return(self, number: int, asking: Asking) -> Order:
        return draft_return(self.store, asking, number)

    def _withdraw(self) -> dict[str, Job]:
        wishes = [(name, to, self.coins(coins)) for name, to, coins in _BATCH]
        paid = self.withdraw("charlie takes 25 000, alice 10 000, bob 5 000 XCP", wishes, most=[self.coins(30_000)])
        with self.diary.step("the tables at the end; one message paid all three"):
            done = self.settle(paid)
            self.table({"hot": 40_000, "cold": 100_000}, {"alice": 70_000, "bob": 45_000, "charlie": 25_000})
            self.outside_holds({"dave": 35_000, "edward": 50_000, "charlie": 75_000})
        return done

    @property
    def _purser(self) -> Purser:
        purser = self.gateways[NETWORK]
        assert isinstance(purser, Purser)
        return purser
