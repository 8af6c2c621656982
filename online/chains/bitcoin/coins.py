"""Chooses which unspent outputs pay: small, exact, and the same for the same coins. Pure: nothing is asked here.

A set that needs no change is searched first, then the largest coins are taken. What is left over below dust goes to
the fee, where the caps judge it and everybody reads it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from online.chains.bitcoin.answers import Outpoint
from online.chains.bitcoin.sizes import fee_sats, input_weight, vsize
from shared.chains.api import KeyPath
from shared.chains.bitcoin.script import dust_limit, form_of_script
from shared.errors import CoinsShort

_STEPS_MOST = 20_000
INPUTS_MOST = 500


@dataclass(frozen=True, slots=True)
class Owner:
    """An address of the wallet with the key that signs for it."""

    address: str
    script: bytes
    path: KeyPath
    public_key: bytes


@dataclass(frozen=True, slots=True)
class Coin:
    """A confirmed output of the wallet."""

    outpoint: Outpoint
    sats: int
    owner: Owner


@dataclass(frozen=True, slots=True)
class Need:
    """What is to be paid: outputs as (sats, script), where change goes, and at what fee.

    `fee_least` is what a replacement must pay, whatever the rate says.
    """

    outputs: tuple[tuple[int, bytes], ...]
    change_script: bytes
    rate: int
    fee_least: int = 0

    @property
    def dust(self) -> int:
        """Give the least change that nodes relay."""
        return dust_limit(form_of_script(self.change_script))

    def fee(self, coins: Sequence[Coin], *, change: bool) -> int:
        """Give the fee of spending some coins, with or without change."""
        return max(fee_sats(self.size(coins, change=change), self.rate), self.fee_least)

    def size(self, coins: Sequence[Coin], *, change: bool) -> int:
        """Give the virtual size of spending some coins, with or without change."""
        scripts = [script for _, script in self.outputs] + ([self.change_script] if change else [])
        return vsize([coin.owner.script for coin in coins], scripts)

    def left(self, coins: Sequence[Coin], *, change: bool) -> int:
        """Give what is left of some coins after outputs and fee; below zero where they do not do."""
        paid = sum(sats for sats, _ in self.outputs)
        return sum(coin.sats for coin in coins) - paid - self.fee(coins, change=change)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The coins to spend, in the order of the inputs, the change (none where it would be dust), and the fee."""

    coins: tuple[Coin, ...]
    change_sats: int
    fee_sats: int


def choose(forced: Sequence[Coin], free: Sequence[Coin], need: Need, first: Owner) -> Chosen:
    """Choose coins, all forced ones among them, the first one of an owner's.

    Raises:
        CoinsShort: when they do not do, or too many would be needed.
    """
    held = list(forced)
    others = sorted((coin for coin in free if coin not in held), key=_by_value)
    if not any(coin.owner == first for coin in held):
        mine = [coin for coin in others if coin.owner == first]
        if not mine:
            raise CoinsShort(f"{first.address} has no confirmed output that is free")
        if len({coin.owner for coin in others}) > 1:
            held.append(mine[0])
            others.remove(mine[0])
    taken = _exact(held, others, need) or _largest(held, others, need)
    coins = tuple(sorted(taken, key=lambda coin: (coin.owner != first, *_by_value(coin))))
    change = need.left(coins, change=True)
    if change < need.dust:
        change = 0
    paid = sum(sats for sats, _ in need.outputs)
    return Chosen(coins, change, sum(coin.sats for coin in coins) - paid - change)


def _by_value(coin: Coin) -> tuple[int, Outpoint]:
    # Counterparty's compose sorts by value as well: with the same order, the same input comes first.
    return -coin.sats, coin.outpoint


def _largest(held: Sequence[Coin], others: Sequence[Coin], need: Need) -> list[Coin]:
    taken = list(held)
    for coin in [None, *others]:
        if coin is not None:
            taken.append(coin)
        if taken and len(taken) <= INPUTS_MOST and need.left(taken, change=True) >= need.dust:
            return taken
    if taken and len(taken) <= INPUTS_MOST and need.left(taken, change=False) >= 0:
        return taken
    have, want = sum(coin.sats for coin in taken), sum(sats for sats, _ in need.outputs)
    if len(taken) > INPUTS_MOST:
        raise CoinsShort(f"more than {INPUTS_MOST} outputs would have to be spent at once")
    raise CoinsShort(f"the free outputs hold {have} sat; {want} sat and the fee are needed")


def _exact(held: Sequence[Coin], others: Sequence[Coin], need: Need) -> list[Coin] | None:
    """Search the free coins, the larger first, for a set that leaves less than dust (branch and bound)."""
    goal = sum(sats for sats, _ in need.outputs) + need.fee(held, change=False) - sum(coin.sats for coin in held)
    valued = [(worth(coin, need.rate), coin) for coin in others]
    usable = [(value, coin) for value, coin in valued if value > 0]
    if need.fee_least:
        return None  # the fee does not follow the size then

    def fits(coins: list[Coin]) -> bool:
        return bool(held or coins) and 0 <= need.left([*held, *coins], change=False) < need.dust

    found = _search(usable, goal, need.dust, fits)
    return None if found is None else [*held, *found]


def worth(coin: Coin, rate: int) -> int:
    """Give what a coin adds to a transaction at a rate in sat per 1000 vB, its own input's fee taken off."""
    return coin.sats - -(-input_weight(coin.owner.script) * rate // 4000)


def _search(
    usable: Sequence[tuple[int, Coin]], goal: int, room: int, fits: Callable[[list[Coin]], bool]
) -> list[Coin] | None:
    rest = [0]
    for value, _ in reversed(usable):
        rest.append(rest[-1] + value)
    rest.reverse()
    stack: list[tuple[int, int, tuple[int, ...]]] = [(0, goal, ())]
    for _ in range(_STEPS_MOST):
        if not stack:
            return None
        at, left, picked = stack.pop()
        # The worth of a coin is rounded by a satoshi, hence the slack; `fits` counts exactly.
        if -room - len(picked) < left <= len(picked) + 1:
            coins = [usable[index][1] for index in picked]
            if fits(coins):
                return coins
        if at == len(usable) or left <= -room - len(picked) or left > rest[at] + len(usable):
            continue
        stack.append((at + 1, left, picked))
        stack.append((at + 1, left - usable[at][0], (*picked, at)))
    return None
