"""A message to the texts of its symbols and back: the layers below in their one order.

The bytes are the same that a file would hold. Sealed ones are packed for the pictures; those of other makers' wallets
come and go in their own formats.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Protocol

from PIL import Image

from shared.errors import BadFrame, MessageIncomplete
from shared.transport import base45
from shared.transport.collector import Collector, Progress
from shared.transport.foreign import ForeignCollector, Format, recognise
from shared.transport.frames import FrameSet, split
from shared.transport.pack import pack, unpack
from shared.transport.qr import Display, Symbol, capacity, draw, read


class Reel(Protocol):
    """Symbols ready to be shown, in whichever format."""

    @property
    def needed(self) -> int:
        """How many distinct symbols the other side needs at the least."""

    @property
    def loop(self) -> int:
        """How many symbols a loop of them should hold."""

    @property
    def display(self) -> Display:
        """How dense and fast they are."""

    def symbol(self, index: int) -> Symbol:
        """Draw one symbol, counted from 0."""


@dataclass(frozen=True, slots=True)
class Film:
    """A sealed message ready to be shown: its symbols have no end, each further one counts."""

    frames: FrameSet
    display: Display

    @property
    def needed(self) -> int:
        """How many distinct symbols the other side needs at the least."""
        return self.frames.transfer.count

    @property
    def loop(self) -> int:
        """How many symbols a loop of them should hold."""
        return self.frames.in_a_loop()

    def text(self, index: int) -> str:
        """Return the text of one symbol."""
        return base45.as_text(self.frames.frame(index))

    def symbol(self, index: int) -> Symbol:
        """Draw one symbol."""
        return draw(self.text(index), self.display.version)


def film(sealed: bytes, display: Display) -> Film:
    """Make a sealed message ready to be shown.

    Raises:
        FrameLimits: it is too large for QR; a file can carry it.
    """
    return Film(split(pack(sealed), capacity(display.version)), display)


@dataclass(frozen=True, slots=True)
class Scan:
    """How a reception goes: frames, and how many of the pictures had a readable symbol."""

    progress: Progress
    pictures: int
    readable: int

    @property
    def quality_percent(self) -> int:
        """The share of pictures with a readable symbol."""
        return 100 * self.readable // max(1, self.pictures)


def watch(
    pages: Iterable[Image.Image],
    on_progress: Callable[[Scan], None],
    *,
    time_left: Callable[[], bool],
) -> bytes:
    """Look at pictures until a message is whole, a sealed one or another wallet's, and return it.

    Raises:
        MessageIncomplete: the pictures ended or time ran out first; it says what is missing.
        BadPacking: a message in our frames came through and is none of ours.
    """
    viewer, scan = Viewer(), Scan(Progress(), 0, 0)
    for page in pages:
        texts = read(page)
        for text in texts:
            viewer.take(text)
        scan = Scan(viewer.progress(), scan.pictures + 1, scan.readable + bool(texts))
        on_progress(scan)
        message = viewer.message()
        if message is not None:
            return message
        if not time_left():
            raise MessageIncomplete(f"time is over: {_missing(scan)}")
    raise MessageIncomplete(f"the pictures ended: {_missing(scan)}")


def _missing(scan: Scan) -> str:
    progress = scan.progress
    seen = f"{scan.readable} of {scan.pictures} pictures had a readable symbol"
    if not progress.count:
        last = f" ({progress.last_refusal})" if progress.last_refusal else ""
        return f"no frame of ours{last}; {seen}"
    return f"{progress.had} frames had, {progress.needed} more needed; {seen}"


_OTHERS = (Format.UR, Format.BBQR, Format.NUMBERED)


class Viewer:
    """Takes the texts of symbols in any order until a message is whole: one of ours, or one of another wallet."""

    def __init__(self) -> None:
        self._ours, self._others = Collector(), ForeignCollector()
        self._offered = {True: 0, False: 0}  # to ours, to others

    def take(self, text: str) -> Progress:
        """Take the text of one symbol; what no format here has is counted and ignored."""
        theirs = recognise(text) in _OTHERS
        self._offered[not theirs] += 1
        if theirs:
            self._others.add(text)
        else:
            self._add(text)
        return self.progress()

    def progress(self) -> Progress:
        """Say how far things are with the message that is furthest, in whichever format it comes."""
        ours, others = self._ours.progress(), self._others.progress()
        mine = (ours.done, ours.had) >= (others.done, others.had)
        leader, other = (ours, others) if mine else (others, ours)
        return replace(
            leader,
            foreign=leader.foreign + self._offered[not mine],
            spoiled=ours.spoiled + others.spoiled,
            last_refusal=leader.last_refusal or other.last_refusal,
        )

    def _add(self, text: str) -> None:
        try:
            self._ours.add(base45.from_text(text))
        except BadFrame as refusal:
            self._ours.ignore(refusal.code)

    def message(self) -> bytes | None:
        """Return the message once it is whole.

        Raises:
            BadPacking: frames of ours were whole and what they hold is not a packed message.
        """
        if self._others.message is not None:
            return self._others.message[1]
        packed = self._ours.message
        return None if packed is None else unpack(packed)
