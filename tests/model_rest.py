"""What the model holds the coordinator against: at any moment, and when everything has come to rest.

All of it is reckoned from what the world and the model itself know, account by account, and compared with the books.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from online.audit import verify
from online.chains.api import Arrival
from online.deposits.model import Deposit, deposits
from online.deposits.states import State
from online.jobs.model import jobs
from online.jobs.states import ENDS, UNDONE
from online.jobs.states import State as JobState
from online.ledger.accounts import OWED, Kind, kind_of
from online.ledger.books import balance_sheet, check, prove_balances
from online.store import tables
from online.withdrawals.model import withdrawals
from online.withdrawals.states import GIVEN_BACK
from online.withdrawals.states import State as Stand
from shared.effects import Destination
from shared.money import Amount
from tests.online_world import NETWORK, XRP, Desk
from tests.open_world import GEM, UNLISTED, OpenWorld


@dataclass
class Known:
    """What the model knows besides: what wallets had at the start, by asset, places, and what people's decisions moved.

    `held` is what trades moved to whom, by name and asset; whose the credited deposits are, by number.
    """

    own: Counter[str]
    places: Mapping[Destination, str]
    held: Counter[tuple[str, str]]
    credited: dict[int, str] = field(default_factory=dict)

    def owner(self, place: Destination) -> str | None:
        """Give whose a place is: exactly, or by an address that is somebody's alone."""
        return self.places.get(place) or self.places.get(Destination(place.address))

    def move(self, giver: str | None, taker: str | None, amount: Amount) -> None:
        """Note what moved between two, the house where nobody is named."""
        for name, units in ((giver, -amount.units), (taker, amount.units)):
            if name is None:
                self.own[amount.asset.code] += units
            else:
                self.held[name, amount.asset.code] += units


# --- at any moment ------------------------------------------------------------------------------------


def require_always(desk: Desk, world: OpenWorld) -> None:
    """Assert what holds after every step."""
    assert prove_balances(desk.store) == ()
    below = [one for one in balance_sheet(desk.store) if one.posted * _side(one.account) < 0]
    assert below == [], "more was taken out of an account than was in it"
    claims, link, job, came = tables.claims, tables.job_transfers, tables.jobs, tables.arrivals
    order, wish = tables.orders, tables.withdrawals
    paying = select(link.c.transfer).join(job, job.c.id == link.c.job).join(order, order.c.id == job.c.order_id)
    under_way = paying.where(order.c.kind == "withdrawals", job.c.state.not_in([one.value for one in ENDS]))
    happened = select(link.c.transfer).join(job, job.c.id == link.c.job).where(job.c.state == JobState.FINAL.value)
    ordered = select(wish.c.transfer).where(wish.c.state == Stand.ORDERED.value)
    with desk.store.reading() as connection:
        held = connection.execute(select(claims.c.scope, claims.c.name).where(claims.c.active, ~claims.c.shared)).all()
        live = connection.execute(
            select(link.c.transfer, job.c.id, job.c.replaces, job.c.state).join(job, job.c.id == link.c.job)
        ).all()
        rivals_of_none = under_way.where(link.c.transfer.not_in(happened))  # what was replaced is watched to its end
        assert set(connection.execute(rivals_of_none).scalars()) == set(connection.execute(ordered).scalars()), (
            "a withdrawal is paid that nobody waits for, or waits for nothing"
        )
        seen = connection.execute(select(came.c.tx_id, came.c.address, came.c.units, came.c.height)).all()
        used = connection.execute(select(claims.c.job, claims.c.scope, claims.c.name)).all()
    assert max(Counter(map(tuple, held)).values(), default=0) <= 1, "a claim is held twice"
    carried: dict[str, list[Any]] = {}
    for row in live:
        if JobState(row.state) not in UNDONE:
            carried.setdefault(row.transfer, []).append(row)
    claimed: dict[int, set[tuple[str, str]]] = {}
    for one in used:
        claimed.setdefault(one.job, set()).add((one.scope, one.name))
    for rows in carried.values():
        _require_one_can_happen(rows, claimed)
    settled = Counter(_facts(one) for one in world.brought() if one.height <= world.settled)
    still = [row for row in seen if row.tx_id not in world.sunk]  # of the others nobody was told yet
    booked = Counter((row.tx_id, row.address, int(row.units), row.height) for row in still)
    assert booked <= settled, "an arrival is booked twice, or before it is settled"


def _side(account: str) -> int:
    """Say on which side of nothing an account stands: above it what wallets hold, below it what is owed, and own."""
    kind = kind_of(account)
    return 1 if kind is Kind.WALLET else -1 if kind in (*OWED, Kind.OWN) else 0


def _require_one_can_happen(rows: list[Any], claimed: Mapping[int, set[tuple[str, str]]]) -> None:
    """Assert that of the live transactions of a transfer each replaces another, and uses up what that one does."""
    first, *others = sorted(rows, key=lambda row: int(row.id))
    assert all(row.replaces is not None for row in others), "a transfer has two live transactions"
    built = [claimed[row.id] for row in (first, *others) if row.id in claimed]
    assert not built or set.intersection(*built), "a transaction and what replaces it can both happen"
    assert [row.state for row in rows].count(JobState.FINAL.value) <= 1, "a transfer happened twice"


def _facts(one: Arrival) -> tuple[str, str, int, int]:
    return one.tx_id, one.destination.address, one.amount.units, one.height


# --- at rest ------------------------------------------------------------------------------------------


def require_handed_over(desk: Desk, world: OpenWorld) -> None:
    """Assert that a node that answers was handed whatever is submitted and may still happen."""
    for one in jobs(desk.store, states=(JobState.SUBMITTED,)):
        assert one.expiry_height is not None
        assert one.tx_id in world.pool or one.tx_id in world.done or one.expiry_height <= world.at or any(
            one.effects is not None and effects.claims == one.effects.claims for _, _, effects, _ in world.done.values()
        ), f"job {one.id} waits for a node that was never handed it again"


def unended(desk: Desk) -> list[str]:
    """Name what has not ended and could: every job that was approved, every withdrawal that nobody holds."""
    left = [one for one in jobs(desk.store) if one.state not in ENDS and one.state is not JobState.DRAFTED]
    wait = withdrawals(desk.store, states=(Stand.QUEUED, Stand.ORDERED))
    return [*(f"job {one.id} is {one.state}" for one in left), *(f"{one.id} is {one.state}" for one in wait)]


def require_rest(desk: Desk, world: OpenWorld, known: Known, outside: str) -> None:
    """Assert that everything has ended, and that every account holds what the world and people's decisions say.

    Each third life is audited besides, which takes as long as a day of it.
    """
    assert not (left := unended(desk)), f"what could end has not: {left}"
    assert not (off := [one for one in check(desk.store, desk.gateways) if one.difference]), off
    paid = sum(one.amount.units for one in withdrawals(desk.store) if one.state is Stand.PAID)
    assert paid == _arrived_by_withdrawal(desk, world, outside)
    rows = _require_every_arrival_once(desk, world, known)
    sheet = [one for one in balance_sheet(desk.store) if one.asset != UNLISTED]
    books = {(one.account, one.asset.code): one.posted for one in sheet}
    reckoned = _reckoned(desk, world, known, rows)
    for code in sorted({code for _, code in books}):
        _require_reckoned(code, books, reckoned, rows)
    back = sum(one.tx_id in _ids_of(desk, "return") for one in world.brought())
    gone = {row.id for row in rows if row.state is State.GONE}
    sent = sum(row.state is State.RETURNED for row in rows)
    assert sent <= back <= sent + len(gone), "what was sent back is not what is gone"
    assert [one for one in sheet if one.pending] == [], "what has ended is still reserved"
    ours = _addresses(desk)
    there = {XRP.code: sum(world.accounts[key].units for key in ours if key in world.accounts)}
    there[GEM.code] = sum(map(world.gems_of, ours))
    for code, units in there.items():
        owed = -sum(one.posted for one in sheet if kind_of(one.account) in OWED and one.asset.code == code)
        assert units >= owed, f"what is owed is not covered: {code}"
    if len(rows) % 3 == 0:
        assert verify(desk.store).problems == ()


_Sums = Mapping[tuple[str, str], int]


def _require_reckoned(code: str, books: _Sums, reckoned: _Sums, rows: list[Deposit]) -> None:
    """Assert that an asset's accounts hold what they must.

    Of what was taken back, the house lost what was spent already: so much more is owed than without it, and no less.
    """
    mine = {name: units for (name, its), units in reckoned.items() if its == code}
    lost = {name: units - books.get((name, code), 0) for name, units in mine.items() if kind_of(name) in OWED}
    taken = [row for row in rows if row.state is State.GONE and row.amount.asset.code == code]
    assert min(lost.values(), default=0) >= 0, "less is owed than came"
    assert taken or not any(lost.values()), "more is owed than came"
    assert sum(lost.values()) <= sum(row.amount.units for row in taken), "the house lost more than was taken back"
    own, fees = f"own:{NETWORK}", f"fees:{NETWORK}"
    left = books.get((own, code), 0) - mine.get(own, 0)
    assert left == sum(lost.values()), "own funds are not what they were but for what was lost"
    assert books.get((fees, code), 0) == mine.get(fees, 0), "fees"


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
        owner = known.owner(row.place) or known.credited.get(row.id)
        if row.tx_id in world.gifts or row.tx_id in paid:
            listed = row.amount.asset != UNLISTED
            expected = {State.CREDITED} if owner and listed else {State.SUSPENSE, State.RETURNED}
            if owner and there[row.tx_id, row.place, row.amount.units].until_swept:
                expected.add(State.UNSWEPT)
        else:
            owner, expected = None, {State.OWN}
        assert row.state in expected, (row, expected)
        assert row.customer == (owner if row.state in (State.CREDITED, State.UNSWEPT) else None), row
    for address in world.swept_first:
        _require_swept(address, world, [row for row in still if row.place.address == address])
    return rows


def _require_swept(address: str, world: OpenWorld, rows: list[Deposit]) -> None:
    """Assert that no more was credited than was swept, and everything that was swept after the last of it came."""
    mine = [row for row in rows if row.state in (State.CREDITED, State.UNSWEPT) and row.amount.asset == XRP]
    swept = [
        (height, sum(one.amount.units for one in effects.payments))
        for height, result, effects, _ in world.done.values()
        if effects.source == address and result == "tesSUCCESS"
    ]
    credited = sum(row.amount.units for row in mine if row.state is State.CREDITED)
    assert credited <= sum(units for _, units in swept), "more was credited than was swept"
    last = max((row.height for row in mine), default=0)
    if sum(units for height, units in swept if height >= last) >= sum(row.amount.units for row in mine):
        assert [row for row in mine if row.state is State.UNSWEPT] == [], "it was swept, and nobody has it"


def _reckoned(desk: Desk, world: OpenWorld, known: Known, rows: list[Deposit]) -> Counter[tuple[str, str]]:
    """Reckon what accounts must hold, as the books write it: what is owed below nothing."""
    owed = Counter({(f"customer:{name}", code): units for (name, code), units in known.held.items()})
    waits = {State.SUSPENSE: f"suspense:{NETWORK}", State.UNSWEPT: f"unswept:{NETWORK}"}
    for row in rows:
        code = row.amount.asset.code
        if row.amount.asset == UNLISTED:
            continue
        if row.state is State.CREDITED:
            owed[f"customer:{row.customer}", code] += row.amount.units
        if row.state in waits:
            owed[waits[row.state], code] += row.amount.units
        if row.state is State.RETURNED:
            owed[f"own:{NETWORK}", code] += row.amount.units  # less what was sent back: the rest is the house's
    returning = _ids_of(desk, "return")
    for one in world.brought():
        if one.tx_id in returning:
            owed[f"own:{NETWORK}", one.amount.asset.code] -= one.amount.units
    for name in waits.values():
        owed[name, XRP.code] += 0
    for wish in withdrawals(desk.store):
        if wish.state not in GIVEN_BACK:
            owed[f"customer:{wish.customer}", wish.amount.asset.code] -= wish.amount.units
        if wish.state not in {*GIVEN_BACK, Stand.PAID}:
            owed[f"withdrawals:{NETWORK}", wish.amount.asset.code] += wish.amount.units
    for code, units in known.own.items():
        owed[f"own:{NETWORK}", code] += units
    fees = sum(effects.fee_most.units for _, _, effects, blob in world.done.values() if blob)
    owed[f"fees:{NETWORK}", XRP.code] -= fees
    return Counter({account: -units for account, units in owed.items()})


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
    with desk.store.reading() as connection:
        return set(connection.execute(select(tables.keys.c.address).where(tables.keys.c.network == NETWORK)).scalars())
