"""Drafting by what addresses hold: sweeps to one holding address, and priming of addresses that hold too little.

What is held is asked of a gateway before the order is written, and becomes an amount that two people sign. A sweep of
assets beside the native one sends their balances by amount, so that policy and books count them.
"""

from __future__ import annotations

from collections.abc import Sequence

from online.chains.api import Purser
from online.jobs.build import taken_claims
from online.orders.model import Order
from online.orders.writing import (
    PAYMENT,
    Asking,
    Draft,
    Terms,
    Wanted,
    own_key,
    own_wallet,
    plan_of,
    required,
    write_order,
)
from online.store.database import Store
from online.store.wallets import Key, Wallet
from shared.chains import chain
from shared.effects import Destination
from shared.errors import BadOrder, NothingToMove
from shared.money import Amount, Asset


def draft_sweep(
    store: Store,
    gateway: Purser,
    asking: Asking,
    *,
    wallet: str,
    to: str,
    terms: Terms | None = None,
    most: int | None = None,
    only: Sequence[str] = (),
) -> Order:
    """Draft that all of the native asset goes to one address, from `most` by each transaction or what the ledger lets.

    What an address holds and what moving it would cost are asked once; an address that holds less is left out. With
    `only` no other addresses are asked.

    Raises:
        NothingToMove: if nothing is there that is worth its fee. As `spending.draft_pay`, and as the gateway.
    """
    with store.transaction() as tx:
        found, every = own_wallet(tx, wallet)
        keys = _only(found, every, only)
        taken = taken_claims(tx.sql, wallet)
    _require_same(found, gateway)
    held = _holders(gateway, [key for key in keys if key.address != to])
    draft = Draft("sweep", found, every, {"to": to})
    size = min(most or draft.customs.payers, draft.customs.payers)
    for start in range(0, len(held), size):
        group = held[start : start + size]
        plan = plan_of(found, PAYMENT, group[0], [(Destination(to), _unit(found))], terms or {}, group)
        try:
            full = gateway.filled(plan, taken)
        except NothingToMove:
            continue
        draft.add(PAYMENT, group[0], [(Destination(to), full.payments[0].amount)], full.params, group)
    if not draft.plans:
        raise NothingToMove(f"no address of {wallet} holds anything")
    with store.transaction() as tx:
        return write_order(tx, draft, asking)


def draft_asset_sweep(
    store: Store,
    gateway: Purser,
    asking: Asking,
    *,
    wallet: str,
    to: Destination,
    assets: Sequence[Asset],
    terms: Terms | None = None,
    only: Sequence[str] = (),
) -> Order:
    """Draft that some assets go from each address of a wallet to one address, one transaction for each address.

    Raises:
        As `draft_sweep`.
    """
    with store.transaction() as tx:
        found, every = own_wallet(tx, wallet)
        keys = _only(found, every, only)
    _require_same(found, gateway)
    draft = Draft("sweep", found, every, {"to": to.address})
    send, batch = required(found, "send"), required(found, "batch")
    for key in keys:
        balances = [] if key.address == to.address else [gateway.asset_balance(key.address, one) for one in assets]
        wanted: list[Wanted] = [(to, balance) for balance in balances if balance.units]
        for part in [[one] for one in wanted] if draft.customs.batch_of_one_asset else [wanted]:
            if part:
                draft.add(send if len(part) == 1 else batch, key, part, terms, draft.lanes(key))
    if not draft.plans:
        raise NothingToMove(f"no address of {wallet} holds any of these assets")
    with store.transaction() as tx:
        return write_order(tx, draft, asking)


def draft_prime(
    store: Store,
    gateway: Purser,
    asking: Asking,
    *,
    wallet: str,
    primed: Sequence[tuple[str, Amount]],
    source: str | None = None,
    terms: Terms | None = None,
) -> Order:
    """Draft that every address that holds less than its least amount is paid that amount.

    Raises:
        NothingToMove: if all of them hold enough. As `spending.draft_pay`, and as the gateway.
    """
    with store.transaction() as tx:
        found, keys = own_wallet(tx, wallet)
    _require_same(found, gateway)
    payer = own_key(found, keys, source)
    least = {address: amount for address, amount in primed if address != payer.address}
    states = gateway.accounts(list(least)) if least else ()
    low = [state.address for state in states if state.balance.units < least[state.address].units]
    if not low:
        raise NothingToMove("every one of these addresses holds enough", hint="Nothing needs to be done.")
    draft = Draft("prime", found, keys)
    # The whole amount and not the difference: an output of a few satoshi would cost more than it is worth.
    draft.pay([payer], [(Destination(address), least[address]) for address in low], terms)
    with store.transaction() as tx:
        return write_order(tx, draft, asking)


def _only(wallet: Wallet, keys: Sequence[Key], addresses: Sequence[str]) -> list[Key]:
    """Give the wallet's keys of some addresses, all of them where none is named. Raises UnknownWallet."""
    return [own_key(wallet, keys, address) for address in dict.fromkeys(addresses)] or list(keys)


def _holders(gateway: Purser, keys: Sequence[Key]) -> list[Key]:
    """Give the keys whose addresses hold something, the richest first."""
    if not keys:
        return []
    states = gateway.accounts([key.address for key in keys])
    rich = [(state.balance.units, key) for state, key in zip(states, keys, strict=True) if state.balance.units]
    return [key for _, key in sorted(rich, key=lambda one: (-one[0], one[1].index))]


def _unit(wallet: Wallet) -> Amount:
    """Give an amount that stands for one not known yet, large enough for any ledger's least payment."""
    native = chain(wallet.network).network(wallet.network).native
    return Amount(native, 100_000)


def _require_same(wallet: Wallet, gateway: Purser) -> None:
    if wallet.network != gateway.network:
        raise BadOrder(f"{wallet.name} is on {wallet.network}, and the gateway on {gateway.network}")
