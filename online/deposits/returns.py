"""What becomes of an arrival in suspense when the order that sends it back has ended."""

from __future__ import annotations

from typing import Final

from sqlalchemy import update

from online.deposits.states import State
from online.store import tables
from online.store.database import Tx

RETURN: Final = "return"
"""The kind of orders that send back what is in suspense; nothing else has it."""


def returned(tx: Tx, order: bytes) -> None:
    """Note that what an order sent back has arrived: asked within the transaction that ends its job."""
    table = tables.arrivals
    here = (table.c.order_id == order.hex()) & (table.c.state == State.SUSPENSE.value)
    tx.sql.execute(update(table).where(here).values(state=State.RETURNED.value))
