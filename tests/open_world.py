"""The world of `online_world`, open to strangers: they pay to any address, and the newest ledgers can be taken back.

Strangers pay in gems as well, an asset that is noted and that nobody here sends. What they pay to some addresses is
credited once it was swept from there, as on ledgers where each customer has an address alone.

A `depth` says how many: what is not deeper has happened for nobody, as where blocks have rivals. No XRP Ledger does so;
the depth is nought unless a test asks for more, and then this world has the addresses and tags of the one kind of
ledger and the depths of the other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from online.chains.api import (
    AccountState,
    Arrival,
    Arrivals,
    Built,
    Look,
    NodeReport,
    Outcome,
    Plan,
    Verdict,
    Watched,
)
from shared.chains.xrpl.signing import transaction_id
from shared.effects import Claim, Destination, Effects
from shared.errors import HistoryMissing
from shared.money import Amount, Asset
from tests.online_world import NETWORK, XRP, Account, World

GEM = Asset(NETWORK, "GEM", 2)
UNLISTED = Asset(NETWORK, "JUNK", 0)

Fate = Literal["again", "later", "lost", "replaced"]
"""What becomes of what was taken back: it happens in the next ledger or a later one, never, or a rival does instead."""


@dataclass(frozen=True, slots=True)
class Gift:
    """What a stranger pays to an address."""

    tx_id: str
    sender: str
    to: Destination
    amount: Amount

    def arrival(self, height: int, *, until_swept: bool = False) -> Arrival:
        """Give it as a gateway tells it."""
        key = f"{self.tx_id}/{self.to.address}"
        return Arrival(key, self.tx_id, height, self.sender, self.to, self.amount, until_swept=until_swept)


@dataclass
class _Moment:
    """The ledger as it was at some time."""

    accounts: dict[str, Account]
    done: dict[str, tuple[int, str, Effects, bytes]]
    gifts: dict[str, tuple[int, Gift]]


def copied(accounts: dict[str, Account]) -> dict[str, Account]:
    """Copy accounts with what they hold."""
    return {address: replace(one, tickets=set(one.tickets)) for address, one in accounts.items()}


class OpenWorld(World):
    """The ledger, its strangers, and a gateway that tells what arrived."""

    def __init__(self, depth: int = 0) -> None:
        super().__init__()
        self.depth = depth
        self.offered: list[Gift] = []
        self.gifts: dict[str, tuple[int, Gift]] = {}
        self.stutters = False
        self.behind = 0
        self._branch = 0
        self._count = 0
        self._branches: dict[int, int] = {}
        self._moments: dict[int, _Moment] = {}
        self._blobs: dict[str, bytes] = {}
        self._forks: dict[int, int] = {}
        self.sunk: set[str] = set()
        self.gems: dict[str, int] = {}
        self.swept_first: set[str] = set()

    @property
    def settled(self) -> int:
        return self.at - self.depth

    # --- what strangers do, and what becomes of it --------------------------------------------------

    def pay(self, sender: str, to: Destination, amount: Amount) -> Gift:
        """Let a stranger pay: it happens with the next ledger."""
        self._count += 1
        gift = Gift(f"{self._count:064X}", sender, to, amount)
        self.offered.append(gift)
        return gift

    def submit(self, blob: bytes) -> Verdict:
        self._blobs[transaction_id(blob)] = blob
        return super().submit(blob)

    def close(self, count: int = 1) -> None:
        for _ in range(count):
            if self.depth:
                self._moments[self.at + 1] = _Moment(copied(self.accounts), dict(self.done), dict(self.gifts))
                self._moments.pop(self.at - self.depth, None)
            super().close()
            self._branches[self.at] = self._branch
            for gift in self.offered:
                self.gifts[gift.tx_id] = (self.at, gift)
                if gift.amount.asset == XRP:
                    self.accounts.setdefault(gift.to.address, Account(0)).units += gift.amount.units
            self.offered.clear()

    def reorganise(self, count: int, fate: Fate) -> None:
        """Take the newest ledgers back, let one more come in their place, and let what was in them have its fate."""
        assert 1 <= count <= self.depth
        first = self.at - count + 1
        ours = {tx_id: one for tx_id, one in self.done.items() if one[0] >= first}
        gifts = [gift for height, gift in self.gifts.values() if height >= first]
        was = self._moments[first]
        self.accounts, self.done, self.gifts = copied(was.accounts), dict(was.done), dict(was.gifts)
        self.at, self._branch = first - 1, self._branch + 1
        if fate == "replaced":
            self._replace([effects for _, _, effects, _ in ours.values()], gifts)
        if fate == "later":
            self.close(count + 1)
        if fate in ("again", "later"):
            self.pool |= {tx_id: self._blobs[tx_id] for tx_id in ours if tx_id in self._blobs}
            self.offered += gifts
        if fate != "later":
            self.close(count + 1)

    def sink(self, last: int, *, again: bool) -> None:
        """Take back all ledgers after one that was final: strangers' payments are lost, or come later.

        Our own happen again where they were.
        """
        gone = [gift for height, gift in self.gifts.values() if height > last]
        for there in [_Moment(self.accounts, self.done, self.gifts), *self._moments.values()]:
            for gift in gone:
                if there.gifts.pop(gift.tx_id, None) is not None and gift.amount.asset == XRP:
                    there.accounts[gift.to.address].units -= gift.amount.units
        self._branch += 1
        self._forks[self._branch] = last
        self._branches |= dict.fromkeys(range(last + 1, self.at + 1), self._branch)
        self.sunk |= {gift.tx_id for gift in gone}
        self.offered += gone if again else []

    def _replace(self, ours: list[Effects], gifts: list[Gift]) -> None:
        """Let rivals that cost nothing use up what ours claimed, and strangers pay half, and forget the tag."""
        for effects in ours:
            kind, number = effects.claims[0].name.split()
            account = self.accounts[effects.source]
            if kind == "sequence" and int(number) == account.sequence:
                self._count += 1
                account.sequence += 1
                nothing = replace(effects, payments=())
                self.done[f"{self._count:064X}"] = (self.at + 1, "tesSUCCESS", nothing, b"")
        for gift in gifts:
            half = Amount(gift.amount.asset, gift.amount.units // 2)
            self.pay(gift.sender, Destination(gift.to.address), half)

    # --- what the gateway tells ---------------------------------------------------------------------

    def arrivals(
        self, addresses: Collection[str], assets: Collection[Asset], cursor: str, since: int | None = None
    ) -> Arrivals:
        """Read on from a cursor, the last settled ledger read and its name; above a height or now where it is empty."""
        self.height()
        newest = self.settled - self.behind
        if not cursor:
            cursor = self._cursor(newest if since is None else min(since, newest))
        last, rewound = int(cursor.split(maxsplit=1)[0]), None
        if self._cursor(last) != cursor:
            branch = int(cursor.rpartition(".")[2])
            rewound = min(height for number, height in self._forks.items() if number > branch and height < last)
        if newest <= last and rewound is None:
            return Arrivals((), cursor, last)
        if newest < last:
            raise HistoryMissing(f"there is another ledger {last} than the one that was read, and not what follows it")
        above = last if rewound is None else rewound
        found = [one for one in self.brought() if above < one.height <= newest and one.destination.address in addresses]
        found.sort(key=lambda one: (one.height, one.key))
        twice = [one for one in found for _ in range(1 + self.stutters)]
        return Arrivals(tuple(twice), self._cursor(newest), newest, rewound)

    def brought(self) -> Iterator[Arrival]:
        """Give everything that ever arrived anywhere, as the ledger now is."""
        for height, gift in self.gifts.values():
            yield gift.arrival(height, until_swept=gift.to.address in self.swept_first and gift.amount.asset == XRP)
        for tx_id, (height, result, effects, _) in self.done.items():
            for payment in effects.payments if result == "tesSUCCESS" else ():
                yield Gift(tx_id, effects.source, payment.destination, payment.amount).arrival(height)

    def gems_of(self, address: str) -> int:
        """Give what an address has of gems: what it began with, and what strangers brought."""
        gifts = (gift for _, gift in self.gifts.values() if gift.to.address == address and gift.amount.asset == GEM)
        return self.gems.get(address, 0) + sum(gift.amount.units for gift in gifts)

    def _cursor(self, height: int) -> str:
        return f"{height} {height}.{self._branches.get(height, 0)}"


class Teller:
    """The gateway to an open world that counts gems besides, and says what became of sweeps."""

    network = NETWORK
    collects = True

    def __init__(self, world: OpenWorld) -> None:
        self.world = world

    def check(self) -> NodeReport:
        return self.world.check()

    def height(self) -> int:
        return self.world.height()

    def account(self, address: str) -> AccountState:
        return self.world.account(address)

    def accounts(self, addresses: Sequence[str]) -> tuple[AccountState, ...]:
        return tuple(map(self.account, addresses))

    def asset_balance(self, address: str, asset: Asset) -> Amount:
        return Amount(asset, self.world.gems_of(address) if asset == GEM else 0)

    def filled(self, plan: Plan, taken: Collection[Claim]) -> Plan:
        raise NotImplementedError

    def build(self, plan: Plan, taken: Collection[Claim]) -> Built:
        return self.world.build(plan, taken)

    def submit(self, blob: bytes) -> Verdict:
        return self.world.submit(blob)

    def look(self) -> Look:
        return self.world.look()

    def collected(self, watched: Watched) -> Outcome:
        return self.world.watch(watched)

    def arrivals(
        self, addresses: Collection[str], assets: Collection[Asset], cursor: str, since: int | None = None
    ) -> Arrivals:
        return self.world.arrivals(addresses, assets, cursor, since)
