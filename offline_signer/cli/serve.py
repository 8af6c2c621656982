"""`lockgate-signer serve`: a hot wallet's signer, fed through a spool folder, with nobody at it."""

from __future__ import annotations

import os
import pwd
import resource
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from offline_signer import airgap
from offline_signer.box import opened
from offline_signer.cli.face import IN, Here, pass_here
from offline_signer.spool import Spool, require_hot
from offline_signer.spool import serve as serve_spool
from offline_signer.vault import require_vault
from shared.errors import HostHasNetwork, MissingInput
from shared.face.prompts import ask_secret
from shared.face.telling import note

_MOST_PASSPHRASE_BYTES = 4096


@click.command()
@click.argument("spool", type=IN)
@click.option("--from", "users", multiple=True, metavar="USER",
              help="Whose requests are read, by name or number; may be said again. Else only your own.")
@click.option("--passphrase-fd", type=click.IntRange(0), help="Read the vault's passphrase from this descriptor.")
@click.option("--interval", "interval_ms", type=click.IntRange(20, 60_000), default=200, show_default=True,
              help="Milliseconds between two looks into the folder.")
@click.option("--host-has-network", is_flag=True,
              help="This host has a network; only for a vault that holds nothing but hot wallets.")
@pass_here
def serve(here: Here, spool: Path, users: tuple[str, ...], passphrase_fd: int | None, interval_ms: int, *,
          host_has_network: bool) -> None:
    """Answer what the sealed policy allows by itself, from SPOOL/in to SPOOL/out. SIGTERM ends it.

    What is refused goes to SPOOL/refused with its reason. See docs/hot-wallet.md.
    """
    owners = frozenset(map(_user, users)) or frozenset({os.geteuid()})
    place = Spool(spool.absolute(), owners)
    place.require_fit()
    _look_around(excused=host_has_network)
    require_vault(here.folder)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a crash writes no key to any disk
    with opened(here.folder, _passphrase(passphrase_fd), here.clock) as box, _ending() as ended:
        require_hot(box)
        note(f"serving {spool} as the signer ed25519:{box.vault.station.hex()}, policy of epoch {box.policy().epoch}")
        serve_spool(box, place, lambda pause_ms: ended.wait(pause_ms / 1_000), note, interval_ms)
    note("ended between two requests")


def _look_around(*, excused: bool) -> None:
    """Look for a network: the host's must be known of, and what this process itself could reach is always said.

    Raises:
        HostHasNetwork: if there is one and nobody said so.
    """
    found = airgap.findings()
    if found and not excused:
        raise HostHasNetwork(f"this host has {', '.join(found[:5])}")
    for finding in airgap.reach():
        note(f"warning: this process is not shut off: {finding}")


def _passphrase(descriptor: int | None) -> str:
    """Read the first line of a descriptor, or ask.

    Raises:
        MissingInput: if the descriptor is not open or holds nothing.
    """
    if descriptor is None:
        return ask_secret("vault passphrase")
    try:
        with os.fdopen(descriptor, "rb") as file:
            line = file.readline(_MOST_PASSPHRASE_BYTES)
    except OSError as error:
        raise MissingInput(f"descriptor {descriptor} can not be read: {error.strerror}") from None
    text = line.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8", "surrogateescape")
    if not text or not text.isprintable():
        raise MissingInput(f"descriptor {descriptor} holds no passphrase")
    return text


def _user(name: str) -> int:
    if name.isascii() and name.isdigit():
        return int(name)
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        raise click.UsageError(f"there is no user {name!r}") from None


@contextmanager
def _ending() -> Iterator[threading.Event]:
    """Let SIGTERM and Ctrl-C end the work between two requests instead of within one."""
    heard = threading.Event()
    before = [(number, signal.signal(number, lambda *_: heard.set())) for number in (signal.SIGTERM, signal.SIGINT)]
    try:
        yield heard
    finally:
        for number, old in before:
            signal.signal(number, old)
