"""`lockgate deposit` and `suspense`: where customers pay, what arrived, and what waits in suspense."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import click

from online.cli.app import App, pass_app
from online.cli.output import amount_value, fields, json_option, listing, moment, note
from online.cli.paging import limit_option, moment_of, number_of, since_option

if TYPE_CHECKING:
    from online.deposits.model import Deposit

_COLUMNS = ["arrival", "customer", "amount", "place", "state", "reason"]


@click.group()
def deposit() -> None:
    """Deposits: address, list, least."""


@deposit.command()
@click.argument("customer_id", metavar="CUSTOMER")
@click.option("--wallet", required=True, help="The wallet that receives.")
@click.option("--new", is_flag=True, help="Another place than the customer has already.")
@click.option("--tag", type=click.IntRange(1, 2**32 - 1), help="With this destination tag, where the ledger has tags.")
@click.option("--memo", is_flag=True, help="By a memo for one deposit, at an address that customers share.")
@json_option
@pass_app
def address(
    app: App, customer_id: str, wallet: str, tag: int | None, *, new: bool, memo: bool, as_json: bool
) -> None:
    """Give where a CUSTOMER pays into a wallet, the same again unless --new. Prompts: station."""
    from online.deposits.instructions import instruct

    with app.writing() as store:
        one = instruct(store, customer_id, wallet, app.now(), new=new, tag=tag, memo=memo)
    if one.warning:
        note(f"warning: {one.warning}")
    place: dict[str, str | int | None] = {"address": one.place.address, "tag": one.place.tag, "memo": one.place.memo}
    if one.packed:
        place["packed"] = one.packed
    if as_json:
        place["warning"] = one.warning or None
    fields({"customer": one.customer, "network": one.network, **place}, as_json=as_json)


@deposit.command("list")
@click.option("--customer", help="Of this customer alone.")
@since_option("an arrival's number")
@limit_option
@json_option
@pass_app
def list_(app: App, customer: str | None, since: str | None, limit: int | None, *, as_json: bool) -> None:
    """List what arrived, the oldest first."""
    from online.deposits.model import before, deposits

    with app.reading() as store:
        after = number_of(since or "0")
        if after is None:
            after = before(store, moment_of(since or ""))
        rows = [_value(one) for one in deposits(store, customer=customer, since=after, limit=limit)]
    listing(rows, _COLUMNS, as_json=as_json)


@deposit.group()
def least() -> None:
    """Below how much a deposit is dust, and waits in suspense: set, list."""


@least.command("set")
@click.argument("amount")
@click.argument("name", metavar="NETWORK/CODE")
@click.option("--as", "person", required=True, help="Who signs.")
@json_option
@pass_app
def set_least(app: App, amount: str, name: str, person: str, *, as_json: bool) -> None:
    """Let what is below AMOUNT of an asset wait in suspense; 0 lets all be credited. Prompts: station; who signs."""
    from online.deposits.least import set_least as put
    from online.store.assets import asset
    from shared.money import parse_amount

    network, _, code = name.partition("/")
    with app.writing() as store:
        key = app.open_person(person)
        wanted = parse_amount(amount, asset(store, network, code))
        done = put(store, wanted, person=key.person, sign=key.sign, now=app.now())
    fields(amount_value(done), as_json=as_json)


@least.command("list")
@json_option
@pass_app
def list_least(app: App, *, as_json: bool) -> None:
    """List the least deposits."""
    from online.deposits.least import leasts

    with app.reading() as store:
        rows = [amount_value(one) for one in leasts(store)]
    listing(rows, ["network", "text"], as_json=as_json)


@click.group()
def suspense() -> None:
    """What arrived for nobody known: list, credit, return."""


@suspense.command("list")
@json_option
@pass_app
def waiting(app: App, *, as_json: bool) -> None:
    """List what waits, with the reason."""
    from online.deposits.model import deposits
    from online.deposits.states import State

    with app.reading() as store:
        rows = [_value(one) for one in deposits(store, states=(State.SUSPENSE,))]
    listing(rows, ["arrival", "amount", "from", "source tag", "place", "reason"], as_json=as_json)


@suspense.command()
@click.argument("number", type=int, metavar="ARRIVAL")
@click.option("--customer", help="Whose it is.")
@click.option("--own", is_flag=True, help="It is the exchange's own, such as a top-up of a wallet.")
@click.option("--as", "name", required=True, help="Who signs.")
@click.option("--with", "second", required=True, help="Who signs as well.")
@json_option
@pass_app
def credit(
    app: App, number: int, customer: str | None, name: str, second: str, *, own: bool, as_json: bool
) -> None:
    """Give an ARRIVAL to a customer or own funds, by two signatures. Prompts: station; the first; the second."""
    from online.deposits.suspense import credit as give
    from online.deposits.suspense import credit_own

    if own == (customer is not None):
        raise click.UsageError("say either --customer or --own")
    with app.writing() as store:
        one, other = app.open_person(name), app.open_person(second)
        first, also = (one.person, one.sign), (other.person, other.sign)
        if customer is None:
            done = credit_own(store, number, first, also, app.now())
        else:
            done = give(store, number, customer, first, also, app.now())
    fields({"arrival": number, "customer": customer, "amount": str(done.amount)}, as_json=as_json)


@suspense.command("return")
@click.argument("number", type=int, metavar="ARRIVAL")
@click.option("--to", "target", help="To this address instead of the sender's.")
@click.option("--tag", type=click.IntRange(0, 2**32 - 1), help="With this tag instead of the sender's own.")
@click.option("--no-tag", is_flag=True, help="Without the tag that the sender gave.")
@click.option("--as", "name", required=True, help="Who signs.")
@json_option
@pass_app
def return_(
    app: App, number: int, target: str | None, tag: int | None, name: str, *, no_tag: bool, as_json: bool
) -> None:
    """Draft that an ARRIVAL goes back; another person approves the order. Prompts: station; the drafter."""
    from online.cli.views import order_value
    from online.deposits.model import find_suspended
    from online.deposits.suspense import draft_return
    from online.orders.writing import Asking
    from shared.effects import Destination

    if no_tag and tag is not None:
        raise click.UsageError("say either --tag or --no-tag")
    with app.writing() as store:
        to = None if target is None else Destination(target, tag)
        if to is None and (no_tag or tag is not None):
            with store.reading() as connection:
                to = Destination(find_suspended(connection, number).sender, tag)
        key = app.open_person(name)
        asking = Asking(f"return {number} {secrets.token_hex(4)}", key.person, key.sign, app.now())
        fields(order_value(store, draft_return(store, asking, number, to=to)), as_json=as_json)


def _value(one: Deposit) -> dict[str, Any]:
    return {
        "arrival": one.id, "customer": one.customer, "amount": str(one.amount), "units": str(one.amount.units),
        "network": one.network, "place": str(one.place), "wallet": one.wallet, "from": one.sender,
        "source tag": one.source_tag,
        "state": one.state.value, "reason": one.reason, "tx_id": one.tx_id, "height": one.height,
        "time": moment(one.created),
    }  # fmt: skip
