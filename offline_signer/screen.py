"""What the signer's people read: pages of 80 x 24. What they are asked stands in `shared.face`.

No colour is needed, and nothing foreign gets through. Without a terminal everything comes at once.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence

import click

from shared.errors import NotApproved
from shared.face.prompts import is_terminal
from shared.review import WIDTH, printable


def show(lines: Sequence[str]) -> None:
    """Show lines, page by page where a person reads them; what is printable already stays as it is.

    Raises:
        NotApproved: if the person leaves before the end.
    """
    folded = [part for line in lines for part in _fold(_safe(line))]
    height = max(5, shutil.get_terminal_size((80, 24)).lines - 2) if is_terminal() else max(1, len(folded))
    for start in range(0, len(folded), height):
        last = min(start + height, len(folded))
        click.echo("\n".join(folded[start:last]))
        if last < len(folded):
            said = input(f"-- lines {start + 1}-{last} of {len(folded)}; Enter for more, q to leave -- ")
            if said.strip() == "q":
                raise NotApproved("the review was left before its end")


def wipe() -> None:
    """Clear the terminal with its history, so that words do not stay to be scrolled back to."""
    sys.stdout.write("\x1b[2J\x1b[3J\x1b[H")
    sys.stdout.flush()


def _safe(line: str) -> str:
    """Escape a line that still holds something foreign; one that was escaped before reads the same on both machines."""
    return line if line.isascii() and line.isprintable() else printable(line)


def _fold(line: str) -> list[str]:
    """Cut a line that is wider than the screen, at a blank where one is near; what follows is marked and set in."""
    parts = []
    while len(line) > WIDTH:
        end = line.rfind(" ", WIDTH // 2, WIDTH) + 1 or WIDTH
        parts.append(line[:end])
        line = "      > " + line[end:]
    return [*parts, line]
