"""`lockgate-signer person`: the keys of the people who approve and administer."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from offline_signer.cli.face import OUT, kdf_option
from shared.face.prompts import ask_new_secret
from shared.lockbox import LIGHT, STANDARD
from shared.people import check_name
from shared.person_key import lock_key, peek_key
from shared.transport.media import write_file


@click.group()
def person() -> None:
    """Make the keys of people."""


@person.command()
@click.argument("name")
@click.option("--out", type=OUT, required=True, help="The key's file.")
@click.option("--network-class", type=click.Choice(["test", "main"]), default="main", show_default=True)
@kdf_option
def new(name: str, out: Path, network_class: Any, kdf: str) -> None:
    """Make an encrypted Ed25519 key and print its public line."""
    check_name(name)
    passphrase = ask_new_secret(f"passphrase of {name}")
    cost = LIGHT if kdf == "light" else STANDARD
    blob = lock_key(name, os.urandom(32), passphrase, network_class, random=os.urandom, kdf=cost)
    write_file(out, blob)
    claimed = peek_key(blob).person
    click.echo(f"{claimed.name} ed25519:{claimed.key.hex()}")
