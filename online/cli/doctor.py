"""`lockgate doctor`: is this machine fit, does the store open, are the nodes what they should be."""

from __future__ import annotations

import click

from online.cli.app import App, pass_app
from online.cli.output import json_option, listing
from shared.errors import CheckFailed


@click.command()
@json_option
@pass_app
def doctor(app: App, *, as_json: bool) -> None:
    """Check this machine, the store and the nodes; a failed check ends with 1."""
    from online.cli.checks import check_all

    found = check_all(app)
    rows = [{"check": one.name, "ok": one.ok, "found": one.text} for one in found]
    listing(rows, ["check", "ok", "found"], as_json=as_json)
    if failed := [one.name for one in found if one.ok is False]:
        raise CheckFailed(f"not as it should be: {', '.join(failed)}")
