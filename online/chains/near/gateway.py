"""NEAR behind `Gateway` and `Purser`: one node is asked, a second must agree, an archive remembers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any

from online.chains import api
from online.chains.agreed import agreed
from online.chains.near import arrivals, broadcast, build, check, purse, watch
from online.chains.near.node import Node
from online.chains.near.relay import read_relayer
from online.chains.near.settings import Settings, read_settings
from online.chains.near.view import View
from shared.chains.near.fees import PAYMENT_GAS
from shared.chains.near.networks import network as network_of
from shared.effects import Claim
from shared.errors import WrongNetwork
from shared.money import Amount, Asset


class NearGateway:
    """A connection to the nodes of one NEAR network. Nothing is asked before the first call."""

    def __init__(self, network: str, settings: Settings) -> None:
        self.network = network
        self._native = network_of(network).native
        self._settings = settings
        urls = [url for url in (settings.url, settings.second_url) if url is not None]
        self._nodes = [Node(url, settings.timeout_seconds) for url in urls]
        where = settings.archive_url
        file = settings.relayer_file
        self._relayer = None if file is None else read_relayer(file)
        self._archive = None if where is None else Node(where, settings.timeout_seconds)

    def check(self) -> api.NodeReport:
        """Check the nodes. Raises NodeUnfit, NodeUnreachable."""
        return check.check(self._nodes, self._archive, self.network, self._settings)

    def height(self) -> int:
        """Give the final block's height. Raises NodeUnreachable."""
        return self._nodes[0].final_block().height

    def account(self, address: str) -> api.AccountState:
        """Give what the final block says of an account. Raises NodeUnreachable, BadAddress."""
        return self.accounts([address])[0]

    def accounts(self, addresses: Sequence[str]) -> tuple[api.AccountState, ...]:
        """Give what the final block says of many accounts. Raises NodeUnreachable, BadAddress."""
        return purse.states(self._nodes[0], self._native, addresses)

    def asset_balance(self, address: str, asset: Asset) -> Amount:
        """Give what an account holds of a registered token. Raises TokenDiffers, NodeUnreachable, BadAddress."""
        return purse.asset_balance(self._nodes[0], address, asset)

    def filled(self, plan: api.Plan, taken: Collection[Claim]) -> api.Plan:
        """Give a plan whose one payment takes all that its account can pay; see `purse.filled` for refusals."""
        self._require(plan.network)
        return purse.filled(self._nodes[0], self._settings, plan, taken)

    def build(self, plan: api.Plan, taken: Collection[Claim]) -> api.Built:
        """Build a plan's transaction; see `plans` for kinds and parameters, `build.build` for refusals."""
        self._require(plan.network)
        return build.build(self._nodes[0], self._settings, plan, taken)

    def fee_now(self) -> Amount:
        """Give what the gas of one transfer costs in the final block. Raises NodeUnreachable."""
        return Amount(self._native, PAYMENT_GAS * self._nodes[0].final_block().gas_price)

    def submit(self, blob: bytes) -> api.Verdict:
        """Hand the bytes over: "accepted" only where a block has them; no answer is a "later"."""
        return broadcast.submit(self._nodes, blob, self._relayer)

    def look(self) -> api.Look:
        """Begin to ask what the final blocks have decided. Raises NodeUnreachable."""
        return api.Look(self.network, self.height(), self._begin)

    def _begin(self) -> Callable[[api.Watched], api.Outcome]:
        alone = len(self._nodes) == 1 and self._archive is None
        archive = None if self._archive is None else View(self._archive)
        posts = [watch.Post(View(node), archive, self._settings, alone) for node in self._nodes]
        return partial(watch.watch, posts)

    def arrivals(
        self, addresses: Collection[str], assets: Collection[Asset], cursor: str, since: int | None = None
    ) -> api.Arrivals:
        """Give what arrived at some accounts since a cursor, or a height where it is empty.

        Raises:
            HistoryMissing, NodeUnreachable: of the nodes. NodesDisagree: on what is above the second node's sum.
        """

        def tell(node: Node) -> api.Arrivals:
            check.believed(node, self.network, self._settings)
            return arrivals.arrivals(node, self._native, addresses, assets, cursor, since)

        return agreed(tell(self._nodes[0]), assets, self._settings.second_above, lambda: tell(self._nodes[-1]))

    def close(self) -> None:
        """Close the connections; a later call opens them again."""
        for node in (*self._nodes, *([self._archive] if self._archive is not None else [])):
            node.close()

    def _require(self, network: str) -> None:
        if network != self.network:
            raise WrongNetwork(f"something of {network} at a gateway of {self.network}")


def connect(network: str, settings: Mapping[str, Any]) -> NearGateway:
    """Make the gateway of a network. Raises BadGatewaySettings, UnknownChain."""
    network_of(network)
    return NearGateway(network, read_settings(settings))
