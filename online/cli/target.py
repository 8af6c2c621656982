"""`lockgate target`: what wallets should hold, and the orders that would bring them there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from online.cli.app import App, pass_app
from online.cli.drafting import Form, form_options
from online.cli.output import fields, json_option, listing, note

if TYPE_CHECKING:
    from online.treasury.targets import Target


@click.group()
def target() -> None:
    """Targets of wallets: set, list, advise."""


@target.command("set")
@click.option("--asset", "code", help="The asset's code, if it is not the network's own.")
@click.option("--low", required=True, help="Below this the wallet is filled, in whole coins.")
@click.option("--target", "aim", required=True, help="To this.")
@click.option("--high", required=True, help="Above this it is emptied, to the target.")
@form_options()
def set_(form: Form, code: str | None, low: str, aim: str, high: str) -> None:
    """Set or change a wallet's band. It moves nothing. Prompts: station; who signs."""
    from online.treasury.targets import Target, set_target
    from shared.money import parse_amount

    with form.open() as (store, asking):
        asset = form.asset(store, code)
        units = [parse_amount(text, asset).units for text in (low, aim, high)]
        wanted = Target(form.wallet, asset, *units)
        set_target(store, wanted, person=asking.person, sign=asking.sign, now=asking.now)
    fields(_value(wanted), as_json=form.as_json)


@target.command("list")
@json_option
@pass_app
def list_(app: App, *, as_json: bool) -> None:
    """List the bands."""
    from online.treasury.targets import targets

    with app.reading() as store:
        rows = [_value(one) for one in targets(store)]
    listing(rows, ["wallet", "low", "target", "high"], as_json=as_json)


@target.command()
@json_option
@pass_app
def advise(app: App, *, as_json: bool) -> None:
    """Say which orders would bring the wallets into their bands, and why. What is on its way counts."""
    from online.treasury.planner import advise as look

    with app.reading() as store:
        found = look(store)
    rows = [
        {"what": one.what, "from": one.source, "to": one.target, "amount": str(one.amount),
         "units": str(one.amount.units), "why": one.why}
        for one in found.proposals
    ]  # fmt: skip
    listing(rows, ["what", "from", "to", "amount", "why"], as_json=as_json, empty="every wallet is in its band")
    for one in found.short:
        note(f"nothing fills {one.wallet}: {one.amount} are missing, and no other wallet has them to spare")


def _value(one: Target) -> dict[str, Any]:
    from shared.money import Amount

    band = {name: str(Amount(one.asset, getattr(one, name))) for name in ("low", "target", "high")}
    return {"wallet": one.wallet, "network": one.asset.network, "asset": one.asset.code, **band}
