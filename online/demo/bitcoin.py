"""The journey on Bitcoin with Counterparty: a send with a memo, a batch to 40, and a sweep, by one crossing of the gap.

The batch is two transactions, of which the second spends the first; both are signed together. The ledgers run only
meanwhile, and have a block every few tenths of a second.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from functools import cached_property
from typing import Any, ClassVar, Final

from online.chains.api import Purser
from online.demo.journey import Cast, Journey, OneCrossing, texts
from online.demo.texts import BITCOIN_POLICY
from online.devnet.bitcoin import BitcoinWorld, Miner, serve_bitcoin
from online.devnet.counterparty import CounterpartyWorld, serve_counterparty
from online.jobs.model import Job
from online.orders.gathering import draft_sweep
from online.orders.model import Order
from online.orders.spending import draft_batch, draft_send
from online.orders.writing import Asking
from shared.chains.bitcoin.addresses import address_of
from shared.effects import Destination
from shared.money import Amount, Asset

NETWORK: Final = "bitcoin:regtest"
XCP: Final = Asset(NETWORK, "XCP", 8)
RECIPIENTS: Final = 40
CONFIRMATIONS: Final = 2
_COIN: Final = 10**8
_SETTINGS: Final = """\
counterparty_url = "{url}"
confirmations = {confirmations}
fallback_rate = 4000
"""


class OnBitcoin(Journey):
    """A journey on a Bitcoin of its own, with a Counterparty on it."""

    network = NETWORK
    assets = (XCP,)
    begins = "a Bitcoin and a Counterparty start, with a block every few tenths of a second"
    turn_seconds = 0.3

    @cached_property
    def world(self) -> BitcoinWorld:
        """The network."""
        return BitcoinWorld()

    @cached_property
    def tokens(self) -> CounterpartyWorld:
        """What Counterparty reads in it."""
        return CounterpartyWorld(self.world)

    @cached_property
    def _node(self) -> Any:
        return serve_bitcoin(self.world)

    @cached_property
    def _api(self) -> Any:
        return serve_counterparty(self.tokens)

    def serving(self) -> Iterable[AbstractContextManager[Any]]:
        """Give both nodes' servers."""
        return [self._node, self._api]

    def closing(self) -> AbstractContextManager[Any]:
        """Mine a block every few tenths of a second."""
        return Miner(self.world, self.turn_seconds, idle=True)

    def settings(self) -> tuple[str, str]:
        """Give bitcoind's url with its password, and the Counterparty node's."""
        node = self._node
        url = node.url.replace("http://", f"http://{node.user}:{node.password}@")
        return url, _SETTINGS.format(url=self._api.url, confirmations=CONFIRMATIONS)


class BitcoinJourney(OnBitcoin, OneCrossing):
    """Three orders, four transactions, one crossing."""

    wallets: ClassVar = {"treasury": Cast("cold"), "deposits": Cast("cold", keys=8)}
    orders = f"alice drafts a send with a memo, a batch to {RECIPIENTS}, and a sweep; bob approves"

    def fund(self) -> None:
        """Give the treasury BTC and XCP, and each deposit address some BTC."""
        (treasury,), deposits = self.addresses("treasury"), self.addresses("deposits")
        self.world.fund_all([(treasury, _COIN // 2)] * 2 + [(each, _COIN // 100) for each in deposits])
        self.tokens.credit(treasury, XCP.code, 1_000 * _COIN)
        self.diary.tell("the treasury holds 1 BTC and 1 000 XCP, and 8 deposit addresses 0.01 BTC each")

    def policy(self) -> str:
        """Let the treasury send XCP to anybody in bounds, and the deposits go to the treasury."""
        places = {name: texts(self.addresses(name)) for name in self.wallets}
        return BITCOIN_POLICY.format(**self.lines, **places)

    def drafts(self) -> Mapping[str, Callable[[Asking], Order]]:
        """Give the three orders."""
        lines = [
            (Destination(_somebody(number), memo=f'"order {number}"'), Amount(XCP, number * _COIN // 10))
            for number in range(1, RECIPIENTS + 1)
        ]
        one = Destination(_somebody(0), memo='"invoice 2026-17"'), Amount(XCP, 25 * _COIN)
        purser, store = self.gateways[NETWORK], self.store
        assert isinstance(purser, Purser)
        (holding,) = self.addresses("treasury")
        return {
            "send": lambda asking: draft_send(store, asking, wallet="treasury", payment=one),
            "batch": lambda asking: draft_batch(store, asking, wallet="treasury", payments=lines),
            "sweep": lambda asking: draft_sweep(store, purser, asking, wallet="deposits", to=holding),
        }

    def settled(self, done: Mapping[str, Job]) -> None:
        """Tell what the recipients hold."""
        held = sum(self.tokens.books().balance(_somebody(number), XCP.code) for number in range(RECIPIENTS + 1))
        self.diary.tell(f"the {RECIPIENTS + 1} recipients hold {Amount(XCP, held)} in all")


def _somebody(number: int) -> str:
    """Give an address of which nobody has the key."""
    return address_of(b"\x00\x14" + hashlib.sha256(b"recipient %d" % number).digest()[:20], NETWORK)
