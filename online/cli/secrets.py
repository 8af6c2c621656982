"""Prompts for secrets: hidden on a terminal, else one line of standard input each. Nothing typed is shown."""

from __future__ import annotations

import getpass
import sys

from shared.errors import MissingInput, PassphrasesDiffer


def ask(prompt: str) -> str:
    """Ask for one secret.

    Raises:
        MissingInput: if the input ends.
    """
    if sys.stdin.isatty():
        return getpass.getpass(f"{prompt}: ")
    line = sys.stdin.readline()
    if not line:
        raise MissingInput(f"the input ended before the {prompt}")
    return line.removesuffix("\n")


def ask_new(prompt: str) -> str:
    """Ask for a new secret twice.

    Raises:
        PassphrasesDiffer: if the two are not the same.
    """
    first = ask(prompt)
    if ask(f"{prompt}, again") != first:
        raise PassphrasesDiffer("the two passphrases are not the same")
    return first
