"""Plays a message's symbols on the terminal until a key ends it. It reads keys and draws, and touches nothing else.

Keys: q ends, the blank halts and goes on, n or + steps one frame on, p or - one back.
"""

from __future__ import annotations

import os
import select
import shutil
import sys
import termios
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from shared.errors import NotATerminal
from shared.transport.message import Reel
from shared.transport.terminal import as_terminal

_ENTER, _LEAVE = "\x1b[?1049h\x1b[?25l\x1b[2J", "\x1b[?25h\x1b[?1049l"
_HOME, _CLEAR_LINE = "\x1b[H", "\x1b[K"
_KEYS = "q ends, blank halts, n/p step"


@dataclass(frozen=True, slots=True)
class Place:
    """Which symbol is on the screen, and whether it goes on by itself."""

    index: int = 0
    halted: bool = False
    ended: bool = False

    def after(self, key: str) -> Place:
        """Give the place after a key, or after a frame's time without one."""
        match key:
            case "q" | "\x03" | "\x04":
                return replace(self, ended=True)
            case " ":
                return replace(self, halted=not self.halted)
            case "n" | "+":
                return replace(self, index=self.index + 1, halted=True)
            case "p" | "-":
                return replace(self, index=max(0, self.index - 1), halted=True)
            case "":
                return self if self.halted else replace(self, index=self.index + 1)
            case _:
                return self


def play(reel: Reel) -> None:
    """Play until a key or Ctrl-C ends it; further symbols follow without end, and each counts.

    Raises:
        TerminalTooSmall: if the symbol does not fit; it says what would.
        NotATerminal: if the output or the input is none.
    """
    if not (sys.stdout.isatty() and sys.stdin.isatty()):
        raise NotATerminal("frames are played on a terminal, and this is none")
    _draw(reel, Place())  # refuses before the screen is taken
    with _screen():
        _loop(reel)


def _loop(reel: Reel) -> None:
    place, pause = Place(), 1 / reel.display.fps
    due = time.monotonic()
    while not place.ended:
        os.write(sys.stdout.fileno(), _draw(reel, place).encode())
        due = max(due + pause, time.monotonic())
        key = _key(due)
        while key and not (after := place.after(key)).ended and after == place:
            key = _key(due)
        place = place.after(key)


def _draw(reel: Reel, place: Place) -> str:
    columns, lines = shutil.get_terminal_size()
    shown = as_terminal(reel.symbol(place.index), columns, lines)
    if shown.count("\n") + 1 == lines:
        return f"{_HOME}{shown}"  # no line is left to say anything on
    halted = " (halted)" if place.halted else ""
    status = f"frame {place.index + 1}{halted}, {reel.needed} needed; {_KEYS}"
    return f"{_HOME}{shown}\n{status[: columns - 1]}{_CLEAR_LINE}"


def _key(due: float) -> str:
    """Wait for a key until it is time for the next frame."""
    ready, _, _ = select.select([sys.stdin], [], [], max(0.0, due - time.monotonic()))
    return os.read(sys.stdin.fileno(), 1).decode("latin-1") or "q" if ready else ""


@contextmanager
def _screen() -> Iterator[None]:
    """Take the screen and the keys, and give both back as they were, however it ends."""
    before = termios.tcgetattr(sys.stdin)
    os.write(sys.stdout.fileno(), _ENTER.encode())
    try:
        tty.setcbreak(sys.stdin)
        yield
    except KeyboardInterrupt:
        pass
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
        os.write(sys.stdout.fileno(), _LEAVE.encode())
