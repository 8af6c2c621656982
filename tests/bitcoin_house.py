"""A coordinator and a real signer over the devnet's Bitcoin and Counterparty, for tests of orders; it is no test.

The signer is the real one with its vault, journal, policy and laws; the coordinator is the real one with its store and
gateway. Only passphrases are short, and blocks come when a test mines them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from online.chains.api import Pending, Watched
from online.chains.bitcoin.gateway import BitcoinGateway, connect
from online.devnet.bitcoin import BitcoinWorld, serve_bitcoin
from online.devnet.counterparty import CounterpartyWorld, serve_counterparty
from online.jobs.loop import Report
from online.jobs.model import Job
from online.ledger.books import check, open_wallet, prove_balances
from online.store.assets import add_asset
from online.store.database import Station, open_store
from online.store.wallets import keys
from shared.chains.bitcoin import BITCOIN
from shared.money import Amount, Asset
from tests.both_machines import NOW, PASSPHRASE, PEOPLE, BothMachines
from tests.btc_gateway_bench import login
from tests.signing_world import Somebody
from tests.store_place import store_url

__all__ = ["NOW", "PASSPHRASE"]

NETWORK = "bitcoin:regtest"
BTC = BITCOIN.network(NETWORK).native
XCP = Asset(NETWORK, "XCP", 8)
CARD = Asset(NETWORK, "BOOKCARD", 0)
CONFIRMATIONS = 2
COIN = 10**8
WALLETS = {"cold": 2, "deposits": 6, "holding": 1}

POLICY = """
epoch = 1
network_class = "test"
clock_jump_seconds = 604800
approvers = ["{carol}"]
stations = ["{station}"]
[administrators]
quorum = 1
people = ["{ann}"]
[[asset]]
network = "bitcoin:regtest"
code = "XCP"
decimals = 8
[[asset]]
network = "bitcoin:regtest"
code = "BOOKCARD"
decimals = 0
"""

WALLET = """
[[wallet]]
name = "{name}"
network = "bitcoin:regtest"
tier = "cold"
places = {places}
[[rule]]
wallet = "{name}"
kinds = ["payment", "counterparty-send", "counterparty-mpma", "counterparty-options", "counterparty-sweep"]
to_wallets = {wallets}
fee_most = "0.01"
fee_rate_most = 200
transactions_without_payment = 20
accepts = ["moves-attached-assets", "foreign-script-from-asset-address"]
approvals = 1
"""

LIMITS = """
[rule.{kind}.{code}]
transfer = "{most}"
request = "{most}"
day = "{most}"
epoch = "{most}"
"""


@dataclass
class House(BothMachines):
    """Both machines with the ledgers between them."""

    gateway: BitcoinGateway
    bitcoin: BitcoinWorld = field(kw_only=True)
    counterparty: CounterpartyWorld = field(kw_only=True)
    wallets: Mapping[str, int] = field(kw_only=True, default_factory=lambda: WALLETS)
    most: int = field(kw_only=True, default=100_000)

    def settle(self, blocks: int = CONFIRMATIONS) -> Report:
        """Submit what is signed, mine, and watch."""
        self.tick()
        self.bitcoin.mine(blocks)
        return self.tick()

    def fate(self, job: Job) -> str:
        """Give what the gateway says of a job that is not decided."""
        assert job.effects is not None
        outcome = self.gateway.look().watch(Watched(job.tx_id or "", job.blob or b"", job.effects, 1))
        assert isinstance(outcome, Pending), outcome
        return outcome.text

    def fund(self, *sats: int, wallet: str = "cold", index: int = 0) -> None:
        self.bitcoin.fund_all([(self.address(wallet, index), each) for each in sats])

    def open_books(self) -> None:
        for wallet in self.wallets:
            open_wallet(self.store, wallet, self.gateway, self.now)

    def held(self, address: str, asset: Asset = XCP) -> int:
        return self.counterparty.books().balance(address, asset.code)

    def require_difference(self, units: int, wallet: str = "cold") -> None:
        """Assert that the books lack what came to a wallet from outside since they were opened, and nothing else."""
        assert prove_balances(self.store) == ()
        found = check(self.store, {NETWORK: self.gateway})
        assert [(one.wallet, one.asset.code, one.difference) for one in found if one.difference] == [
            (wallet, "BTC", units)
        ]


@contextmanager
def a_house(
    folder: Path,
    *,
    form: str = "",
    opened: bool = True,
    wallets: Mapping[str, int] = WALLETS,
    most: int = 100_000,
    **settings: int | str,
) -> Iterator[House]:
    """Set both machines up over a served devnet; the cold wallet has coins and assets, and the books are opened.

    `wallets` have so many keys each, and `most` is what the policy lets each move, in whole coins of each asset.
    """
    people = {name: Somebody(name) for name in PEOPLE}
    bitcoin = BitcoinWorld()
    counterparty = CounterpartyWorld(bitcoin)
    counterparty.issue(CARD.code, divisible=False)
    pen = people["station"]
    with ExitStack() as closing:
        node = closing.enter_context(serve_bitcoin(bitcoin))
        api = closing.enter_context(serve_counterparty(counterparty))
        given = {"url": login(node), "counterparty_url": api.url, "fallback_rate": 5_000}
        gateway = connect(NETWORK, {**given, "confirmations": CONFIRMATIONS, **settings})
        closing.callback(gateway.close)
        store = open_store(store_url(folder), Station(pen.public, pen.sign))
        closing.callback(store.close)
        house = House(folder, NETWORK, store, gateway, people, bitcoin=bitcoin, counterparty=counterparty,
                      wallets=wallets, most=most)  # fmt: skip
        furnish(house, form)
        if opened:
            house.open_books()
        yield house


def furnish(house: House, form: str) -> None:
    """Let the machines meet, with wallets, a policy, coins and assets."""
    house.meet(house.wallets, form)
    for asset in (XCP, CARD):
        add_asset(house.store, NETWORK, asset.code, asset.decimals, NOW)
    house.install(_policy(house))
    house.fund(*[COIN] * 4)
    for asset in (XCP, CARD):
        house.counterparty.credit(house.address("cold"), asset.code, 1_000 * 10**asset.decimals)


def _policy(house: House) -> str:
    text, wallets = POLICY, str(list(house.wallets)).replace("'", '"')
    for wallet in house.wallets:
        places = str([f"{key.address} tag any" for key in keys(house.store, wallet)]).replace("'", '"')
        text += WALLET.format(name=wallet, places=places, wallets=wallets)
        for kind in ("limits", "any_limits"):
            text += "".join(LIMITS.format(kind=kind, code=code, most=house.most) for code in ("BTC", "XCP", "BOOKCARD"))
    return text


def friend(number: int) -> str:
    """Give the address of somebody else."""
    from tests.btc_gateway_bench import friend as one

    return one(number)


def amount(units: int, asset: Asset = BTC) -> Amount:
    return Amount(asset, units)
