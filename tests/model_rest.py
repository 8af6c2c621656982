"""What the model holds the coordinator against: at any moment, and when everything has come to rest.

All of it is reckoned from what the world and the model itself know, account by account, and compared with the books.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import select

from online.audit import verify
from online.chains.api import Arrival
from online.deposits.model import Deposit, deposits
from online.deposits.states import State
from online.jobs.model import jobs
from online.jobs.states import ENDS, UNDONE
from online.jobs.states import State as JobState
from online.ledger.accounts import OWED, kind_of
from online.ledger.books import balance_sheet, check, prove_balances
from online.store import tables
from online.withdrawals.model import withdrawals
from online.withdrawals.states import GIVEN_BACK
from online.withdrawals.states import State as Stand
from shared.effects import Destination
from tests.online_world import NETWORK, Desk
from tests.open_world import UNLISTED, OpenWorld


@dataclass
class Known:
    """What the model knows besides: the house's own at the start, places, and what people's own decisions moved."""

    own: int
    places: Mapping[Destination, str]
    held: Counter[str]
    credited: dict[int, str] = field(default_factory=dict)


# --- at any moment ------------------------------------------------------------------------------------


def require_always(desk: Desk, world: OpenWorld) -> None:
    """Assert what holds after every step."""
    assert prove_balances(desk.store) == ()
    assert [one for one in balance_sheet(desk.store) if kind_of(one.account) in OWED and one.posted > 0] == []
    claims, link, job, came = tables.claims, tables.job_transfers, tables.jobs, tables.arrivals
    order, wish = tables.orders, tables.withdrawals
    paying = select(link.c.transfer).join(job, job.c.id == link.c.job).join(order, order.c.id == job.c.order_id)
    under_way = paying.where(order.c.kind == "withdrawals", job.c.state.not_in([one.value for one in ENDS]))
    ordered = select(wish.c.transfer).where(wish.c.state == Stand.ORDERED.value)
    with desk.store.reading() as connection:
        held = connection.execute(select(claims.c.scope, claims.c.name).where(claims.c.active)).all()
        live = connection.execute(select(link.c.transfer, job.c.state).join(job, job.c.id == link.c.job)).all()
        assert set(connection.execute(under_way).scalars()) == set(connection.execute(ordered).scalars()), (
            "a withdrawal is paid that nobody waits for, or waits for nothing"
        )
        seen = connection.execute(select(came.c.tx_id, came.c.address, came.c.units, came.c.height)).all()
    assert max(Counter(map(tuple, held)).values(), default=0) <= 1, "a claim is held twice"
    carried = Counter(row.transfer for row in live if JobState(row.state) not in UNDONE)
    assert max(carried.values(), default=0) <= 1, "a transfer has two live transactions"
    settled = Counter(_facts(one) for one in world.brought() if one.height <= world.settled)
    still = [row for row in seen if row.tx_id not in world.sunk]  # of the others nobody was told yet
    booked = Counter((row.tx_id, row.address, int(row.units), row.height) for row in still)
    assert booked <= settled, "an arrival is booked twice, or before it is settled"


def _facts(one: Arrival) -> tuple[str, str, int, int]:
    return one.tx_id, one.destination.address, one.amount.units, one.height


# --- at rest ------------------------------------------------------------------------------------------


def require_rest(desk: Desk, world: OpenWorld, known: Known, outside: str) -> None:
    """Assert that everything has ended, and that every account holds what the world and people's decisions say.

    Each third life is audited besides, which takes as long as a day of it.
    """
    waiting = {*ENDS, JobState.DRAFTED, JobState.APPROVED, JobState.BUILT}
    assert {job.state for job in jobs(desk.store)} <= waiting
    assert [one.difference for one in check(desk.store, desk.gateways)] == [0, 0]
    paid = sum(one.amount.units for one in withdrawals(desk.store) if one.state is Stand.PAID)
    assert paid == _arrived_by_withdrawal(desk, world, outside)
    rows = _require_every_arrival_once(desk, world, known)
    books = {one.account: one.posted for one in balance_sheet(desk.store) if one.asset != UNLISTED}
    reckoned = _reckoned(desk, world, known, rows)
    # Of what was taken back, the house lost what was spent already: so much more is owed than without it, and no less.
    lost = {name: units - books.get(name, 0) for name, units in reckoned.items() if kind_of(name) in OWED}
    assert min(lost.values()) >= 0, "less is owed than came"
    assert any(row.state is State.GONE for row in rows) or not any(lost.values()), "more is owed than came"
    own, fees = f"own:{NETWORK}", f"fees:{NETWORK}"
    assert books[own] - reckoned[own] == sum(lost.values()), "own funds are not what they were but for what was lost"
    assert books.get(fees, 0) == reckoned[fees], "fees"
    back = sum(one.tx_id in _ids_of(desk, "return") for one in world.brought())
    gone = {row.id for row in rows if row.state is State.GONE}
    sent = sum(row.state is State.RETURNED for row in rows)
    assert sent <= back <= sent + len(gone), "what was sent back is not what is gone"
    if not any(job.state is JobState.BUILT for job in jobs(desk.store)):
        assert [one for one in balance_sheet(desk.store) if one.pending] == [], "what has ended is still reserved"
    ours = sum(world.accounts[key].units for key in _addresses(desk))
    assert ours >= -sum(units for name, units in books.items() if kind_of(name) in OWED), "what is owed is not covered"
    if len(rows) % 3 == 0:
        assert verify(desk.store).problems == ()


def _require_every_arrival_once(desk: Desk, world: OpenWorld, known: Known) -> list[Deposit]:
    """Assert that each arrival of the ledger is a row, and is whose the model says."""
    rows = list(deposits(desk.store))
    ours, there = _addresses(desk), {}
    for one in world.brought():
        if one.destination.address in ours:
            there[one.tx_id, one.destination, one.amount.units] = one
    still = [row for row in rows if row.state is not State.GONE]
    assert Counter((row.tx_id, row.place, row.amount.units) for row in still) == Counter(there.keys())
    paid = _ids_of(desk, "withdrawals") | _ids_of(desk, "return")  # what was owed is a deposit wherever it arrives
    for row in still:
        owner = known.places.get(row.place) or known.credited.get(row.id)
        if row.tx_id in world.gifts or row.tx_id in paid:
            listed = row.amount.asset != UNLISTED
            expected = {State.CREDITED} if owner and listed else {State.SUSPENSE, State.RETURNED}
        else:
            owner, expected = None, {State.OWN}
        assert row.state in expected, (row, expected)
        assert row.customer == (owner if row.state is State.CREDITED else None), row
    return rows


def _reckoned(desk: Desk, world: OpenWorld, known: Known, rows: list[Deposit]) -> dict[str, int]:
    """Reckon what accounts must hold, as the books write it: what is owed below nothing."""
    owed = Counter({f"customer:{name}": units for name, units in known.held.items()})
    for row in rows:
        if row.state is State.CREDITED:
            owed[f"customer:{row.customer}"] += row.amount.units
        if row.state is State.SUSPENSE and row.amount.asset != UNLISTED:
            owed[f"suspense:{NETWORK}"] += row.amount.units
        if row.state is State.RETURNED:
            owed[f"own:{NETWORK}"] += row.amount.units  # less what was sent back: what is kept back is the house's
    returning = _ids_of(desk, "return")
    owed[f"own:{NETWORK}"] -= sum(one.amount.units for one in world.brought() if one.tx_id in returning)
    owed[f"suspense:{NETWORK}"] += 0
    for one in withdrawals(desk.store):
        if one.state not in GIVEN_BACK:
            owed[f"customer:{one.customer}"] -= one.amount.units
        if one.state not in {*GIVEN_BACK, Stand.PAID}:
            owed[f"withdrawals:{NETWORK}"] += one.amount.units
    fees = sum(effects.fee_most.units for _, _, effects, blob in world.done.values() if blob)
    owed[f"own:{NETWORK}"] += known.own
    return {f"fees:{NETWORK}": fees, **{name: -units for name, units in owed.items()}}


def _ids_of(desk: Desk, kind: str) -> set[str]:
    """Give the ids of the transactions of orders of a kind."""
    table, order = tables.jobs, tables.orders
    query = select(table.c.tx_id).join(order, order.c.id == table.c.order_id).where(order.c.kind == kind)
    with desk.store.reading() as connection:
        return set(connection.execute(query).scalars())


def _arrived_by_withdrawal(desk: Desk, world: OpenWorld, outside: str) -> int:
    """Add up what left for outside, which only withdrawals do, and what withdrawals brought to customers' places."""
    left = world.accounts[outside].units if outside in world.accounts else 0
    ours, withdrawn = _addresses(desk), _ids_of(desk, "withdrawals")
    back = [one for one in world.brought() if one.tx_id in withdrawn and one.destination.address in ours]
    return left + sum(one.amount.units for one in back)


def _addresses(desk: Desk) -> set[str]:
    return {desk.address("hot"), desk.address("cold"), desk.address("cold", 1)}
