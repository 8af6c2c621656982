"""Accepting withdrawals: debit, limits and the withdrawal itself in one database transaction, once for each id.

Several at once share a transaction, and each is acknowledged only when that is committed; a refusal of one is its own
answer and leaves the others alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from online.customers.cover import require_covered
from online.customers.register import require_free
from online.ledger import postings
from online.orders.writing import require_destination
from online.store import journal, tables
from online.store.database import Store, Tx
from online.store.wallets import Wallet, find_keys, find_wallet
from online.withdrawals.mandates import Ceiling, Given, mandate_of
from online.withdrawals.model import Withdrawal, debit, find_withdrawal
from online.withdrawals.states import GIVEN_BACK, State
from shared.effects import Destination
from shared.encoding import Value, units_to_bytes
from shared.errors import (
    BadWithdrawal,
    NotAllowedThere,
    OverWithdrawalLimit,
    Refusal,
    WithdrawalConflict,
    WrongNetwork,
)
from shared.money import Amount

DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Wish:
    """What a customer wants: the caller's id, from which wallet, where to and how much. Fees are the house's."""

    id: str
    customer: str
    wallet: str
    destination: Destination
    amount: Amount


def accept(store: Store, wish: Wish, now: int) -> Withdrawal:
    """Accept one withdrawal; the same one again gives what is there.

    Raises:
        BadWithdrawal, WrongNetwork, BadAddress: for what is none. UnknownCustomer, CustomerFrozen, NotCovered: of the
            customer. MandateMissing, OverWithdrawalLimit, NotAllowedThere: if nobody let the wallet pay this.
        WithdrawalConflict: if the id names another withdrawal.
    """
    (answer,) = accept_many(store, [wish], now)
    if isinstance(answer, Refusal):
        raise answer
    return answer


def accept_many(store: Store, wishes: Sequence[Wish], now: int) -> tuple[Withdrawal | Refusal, ...]:
    """Accept withdrawals in one transaction, and give for each what it became or why it is refused."""
    answers: list[Withdrawal | Refusal] = []
    with store.transaction() as tx:
        desk = _Desk(tx, now)
        for wish in wishes:
            try:
                answers.append(desk.take(wish))
            except Refusal as refusal:
                answers.append(refusal)
    return tuple(answers)


class _Desk:
    """One transaction's worth of accepting: what was read once is kept and counted on."""

    def __init__(self, tx: Tx, now: int) -> None:
        self._tx, self._now = tx, now
        self._wallets: dict[str, tuple[Wallet, Given, str]] = {}
        self._used: dict[tuple[str, str], Counter[str]] = {}

    def take(self, wish: Wish) -> Withdrawal:
        there = _there(self._tx.sql, wish)
        if there is not None:
            return there
        wallet, given, source = self._wallet(wish.wallet)
        _require_whole(wish, wallet, source)
        require_free(self._tx, wish.customer)
        _require_allowed(self._tx.sql, wish, wallet.network)
        ceiling = given.mandate.ceilings.get(wish.amount.asset.code)
        used = self._usage(wish)
        _require_within(wish, ceiling, used)
        lines = debit(wish.customer, wish.amount)
        require_covered(self._tx.sql, lines)
        held = ceiling is not None and wish.amount.units > ceiling.review
        state = State.HELD if held else State.QUEUED
        self._write(wish, state, "above what is paid without a look" if held else "")
        entry = postings.post(self._tx, f"withdrawal {wish.id} accepted", "posted", lines, None, self._now)
        self._tell(wish, state, entry)
        used[""] += wish.amount.units
        used[wish.customer] += wish.amount.units
        return find_withdrawal(self._tx.sql, wish.id)

    def _wallet(self, name: str) -> tuple[Wallet, Given, str]:
        if name not in self._wallets:
            keys = find_keys(self._tx.sql, name)
            source = keys[0].address if keys else ""
            self._wallets[name] = (find_wallet(self._tx.sql, name), mandate_of(self._tx.sql, name), source)
        return self._wallets[name]

    def _usage(self, wish: Wish) -> Counter[str]:
        """Add up what the wallet's withdrawals of 24 hours took of an asset: in all under "", and by customer."""
        key = wish.wallet, wish.amount.asset.code
        if key not in self._used:
            table, used = tables.withdrawals, Counter[str]()
            query = select(table.c.customer, table.c.units).where(
                table.c.wallet == wish.wallet, table.c.asset_code == wish.amount.asset.code,
                table.c.created > self._now - DAY_SECONDS,
                table.c.state.not_in([state.value for state in GIVEN_BACK]),
            )  # fmt: skip
            for row in self._tx.sql.execute(query):
                used[""] += int(row.units)
                used[row.customer] += int(row.units)
            self._used[key] = used
        return self._used[key]

    def _write(self, wish: Wish, state: State, reason: str) -> None:
        asset, to = wish.amount.asset, wish.destination
        who = {"id": wish.id, "customer": wish.customer, "wallet": wish.wallet, "state": state.value, "reason": reason}
        what = {"network": asset.network, "asset_code": asset.code, "units": str(wish.amount.units)}
        where = {"destination": to.address, "tag": to.tag, "memo": to.memo}
        times = {"created": self._now, "updated": self._now}
        self._tx.sql.execute(insert(tables.withdrawals).values(**who, **what, **where, **times))

    def _tell(self, wish: Wish, state: State, entry: int) -> None:
        asset, to = wish.amount.asset, wish.destination
        body: dict[str, Value] = {
            "withdrawal": wish.id, "customer": wish.customer, "wallet": wish.wallet, "network": asset.network,
            "asset": asset.code, "units": units_to_bytes(wish.amount.units), "to": [to.address, to.tag, to.memo],
            "state": state.value, "posted": postings.sworn(self._tx.sql, entry),
        }  # fmt: skip
        journal.append(self._tx, "withdrawal-accepted", body, self._now)


def _there(connection: Connection, wish: Wish) -> Withdrawal | None:
    if not 1 <= len(wish.id) <= 64 or not wish.id.isprintable():
        raise BadWithdrawal("a withdrawal's id has 1 to 64 printable characters")
    table = tables.withdrawals
    if connection.execute(select(table.c.id).where(table.c.id == wish.id)).scalar() is None:
        return None
    there = find_withdrawal(connection, wish.id)
    same = (there.customer, there.wallet, there.destination, there.amount)
    if same != (wish.customer, wish.wallet, wish.destination, wish.amount):
        raise WithdrawalConflict(f"the id {wish.id!r} names another withdrawal")
    return there


def _require_whole(wish: Wish, wallet: Wallet, source: str) -> None:
    if wish.amount.asset.network != wallet.network:
        raise WrongNetwork(f"{wish.amount.asset} is not of {wallet.network}")
    if not wish.amount.units:
        raise BadWithdrawal("a withdrawal of nothing is none")
    require_destination(wallet, source, wish.destination)


def _require_allowed(connection: Connection, wish: Wish, network: str) -> None:
    """Where a customer's list holds anything for a network, they withdraw to nowhere else there."""
    table = tables.allowed
    here = (table.c.customer == wish.customer) & (table.c.network == network)
    listed = set(connection.execute(select(table.c.place).where(here)).scalars())
    if listed and str(wish.destination) not in listed:
        raise NotAllowedThere(f"{wish.customer} may not withdraw to {wish.destination}")


def _require_within(wish: Wish, ceiling: Ceiling | None, used: Counter[str]) -> None:
    asset, units = wish.amount.asset, wish.amount.units
    if ceiling is None:
        raise OverWithdrawalLimit(f"the wallet {wish.wallet} pays no {asset.code} by itself")
    for most, have, span in (
        (ceiling.event, 0, "at once"),
        (ceiling.customer_day, used[wish.customer], f"by {wish.customer} in 24 hours"),
        (ceiling.day, used[""], "by the wallet in 24 hours"),
    ):
        if have + units > most:
            text = f"{Amount(asset, have + units)} {span}, at most {Amount(asset, most)}"
            raise OverWithdrawalLimit(text)
