"""Accepting withdrawals: debit, limits and the withdrawal itself in one database transaction, once for each id.

Several at once share a transaction, and each is acknowledged only when that is committed; a refusal of one is its own
answer and leaves the others alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from online.customers.cover import Cover
from online.customers.register import Register
from online.ledger import accounts, postings
from online.ledger.postings import Entry
from online.orders.writing import find_own_wallet
from online.store import journal, tables
from online.store.database import Store, Tx
from online.store.wallets import Key, Wallet
from online.withdrawals.mandates import Ceiling, Given, mandate_of
from online.withdrawals.model import ACCEPTED, Withdrawal, asked_for, debit, withdrawals_of
from online.withdrawals.payable import require_payable
from online.withdrawals.states import GIVEN_BACK, State
from shared.effects import Destination
from shared.encoding import Value
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
    answers: list[str | Refusal] = []
    with store.transaction() as tx:
        desk = _Desk(tx.sql, wishes, now)
        for wish in wishes:
            try:
                answers.append(desk.take(wish))
            except Refusal as refusal:
                answers.append(refusal)
        desk.write(tx)
        there = withdrawals_of(tx.sql, [one for one in answers if isinstance(one, str)])
    return tuple(there[one] if isinstance(one, str) else one for one in answers)


@dataclass(frozen=True, slots=True)
class Judged:
    """What accepting would make of a wish: its state with the reason, or where it stands if it was accepted before."""

    state: State
    reason: str
    there: Withdrawal | None


def judge(connection: Connection, wish: Wish, now: int) -> Judged:
    """Say what accepting a withdrawal now would make of it, and write nothing. Raises as `accept`."""
    desk = _Desk(connection, [wish], now)
    desk.take(wish)
    return desk.judged(wish.id)


class _Desk:
    """One transaction's worth of accepting: what is read is read once and counted on, and written together."""

    def __init__(self, connection: Connection, wishes: Sequence[Wish], now: int) -> None:
        self._sql, self._now = connection, now
        self._there = withdrawals_of(connection, [wish.id for wish in wishes if _is_id(wish.id)])
        self._register = Register(connection, [wish.customer for wish in wishes])
        self._cover = Cover(connection, [accounts.customer(wish.customer) for wish in wishes if _is_id(wish.customer)])
        self._wallets: dict[str, tuple[Wallet, Given, tuple[Key, ...]]] = {}
        self._used: dict[tuple[str, str], Counter[str]] = {}
        self._counts: dict[tuple[str, str], Counter[str]] = {}
        self._accepted: dict[str, tuple[Wish, State, str]] = {}

    def take(self, wish: Wish) -> str:
        """Accept a withdrawal, which `write` then writes; give its id. Raises as `accept`."""
        if self._is_there(wish):
            return wish.id
        wallet, given, keys = self._wallet(wish.wallet)
        _require_whole(wish, wallet, keys)
        self._register.free(wish.customer)
        if not self._register.allows(wish.customer, wallet.network, wish.destination):
            raise NotAllowedThere(f"{wish.customer} may not withdraw to {wish.destination}")
        ceiling = given.mandate.ceilings.get(wish.amount.asset.code)
        used = self._usage(wish)
        _require_within(wish, ceiling, used, self._counts[wish.wallet, wish.amount.asset.code][wish.customer])
        self._cover.take(debit(wish.customer, wish.amount))
        held = ceiling is not None and wish.amount.units > ceiling.review
        reason = "above what is paid without a look" if held else ""
        self._accepted[wish.id] = wish, State.HELD if held else State.QUEUED, reason
        used[""] += wish.amount.units
        used[wish.customer] += wish.amount.units
        self._counts[wish.wallet, wish.amount.asset.code][wish.customer] += 1
        return wish.id

    def judged(self, name: str) -> Judged:
        """Say what became of a withdrawal that `take` took."""
        there = self._there.get(name)
        return Judged(there.state, there.reason, there) if there else Judged(*self._accepted[name][1:], None)

    def write(self, tx: Tx) -> None:
        """Write what was accepted: the withdrawals, their postings and what the journal says of them."""
        taken = list(self._accepted.values())
        if not taken:
            return
        entries = [
            Entry(f"withdrawal {wish.id} accepted", "posted", debit(wish.customer, wish.amount)) for wish, _, _ in taken
        ]
        numbers = postings.post_many(tx, entries, self._now)
        sworn = postings.sworn_many(tx.sql, numbers)
        told = [
            (ACCEPTED, _body(wish, state, sworn[number]))
            for (wish, state, _), number in zip(taken, numbers, strict=True)
        ]
        lines = journal.append_many(tx, told, self._now)
        rows = [self._row(*one, line) for one, line in zip(taken, lines, strict=True)]
        tx.sql.execute(insert(tables.withdrawals), rows)

    def _is_there(self, wish: Wish) -> bool:
        """Say whether a withdrawal was accepted before, by an earlier call or in this one."""
        if not _is_id(wish.id):
            raise BadWithdrawal("a withdrawal's id has 1 to 64 printable characters")
        there = self._there.get(wish.id)
        if there is not None:
            same = (there.customer, there.wallet, there.destination, there.amount)
        elif wish.id in self._accepted:
            before = self._accepted[wish.id][0]
            same = (before.customer, before.wallet, before.destination, before.amount)
        else:
            return False
        if same != (wish.customer, wish.wallet, wish.destination, wish.amount):
            raise WithdrawalConflict(f"the id {wish.id!r} names another withdrawal")
        return True

    def _wallet(self, name: str) -> tuple[Wallet, Given, tuple[Key, ...]]:
        if name not in self._wallets:
            given = mandate_of(self._sql, name)
            wallet, keys = find_own_wallet(self._sql, name)
            self._wallets[name] = (wallet, given, keys)
        return self._wallets[name]

    def _usage(self, wish: Wish) -> Counter[str]:
        """Add up what the wallet's withdrawals of 24 hours took of an asset: in all under "", and by customer.

        How many there were of each customer is counted beside, those given back among them: their fee is gone.
        """
        key = wish.wallet, wish.amount.asset.code
        if key not in self._used:
            table, used, counts = tables.withdrawals, Counter[str](), Counter[str]()
            query = select(table.c.customer, table.c.units, table.c.state).where(
                table.c.wallet == wish.wallet, table.c.asset_code == wish.amount.asset.code,
                table.c.created > self._now - DAY_SECONDS,
            )  # fmt: skip
            for row in self._sql.execute(query):
                counts[row.customer] += 1
                if row.state not in GIVEN_BACK:
                    used[""] += int(row.units)
                    used[row.customer] += int(row.units)
            self._used[key], self._counts[key] = used, counts
        return self._used[key]

    def _row(self, wish: Wish, state: State, reason: str, line: int) -> dict[str, object]:
        asset, to = wish.amount.asset, wish.destination
        who = {"id": wish.id, "customer": wish.customer, "wallet": wish.wallet, "state": state.value, "reason": reason}
        what = {"network": asset.network, "asset_code": asset.code, "units": str(wish.amount.units)}
        where = {"destination": to.address, "tag": to.tag, "memo": to.memo}
        return {**who, **what, **where, "created": self._now, "updated": self._now, "line": line}


def _body(wish: Wish, state: State, posted: list[Value]) -> dict[str, Value]:
    return {**asked_for(wish), "state": state.value, "posted": posted}


def _is_id(text: str) -> bool:
    return 1 <= len(text) <= 64 and text.isprintable()


def _require_whole(wish: Wish, wallet: Wallet, keys: Sequence[Key]) -> None:
    if wish.amount.asset.network != wallet.network:
        raise WrongNetwork(f"{wish.amount.asset} is not of {wallet.network}")
    if not wish.amount.units:
        raise BadWithdrawal("a withdrawal of nothing is none")
    require_payable(wallet, keys, (wish.destination, wish.amount))


def _require_within(wish: Wish, ceiling: Ceiling | None, used: Counter[str], count: int) -> None:
    asset, units = wish.amount.asset, wish.amount.units
    if ceiling is None:
        raise OverWithdrawalLimit(f"the wallet {wish.wallet} pays no {asset.code} by itself")
    if units < ceiling.least:
        raise BadWithdrawal(f"{wish.amount} is less than {Amount(asset, ceiling.least)}, the least withdrawal")
    if count >= ceiling.customer_count:
        raise OverWithdrawalLimit(f"{wish.customer} asked for {count} of {asset.code} in 24 hours, which is the most")
    for most, have, span in (
        (ceiling.event, 0, "at once"),
        (ceiling.customer_day, used[wish.customer], f"by {wish.customer} in 24 hours"),
        (ceiling.day, used[""], "by the wallet in 24 hours"),
    ):
        if have + units > most:
            text = f"{Amount(asset, have + units)} {span}, at most {Amount(asset, most)}"
            raise OverWithdrawalLimit(text)
