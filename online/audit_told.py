"""What the coordinator's journal tells of the rows of its store, gathered for holding one against the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from shared.encoding import Value
from shared.journal import Entry, Journal

_ABOUT: Final = {
    "signer-seen": "signer",
    "signer-ahead": "signer",
    "signer-journal": "signer",
    "card": "wallet",
    "order": "order",
    "approval": "order",
    "request": "request",
}
"""By which field an entry of a kind says what it is about."""


@dataclass(slots=True)
class Moves:
    """A job's moves as the journal tells them: where it is, and what each state gave."""

    state: str
    order: Value
    gave: dict[str, Mapping[str, Value]] = field(default_factory=dict)


class Told:
    """A verified journal, read once for all the looks at the store."""

    def __init__(self, found: Journal) -> None:
        self.entries = found.entries
        self.key = found.tip.key
        self.problems: list[str] = []
        self.made: dict[int, Mapping[str, Value]] = {}
        self.jobs: dict[int, Moves] = {}
        self.postings: dict[int, tuple[str, bytes]] = {}
        self.voided: dict[int, tuple[int, int]] = {}
        self.newest: dict[int, int] = {}
        self._newest = 0
        self._last: dict[tuple[str, Value], Mapping[str, Value]] = {}
        for entry in found.entries:
            about = entry.body.get(_ABOUT.get(entry.kind, ""))
            if isinstance(about, (str, bytes)):
                self._last[entry.kind, about] = entry.body
            if entry.kind in ("rebuild", "renew", "reconcile", "bump"):
                self._making(entry)
            if entry.kind == "move":
                self._move(entry)
            self._books(entry)

    def last(self, kind: str, value: Value) -> Mapping[str, Value]:
        """Give the newest body of a kind about something (`_ABOUT`), or an empty one."""
        return self._last.get((kind, value), {})

    def names(self, kind: str) -> set[Value]:
        """Give everything that entries of a kind are about."""
        return {about for said, about in self._last if said == kind}

    def _making(self, entry: Entry) -> None:
        new = entry.body.get("new")
        if isinstance(new, int):
            self.made[new] = entry.body

    def _move(self, entry: Entry) -> None:
        body = entry.body
        number, before, after = body.get("job"), body.get("from"), body.get("to")
        if not isinstance(number, int) or not isinstance(before, str) or not isinstance(after, str):
            self.problems.append(f"audit: entry {entry.number} is no move")
            return
        moves = self.jobs.setdefault(number, Moves(before, body.get("order")))
        if moves.state != before:
            self.problems.append(f"audit: entry {entry.number} moves job {number} from {before}, where it was not")
        moves.state = after
        moves.gave[after] = body

    def _books(self, entry: Entry) -> None:
        """Note what a line says of postings: a job's move voids before it posts."""
        voided = entry.body.get("voided")
        for number in voided if isinstance(voided, list) else ():
            if isinstance(number, int) and number in self.postings:
                self.postings[number] = ("voided", self.postings[number][1])
                self.voided[number] = (entry.time, self._newest + 1)
        match entry.body.get("posted"):
            case [int(number), str(status), bytes(digest)]:
                self.postings[number] = (status, digest)
                self._newest = max(self._newest, number)
        if "reserves" in entry.body:
            self.newest[entry.number] = self._newest
