"""What the planner says: proposals, each with its reason and the one command that drafts it, and what nobody can spare.

The key of an order says which proposal it comes from: two people who draft the same one make one order.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from online.ledger.csv_text import plain
from shared.money import Amount

What = Literal["rebalance", "sweep", "prime", "tickets", "consolidate"]

MOST_ADDRESSES = 40
"""So many addresses stand in one proposal at most; the others come in the next, once these are on their way."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """An order that would help: what it is, from which wallet to which, how much, and why.

    `amount` is what moves as far as it is known before: a sweep's fees come out of it. It is nothing for tickets and
    coins. `words` are the command's, beside its key and who drafts.
    """

    what: What
    source: str
    target: str
    amount: Amount | None
    why: str
    words: tuple[str, ...]
    key: str = ""

    def command(self, person: str) -> str:
        """Write the command by which a person drafts it."""
        return shlex.join(["lockgate", *self.words, "--key", self.key, "--as", person])


@dataclass(frozen=True, slots=True)
class Short:
    """What no proposal can fill: a wallet or tier below its band, and by how much no other has enough to spare."""

    wallet: str
    amount: Amount


@dataclass(frozen=True, slots=True)
class Advice:
    """What the planner has to say; `notes` are what it could not look at, or does not know how to help."""

    proposals: tuple[Proposal, ...]
    short: tuple[Short, ...]
    notes: tuple[str, ...] = ()


def moved(words: Sequence[str], amount: Amount, *, native: bool) -> tuple[str, ...]:
    """Add how much of which asset to a command's words."""
    named = [] if native else ["--asset", amount.asset.code]
    return (*words, "--amount", plain(amount.units, amount.asset.decimals), *named)


def at(addresses: Sequence[str]) -> list[str]:
    """Give the words that name addresses."""
    return [word for address in addresses for word in ("--at", address)]


def keyed(found: Sequence[Proposal], orders: Mapping[str, int]) -> tuple[Proposal, ...]:
    """Give each proposal the key of the order that it would be: the next of its kind out of its wallet."""
    given: list[Proposal] = []
    for one in found:
        code = one.amount.asset.code if one.amount is not None else ""
        parts = [one.what, one.source, one.target, code, str(orders.get(one.source, 0) + 1)]
        key = "-".join(part for part in parts if part)
        twin = sum(other.key.startswith(key) for other in given)
        given.append(replace(one, key=f"{key}-{twin + 1}" if twin else key))
    return tuple(given)
