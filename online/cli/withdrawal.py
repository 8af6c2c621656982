"""`lockgate withdrawal` and `trade`: what customers ask for, each under an id of the caller's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from online.cli.app import App, pass_app
from online.cli.output import fields, json_option, listing, moment, note
from online.cli.paging import limit_option, moment_of, since_option

if TYPE_CHECKING:
    from online.store.database import Store
    from online.withdrawals.model import Withdrawal
    from online.withdrawals.waiting import Wait
    from shared.effects import Destination
    from shared.money import Amount

_COLUMNS = ["withdrawal", "customer", "amount", "to", "state", "reason"]


@click.group()
def withdrawal() -> None:
    """Customers' withdrawals: request, list, show, hold, release, cancel."""


@withdrawal.command()
@click.argument("withdrawal_id", metavar="ID")
@click.option("--customer", required=True, help="Whose balance.")
@click.option("--wallet", required=True, help="The wallet that pays, under its mandate.")
@click.option("--to", "destination", required=True, help="The address; an X-address brings its tag.")
@click.option("--tag", type=click.IntRange(0, 2**32 - 1), help="The destination's tag, where the ledger has tags.")
@click.option("--amount", required=True, help="How much, in whole coins.")
@click.option("--asset", "code", help="The asset's code, if it is not the network's own.")
@click.option("--memo", help="A memo as text.")
@click.option("--memo-hex", help="A memo as bytes in hex.")
@click.option("--dry-run", is_flag=True, help="Say what would become of it, and accept nothing. No prompt.")
@json_option
@pass_app
def request(
    app: App, /, withdrawal_id: str, customer: str, wallet: str, *, dry_run: bool, as_json: bool, **given: Any
) -> None:
    """Accept a withdrawal under an ID; the same one again is the same. Prompts: station."""
    from online.store.wallets import wallet as find_wallet
    from online.withdrawals.accepting import Wish, accept
    from online.withdrawals.waiting import foretell

    with app.reading() if dry_run else app.writing() as store:
        to, amount = _wanted(store, find_wallet(store, wallet).network, **given)
        wish = Wish(withdrawal_id, customer, wallet, to, amount)
        if dry_run:
            found = foretell(store, wish, app.now())
            said = {"withdrawal": wish.id, "there": found.there, "state": found.state.value}
            fields({**said, **_waits(found.wait, app.now())}, as_json=as_json)
            return
        one = accept(store, wish, app.now())
    fields(_value(one), as_json=as_json)


@withdrawal.command("list")
@click.option("--customer", help="Of this customer alone.")
@click.option("--state", help="In this state alone, such as held.")
@since_option("a withdrawal's id")
@limit_option
@json_option
@pass_app
def list_(
    app: App, customer: str | None, state: str | None, since: str | None, limit: int | None, *, as_json: bool
) -> None:
    """List withdrawals, the oldest first."""
    from online.withdrawals.model import withdrawals
    from online.withdrawals.states import State

    if state is not None and state not in list(State):
        raise click.UsageError(f"a withdrawal is {', '.join(State)}")
    with app.reading() as store:
        after = None if since is None else _last_known(store, since)
        states = [State(state)] if state else ()
        found = withdrawals(store, customer=customer, states=states, since=after, limit=limit)
    listing([_value(one) for one in found], _COLUMNS, as_json=as_json)


@withdrawal.command()
@click.argument("withdrawal_id", metavar="ID")
@json_option
@pass_app
def show(app: App, withdrawal_id: str, *, as_json: bool) -> None:
    """Show one withdrawal, and what it waits for."""
    from online.withdrawals.waiting import look

    with app.reading() as store:
        one, wait = look(store, withdrawal_id, app.now())
    fields({**_value(one), **_waits(wait, app.now())}, as_json=as_json)


@withdrawal.command()
@click.argument("withdrawal_id", metavar="ID")
@click.option("--reason", required=True, help="Why, in a few words.")
@json_option
@pass_app
def hold(app: App, withdrawal_id: str, reason: str, *, as_json: bool) -> None:
    """Hold a withdrawal that waits, until somebody releases it. Prompts: station."""
    from online.withdrawals.gathering import hold as hold_one

    with app.writing() as store:
        fields(_value(hold_one(store, withdrawal_id, reason, app.now())), as_json=as_json)


@withdrawal.command()
@click.argument("withdrawal_id", metavar="ID")
@click.option("--as", "name", required=True, help="Who signs.")
@json_option
@pass_app
def release(app: App, withdrawal_id: str, name: str, *, as_json: bool) -> None:
    """Let a held withdrawal be paid, by a person's word. Prompts: station; the person."""
    from online.withdrawals.model import find_withdrawal
    from online.withdrawals.paying import release as release_one

    with app.writing() as store:
        with store.reading() as connection:
            held = find_withdrawal(connection, withdrawal_id)
        note(f"you sign: {held.wallet} may pay {held.amount} to {held.destination} for {held.customer}: {held.id}")
        key = app.open_person(name)
        done = release_one(store, withdrawal_id, person=key.person, sign=key.sign, now=app.now())
        fields(_value(done), as_json=as_json)


@withdrawal.command()
@click.argument("withdrawal_id", metavar="ID")
@json_option
@pass_app
def cancel(app: App, withdrawal_id: str, *, as_json: bool) -> None:
    """Give a withdrawal's money back, as long as its transaction has not left for the signer. Prompts: station."""
    from online.withdrawals.gathering import cancel as cancel_one

    with app.writing() as store:
        fields(_value(cancel_one(store, withdrawal_id, app.now())), as_json=as_json)


@click.command()
@click.argument("trade_id", metavar="ID")
@click.option("--move", "moves", nargs=4, multiple=True, required=True, metavar="FROM TO AMOUNT NETWORK/CODE",
              help="Who gives how much to whom; the exchange itself is `house`.")  # fmt: skip
@json_option
@pass_app
def trade(app: App, trade_id: str, moves: tuple[tuple[str, str, str, str], ...], *, as_json: bool) -> None:
    """Move balances between customers and the house under an ID, all at once or not at all. Prompts: station."""
    from online.customers.register import HOUSE_NAME
    from online.customers.trades import HOUSE, Leg
    from online.customers.trades import trade as make_trade
    from online.store.assets import asset
    from shared.money import parse_amount

    with app.writing() as store:
        legs = []
        for giver, taker, amount, name in moves:
            network, _, code = name.partition("/")
            who = [HOUSE if one == HOUSE_NAME else one for one in (giver, taker)]
            legs.append(Leg(who[0], who[1], parse_amount(amount, asset(store, network, code))))
        made = make_trade(store, trade_id, legs, app.now())
    fields({"trade": made.id, "entry": made.entry, "repeated": made.repeated}, as_json=as_json)


def _last_known(store: Store, since: str) -> str | int:
    """Read a withdrawal's id, or else a moment as Unix seconds."""
    from online.withdrawals.model import withdrawals_of
    from shared.errors import BadMoment

    with store.reading() as connection:
        if withdrawals_of(connection, [since]):
            return since
    try:
        return moment_of(since)
    except BadMoment:
        return since  # an id that nobody knows, and is refused as such


def _wanted(store: Store, network: str, **given: Any) -> tuple[Destination, Amount]:
    """Read where to and how much."""
    from dataclasses import replace

    from online.orders.lines import wanted_line
    from online.store.assets import asset
    from shared.chains import chain

    tag = given["tag"]
    unit = asset(store, network, given["code"] or chain(network).network(network).native.code)
    to, amount = wanted_line(given["destination"], given["amount"], unit, given["memo"], given["memo_hex"])
    if tag is not None and to.tag not in (None, tag):
        raise click.UsageError("--tag differs from the tag in the address")
    return (to if tag is None else replace(to, tag=tag)), amount


def _waits(wait: Wait | None, now: int) -> dict[str, Any]:
    """Say what a withdrawal waits for, and when it is ordered at the latest, in UTC."""
    if wait is None:
        return {"waits_for": None, "latest": None}
    text = wait.text if wait.until is None or wait.until <= now else f"{wait.text}, or until {moment(wait.until)}"
    if wait.dear is not None:
        text += f"; while a payment costs more than {wait.dear.fee}, until {moment(wait.dear.until)} at the latest"
    return {"waits_for": text, "latest": None if wait.latest is None else moment(wait.latest)}


def _value(one: Withdrawal) -> dict[str, Any]:
    return {
        "withdrawal": one.id, "customer": one.customer, "wallet": one.wallet, "to": str(one.destination),
        "amount": str(one.amount), "units": str(one.amount.units), "state": one.state.value, "reason": one.reason,
        "transfer": None if one.transfer is None else one.transfer.hex(),
        "created": moment(one.created), "updated": moment(one.updated),
    }  # fmt: skip
