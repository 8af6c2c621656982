"""Questions to a person: on a terminal, else one line of standard input each, so that a rehearsal can be scripted.

Secrets are never shown, nor kept here.
"""

from __future__ import annotations

import getpass
import sys

from shared.errors import MissingInput, PassphrasesDiffer, WeakPassphrase


def is_terminal() -> bool:
    """Say whether a person sits here."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def ask(question: str) -> str:
    """Ask for one line.

    Raises:
        MissingInput: if the input has ended.
    """
    return (input(question) if is_terminal() else _line(question)).strip()


def ask_secret(what: str) -> str:
    """Ask for a secret, which is never shown.

    Raises:
        MissingInput: if the input has ended.
    """
    return getpass.getpass(f"{what}: ") if sys.stdin.isatty() else _line(f"{what}: ")


def ask_new_secret(what: str) -> str:
    """Ask for a new secret twice.

    Raises:
        WeakPassphrase: if it is too short; then it is not asked for again.
        PassphrasesDiffer: if the two are not the same.
        MissingInput: if the input has ended.
    """
    # The lockbox's ciphers take their time to load, and most commands ask for nothing new.
    from shared.lockbox import LEAST_PASSPHRASE

    secret = ask_secret(what)
    if len(secret) < LEAST_PASSPHRASE:
        raise WeakPassphrase(f"a passphrase has at least {LEAST_PASSPHRASE} characters")
    if ask_secret(f"{what}, again") != secret:
        raise PassphrasesDiffer("the two passphrases are not the same")
    return secret


def _line(question: str) -> str:
    sys.stderr.write(f"{question}\n")
    line = sys.stdin.readline()
    if not line:
        raise MissingInput(f"the input ended before an answer to: {question.strip().rstrip(':')}")
    return line.removesuffix("\n").removesuffix("\r")
