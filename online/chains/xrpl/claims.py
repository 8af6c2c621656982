"""Which sequence or ticket a new transaction uses up: never one that another active job holds.

Tickets come first, since their transactions wait for nobody. Without a free one it is the first
sequence that no job holds; those before it are then all held by active jobs, so that it can happen when
they have. It can not happen before, and when one of them dies the later ones wait; after a pending
ticket creation, which raises the sequence by more than one, a sequence further on may never come. So a
busy account keeps tickets.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from shared.effects import Claim
from shared.errors import BadPlan, ClaimNotFree, NoFreeClaim

IN_A_ROW_MOST = 10
"""XRPL: a node queues about ten transactions of an account; more waiting sequences would be turned away."""

_NAME = re.compile(r"(sequence|ticket) ([1-9][0-9]{0,9})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Use:
    """A sequence or a ticket to use; `waits` says that earlier sequences must happen first."""

    sequence: int | None = None
    ticket: int | None = None
    waits: bool = False

    @property
    def name(self) -> str:
        """Give the claim's name."""
        return f"sequence {self.sequence}" if self.ticket is None else f"ticket {self.ticket}"


def scope(network: str, address: str) -> str:
    """Give the scope of an account's claims."""
    return f"{network}/{address}"


def read_claim(claim: Claim) -> Use:
    """Read a claim's name back. Raises BadPlan for a name that is none."""
    match = _NAME.fullmatch(claim.name)
    if match is None:
        raise BadPlan(f"no XRPL claim: {claim.name[:40]!r}")
    return Use(sequence=int(match[2])) if match[1] == "sequence" else Use(ticket=int(match[2]))


def choose(wanted: str, where: str, sequence: int, tickets: Sequence[int], taken: Collection[Claim]) -> Use:
    """Choose what to use: wanted is "any", "ticket", "sequence", or one claim by its name ("ticket 17").

    Raises:
        NoFreeClaim: when there is none. ClaimNotFree: when the named one is not free.
        BadPlan: for another wish.
    """
    held = {claim.name for claim in taken if claim.scope == where}
    free = free_tickets(where, tickets, taken)
    if wanted in ("any", "ticket") and free:
        return Use(ticket=min(free))
    if wanted == "ticket":
        raise NoFreeClaim(f"the account has {len(tickets)} tickets, and none is free", passes=bool(tickets))
    if wanted in ("any", "sequence"):
        return _next_sequence(sequence, held)
    return _named(wanted, where, free, _first_free(sequence, held), sequence)


def free_tickets(where: str, tickets: Sequence[int], taken: Collection[Claim]) -> list[int]:
    """Give the tickets that no active job holds."""
    held = {claim.name for claim in taken if claim.scope == where}
    return [number for number in tickets if f"ticket {number}" not in held]


def _next_sequence(sequence: int, held: set[str]) -> Use:
    first = _first_free(sequence, held)
    if first - sequence >= IN_A_ROW_MOST:
        raise NoFreeClaim(f"{first - sequence} sequences of the account wait in a row already", passes=True)
    return Use(sequence=first, waits=first > sequence)


def _first_free(sequence: int, held: set[str]) -> int:
    while f"sequence {sequence}" in held:
        sequence += 1
    return sequence


def _named(wanted: str, where: str, free: Sequence[int], first: int, sequence: int) -> Use:
    use = read_claim(Claim(where, wanted))
    if use.ticket is not None and use.ticket not in free:
        raise ClaimNotFree(f"{wanted} is not among the account's free tickets")
    if use.sequence is not None and use.sequence != first:
        raise ClaimNotFree(f"{wanted} is not free; the account's next free one is {first}")
    return Use(use.sequence, use.ticket, waits=use.sequence is not None and use.sequence > sequence)
