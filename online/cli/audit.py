"""`lockgate audit`: the coordinator's own journal, the signer's, and both against the ledger."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from online.cli.app import App, pass_app
from online.cli.output import counted, fields, json_option, listing, say
from online.cli.output import note as say_beside
from online.cli.views import by_prefix, signer_value
from shared.errors import AuditFailed

if TYPE_CHECKING:
    from online.audit import Row
    from online.jobs.reconcile import Unknown

_file = click.Path(path_type=Path)
MOST_JOURNAL_BYTES = 4 * 1024**3
"""As the signer's own: a journal holds every request that was signed, so it outgrows what crosses the gap."""


@click.group()
def audit() -> None:
    """Journals: verify, export, compare, import the signer's, acknowledge what it shows."""


@audit.command()
@click.option(
    "--signed", is_flag=True, help="Sign its checkpoint too; this prompts for the station's passphrase."
)
@click.option(
    "--station", metavar="LINE", help='Who must have written it, as kept elsewhere: "NAME ed25519:HEX".'
)
@click.option("--out", type=_file, help="With --signed: the checkpoint's file.")
@json_option
@pass_app
def verify(app: App, *, signed: bool, station: str | None, out: Path | None, as_json: bool) -> None:
    """Check the coordinator's journal: every link, every signature, and the store against it."""
    from online.audit import verify as verify_journal
    from shared.people import parse_person
    from shared.transport.media import write_file

    if (signed and station) or (out and not signed):
        raise click.UsageError("--station is for who has no passphrase, and --out goes with --signed")
    key = None if station is None else parse_person(station).key
    with app.writing() if signed else app.reading() as store:
        report = verify_journal(store, station=key)
    value = {
        "ok": report.ok,
        "entries": report.entries,
        "root": report.root.hex(),
        "checkpoint": report.checkpoint.splitlines(),
        "problems": list(report.problems),
        "signed_without_journal": [f"job {job}" for job in report.without_journal],
    }
    fields(value, as_json=as_json)
    if not report.ok:
        raise AuditFailed(f"{counted(len(report.problems), 'problem')} in the coordinator's journal or store")
    if out is not None:
        write_file(out, report.checkpoint.encode(), overwrite=True)


@audit.command()
@click.argument("file", type=_file)
@click.option("--key", required=True, metavar="LINE", help='Who must have written it: "NAME ed25519:HEX".')
@click.option(
    "--checkpoint", "notes", type=_file, multiple=True, help="A checkpoint kept elsewhere; repeatable."
)
@json_option
def check(file: Path, key: str, notes: tuple[Path, ...], *, as_json: bool) -> None:
    """Check a journal's FILE alone, the coordinator's or a signer's; no data folder is needed."""
    from online.cli.journal_check import check_journal
    from shared.people import parse_person
    from shared.transport.media import read_file

    texts = [read_file(note_file, 10_000).decode("utf-8", "replace") for note_file in notes]
    fields(check_journal(read_file(file, MOST_JOURNAL_BYTES), parse_person(key).key, texts), as_json=as_json)
    if not notes:
        say_beside("note: without a checkpoint nobody can tell whether the last entries were cut off")


@audit.command()
@click.argument("file", type=_file)
@pass_app
def export(app: App, file: Path) -> None:
    """Write the coordinator's journal into FILE, for an auditor."""
    from online.audit import audit_lines
    from shared.transport.media import write_file

    with app.reading() as store:
        write_file(file, audit_lines(store))
    say(f"wrote {file}")


@audit.command("import")
@click.argument("signer_name", metavar="SIGNER")
@click.argument("journal", type=_file)
@json_option
@pass_app
def import_(app: App, signer_name: str, journal: Path, *, as_json: bool) -> None:
    """Take in a SIGNER's JOURNAL, take back what this store forgot, and say what stays unknown. Prompts: station."""
    from online.jobs.reconcile import import_signer_journal
    from online.store.signers import signer
    from shared.transport.media import read_file

    with app.writing() as store:
        key = signer(store, signer_name).public_key
        found = import_signer_journal(store, key, read_file(journal, MOST_JOURNAL_BYTES), app.now())
    rows = [_unknown_row(one) for one in found.unknown]
    if as_json:
        value = {"signer": signer_name, "entries": found.size, "jobs_taken_back": list(found.jobs)}
        fields({**value, "unknown": rows}, as_json=True)
    else:
        say(f"{counted(found.size, 'entry', 'entries')} of {signer_name} imported")
        for job in found.jobs:
            say(f"job {job} taken back: it is exported")
        say(f"{counted(len(rows), 'transaction')} unknown to this store")
        for row in rows:
            fields(row, as_json=False)
    if left := [one for one in found.unknown if not one.acknowledged]:
        raise AuditFailed(
            f"the signer signed {counted(len(left), 'transaction')} unknown to this store; nothing is exported to it",
            hint="Approve or draft their orders with the same keys and import again, or `lockgate audit acknowledge`.",
        )


@audit.command()
@click.argument("signer_name", metavar="SIGNER")
@click.argument("transactions", metavar="TRANSACTION...", nargs=-1, required=True)
@click.option("--as", "name", required=True, help="Who looked into them.")
@json_option
@pass_app
def acknowledge(app: App, signer_name: str, transactions: tuple[str, ...], name: str, *, as_json: bool) -> None:
    """Note that you looked into unknown TRANSACTIONs of a SIGNER, so that exports go on. Prompts: station; you."""
    from online.jobs.reconcile import acknowledge as keep_word
    from online.jobs.reconcile import unknown
    from online.store.signers import signer

    with app.writing() as store:
        key = signer(store, signer_name).public_key
        known = [(one.unsigned_sha256.hex(), one) for one in unknown(store, key)]
        chosen = [by_prefix(known, text, "unknown transaction") for text in transactions]
        if not as_json:
            for one in chosen:
                for text in one.pays:
                    say_beside(f"you acknowledge: {text}")
        me = app.open_person(name)
        names = {one.unsigned_sha256 for one in chosen}
        keep_word(store, key, names, person=me.person, sign=me.sign, now=app.now())
    fields({"signer": signer_name, "acknowledged": sorted(one.hex() for one in names), "by": name}, as_json=as_json)


@audit.command()
@click.argument("signer_name", metavar="SIGNER")
@click.argument("note_file", metavar="FILE", type=_file)
@json_option
@pass_app
def note(app: App, signer_name: str, note_file: Path, *, as_json: bool) -> None:
    """Take in a SIGNER's newest checkpoint; while it is ahead, nothing is exported. Prompts: station."""
    from online.jobs.signer_journal import note_checkpoint
    from online.store.signers import signer
    from shared.transport.media import read_file

    text = read_file(note_file, 10_000).decode("utf-8", "replace")
    with app.writing() as store:
        noted = note_checkpoint(store, signer(store, signer_name).public_key, text, app.now())
    fields(signer_value(noted), as_json=as_json)


@audit.command()
@click.argument("signer_name", metavar="SIGNER")
@click.argument("file", type=_file)
@pass_app
def checkpoint(app: App, signer_name: str, file: Path) -> None:
    """Write the newest checkpoint of a SIGNER that is proven here into FILE, for its spare box."""
    from online.store.signers import signer
    from shared.transport.media import write_file

    with app.reading() as store:
        write_file(file, signer(store, signer_name).checkpoint.encode())
    say(f"wrote {file}")


@audit.command()
@click.argument("signer_name", metavar="SIGNER")
@click.argument("journal", type=_file)
@json_option
@pass_app
def compare(app: App, signer_name: str, journal: Path, *, as_json: bool) -> None:
    """Compare what the SIGNER's JOURNAL says it signed, what the store says, and what the ledger did."""
    from online.audit import compare as compare_three
    from online.store.signers import signer
    from shared.transport.media import read_file

    with app.reading() as store:
        key = signer(store, signer_name).public_key
        found = compare_three(store, key, read_file(journal, MOST_JOURNAL_BYTES), app.gateways)
    groups = ("matched", "only_in_signer", "only_in_store", "ledger_different")
    rows = {group: [_row(one) for one in getattr(found, group)] for group in groups}
    if as_json:
        fields({"ok": found.ok, **rows}, as_json=True)
    else:
        for group in groups:
            say(f"{group.replace('_', ' ')}: {len(rows[group])}")
        for group in groups[1:]:
            if rows[group]:
                say(f"{group.replace('_', ' ')}:")
                short = [{**row, "transaction": row["unsigned_sha256"][:16]} for row in rows[group]]
                listing(short, ["transaction", "job", "state", "tx_id", "note"], as_json=False)
    if not found.ok:
        raise AuditFailed("the signer's journal, the store and the ledger do not agree")


def _row(one: Row) -> dict[str, Any]:
    return {
        "unsigned_sha256": one.unsigned_sha256.hex(),
        "job": one.job,
        "tx_id": one.tx_id,
        "state": one.state,
        "note": one.note,
    }


def _unknown_row(one: Unknown) -> dict[str, Any]:
    return {
        "unsigned_sha256": one.unsigned_sha256.hex(),
        "request": one.request.hex(),
        "entry": one.entry,
        "pays": list(one.pays),
        "not_taken_back": one.why,
        "acknowledged": one.acknowledged,
    }
