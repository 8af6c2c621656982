"""The journey on NEAR: a payment to a new implicit account, tokens to a customer, and one that comes back.

The last is paid to an account that is deleted while its signature crosses the gap: the transaction happens, its receipt
fails, and what left the wallet is returned by the ledger itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from functools import cached_property
from typing import Any, ClassVar, Final

from online.demo.journey import Cast, Journey, OneCrossing, texts
from online.demo.texts import NEAR_POLICY
from online.devnet.near import Blocks, NearWorld, serve_near
from online.jobs.model import Job
from online.jobs.states import State
from online.orders.model import Order
from online.orders.spending import draft_pay, draft_send
from online.orders.writing import Asking
from shared.effects import Destination
from shared.errors import DemoFailed
from shared.money import Amount, Asset

NETWORK: Final = "near:localnet"
NEAR: Final = Asset(NETWORK, "NEAR", 24)
USD: Final = Asset(NETWORK, "usd.token", 6)
_NEAR: Final = 10**24
_CENT: Final = 10**4
_STRANGER: Final = hashlib.sha256(b"a customer's own key").hexdigest()
_LEAVER: Final = "leaver.customers"


class OnNear(Journey):
    """A journey on a NEAR of its own, with a token on it."""

    network = NETWORK
    assets = (USD,)
    begins = "a NEAR starts, with a block every few tenths of a second"
    turn_seconds = 0.2

    @cached_property
    def world(self) -> NearWorld:
        """The network."""
        return NearWorld()

    @cached_property
    def _node(self) -> Any:
        return serve_near(self.world)

    def serving(self) -> Iterable[AbstractContextManager[Any]]:
        """Give the node's server."""
        return [self._node]

    def closing(self) -> AbstractContextManager[Any]:
        """Make a block every few tenths of a second."""
        return Blocks(self.world, self.turn_seconds)

    def settings(self) -> tuple[str, str]:
        """Give the node's url; it keeps the whole history too, and a crossing takes no hours here."""
        return self._node.url, f'archive_url = "{self._node.url}"\ncrossing_seconds = 30\n'


class NearJourney(OnNear, OneCrossing):
    """Three orders, three transactions, one crossing; one of them fails in a receipt, as it should."""

    wallets: ClassVar = {"treasury": Cast("cold", keys=2)}
    orders = "alice drafts a payment to a new account, tokens to a customer, and one that will fail; bob approves"

    def fund(self) -> None:
        """Give the treasury NEAR and all of a token, and let two customers have accounts."""
        treasury = self.addresses("treasury")[0]
        self.world.fund(treasury, 100 * _NEAR)
        self.world.deploy_token(USD.code, USD.decimals, treasury, 1_000_000 * 100 * _CENT, symbol="USD")
        for name in ("customer.near", _LEAVER):
            self.world.create(name, (), _NEAR)
        self.diary.tell(f"the treasury {treasury[:16]}... holds 100 NEAR and 1 000 000 USD of the contract {USD.code}")

    def policy(self) -> str:
        """Let the treasury pay anybody in bounds."""
        return NEAR_POLICY.format(**self.lines, treasury=texts(self.addresses("treasury")))

    def drafts(self) -> Mapping[str, Callable[[Asking], Order]]:
        """Give the three orders."""
        usd = Destination("customer.near", memo="withdrawal 7"), Amount(USD, 12_550 * _CENT)
        return {
            "payment": lambda asking: self._pay(asking, _STRANGER, 5),
            "tokens": lambda asking: draft_send(self.store, asking, wallet="treasury", payment=usd),
            "returned": lambda asking: self._pay(asking, _LEAVER, 3),
        }

    def meanwhile(self) -> tuple[str, ...]:
        """Delete the account that the last order pays."""
        self.world.remove(_LEAVER)
        return (f"{_LEAVER} was deleted meanwhile, which nobody here could know",)

    def ends(self) -> Mapping[str, State]:
        """Say that the last one fails."""
        return {"returned": State.FAILED}

    def settled(self, done: Mapping[str, Job]) -> None:
        """Tell what arrived."""
        here, usd = self.world.balance(_STRANGER), self.world.token_balance(USD.code, "customer.near")
        if (here, usd) != (5 * _NEAR, 12_550 * _CENT):
            raise DemoFailed("somebody did not get what was sent")
        self.diary.tell(f"the new account holds {Amount(NEAR, here)}, the customer {Amount(USD, usd)}")
        self.diary.tell("3 NEAR left the treasury and came back; only the gas is gone")

    def _pay(self, asking: Asking, to: str, coins: int) -> Order:
        payment = Destination(to), Amount(NEAR, coins * _NEAR)
        return draft_pay(self.store, asking, wallet="treasury", payments=[payment])
