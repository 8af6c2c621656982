"""Which fragments a frame of a multi-part UR mixes: the one choice that both sides make alike (BCR-2024-001).

Xoshiro256** seeded by SHA-256 draws first how many, by Walker's alias method, then which, by a shuffle. The
fractions are those of the format, in double precision, since another rounding would choose other fragments;
they are shares of chance, never money. None of this is a secret or fit to make one.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, reduce
from hashlib import sha256
from operator import add

_WORD = 2**64 - 1


class Xoshiro:
    """Xoshiro256**, seeded by the SHA-256 of some bytes as four numbers, most significant byte first."""

    def __init__(self, seed: bytes) -> None:
        digest = sha256(seed).digest()
        self._a, self._b, self._c, self._d = (int.from_bytes(digest[at : at + 8], "big") for at in (0, 8, 16, 24))

    def draw(self) -> int:
        """Draw 64 bits."""
        drawn = _rotated(self._b * 5 & _WORD, 7) * 9 & _WORD
        carried = self._b << 17 & _WORD
        self._c ^= self._a
        self._d ^= self._b
        self._b ^= self._c
        self._a ^= self._d
        self._c ^= carried
        self._d = _rotated(self._d, 45)
        return drawn

    def fraction(self) -> float:
        """Draw a number from 0 to 1."""
        return self.draw() / 2**64

    def below(self, count: int) -> int:
        """Draw a whole number from 0 to count - 1; rounding up to `count` itself is held off."""
        return min(int(self.fraction() * count), count - 1)


class Sampler:
    """Draws places by their weights in constant time: Walker's alias method as Vose arranged it."""

    def __init__(self, weights: Sequence[float]) -> None:
        # Added one by one: `sum` rounds less from Python 3.12 on, and so would choose otherwise.
        total = reduce(add, weights)
        shares = [weight * len(weights) / total for weight in weights]
        self._keep = [1.0] * len(weights)
        self._alias = list(range(len(weights)))
        # Each pile has its first place on top: the order is part of the format.
        small = [at for at in reversed(range(len(shares))) if shares[at] < 1]
        large = [at for at in reversed(range(len(shares))) if shares[at] >= 1]
        while small and large:
            lesser, greater = small.pop(), large.pop()
            self._keep[lesser], self._alias[lesser] = shares[lesser], greater
            shares[greater] += shares[lesser] - 1
            (small if shares[greater] < 1 else large).append(greater)

    def draw(self, chance: Xoshiro) -> int:
        """Draw a place; it always takes two numbers."""
        place, toss = chance.below(len(self._keep)), chance.fraction()
        return place if toss < self._keep[place] else self._alias[place]


def degree(count: int, chance: Xoshiro) -> int:
    """Draw how many of `count` fragments are mixed: d of them with a weight of 1/d."""
    return _degrees(count).draw(chance) + 1


def shuffled(count: int, taken: int, chance: Xoshiro) -> list[int]:
    """Give the first `taken` places of a shuffle of `count`."""
    left = list(range(count))
    return [left.pop(chance.below(len(left))) for _ in range(taken)]


def chosen(seq: int, count: int, crc: int) -> frozenset[int]:
    """Give the fragments that a frame mixes; the first `count` frames are the fragments themselves."""
    if seq <= count:
        return frozenset([seq - 1])
    chance = Xoshiro(seq.to_bytes(4, "big") + crc.to_bytes(4, "big"))
    return frozenset(shuffled(count, degree(count, chance), chance))


@lru_cache(maxsize=8)
def _degrees(count: int) -> Sampler:
    return Sampler([1 / many for many in range(1, count + 1)])


def _rotated(word: int, by: int) -> int:
    return (word << by | word >> (64 - by)) & _WORD
