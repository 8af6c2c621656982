"""A small world for the coordinator: a ledger with sequences, tickets and expiries, and a signer on paper.

The ledger reads real transactions and keeps real balances; it leaves out reserves, queues and signatures, which the
devnet has. The signer keeps a real journal and makes real signatures, and has no policy. Both can misbehave on demand.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import coincurve
from nacl.signing import SigningKey

from online.chains.api import (
    AccountState,
    Built,
    Dead,
    Final,
    Gateway,
    Look,
    NodeReport,
    Outcome,
    Pending,
    Plan,
    Verdict,
    Watched,
)
from online.jobs.answers import Answered, import_answer
from online.jobs.build import build_approved
from online.jobs.export import Exported, export_request
from online.jobs.loop import Report, tick
from online.jobs.model import Job, jobs
from online.ledger.books import check, open_wallet, prove_balances
from online.orders.approval import approve
from online.orders.drafting import draft_rebalance
from online.orders.model import Order
from online.orders.spending import draft_pay
from online.orders.writing import Asking
from online.store.database import Station, Store, open_store
from online.store.people import add_person
from online.store.signers import pair_signer
from online.store.wallets import import_card, keys
from online.withdrawals.model import Withdrawal
from online.withdrawals.paying import release
from shared.chains.xrpl import XRPL, codec
from shared.chains.xrpl.build import Terms, build_payment, build_tickets
from shared.chains.xrpl.decode import decode_unsigned, encode
from shared.chains.xrpl.signing import transaction_id
from shared.checkpoint import sign_checkpoint
from shared.effects import Claim, Destination, Effects, Payment
from shared.encoding import Value
from shared.envelope import (
    Declined,
    Item,
    Lot,
    SigningAnswer,
    WalletCard,
    context_of,
    open_request,
    seal_answer,
    seal_card,
)
from shared.errors import Refusal
from shared.hdkeys import derive
from shared.journal import EMPTY_TIP, make_entry, read_journal
from shared.merkle import consistency_proof
from shared.money import Amount
from shared.policy import Person
from shared.transport.pack import pack
from tests.store_place import store_url

NETWORK = "xrpl:local"
XRP = XRPL.network(NETWORK).native
EXPIRY = 20
FEE = 12
NOW = 1_700_000_000


def xrp(coins: int) -> Amount:
    return Amount(XRP, coins * 1_000_000)


def let_go(store: Store, withdrawal_id: str, now: int = NOW) -> Withdrawal:
    """Release a held withdrawal by alice's word."""
    return release(store, withdrawal_id, person=ALICE.person, sign=ALICE.sign, now=now)


def asking(key: str, by: Somebody | None = None) -> Asking:
    """Give a question of somebody's (alice's unless said) under a key."""
    who = by or ALICE
    return Asking(key, who.person, who.sign, NOW)


class NodeSilent(Refusal):
    """The world does not answer."""

    code = "node-silent"


@dataclass
class Account:
    units: int
    sequence: int = 5
    tickets: set[int] = field(default_factory=set)


class World:
    """The ledger, and the gateway to it."""

    network = NETWORK

    def __init__(self) -> None:
        self.at = 100
        self.accounts: dict[str, Account] = {}
        self.pool: dict[str, bytes] = {}
        self.done: dict[str, tuple[int, str, Effects, bytes]] = {}
        self.submitted: list[bytes] = []
        self.silent = False
        self.loses_everything = False
        self.next_result = "tesSUCCESS"

    def check(self) -> NodeReport:
        return NodeReport("world", NETWORK, "1", self.at, ())

    def height(self) -> int:
        if self.silent:
            raise NodeSilent("the node is silent")
        return self.at

    @property
    def settled(self) -> int:
        """Give the height up to which nothing changes any more."""
        return self.at

    def account(self, address: str) -> AccountState:
        known = self.accounts.get(address)
        units = Amount(XRP, known.units if known else 0)
        return AccountState(address, known is not None, self.height(), units, Amount(XRP, 0))

    def build(self, plan: Plan, taken: Collection[Claim]) -> Built:
        account = self.accounts[plan.source]
        held = {claim.name for claim in taken if claim.scope == f"{NETWORK}/{plan.source}"}
        ticket = next((one for one in sorted(account.tickets) if f"ticket {one}" not in held), None)
        sequence = account.sequence
        while f"sequence {sequence}" in held:
            sequence += 1
        terms = Terms(NETWORK, plan.source, plan.public_key, FEE, self.height() + EXPIRY)
        if plan.params.get("replace"):
            kind, number = plan.again[0].name.split()
            terms = replace(terms, fee_drops=int(plan.params["fee"]))
            terms = replace(terms, ticket=int(number)) if kind == "ticket" else replace(terms, sequence=int(number))
        else:
            terms = replace(terms, ticket=ticket) if ticket else replace(terms, sequence=sequence)
        if plan.kind == "tickets":
            unsigned = build_tickets(terms, int(plan.params["count"]))
        else:
            unsigned = build_payment(terms, plan.payments[0].destination, plan.payments[0].amount)
        context = {"height": self.at}
        return Built(unsigned, context, (plan.key,), _effects(unsigned, self.at))

    def submit(self, blob: bytes) -> Verdict:
        self.submitted.append(blob)
        tx_id = transaction_id(blob)
        if tx_id in self.done:
            return Verdict("refused", "tefPAST_SEQ")
        if not self.loses_everything:
            self.pool[tx_id] = blob
        return Verdict("accepted", "tesSUCCESS")

    def look(self) -> Look:
        return Look(NETWORK, self.height(), lambda: self.watch)

    def watch(self, watched: Watched) -> Outcome:
        self.height()
        settled = [one for one in self.done.items() if one[1][0] <= self.settled]
        for tx_id, (height, result, effects, unsigned) in settled:
            if tx_id == watched.tx_id or (not watched.tx_id and unsigned == watched.blob):
                return self._final(tx_id, height, result, effects)
            if effects.claims == watched.effects.claims:
                return Dead(self.settled, f"{effects.claims[0]} was used up by {tx_id}")
        expiry = watched.effects.expiry
        if expiry is not None and self.settled > expiry.last_height:
            return Dead(self.settled, f"expired at {expiry.last_height} and in no ledger")
        return Pending("not yet")

    def close(self, count: int = 1) -> None:
        """Close ledgers: what is in the pool and fits happens."""
        for _ in range(count):
            self.at += 1
            for tx_id, blob in sorted(self.pool.items(), key=_turn):
                if self._apply(tx_id, blob):
                    del self.pool[tx_id]

    def _apply(self, tx_id: str, blob: bytes) -> bool:
        unsigned, effects = _of_blob(blob)
        assert effects.expiry is not None
        if effects.expiry.last_height < self.at:
            return True
        account = self.accounts[effects.source]
        kind, number = effects.claims[0].name.split()
        if kind == "ticket" and int(number) not in account.tickets:
            return False
        if kind == "ticket":
            account.tickets.remove(int(number))
        elif int(number) != account.sequence:
            return False
        else:
            account.sequence += 1
        result, self.next_result = self.next_result, "tesSUCCESS"
        account.units -= effects.fee_most.units
        if result == "tesSUCCESS":
            self._pay(account, effects, unsigned)
        self.done[tx_id] = (self.at, result, effects, unsigned)
        return True

    def _pay(self, account: Account, effects: Effects, unsigned: bytes) -> None:
        for payment in effects.payments:
            account.units -= payment.amount.units
            target = self.accounts.setdefault(payment.destination.address, Account(0))
            target.units += payment.amount.units
        body = decode_unsigned(codec.read(unsigned), NETWORK).body
        for _ in range(getattr(body, "count", 0)):
            account.tickets.add(account.sequence)
            account.sequence += 1

    def _final(self, tx_id: str, height: int, result: str, effects: Effects) -> Final:
        success = result == "tesSUCCESS"
        delivered: tuple[Payment, ...] = effects.payments if success else ()
        return Final(tx_id, height, success, result, effects.fee_most, delivered)


class PaperSigner:
    """Keys of one seed, a station key, and a journal."""

    def __init__(self, number: int = 1) -> None:
        self.seed = hashlib.sha256(b"paper seed %d" % number).digest()
        self.pen = SigningKey(hashlib.sha256(b"paper station %d" % number).digest())
        self.station = bytes(self.pen.verify_key)
        self.journal = b""
        self.tip = EMPTY_TIP
        self.write("init", {})

    def sign(self, message: bytes) -> bytes:
        return self.pen.sign(message).signature

    def write(self, kind: str, body: Mapping[str, Value]) -> None:
        _, line, self.tip = make_entry(self.tip, NOW, kind, body, self.sign, self.station)
        self.journal += line

    def card(self, wallet: str, account: int, tier: str = "cold") -> bytes:
        path = XRPL.key_path(NETWORK, "secp256k1", account, 0)
        node = derive(self.seed, "secp256k1", path[:-2]).public()
        xpub = node.public_key + node.chain_code
        return seal_card(
            WalletCard(self.station, wallet, NETWORK, tier, "secp256k1", account, xpub, ()), self.sign
        )

    def checkpoint(self) -> str:
        return sign_checkpoint(self.tip, "paper", self.sign, self.station)

    def answer(self, request_blob: bytes, declined: Mapping[int, str] | None = None) -> bytes:
        """Sign everything but the declined, journal first."""
        request, sealed = open_request(request_blob)
        refused = dict(declined or {})
        signed = [item for place, item in enumerate(request.flat()) if place not in refused]
        rows: list[Value] = [[hashlib.sha256(item.unsigned).digest(), lot.network] for lot, item in signed]
        self.write("sign", {"request": sealed.digest, "sealed": pack(request_blob), "txs": rows})
        signatures = []
        for lot, item in signed:
            signatures += self._signatures(lot, item)[1]
        leaves = read_journal(self.journal, self.station).leaves()
        proof = consistency_proof(leaves, request.seen.size) if request.seen.size else ()
        words = tuple(Declined(place, why) for place, why in sorted(refused.items()))
        answer = SigningAnswer(sealed.digest, tuple(signatures), words, self.checkpoint(), proof)
        return seal_answer(answer, self.station, self.sign)


    def blobs(self, request_blob: bytes) -> list[bytes]:
        """Give the signed transactions of a request, as whoever holds its signatures can make them."""
        made = [self._signatures(lot, item) for lot, item in open_request(request_blob)[0].flat()]
        return [XRPL.assemble(tx, signatures).blob for tx, signatures in made]

    def _signatures(self, lot: Lot, item: Item) -> tuple[Any, list[bytes]]:
        """Give an item's transaction and its signatures."""
        tx = XRPL.decode(item.unsigned, context_of(lot, item), item.keys, lot.network)
        keys = [derive(self.seed, "secp256k1", payload.path).private_key for payload in XRPL.payloads(tx)]
        return tx, [
            coincurve.PrivateKey(key).sign_recoverable(payload.message, hasher=None)[:64]
            for key, payload in zip(keys, XRPL.payloads(tx), strict=True)
        ]


class Somebody:
    """A person with a pen."""

    def __init__(self, name: str) -> None:
        self.pen = SigningKey(hashlib.sha256(name.encode()).digest())
        self.person = Person(name, bytes(self.pen.verify_key))

    def sign(self, message: bytes) -> bytes:
        return self.pen.sign(message).signature


STATION_PEN = SigningKey(hashlib.sha256(b"coordinator").digest())
STATION = Station(bytes(STATION_PEN.verify_key), lambda message: STATION_PEN.sign(message).signature)
ALICE, BOB = Somebody("alice"), Somebody("bob")


@dataclass
class Desk:
    """A coordinator that is set up: two people, one signer, a cold and a hot wallet with open books."""

    store: Store
    world: World
    signer: PaperSigner
    gateway: Gateway | None = None

    @property
    def gateways(self) -> Mapping[str, Gateway]:
        return {NETWORK: self.gateway or self.world}

    def address(self, wallet: str, index: int = 0) -> str:
        return keys(self.store, wallet)[index].address

    def rebalance(self, coins: int = 80_000, key: str = "r1") -> Order:
        order = draft_rebalance(self.store, asking(key), from_wallet="cold", to_wallet="hot", amount=xrp(coins))
        return approve(self.store, order.id, person=BOB.person, sign=BOB.sign, now=NOW)

    def payments(self, count: int, key: str = "p1", sources: tuple[str, ...] = ()) -> Order:
        payments = [(Destination(self.address("hot"), tag), xrp(10)) for tag in range(count)]
        order = draft_pay(self.store, asking(key), wallet="cold", payments=payments, sources=sources)
        return approve(self.store, order.id, person=BOB.person, sign=BOB.sign, now=NOW)

    def build(self) -> tuple[Job, ...]:
        return build_approved(self.store, self.gateways, NOW)

    def export(self) -> Exported:
        self.build()
        return export_request(self.store, self.signer.station, NOW)

    def answered(self, declined: Mapping[int, str] | None = None) -> Answered:
        return import_answer(self.store, self.signer.answer(self.export().blob, declined), NOW)

    def tick(self) -> Report:
        return tick(self.store, self.gateways, NOW)

    def states(self) -> list[str]:
        return [job.state.value for job in jobs(self.store)]

    def require_books(self) -> None:
        """Assert that the books add up and, when nothing is on its way, agree with the ledger."""
        assert prove_balances(self.store) == ()
        assert [one.difference for one in check(self.store, self.gateways)] == [0, 0]


def make_desk(folder: Path, world: World | None = None) -> Desk:
    """Set a coordinator up in a folder, with open books."""
    store, signer, world = set_up(folder), PaperSigner(), world or World()
    desk = Desk(store, world, signer)
    for address, coins in ((desk.address("cold"), 100_000), (desk.address("cold", 1), 50_000)):
        world.accounts.setdefault(address, Account(coins * 1_000_000))
    world.accounts.setdefault(desk.address("hot"), Account(1_000 * 1_000_000))
    for wallet in ("cold", "hot"):
        open_wallet(store, wallet, world, NOW)
    return desk


def set_up(folder: Path) -> Store:
    """Make a store that knows two people, the paper signer and its two wallets."""
    store, signer = open_store(store_url(folder), STATION), PaperSigner()
    for somebody in (ALICE, BOB):
        add_person(store, somebody.person.name, somebody.person.key, NOW)
    pair_signer(store, signer.station, "vault", NOW)
    import_card(store, signer.card("cold", 0), NOW, addresses=2)
    import_card(store, signer.card("hot", 1, "hot"), NOW)
    return store


def _turn(waiting: tuple[str, bytes]) -> tuple[str, int]:
    """Say when what waits in the pool has its turn: by what it uses up, and of rivals the one that pays most first."""
    effects = _of_blob(waiting[1])[1]
    return str(effects.claims), -effects.fee_most.units


def _effects(unsigned: bytes, height: int) -> Effects:
    return XRPL.effects(XRPL.decode(unsigned, {"height": height}, ((0,),), NETWORK))


@lru_cache(maxsize=10_000)
def _of_blob(blob: bytes) -> tuple[bytes, Effects]:
    """Give the unsigned bytes in a signed transaction, and what they do."""
    fields = codec.read(blob)
    fields.pop("TxnSignature")
    unsigned = encode(decode_unsigned(fields, NETWORK))
    return unsigned, _effects(unsigned, 1)
