"""`lockgate books`: what belongs where, in double entry; and whether the ledger agrees."""

from __future__ import annotations

import click

from online.cli.app import App, pass_app
from online.cli.output import fields, json_option, listing, moment, signed
from online.cli.views import opening_value
from shared.errors import BooksDiffer, GatewayMissing


@click.group()
def books() -> None:
    """The books: sheet, trial balance, journal, check, opening."""


@books.command()
@json_option
@pass_app
def sheet(app: App, *, as_json: bool) -> None:
    """Show every account's balance, posted and pending."""
    from online.ledger.books import balance_sheet

    with app.reading() as store:
        rows = [
            {
                "account": one.account,
                "asset": one.asset.code,
                "network": one.asset.network,
                "posted": signed(one.posted, one.asset),
                "pending": signed(one.pending, one.asset),
                "posted_units": str(one.posted),
                "pending_units": str(one.pending),
            }
            for one in balance_sheet(store)
        ]
    listing(rows, ["account", "network", "posted", "pending"], as_json=as_json)


@books.command()
@json_option
@pass_app
def trial(app: App, *, as_json: bool) -> None:
    """Add up all accounts of each asset: all sums are zero, and the balances are proven from the entries."""
    from online.ledger.books import prove_balances, trial_balance

    with app.reading() as store:
        lines, faults = trial_balance(store), prove_balances(store)
    rows = [
        {
            "asset": one.asset.code,
            "network": one.asset.network,
            "posted": signed(one.posted, one.asset),
            "pending": signed(one.pending, one.asset),
        }
        for one in lines
    ]
    listing(rows, ["asset", "network", "posted", "pending"], as_json=as_json)
    if faults or any(one.posted or one.pending for one in lines):
        raise BooksDiffer("; ".join(faults) or "the accounts do not add up to zero")


@books.command()
@json_option
@pass_app
def journal(app: App, *, as_json: bool) -> None:
    """Show every entry with its lines."""
    from online.ledger.books import journal as entries

    with app.reading() as store:
        rows = [
            {
                "entry": one.id,
                "time": moment(one.time),
                "status": one.status,
                "memo": one.memo,
                "job": one.job,
                "account": account,
                "amount": signed(units, asset),
                "units": str(units),
            }
            for one in entries(store)
            for account, asset, units in one.lines
        ]
    listing(rows, ["entry", "time", "status", "account", "amount", "memo"], as_json=as_json)


@books.command()
@json_option
@pass_app
def check(app: App, *, as_json: bool) -> None:
    """Compare every wallet's books with the ledger. A difference is shown, never absorbed; it ends with 1."""
    from online.ledger.books import check as compare

    with app.reading() as store:
        found = compare(store, app.gateways)
    rows = [
        {
            "wallet": one.wallet,
            "asset": one.asset.code,
            "network": one.asset.network,
            "height": one.height,
            "ledger": signed(one.ledger, one.asset),
            "books": signed(one.books, one.asset),
            "pending": signed(one.pending, one.asset),
            "difference": signed(one.difference, one.asset),
        }
        for one in found
    ]
    listing(rows, ["wallet", "ledger", "books", "pending", "difference", "height"], as_json=as_json)
    if differing := [one.wallet for one in found if one.difference]:
        raise BooksDiffer(f"the ledger and the books differ for {', '.join(differing)}")


@books.command("open")
@click.argument("wallet_name", metavar="WALLET")
@json_option
@pass_app
def open_(app: App, wallet_name: str, *, as_json: bool) -> None:
    """Post a wallet's balance on the ledger as own funds, once. Prompts: station."""
    from online.ledger.books import open_wallet
    from online.store.wallets import wallet

    with app.writing() as store:
        network = wallet(store, wallet_name).network
        if network not in app.gateways:
            raise GatewayMissing(f"no node of {network} is configured")
        opened = open_wallet(store, wallet_name, app.gateways[network], app.now())
    fields({"wallet": wallet_name, **opening_value(opened)}, as_json=as_json)
