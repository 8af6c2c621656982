"""A coordinator and a real signer over the devnet's XRP Ledger, whose ledgers a test closes; it is no test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from online.chains.xrpl.gateway import XrplGateway, connect
from online.devnet.server import serve
from online.devnet.xrpl import XrplWorld
from online.ledger.books import open_wallet
from online.store.database import Station, open_store
from shared.chains.xrpl import XRPL
from shared.money import Amount
from tests.both_machines import NOW, PEOPLE, BothMachines
from tests.signing_world import Somebody
from tests.store_place import store_url

NETWORK = "xrpl:local"
XRP = XRPL.network(NETWORK).native
WALLETS = ("cold", "warm", "hot")

POLICY = """
epoch = 1
network_class = "test"
clock_jump_seconds = 604800
approvers = ["{carol}"]
stations = ["{station}"]
[administrators]
quorum = 1
people = ["{ann}"]
"""
WALLET = """
[[wallet]]
name = "%(name)s"
network = "xrpl:local"
tier = "cold"
places = ["%(place)s"]
[[rule]]
wallet = "%(name)s"
kinds = ["payment"]
to_wallets = ["cold", "warm", "hot"]
fee_most = "0.01"
transactions_without_payment = 0
expiry_most = 1000
approvals = 1
limits.XRP = { transfer = "1000000", request = "1000000", day = "1000000", epoch = "1000000" }
any_limits.XRP = { transfer = "1000000", request = "1000000", day = "1000000", epoch = "1000000" }
"""


@dataclass
class XrplHouse(BothMachines):
    """Both machines with an XRP Ledger between them."""

    gateway: XrplGateway
    world: XrplWorld = field(default_factory=XrplWorld)

    def settle(self, turns: int = 6) -> None:
        for _ in range(turns):
            self.tick()
            self.world.close()
        self.tick()

    def coins(self, wallet: str) -> int:
        """Give what a wallet holds in the books, in drops."""
        from online.ledger.books import balance_sheet

        return sum(one.posted for one in balance_sheet(self.store) if one.account == f"wallet:{wallet}")

    def owed(self, customer: str) -> int:
        from online.ledger.books import balance_sheet

        return -sum(one.posted for one in balance_sheet(self.store) if one.account == f"customer:{customer}") // 10**6


@contextmanager
def an_xrpl_house(folder: Path, own: int = 20) -> Iterator[XrplHouse]:
    """Set both machines up over a served world; each wallet has a little of the house's own, and the books are open."""
    people = {name: Somebody(name) for name in PEOPLE}
    world, pen = XrplWorld(), people["station"]
    with ExitStack() as closing:
        node = closing.enter_context(serve(world))
        gateway = connect(NETWORK, {"url": node.url})
        closing.callback(gateway.close)
        store = open_store(store_url(folder), Station(pen.public, pen.sign))
        closing.callback(store.close)
        house = XrplHouse(folder, NETWORK, store, gateway, people, world=world)
        house.meet(dict.fromkeys(WALLETS, 1))
        policy = "".join(WALLET % {"name": name, "place": house.address(name)} for name in WALLETS)
        house.install(POLICY + policy)
        world.fund_all({house.address(name): own * 10**6 for name in WALLETS})
        for name in WALLETS:
            open_wallet(store, name, gateway, NOW)
        yield house


def xrp(coins: int) -> Amount:
    return Amount(XRP, coins * 10**6)
