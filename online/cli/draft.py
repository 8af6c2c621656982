"""`lockgate rebalance`, `tickets` and `approve`: an order is one person's word, and leaves by another's."""

from __future__ import annotations

import secrets

import click

from online.cli.app import App, pass_app
from online.cli.output import fields, json_option, note
from online.cli.views import find_order, order_value

_key = click.option("--key", "idempotency_key", help="The order's own name, used once.")
_as = click.option("--as", "name", required=True, help="Who signs.")


@click.command()
@click.option("--from", "source", required=True, help="The wallet that pays.")
@click.option("--to", "target", required=True, help="The wallet that receives.")
@click.option("--amount", required=True, help="How much, in whole coins, such as 80000.")
@_key
@_as
@json_option
@pass_app
def rebalance(
    app: App, source: str, target: str, amount: str, idempotency_key: str | None, name: str, *, as_json: bool
) -> None:
    """Draft an order that moves money from one own wallet to another. Prompts: station; the drafter."""
    from online.orders.drafting import draft_rebalance
    from online.store.wallets import wallet
    from shared import chains
    from shared.money import parse_amount

    with app.writing() as store:
        network = wallet(store, source).network
        key = app.open_person(name)
        drafted = draft_rebalance(
            store,
            from_wallet=source,
            to_wallet=target,
            amount=parse_amount(amount, chains.chain(network).network(network).native),
            idempotency_key=idempotency_key or secrets.token_hex(8),
            person=key.person,
            sign=key.sign,
            now=app.now(),
        )
        fields(order_value(store, drafted), as_json=as_json)


@click.command()
@click.option("--wallet", "wallet_name", required=True, help="The wallet that shall hold the tickets.")
@click.option("--count", type=click.IntRange(1, 250), required=True, help="How many.")
@click.option("--address", help="For this address of the wallet, instead of its first.")
@_key
@_as
@json_option
@pass_app
def tickets(
    app: App,
    wallet_name: str,
    count: int,
    address: str | None,
    idempotency_key: str | None,
    name: str,
    *,
    as_json: bool,
) -> None:
    """Draft an order for tickets, which let payments be signed in parallel. Prompts: station; the drafter."""
    from online.orders.drafting import draft_tickets

    with app.writing() as store:
        key = app.open_person(name)
        drafted = draft_tickets(
            store,
            wallet=wallet_name,
            count=count,
            idempotency_key=idempotency_key or secrets.token_hex(8),
            person=key.person,
            sign=key.sign,
            now=app.now(),
            source=address,
        )
        fields(order_value(store, drafted), as_json=as_json)


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
