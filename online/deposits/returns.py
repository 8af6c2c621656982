"""What becomes of an arrival in suspense when the order that sends it back has ended.

What the order kept back of it, for what sending it cost, is owed to nobody any more: it is the house's own.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Row, select, update

from online.deposits.states import State
from online.ledger import accounts, postings
from online.ledger.accounts import Kind
from online.ledger.postings import Posting
from online.store import journal, tables
from online.store.assets import finder
from online.store.database import Tx
from shared.effects import Effects
from shared.encoding import Value

RETURN: Final = "return"
"""The kind of orders that send back what is in suspense; nothing else has it."""


def returned(tx: Tx, order: bytes, effects: Effects, now: int) -> None:
    """Note that what an order sent back has arrived: asked within the transaction that ends its job."""
    table = tables.arrivals
    here = table.c.order_id == order.hex()
    for row in tx.sql.execute(select(table).where(here)).all():
        _keep_rest(tx, row, effects, now)
    waits = table.c.state == State.SUSPENSE.value
    tx.sql.execute(update(table).where(here, waits).values(state=State.RETURNED.value))


def _keep_rest(tx: Tx, row: Row[Any], effects: Effects, now: int) -> None:
    """Post what is left of an arrival in suspense to own funds, also where a reorganisation took it meanwhile."""
    asset = finder(tx.sql)(row.network, row.asset_code)
    paid = sum(one.amount.units for one in effects.payments if one.amount.asset == asset)
    rest = int(row.units) - paid
    if not rest:
        return
    lines = (
        Posting(accounts.of_network(Kind.SUSPENSE, row.network), asset, rest),
        Posting(accounts.of_network(Kind.OWN, row.network), asset, -rest),
    )
    entry = postings.post(tx, f"rest of arrival {row.id} that was sent back", "posted", lines, None, now)
    told: dict[str, Value] = {"arrival": row.id, "order": bytes.fromhex(row.order_id)}
    journal.append(tx, "return-rest", {**told, "posted": postings.sworn(tx.sql, entry)}, now)
