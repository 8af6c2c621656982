"""Drafting a move between own wallets, and what an account needs so that it can be used: tickets, keys, fewer coins.

Nothing is built, reserved or promised by a draft. The same key with the same order gives the order that is there.
"""

from __future__ import annotations

from collections.abc import Sequence

from online.orders.model import Order
from online.orders.writing import Asking, Draft, Terms, own_key, own_wallet, required, write_order
from online.store.database import Store
from online.store.wallets import Key
from shared.effects import Destination
from shared.errors import BadOrder
from shared.money import Amount


def draft_rebalance(
    store: Store, asking: Asking, *, from_wallet: str, to_wallet: str, amount: Amount, source: str | None = None,
    tag: int | None = None, memo: str | None = None,
) -> Order:  # fmt: skip
    """Draft the move of an amount from one of a wallet's addresses (default: the first) to another wallet's first.

    It has a tag or memo where that demands one.

    Raises:
        UnknownWallet, UnknownPerson: for names that the store does not hold. BadOrder, WrongNetwork, NoSuchOrder: if
            it can not be done. OrderConflict: if the idempotency key names another order.
    """
    with store.transaction() as tx:
        wallet, keys = own_wallet(tx, from_wallet)
        target, target_keys = own_wallet(tx, to_wallet)
        if target.network != wallet.network or target.name == wallet.name:
            raise BadOrder(f"{to_wallet} is no other wallet on {wallet.network}")
        draft = Draft("rebalance", wallet, keys)
        to = Destination(target_keys[0].address, tag, memo)
        draft.pay([own_key(wallet, keys, source)], [(to, amount)])
        return write_order(tx, draft, asking)


def draft_tickets(
    store: Store, asking: Asking, *, wallet: str, count: int, source: str | None = None
) -> Order:
    """Draft the making of tickets on an address of a wallet (default: the first). Raises as `draft_rebalance`."""
    with store.transaction() as tx:
        found, keys = own_wallet(tx, wallet)
        if count < 1:
            raise BadOrder(f"{count} tickets are none")
        key, params = own_key(found, keys, source), {"count": count}
        draft = Draft("tickets", found, keys, {**params, "source": key.address})
        draft.add(required(found, "tickets"), key, (), params)
        return write_order(tx, draft, asking)


def draft_consolidation(
    store: Store, asking: Asking, *, wallet: str, coins: int, source: str | None = None, terms: Terms | None = None
) -> Order:
    """Draft that at most so many of an address's coins become one coin of its own. Raises as `draft_rebalance`."""
    with store.transaction() as tx:
        found, keys = own_wallet(tx, wallet)
        key, params = own_key(found, keys, source), {"coins": coins}
        draft = Draft("consolidation", found, keys, {**params, "source": key.address})
        draft.add(required(found, "consolidation"), key, (), {**(terms or {}), **params})
        return write_order(tx, draft, asking)


def draft_lanes(store: Store, asking: Asking, *, wallet: str, count: int) -> Order:
    """Draft that the wallet's keys after its first sign for its first address as well: `count` lanes in all.

    Raises:
        As `draft_rebalance`; UnknownWallet if the wallet's card holds fewer keys.
    """
    with store.transaction() as tx:
        found, keys = own_wallet(tx, wallet)
        kind, draft = required(found, "lanes"), Draft("lanes", found, keys, {"count": count})
        if not 2 <= count <= draft.customs.lanes_most:
            raise BadOrder(f"an address has 2 to {draft.customs.lanes_most} lanes, and not {count}")
        further = _keys(keys, range(1, count), wallet)
        params = {f"key {key.index}": key.address for key in further}
        draft.add(kind, keys[0], (), params, draft.lanes(keys[0]))
        return write_order(tx, draft, asking)


def draft_rotation(store: Store, asking: Asking, *, wallet: str, old: int, new: int) -> Order:
    """Draft that one of the wallet's keys signs for its first address in the place of another, by their numbers.

    Raises:
        As `draft_lanes`.
    """
    with store.transaction() as tx:
        found, keys = own_wallet(tx, wallet)
        kind, draft = required(found, "rotation"), Draft("rotation", found, keys, {"old": old, "new": new})
        if old == new or max(old, new) >= draft.customs.lanes_most:
            raise BadOrder(f"two different keys of the first {draft.customs.lanes_most} are named")
        before, after = _keys(keys, (old, new), wallet)
        draft.add(kind, keys[0], (), {"old": before.address, "new": after.address}, draft.lanes(keys[0]))
        return write_order(tx, draft, asking)


def _keys(keys: Sequence[Key], numbers: Sequence[int], wallet: str) -> list[Key]:
    if min(numbers) < 0 or max(numbers) >= len(keys):
        raise BadOrder(
            f"the wallet {wallet} has {len(keys)} keys here", hint="Let the signer write a card with more keys."
        )
    return [keys[number] for number in numbers]
