"""`lockgate asset`: the register of assets beside the native ones, with their decimals."""

from __future__ import annotations

import click

from online.cli.app import App, pass_app
from online.cli.output import fields, json_option, listing


@click.group()
def asset() -> None:
    """Assets beside the native ones: add, list."""


@asset.command()
@click.argument("network")
@click.argument("code")
@click.argument("decimals", type=click.IntRange(0, 24))
@json_option
@pass_app
def add(app: App, network: str, code: str, decimals: int, *, as_json: bool) -> None:
    """Note an asset by NETWORK, CODE and DECIMALS, which never change. Prompts: station."""
    from online.store.assets import add_asset

    with app.writing() as store:
        noted = add_asset(store, network, code, decimals, app.now())
    fields({"network": noted.network, "code": noted.code, "decimals": noted.decimals}, as_json=as_json)


@asset.command("list")
@json_option
@pass_app
def list_(app: App, *, as_json: bool) -> None:
    """List the noted assets."""
    from online.store.assets import assets

    with app.reading() as store:
        rows = [{"network": one.network, "code": one.code, "decimals": one.decimals} for one in assets(store)]
    listing(rows, ["network", "code", "decimals"], as_json=as_json)
