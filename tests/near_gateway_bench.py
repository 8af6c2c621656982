"""A served NEAR world, keys made by hand, and a gateway; holds no test itself.

The world's clock goes 600 ms a block, as the real network's does, and ends at the present.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from nacl.signing import SigningKey

from online.chains.api import Built, Final, Outcome, Plan, Verdict, Watched
from online.chains.near.gateway import NearGateway, connect
from online.devnet.bitcoin.http import RunningServer
from online.devnet.near import NearWorld, serve_near
from shared.chains.api import KeyPath, Payload, Signed
from shared.chains.near import NEAR
from shared.chains.near.keys import implicit_account, key_text
from shared.effects import Claim, Destination, Payment
from shared.money import Amount, Asset

NETWORK = "near:localnet"
UNIT = 10**24
ASSET = NEAR.network(NETWORK).native
BLOCK_NS = 600_000_000
TOKEN = Asset(NETWORK, "usdt.tokens", 6)
SHOP = "shop.merchants"


class Clock:
    """Time that goes on by one block's time whenever it is asked, and by hand."""

    def __init__(self) -> None:
        self.now = time.time_ns() - 2_000 * BLOCK_NS

    def __call__(self) -> int:
        self.now += BLOCK_NS
        return self.now


class Key:
    """A test key with its implicit account."""

    def __init__(self, number: int) -> None:
        self._secret = SigningKey(number.to_bytes(32, "big"))
        self.public = bytes(self._secret.verify_key)
        self.account, self.text = implicit_account(self.public), key_text(self.public)
        self.path: KeyPath = (number,)

    def sign_payload(self, payload: Payload) -> bytes:
        assert payload.algorithm == "ed25519"
        return bytes(self._secret.sign(payload.message).signature)


HOT, OTHER, NOBODY = Key(7), Key(8), Key(9)
LANES = tuple(Key(number) for number in range(71, 74))
KEYS = {key.path: key for key in (HOT, OTHER, NOBODY, *LANES)}


def sign(built: Built) -> Signed:
    """Sign as the signer does: what the chain asks for, by the keys of the built transaction's paths."""
    tx = NEAR.decode(built.unsigned, built.context, built.keys, built.effects.network)
    (path,) = built.keys
    return NEAR.assemble(tx, [KEYS[path].sign_payload(payload) for payload in NEAR.payloads(tx)])


@dataclass
class Bench:
    """One world, its server and a gateway on it."""

    world: NearWorld
    server: RunningServer
    gateway: NearGateway
    settings: Mapping[str, Any] = field(default_factory=dict)

    def plan(self, units: int = UNIT, to: str = OTHER.account, **params: int | str) -> Plan:
        payment = Payment(HOT.account, Destination(to), Amount(ASSET, units))
        return Plan("payment", NETWORK, HOT.account, HOT.path, HOT.public, (payment,), params)

    def tokens(self, *lines: tuple[str, int], kind: str = "nep141-transfer", **params: int | str) -> Plan:
        payments = tuple(Payment(HOT.account, Destination(to), Amount(TOKEN, units)) for to, units in lines)
        return Plan(kind, NETWORK, HOT.account, HOT.path, HOT.public, payments, params)

    def bare(self, kind: str, **params: int | str) -> Plan:
        named = {name.replace("_", " ") if name[-1:].isdigit() else name: value for name, value in params.items()}
        return Plan(kind, NETWORK, HOT.account, HOT.path, HOT.public, (), named)

    def build(self, plan: Plan | None = None, taken: Collection[Claim] = ()) -> Job:
        built = self.gateway.build(plan or self.plan(), taken)
        return Job(self, built, sign(built), self.world.final_height)

    def run(self, plan: Plan | None = None) -> Final:
        """Build, sign, submit and settle a plan."""
        job = self.build(plan)
        job.submit()
        self.world.advance(8)
        outcome = job.watch()
        assert isinstance(outcome, Final), outcome
        return outcome

    def deploy_token(self, supply: int = 10**12) -> None:
        self.world.deploy_token(TOKEN.code, TOKEN.decimals, HOT.account, supply)

    def add_lanes(self, keys: Sequence[Key] = LANES) -> None:
        params = {f"key_{number}": key.account for number, key in enumerate(keys, 1)}
        assert self.run(self.bare("near-lanes", **params)).success


@dataclass
class Job:
    """A signed transaction of a bench, from submission to its end."""

    bench: Bench
    built: Built
    signed: Signed
    height: int

    @property
    def claim(self) -> Claim:
        return self.built.effects.claims[0]

    @property
    def watched(self) -> Watched:
        return Watched(self.signed.tx_id, self.signed.blob, self.built.effects, self.height)

    @property
    def unanswered(self) -> Watched:
        return Watched("", self.built.unsigned, self.built.effects, self.height)

    def submit(self) -> Verdict:
        return self.bench.gateway.submit(self.signed.blob)

    def watch(self) -> Outcome:
        return self.bench.gateway.look().watch(self.watched)


@contextmanager
def a_bench(*, validity: int = 86_400, second: NearWorld | None = None, **settings: Any) -> Iterator[Bench]:
    """Serve a fresh world in which HOT and OTHER are funded, and connect a gateway to it."""
    world = NearWorld(validity=validity, clock=Clock())
    world.fund_all({HOT.account: 1000 * UNIT, OTHER.account: 10 * UNIT})
    world.create(SHOP, OTHER.text, UNIT)
    with serve_near(world) as server:
        chosen = {"url": server.url, "timeout_seconds": 3, "oldest_seconds": 3600, "crossing_seconds": 1, **settings}
        gateway = connect(NETWORK, chosen)
        try:
            yield Bench(world, server, gateway, chosen)
        finally:
            gateway.close()
