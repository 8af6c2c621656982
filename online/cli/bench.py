"""`lockgate bench`: measures the crossing and the signer, and prints what was found."""

from __future__ import annotations

import json

import click

from online.cli.output import json_option, say


@click.command()
@json_option
def bench(*, as_json: bool) -> None:
    """Measure bytes and frames each way, and the signer's speed beside other libraries'."""
    from online.bench import run

    found = run()
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    for one in found:
        aim = "" if one["aim"] is None else f", aim {one['aim']}: {'met' if one['met'] else 'NOT MET'}"
        peer = "" if one["peer"] is None else f", {one['peer']} {one['peer_value']}"
        say(f"{one['name']}: {one['value']} {one['unit']}{peer}{aim}")
