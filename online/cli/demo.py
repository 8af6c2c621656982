"""`lockgate demo`: the whole journey once, on a ledger of its own."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import click

from online.cli.output import json_option, note, say
from shared.errors import Refusal


@click.command()
@click.option("--out", type=click.Path(path_type=Path), help="The folder for all that is made.")
@click.option("--story", type=click.Choice(["xrp", "xcp", "near"]), help="An exchange's story instead: its tables.")
@json_option
def demo(out: Path | None, story: str | None, *, as_json: bool) -> None:
    """Move XRP from cold to hot, XCP and BTC by a send, a batch and a sweep, NEAR and a token, on embedded ledgers."""
    from online.demo import run_demo

    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    try:
        report = run_demo(out, note if as_json else say, story=story, columns=columns)
    except Refusal as refusal:
        if as_json:
            click.echo(json.dumps({"ok": False, "failed": str(refusal), "code": refusal.code}))
        raise
    if as_json:
        click.echo(json.dumps(report, indent=2))
