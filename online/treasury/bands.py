"""Bands: which moves between wallets of one network bring one asset back into every band. Pure: places come in.

Money is taken where there is most to spare and brought where there is most room, the coldest first among equals; what
has no target is left alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from online.treasury.proposals import MOST_ADDRESSES, Proposal, Short, at, moved
from online.treasury.targets import TIERS, Target
from shared.chains import chain
from shared.money import Amount, Asset


@dataclass(slots=True)
class Chest:
    """An address out of which something can be paid, and how much. Without an address it is a wallet's first."""

    wallet: str
    left: int
    address: str = ""
    first: bool = True


@dataclass(slots=True)
class Place:
    """A wallet or tier with what it will hold of one asset once everything on its way has landed.

    `door` is the wallet that takes what comes, with its first address; it is empty where that is a customer's own.
    `demands` is "tag" or "memo" where it takes nothing without one.
    `customers` says that its addresses are customers': what lies there is swept, and never dealt out. `gathers` says
    that several addresses of a wallet can be emptied by one order.
    """

    target: Target
    tier: str
    held: int
    door: str
    address: str = ""
    chests: list[Chest] = field(default_factory=list)
    customers: bool = False
    gathers: bool = False
    demands: str = ""

    @property
    def name(self) -> str:
        """Name it for people."""
        return self.target.wallet or f"all {self.target.tier} wallets"

    @property
    def spare(self) -> int:
        """Give what it can give: down to its target, if it is above, as far as its addresses can pay it."""
        return max(0, min(self.held - self.target.target, sum(chest.left for chest in self.chests)))

    @property
    def room(self) -> int:
        """Give what it can take: up to its target, if it is below."""
        return max(0, self.target.target - self.held) if self.door else 0

    @property
    def coldness(self) -> tuple[int, str]:
        """Give its rank among equals."""
        return TIERS.index(self.tier), self.name

    def said(self, units: int) -> str:
        """Write base units, which may be fewer than none."""
        return f"{'-' if units < 0 else ''}{Amount(self.target.asset, abs(units))}"


def banded(group: Sequence[Place]) -> tuple[list[Proposal], list[Short]]:
    """Say for the places of one asset what would bring them into their bands, and what nobody can fill."""
    proposals: list[Proposal] = []
    short: list[Short] = []
    for place in group:
        if place.held > place.target.high and not place.customers:
            proposals += _empty(place, group)
    for place in group:
        if place.held < place.target.low:
            proposals += _fill(place, group)
            missing = max(0, place.target.low - place.held)
            short += [Short(place.name, Amount(place.target.asset, missing))] if missing else []
    return proposals, short


def best_door(group: Sequence[Place], beside: str) -> Place | None:
    """Give where something goes that is swept: where there is most room, else the coldest; nothing without any."""
    doors = [one for one in group if one.door and one.door != beside]
    return min(doors, key=lambda one: (-one.room, one.held > one.target.high, one.coldness), default=None)


def _empty(full: Place, group: Sequence[Place]) -> Iterator[Proposal]:
    """Move what is above the target to where there is room, or to the coldest wallet that is not full itself."""
    why = f"{full.name} will hold {full.said(full.held)}, above {full.said(full.target.high)}"
    others = [one for one in group if one is not full and one.held <= one.target.high and one.door]
    holding = [chest for chest in full.chests if chest.left]
    if full.gathers and full.target.target == 0 and len(holding) > 1 and others:
        yield _gather(full, holding, min(others, key=lambda one: (-one.room, one.coldness)), why)
        return
    for other in sorted(others, key=lambda one: (-one.room, one.coldness)):
        yield from _move(full, other, min(full.spare, other.room), why)
    if full.spare and others:
        coldest = min(others, key=lambda one: one.coldness)
        room = max(0, coldest.target.high - coldest.held)
        yield from _move(full, coldest, min(full.spare, room), why)


def _fill(low: Place, group: Sequence[Place]) -> Iterator[Proposal]:
    """Bring a wallet up to its target from those with most to spare, the coldest first among equals."""
    why = f"{low.name} will hold {low.said(low.held)}, below {low.said(low.target.low)}"
    for other in sorted(group, key=lambda one: (-one.spare, one.coldness)):
        if other is not low:
            yield from _move(other, low, min(low.room, other.spare), why)


def _gather(source: Place, holding: Sequence[Chest], to: Place, why: str) -> Proposal:
    """Empty a wallet that should hold nothing, address by address."""
    asset, part = source.target.asset, holding[:MOST_ADDRESSES]
    amount = Amount(asset, sum(chest.left for chest in part))
    source.held, to.held = source.held - amount.units, to.held + amount.units
    for chest in part:
        chest.left = 0
    named = [] if _is_native(asset) else ["--asset", asset.code]
    words = ["sweep", "--wallet", part[0].wallet, "--to", to.address, *named, *memo_of(to)]
    return Proposal("sweep", part[0].wallet, to.door, amount, why, (*words, *at([one.address for one in part])))


def memo_of(to: Place) -> list[str]:
    """Give the words for a sweep's memo, where it goes to an address that demands one."""
    return ["--memo", "sweep"] if to.demands == "memo" else []


def _is_native(asset: Asset) -> bool:
    return asset == chain(asset.network).network(asset.network).native


def _move(source: Place, to: Place, units: int, why: str) -> Iterator[Proposal]:
    """Take an amount out of one address if one has it, else out of several, the fullest first."""
    asset = source.target.asset
    for chest in sorted(source.chests, key=lambda one: (one.left < units, not one.first, -one.left)):
        part = min(units, chest.left)
        if part <= 0 or chest.wallet == to.door:
            continue
        units, chest.left, source.held, to.held = units - part, chest.left - part, source.held - part, to.held + part
        words = ["rebalance", "--from", chest.wallet, "--to", to.door]
        words += [] if chest.first else ["--address", chest.address]
        words += {"tag": ["--tag", "0"], "memo": ["--memo-hex", "00"]}.get(to.demands, [])
        amount = Amount(asset, part)
        yield Proposal("rebalance", chest.wallet, to.door, amount, why, moved(words, amount, native=_is_native(asset)))
