"""`lockgate books correct`: two people's word that ends one difference between a ledger and the books."""

from __future__ import annotations

from typing import Any

import click

from online.cli.app import App, pass_app
from online.cli.output import fields, json_option
from shared.errors import GatewayMissing


@click.command()
@click.argument("kind", metavar="KIND")
@click.argument("transaction", metavar="TRANSACTION")
@click.option("--against", type=click.Choice(["own", "suspense", "fees"]), help="Move the wallet against this account.")
@click.option("--reverse", type=click.IntRange(1), metavar="ENTRY", help="Or post this entry the other way round.")
@click.option("--wallet", default="", help="In this wallet, where several differ.")
@click.option("--asset", default="", help="Of this asset, where several differ.")
@click.option("--network", help="On this network, where several are configured.")
@click.option("--as", "name", required=True, help="Who signs.")
@click.option("--with", "second", required=True, help="Who signs as well.")
@json_option
@pass_app
def correct(
    app: App, /, kind: str, transaction: str, network: str | None, name: str, second: str, *, as_json: bool, **how: Any
) -> None:
    """End a difference of a KIND that `reconcile` finds now, by its TRANSACTION, or by its entry where it has none.

    Prompts: station; the first; the second.
    """
    from online.cli.book_views import correction_value
    from online.ledger.accounts import Kind as Account
    from online.ledger.corrections import Wanted
    from online.ledger.corrections import correct as put_right
    from online.ledger.differences import CORRECTABLE, Kind

    if kind not in CORRECTABLE:
        raise click.UsageError(f"a KIND is one of {', '.join(sorted(CORRECTABLE))}")
    if network is None and len(app.gateways) != 1:
        raise click.UsageError("name the network: --network")
    where = network or next(iter(app.gateways))
    if where not in app.gateways:
        raise GatewayMissing(f"no node of {where} is configured")
    against = Account(how["against"]) if how["against"] else None
    wanted = Wanted(where, Kind(kind), transaction, against, how["reverse"], how["wallet"], how["asset"])
    with app.writing() as store:
        one, other = app.open_person(name), app.open_person(second)
        pens = (one.person, one.sign), (other.person, other.sign)
        done = put_right(store, app.gateways[where], wanted, *pens, app.now())
    fields(correction_value(done), as_json=as_json)
