"""The journey on the XRP Ledger: 80,000 XRP from a cold to a hot wallet, each with a signer of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from functools import cached_property
from types import TracebackType
from typing import Any, ClassVar, Final

from online.demo.journey import Cast, Journey, OneCrossing
from online.demo.texts import POLICY
from online.devnet.server import Closer, serve
from online.devnet.xrpl import XrplWorld
from online.devnet.xrpl.storage import save_world
from online.jobs.model import Job
from online.ledger import books
from online.orders.drafting import draft_rebalance
from online.orders.model import Order
from online.orders.writing import Asking
from shared import chains
from shared.errors import DemoFailed
from shared.money import Amount, parse_amount

NETWORK: Final = "xrpl:local"
AMOUNT: Final = "80000"
_FUNDS: Final = {"cold": "100000", "hot": "1000"}


class OnXrpl(Journey):
    """A journey on an XRP Ledger of its own."""

    network = NETWORK
    begins = "an XRP Ledger of its own starts, and closes every few tenths of a second"
    turn_seconds = 0.4

    @cached_property
    def world(self) -> XrplWorld:
        """The ledger."""
        return XrplWorld()

    @cached_property
    def _server(self) -> Any:
        return serve(self.world)

    def serving(self) -> Iterable[AbstractContextManager[Any]]:
        """Give the ledger's server."""
        return [self._server]

    def closing(self) -> AbstractContextManager[Any]:
        """Close a ledger every few tenths of a second."""
        return Closer(self.world, self.turn_seconds)

    def settings(self) -> tuple[str, str]:
        """Give the ledger's url."""
        return self._server.url, ""

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, value, trace)
        if kind is None:
            save_world(self.world, self.folder / "ledger.json")


class XrplJourney(OnXrpl, OneCrossing):
    """One payment, validated."""

    wallets: ClassVar = {"cold": Cast("cold", box="signer-cold"), "hot": Cast("hot", box="signer-hot")}
    orders = "alice drafts: 80 000 XRP from cold to hot; bob approves"

    def fund(self) -> None:
        """Fund both wallets from the genesis account."""
        self.world.fund_all({self.addresses(name)[0]: _xrp(funds).units for name, funds in _FUNDS.items()})
        for name, funds in _FUNDS.items():
            self.diary.tell(f"{name} {self.addresses(name)[0]} holds {_xrp(funds)}")

    def policy(self) -> str:
        """Let the cold wallet pay the hot one."""
        places = {name: self.addresses(name)[0] for name in self.wallets}
        return POLICY.format(**self.lines, **places)

    def drafts(self) -> Mapping[str, Callable[[Asking], Order]]:
        """Give the one order."""
        return {
            "rebalance": lambda asking: draft_rebalance(
                self.store, asking, from_wallet="cold", to_wallet="hot", amount=_xrp(AMOUNT)
            )
        }

    def settled(self, done: Mapping[str, Job]) -> None:
        """See that the hot wallet holds what was sent, in the books too."""
        balances = {one.account: one for one in books.balance_sheet(self.store)}
        if balances["wallet:hot"].posted != _xrp(_FUNDS["hot"]).units + _xrp(AMOUNT).units:
            raise DemoFailed("the hot wallet did not get what was sent")


def _xrp(amount: str) -> Amount:
    return parse_amount(amount, chains.chain(NETWORK).network(NETWORK).native)
