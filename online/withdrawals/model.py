"""What a withdrawal is, how it is read back, and the one function that moves it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Row, select, tuple_, update

from online.ledger import accounts, postings
from online.ledger.accounts import Kind
from online.ledger.postings import Posting
from online.store import journal, tables
from online.store.assets import finder
from online.store.database import Store, Tx
from online.store.many import among, given
from online.withdrawals.states import GIVEN_BACK, MOVES, State
from shared.effects import Destination
from shared.encoding import Value, units_to_bytes
from shared.errors import UnknownWithdrawal, WithdrawalMoved
from shared.money import Amount

if TYPE_CHECKING:
    from online.withdrawals.accepting import Wish

ACCEPTED = "withdrawal-accepted"
MOVED = "withdrawal"
"""The kinds of the journal's lines about withdrawals: the first, and every other."""

_BY_ID = select(tables.withdrawals).where(tables.withdrawals.c.id.in_(given()))
_BY_TRANSFER = select(tables.withdrawals).where(tables.withdrawals.c.transfer.in_(given()))


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """One withdrawal by the caller's id. `transfer` is the order's transfer (16 bytes) that carries it out.

    `line` is the number of the journal's line that accepted it; None where the journal has none.
    """

    id: str
    customer: str
    wallet: str
    destination: Destination
    amount: Amount
    state: State
    reason: str
    transfer: bytes | None
    created: int
    updated: int
    line: int | None


def asked_for(one: Withdrawal | Wish) -> dict[str, Value]:
    """Give what was asked for as the journal says it when it is accepted, and as a person signs it."""
    asset, to = one.amount.asset, one.destination
    return {
        "withdrawal": one.id, "customer": one.customer, "wallet": one.wallet, "network": asset.network,
        "asset": asset.code, "units": units_to_bytes(one.amount.units), "to": [to.address, to.tag, to.memo],
    }  # fmt: skip


def withdrawals(
    store: Store, *, customer: str | None = None, states: Collection[State] = (), since: str | int | None = None,
    limit: int | None = None,
) -> tuple[Withdrawal, ...]:  # fmt: skip
    """List withdrawals, the oldest first, of one customer or in some states if asked.

    `since` is the id of the last one that is known already, or a moment in Unix seconds; `limit` how many are given at
    most. Raises UnknownWithdrawal: if there is none of this id.
    """
    with store.reading() as connection:
        after = None
        if isinstance(since, str):
            last = find_withdrawal(connection, since)
            after = (last.created, last.id)
        elif since is not None:
            after = (since, "")
        return find_withdrawals(connection, customer=customer, states=states, after=after, limit=limit)


def find_withdrawals(
    connection: Connection, *, customer: str | None = None, states: Collection[State] = (), wallet: str | None = None,
    after: tuple[int, str] | None = None, limit: int | None = None,
) -> tuple[Withdrawal, ...]:  # fmt: skip
    """List withdrawals within a transaction, those behind a time and id if asked."""
    table = tables.withdrawals
    query = select(table).order_by(table.c.created, table.c.id).limit(limit)
    if after is not None:
        query = query.where(tuple_(table.c.created, table.c.id) > tuple_(*after))
    if customer is not None:
        query = query.where(table.c.customer == customer)
    if wallet is not None:
        query = query.where(table.c.wallet == wallet)
    if states:
        query = query.where(table.c.state.in_([state.value for state in states]))
    return _read(connection, connection.execute(query).all())


def find_withdrawal(connection: Connection, withdrawal_id: str) -> Withdrawal:
    """Give a withdrawal within a transaction. Raises UnknownWithdrawal."""
    found = withdrawals_of(connection, [withdrawal_id])
    if not found:
        raise UnknownWithdrawal(f"no withdrawal {withdrawal_id[:70]!r}")
    return found[withdrawal_id]


def withdrawals_of(connection: Connection, withdrawal_ids: Collection[str]) -> dict[str, Withdrawal]:
    """Give the withdrawals that there are of these ids within a transaction, by id."""
    rows = list(among(connection, _BY_ID, withdrawal_ids))
    return {one.id: one for one in _read(connection, rows)}


def withdrawals_by_transfer(connection: Connection, transfers: Collection[bytes]) -> dict[bytes, Withdrawal]:
    """Give the withdrawals that orders' transfers carry out within a transaction, by transfer."""
    rows = list(among(connection, _BY_TRANSFER, [one.hex() for one in transfers]))
    return {one.transfer: one for one in _read(connection, rows) if one.transfer is not None}


def note_reason(tx: Tx, one: Withdrawal, reason: str) -> None:
    """Say beside a withdrawal why it stays where it is."""
    if one.reason != reason:
        here = tables.withdrawals.c.id == one.id
        tx.sql.execute(update(tables.withdrawals).where(here).values(reason=reason))


def move(
    tx: Tx,
    one: Withdrawal,
    to: State,
    now: int,
    *,
    reason: str = "",
    transfer: bytes | None = None,
    told: Mapping[str, Value] | None = None,
) -> Withdrawal:
    """Move a withdrawal; where it ends unpaid, its money goes back to the customer in the same transaction.

    `told` is what the journal says beside the move.

    Raises:
        WithdrawalMoved: if the table has no such move, or it moved meanwhile.
    """
    if to not in MOVES[one.state]:
        raise WithdrawalMoved(f"the withdrawal {one.id} is {one.state} and does not become {to}")
    table = tables.withdrawals
    here = (table.c.id == one.id) & (table.c.state == one.state.value)
    values = {"state": to.value, "reason": reason, "updated": now, "transfer": transfer.hex() if transfer else None}
    if tx.sql.execute(update(table).where(here).values(values)).rowcount != 1:
        raise WithdrawalMoved(f"the withdrawal {one.id} is no longer {one.state}")
    body: dict[str, Value] = {"withdrawal": one.id, "from": one.state.value, "to": to.value, "reason": reason}
    body |= told or {}
    if transfer is not None:
        body["transfer"] = transfer
    if to in GIVEN_BACK:
        lines = debit(one.customer, one.amount, -1)
        entry = postings.post(tx, f"withdrawal {one.id} {to}", "posted", lines, None, now)
        body["posted"] = postings.sworn(tx.sql, entry)
    journal.append(tx, MOVED, body, now)
    return find_withdrawal(tx.sql, one.id)


def debit(customer: str, amount: Amount, sign: int = 1) -> tuple[Posting, Posting]:
    """Give the lines that take an amount from a customer for a withdrawal, or with -1 give it back."""
    network, units = amount.asset.network, sign * amount.units
    return (
        Posting(accounts.customer(customer), amount.asset, units),
        Posting(accounts.of_network(Kind.WITHDRAWALS, network), amount.asset, -units),
    )


def _read(connection: Connection, rows: Collection[Row[tuple[object, ...]]]) -> tuple[Withdrawal, ...]:
    asset = finder(connection)
    return tuple(
        Withdrawal(
            row.id, row.customer, row.wallet, Destination(row.destination, row.tag, row.memo),
            Amount(asset(row.network, row.asset_code), int(row.units)), State(row.state), row.reason,
            None if row.transfer is None else bytes.fromhex(row.transfer), row.created, row.updated,
            row.line,
        )
        for row in rows
    )  # fmt: skip
