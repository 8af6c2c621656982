"""Balance moves between customers and the house: atomic, balanced, once for each of the caller's ids, never uncovered.

Nothing moves on a ledger. A trade is its legs: who gives how much to whom; prices play no part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, insert, select

from online.customers.cover import require_covered
from online.customers.register import find_customer, require_free
from online.ledger import accounts, postings
from online.ledger.accounts import Kind
from online.ledger.postings import Posting
from online.store import journal, tables
from online.store.database import Store, Tx
from shared.encoding import Value, encode, units_to_bytes
from shared.errors import BadTrade, TradeConflict
from shared.money import Amount

HOUSE: Final = ""
"""Stands for the exchange itself where a customer's id stands otherwise."""

MOST_LEGS: Final = 100


@dataclass(frozen=True, slots=True)
class Leg:
    """One movement of a trade: from a customer's id to another's, either of which may be `HOUSE`."""

    giver: str
    taker: str
    amount: Amount


@dataclass(frozen=True, slots=True)
class Trade:
    """A trade in the books: the caller's id, its entry, and whether it was there before."""

    id: str
    entry: int
    repeated: bool


def trade(store: Store, trade_id: str, legs: Sequence[Leg], now: int) -> Trade:
    """Move balances; the same trade with the same id again changes nothing.

    Raises:
        BadTrade: for legs that move nothing or to oneself. UnknownCustomer, CustomerFrozen: of a customer.
        NotCovered: if somebody holds less than they give. TradeConflict: if the id names another trade.
    """
    body = _body(trade_id, legs)
    with store.transaction() as tx:
        there = _there(tx.sql, trade_id, body)
        if there is not None:
            return there
        lines = [line for leg in legs for line in _lines(tx, leg)]
        require_covered(tx.sql, lines)
        entry = postings.post(tx, f"trade {trade_id}", "posted", lines, None, now)
        tx.sql.execute(insert(tables.trades).values(id=trade_id, body=body, entry=entry, time=now))
        journal.append(tx, "trade", {"trade": trade_id, "posted": postings.sworn(tx.sql, entry)}, now)
        return Trade(trade_id, entry, repeated=False)


def _there(connection: Connection, trade_id: str, body: bytes) -> Trade | None:
    table = tables.trades
    row = connection.execute(select(table).where(table.c.id == trade_id)).one_or_none()
    if row is None:
        return None
    if row.body != body:
        raise TradeConflict(f"the id {trade_id!r} names another trade")
    return Trade(trade_id, row.entry, repeated=True)


def _body(trade_id: str, legs: Sequence[Leg]) -> bytes:
    if not 1 <= len(trade_id) <= 64 or not trade_id.isprintable():
        raise BadTrade("a trade's id has 1 to 64 printable characters")
    if not 1 <= len(legs) <= MOST_LEGS:
        raise BadTrade(f"a trade has 1 to {MOST_LEGS} legs")
    if any(leg.giver == leg.taker or not leg.amount.units for leg in legs):
        raise BadTrade("a leg moves something from one to another")
    rows: list[Value] = [
        [leg.giver, leg.taker, leg.amount.asset.network, leg.amount.asset.code, units_to_bytes(leg.amount.units)]
        for leg in legs
    ]
    return encode(rows)


def _lines(tx: Tx, leg: Leg) -> tuple[Posting, Posting]:
    asset, units = leg.amount.asset, leg.amount.units
    if leg.giver != HOUSE:
        require_free(tx, leg.giver)
    if leg.taker != HOUSE:
        find_customer(tx.sql, leg.taker)
    # What is owed stands below zero: who gives is owed less, who takes is owed more.
    return Posting(_account(leg.giver, leg), asset, units), Posting(_account(leg.taker, leg), asset, -units)


def _account(who: str, leg: Leg) -> str:
    return accounts.of_network(Kind.OWN, leg.amount.asset.network) if who == HOUSE else accounts.customer(who)
