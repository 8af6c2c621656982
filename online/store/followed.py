"""What this process keeps of the journal between its transactions: how far it read, and which withdrawals are open.

It is only ever what a committed, verified journal said, so that a journal which says less later was cut.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.encoding import Value


@dataclass(frozen=True, slots=True)
class Standing:
    """How the journal says that a withdrawal stands: its first line's number, what was asked for, and its state.

    `transfer` is what its order calls it. `held` says whether it ever was, and `word` is then the sealed one by which
    a person let it go since. A state of "" is none: the journal's lines contradict each other.
    """

    line: int
    asked: Mapping[str, Value]
    state: str
    transfer: bytes | None = None
    held: bool = False
    word: bytes | None = None


@dataclass(frozen=True, slots=True)
class Followed:
    """The journal from entry `start` to its end at that time, as size and last hash, and what had not ended then.

    `open` are withdrawals by their ids, `away` the numbers of jobs that left for a signer.
    """

    start: int = 0
    size: int = 0
    last_hash: bytes = b""
    open: Mapping[str, Standing] = field(default_factory=dict)
    away: frozenset[int] = frozenset()


@dataclass(slots=True)
class Memory:
    """The one thing that a process remembers of a store. It is filled from what is committed, and from nothing else."""

    followed: Followed = field(default_factory=Followed)
