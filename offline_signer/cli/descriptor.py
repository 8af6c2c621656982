"""`lockgate-signer descriptor`: what another maker's wallet, such as Sparrow, needs to watch one of this signer."""

from __future__ import annotations

import json
from pathlib import Path

import click

from offline_signer import setup
from offline_signer.cli.face import OUT, Here, pass_here
from shared.transport.media import write_file


@click.command()
@click.argument("wallet")
@click.option("--change", type=click.IntRange(0), default=0, show_default=True,
              help="Also print so many addresses of the branch of change, for the policy's places.")
@click.option("--out", type=OUT, help="A file for the descriptor of both branches.")
@click.option("--json", "as_json", is_flag=True, help="Print one object.")
@pass_here
def descriptor(here: Here, wallet: str, *, change: int, out: Path | None, as_json: bool) -> None:
    """Print a wallet's output descriptors: for both branches together, received, and change.

    Nothing in it spends, but it shows every address of the wallet, past and future.
    """
    with here.box() as box:
        found = setup.describe(box, wallet)
        addresses = setup.change_addresses(box, wallet, change)
    if out is not None:
        write_file(out, f"{found.whole}\n".encode())
    if as_json:
        told = {"descriptor": found.whole, "receive": found.receive, "change": found.change}
        click.echo(json.dumps({**told, "change_addresses": list(addresses)}, indent=2))
        return
    click.echo(f"{found.whole}\nreceive: {found.receive}\nchange: {found.change}")
    for index, address in enumerate(addresses):
        click.echo(f"{wallet} change {index}: {address}")
