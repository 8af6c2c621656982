"""Drafting what spends from one of a wallet's addresses: payments together, sends, batches and options.

Each draft says how many transactions carry it out; whether a ledger has such transactions its gateway says when they
are built. Terms such as `fee_rate` or `encoding` go to the gateway as they are, and are signed with the order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from online.orders.model import MOST_LINES, Order
from online.orders.writing import (
    Asking,
    Draft,
    Terms,
    Wanted,
    own_key,
    own_wallet,
    require_destination,
    write_order,
)
from online.store.database import Store
from shared.effects import Destination
from shared.errors import BadOrder

PAYMENT = "payment"
SEND = "counterparty-send"
BATCH = "counterparty-mpma"
OPTIONS = "counterparty-options"
EVERYTHING = "counterparty-sweep"

MOST_RECIPIENTS = 500


def draft_pay(
    store: Store,
    asking: Asking,
    *,
    wallet: str,
    payments: Sequence[Wanted],
    source: str | None = None,
    together: bool = False,
    terms: Terms | None = None,
) -> Order:
    """Draft payments of the native asset by one transaction, from an address (default: the first).

    With `together` the wallet's other addresses may pay as well.

    Raises:
        UnknownWallet, BadOrder, WrongNetwork, BadAddress, OrderConflict, UnknownPerson: as their names say.
    """
    with store.transaction() as tx:
        found, keys = own_wallet(tx, wallet)
        draft = Draft("pay", found)
        draft.add(PAYMENT, own_key(found, keys, source), payments, terms, keys if together else ())
        return write_order(tx, draft, asking)


def draft_send(
    store: Store,
    asking: Asking,
    *,
    wallet: str,
    payment: Wanted,
    source: str | None = None,
    terms: Terms | None = None,
) -> Order:
    """Draft one send of an asset with its memo. Raises as `draft_pay`."""
    with store.transaction() as tx:
        found, keys = own_wallet(tx, wallet)
        draft = Draft("send", found)
        draft.add(SEND, own_key(found, keys, source), [payment], terms)
        return write_order(tx, draft, asking)


def draft_batch(
    store: Store,
    asking: Asking,
    *,
    wallet: str,
    payments: Sequence[Wanted],
    source: str | None = None,
    terms: Terms | None = None,
    most: int = MOST_RECIPIENTS,
) -> Order:
    """Draft sends of assets to many, at most so many in each transaction; one that is left alone is a send.

    Raises:
        As `draft_pay`.
    """
    if not 2 <= most <= MOST_LINES:
        raise BadOrder(f"a batch has 2 to {MOST_LINES} lines")
    if not 1 <= len(payments) <= MOST_LINES:
        raise BadOrder(f"an order has 1 to {MOST_LINES} lines")
    with store.transaction() as tx:
        found, keys = own_wallet(tx, wallet)
        draft, key = Draft("batch", found), own_key(found, keys, source)
        for part in split(payments, most):
            draft.add(SEND if len(part) == 1 else BATCH, key, part, terms)
        return write_order(tx, draft, asking)


def draft_options(
    store: Store,
    asking: Asking,
    *,
    wallet: str,
    memo_required: bool,
    sources: Sequence[str] = (),
    terms: Terms | None = None,
) -> Order:
    """Draft that addresses of a wallet (default: the first) take sends with a memo alone, or all again.

    Raises:
        As `draft_pay`.
    """
    with store.transaction() as tx:
        found, keys = own_wallet(tx, wallet)
        params = {"options": int(memo_required)}
        chosen = [own_key(found, keys, source) for source in dict.fromkeys(sources)] or [keys[0]]
        draft = Draft("options", found, params)
        for key in chosen:
            draft.add(OPTIONS, key, (), {**(terms or {}), **params})
        return write_order(tx, draft, asking)


def draft_everything(
    store: Store,
    asking: Asking,
    *,
    wallet: str,
    to: Destination,
    source: str | None = None,
    ownerships: bool = False,
    terms: Terms | None = None,
) -> Order:
    """Draft one address's sweep of every asset, known here or not, with the ownership of its assets if asked.

    A signer counts it as the wallet's whole balance, and asks its administrators; `gathering.draft_asset_sweep` sends
    known balances without that.

    Raises:
        As `draft_pay`.
    """
    with store.transaction() as tx:
        found, keys = own_wallet(tx, wallet)
        key = own_key(found, keys, source)
        # What "everything" is, each ledger says by its flags: 1 the balances, 2 the ownerships.
        params: dict[str, int | str] = {"destination": to.address, "flags": 3 if ownerships else 1}
        if to.memo is not None:
            params["memo"] = to.memo
        require_destination(found, key.address, to)
        draft = Draft("sweep", found, params)
        draft.add(EVERYTHING, key, (), {**(terms or {}), **params})
        return write_order(tx, draft, asking)


def split(payments: Iterable[Wanted], most: int) -> list[list[Wanted]]:
    """Deal lines out to as few parts as will do, about equally; no part has one recipient twice for an asset."""
    lines = list(payments)
    size = -(-len(lines) // -(-len(lines) // most))
    parts: list[list[Wanted]] = []
    seen: list[set[tuple[str, str]]] = []
    for line in lines:
        pair = (line[0].address, line[1].asset.code)
        at = next((at for at, part in enumerate(parts) if len(part) < size and pair not in seen[at]), len(parts))
        if at == len(parts):
            parts.append([])
            seen.append(set())
        parts[at].append(line)
        seen[at].add(pair)
    return parts
