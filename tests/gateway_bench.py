"""A served devnet world, keys made by hand, and a gateway; holds no test itself."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from coincurve import PrivateKey
from nacl.signing import SigningKey

from online.chains import connect
from online.chains.api import Built, Final, Gateway, Outcome, Plan, Verdict, Watched
from online.devnet.server import RunningServer, serve
from online.devnet.xrpl import XrplWorld
from shared.chains.api import Curve, Payload, Signed
from shared.chains.xrpl import XRPL
from shared.effects import Claim, Destination, Payment
from shared.money import Amount

NETWORK = "xrpl:local"
XRP = 1_000_000
ASSET = XRPL.network(NETWORK).native


class Key:
    """A test key of either curve; it signs what the chain's payloads ask for."""

    def __init__(self, number: int, curve: Curve = "secp256k1") -> None:
        self.curve = curve
        secret = number.to_bytes(32, "big")
        self._ecdsa, self._eddsa = PrivateKey(secret), SigningKey(secret)
        own = self._ecdsa.public_key.format() if curve == "secp256k1" else bytes(self._eddsa.verify_key)
        self.public = own
        self.address = XRPL.address(own, curve, NETWORK)

    def sign(self, built: Built) -> Signed:
        tx = XRPL.decode(built.unsigned, built.context, built.keys, built.effects.network)
        return XRPL.assemble(tx, [self.sign_payload(payload) for payload in XRPL.payloads(tx)])

    def sign_payload(self, payload: Payload) -> bytes:
        if payload.algorithm == "ed25519":
            return bytes(self._eddsa.sign(payload.message).signature)
        return self._ecdsa.sign_recoverable(payload.message, hasher=None)[:64]


HOT, COLD, OTHER = Key(7), Key(8, "ed25519"), Key(9)


@dataclass
class Bench:
    """One world, its server and a gateway on it."""

    world: XrplWorld
    server: RunningServer
    gateway: Gateway
    settings: Mapping[str, Any] = field(default_factory=dict)

    def plan(
        self, drops: int = XRP, to: str = OTHER.address, tag: int | None = None, **params: int | str
    ) -> Plan:
        payment = Payment(HOT.address, Destination(to, tag), Amount(ASSET, drops))
        return Plan("payment", NETWORK, HOT.address, (1,), HOT.public, (payment,), params)

    def settings_plan(self, kind: str, **params: int | str) -> Plan:
        return Plan(kind, NETWORK, HOT.address, (1,), HOT.public, (), params)

    def build(self, plan: Plan | None = None, taken: Collection[Claim] = ()) -> Job:
        built = self.gateway.build(plan or self.plan(), taken)
        return Job(self, built, HOT.sign(built), self.world.validated_index)

    def run(self, plan: Plan) -> Final:
        job = self.build(plan)
        assert job.submit().kind == "accepted"
        self.world.close()
        outcome = job.watch()
        assert isinstance(outcome, Final)
        return outcome


@dataclass
class Job:
    """A signed transaction of a bench, from submission to its end."""

    bench: Bench
    built: Built
    signed: Signed
    height: int

    @property
    def claim(self) -> str:
        return self.built.effects.claims[0].name

    @property
    def watched(self) -> Watched:
        return Watched(self.signed.tx_id, self.signed.blob, self.built.effects, self.height)

    def submit(self) -> Verdict:
        return self.bench.gateway.submit(self.signed.blob)

    def watch(self) -> Outcome:
        return self.bench.gateway.look().watch(self.watched)


@contextmanager
def a_bench(*, socket: bool = False, second: RunningServer | None = None, **settings: Any) -> Iterator[Bench]:
    """Serve a fresh world in which HOT and OTHER are funded, and connect a gateway to it."""
    world = XrplWorld()
    world.fund_all({HOT.address: 1000 * XRP, OTHER.address: 100 * XRP})
    with serve(world, ws_port=0 if socket else None) as server:
        chosen = {"url": server.ws_url if socket else server.url, "timeout_seconds": 3, **settings}
        if second is not None:
            chosen["second_url"] = second.url
        gateway = connect(NETWORK, chosen)
        try:
            yield Bench(world, server, gateway, chosen)
        finally:
            gateway.close()  # type: ignore[attr-defined]
