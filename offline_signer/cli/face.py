"""What the commands share: the signer's folder, its clock, and people's keys."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from offline_signer import journal_file, vault
from offline_signer.box import Box, opened
from offline_signer.history import History, fold
from offline_signer.vault import require_vault
from shared.chains.api import NetworkClass
from shared.envelope import MOST_REASON, Declined
from shared.errors import NoPolicy, NotAdministrator, SignedAlready, WrongNetwork
from shared.face.prompts import ask_secret
from shared.journal import Journal
from shared.person_key import PersonKey, unlock_key
from shared.policy import Person, Policy
from shared.review import printable
from shared.transport.media import read_file

OUT = click.Path(path_type=Path)
IN = click.Path(exists=True, path_type=Path)
kdf_option = click.option(
    "--kdf", type=click.Choice(["standard", "light"]), default="standard", show_default=True,
    help="What a guess at the passphrase costs; light is for rehearsals on test networks only.",
)


@dataclass(frozen=True, slots=True)
class Here:
    """Where this signer lives."""

    folder: Path

    def clock(self) -> int:
        """Give Unix seconds."""
        return int(time.time())

    def box(self) -> AbstractContextManager[Box]:
        """Unlock the vault, asking for its passphrase, and hold the journal."""
        require_vault(self.folder)
        return opened(self.folder, ask_secret("vault passphrase"), self.clock)

    def look(self) -> tuple[Journal, History, Policy]:
        """Read the journal without any passphrase, for looking only. Raises NoPolicy."""
        journal = journal_file.read(self.folder, None)
        history = fold(journal.entries)
        if history.policy is None:
            raise NoPolicy("no policy has been installed on this signer")
        return journal, history, history.policy

    def administrators(self) -> tuple[Person, ...]:
        """Give who administers this signer, without any passphrase: by its policy or, before the first, its vault.

        Nobody, where no signer is. It spares people a worthless signature; what counts is proven when it is used.
        """
        policy = fold(journal_file.read(self.folder, None).entries).policy
        if policy is not None:
            return policy.administrators
        return vault.peek(self.folder).administrators if (self.folder / vault.NAME).exists() else ()


def require_administrator(person: PersonKey, people: Sequence[Person], signed: Sequence[bytes] = ()) -> None:
    """Demand that a person may add their signature to what these administrators sign.

    Raises:
        NotAdministrator: if this key is none of theirs.
        SignedAlready: if it stands among those that signed.
    """
    if person.public_key not in {one.key for one in people}:
        names = ", ".join(one.name for one in people)
        raise NotAdministrator(f"{person.name} with this key is no administrator; they are: {names}")
    if person.public_key in signed:
        raise SignedAlready(f"{person.name} has signed already")


def open_person(path: Path, network_class: NetworkClass) -> PersonKey:
    """Open a person's key file, asking for its passphrase.

    Raises:
        WrongNetwork: for a key of test networks, which may be weakly guarded, where real money is.
    """
    person = unlock_key(read_file(path), ask_secret(f"passphrase of {printable(path.stem)}"))
    if network_class == "main" != person.network_class:
        raise WrongNetwork(f"the key of {person.name} was made for test networks")
    return person


def read_declines(texts: tuple[str, ...]) -> tuple[Declined, ...]:
    """Read "3=reason" from the command line; numbers count from 1 as on the screen."""
    found: dict[int, str] = {}
    for text in texts:
        number, _, reason = text.partition("=")
        if not (number.isascii() and number.isdigit() and int(number)) or not reason.strip():
            raise click.UsageError(f"write --decline NUMBER=REASON, not {text!r}")
        if found.setdefault(int(number) - 1, reason.strip()[:MOST_REASON]) != reason.strip()[:MOST_REASON]:
            raise click.UsageError(f"transaction {number} is declined for two reasons")
    return tuple(Declined(position, reason) for position, reason in sorted(found.items()))


pass_here: Callable[..., Any] = click.make_pass_decorator(Here)
