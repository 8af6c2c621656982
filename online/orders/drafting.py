"""Drafting: what somebody asks for becomes an order, its transfers and its jobs, signed by who asks.

Nothing is built, reserved or promised by a draft. The same key with the same order gives the order that is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import insert, select

from online.chains.api import Plan
from online.jobs.model import insert_job
from online.jobs.states import State
from online.orders.model import KIND, MOST_LINES, Body, Line, Order, encode_body, find_order
from online.store import journal, tables
from online.store.database import Store, Tx
from online.store.people import known
from online.store.wallets import Key, Wallet, find_keys, find_wallet
from shared.chains import chain
from shared.effects import Destination, Payment
from shared.envelope import TransferRef, order_id
from shared.errors import BadOrder, OrderConflict, UnknownWallet, WrongNetwork
from shared.money import Amount
from shared.policy import Person
from shared.sealed import Sign, seal


@dataclass(frozen=True, slots=True)
class _Draft:
    """An order's body with the plan of each of its jobs and the lines that the job carries out."""

    body: Body
    plans: tuple[tuple[Plan, tuple[int, ...]], ...]


def draft_rebalance(
    store: Store,
    *,
    from_wallet: str,
    to_wallet: str,
    amount: Amount,
    idempotency_key: str,
    person: Person,
    sign: Sign,
    now: int,
) -> Order:
    """Draft the move of an amount from one wallet's first address to another's.

    Raises:
        UnknownWallet, UnknownPerson: for names that the store does not hold. BadOrder, WrongNetwork: if it can
            not be done. OrderConflict: if the idempotency key names another order.
    """
    with store.transaction() as tx:
        wallet, keys = _wallet(tx, from_wallet)
        target, target_keys = _wallet(tx, to_wallet)
        if target.network != wallet.network or target.name == wallet.name:
            raise BadOrder(f"{to_wallet} is no other wallet on {wallet.network}")
        payments = [(Destination(target_keys[0].address), amount)]
        draft = _payments("rebalance", wallet, keys, payments, idempotency_key, ())
        return _write(tx, draft, person, sign, now)


def draft_payments(
    store: Store,
    *,
    wallet: str,
    payments: Sequence[tuple[Destination, Amount]],
    idempotency_key: str,
    person: Person,
    sign: Sign,
    now: int,
    sources: Sequence[str] = (),
) -> Order:
    """Draft payments out of a wallet, one job each, dealt round over some of its addresses (default: the first).

    Raises:
        As `draft_rebalance`; BadAddress for a destination that is none.
    """
    with store.transaction() as tx:
        found, keys = _wallet(tx, wallet)
        draft = _payments("payments", found, keys, payments, idempotency_key, sources)
        return _write(tx, draft, person, sign, now)


def draft_tickets(
    store: Store,
    *,
    wallet: str,
    count: int,
    idempotency_key: str,
    person: Person,
    sign: Sign,
    now: int,
    source: str | None = None,
) -> Order:
    """Draft the making of tickets on an address of a wallet (default: the first). Raises as `draft_rebalance`."""
    with store.transaction() as tx:
        found, keys = _wallet(tx, wallet)
        if count < 1:
            raise BadOrder(f"{count} tickets are none")
        key = _source(found, keys, source or keys[0].address)
        params = {"count": count}
        body = Body(
            idempotency_key, "tickets", found.network, found.name, (), {**params, "source": key.address}
        )
        plan = Plan("tickets", found.network, key.address, key.path, key.public_key, (), params)
        return _write(tx, _Draft(body, ((plan, ()),)), person, sign, now)


def _payments(
    kind: str,
    wallet: Wallet,
    keys: tuple[Key, ...],
    payments: Sequence[tuple[Destination, Amount]],
    idempotency_key: str,
    sources: Sequence[str],
) -> _Draft:
    if not 1 <= len(payments) <= MOST_LINES:
        raise BadOrder(f"an order has 1 to {MOST_LINES} lines")
    payers = [_source(wallet, keys, source) for source in sources or (keys[0].address,)]
    lines, plans = [], []
    for number, (destination, amount) in enumerate(payments):
        payer = payers[number % len(payers)]
        _require_payable(wallet, payer.address, destination, amount)
        lines.append(Line(payer.address, destination, amount))
        payment = Payment(payer.address, destination, amount)
        plan = Plan("payment", wallet.network, payer.address, payer.path, payer.public_key, (payment,))
        plans.append((plan, (number,)))
    body = Body(idempotency_key, kind, wallet.network, wallet.name, tuple(lines), {})
    return _Draft(body, tuple(plans))


def _require_payable(wallet: Wallet, source: str, destination: Destination, amount: Amount) -> None:
    if amount.asset.network != wallet.network:
        raise WrongNetwork(f"{amount.asset} is not of {wallet.network}")
    if amount.units == 0:
        raise BadOrder("an amount of nothing is no payment")
    parsed = chain(wallet.network).parse_address(destination.address, wallet.network)
    # A packed tag must have been taken out before: an order says each thing in one way.
    if parsed.address != destination.address or parsed.tag is not None:
        raise BadOrder("a destination is a plain address with its tag beside it")
    if destination.address == source:
        raise BadOrder(f"{source} can not pay itself")


def _wallet(tx: Tx, name: str) -> tuple[Wallet, tuple[Key, ...]]:
    found = find_wallet(tx.sql, name)
    keys = find_keys(tx.sql, name)
    if not keys:
        raise UnknownWallet(f"the wallet {name} has no addresses yet", hint="Add addresses to it first.")
    return found, keys


def _source(wallet: Wallet, keys: tuple[Key, ...], address: str) -> Key:
    for key in keys:
        if key.address == address:
            return key
    raise UnknownWallet(f"{address[:60]!r} is no address of the wallet {wallet.name}")


def _write(tx: Tx, draft: _Draft, person: Person, sign: Sign, now: int) -> Order:
    """Write an order with its transfers and jobs, or give the same one back if it is there."""
    known(tx.sql, person)
    key, body = draft.body.idempotency_key, encode_body(draft.body)
    if not 1 <= len(key) <= 200 or not key.isprintable():
        raise BadOrder("an idempotency key has 1 to 200 printable characters")
    there = tx.sql.execute(select(tables.orders.c.body).where(tables.orders.c.idempotency_key == key)).scalar()
    if there is not None and there != body:
        raise OrderConflict(f"the key {key!r} names another order")
    number = order_id(key)
    if there is None:
        sealed = seal(KIND, body, [(person.key, sign)])
        row = {"id": number.hex(), "idempotency_key": key, "kind": draft.body.kind, "created": now}
        tx.sql.execute(
            insert(tables.orders).values(body=body, sealed=sealed, drafted_by=person.name, **row)
        )
        _write_transfers(tx, number, draft.body.lines)
        journal.append(tx, "order", {"order": number, "sealed": sealed}, now)
        for plan, lines in draft.plans:
            insert_job(tx, number, draft.body.wallet, plan, lines, State.DRAFTED, now)
    return find_order(tx.sql, number)


def _write_transfers(tx: Tx, order: bytes, lines: Sequence[Line]) -> None:
    for number, line in enumerate(lines):
        to, asset = line.destination, line.amount.asset
        row = {"id": TransferRef(order, number).transfer_id.hex(), "order_id": order.hex(), "line": number}
        money = {"asset_network": asset.network, "asset_code": asset.code, "units": str(line.amount.units)}
        where = {"source": line.source, "destination": to.address, "tag": to.tag, "memo": to.memo}
        tx.sql.execute(insert(tables.transfers).values(**row, **money, **where))
