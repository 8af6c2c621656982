"""What an arrival is, and how it is read back."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, Row, select

from online.deposits.states import State
from online.store import tables
from online.store.assets import registers
from online.store.database import Store
from shared.chains import chain
from shared.effects import Destination
from shared.errors import NotInSuspense
from shared.money import Amount, Asset


@dataclass(frozen=True, slots=True)
class Deposit:
    """Money that arrived at one of the wallets: when, where, from whom, and whose it is."""

    id: int
    network: str
    tx_id: str
    height: int
    wallet: str
    place: Destination
    sender: str
    amount: Amount
    state: State
    reason: str
    customer: str | None
    created: int


def deposits(store: Store, *, customer: str | None = None, states: Collection[State] = ()) -> tuple[Deposit, ...]:
    """List what arrived, the oldest first, of one customer or in some states if asked."""
    table = tables.arrivals
    query = select(table).order_by(table.c.id)
    if customer is not None:
        query = query.where(table.c.customer == customer)
    if states:
        query = query.where(table.c.state.in_([state.value for state in states]))
    with store.reading() as connection:
        return tuple(_deposit(connection, row) for row in connection.execute(query).all())


def find_suspended(connection: Connection, number: int) -> Deposit:
    """Give an arrival that waits in suspense. Raises NotInSuspense."""
    row = connection.execute(select(tables.arrivals).where(tables.arrivals.c.id == number)).one_or_none()
    if row is None or row.state != State.SUSPENSE.value:
        raise NotInSuspense(f"no arrival {number} waits in suspense")
    return _deposit(connection, row)


def _deposit(connection: Connection, row: Row[tuple[object, ...]]) -> Deposit:
    native = chain(row.network).network(row.network).native
    noted = registers(connection).get(row.network, {})
    # What nobody noted has no decimals known here: it is shown in base units until somebody notes it.
    other = Asset(row.network, row.asset_code, noted.get(row.asset_code, 0))
    asset = native if row.asset_code == native.code else other
    return Deposit(
        row.id, row.network, row.tx_id, row.height, row.wallet, Destination(row.address, row.tag, row.memo), row.source,
        Amount(asset, int(row.units)), State(row.state), row.reason, row.customer, row.created,
    )  # fmt: skip
