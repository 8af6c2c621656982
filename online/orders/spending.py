"""Drafting what a wallet pays: payments, sends, batches and options, by as many transactions as its ledger asks for.

Each draft says how many transactions carry it out, and asks no node. Terms such as `fee_rate` or `encoding` go to the
gateway as they are, and are signed with the order.
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
    required,
    write_order,
)
from online.store.database import Store
from online.store.wallets import Key
from shared.effects import Destination
from shared.errors import BadOrder, NoSuchOrder


def draft_pay(
    store: Store,
    asking: Asking,
    *,
    wallet: str,
    payments: Sequence[Wanted],
    sources: Sequence[str] = (),
    together: bool = False,
    terms: Terms | None = None,
) -> Order:
    """Draft payments of the native asset, dealt round over some of the wallet's addresses (default: the first).

    With `together` the wallet's other addresses pay into the same transaction.

    Raises:
        UnknownWallet, BadOrder, WrongNetwork, BadAddress, NoSuchOrder: for what can not be asked of this wallet.
        OrderConflict, UnknownPerson: as `writing.write_order`.
    """
    with store.transaction() as tx:
        found, keys = own_wallet(tx, wallet)
        draft = Draft("pay", found, keys)
        if together and draft.customs.payers == 1:
            raise NoSuchOrder(f"on {found.network} a transaction spends from one address")
        draft.pay([own_key(found, keys, source) for source in sources or (None,)], payments, terms, together=together)
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
        draft, key = Draft("send", found, keys), own_key(found, keys, source)
        draft.add(required(found, "send"), key, [payment], terms, draft.lanes(key))
        return write_order(tx, draft, asking)


def draft_batch(
    store: Store,
    asking: Asking,
    *,
    wallet: str,
    payments: Sequence[Wanted],
    source: str | None = None,
    terms: Terms | None = None,
    most: int | None = None,
) -> Order:
    """Draft sends of assets to many, at most so many in each transaction; one that is left alone is a send.

    Raises:
        As `draft_pay`.
    """
    if not 1 <= len(payments) <= MOST_LINES:
        raise BadOrder(f"an order has 1 to {MOST_LINES} lines")
    with store.transaction() as tx:
        found, keys = own_wallet(tx, wallet)
        draft = Draft("batch", found, keys)
        spread(draft, own_key(found, keys, source), payments, terms, most)
        return write_order(tx, draft, asking)


def draft_options(
    store: Store,
    asking: Asking,
    *,
    wallet: str,
    demanded: bool,
    sources: Sequence[str] = (),
    terms: Terms | None = None,
) -> Order:
    """Draft that addresses of a wallet (default: the first) take payments with a tag or memo alone, or all again.

    Raises:
        As `draft_pay`.
    """
    with store.transaction() as tx:
        found, keys = own_wallet(tx, wallet)
        kind = required(found, "options")
        chosen = [own_key(found, keys, source) for source in dict.fromkeys(sources)] or [keys[0]]
        draft = Draft("options", found, keys)
        params = draft.params = draft.customs.demands[demanded]
        for key in chosen:
            draft.add(kind, key, (), {**(terms or {}), **params})
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
        kind, key = required(found, "everything"), own_key(found, keys, source)
        # What "everything" is, each ledger says by its flags: 1 the balances, 2 the ownerships.
        params: dict[str, int | str] = {"destination": to.address, "flags": 3 if ownerships else 1}
        if to.memo is not None:
            params["memo"] = to.memo
        require_destination(found, key.address, to)
        draft = Draft("sweep", found, keys, params)
        draft.add(kind, key, (), {**(terms or {}), **params})
        return write_order(tx, draft, asking)


def spread(
    draft: Draft, key: Key, payments: Sequence[Wanted], terms: Terms | None = None, most: int | None = None
) -> None:
    """Add sends of assets to a draft, by as few transactions as `most` and the ledger let. Raises as `draft_batch`."""
    customs, wallet = draft.customs, draft.wallet
    batch, send = required(wallet, "batch"), required(wallet, "send")
    size = customs.batch_most if most is None else most
    if not 2 <= size <= customs.batch_most:
        raise BadOrder(f"a batch has 2 to {customs.batch_most} lines on {wallet.network}")
    for group in _alike(payments) if customs.batch_of_one_asset else [list(payments)]:
        for part in split(group, size):
            draft.add(send if len(part) == 1 else batch, key, part, terms, draft.lanes(key))


def _alike(payments: Iterable[Wanted]) -> list[list[Wanted]]:
    """Gather payments by their asset, in the order in which the assets come."""
    groups: dict[str, list[Wanted]] = {}
    for one in payments:
        groups.setdefault(one[1].asset.code, []).append(one)
    return list(groups.values())


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
