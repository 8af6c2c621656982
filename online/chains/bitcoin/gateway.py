"""Bitcoin behind `online.chains.api.Gateway`: one node is asked, a second must agree on deaths.

Balances come from `scantxoutset`, which needs no wallet and no index: it reads all unspent outputs, a minute or more on
the main network, and waiting transactions do not count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from online.chains import api
from online.chains.agreed import agreed
from online.chains.bitcoin import arrivals, broadcast, build, check, fill, movements, purse, watch
from online.chains.bitcoin.coins import Owner, worth
from online.chains.bitcoin.counterparty import CpNode
from online.chains.bitcoin.node import Node
from online.chains.bitcoin.settings import Settings, read_settings
from online.chains.bitcoin.sizes import PAYMENT_VSIZE, fee_sats
from shared.chains.bitcoin.addresses import script_of
from shared.chains.bitcoin.networks import network as network_of
from shared.effects import Claim
from shared.errors import AssetsShort, CounterpartyNodeMissing, HistoryMissing, WrongNetwork
from shared.money import Amount, Asset


class BitcoinGateway:
    """A connection to the nodes of one Bitcoin network. Nothing is asked before the first call."""

    def __init__(self, network: str, settings: Settings) -> None:
        self.network = network
        self._asset = network_of(network).native
        self._nothing = Amount(self._asset, 0)
        self._settings = settings
        seconds = settings.timeout_seconds
        urls = [url for url in (settings.url, settings.second_url) if url is not None]
        # The cookie is the first node's own; a second node's name and password stand in its url.
        cookies = [settings.cookie_file, None]
        self._nodes = [
            Node(url, seconds, settings.scan_timeout_seconds, cookie)
            for url, cookie in zip(urls, cookies, strict=False)
        ]
        places = settings.counterparty_url, settings.second_counterparty_url
        self._cp, self._second_cp = (None if url is None else CpNode(url, seconds) for url in places)

    def check(self) -> api.NodeReport:
        """Check the nodes. Raises NodeUnfit, NodeUnreachable."""
        return check.check(self._nodes, (self._cp, self._second_cp), self.network, self._settings)

    def height(self) -> int:
        """Give the best chain's height. Raises NodeUnreachable."""
        return self._nodes[0].status().height

    def account(self, address: str) -> api.AccountState:
        """Give what the best chain says of an address. Raises NodeUnreachable, BadAddress."""
        return self.accounts([address])[0]

    def accounts(self, addresses: Sequence[str]) -> tuple[api.AccountState, ...]:
        """Give what the best chain says of many addresses, by one scan. Raises NodeUnreachable, BadAddress."""
        scripts = [script_of(address, self.network) for address in addresses]
        scan = self._nodes[0].scan(scripts)
        held: Counter[bytes] = Counter()
        for each in scan.unspent:
            held[each.script] += each.sats
        return tuple(
            api.AccountState(address, script in held, scan.height, Amount(self._asset, held[script]), self._nothing)
            for address, script in zip(addresses, scripts, strict=True)
        )

    def asset_balance(self, address: str, asset: Asset) -> Amount:
        """Give what an address holds of a Counterparty asset, what is attached to its outputs left out.

        Raises:
            CounterpartyNodeMissing: without a Counterparty node. AssetsShort: for an asset with other decimals there.
        """
        if self._cp is None:
            raise CounterpartyNodeMissing("balances of assets need a Counterparty node")
        script_of(address, self.network)
        there = self._cp.decimals(asset.code)
        if there != asset.decimals:
            raise AssetsShort(f"{asset.code} has {there} decimals there, and {asset.decimals} here")
        return Amount(asset, self._cp.balance(address, asset.code))

    def decimals(self, code: str) -> int | None:
        """Give an asset's decimals, None where there is no such asset. Raises CounterpartyNodeMissing."""
        if self._cp is None:
            raise CounterpartyNodeMissing("the decimals of assets need a Counterparty node")
        return self._cp.decimals(code)

    def build(self, plan: api.Plan, taken: Collection[Claim]) -> api.Built:
        """Build a plan's transaction; see `plans` for kinds and parameters, `build.build` for refusals."""
        if plan.network != self.network:
            raise WrongNetwork(f"a plan for {plan.network} at a gateway of {self.network}")
        return build.build(build.Desk(self._nodes[0], self._cp, self._settings), plan, taken)

    def filled(self, plan: api.Plan, taken: Collection[Claim]) -> api.Plan:
        """Give a plan whose one payment takes all that its addresses can pay; see `fill.filled` for refusals."""
        if plan.network != self.network:
            raise WrongNetwork(f"a plan for {plan.network} at a gateway of {self.network}")
        return fill.filled(build.Desk(self._nodes[0], self._cp, self._settings), plan, taken)

    def fee_now(self) -> Amount:
        """Give what a payment with one coin and change costs at the node's rate.

        Raises:
            FeeRateUnknown: where nobody names one. NodeUnreachable: of the node.
        """
        rate = build.market_rate(build.Desk(self._nodes[0], self._cp, self._settings))
        return Amount(self._asset, fee_sats(PAYMENT_VSIZE, rate))

    def demands(self, address: str) -> bool:
        """Say whether an address takes assets with a memo alone. Raises NodeUnreachable."""
        return self._cp is not None and self._cp.needs_memo(address)

    def fee_rate(self) -> int:
        """Give what a transaction would offer now, in sat per 1000 vB. Raises FeeRateUnknown, NodeUnreachable."""
        return build.market_rate(build.Desk(self._nodes[0], self._cp, self._settings))

    def free_coins(self, addresses: Sequence[str], taken: Collection[Claim], rate: int) -> tuple[int, ...]:
        """Count each address's confirmed coins that are free and worth their fee. Raises NodeUnreachable."""
        owners = [Owner(address, script_of(address, self.network), (), b"") for address in addresses]
        found = purse.free_coins(self._nodes[0], self._cp, owners, taken)
        counts = Counter(coin.owner.address for coin in found if worth(coin, rate) > 0)
        return tuple(counts[address] for address in addresses)

    def submit(self, blob: bytes) -> api.Verdict:
        """Hand the bytes to every node; a node that does not answer is a "later"."""
        return broadcast.submit(self._nodes, blob)

    def look(self) -> api.Look:
        """Begin to ask what the chain has decided. Raises NodeUnreachable."""
        return self._look(self._settings)

    def movements(self, addresses: Collection[str], assets: Collection[Asset], since: int) -> api.Movements:
        """Give every change of what some addresses hold above a height; see `movements.movements` for refusals."""
        depth = self._settings.confirmations
        return movements.movements(self._nodes[0], self._cp, self._asset, addresses, assets, since, depth)

    def block(self, height: int) -> str:
        """Give the hash of the best chain's block at a height. Raises HistoryMissing, NodeUnreachable."""
        known = self._nodes[0].block_hash(height)
        if known is None:
            raise HistoryMissing(f"{self._nodes[0].name} has not the block {height}")
        return known

    def arrivals(
        self, addresses: Collection[str], assets: Collection[Asset], cursor: str, since: int | None = None
    ) -> api.Arrivals:
        """Give what arrived at some addresses since a cursor, or a height where it is empty.

        For refusals see `arrivals.arrivals` and `agreed`.
        """

        def tell(node: Node, cp: CpNode | None, assets: Collection[Asset]) -> api.Arrivals:
            post = arrivals.Post(node, cp, self._settings)
            return arrivals.arrivals(post, self._asset, addresses, assets, cursor, since)

        above = self._settings.second_above
        judged = [asset for asset in assets if asset == self._asset or self._second_cp is not None]
        found = tell(self._nodes[0], self._cp, assets)
        return agreed(found, judged, above, lambda: tell(self._nodes[-1], self._second_cp, judged))

    @property
    def collects(self) -> bool:
        """Say whether assets at customers' own addresses count only once they are swept."""
        return self._settings.credit_after_sweep

    def collected(self, watched: api.Watched) -> api.Outcome:
        """Say what the chain has decided, as deep as a sweep must stand. Raises NodeUnreachable."""
        settings = replace(self._settings, confirmations=self._settings.sweep_confirmations)
        return self._look(settings).watch(watched)

    def _look(self, settings: Settings) -> api.Look:
        def begin() -> Callable[[api.Watched], api.Outcome]:
            return partial(watch.watch, [watch.Post(node, self._cp, settings) for node in self._nodes])

        return api.Look(self.network, self.height(), begin)

    def close(self) -> None:
        """Close the connections; a later call opens them again."""
        for node in self._nodes:
            node.close()
        for cp in (self._cp, self._second_cp):
            if cp is not None:
                cp.close()


def connect(network: str, settings: Mapping[str, Any]) -> BitcoinGateway:
    """Make the gateway of a network. Raises BadGatewaySettings, UnknownChain."""
    network_of(network)
    return BitcoinGateway(network, read_settings(network, settings))
