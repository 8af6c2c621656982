"""`lockgate books`: what belongs where, in double entry; and whether the ledger agrees."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from online.cli.app import App, pass_app
from online.cli.correct import correct
from online.cli.output import fields, json_option, listing, note, say, signed
from online.cli.views import opening_value
from shared.errors import BooksDiffer, GatewayMissing

if TYPE_CHECKING:
    from online.ledger.moments import Point
    from online.ledger.statements import Filter

POINT_HELP = "an entry's number, or a moment in UTC such as \"2026-06-01 14:30\""


@click.group()
def books() -> None:
    """The books: sheet, trial balance, journal, statements, export, check, opening, correction."""


@books.command()
@click.option("--at", help=f"As it was there: {POINT_HELP}.")
@click.option("--customers", "each_customer", is_flag=True, help="Customers one by one instead of in sum.")
@json_option
@pass_app
def sheet(app: App, at: str | None, *, each_customer: bool, as_json: bool) -> None:
    """Show the balance sheet of each asset: what ledgers hold, beside whom it belongs to. As JSON: every account."""
    from online.cli.book_views import SHEET_COLUMNS, balance_row, locked_lines, pending_lines, sheet_rows
    from online.ledger.reports import balances, is_on_ledger
    from online.ledger.reports import sheet as sheets

    with app.reading() as store:
        if as_json:
            found = balances(store, _point(at))
            rows = [balance_row(one, part, locked, on_ledger=is_on_ledger(one.account)) for one, part, locked in found]
            listing(rows, [], as_json=True)
        pages = sheets(store, _point(at), each_customer=each_customer)
    for page in () if as_json else pages:
        say(f"{page.asset.code} on {page.asset.network}: both sides are {'equal' if page.equal else 'NOT equal'}")
        listing(sheet_rows(page), SHEET_COLUMNS, as_json=False)
        for line in locked_lines(page):
            say(line)
        if waiting := pending_lines(page):
            say("on its way, and not counted above:")
            for line in waiting:
                say(line)
        say("")
    if not pages and not as_json:
        say("none")
    if differing := [str(page.asset) for page in pages if not page.equal]:
        raise BooksDiffer(f"the two sides differ for {', '.join(differing)}")


@books.command()
@click.option("--at", help=f"As it was there: {POINT_HELP}.")
@json_option
@pass_app
def trial(app: App, at: str | None, *, as_json: bool) -> None:
    """Add up all accounts of each asset: all sums are zero, and today's balances are proven from the entries."""
    from online.ledger.books import prove_balances
    from online.ledger.reports import trial_balance

    with app.reading() as store:
        lines, faults = trial_balance(store, _point(at)), prove_balances(store) if at is None else ()
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


def filtering(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say which entries are wanted."""
    from online.ledger.accounts import Kind

    for option in (
        click.option("--until", help=f"Up to there, included: {POINT_HELP}."),
        click.option("--since", help=f"From there on, included: {POINT_HELP}."),
        click.option("--job", type=click.IntRange(1), help="Of this job alone."),
        click.option("--status", type=click.Choice(["pending", "posted", "voided"])),
        click.option("--asset", "code", default="", help="With a line of this asset."),
        click.option("--kind", type=click.Choice([kind.value for kind in Kind]), help="With an account of this kind."),
        click.option("--account", default="", help="With a line of this account, such as wallet:hot."),
    ):
        command = option(command)
    return command


@books.command()
@filtering
@json_option
@pass_app
def journal(app: App, /, *, as_json: bool, **wanted: Any) -> None:
    """Show entries with their lines."""
    from online.cli.book_views import entry_rows
    from online.ledger.statements import journal as entries

    with app.reading() as store:
        rows = [row for one in entries(store, _filter(**wanted)) for row in entry_rows(one)]
    listing(rows, ["entry", "time", "status", "account", "amount", "memo"], as_json=as_json)


@books.command()
@click.option("--customer", help="Of this customer.")
@click.option("--wallet", help="Of this wallet.")
@click.option("--since", help=f"From there on: {POINT_HELP}; else from the beginning.")
@click.option("--until", help=f"Up to there, included: {POINT_HELP}; else until now.")
@click.option("--csv", "as_csv", is_flag=True, help="As CSV.")
@json_option
@pass_app
def statement(
    app: App, /, customer: str | None, wallet: str | None, since: str | None, until: str | None,
    *, as_csv: bool, as_json: bool,
) -> None:  # fmt: skip
    """Show the movements of a customer or a wallet, with opening, running balance and closing for each asset."""
    from online.cli.book_views import STATEMENT_COLUMNS, statement_rows, statement_value
    from online.ledger.csv_text import statement_csv
    from online.ledger.statements import customer_statement, wallet_statement

    if (customer is None) == (wallet is None):
        raise click.UsageError("give --customer or --wallet, one of them")
    span = _point(since), _point(until)
    with app.reading() as store:
        found = wallet_statement(store, wallet, *span) if wallet else customer_statement(store, customer or "", *span)
    if as_csv:
        click.echo(statement_csv(found), nl=False)
    elif as_json:
        listing([statement_value(one) for one in found], [], as_json=True)
    else:
        for one in found:
            say(f"{one.account}, {one.asset.code} on {one.asset.network}")
            listing(statement_rows(one), STATEMENT_COLUMNS, as_json=False)
            if one.pending:
                say(f"on its way, and not counted above: {signed(one.pending, one.asset)}")
        if not found:
            say("none")


@books.command()
@click.option("--format", "form", type=click.Choice(["csv", "beancount"]), required=True)
@click.option("--out", type=click.Path(path_type=Path), help="Write a new file; else to the screen.")
@filtering
@pass_app
def export(app: App, /, form: str, out: Path | None, **wanted: Any) -> None:
    """Write the journal as CSV, or what is posted as beancount text."""
    from online.ledger.beancount import beancount_text
    from online.ledger.csv_text import journal_csv
    from online.ledger.statements import journal as entries
    from shared.transport.media import write_file

    with app.reading() as store:
        found = entries(store, _filter(**wanted))
    text = journal_csv(found) if form == "csv" else beancount_text(found)
    if out is None:
        click.echo(text, nl=False)
        return
    write_file(out, text.encode())
    note(f"{len(found)} entries are in {out}")


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


books.add_command(correct)


def _point(text: str | None) -> Point:
    from online.ledger.moments import NOW, parse_point

    return NOW if text is None else parse_point(text)


def _filter(*, kind: str | None, code: str, since: str | None, until: str | None, **rest: Any) -> Filter:
    from online.ledger.accounts import Kind
    from online.ledger.statements import Filter

    rest["status"] = rest["status"] or ""
    return Filter(kind=Kind(kind) if kind else None, asset=code, since=_point(since), until=_point(until), **rest)
