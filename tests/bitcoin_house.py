"""A coordinator and a real signer over the devnet's Bitcoin and Counterparty, for tests of orders; it is no test.

The signer is the real one with its vault, journal, policy and laws; the coordinator is the real one with its store and
gateway. Only passphrases are short, and blocks come when a test mines them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from offline_signer import ceremony, setup
from offline_signer.box import opened
from online.chains.api import Pending, Watched
from online.chains.bitcoin.gateway import BitcoinGateway, connect
from online.devnet.bitcoin import BitcoinWorld, serve_bitcoin
from online.devnet.counterparty import CounterpartyWorld, serve_counterparty
from online.jobs.answers import Answered, import_answer
from online.jobs.build import build_approved
from online.jobs.export import Exported, export_request
from online.jobs.loop import Report, tick
from online.jobs.model import Job, jobs
from online.ledger.books import check, open_wallet, prove_balances
from online.orders.approval import approve
from online.orders.model import Order
from online.orders.writing import Asking
from online.store.assets import add_asset
from online.store.database import Station, Store, open_store
from online.store.people import add_person
from online.store.signers import pair_signer
from online.store.wallets import import_card, keys
from shared.chains.bitcoin import BITCOIN
from shared.envelope import Approval, Declined, seal_approval
from shared.lockbox import LIGHT
from shared.money import Amount, Asset
from shared.policy import Person
from shared.policy_document import seal_policy
from shared.words import words_from_entropy
from tests.btc_gateway_bench import login
from tests.signing_world import Somebody
from tests.store_place import store_url

NETWORK = "bitcoin:regtest"
NOW = 1_800_000_000
PASSPHRASE = "correct horse battery"
BTC = BITCOIN.network(NETWORK).native
XCP = Asset(NETWORK, "XCP", 8)
CARD = Asset(NETWORK, "BOOKCARD", 0)
CONFIRMATIONS = 2
COIN = 10**8
ACCOUNTS = {"cold": 0, "deposits": 1, "holding": 2}

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
to_wallets = ["cold", "deposits", "holding"]
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
class House:
    """Both machines with the ledgers between them."""

    folder: Path
    bitcoin: BitcoinWorld
    counterparty: CounterpartyWorld
    store: Store
    gateway: BitcoinGateway
    people: Mapping[str, Somebody]
    signer: bytes = b""
    now: int = NOW
    asked: int = field(default=0)

    # --- orders -----------------------------------------------------------------------------------

    def asking(self, key: str = "") -> Asking:
        """Give a question of alice's, under a new key unless one is named."""
        self.asked += 1
        alice = self.people["alice"]
        return Asking(key or f"order {self.asked}", Person("alice", alice.public), alice.sign, self.now)

    def approved(self, order: Order) -> Order:
        bob = self.people["bob"]
        return approve(self.store, order.id, person=Person("bob", bob.public), sign=bob.sign, now=self.now)

    def address(self, wallet: str, index: int = 0) -> str:
        return keys(self.store, wallet)[index].address

    # --- the crossing -----------------------------------------------------------------------------

    def build(self) -> tuple[Job, ...]:
        return build_approved(self.store, {NETWORK: self.gateway}, self.now)

    def export(self) -> Exported:
        self.build()
        return export_request(self.store, self.signer, self.now)

    def sign(
        self, sealed: bytes, declined: Sequence[Declined] = (), people: Sequence[str] = ("carol",)
    ) -> bytes:
        """Take a request through the whole signer, carol or others approving."""
        with opened(self.folder / "signer", PASSPHRASE, lambda: self.now) as box:
            seen = ceremony.examine(sealed, box.history, box.policy(), self.signer, box.now(), declined)
            assert seen.objections == (), seen.lines()
            approval = Approval(seen.digest, seen.declined, box.seen())
            pens = [self.people[name] for name in people]
            return ceremony.sign(box, seen, [seal_approval(approval, pen.public, pen.sign) for pen in pens])

    def cross(self, declined: Sequence[Declined] = ()) -> Answered:
        """Build, export, sign and import: one crossing."""
        return import_answer(self.store, self.sign(self.export().blob, declined), self.now)

    # --- the ledger -------------------------------------------------------------------------------

    def tick(self) -> Report:
        report = tick(self.store, {NETWORK: self.gateway}, self.now)
        assert report.troubles == (), report.troubles
        return report

    def settle(self, blocks: int = CONFIRMATIONS) -> Report:
        """Submit what is signed, mine, and watch."""
        self.tick()
        self.bitcoin.mine(blocks)
        return self.tick()

    def fate(self, job: Job) -> str:
        """Give what the gateway says of a job that is not decided."""
        assert job.effects is not None
        outcome = self.gateway.watch(Watched(job.tx_id or "", job.blob or b"", job.effects, 1))
        assert isinstance(outcome, Pending), outcome
        return outcome.text

    def fund(self, *sats: int, wallet: str = "cold", index: int = 0) -> None:
        self.bitcoin.fund_all([(self.address(wallet, index), each) for each in sats])

    def open_books(self) -> None:
        for wallet in ACCOUNTS:
            open_wallet(self.store, wallet, self.gateway, self.now)

    def held(self, address: str, asset: Asset = XCP) -> int:
        return self.counterparty.books().balance(address, asset.code)

    def states(self) -> list[str]:
        return [job.state.value for job in jobs(self.store)]

    def require_books(self) -> None:
        """Assert that the books add up and agree with both ledgers."""
        assert prove_balances(self.store) == ()
        found = check(self.store, {NETWORK: self.gateway})
        assert [(one.wallet, one.asset.code, one.difference) for one in found if one.difference] == []
        assert [one.pending for one in found if one.pending] == []


    def require_difference(self, units: int, wallet: str = "cold") -> None:
        """Assert that the books lack what came to a wallet from outside since they were opened, and nothing else."""
        assert prove_balances(self.store) == ()
        found = check(self.store, {NETWORK: self.gateway})
        assert [(one.wallet, one.asset.code, one.difference) for one in found if one.difference] == [
            (wallet, "BTC", units)
        ]


@contextmanager
def a_house(folder: Path, *, form: str = "", deposits: int = 6, **settings: int | str) -> Iterator[House]:
    """Set both machines up over a served devnet; the cold wallet has coins and assets, and the books are open."""
    people = {name: Somebody(name) for name in ("ann", "carol", "alice", "bob", "station")}
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
        house = House(folder, bitcoin, counterparty, store, gateway, people)
        _furnish(house, form, {"cold": 2, "deposits": deposits, "holding": 1})
        yield house


def _furnish(house: House, form: str, counts: Mapping[str, int]) -> None:
    for name in ("alice", "bob"):
        add_person(house.store, name, house.people[name].public, NOW)
    for asset in (XCP, CARD):
        add_asset(house.store, NETWORK, asset.code, asset.decimals, NOW)
    house.signer = setup.make(
        house.folder / "signer", words_from_entropy(os.urandom(32)), PASSPHRASE, network_class="test",
        administrators=[Person("ann", house.people["ann"].public)], quorum=1, kdf=LIGHT, clock=lambda: NOW,
    )  # fmt: skip
    pair_signer(house.store, house.signer, "box", NOW)
    with opened(house.folder / "signer", PASSPHRASE, lambda: NOW) as box:
        for wallet, account in ACCOUNTS.items():
            sealed = setup.issue_card(
                box, wallet, network=NETWORK, tier="cold", curve="secp256k1", account=account,
                count=counts[wallet], form=form,
            )  # fmt: skip
            import_card(house.store, sealed, NOW, addresses=counts[wallet])
        ann = house.people["ann"]
        setup.install_policy(box, seal_policy(_policy(house), ann.public, ann.sign))
    house.fund(*[COIN] * 4)
    for asset in (XCP, CARD):
        house.counterparty.credit(house.address("cold"), asset.code, 1_000 * 10**asset.decimals)
    house.open_books()


def _policy(house: House) -> str:
    text = POLICY.format(**{name: one.line for name, one in house.people.items()})
    for wallet in ACCOUNTS:
        places = [f"{key.address} tag any" for key in keys(house.store, wallet)]
        text += WALLET.format(name=wallet, places=str(places).replace("'", '"'))
        for kind in ("limits", "any_limits"):
            text += "".join(LIMITS.format(kind=kind, code=code, most="100000") for code in ("BTC", "XCP", "BOOKCARD"))
    return text


def friend(number: int) -> str:
    """Give the address of somebody else."""
    from tests.btc_gateway_bench import friend as one

    return one(number)


def amount(units: int, asset: Asset = BTC) -> Amount:
    return Amount(asset, units)
