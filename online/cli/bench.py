"""`lockgate bench`: measures the crossing, the signer and the exchange, and prints what was found."""

from __future__ import annotations

import json
from typing import Any

import click

from online.cli.output import json_option, say


@click.command()
@click.option("--postgres", "server", default="", envvar="LOCKGATE_POSTGRES_URL", metavar="URL",
              help="A PostgreSQL server whose user may create databases; LOCKGATE_POSTGRES_URL says it too.")
@json_option
def bench(server: str, *, as_json: bool) -> None:
    """Measure bytes and frames, the signer's speed beside other libraries', and the exchange's rates."""
    from online.bench import run

    found = run(server=server)
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    for one in found:
        say(_line(one))


def _line(one: dict[str, Any]) -> str:
    aim = "" if one["aim"] is None else f", aim {one['aim']}"
    if one["left_out"] is not None:
        return f"{one['name']}: LEFT OUT, {one['left_out']}{aim}"
    met = "" if one["met"] is None else f": {'met' if one['met'] else 'NOT MET'}"
    peer = "" if one["peer"] is None else f", {one['peer']} {one['peer_value']}"
    return f"{one['name']}: {one['value']} {one['unit']}{peer}{aim}{met}"
