"""What stands beside a command's result, on stderr: notes, refusals, how a reception goes.

Every text goes through `printable`, whoever wrote it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from shared.errors import Refusal
from shared.review import printable

if TYPE_CHECKING:
    from shared.transport.message import Scan


def note(text: str) -> None:
    """Print one line."""
    sys.stderr.write(f"{printable(text)}\n")


def refused(refusal: Refusal) -> None:
    """Print a refusal: what, its code, and what to do."""
    note(f"error: {refusal} [{refusal.code}]")
    note(f"hint: {refusal.hint}")


def progress_line() -> Callable[[Scan], None]:
    """Give a function that shows how a reception goes: a line that is written again, or without a terminal the last."""
    live = sys.stderr.isatty()

    def show(scan: Scan) -> None:
        one = scan.progress
        quality = f"{scan.quality_percent} % of {scan.pictures} pictures readable"
        text = f"{one.had} of {one.count or '?'} frames, {quality}"
        if live:
            sys.stderr.write(f"\r{text}\x1b[K" + ("\n" if one.done else ""))
        elif one.done:
            note(text)

    return show
