"""Drafting moves between own wallets, single payments and tickets: one job a payment, whatever the ledger.

Nothing is built, reserved or promised by a draft. The same key with the same order gives the order that is there.
"""

from __future__ import annotations

from collections.abc import Sequence

from online.orders.model import MOST_LINES, Order
from online.orders.writing import Asking, Draft, Wanted, own_key, own_wallet, write_order
from online.store.database import Store
from online.store.wallets import Key, Wallet
from shared.effects import Destination
from shared.errors import BadOrder
from shared.money import Amount
from shared.policy import Person
from shared.sealed import Sign


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
        wallet, keys = own_wallet(tx, from_wallet)
        target, target_keys = own_wallet(tx, to_wallet)
        if target.network != wallet.network or target.name == wallet.name:
            raise BadOrder(f"{to_wallet} is no other wallet on {wallet.network}")
        payments = [(Destination(target_keys[0].address), amount)]
        draft = _payments("rebalance", wallet, keys, payments, ())
        return write_order(tx, draft, Asking(idempotency_key, person, sign, now))


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
        found, keys = own_wallet(tx, wallet)
        draft = _payments("payments", found, keys, payments, sources)
        return write_order(tx, draft, Asking(idempotency_key, person, sign, now))


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
        found, keys = own_wallet(tx, wallet)
        if count < 1:
            raise BadOrder(f"{count} tickets are none")
        key, params = own_key(found, keys, source), {"count": count}
        draft = Draft("tickets", found, {**params, "source": key.address})
        draft.add("tickets", key, (), params)
        return write_order(tx, draft, Asking(idempotency_key, person, sign, now))


def _payments(
    kind: str, wallet: Wallet, keys: Sequence[Key], payments: Sequence[Wanted], sources: Sequence[str]
) -> Draft:
    if not 1 <= len(payments) <= MOST_LINES:
        raise BadOrder(f"an order has 1 to {MOST_LINES} lines")
    payers = [own_key(wallet, keys, source) for source in sources] or [keys[0]]
    draft = Draft(kind, wallet)
    for number, one in enumerate(payments):
        draft.add("payment", payers[number % len(payers)], [one])
    return draft
