"""`lockgate asset`: the register of assets beside the native ones, with their decimals."""

from __future__ import annotations

import click

from online.cli.app import App, pass_app
from online.cli.output import fields, json_option, listing, note
from shared.errors import BadAsset, CounterpartyNodeMissing, NodeUnreachable


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
    """Note an asset by NETWORK, CODE and DECIMALS, which never change. Prompts: station.

    Where a node is at hand it must say the same.
    """
    from online.store.assets import add_asset

    with app.writing() as store:
        _require_true(app, network, code, decimals)
        noted = add_asset(store, network, code, decimals, app.now())
    fields({"network": noted.network, "code": noted.code, "decimals": noted.decimals}, as_json=as_json)
    note(f"note: wallets whose books are open already take {code} in by `lockgate books open`; deposits wait for that")


@asset.command("list")
@json_option
@pass_app
def list_(app: App, *, as_json: bool) -> None:
    """List the noted assets."""
    from online.store.assets import assets

    with app.reading() as store:
        rows = [{"network": one.network, "code": one.code, "decimals": one.decimals} for one in assets(store)]
    listing(rows, ["network", "code", "decimals"], as_json=as_json)


def _require_true(app: App, network: str, code: str, decimals: int) -> None:
    """Hold decimals against what the ledger says, where a node can be asked. Raises BadAsset."""
    from online.chains.api import Appraiser

    gateway = app.gateways.get(network)
    if not isinstance(gateway, Appraiser):
        return
    try:
        there = gateway.decimals(code)
    except (NodeUnreachable, CounterpartyNodeMissing) as silence:
        note(f"note: not compared with the ledger: {silence} [{silence.code}]")
        return
    if there is None:
        raise BadAsset(f"{network} has no asset {code[:60]!r}")
    if there != decimals:
        raise BadAsset(f"{code} has {there} decimals on its ledger, and not {decimals}")
