"""Gathering what waits into orders: by the wallet's mandate, the station drafts them and nobody else approves.

How many lines fit in a transaction each ledger's customs say; what waits too short and too few goes on waiting, and so
does what is not pressing while the ledger is dear.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, combinations, count, islice, product
from types import MappingProxyType
from typing import Final

from sqlalchemy import Connection, select

from online.customers.register import Register
from online.jobs.model import find_job, find_jobs, transfer_refs
from online.jobs.moves import move as move_job
from online.jobs.states import State as JobState
from online.jobs.unknown import require_remembered
from online.jobs.withdraw import take_back
from online.orders.model import Order
from online.orders.writing import Wanted, own_wallet, write_mandated
from online.store import tables
from online.store.database import Store, Tx
from online.store.followed import Followed
from online.store.wallets import find_wallet
from online.telling import in_the_way
from online.withdrawals.day import Day
from online.withdrawals.mandates import Given, mandate_of
from online.withdrawals.model import Withdrawal, find_withdrawal, find_withdrawals, move
from online.withdrawals.payable import draft_of, require_payable
from online.withdrawals.states import State
from online.withdrawals.sworn import Sworn, remember
from shared.envelope import order_id
from shared.errors import (
    EntriesMissing,
    JournalDamaged,
    MandateMissing,
    OverWithdrawalLimit,
    Refusal,
    TooManyAlike,
    Unreconciled,
    WithdrawalMoved,
    WithdrawalUnproven,
)

MOST_CHOICES, _MOST_ATTEMPTS = 10_000, 20
NO_FEES: Final[Mapping[str, int]] = MappingProxyType({})


def patient(store: Store) -> frozenset[str]:
    """Give the networks on which something waits under a mandate that asks what a payment costs."""
    table = tables.withdrawals
    query = select(table.c.wallet, table.c.network).where(table.c.state == State.QUEUED.value).distinct()
    with store.reading() as connection:
        waiting = connection.execute(query).all()
        return frozenset(row.network for row in waiting if _asks(connection, row.wallet))


def _asks(connection: Connection, wallet: str) -> bool:
    try:
        return mandate_of(connection, wallet).mandate.patience is not None
    except Refusal:
        return False  # `gather` says what is wrong with it


@dataclass(frozen=True, slots=True)
class Gathered:
    """The orders that were made, and what people must look into, each withdrawal by its id."""

    orders: tuple[Order, ...]
    troubles: tuple[str, ...]


def gather(store: Store, now: int, fees: Mapping[str, int] = NO_FEES) -> Gathered:
    """Make orders of what waits long enough, or in number; they are approved and wait to be built.

    `fees` is what a plain payment costs now on a network, in base units; one that nobody could tell counts as dear.
    What its ledger can not pay, or the mandate does not let through, is held for a person; what the journal does not
    bear out is left where it is, and told; what the mandate's day has no room for waits. Each wallet is gathered by
    itself: what is wrong with one stops no other.
    """
    table = tables.withdrawals
    waiting = select(table.c.wallet).where(table.c.state == State.QUEUED.value).distinct().order_by(table.c.wallet)
    with store.reading() as connection:
        wallets = connection.execute(waiting).scalars().all()
        _read_on(store, connection, wallets, now, fees)
    orders: list[Order] = []
    troubles: list[str] = []
    for wallet in wallets:
        try:
            with store.transaction() as tx:
                made, told = _gather(tx, wallet, now, fees, store.memory.followed)
        except MandateMissing:
            continue  # revoked since: what was accepted waits for a new word, or is cancelled
        except (EntriesMissing, Unreconciled):
            continue  # what waits may be paid already, by an order that was forgotten: `forgetful` says so
        except Refusal as refusal:
            troubles.append(in_the_way(f"withdrawals of {wallet}", refusal))
            continue
        orders += made
        troubles += told
    return Gathered(tuple(orders), tuple(troubles))


def _read_on(
    store: Store, connection: Connection, wallets: Sequence[str], now: int, fees: Mapping[str, int]
) -> None:
    """Read the journal on for what is due, before anybody waits for this process to have written."""
    due: list[Withdrawal] = []
    for wallet in wallets:
        with suppress(Refusal):  # `_gather` says what is wrong with it
            given = mandate_of(connection, wallet)
            due += [one for part in _due(connection, given, _waiting(connection, wallet), now, fees) for one in part]
    if due:
        with suppress(JournalDamaged):  # the same
            remember(store, connection, due)


def _gather(
    tx: Tx, name: str, now: int, fees: Mapping[str, int], followed: Followed
) -> tuple[list[Order], list[str]]:
    given = mandate_of(tx.sql, name)
    require_remembered(tx.sql, name, tx.station.public_key)
    wallet, keys = own_wallet(tx, name)
    made, troubles = [], []
    waiting = _waiting(tx.sql, name)
    if not any(_due(tx.sql, given, waiting, now, fees)):
        return [], []
    day = Day(tx, given, now)
    due = list(_due(tx.sql, given, {code: day.room_for(some) for code, some in waiting.items()}, now, fees))
    sworn = Sworn(tx.sql, tx.station.public_key, [one for part in due for one in part], followed)
    for part in due:
        fit = []
        for one in part:
            try:
                sworn.require_payable(one)
            except WithdrawalUnproven as refusal:
                troubles.append(f"withdrawal not paid: {one.id}: {refusal} [{refusal.code}]: {refusal.hint}")
                continue
            try:
                _require_let_through(given, one)
                require_payable(wallet, keys, (one.destination, one.amount))
            except Refusal as refusal:
                why = f"{refusal} [{refusal.code}]"
                move(tx, one, State.HELD, now, reason=why[:500])
                troubles.append(f"withdrawal held: {one.id}: {why}")
            else:
                fit.append(one)
        if some := day.take(fit):
            made.append(_order(tx, given, some, now))
    return made, troubles


def _require_let_through(given: Given, one: Withdrawal) -> None:
    """Refuse what a mandate that came after it was accepted does not let through. Raises OverWithdrawalLimit."""
    ceiling = given.mandate.ceilings.get(one.amount.asset.code)
    if ceiling is None or one.amount.units > ceiling.event:
        raise OverWithdrawalLimit(f"{one.amount} is above what the mandate of {given.mandate.wallet} lets through now")


def _waiting(connection: Connection, wallet: str) -> dict[str, list[Withdrawal]]:
    """Give by asset what waits for a wallet, but for customers whose balance is held."""
    by_asset: dict[str, list[Withdrawal]] = {}
    queued = find_withdrawals(connection, states=(State.QUEUED,), wallet=wallet)
    register = Register(connection, {one.customer for one in queued})
    for one in queued:
        if not register.is_frozen(one.customer):
            by_asset.setdefault(one.amount.asset.code, []).append(one)
    return by_asset


def _due(
    connection: Connection,
    given: Given,
    by_asset: Mapping[str, Sequence[Withdrawal]],
    now: int,
    fees: Mapping[str, int],
) -> Iterable[Sequence[Withdrawal]]:
    """Give what is due, by asset, in parts of as many as the mandate says."""
    network, patience = find_wallet(connection, given.mandate.wallet).network, given.mandate.patience
    dear = patience is not None and not 0 <= fees.get(network, -1) <= patience.fee
    for waiting in by_asset.values():
        age = now - waiting[0].created if waiting else 0
        if dear and patience is not None and age < patience.seconds:
            continue
        old = age >= given.mandate.age_seconds
        size = given.mandate.count
        whole = len(waiting) if old else len(waiting) // size * size
        for start in range(0, whole, size):
            yield waiting[start : min(start + size, whole)]


def _order(tx: Tx, given: Given, part: Sequence[Withdrawal], now: int, key: str = "") -> Order:
    wallet, keys = own_wallet(tx, given.mandate.wallet)
    draft = draft_of(wallet, keys, [(one.destination, one.amount) for one in part], {"mandate": given.id.hex()})
    people = given.drafted_by, given.approved_by or given.drafted_by
    order = write_mandated(tx, draft, key or _free_key(tx.sql, part), people, now)
    left = list(part)
    for job in find_jobs(tx.sql, order=order.id, states=(JobState.DRAFTED,)):
        for ref in transfer_refs(tx.sql, job.id):
            line = order.lines[ref.line]
            one = next(each for each in left if (each.destination, each.amount) == (line.destination, line.amount))
            left.remove(one)
            move(tx, one, State.ORDERED, now, transfer=ref.transfer_id)
        move_job(tx, job, JobState.APPROVED, now)
    return order


def forgetful(store: Store) -> tuple[str, ...]:
    """Say of which wallets nothing is gathered, since their signer's journal shows what this store does not hold."""
    table, station = tables.withdrawals, store.station
    found = []
    with store.reading() as connection:
        waiting = select(table.c.wallet).where(table.c.state == State.QUEUED.value).distinct().order_by(table.c.wallet)
        for wallet in connection.execute(waiting).scalars().all():
            try:
                require_remembered(connection, wallet, b"" if station is None else station.public_key)
            except (EntriesMissing, Unreconciled) as refusal:
                found.append(f"withdrawals of {wallet} wait: {refusal} [{refusal.code}]")
    return tuple(found)


def regather(tx: Tx, wallet: str, order: bytes, lines: Sequence[Wanted], now: int) -> bool:
    """Make an order again that this store forgot, of the withdrawals whose ids its own id was made from.

    Say whether there are such: they wait here, be it from before a backup or since they were asked for again. What it
    pays counts for the mandate's day, and is not bounded by it: it may have left already.

    Raises:
        WithdrawalUnproven, JournalDamaged: if the journal does not bear them out.
        TooManyAlike: if they are not found among the first so many choices, and there are others.
    """
    waiting = find_withdrawals(tx.sql, states=(State.QUEUED,), wallet=wallet)
    for number, part in enumerate(_choices(waiting, lines)):
        if number == MOST_CHOICES:
            raise TooManyAlike(f"too many withdrawals of {wallet} are alike to say which ones it pays")
        keys = (_key(part, attempt) for attempt in range(_MOST_ATTEMPTS))
        key = next((each for each in keys if order_id(each) == order), None)
        if key is not None:
            sworn = Sworn(tx.sql, tx.station.public_key, part, Followed())
            for one in part:
                sworn.require_payable(one)
            _order(tx, mandate_of(tx.sql, wallet), part, now, key)
            return True
    return False


def _choices(waiting: Sequence[Withdrawal], lines: Sequence[Wanted]) -> Iterable[list[Withdrawal]]:
    """Give every choice of different withdrawals for some lines; which of equal lines one stands for is all one."""
    places = {line: [at for at, other in enumerate(lines) if other == line] for line in lines}
    alike = [[one for one in waiting if (one.destination, one.amount) == line] for line in places]
    ways = (
        islice(combinations(some, len(at)), MOST_CHOICES + 1)
        for some, at in zip(alike, places.values(), strict=True)
    )  # fmt: skip
    for chosen in product(*ways):
        part = dict(zip(chain(*places.values()), chain(*chosen), strict=True))
        yield [part[at] for at in range(len(lines))]


def _free_key(connection: Connection, part: Sequence[Withdrawal]) -> str:
    """Give the key of the next order for these withdrawals; a restored store gives the same one again."""
    keys = (_key(part, attempt) for attempt in count())
    table = tables.orders
    return next(key for key in keys if connection.execute(
        select(table.c.id).where(table.c.id == order_id(key).hex())).scalar() is None)


def _key(part: Sequence[Withdrawal], attempt: int) -> str:
    ids = "\n".join(sorted(one.id for one in part))
    return f"withdrawals {hashlib.sha256(ids.encode()).hexdigest()} {attempt}"


def cancel(store: Store, withdrawal_id: str, now: int) -> Withdrawal:
    """Cancel a withdrawal whose transaction has not left for the signer; its companions wait again.

    Raises:
        UnknownWithdrawal: if there is none. WithdrawalMoved: if it is too late.
        WithdrawalUnproven, JournalDamaged: if the journal says another amount than would be given back.
    """
    with store.reading() as connection:
        remember(store, connection, [find_withdrawal(connection, withdrawal_id)])
    with store.transaction() as tx:
        one = unordered(tx, withdrawal_id, now)
        Sworn(tx.sql, tx.station.public_key, [one], store.memory.followed).require(one)
        return move(tx, one, State.CANCELLED, now, reason="cancelled")


def hold(store: Store, withdrawal_id: str, reason: str, now: int) -> Withdrawal:
    """Hold a withdrawal that has not left for the signer, until a person lets it go.

    Raises:
        UnknownWithdrawal: if there is none. WithdrawalMoved: if it is too late.
    """
    with store.transaction() as tx:
        return move(tx, unordered(tx, withdrawal_id, now), State.HELD, now, reason=reason)


def unordered(tx: Tx, withdrawal_id: str, now: int) -> Withdrawal:
    """Give a withdrawal that no order pays: an order that has not left is taken back, and its other lines wait again.

    Raises:
        UnknownWithdrawal: if there is none. WithdrawalMoved: if it has left, since it may be paid.
    """
    one = find_withdrawal(tx.sql, withdrawal_id)
    if one.transfer is not None and one.state is State.ORDERED:
        link = tables.job_transfers
        query = select(link.c.job).where(link.c.transfer == one.transfer.hex()).order_by(link.c.job.desc())
        job = find_job(tx.sql, tx.sql.execute(query.limit(1)).scalar_one())
        if job.state in (JobState.APPROVED, JobState.BUILT):
            take_back(tx, job.id, now)
            one = find_withdrawal(tx.sql, withdrawal_id)
    if one.state is State.ORDERED:
        raise WithdrawalMoved(f"the withdrawal {one.id} has left for the signer, and may be paid")
    return one
