"""`lockgate rebalance`, `tickets`, `lanes`, `rotate` and `approve`: one person's word, which leaves by another's."""

from __future__ import annotations

import click

from online.cli.app import App, pass_app
from online.cli.drafting import Form, form_options
from online.cli.output import fields, json_option, note
from online.cli.views import find_order, order_value

_as = click.option("--as", "name", required=True, help="Who signs.")


@click.command()
@click.option("--to", "target", required=True, help="The wallet that receives.")
@click.option("--amount", required=True, help="How much, in whole coins, such as 80000.")
@click.option("--asset", "code", help="The asset's code, if it is not the network's own.")
@click.option("--tag", type=click.IntRange(0, 2**32 - 1), help="A tag, where the other wallet demands one.")
@click.option("--memo-hex", help="A memo as bytes in hex, likewise.")
@click.option("--address", "source", help="From this address of the wallet, instead of its first.")
@form_options("--from")
def rebalance(
    form: Form, target: str, amount: str, code: str | None, tag: int | None, memo_hex: str | None, source: str | None
) -> None:
    """Draft an order that moves money from one own wallet to another. Prompts: station; the drafter."""
    from online.orders.drafting import draft_rebalance
    from online.orders.lines import canonical_memo
    from shared.money import parse_amount

    with form.open() as (store, asking):
        moved = parse_amount(amount, form.asset(store, code))
        memo = canonical_memo(form.network(store), None, memo_hex)
        order = draft_rebalance(
            store, asking, from_wallet=form.wallet, to_wallet=target, amount=moved, source=source, tag=tag, memo=memo
        )
        form.show(store, order)


@click.command()
@click.option("--count", type=click.IntRange(1, 250), required=True, help="How many.")
@click.option("--address", help="For this address of the wallet, instead of its first.")
@form_options()
def tickets(form: Form, count: int, address: str | None) -> None:
    """Draft an order for tickets, which let payments be signed in parallel. Prompts: station; the drafter."""
    from online.orders.drafting import draft_tickets

    with form.open() as (store, asking):
        form.show(store, draft_tickets(store, asking, wallet=form.wallet, count=count, source=address))


@click.command()
@click.option("--count", type=click.IntRange(2), required=True, help="How many keys sign then, the first among them.")
@form_options()
def lanes(form: Form, count: int) -> None:
    """Draft that further keys of a wallet sign for its first address, in parallel. Prompts: station; the drafter."""
    from online.orders.drafting import draft_lanes

    with form.open() as (store, asking):
        form.show(store, draft_lanes(store, asking, wallet=form.wallet, count=count))


@click.command()
@click.option("--old", type=click.IntRange(0), required=True, help="The number of the key that shall sign no more.")
@click.option("--new", type=click.IntRange(0), required=True, help="The number of the key that shall sign instead.")
@form_options()
def rotate(form: Form, old: int, new: int) -> None:
    """Draft that a wallet's first address gets another key in the place of one. Prompts: station; the drafter."""
    from online.orders.drafting import draft_rotation

    with form.open() as (store, asking):
        form.show(store, draft_rotation(store, asking, wallet=form.wallet, old=old, new=new))


@click.command()
@click.argument("order")
@_as
@json_option
@pass_app
def approve(app: App, order: str, name: str, *, as_json: bool) -> None:
    """Approve an ORDER that somebody else drafted, after reading it. Prompts: station; the approver."""
    from online.orders.approval import approve as approve_order

    with app.writing() as store:
        found = find_order(store, order)
        if not as_json:
            for line in order_value(store, found)["lines"]:
                note(f"you approve: {line}")
        key = app.open_person(name)
        done = approve_order(store, found.id, person=key.person, sign=key.sign, now=app.now())
        fields(order_value(store, done), as_json=as_json)
