"""Frames back into a message, collected per transfer: no other message's frame can spoil it.

Rules: an unreadable or foreign frame is counted and ignored, never fatal. A forged frame of the
same transfer can spoil one attempt only: when the rebuilt message does not match its id, that
attempt is thrown away and collecting goes on. Memory and time per frame are bounded by the limits
in `frames` and by the number of transfers kept at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from shared.errors import BadFrame, FrameLimits
from shared.transport import gf256
from shared.transport.frames import Frame, Transfer, decode_frame, transfer_id

MOST_TRANSFERS = 4


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the most advanced transfer is, and what was ignored on the way."""

    transfer: str | None = None
    had: int = 0
    count: int = 0
    foreign: int = 0
    spoiled: int = 0
    done: bool = False
    last_refusal: str | None = None

    @property
    def needed(self) -> int:
        """How many distinct frames are still missing, at the least."""
        return self.count - self.had


@dataclass(slots=True)
class _Equations:
    """The frames of one transfer as linear equations, in reduced form."""

    transfer: Transfer
    rows: dict[int, bytes] = field(default_factory=dict)  # pivot -> coefficients and data
    seen: set[int] = field(default_factory=set)
    offered: int = 0

    @property
    def rank(self) -> int:
        return len(self.rows)

    def add(self, frame: Frame) -> None:
        """Take one frame in, if it tells anything new."""
        if frame.index in self.seen:
            return
        row = self._reduced(self.transfer.coefficients(frame.index) + frame.fragment)
        pivot = _first_nonzero(row[: self.transfer.count])
        if pivot is not None:
            self.seen.add(frame.index)
            self._insert(pivot, gf256.scaled(row, gf256.inverse(row[pivot])))

    def _reduced(self, row: bytes) -> bytes:
        # No row holds another row's pivot, so all factors are known before the first subtraction.
        total = gf256.as_number(row)
        for pivot, known in self.rows.items():
            if row[pivot]:
                total ^= gf256.as_number(known, row[pivot])
        return gf256.as_row(total, len(row))

    def _insert(self, pivot: int, row: bytes) -> None:
        for other, known in self.rows.items():
            if known[pivot]:
                total = gf256.as_number(known) ^ gf256.as_number(row, known[pivot])
                self.rows[other] = gf256.as_row(total, len(row))
        self.rows[pivot] = row

    def forget(self) -> None:
        """Start again: one of the frames was forged, and nobody can say which."""
        self.rows.clear()
        self.seen.clear()

    def message(self) -> bytes | None:
        """Return the message if it is whole and matches the transfer's id."""
        count = self.transfer.count
        message = b"".join(self.rows[pivot][count:] for pivot in range(count))
        message = message[: self.transfer.length]
        return message if transfer_id(message) == self.transfer.id else None


class Collector:
    """Takes frames in any order until one message is whole."""

    def __init__(self) -> None:
        self.message: bytes | None = None
        self._open: dict[Transfer, _Equations] = {}  # oldest first
        self._offered = 0
        self._spoiled = 0
        self._last_refusal: str | None = None

    def add(self, encoded: bytes) -> Progress:
        """Take one frame and say how far things are."""
        try:
            frame = decode_frame(encoded)
        except (BadFrame, FrameLimits) as refusal:
            return self.ignore(refusal.code)
        self._offered += 1
        if self.message is None:
            self._collect(frame)
        elif frame.transfer in self._open:
            self._open[frame.transfer].offered += 1
        return self.progress()

    def ignore(self, code: str) -> Progress:
        """Count something that was read and is no frame of ours."""
        self._offered += 1
        self._last_refusal = code
        return self.progress()

    def progress(self) -> Progress:
        """Describe the most advanced transfer."""
        if not self._open:
            return Progress(foreign=self._offered, last_refusal=self._last_refusal)
        leader = max(self._open.values(), key=lambda each: each.rank)
        return Progress(
            transfer=leader.transfer.name,
            had=leader.rank,
            count=leader.transfer.count,
            foreign=self._offered - leader.offered,
            spoiled=self._spoiled,
            done=self.message is not None,
            last_refusal=self._last_refusal,
        )

    def _collect(self, frame: Frame) -> None:
        equations = self._equations_of(frame.transfer)
        equations.offered += 1
        equations.add(frame)
        if equations.rank == frame.transfer.count:
            self._finish(equations)

    def _equations_of(self, transfer: Transfer) -> _Equations:
        if transfer not in self._open and len(self._open) == MOST_TRANSFERS:
            # The least advanced goes, the oldest of equals, so that a flood of strangers
            # cannot push out a nearly whole message.
            del self._open[min(self._open, key=lambda each: self._open[each].rank)]
        return self._open.setdefault(transfer, _Equations(transfer))

    def _finish(self, equations: _Equations) -> None:
        self.message = equations.message()
        if self.message is None:
            equations.forget()
            self._spoiled += 1
        else:
            self._open = {equations.transfer: equations}


def _first_nonzero(coefficients: bytes) -> int | None:
    rest = coefficients.lstrip(b"\0")
    return len(coefficients) - len(rest) if rest else None
