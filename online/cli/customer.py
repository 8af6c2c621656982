"""`lockgate customer`: who is owed, how much, and where they may withdraw to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from online.cli.app import App, pass_app
from online.cli.output import fields, json_option, listing, moment, note

if TYPE_CHECKING:
    from online.customers.register import Customer
    from online.store.database import Store
    from shared.effects import Destination


@click.group()
def customer() -> None:
    """Customers: add, list, show, hold, release, allow, disallow."""


@customer.command()
@click.argument("customer_id", metavar="ID")
@json_option
@pass_app
def add(app: App, customer_id: str, *, as_json: bool) -> None:
    """Register a customer by an ID of your own. Prompts: station."""
    from online.customers.register import register

    with app.writing() as store:
        fields(_value(register(store, customer_id, app.now())), as_json=as_json)


@customer.command("list")
@json_option
@pass_app
def list_(app: App, *, as_json: bool) -> None:
    """List the customers."""
    from online.customers.register import customers

    with app.reading() as store:
        rows = [_value(one) for one in customers(store)]
    listing(rows, ["customer", "since", "held"], as_json=as_json)


@customer.command()
@click.argument("customer_id", metavar="ID")
@json_option
@pass_app
def show(app: App, customer_id: str, *, as_json: bool) -> None:
    """Show what a customer is owed, where they pay, and where they may withdraw to."""
    from online.customers.register import allowed, find_customer
    from online.deposits.instructions import instructions

    with app.reading() as store:
        with store.reading() as connection:
            found = _value(find_customer(connection, customer_id))
            listed = [f"{one.network}: {one.place}" for one in allowed(connection, customer_id)]
        places = [f"{one.network}: {one.place}" for one in instructions(store, customer_id)]
        owed = _owed(store, customer_id)
    to = [*listed, "other networks: anywhere"] if listed else ["anywhere"]
    fields({**found, "owed": owed, "pays to": places, "withdraws to": to}, as_json=as_json)


@customer.command()
@click.argument("customer_id", metavar="ID")
@json_option
@pass_app
def hold(app: App, customer_id: str, *, as_json: bool) -> None:
    """Hold everything that would leave a customer's balance. Prompts: station."""
    from online.customers.register import freeze

    with app.writing() as store:
        fields(_value(freeze(store, customer_id, app.now())), as_json=as_json)


@customer.command()
@click.argument("customer_id", metavar="ID")
@click.option("--as", "name", required=True, help="Who signs.")
@json_option
@pass_app
def release(app: App, customer_id: str, name: str, *, as_json: bool) -> None:
    """Let a customer's balance move again, by a person's word. Prompts: station; the person."""
    from online.customers.register import unfreeze

    with app.writing() as store:
        note(f"you sign: the balance of {customer_id} may move again")
        key = app.open_person(name)
        done = unfreeze(store, customer_id, person=key.person, sign=key.sign, now=app.now())
        fields(_value(done), as_json=as_json)


@customer.command()
@click.argument("customer_id", metavar="ID")
@click.argument("network")
@click.argument("address")
@click.option("--tag", type=click.IntRange(0, 2**32 - 1), help="With exactly this tag.")
@json_option
@pass_app
def allow(app: App, customer_id: str, network: str, address: str, tag: int | None, *, as_json: bool) -> None:
    """Let a customer withdraw to ADDRESS; with a first one, to listed ones alone. Prompts: station."""
    from online.customers.register import allow_place

    with app.writing() as store:
        place = _place(network, address, tag)
        allow_place(store, customer_id, network, place, app.now())
    fields({"customer": customer_id, "network": network, "place": str(place)}, as_json=as_json)


@customer.command()
@click.argument("customer_id", metavar="ID")
@click.argument("network")
@click.argument("address")
@click.option("--tag", type=click.IntRange(0, 2**32 - 1), help="The one with exactly this tag.")
@click.option("--anywhere", is_flag=True, help="Also if it is the last one: they then withdraw to anywhere.")
@json_option
@pass_app
def disallow(
    app: App, customer_id: str, network: str, address: str, tag: int | None, *, anywhere: bool, as_json: bool
) -> None:
    """Take ADDRESS off a customer's list. What was accepted to it before goes on. Prompts: station."""
    from online.customers.register import disallow_place

    with app.writing() as store:
        place = _place(network, address, tag)
        disallow_place(store, customer_id, network, place, app.now(), anywhere=anywhere)
    fields({"customer": customer_id, "network": network, "place": str(place)}, as_json=as_json)


def _place(network: str, address: str, tag: int | None) -> Destination:
    from shared.chains import chain
    from shared.effects import Destination

    found = chain(network).parse_address(address, network)
    return Destination(found.address, found.tag if tag is None else tag)


def _owed(store: Store, customer_id: str) -> list[str]:
    from online.ledger.books import balances_of
    from shared.money import Amount

    mine = [one for one in balances_of(store, f"customer:{customer_id}") if one.posted]
    return [f"{Amount(one.asset, -one.posted)} on {one.asset.network}" for one in mine]


def _value(one: Customer) -> dict[str, Any]:
    return {"customer": one.id, "since": moment(one.created), "held": one.frozen}
