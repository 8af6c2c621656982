"""Proposes orders that bring wallets back into their bands, each with its reason. It moves and drafts nothing.

What is on its way counts as if it had arrived: what wallets reserve is gone, what live jobs bring is there. Money is
moved between wallets of one network, from and to where there is most room; a wallet without a target is left alone.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, select

from online.jobs.states import ENDS, State
from online.store import tables
from online.store.database import Store
from online.store.wallets import find_keys, find_wallet
from online.treasury.targets import Target, find_targets
from shared.money import Amount


@dataclass(frozen=True, slots=True)
class Proposal:
    """An order that would help: what it is, from which wallet to which, how much, and why.

    A "sweep" gathers what many addresses of a wallet hold; its amount is what the books say they hold.
    """

    what: Literal["rebalance", "sweep"]
    source: str
    target: str
    amount: Amount
    why: str


@dataclass(frozen=True, slots=True)
class Short:
    """What no proposal can fill: a wallet below its band, and by how much no other has enough to spare."""

    wallet: str
    amount: Amount


@dataclass(frozen=True, slots=True)
class Advice:
    """What the planner has to say."""

    proposals: tuple[Proposal, ...]
    short: tuple[Short, ...]


@dataclass(slots=True)
class _Place:
    """A wallet with what it will hold of one asset once everything on its way has landed."""

    target: Target
    tier: str
    network: str
    addresses: int
    held: int

    @property
    def name(self) -> str:
        return self.target.wallet

    @property
    def spare(self) -> int:
        """What it can give: down to its target, if it is above."""
        return max(0, self.held - self.target.target)

    @property
    def room(self) -> int:
        """What it can take: up to its target, if it is below."""
        return max(0, self.target.target - self.held)


_NOT_RESERVED = (State.DRAFTED, State.APPROVED)
_ORDER = {"cold": 0, "warm": 1, "hot": 2}


def advise(store: Store) -> Advice:
    """Look at all targets and the books, and give what should be ordered."""
    proposals: list[Proposal] = []
    short: list[Short] = []
    with store.reading() as connection:
        places = [_place(connection, target) for target in find_targets(connection)]
    groups: dict[tuple[str, str], list[_Place]] = {}
    for place in places:
        groups.setdefault((place.network, place.target.asset.code), []).append(place)
    for group in groups.values():
        for place in group:
            if place.held > place.target.high:
                proposals += _empty(place, group)
        for place in group:
            if place.held < place.target.low:
                made, missing = _fill(place, group)
                proposals += made
                short += [Short(place.name, Amount(place.target.asset, missing))] if missing else []
    return Advice(tuple(proposals), tuple(short))


def _empty(full: _Place, group: list[_Place]) -> list[Proposal]:
    """Move what is above the target to where there is room, or to the coldest wallet that is not full itself."""
    why = f"{full.name} will hold {_said(full, full.held)}, above {_said(full, full.target.high)}"
    others = [one for one in group if one is not full and one.held <= one.target.high]
    found = []
    for other in sorted(others, key=lambda one: (-one.room, _ORDER[one.tier], one.name)):
        units = min(full.spare, other.room)
        found += _move(full, other, units, why)
    if full.spare and others:
        coldest = min(others, key=lambda one: (_ORDER[one.tier], one.name))
        room = max(0, coldest.target.high - coldest.held)
        found += _move(full, coldest, min(full.spare, room), why)
    return found


def _fill(low: _Place, group: list[_Place]) -> tuple[list[Proposal], int]:
    """Bring a wallet up to its target from those with most to spare, the coldest first among equals."""
    why = f"{low.name} will hold {_said(low, low.held)}, below {_said(low, low.target.low)}"
    found = []
    for other in sorted(group, key=lambda one: (-one.spare, _ORDER[one.tier], one.name)):
        if other is not low:
            found += _move(other, low, min(low.room, other.spare), why)
    return found, max(0, low.target.low - low.held)


def _move(source: _Place, to: _Place, units: int, why: str) -> list[Proposal]:
    if units <= 0:
        return []
    source.held -= units
    to.held += units
    what: Literal["rebalance", "sweep"] = "sweep" if source.addresses > 1 and source.target.target == 0 else "rebalance"
    return [Proposal(what, source.name, to.name, Amount(source.target.asset, units), why)]


def _said(place: _Place, units: int) -> str:
    sign = "-" if units < 0 else ""
    return f"{sign}{Amount(place.target.asset, abs(units))}"


def _place(connection: Connection, target: Target) -> _Place:
    wallet, asset = find_wallet(connection, target.wallet), target.asset
    table = tables.balances
    here = (table.c.account == f"wallet:{wallet.name}") & (table.c.asset_code == asset.code)
    row = connection.execute(select(table).where(here, table.c.asset_network == asset.network)).one_or_none()
    kept = 0 if row is None else int(row.posted) + int(row.pending)
    keys = find_keys(connection, wallet.name)
    moving = _moving(connection, wallet.network)
    held = kept + sum(moving[key.address, asset.code] for key in keys)
    return _Place(target, wallet.tier, wallet.network, len(keys), held)


def _moving(connection: Connection, network: str) -> Counter[tuple[str, str]]:
    """Add up what live jobs bring, by address and asset, less what those not built yet will take.

    What is built the books reserve already; jobs that replace each other bring one transfer.
    """
    jobs, link, transfers = tables.jobs, tables.job_transfers, tables.transfers
    live = jobs.c.state.not_in([state.value for state in ENDS])
    query = (
        select(
            transfers.c.id, transfers.c.source, transfers.c.destination, transfers.c.asset_code, transfers.c.units,
            jobs.c.state.in_([state.value for state in _NOT_RESERVED]).label("bare"),
        )
        .join(link, link.c.transfer == transfers.c.id)
        .join(jobs, jobs.c.id == link.c.job)
        .where(live, jobs.c.network == network)
        .distinct()
    )
    moving: Counter[tuple[str, str]] = Counter()
    brought: set[str] = set()
    for row in connection.execute(query):
        if row.id not in brought:
            moving[row.destination, row.asset_code] += int(row.units)
        if row.bare and row.id not in brought:
            moving[row.source, row.asset_code] -= int(row.units)
        brought.add(row.id)
    return moving
