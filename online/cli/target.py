"""`lockgate target`: what wallets should hold, and the orders that would bring them there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from online.cli.app import App, pass_app
from online.cli.output import NOBODY, amount_value, fields, json_option, listing, note, say

if TYPE_CHECKING:
    from online.treasury.proposals import Proposal
    from online.treasury.targets import Target


@click.group()
def target() -> None:
    """Targets of wallets and tiers: set, list, advise."""


@target.command("set")
@click.option("--wallet", default="", help="The wallet that shall hold so much.")
@click.option("--tier", nargs=2, metavar="NETWORK TIER", help="Or all cold, warm or hot wallets of a network together.")
@click.option("--asset", "code", help="The asset's code, if it is not the network's own.")
@click.option("--low", required=True, help="Below this it is filled, in whole coins.")
@click.option("--target", required=True, help="To this.")
@click.option("--high", required=True, help="Above this it is emptied, to the target.")
@click.option("--as", "name", required=True, help="Who signs.")
@json_option
@pass_app
def set_(
    app: App, /, wallet: str, tier: tuple[str, str] | None, code: str | None, name: str, *, as_json: bool, **band: str
) -> None:
    """Set or change the band of a wallet or tier. It moves nothing. Prompts: station; who signs."""
    from online.store.assets import asset
    from online.store.wallets import wallet as find
    from online.treasury.targets import Target, set_target
    from shared.chains import chain
    from shared.money import parse_amount

    if bool(wallet) == bool(tier):
        raise click.UsageError("give --wallet or --tier, one of them")
    with app.writing() as store:
        key = app.open_person(name)
        network, of_tier = tier or (find(store, wallet).network, "")
        found = asset(store, network, code or chain(network).network(network).native.code)
        low, aim, high = (parse_amount(band[each], found).units for each in ("low", "target", "high"))
        wanted = Target(wallet, found, low, aim, high, of_tier)
        set_target(store, wanted, person=key.person, sign=key.sign, now=app.now())
    fields(_value(wanted), as_json=as_json)


@target.command("list")
@json_option
@pass_app
def list_(app: App, *, as_json: bool) -> None:
    """List the bands."""
    from online.treasury.targets import targets

    with app.reading() as store:
        rows = [_value(one) for one in targets(store)]
    listing(rows, ["of", "network", "low", "target", "high"], as_json=as_json)


@target.command()
@click.option("--as", "name", default=NOBODY, help="Who would draft, for the commands.")
@json_option
@pass_app
def advise(app: App, name: str, *, as_json: bool) -> None:
    """Say which orders would keep wallets in their bands and in use, why, and how each is drafted.

    What is on its way counts. Nothing is drafted.
    """
    from online.treasury.planner import advise as look

    with app.reading() as store:
        settings = {network: app.config.proposing(network) for network in app.gateways}
        found = look(store, app.gateways, settings)
    if as_json:
        listing([_proposal(one, name) for one in found.proposals], [], as_json=True)
    for one in () if as_json else found.proposals:
        what = " ".join([one.what, *([str(one.amount)] if one.amount is not None else [])])
        way = f"{one.source} to {one.target}" if one.target else one.source
        say(f"{what}, {way}: {one.why}")
        say(f"  {one.command(name)}")
    if not found.proposals and not as_json:
        say("every wallet is in its band, and nothing needs an order")
    for short in found.short:
        note(f"nothing fills {short.wallet}: {short.amount} are missing, and no other wallet has them to spare")
    for text in found.notes:
        note(text)


def _proposal(one: Proposal, name: str) -> dict[str, Any]:
    return {
        "what": one.what, "from": one.source, "to": one.target,
        "amount": None if one.amount is None else amount_value(one.amount),
        "why": one.why, "command": one.command(name),
    }  # fmt: skip


def _value(one: Target) -> dict[str, Any]:
    from shared.money import Amount

    band = {name: str(Amount(one.asset, getattr(one, name))) for name in ("low", "target", "high")}
    return {"of": one.holder, "network": one.asset.network, "asset": one.asset.code, **band}
