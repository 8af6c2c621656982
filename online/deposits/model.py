"""What an arrival is, and how it is read back."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cache

from sqlalchemy import Connection, Row, select

from online.deposits.states import State
from online.jobs.model import may_happen
from online.store import tables
from online.store.assets import registers
from online.store.database import Store
from shared.chains import chain
from shared.chains.api import NO_ASSETS
from shared.effects import Destination
from shared.errors import BooksNotOpen, NotInSuspense
from shared.money import Amount, Asset


@dataclass(frozen=True, slots=True)
class Deposit:
    """Money that arrived at one of the wallets: when, where, from whom (with the tag they gave), and whose it is."""

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
    source_tag: int | None = None


def deposits(
    store: Store, *, customer: str | None = None, states: Collection[State] = (), since: int = 0,
    limit: int | None = None,
) -> tuple[Deposit, ...]:  # fmt: skip
    """List what arrived, the oldest first, of one customer or in some states if asked.

    `since` is the number of the last one that is known already, and `limit` how many are given at most.
    """
    with store.reading() as connection:
        return find_deposits(connection, customer=customer, states=states, since=since, limit=limit)


def find_deposits(
    connection: Connection, *, customer: str | None = None, states: Collection[State] = (), since: int = 0,
    limit: int | None = None,
) -> tuple[Deposit, ...]:  # fmt: skip
    """List what arrived within a transaction."""
    table = tables.arrivals
    query = select(table).where(table.c.id > since).order_by(table.c.id).limit(limit)
    if customer is not None:
        query = query.where(table.c.customer == customer)
    if states:
        query = query.where(table.c.state.in_([state.value for state in states]))
    asset_of = _namer(connection)
    return tuple(_deposit(asset_of, row) for row in connection.execute(query))


def before(store: Store, moment: int) -> int:
    """Give the number of the last deposit that was taken in before a moment in Unix seconds, 0 where there is none."""
    table = tables.arrivals
    here = table.c.created < moment
    query = select(table.c.id).where(here).order_by(table.c.created.desc(), table.c.id.desc()).limit(1)
    with store.reading() as connection:
        return connection.execute(query).scalar() or 0


def find_suspended(connection: Connection, number: int, *, beside: bytes = b"") -> Deposit:
    """Give an arrival that waits in suspense, and that no order sends back beside the one named.

    Raises:
        NotInSuspense: if it does not wait, or an order that may still happen sends it back. BooksNotOpen: if it waits
            for its wallet's books to be opened for its asset.
    """
    row = connection.execute(select(tables.arrivals).where(tables.arrivals.c.id == number)).one_or_none()
    if row is None or row.state != State.SUSPENSE.value:
        raise NotInSuspense(f"no arrival {number} waits in suspense")
    if row.entry is None:
        raise BooksNotOpen(f"the books of {row.wallet} are not open for {row.asset_code[:40]}: arrival {number} waits")
    if row.order_id is not None and row.order_id != beside.hex() and may_happen(connection, row.order_id):
        raise NotInSuspense(f"arrival {number} is being sent back by order {row.order_id}")
    return _deposit(_namer(connection), row)


def _namer(connection: Connection) -> Callable[[str, str], Asset]:
    """Give a function that finds assets by network and code, each once.

    What nobody noted has no decimals known here: it is shown in base units until somebody notes it.
    """
    noted = registers(connection)

    @cache
    def name(network: str, code: str) -> Asset:
        native = chain(network).network(network).native
        return native if code == native.code else Asset(network, code, noted.get(network, NO_ASSETS).get(code, 0))

    return name


def _deposit(asset_of: Callable[[str, str], Asset], row: Row[tuple[object, ...]]) -> Deposit:
    asset = asset_of(row.network, row.asset_code)
    return Deposit(
        row.id, row.network, row.tx_id, row.height, row.wallet, Destination(row.address, row.tag, row.memo), row.source,
        Amount(asset, int(row.units)), State(row.state), row.reason, row.customer, row.created,
        row.source_tag,
    )  # fmt: skip
