"""`lockgate pay`, `send`, `batch` and `options`: orders that spend from an address of a wallet."""

from __future__ import annotations

from pathlib import Path

import click

from online.cli.drafting import Form, form_options

_file = click.Path(path_type=Path)


@click.command()
@click.option("--to", "payments", nargs=2, multiple=True, metavar="ADDRESS AMOUNT", help="Whom, and whole coins.")
@click.option("--file", type=_file, help="A table or JSON lines: destination, amount.")
@click.option("--together", is_flag=True, help="All addresses of the wallet may pay.")
@form_options(pays=True)
def pay(form: Form, payments: tuple[tuple[str, str], ...], file: Path | None, *, together: bool) -> None:
    """Draft payments to one or many, by as few transactions as the ledger lets. Prompts: station; the drafter."""
    from online.cli.wanted import wanted_lines
    from online.orders.spending import draft_pay

    with form.open() as (store, asking):
        lines = wanted_lines(store, form.network(store), payments, file)
        order = draft_pay(
            store, asking, wallet=form.wallet, payments=lines, sources=[form.address] if form.address else (),
            together=together, terms=form.terms,
        )  # fmt: skip
        form.show(store, order)


@click.command()
@click.option("--to", "destination", required=True, help="The address.")
@click.option("--amount", required=True, help="How much, in whole coins.")
@click.option("--asset", required=True, help="The asset's code, such as XCP.")
@click.option("--memo", help="A memo as text.")
@click.option("--memo-hex", help="A memo as bytes in hex.")
@form_options(pays=True)
def send(
    form: Form, destination: str, amount: str, asset: str, memo: str | None, memo_hex: str | None
) -> None:
    """Draft one send of an asset, with a memo if wanted. Prompts: station; the drafter."""
    from online.orders.lines import wanted_line
    from online.orders.spending import draft_send
    from online.store.assets import asset as find

    with form.open() as (store, asking):
        line = wanted_line(destination, amount, find(store, form.network(store), asset), memo, memo_hex)
        order = draft_send(
            store, asking, wallet=form.wallet, payment=line, source=form.address, terms=form.terms
        )
        form.show(store, order)


@click.command()
@click.argument("file", type=_file)
@click.option("--most", type=click.IntRange(2), help="Recipients a transaction; else as many as the ledger takes.")
@form_options(pays=True)
def batch(form: Form, file: Path, most: int | None) -> None:
    """Draft sends of assets to many from a FILE, a table or JSON lines: destination, asset, amount, memo.

    Prompts: station; the drafter.
    """
    from online.cli.wanted import wanted_lines
    from online.orders.spending import draft_batch

    with form.open() as (store, asking):
        lines = wanted_lines(store, form.network(store), (), file)
        order = draft_batch(
            store, asking, wallet=form.wallet, payments=lines, source=form.address, terms=form.terms, most=most
        )
        form.show(store, order)


@click.command()
@click.option("--memo-required/--memo-free", "--tag-required/--tag-free", "demanded", required=True,
              help="Whether what comes without one is refused.")
@click.option("--all-addresses", is_flag=True, help="For every address of the wallet.")
@form_options(pays=True)
def options(form: Form, *, demanded: bool, all_addresses: bool) -> None:
    """Draft that an address takes payments with a memo or tag alone, or all again. Prompts: station; the drafter."""
    from online.orders.spending import draft_options
    from online.store.wallets import keys

    with form.open() as (store, asking):
        chosen = [key.address for key in keys(store, form.wallet)] if all_addresses else [form.address]
        sources = [one for one in chosen if one]
        order = draft_options(
            store, asking, wallet=form.wallet, demanded=demanded, sources=sources, terms=form.terms
        )
        form.show(store, order)
