"""Walks along a ledger and the books together, span by span, and lets go of what both tell alike.

What is in memory at any time is one span of the ledger, one of the books, and what is not settled between them. The
ledger is read before the books, so that whatever the books know of it is known here.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from sqlalchemy import Connection, func, select

from online.chains.api import Historian, Movement
from online.ledger.accounts import wallet as account_name
from online.ledger.differences import Booked, Key, Place, Shown, Span, unsettled
from online.ledger.facts import Chosen, Facts, Openings, entries_of, facts, waiting
from online.ledger.stands import Stand
from online.store import tables
from online.store.assets import finder
from online.store.database import Store
from shared.errors import NodeAnswerUnreadable
from shared.money import Asset

ENTRIES_MOST: Final = 5_000
"""So many entries of the books are read at once."""


@dataclass(frozen=True, slots=True)
class Ground:
    """Of what a walk tells: a network's addresses by their wallets, its assets, and the openings of its wallets."""

    network: str
    owners: Mapping[str, str]
    assets: tuple[Asset, ...]
    opened: Openings


@dataclass(frozen=True, slots=True)
class Walked:
    """What a walk came to: the new stand, and all that is to be judged.

    `shown` has what is not settled too, by the ids that the books have. `moved` is all that the ledger moved since the
    openings, `strays` are lines that name no transaction.
    """

    stand: Stand
    spans: Mapping[Place, Span]
    shown: tuple[Shown, ...]
    booked: tuple[Booked, ...]
    moved: Mapping[Place, int]
    strays: tuple[tuple[int, str, Asset, int], ...]


def beginning(ground: Ground) -> Stand:
    """Give the stand from which everything since the openings is read."""
    return Stand(min(ground.opened.heights.values(), default=0))


def holds(store: Store, gateway: Historian, ground: Ground, stand: Stand) -> bool:
    """Say whether a stand can be gone on from: its block stands, its openings are the same, and so is what was booked.

    Raises:
        HistoryMissing: where the node does not have its block. NodeUnreachable: when it does not answer.
    """
    opened = ground.opened.heights
    if any(stand.moved.get(place, (max(height, stand.height),))[0] != height for place, height in opened.items()):
        return False
    with store.reading() as connection:
        kept = _posted(connection, ground.network)
        for above, upto in _steps(stand.entry, _newest(connection)):
            kept.subtract(facts(connection, ground.network, Chosen(above, upto), ground.opened).posted)
    same = all(kept[place] == stand.booked.get(place, 0) for place in kept.keys() | stand.booked.keys())
    return same and gateway.block(stand.height) == stand.block


def walk(store: Store, gateway: Historian, ground: Ground, stand: Stand) -> Walked:
    """Read ledger and books on from a stand to their ends.

    Raises:
        HistoryMissing: where the node does not have all of it. NodeUnreachable: when it does not answer.
    """
    way, at = _Way(ground, stand), stand.height
    with store.reading() as connection:
        way.read_again(connection, stand.entries)
    more = True
    while more:
        part = gateway.movements(ground.owners, ground.assets, at)
        if part.more and part.height <= at:
            raise NodeAnswerUnreadable(f"the ledger of {ground.network} goes on, and nothing more is told of it")
        at, more = max(at, part.height), part.more
        way.take(part.found, part.settled)
        with store.reading() as connection:
            way.read_on(connection, whole=not more)
    with store.reading() as connection:
        found = way.walked(connection)
    height = found.stand.height
    block = stand.block if height == stand.height else gateway.block(height)
    return replace(found, stand=replace(found.stand, block=block))


@dataclass(slots=True)
class _Way:
    """A walk under way: the stand so far, what is not settled on the ledger, and the open facts of the books."""

    ground: Ground
    stand: Stand
    fresh: list[Shown] = field(default_factory=list)
    booked: list[Booked] = field(default_factory=list)
    alias: dict[str, str] = field(default_factory=dict)
    strays: list[tuple[int, str, Asset, int]] = field(default_factory=list)
    reached: int = 0

    def take(self, found: Iterable[Movement], settled: int) -> None:
        """Take in a span of the ledger."""
        height, opened = max(self.stand.height, settled), self.ground.opened.heights
        self.fresh += _shown(self.ground, found)
        new = [one for one in self.fresh if one.height <= height]
        self.fresh = [one for one in self.fresh if one.height > height]
        units = Counter({place: self.stand.moved.get(place, (0, 0))[1] for place in opened})
        units.update(_sums(new))
        moved = {place: (opened[place], units[place]) for place in opened}
        self.stand = replace(self.stand, height=height, moved=moved, shown=(*self.stand.shown, *new))

    def read_on(self, connection: Connection, *, whole: bool) -> None:
        """Read the books as far as they tell of the heights that were read, or all of them."""
        for above, upto in _steps(self.stand.entry, _newest(connection)):
            if self.reached > self.stand.height and not whole:
                break
            new = facts(connection, self.ground.network, Chosen(above, upto), self.ground.opened)
            booked = Counter(self.stand.booked)
            booked.update(new.posted)
            self.stand = replace(self.stand, entry=upto, booked=booked)
            self.reached = max((self.reached, *(row.height for row in new.booked)))
            self._add(new)
        if whole:  # what was read before may have gone on meanwhile
            self.read_again(connection, self._open())
            self.stand = replace(self.stand, entries=self._open())

    def read_again(self, connection: Connection, entries: frozenset[int]) -> None:
        """Read the open entries of the books, and no others."""
        self.booked, self.strays = [], []
        self._add(facts(connection, self.ground.network, Chosen(besides=entries), self.ground.opened))

    def walked(self, connection: Connection) -> Walked:
        """Give what it came to."""
        shown = self._named((*self.stand.shown, *self.fresh))
        settled, also = self._settled_before(connection, {_key(one) for one in shown})
        seen = waiting(connection, self.ground.network, {one.tx_id for one in shown})
        moved = Counter({place: units for place, (_, units) in self.stand.moved.items()})
        moved.update(_sums(self.fresh))
        booked = (*self.booked, *also, *seen)
        return Walked(self.stand, self._spans(), (*shown, *settled), booked, moved, tuple(self.strays))

    def _add(self, new: Facts) -> None:
        """Add facts of the books, and let go of all that is settled by them."""
        self.booked += new.booked
        self.strays += new.strays
        self.alias |= new.alias
        named = self._named(self.stand.shown)
        left = unsettled(named, self.booked, self._spans())
        kept = (one for one, also in zip(self.stand.shown, named, strict=True) if also.tx_id in left)
        self.stand = replace(self.stand, shown=tuple(kept))
        self.booked = [row for row in self.booked if row.tx_id in left]
        self.alias = {one: to for one, to in self.alias.items() if to in left}

    def _settled_before(self, connection: Connection, there: set[Key]) -> tuple[list[Shown], list[Booked]]:
        """Give what was settled already of transactions that the books name once more: the ledger showed just that."""
        late = [row for row in self.booked
                if row.status == "posted" and row.height <= self.stand.height and _key(row) not in there]  # fmt: skip
        jobs = {int(row.source.removeprefix("job ")) for row in late if row.source.startswith("job ")}
        entries = entries_of(connection, self.ground.network, {row.tx_id for row in late}, jobs) - self._open()
        known = facts(connection, self.ground.network, Chosen(besides=entries), self.ground.opened).booked
        keys = {_key(row) for row in late}
        rows: dict[Key, list[Booked]] = defaultdict(list)
        for row in known:
            if _key(row) in keys and row.status == "posted":
                rows[_key(row)].append(row)
        shown = [
            Shown(*key, sum(row.units for row in found), found[0].fee if len(found) == 1 else None,
                  max(row.height for row in found))
            for key, found in rows.items()
        ]  # fmt: skip
        return shown, [row for found in rows.values() for row in found]

    def _named(self, shown: Sequence[Shown]) -> list[Shown]:
        """Name facts of the ledger as the books do. Of a commit and its reveal the fees are told apart by neither."""
        pairs = set(self.alias.values())
        names = [self.alias.get(one.tx_id, one.tx_id) for one in shown]
        return [replace(one, tx_id=name, fee=None) if name in pairs else one
                for one, name in zip(shown, names, strict=True)]  # fmt: skip

    def _open(self) -> frozenset[int]:
        named = (row.entry for row in self.booked if row.entry is not None)
        return frozenset((*named, *(entry for entry, *_ in self.strays)))

    def _spans(self) -> dict[Place, Span]:
        return {place: Span(height, self.stand.height) for place, height in self.ground.opened.heights.items()}


def _shown(ground: Ground, found: Iterable[Movement]) -> Iterator[Shown]:
    """Give what moved as facts of wallets; what an asset did before it was opened for a wallet is in no books."""
    for one in found:
        name = ground.owners[one.address]
        opened = ground.opened.heights.get((name, one.asset))
        if opened is not None and one.height > opened:
            yield Shown(one.tx_id, name, one.asset, one.units, one.fee_units, one.height)


def _sums(shown: Iterable[Shown]) -> Counter[Place]:
    sums: Counter[Place] = Counter()
    for one in shown:
        sums[one.wallet, one.asset] += one.units
    return sums


def _key(one: Shown | Booked) -> Key:
    return one.tx_id, one.wallet, one.asset


def _steps(above: int, upto: int) -> Iterator[tuple[int, int]]:
    for first in range(above, upto, ENTRIES_MOST):
        yield first, min(first + ENTRIES_MOST, upto)


def _newest(connection: Connection) -> int:
    return connection.execute(select(func.max(tables.entries.c.id))).scalar() or 0


def _posted(connection: Connection, network: str) -> Counter[Place]:
    """Give what the kept balances of wallets say."""
    table, prefix = tables.balances, account_name("")
    here = table.c.asset_network == network, table.c.account.startswith(prefix, autoescape=True)
    asset = finder(connection)
    rows = connection.execute(select(table).where(*here))
    places = ((row.account.removeprefix(prefix), asset(network, row.asset_code), row) for row in rows)
    return Counter({(name, one): int(row.posted) for name, one, row in places})
