"""What the demonstration tells while it goes on: each step in plain words with its seconds. It does nothing else."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class Diary:
    """The steps so far, in order; lines are broken at so many columns where that is said."""

    def __init__(self, say: Callable[[str], None], columns: int | None = None) -> None:
        self._say, self._columns = say, columns
        self._begun = time.monotonic()
        self.current = "beginning"
        self.steps: list[dict[str, Any]] = []
        self._lines: list[str] = []

    @property
    def seconds(self) -> float:
        """How long it has taken until now."""
        return round(time.monotonic() - self._begun, 2)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time one step; it is told when it went well."""
        self.current, self._lines = name, []
        begun = time.monotonic()
        yield
        seconds = round(time.monotonic() - begun, 2)
        self.steps.append({"name": name, "seconds": seconds})
        self._say_broken(f"{len(self.steps):2}. ", f"{name}  ({seconds:.1f}\N{NO-BREAK SPACE}s)", 0)
        for line in self._lines:
            text = line.lstrip()
            self._say_broken(" " * (6 + len(line) - len(text)), text, 2)

    def tell(self, text: str) -> None:
        """Add a line to the step that goes on."""
        self._lines.append(text)

    def tell_end(self, ledgers: Sequence[Mapping[str, Any]], folder: Path) -> None:
        """Say how it ended, and where everything lies."""
        self._say("")
        self._say(f"done in {self.seconds:.1f} s; everything lies in {folder}")
        for ledger in ledgers:
            ended = ", ".join(ledger["tx_ids"])
            self._say_broken("", f"{ledger['name']} in {ledger['seconds']:.1f} s: ended as it should: {ended}", 2)
            for way in ("request", "answer"):
                one = ledger["frames"][way]
                self._say(f"  the {way} took {one['needed']} QR frames ({one['shown']} in a round)")
            for what, where in ledger["places"].items():
                self._say(f"  {what.replace('_', ' ')}: {where}")
            self._say(f"  the books again: lockgate --home {ledger['places']['coordinator']} books sheet")

    def _say_broken(self, begin: str, text: str, more: int) -> None:
        """Say a line, broken between words where it is too long; what follows stands as deep as its text or more."""
        lines, deep = [begin + text], " " * (len(begin) + more)
        if self._columns is not None and text:
            lines = textwrap.wrap(
                text, self._columns, initial_indent=begin, subsequent_indent=deep,
                break_long_words=False, break_on_hyphens=False,
            )  # fmt: skip
        for line in lines:
            self._say(line.replace("\N{NO-BREAK SPACE}", " ").rstrip())
