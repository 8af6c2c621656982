"""`lockgate-signer release`: what only the administrators' quorum can say."""

from __future__ import annotations

from pathlib import Path

import click

from offline_signer import journal_file
from offline_signer import release as releases
from offline_signer.box import opened
from offline_signer.cli.face import IN, OUT, Here, open_person, pass_here, require_administrator
from offline_signer.screen import show
from offline_signer.vault import Header, open_vault
from shared.encoding import Value
from shared.errors import BadRelease
from shared.face.prompts import ask_secret
from shared.policy import Policy
from shared.transport.media import read_file, write_file

evidence_option = click.option("--evidence", required=True, help="Why this is true; the journal keeps it.")
key_option = click.option("--as", "key", type=IN, required=True, help="An administrator's key file.")
out_option = click.option("--out", type=OUT, required=True)


@click.group()
def release() -> None:
    """Draft, sign and apply what only the administrators can say."""


@release.command()
@click.argument("transfer", metavar="TRANSFER")
@evidence_option
@key_option
@out_option
@pass_here
def transfer(here: Here, transfer: str, evidence: str, key: Path, out: Path) -> None:
    """Draft: the transactions signed for a transfer (its id or the start of it) are dead, it may be signed anew."""
    journal, history, policy = here.look()
    found = [id_ for id_ in history.transfers if id_.hex().startswith(transfer.lower())]
    if len(found) != 1 or len(transfer) < 12:
        raise BadRelease(f"{len(found)} transfers begin with {transfer!r}", hint="Give 12 digits or more of its id.")
    dead = [record.name[1] for record in history.transfers[found[0]].live]
    assert journal.tip.key is not None
    _seal(releases.draft_transfer(journal.tip.key, found[0], dead, evidence), key, out, policy)


@release.command()
@click.option("--until", type=int, required=True, help="Up to when the clock may be right, in Unix seconds.")
@evidence_option
@key_option
@out_option
@pass_here
def clock(here: Here, until: int, evidence: str, key: Path, out: Path) -> None:
    """Draft: the clock is right although it jumped."""
    journal, history, policy = here.look()
    assert journal.tip.key is not None
    _seal(releases.draft_clock(journal.tip.key, history.last_time, until, evidence), key, out, policy)


@release.command(name="journal-lost")
@click.option("--epoch", type=click.IntRange(0), required=True, help="The newest policy's epoch before the loss.")
@evidence_option
@key_option
@out_option
@pass_here
def journal_lost(here: Here, epoch: int, evidence: str, key: Path, out: Path) -> None:
    """Draft, on a restored box: its journal is lost for good."""
    vault = open_vault(here.folder, ask_secret("vault passphrase"))
    _seal(releases.draft_loss(vault.station, epoch, evidence), key, out, vault.header)


@release.command()
@click.argument("file", type=IN)
@key_option
@pass_here
def sign(here: Here, file: Path, key: Path) -> None:
    """Read a release and add an administrator's signature."""
    sealed = read_file(file)
    show(releases.describe(sealed))
    person = open_person(key, "test")  # a release names no class of networks, and may be signed far from the box
    station, signed = releases.names_of(sealed)
    ours = journal_file.read(here.folder, None).tip.key == station
    require_administrator(person, here.administrators() if ours else [person.person], signed)
    write_file(file, releases.sign_release(sealed, person.public_key, person.sign), overwrite=True)


@release.command()
@click.argument("file", type=IN)
@pass_here
def apply(here: Here, file: Path) -> None:
    """Apply a release that enough administrators signed."""
    sealed = read_file(file)
    with opened(here.folder, ask_secret("vault passphrase"), here.clock, restored=True) as box:
        click.echo(releases.apply(box, sealed))


def _seal(body: dict[str, Value], key: Path, out: Path, in_force: Policy | Header) -> None:
    person = open_person(key, in_force.network_class)
    require_administrator(person, in_force.administrators)
    sealed = releases.seal_release(body, person.public_key, person.sign)
    show(releases.describe(sealed))
    write_file(out, sealed)
