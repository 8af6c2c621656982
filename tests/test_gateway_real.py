"""The gateway against a real server: LOCKGATE_XRPL_URL names it, LOCKGATE_XRPL_SEED holds a funded seed.

Optional: LOCKGATE_XRPL_NETWORK (default "xrpl:testnet"), LOCKGATE_XRPL_SECOND_URL, and LOCKGATE_XRPL_ACCEPT=1
for a stand-alone server whose ledgers close on demand. Never a mainnet: it spends. What it pays goes to the
ed25519 key whose secret is the SHA-256 of the seed's text.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

import pytest
from coincurve import PrivateKey
from nacl.signing import SigningKey
from xrpl.models.requests import GenericRequest

from online.chains import connect
from online.chains.api import Built, Dead, Final, Gateway, Outcome, Pending, Plan, Watched
from online.chains.xrpl.client import Connection
from shared.chains.api import Payload, Signed
from shared.chains.xrpl import XRPL
from shared.chains.xrpl.seeds import KeyPair, keypair_from_seed
from shared.effects import Destination, Payment
from shared.money import Amount

URL = os.environ.get("LOCKGATE_XRPL_URL", "")
SEED = os.environ.get("LOCKGATE_XRPL_SEED", "")
NETWORK = os.environ.get("LOCKGATE_XRPL_NETWORK", "xrpl:testnet")
SECOND = os.environ.get("LOCKGATE_XRPL_SECOND_URL")
ACCEPT = os.environ.get("LOCKGATE_XRPL_ACCEPT") == "1"
PATIENCE_SECONDS = 60

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not (URL and SEED), reason="LOCKGATE_XRPL_URL and LOCKGATE_XRPL_SEED are not set"),
    pytest.mark.skipif(NETWORK == "xrpl:mainnet", reason="this suite spends, and never on the main network"),
]


@dataclass(frozen=True)
class Real:
    gateway: Gateway
    key: KeyPair

    def plan(self, kind: str, payments: tuple[Payment, ...] = (), **params: int | str) -> Plan:
        return Plan(kind, NETWORK, self.address, (1,), self.key.public_key, payments, params)

    @property
    def address(self) -> str:
        return XRPL.address(self.key.public_key, self.key.curve, NETWORK)

    def payment(self) -> Payment:
        own = SigningKey(sha256(SEED.encode()).digest())
        to = XRPL.address(bytes(own.verify_key), "ed25519", NETWORK)
        units = 1 if self.gateway.account(to).exists else 10_000_000
        return Payment(self.address, Destination(to, 0), Amount(XRPL.network(NETWORK).native, units))

    def sign(self, built: Built) -> Signed:
        tx = XRPL.decode(built.unsigned, built.context, built.keys, NETWORK)
        return XRPL.assemble(tx, [self._signature(payload) for payload in XRPL.payloads(tx)])

    def _signature(self, payload: Payload) -> bytes:
        if payload.algorithm == "ed25519":
            return bytes(SigningKey(self.key.secret).sign(payload.message).signature)
        return PrivateKey(self.key.secret).sign_recoverable(payload.message, hasher=None)[:64]

    def watched(self, built: Built) -> Watched:
        signed = self.sign(built)
        return Watched(signed.tx_id, signed.blob, built.effects, self.gateway.height())

    def settle(self, watched: Watched) -> Outcome:
        ends = time.monotonic() + PATIENCE_SECONDS
        while isinstance(outcome := self.gateway.look().watch(watched), Pending) and time.monotonic() < ends:
            if ACCEPT:
                Connection(URL, 10).ask(GenericRequest(method="ledger_accept"))
            else:
                time.sleep(1)
        return outcome

    def run(self, plan: Plan) -> Final:
        watched = self.watched(self.gateway.build(plan, []))
        assert self.gateway.submit(watched.blob).kind == "accepted"
        outcome = self.settle(watched)
        assert isinstance(outcome, Final)
        assert self.gateway.submit(watched.blob).kind == "known"
        return outcome


@pytest.fixture
def real() -> Iterator[Real]:
    settings: dict[str, object] = {"url": URL, "expiry_ledgers": 8, "oldest_seconds": 3600 if ACCEPT else 60}
    if SECOND:
        settings["second_url"] = SECOND
    gateway = connect(NETWORK, settings)
    gateway.check()
    yield Real(gateway, keypair_from_seed(SEED))
    gateway.close()  # type: ignore[attr-defined]


def test_a_payment_arrives_and_costs_its_fee(real: Real) -> None:
    payment = real.payment()
    before = real.gateway.account(real.address).balance
    final = real.run(real.plan("payment", (payment,)))
    assert (final.success, final.delivered) == (True, (payment,))
    assert real.gateway.account(real.address).balance == before - payment.amount - final.fee


def test_a_ticket_is_made_used_by_one_and_lost_to_the_other(real: Real) -> None:
    assert real.run(real.plan("tickets", count=1, claim="sequence")).success
    loser = real.watched(real.gateway.build(real.plan("payment", (real.payment(),), claim="ticket"), []))
    claim = loser.effects.claims[0].name
    winner = real.run(real.plan("account-set", claim=claim))
    outcome = real.gateway.look().watch(loser)
    assert isinstance(outcome, Dead)
    assert winner.tx_id in outcome.proof


def test_what_was_never_submitted_dies_after_its_last_ledger(real: Real) -> None:
    watched = real.watched(real.gateway.build(real.plan("payment", (real.payment(),)), []))
    outcome = real.settle(watched)
    assert isinstance(outcome, Dead)
    assert watched.effects.expiry is not None
    assert outcome.height > watched.effects.expiry.last_height
