"""Withdrawals on every ledger, paid by one hot signer with nobody there: accepted, gathered, signed, final and booked.

The signer's program runs by itself over its spool, with a wallet on each ledger and a policy that needs nobody. People
gave mandates before, and do nothing after, but that two of them order tickets once.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest

from offline_signer import setup
from online.audit import verify
from online.chains.api import FeeTeller, Gateway, Purser
from online.chains.bitcoin.gateway import connect as connect_bitcoin
from online.chains.near.gateway import connect as connect_near
from online.chains.xrpl.gateway import connect as connect_xrpl
from online.customers.register import register
from online.customers.trades import HOUSE, Leg, trade
from online.devnet.bitcoin import BitcoinWorld, serve_bitcoin
from online.devnet.counterparty import CounterpartyWorld, serve_counterparty
from online.devnet.near import NearWorld, serve_near
from online.devnet.server import serve
from online.devnet.xrpl import XrplWorld
from online.jobs.loop import tick
from online.jobs.model import jobs
from online.jobs.states import State as JobState
from online.ledger.books import balance_sheet, check, open_wallet, prove_balances
from online.ledger.reconcile import reconcile
from online.orders.approval import approve
from online.orders.drafting import draft_tickets
from online.orders.writing import Asking
from online.store.assets import add_asset
from online.store.database import Station, Store, open_store
from online.store.people import add_person
from online.store.signers import pair_signer
from online.store.wallets import import_card, keys
from online.withdrawals.accepting import Wish, accept
from online.withdrawals.mandates import Ceiling, Mandate, approve_mandate, draft_mandate
from online.withdrawals.model import withdrawals
from online.withdrawals.states import State
from shared.chains import chain
from shared.chains.near.keys import key_text
from shared.chains.xrpl.addresses import encode_address
from shared.effects import Destination
from shared.lockbox import LIGHT
from shared.money import Amount, Asset
from shared.policy import Person
from shared.words import words_from_entropy
from tests.bitcoin_house import friend
from tests.btc_gateway_bench import login
from tests.growth import no_whole_reads
from tests.hot_world import PATIENCE_SECONDS, Hot
from tests.near_gateway_bench import Clock
from tests.signing_world import PASSPHRASE, Somebody, World
from tests.store_place import store_url

BOX = "hot-box"
NETWORKS = {"till-x": "xrpl:local", "till-b": "bitcoin:regtest", "till-n": "near:localnet"}
XRP, BTC, NEAR = (chain(network).network(network).native for network in NETWORKS.values())
XCP, USD = Asset("bitcoin:regtest", "XCP", 8), Asset("near:localnet", "usd.tokens", 6)
HELD = {XRP: 1_000, BTC: 40, XCP: 1_000, NEAR: 500, USD: 10_000}
MOST, PAID = 100, 2
LINES = 3
"""So many withdrawals of each asset: what one transaction can pay together is gathered."""
LANES = 4

POLICY = """
epoch = 1
network_class = "test"
clock_jump_seconds = 604800
approvers = ["{carol}"]
stations = ["{station}"]
[administrators]
quorum = 2
people = ["{ann}", "{ben}"]
[[asset]]
network = "bitcoin:regtest"
code = "XCP"
decimals = 8
[[asset]]
network = "near:localnet"
code = "usd.tokens"
decimals = 6
"""

RULE = """
[[wallet]]
name = "{name}"
network = "{network}"
tier = "hot"
places = ["{place}"]
[[rule]]
wallet = "{name}"
kinds = {kinds}
to_wallets = []
{bounds}
automatic = true
approvals = 0
"""

BOUNDS = {
    "till-x": (
        '["payment", "tickets"]',
        'fee_most = "0.01"\nexpiry_most = 1000\ntransactions_without_payment = 1',
    ),
    "till-b": (
        '["payment", "counterparty-send", "counterparty-mpma"]',
        'fee_most = "0.01"\nfee_rate_most = 200\naccepts = ["moves-attached-assets"]\ntransactions_without_payment = 0',
    ),
    "till-n": (
        '["payment", "nep141-transfer"]',
        'fee_most = "1"\nexpiry_most = 90000\ntransactions_without_payment = 0',
    ),
}
LIMIT = '[rule.{kind}."{code}"]\ntransfer = "{most}"\nrequest = "1000"\nday = "1000"\nepoch = "1000"\n'


@dataclass
class Tills:
    """A coordinator over the three devnets, and one hot signer that has a wallet on each."""

    store: Store
    hot: Hot
    gateways: dict[str, Gateway]
    xrpl: XrplWorld
    bitcoin: BitcoinWorld
    near: NearWorld
    people: dict[str, Somebody]

    def turn(self) -> None:
        """Let each ledger go on, and the coordinator do its turn; nothing may stand in the way."""
        self.xrpl.close()
        self.bitcoin.mine(1)
        self.near.advance(2)
        with no_whole_reads(self.store):
            report = tick(self.store, self.gateways, int(time.time()), {BOX: self.hot.spool})
        assert report.troubles == (), report.troubles

    def until_paid(self) -> None:
        deadline = time.monotonic() + 2 * PATIENCE_SECONDS
        while any(one.state is not State.PAID for one in withdrawals(self.store)):
            assert time.monotonic() < deadline, [(one.id, one.state, one.reason) for one in withdrawals(self.store)]
            self.turn()


@pytest.fixture
def tills(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Tills]:
    """Set everything up; the wallet on NEAR has as many lanes as a test asks for, and one where it does not."""
    lanes = getattr(request, "param", 1)
    hot, cards = _signer(tmp_path, lanes)
    xrpl, bitcoin, near = XrplWorld(), BitcoinWorld(), NearWorld(validity=20_000, clock=Clock())
    tokens, pen = CounterpartyWorld(bitcoin), hot.world.station_key
    with ExitStack() as closing:
        store = open_store(store_url(tmp_path), Station(pen.public, pen.sign))
        closing.callback(store.close)
        node_x, node_b = closing.enter_context(serve(xrpl)), closing.enter_context(serve_bitcoin(bitcoin))
        node_n, api = closing.enter_context(serve_near(near)), closing.enter_context(serve_counterparty(tokens))
        btc = {"url": login(node_b), "counterparty_url": api.url, "fallback_rate": 5_000, "confirmations": 2}
        one = {"url": node_n.url, "archive_url": node_n.url, "crossing_seconds": 1, "oldest_seconds": 3600}
        gateways: dict[str, Gateway] = {
            XRP.network: connect_xrpl(XRP.network, {"url": node_x.url}),
            BTC.network: connect_bitcoin(BTC.network, btc),
            NEAR.network: connect_near(NEAR.network, one),
        }
        for gateway in gateways.values():
            closing.callback(gateway.close)  # type: ignore[attr-defined]
        pair_signer(store, hot.world.station, BOX, int(time.time()))
        for card in cards:
            import_card(store, card, int(time.time()))
        near_keys = [key_text(one.public_key) for one in keys(store, "till-n")]
        place = {name: keys(store, name)[0].address for name in NETWORKS}
        xrpl.fund_all({place["till-x"]: HELD[XRP] * 10**6})
        bitcoin.fund_all([(place["till-b"], 10**9)] * (HELD[BTC] // 10))
        tokens.credit(place["till-b"], XCP.code, HELD[XCP] * 10**8)
        near.create(place["till-n"], near_keys, HELD[NEAR] * 10**24)
        near.deploy_token(USD.code, USD.decimals, place["till-n"], HELD[USD] * 10**6)
        people = {name: Somebody(name) for name in ("alice", "bob")}
        found = Tills(store, hot, gateways, xrpl, bitcoin, near, people)
        _people_and_books(found)
        yield found


def test_withdrawals_on_every_ledger_are_paid_with_nobody_there(tills: Tills) -> None:
    with tills.hot.serving("--host-has-network"):
        for asset in HELD:
            for number, address in enumerate(_recipients(asset)):
                wish = f"{asset.code} {number}"
                with no_whole_reads(tills.store):
                    accept(tills.store, Wish(wish, "dave", _till(asset), Destination(address), _coins(asset)), _now())
        tills.until_paid()
        for _ in range(6):
            tills.turn()  # what came back of prepaid gas is in blocks that follow
    for asset in HELD:
        assert [_arrived(tills, asset, address) for address in _recipients(asset)] == [_coins(asset).units] * LINES
    # XRP and NEAR are a transaction each; bitcoins, XCP and tokens are one for all of an asset.
    made = [job.network for job in jobs(tills.store)]
    assert [made.count(network) for network in NETWORKS.values()] == [LINES, 2, LINES + 1]
    assert _owed(tills) == {asset: _coins(asset, held // 2 - LINES * PAID).units for asset, held in HELD.items()}
    assert prove_balances(tills.store) == ()
    assert [one for one in check(tills.store, tills.gateways) if one.difference or one.pending] == []
    assert reconcile(tills.store, tills.gateways).findings == ()
    assert verify(tills.store).ok
    assert [list((tills.hot.spool / name).iterdir()) for name in ("in", "out", "refused")] == [[], [], []]


@pytest.mark.parametrize("tills", [LANES], indirect=True)
def test_free_tickets_and_lanes_carry_withdrawals_side_by_side(tills: Tills) -> None:
    with tills.hot.serving("--host-has-network"):
        _ordered_tickets(tills, LANES)
        for asset in (XRP, NEAR):
            for number, address in enumerate(_recipients(asset, LANES)):
                wish = Wish(f"{asset.code} {number}", "dave", _till(asset), Destination(address), _coins(asset))
                accept(tills.store, wish, _now())
        tills.until_paid()
    for asset in (XRP, NEAR):
        paid = [one for one in jobs(tills.store, states=(JobState.FINAL,)) if one.network == asset.network]
        paid = [one for one in paid if one.plan.payments]
        used = [claim for one in paid if one.effects is not None for claim in one.effects.claims]
        # Each has a ticket of the account's, or a key, to itself: none waits for another, and one block takes them all.
        assert len({claim.name if asset == XRP else claim.scope for claim in used}) == LANES
        assert asset != XRP or {claim.name.split()[0] for claim in used} == {"ticket"}
        assert len({one.result for one in paid}) == 1, [one.result for one in paid]
        assert [_arrived(tills, asset, place) for place in _recipients(asset, LANES)] == [_coins(asset).units] * LANES


def test_each_ledger_tells_what_a_payment_costs_now(tills: Tills) -> None:
    tellers = [gateway for gateway in tills.gateways.values() if isinstance(gateway, FeeTeller)]
    # XRPL's base fee in drops; 141 vB at the settings' 5 sat/vB; 0.46 Tgas at the world's price of gas.
    gas = tills.near.chain.final.gas_price
    assert [str(one.fee_now()) for one in tellers] == [
        "0.00001 XRP", "0.00000705 BTC", str(Amount(NEAR, 460 * 10**9 * gas)),
    ]  # fmt: skip
    tills.xrpl.crowd(5_000)
    assert str(tellers[0].fee_now()) == "0.005 XRP"


# --- how it is set up, and how it is seen -------------------------------------------------------------


def _ordered_tickets(tills: Tills, count: int) -> None:
    """Let two people order tickets, and the hot signer make them."""
    alice, bob = tills.people.values()
    asking = Asking("tickets", Person("alice", alice.public), alice.sign, _now())
    order = draft_tickets(tills.store, asking, wallet="till-x", count=count)
    approve(tills.store, order.id, person=Person("bob", bob.public), sign=bob.sign, now=_now())
    deadline = time.monotonic() + PATIENCE_SECONDS
    while jobs(tills.store)[0].state is not JobState.FINAL:
        assert time.monotonic() < deadline, jobs(tills.store)[0].state
        tills.turn()


def _signer(folder: Path, lanes: int) -> tuple[Hot, list[bytes]]:
    people = {name: Somebody(name) for name in ("ann", "ben", "carol", "station")}
    world = World(folder / "signer", now=_now(), people=people)
    administrators = [Person(name, people[name].public) for name in ("ann", "ben")]
    world.station = setup.make(world.folder, words_from_entropy(os.urandom(32)), PASSPHRASE, network_class="test",
                               administrators=administrators, quorum=2, kdf=LIGHT, clock=world.clock)
    with world.box() as box:
        cards = [
            setup.issue_card(
                box, name, network=network, tier="hot", account=0, count=lanes if network == NEAR.network else 1
            )
            for name, network in NETWORKS.items()
        ]
        places = {name: box.history.wallets[name].addresses[0] for name in NETWORKS}
    text = POLICY
    for name, network in NETWORKS.items():
        kinds, bounds = BOUNDS[name]
        text += RULE.format(name=name, network=network, place=places[name], kinds=kinds, bounds=bounds)
        for kind in ("limits", "any_limits"):
            for asset in HELD:
                if asset.network == network:
                    text += LIMIT.format(kind=kind, code=asset.code, most=MOST)
    for name, one in people.items():
        text = text.replace("{" + name + "}", one.line)
    world.install(text)
    spool = folder / "spool"
    for path in (spool, *(spool / name for name in ("in", "out", "refused"))):
        path.mkdir(mode=0o750)
    return Hot(world, spool, cards[0]), cards


def _people_and_books(tills: Tills) -> None:
    """Let two people give each wallet its mandate, and dave half of what each wallet holds."""
    now, people = _now(), tills.people
    for name, one in people.items():
        add_person(tills.store, name, one.public, now)
    for asset in (XCP, USD):
        add_asset(tills.store, asset.network, asset.code, asset.decimals, now)
    register(tills.store, "dave", now)
    for name, network in NETWORKS.items():
        open_wallet(tills.store, name, tills.gateways[network], now)
        ceilings = {
            asset.code: Ceiling(*(MOST * 10**asset.decimals,) * 4) for asset in HELD if asset.network == network
        }
        mandate = Mandate(name, ceilings, count=LINES, age_seconds=0)
        alice, bob = (Person(each, one.public) for each, one in people.items())
        given = draft_mandate(tills.store, mandate, person=alice, sign=people["alice"].sign, now=now)
        approve_mandate(tills.store, given.id, person=bob, sign=people["bob"].sign, now=now)
    for asset, held in HELD.items():
        trade(tills.store, f"dave's {asset.code}", [Leg(HOUSE, "dave", _coins(asset, held // 2))], now)


def _recipients(asset: Asset, count: int = LINES) -> list[str]:
    """Give addresses of nobody known here."""
    if asset == XRP:
        return [encode_address(b"somebody else's ac%02d" % number) for number in range(count)]
    if asset.network == BTC.network:
        return [friend(len(asset.code) * 10 + number) for number in range(count)]
    return [sha256(f"{asset.code} {number}".encode()).hexdigest() for number in range(count)]


def _arrived(tills: Tills, asset: Asset, address: str) -> int:
    """Give what the ledger says that an address holds."""
    gateway = tills.gateways[asset.network]
    if asset in (XRP, BTC, NEAR):
        return gateway.account(address).balance.units
    assert isinstance(gateway, Purser)
    return gateway.asset_balance(address, asset).units


def _owed(tills: Tills) -> dict[Asset, int]:
    sheet = balance_sheet(tills.store)
    return {one.asset: -one.posted for one in sheet if one.account == "customer:dave"}


def _coins(asset: Asset, coins: int = PAID) -> Amount:
    return Amount(asset, coins * 10**asset.decimals)


def _till(asset: Asset) -> str:
    return next(name for name, network in NETWORKS.items() if network == asset.network)


def _now() -> int:
    return int(time.time())
