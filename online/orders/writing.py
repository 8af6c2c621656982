"""How every draft becomes an order: its body with the steps that carry it out, its transfers and its jobs, signed.

Nothing is built, reserved or promised by a draft. The same key with the same order gives the order that is there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, insert, select, update

from online.chains import customs
from online.chains.api import Customs, Plan
from online.jobs.model import insert_job
from online.jobs.states import State
from online.orders.model import KIND, MOST_LINES, Body, Line, Order, Step, encode_body, find_order
from online.store import journal, tables
from online.store.database import Tx
from online.store.people import known
from online.store.wallets import Key, Wallet, find_keys, find_wallet
from shared.chains import chain
from shared.effects import Destination, Payment
from shared.envelope import TransferRef, order_id
from shared.errors import BadOrder, NoSuchOrder, OrderConflict, UnknownWallet, WrongNetwork
from shared.money import Amount
from shared.policy import Person
from shared.sealed import Sign, seal

PAYMENT = "payment"
"""The kind of a transaction that pays the native asset, on every ledger."""

Terms = Mapping[str, int | str]
Wanted = tuple[Destination, Amount]


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks for an order, under which key of its own, and when."""

    idempotency_key: str
    person: Person
    sign: Sign
    now: int


@dataclass(slots=True)
class Draft:
    """An order in the making: each step adds its lines and the plan of its transaction."""

    kind: str
    wallet: Wallet
    keys: Sequence[Key]
    params: Terms = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    plans: list[tuple[Plan, tuple[int, ...]]] = field(default_factory=list)

    @property
    def customs(self) -> Customs:
        """Give what the wallet's ledger has."""
        return customs(self.wallet.network)

    def pay(
        self, payers: Sequence[Key], wanted: Sequence[Wanted], terms: Terms | None = None, *, together: bool = False
    ) -> None:
        """Add payments of any asset, as many to a transaction as the ledger takes, dealt round over the payers.

        Raises:
            BadOrder, WrongNetwork, BadAddress: for what is no payment of this wallet. NoSuchOrder: for its asset.
        """
        native = chain(self.wallet.network).network(self.wallet.network).native
        if not 1 <= len(wanted) <= MOST_LINES:
            raise BadOrder(f"an order has 1 to {MOST_LINES} lines")
        others = [amount for _, amount in wanted if amount.asset.network == native.network and amount.asset != native]
        if others and len(wanted) > 1:
            raise BadOrder(f"several payments that are not all {native.code} are a batch")
        kind, size = (required(self.wallet, "send"), 1) if others else (PAYMENT, self.customs.payees)
        for number, start in enumerate(range(0, len(wanted), size)):
            payer = payers[number % len(payers)]
            inputs = self.keys if together else self.lanes(payer)
            self.add(kind, payer, wanted[start : start + size], terms, inputs)

    def lanes(self, key: Key) -> Sequence[Key]:
        """Give the further keys that may sign for an address, where the ledger gives an account several."""
        return self.keys[: self.customs.lanes_most] if key == self.keys[0] else ()

    def add(
        self, kind: str, key: Key, wanted: Sequence[Wanted], terms: Terms | None = None, inputs: Sequence[Key] = ()
    ) -> None:
        """Add one transaction.

        Raises:
            BadOrder, WrongNetwork, BadAddress: for what is no payment of this wallet.
        """
        for destination, amount in wanted:
            require_payable(self.wallet, key.address, destination, amount)
        numbers = tuple(range(len(self.lines), len(self.lines) + len(wanted)))
        self.lines += [Line(key.address, destination, amount) for destination, amount in wanted]
        plan = plan_of(self.wallet, kind, key, wanted, terms or {}, inputs)
        self.plans.append((plan, numbers))

    def body(self, idempotency_key: str) -> Body:
        """Give what is asked for."""
        steps = tuple(
            Step(plan.kind, plan.source, numbers, plan.params, tuple(one[0] for one in plan.inputs))
            for plan, numbers in self.plans
        )
        wallet = self.wallet
        return Body(idempotency_key, self.kind, wallet.network, wallet.name, tuple(self.lines), self.params, steps)


def plan_of(
    wallet: Wallet, kind: str, key: Key, wanted: Sequence[Wanted], terms: Terms, inputs: Sequence[Key] = ()
) -> Plan:
    """Give the plan of one transaction out of a wallet."""
    payments = tuple(Payment(key.address, destination, amount) for destination, amount in wanted)
    further = tuple((one.address, one.path, one.public_key) for one in inputs if one.address != key.address)
    return Plan(kind, wallet.network, key.address, key.path, key.public_key, payments, dict(terms), inputs=further)


def required(wallet: Wallet, what: str) -> str:
    """Give the kind of transaction that a ledger has for something. Raises NoSuchOrder if it has none."""
    kind = str(getattr(customs(wallet.network), what))
    if not kind:
        raise NoSuchOrder(f"{wallet.network} has no transaction for {what}")
    return kind


def own_wallet(tx: Tx, name: str) -> tuple[Wallet, tuple[Key, ...]]:
    """Give a wallet with its keys. Raises UnknownWallet if there is none, or it has no addresses."""
    return find_own_wallet(tx.sql, name)


def find_own_wallet(connection: Connection, name: str) -> tuple[Wallet, tuple[Key, ...]]:
    """Give those within a transaction. Raises as `own_wallet`."""
    found = find_wallet(connection, name)
    keys = find_keys(connection, name)
    if not keys:
        raise UnknownWallet(f"the wallet {name} has no addresses yet", hint="Add addresses to it first.")
    return found, keys


def own_key(wallet: Wallet, keys: Sequence[Key], address: str | None) -> Key:
    """Give a wallet's key of an address, the first where none is named. Raises UnknownWallet."""
    for key in keys:
        if address in (None, key.address):
            return key
    raise UnknownWallet(f"{(address or '')[:60]!r} is no address of the wallet {wallet.name}")


def require_payable(wallet: Wallet, source: str, destination: Destination, amount: Amount) -> None:
    """Refuse what no order says. Raises BadOrder, WrongNetwork, BadAddress."""
    if amount.asset.network != wallet.network:
        raise WrongNetwork(f"{amount.asset} is not of {wallet.network}")
    if amount.units == 0:
        raise BadOrder("an amount of nothing is no payment")
    require_destination(wallet, source, destination)


def require_destination(wallet: Wallet, source: str, destination: Destination) -> None:
    """Refuse what is no plain address of another. Raises BadOrder, BadAddress."""
    parsed = chain(wallet.network).parse_address(destination.address, wallet.network)
    # A packed tag must have been taken out before: an order says each thing in one way.
    if parsed.address != destination.address or parsed.tag is not None:
        raise BadOrder("a destination is a plain address with its tag beside it")
    if destination.address == source:
        raise BadOrder(f"{source} can not pay itself")


def write_order(tx: Tx, draft: Draft, asking: Asking) -> Order:
    """Write an order with its transfers and jobs, or give the same one back if it is there.

    Raises:
        UnknownPerson: if the store does not know who asks. BadOrder: if it is too long or its key is bad.
        OrderConflict: if the idempotency key names another order. Refusal: as the ledger's customs refuse a plan.
    """
    known(tx.sql, asking.person)
    if not draft.plans or len(draft.lines) > MOST_LINES:
        raise BadOrder(f"an order has 1 to {MOST_LINES} lines")
    key, body = asking.idempotency_key, encode_body(draft.body(asking.idempotency_key))
    if not 1 <= len(key) <= 200 or not key.isprintable():
        raise BadOrder("an idempotency key has 1 to 200 printable characters")
    there = tx.sql.execute(select(tables.orders.c.body).where(tables.orders.c.idempotency_key == key)).scalar()
    if there is not None and there != body:
        raise OrderConflict(f"the key {key!r} names another order")
    number = order_id(key)
    if there is None:
        _write_new(tx, draft, asking, number, body)
    return find_order(tx.sql, number)


def write_mandated(tx: Tx, draft: Draft, key: str, people: tuple[str, str], now: int) -> Order:
    """Write an order of the station's own under the standing word of two people, whom the store then names.

    `signed.signed_body` holds it against their mandate before anything is built. Raises as `write_order`.
    """
    body, number = encode_body(draft.body(key)), order_id(key)
    station = Asking(key, Person(people[0], tx.station.public_key), tx.station.sign, now)
    _write_new(tx, draft, station, number, body)
    here = tables.orders.c.id == number.hex()
    tx.sql.execute(update(tables.orders).where(here).values(approved_by=people[1]))
    order = find_order(tx.sql, number)
    journal.append(tx, "approval", {"order": number, "sealed": order.sealed, "by": people[1]}, now)
    return order


def _write_new(tx: Tx, draft: Draft, asking: Asking, number: bytes, body: bytes) -> None:
    if (require := draft.customs.require) is not None:
        for plan, _ in draft.plans:
            require(plan)
    sealed = seal(KIND, body, [(asking.person.key, asking.sign)])
    row = {"id": number.hex(), "idempotency_key": asking.idempotency_key, "kind": draft.kind, "created": asking.now}
    drafter = asking.person.name
    tx.sql.execute(insert(tables.orders).values(body=body, sealed=sealed, drafted_by=drafter, **row))
    _write_transfers(tx, number, draft.lines)
    journal.append(tx, "order", {"order": number, "sealed": sealed}, asking.now)
    for plan, lines in draft.plans:
        insert_job(tx, number, draft.wallet.name, plan, lines, State.DRAFTED, asking.now)


def _write_transfers(tx: Tx, order: bytes, lines: Sequence[Line]) -> None:
    for number, line in enumerate(lines):
        to, asset = line.destination, line.amount.asset
        row = {"id": TransferRef(order, number).transfer_id.hex(), "order_id": order.hex(), "line": number}
        money = {"asset_network": asset.network, "asset_code": asset.code, "units": str(line.amount.units)}
        where = {"source": line.source, "destination": to.address, "tag": to.tag, "memo": to.memo}
        tx.sql.execute(insert(tables.transfers).values(**row, **money, **where))
