"""A sealed message to the texts of its symbols and back: the layers below in their one order.

The sealed bytes are the same that a file would hold; they are packed only for the pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from PIL import Image

from shared.errors import BadFrame, MessageIncomplete
from shared.transport import base45
from shared.transport.collector import Collector, Progress
from shared.transport.frames import FrameSet, split
from shared.transport.pack import pack, unpack
from shared.transport.qr import Display, Symbol, capacity, draw, read


@dataclass(frozen=True, slots=True)
class Film:
    """A message ready to be shown: its symbols have no end, each further one counts."""

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
    """Look at pictures until a sealed message is whole, and return it.

    Raises:
        MessageIncomplete: the pictures ended or time ran out first; it says what is missing.
        BadPacking: a message came through and is none of ours.
    """
    viewer, scan = Viewer(), Scan(Progress(), 0, 0)
    for page in pages:
        texts = read(page)
        for text in texts:
            viewer.take(text)
        scan = Scan(viewer.progress(), scan.pictures + 1, scan.readable + bool(texts))
        on_progress(scan)
        sealed = viewer.sealed()
        if sealed is not None:
            return sealed
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


class Viewer:
    """Takes the texts of symbols in any order until a sealed message is whole."""

    def __init__(self) -> None:
        self._collector = Collector()

    def take(self, text: str) -> Progress:
        """Take the text of one symbol; what is none of ours is counted and ignored."""
        try:
            return self._collector.add(base45.from_text(text))
        except BadFrame as refusal:
            return self._collector.ignore(refusal.code)

    def progress(self) -> Progress:
        """Say how far things are."""
        return self._collector.progress()

    def sealed(self) -> bytes | None:
        """Return the sealed message once it is whole.

        Raises:
            BadPacking: the frames were whole and what they hold is not a packed message.
        """
        packed = self._collector.message
        return None if packed is None else unpack(packed)
