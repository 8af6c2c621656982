"""A coordinator and a real signer over the devnet's NEAR, whose blocks come when a test makes them; it is no test."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from online.chains.near.gateway import NearGateway, connect
from online.devnet.near import NearWorld, serve_near
from online.ledger.books import open_wallet
from online.orders.drafting import draft_lanes
from online.store.assets import add_asset
from online.store.database import Station, open_store
from online.store.wallets import keys
from shared.money import Amount
from tests.both_machines import NOW, PEOPLE, BothMachines
from tests.near_gateway_bench import ASSET, NETWORK, TOKEN, UNIT, Clock
from tests.signing_world import Somebody
from tests.store_place import store_url

VALIDITY = 20_000
WALLETS = {"cold": 5, "hot": 1, "deposits": 5}
OWN = {"cold": 1_000}

POLICY = """
epoch = {epoch}
network_class = "test"
clock_jump_seconds = 604800
approvers = ["{carol}"]
stations = ["{station}"]
[administrators]
quorum = 1
people = ["{ann}"]
[[asset]]
network = "near:localnet"
code = "usdt.tokens"
decimals = 6
"""

WALLET = """
[[wallet]]
name = "{name}"
network = "near:localnet"
tier = "cold"
places = {places}
[[rule]]
wallet = "{name}"
kinds = ["payment", "nep141-transfer", "near-lanes", "near-rotate"]
to_wallets = {wallets}
fee_most = "1"
transactions_without_payment = 20
expiry_most = 90000
approvals = 1
"""

LIMITS = """
[rule.{kind}."{code}"]
transfer = "{most}"
request = "{most}"
day = "{most}"
epoch = "{most}"
"""


@dataclass
class NearHouse(BothMachines):
    """Both machines with a NEAR between them."""

    gateway: NearGateway
    world: NearWorld = field(default_factory=NearWorld)
    wallets: Mapping[str, int] = field(default_factory=lambda: WALLETS)
    most: int = 100_000
    epoch: int = 0

    def new_policy(self) -> None:
        """Put the next epoch's policy in force, the same but for its number."""
        self.epoch += 1
        text = POLICY.replace("{epoch}", str(self.epoch))
        for wallet in self.wallets:
            places = [key.address for key in keys(self.store, wallet)]
            text += WALLET.format(name=wallet, places=listed(places), wallets=listed(self.wallets))
            for kind in ("limits", "any_limits"):
                for code in ("NEAR", TOKEN.code):
                    text += LIMITS.format(kind=kind, code=code, most=self.most)
        self.install(text)

    def settle(self, turns: int = 30) -> None:
        """Submit what is signed, let blocks come, and watch, until nothing is on its way or the turns are over."""
        for _ in range(turns):
            if not self.tick().pending and "answered" not in self.states():
                return
            self.world.advance(2)

    def lanes(self, count: int = 4) -> None:
        """Give the cold wallet's first address so many keys; the signer then wants a new policy."""
        self.approved(draft_lanes(self.store, self.asking(), wallet="cold", count=count))
        self.cross(people=("carol", "ann"))
        self.settle()
        self.new_policy()


@contextmanager
def a_near_house(
    folder: Path,
    *,
    validity: int = VALIDITY,
    wallets: Mapping[str, int] = WALLETS,
    own: Mapping[str, int] = OWN,
    tokens: int = 10**12,
    most: int = 100_000,
    **settings: int | str,
) -> Iterator[NearHouse]:
    """Set both machines up over a served world; wallets have NEAR of the house's own, the cold one tokens as well.

    The books are open. `most` is what the policy lets each wallet move, in whole coins of each asset.
    """
    people = {name: Somebody(name) for name in PEOPLE}
    world = NearWorld(validity=validity, clock=Clock())
    pen = people["station"]
    with ExitStack() as closing:
        node = closing.enter_context(serve_near(world))
        given = {"url": node.url, "archive_url": node.url, "timeout_seconds": 3, "oldest_seconds": 3600}
        gateway = connect(NETWORK, {**given, "crossing_seconds": 1, **settings})
        closing.callback(gateway.close)
        store = open_store(store_url(folder), Station(pen.public, pen.sign))
        closing.callback(store.close)
        house = NearHouse(folder, NETWORK, store, gateway, people, world=world, wallets=wallets, most=most)
        house.meet(wallets)
        add_asset(store, NETWORK, TOKEN.code, TOKEN.decimals, NOW)
        house.new_policy()
        world.fund_all({house.address(wallet): coins * UNIT for wallet, coins in own.items()})
        world.deploy_token(TOKEN.code, TOKEN.decimals, house.address("cold"), tokens)
        for wallet in wallets:
            open_wallet(store, wallet, gateway, NOW)
        yield house


def listed(words: Iterable[str]) -> str:
    return str(list(words)).replace("'", '"')


def near(coins: int) -> Amount:
    return Amount(ASSET, coins * UNIT)


def usdt(cents: int) -> Amount:
    return Amount(TOKEN, cents * 10**4)
