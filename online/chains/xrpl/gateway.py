"""The XRPL behind `online.chains.api.Gateway`: one node is asked, a second must agree on deaths."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial
from typing import Any

from online.chains import api
from online.chains.agreed import agreed
from online.chains.xrpl import arrivals, broadcast, build, check, claims, history, movements, watch
from online.chains.xrpl.answers import REQUIRE_DEST
from online.chains.xrpl.node import Node
from online.chains.xrpl.settings import Settings, read_settings
from online.chains.xrpl.view import View
from shared.chains.xrpl.networks import network as network_of
from shared.effects import Claim
from shared.errors import WrongNetwork
from shared.money import Amount, Asset


class XrplGateway:
    """A connection to the nodes of one XRPL network. Nothing is asked before the first call."""

    def __init__(self, network: str, settings: Settings) -> None:
        self.network = network
        self._asset = network_of(network).native
        self._settings = settings
        urls = [url for url in (settings.url, settings.second_url) if url is not None]
        self._nodes = [Node(url, settings.timeout_seconds) for url in urls]

    def check(self) -> api.NodeReport:
        """Check the nodes. Raises NodeUnfit, NodeUnreachable."""
        return check.check(self._nodes, self.network, self._settings)

    def height(self) -> int:
        """Give the newest validated ledger's index. Raises NodeUnreachable."""
        return self._nodes[0].status().height

    def account(self, address: str) -> api.AccountState:
        """Give what the newest validated ledger says of an address. Raises NodeUnreachable."""
        status = self._nodes[0].status()
        account = self._nodes[0].account(address, status.height)
        if account is None:
            nothing = Amount(self._asset, 0)
            return api.AccountState(address, False, status.height, nothing, nothing)
        reserved = Amount(self._asset, status.reserve_drops(account.owned))
        balance = Amount(self._asset, account.balance_drops)
        return api.AccountState(address, True, status.height, balance, reserved)

    def build(self, plan: api.Plan, taken: Collection[Claim]) -> api.Built:
        """Build a plan's transaction; see `build.build` for kinds, parameters and refusals."""
        if plan.network != self.network:
            raise WrongNetwork(f"a plan for {plan.network} at a gateway of {self.network}")
        return build.build(self._nodes[0], self._settings, plan, taken)

    def fee_now(self) -> Amount:
        """Give the fee that enters the open ledger now. Raises NodeUnreachable."""
        return Amount(self._asset, self._nodes[0].fee_drops())

    def demands(self, address: str) -> bool:
        """Say whether an account takes payments with a tag alone. Raises NodeUnreachable."""
        account = self._nodes[0].account(address)
        return account is not None and account.has(REQUIRE_DEST)

    def free_tickets(self, address: str, taken: Collection[Claim]) -> int:
        """Count an account's tickets that no claim holds. Raises NodeUnreachable."""
        node = self._nodes[0]
        account = node.account(address)
        if account is None or not account.ticket_count:
            return 0
        held = node.tickets(address, account.height)
        return len(claims.free_tickets(claims.scope(self.network, address), held, taken))

    def submit(self, blob: bytes) -> api.Verdict:
        """Hand the bytes to every node; a node that does not answer is a "later"."""
        return broadcast.submit(self._nodes, blob)

    def look(self) -> api.Look:
        """Begin to ask what the validated ledgers have decided. Raises NodeUnreachable."""
        return api.Look(self.network, self.height(), lambda: partial(watch.watch, [View(one) for one in self._nodes]))

    def movements(self, addresses: Collection[str], assets: Collection[Asset], since: int) -> api.Movements:
        """Give every change of some accounts' XRP above a ledger. Raises HistoryMissing, NodeUnreachable."""
        return movements.movements(self._nodes[0], self._asset, addresses, since)

    def block(self, height: int) -> str:
        """Give the hash of a validated ledger. Raises HistoryMissing, NodeUnreachable."""
        return history.block(self._nodes[0], height)

    def arrivals(
        self, addresses: Collection[str], assets: Collection[Asset], cursor: str, since: int | None = None
    ) -> api.Arrivals:
        """Give the XRP that arrived at some accounts since a cursor, or a height where it is empty.

        Raises:
            HistoryMissing, NodeUnreachable: of the nodes. NodesDisagree: on what is above the second node's sum.
        """
        tell = [partial(arrivals.arrivals, node, self._asset, addresses, cursor, since) for node in self._nodes]
        return agreed(tell[0](), [self._asset], self._settings.second_above, tell[-1])

    def close(self) -> None:
        """Close the connections; a later call opens them again."""
        for node in self._nodes:
            node.close()


def connect(network: str, settings: Mapping[str, Any]) -> XrplGateway:
    """Make the gateway of a network. Raises BadGatewaySettings, UnknownChain."""
    return XrplGateway(network, read_settings(settings))
