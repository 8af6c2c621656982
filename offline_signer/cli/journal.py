"""`lockgate-signer journal`: verify, show, carry out and take over the log of what was signed."""

from __future__ import annotations

import json
import time
from pathlib import Path

import click

from offline_signer import journal_file, setup, vault
from offline_signer.box import origin_of
from offline_signer.cli.face import IN, OUT, Here, pass_here
from offline_signer.screen import show
from shared.checkpoint import open_checkpoint, require_extends
from shared.errors import BadSetup, JournalMissing
from shared.face.prompts import ask_secret
from shared.journal import Entry, Journal
from shared.people import parse_person, person_line
from shared.policy import Person
from shared.transport.media import read_file, write_file


@click.group()
def journal() -> None:
    """The log of what this signer did: the only truth about what was signed."""


@journal.command()
@click.option("--checkpoint", type=IN, help="A checkpoint that somebody else kept.")
@click.option("--key", metavar="LINE", help='Who must have signed it: "signer ed25519:HEX". Else read who did.')
@click.option("--json", "as_json", is_flag=True, help="Print one object.")
@pass_here
def verify(here: Here, *, checkpoint: Path | None, key: str | None, as_json: bool) -> None:
    """Verify every entry's chain and signature, and that the log extends a checkpoint.

    Without --key the log proves itself by the key that it names: compare that with the signer's public line.
    """
    log, writer = _read(here, None if key is None else parse_person(key).key)
    if checkpoint is not None:
        require_extends(log, open_checkpoint(_note(checkpoint), origin_of(writer), writer))
    root, line = log.tip.root().hex(), person_line(Person("signer", writer))
    if as_json:
        told = {"ok": True, "entries": log.tip.size, "root": root, "origin": origin_of(writer), "signer": line}
        click.echo(json.dumps(told))
    else:
        click.echo(f"the journal of {origin_of(writer)} verifies: {log.tip.size} entries, root {root}")
        click.echo(f"signed throughout by {line}")


@journal.command(name="show")
@click.option("--json", "as_json", is_flag=True, help="Print a list.")
@pass_here
def show_(here: Here, *, as_json: bool) -> None:
    """Show the entries, a line each."""
    log, _ = _read(here)
    if as_json:
        rows = [{"number": one.number, "time": one.time, "kind": one.kind, "what": _what(one)} for one in log.entries]
        click.echo(json.dumps(rows, indent=2))
    else:
        show([f"{one.number:>5}  {_moment(one.time)}  {one.kind:<8}  {_what(one)}" for one in log.entries])


@journal.command()
@click.argument("file", type=OUT)
@pass_here
def export(here: Here, file: Path) -> None:
    """Copy the verified journal for auditors and for a spare box."""
    log, _ = _read(here)
    lines = read_file(here.folder / journal_file.NAME, journal_file.MOST_BYTES)
    write_file(file, lines[: len(lines) - len(log.torn_tail)])
    click.echo(f"{log.tip.size} entries in {file}")


@journal.command()
@click.option("--out", type=OUT, help="A file for the note; it is printed otherwise.")
@pass_here
def checkpoint(here: Here, out: Path | None) -> None:
    """Sign the journal's present size and root (a C2SP checkpoint)."""
    with here.box() as box:
        note = box.checkpoint()
    if out is None:
        click.echo(note, nl=False)
    else:
        write_file(out, note.encode(), overwrite=True)


@journal.command()
@click.argument("file", type=IN)
@click.option("--checkpoint", type=IN, required=True, help="The newest checkpoint that the coordinator has.")
@pass_here
def takeover(here: Here, file: Path, checkpoint: Path) -> None:
    """Give a restored box the newest journal; only then it signs."""
    lines, note = read_file(file, journal_file.MOST_BYTES), _note(checkpoint)
    size = setup.take_over(here.folder, ask_secret("vault passphrase"), lines, note, here.clock)
    click.echo(f"the box goes on from {size} entries")


def _read(here: Here, key: bytes | None = None) -> tuple[Journal, bytes]:
    log = journal_file.read(here.folder, key)
    if log.tip.key is None:
        if (here.folder / vault.NAME).exists() and vault.peek(here.folder).state == "restored":
            raise JournalMissing("this box was restored and has not taken over its journal")
        raise BadSetup(f"there is no journal in {here.folder}", hint="Make a signer with `lockgate-signer init`.")
    return log, log.tip.key


def _note(path: Path) -> str:
    return read_file(path, 10_000).decode("utf-8", "replace")


def _what(entry: Entry) -> str:
    body = entry.body
    rows, refused = body.get("txs"), body.get("refused")
    if isinstance(rows, list) and isinstance(refused, list):
        return f"{len(rows)} signed, {len(refused)} declined"
    for name in ("recipient", "epoch", "what", "size", "count"):
        if name in body:
            return f"{name} {body[name]!s}"
    return ""


def _moment(seconds: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(seconds))
