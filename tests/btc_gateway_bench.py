"""A served devnet Bitcoin with Counterparty on it, keys made by hand, and a gateway; holds no test itself."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from fcntl import LOCK_EX, flock
from hashlib import sha256
from pathlib import Path
from tempfile import gettempdir
from typing import Any

from coincurve import PrivateKey

from online.chains.api import Built, Final, Outcome, Plan, Verdict, Watched
from online.chains.bitcoin.gateway import BitcoinGateway, connect
from online.devnet.bitcoin import BitcoinWorld, Outpoint, RunningServer, serve_bitcoin
from online.devnet.counterparty import CounterpartyWorld, serve_counterparty
from shared.chains.api import Payload, Signed
from shared.chains.bitcoin import BITCOIN
from shared.chains.bitcoin.addresses import address
from shared.chains.bitcoin.networks import key_path
from shared.effects import Claim, Destination, Effects, Payment
from shared.money import Amount, Asset

NETWORK = "bitcoin:regtest"
BTC = BITCOIN.network(NETWORK).native
XCP = Asset(NETWORK, "XCP", 8)
CARD = Asset(NETWORK, "BOOKCARD", 0)
RATE = 5_000
_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


class Key:
    """A test key with its address; it signs what the chain's payloads ask for."""

    def __init__(self, number: int, form: str = "p2wpkh") -> None:
        self.secret = number
        self.public = _private(number).public_key.format()
        self.address = address(self.public, "secp256k1", NETWORK, form)
        self.path = key_path(NETWORK, "secp256k1", 0, number, form)

    def sign_payload(self, payload: Payload) -> bytes:
        if payload.algorithm == "ecdsa-secp256k1":
            return _private(self.secret).sign_recoverable(payload.message, hasher=None)[:64]
        secret = self.secret if payload.algorithm == "schnorr-bip340" else self._tweaked()
        return _private(secret).sign_schnorr(payload.message)

    def _tweaked(self) -> int:
        even = self.secret if self.public[0] == 2 else _ORDER - self.secret
        tag = sha256(b"TapTweak").digest()
        return (even + int.from_bytes(sha256(tag + tag + self.public[1:]).digest(), "big")) % _ORDER


def _private(number: int) -> PrivateKey:
    return PrivateKey(number.to_bytes(32, "big"))


HOT, SECOND, EMPTY, ROOT = Key(7), Key(11), Key(17), Key(13, "p2tr")
KEYS = {key.path: key for key in (HOT, SECOND, EMPTY, ROOT)}


def friend(number: int) -> str:
    """Give the address of somebody else."""
    return Key(1_000 + number).address


def pays(to: str, units: int, asset: Asset = BTC, memo: str | None = None, source: str = HOT.address) -> Payment:
    return Payment(source, Destination(to, memo=memo), Amount(asset, units))


def plan(*payments: Payment, kind: str = "payment", key: Key = HOT, **params: int | str) -> Plan:
    given = {"fee_rate": RATE, **params}
    return Plan(kind, NETWORK, key.address, key.path, key.public, payments, given)


@dataclass
class Bench:
    """One world, its servers and a gateway on them."""

    bitcoin: BitcoinWorld
    counterparty: CounterpartyWorld
    servers: Sequence[RunningServer]
    gateway: BitcoinGateway
    closing: ExitStack

    def connect(self, **settings: Any) -> BitcoinGateway:
        """Connect another gateway to the same bitcoind."""
        gateway = connect(NETWORK, {"url": login(self.servers[0]), **settings})
        self.closing.callback(gateway.close)
        return gateway

    def fund(self, *sats: int, key: Key = HOT) -> list[Outpoint]:
        return self.bitcoin.fund_all([(key.address, each) for each in sats])

    def build(self, wish: Plan, taken: Collection[Claim] = ()) -> Job:
        built = self.gateway.build(wish, taken)
        return Job(self, built, signed(built, register(wish)))

    def run(self, wish: Plan, confirmations: int = 6) -> Job:
        job = self.build(wish)
        verdict = job.submit()
        assert verdict.kind == "accepted", verdict
        self.bitcoin.mine(confirmations)
        return job

    def holds(self, holder: str, asset: Asset) -> int:
        return self.counterparty.books().balance(holder, asset.code)


@dataclass
class Job:
    """A built and signed transaction or pair."""

    bench: Bench
    built: Built
    signed: Signed

    @property
    def effects(self) -> Effects:
        return self.built.effects

    def submit(self) -> Verdict:
        return self.bench.gateway.submit(self.signed.blob)

    def happened(self) -> Final:
        """Give the outcome, which is a success."""
        outcome = self.watch()
        assert isinstance(outcome, Final), outcome
        assert outcome.success, outcome
        return outcome

    def watch(self, gateway: BitcoinGateway | None = None, *, answered: bool = True) -> Outcome:
        blob, tx_id = (self.signed.blob, self.signed.tx_id) if answered else (self.built.unsigned, "")
        return (gateway or self.bench.gateway).look().watch(Watched(tx_id, blob, self.effects, 1))


def register(wish: Plan) -> dict[str, int]:
    return {payment.amount.asset.code: payment.amount.asset.decimals for payment in wish.payments}


def signed(built: Built, decimals: dict[str, int]) -> Signed:
    """Sign as a signer would: the bytes are decoded, and mean what the gateway said."""
    tx = BITCOIN.decode(built.unsigned, built.context, built.keys, NETWORK)
    assert BITCOIN.effects(tx, decimals) == built.effects
    payloads = BITCOIN.payloads(tx)
    assert tuple(payload.path for payload in payloads) == built.keys
    return BITCOIN.assemble(tx, [KEYS[payload.path].sign_payload(payload) for payload in payloads])


@contextmanager
def a_bench(*, counterparty: bool = True, **settings: Any) -> Iterator[Bench]:
    """Serve a world with some assets, and connect a gateway to it."""
    bitcoin = BitcoinWorld()
    world = CounterpartyWorld(bitcoin)
    for asset in (XCP, CARD):
        if asset is CARD:
            world.issue(asset.code, divisible=False)
        for key in (HOT, ROOT):
            world.credit(key.address, asset.code, 10**12)
    with serve_bitcoin(bitcoin) as node, serve_counterparty(world) as api, ExitStack() as closing:
        given = {"url": login(node), **settings}
        if counterparty:
            given["counterparty_url"] = api.url
        gateway = connect(NETWORK, given)
        closing.callback(gateway.close)
        yield Bench(bitcoin, world, (node, api), gateway, closing)


@contextmanager
def alone_with(url: str) -> Iterator[None]:
    """Keep a real node to one test at a time, whichever process runs it: each of them mines."""
    name = sha256(url.encode()).hexdigest()[:16]
    with open(Path(gettempdir()) / f"lockgate-node-{name}.lock", "w") as held:
        flock(held, LOCK_EX)
        yield


def login(server: RunningServer) -> str:
    """Give a server's url with its name and password."""
    return server.url.replace("http://", f"http://{server.user}:{server.password}@")


def replacing(wish: Plan, earlier: Job, **params: int | str) -> Plan:
    """Give a plan for the same transfers again, on the claims of an earlier transaction."""
    return replacing_claims(wish, earlier.effects.claims, **params)


def replacing_claims(wish: Plan, claims: tuple[Claim, ...], **params: int | str) -> Plan:
    """Give a plan for the same transfers again, on some claims."""
    return replace(wish, params={**wish.params, **params}, again=claims)
