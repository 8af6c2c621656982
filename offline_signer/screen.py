"""What the signer's people see and type: pages of 80 x 24, questions, secrets.

No colour is needed, and nothing foreign gets through. Without a terminal every question reads one line of standard
input, so that a rehearsal can be scripted.
"""

from __future__ import annotations

import getpass
import shutil
import sys
from collections.abc import Sequence

import click

from shared.errors import BadSetup, NotApproved, WeakPassphrase
from shared.lockbox import LEAST_PASSPHRASE
from shared.review import WIDTH, printable


def is_terminal() -> bool:
    """Say whether a person sits here."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def ask(prompt: str) -> str:
    """Ask for one line.

    Raises:
        BadSetup: if the input has ended.
    """
    return (input(prompt) if is_terminal() else _line(prompt)).strip()


def ask_secret(prompt: str) -> str:
    """Ask for a secret, which is never shown."""
    return getpass.getpass(prompt) if sys.stdin.isatty() else _line(prompt)


def ask_new_secret(prompt: str) -> str:
    """Ask for a new secret twice.

    Raises:
        WeakPassphrase: if it is too short.
        BadSetup: if the two differ.
    """
    secret = ask_secret(f"{prompt}: ")
    if len(secret) < LEAST_PASSPHRASE:
        raise WeakPassphrase(f"a passphrase has at least {LEAST_PASSPHRASE} characters")
    if ask_secret(f"{prompt}, again: ") != secret:
        raise BadSetup("the two passphrases differ", hint="Nothing was made; begin again.")
    return secret


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


def _line(prompt: str) -> str:
    click.echo(prompt, err=True)
    line = sys.stdin.readline()
    if not line:
        raise BadSetup(f"an answer was expected: {prompt.strip()}", hint="Give one line of input for each question.")
    return line.removesuffix("\n").removesuffix("\r")


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
