"""`lockgate order`: what was asked for, and what became of it."""

from __future__ import annotations

import click

from online.cli.app import App, pass_app
from online.cli.output import fields, json_option, listing, say
from online.cli.views import find_order, job_value, order_value
from shared.errors import MoveRefused


@click.group()
def order() -> None:
    """Orders and their jobs: list, show, raw, rebuild, withdraw."""


@order.command("list")
@json_option
@pass_app
def list_(app: App, *, as_json: bool) -> None:
    """List orders."""
    from online.orders.model import orders

    with app.reading() as store:
        rows = [order_value(store, one) for one in orders(store)]
    listing(rows, ["key", "order", "kind", "wallet", "drafted_by", "approved_by", "states"], as_json=as_json)


@order.command()
@click.argument("order_id", metavar="ORDER")
@json_option
@pass_app
def show(app: App, order_id: str, *, as_json: bool) -> None:
    """Show an ORDER (its key, its id or the beginning of it), its lines and its jobs."""
    from online.jobs.model import jobs
    from online.jobs.states import ENDS
    from online.jobs.submit import last_word

    with app.reading() as store:
        value = order_value(store, find_order(store, order_id))
        with store.reading() as connection:
            its_jobs = [
                job_value(one, last_word(connection, one.id) if one.state not in ENDS else "")
                for one in jobs(store, order=bytes.fromhex(value["order"]))
            ]
    if as_json:
        fields({**value, "jobs": its_jobs}, as_json=True)
        return
    fields(value, as_json=False)
    listing(its_jobs, ["job", "state", "kind", "until_ledger", "tx_id", "result"], as_json=False, empty="no jobs")
    for one in its_jobs:
        if one["said"]:
            say(f"job {one['job']}: {one['said']}")


@order.command()
@click.argument("job", type=int)
@json_option
@pass_app
def raw(app: App, job: int, *, as_json: bool) -> None:
    """Show the signed transactions of a JOB as hex, to hand them to another node; each can be handed over again."""
    from online.chains import customs
    from online.jobs.model import job as find_job

    with app.reading() as store:
        found = find_job(store, job)
    if found.blob is None:
        raise MoveRefused(f"job {job} is {found.state}, and nothing of it is signed here")
    split = customs(found.network).transactions
    parts = ((found.tx_id or "", found.blob),) if split is None else split(found.blob)
    rows = [{"tx_id": tx_id, "hex": blob.hex()} for tx_id, blob in parts]
    listing(rows, ["tx_id", "hex"], as_json=as_json)


@order.command()
@click.argument("job", type=int)
@click.option("--as", "name", required=True, help="Who decides.")
@json_option
@pass_app
def rebuild(app: App, job: int, name: str, *, as_json: bool) -> None:
    """Make a new job for JOB, which ended dead, declined or withdrawn. Prompts: station; the person."""
    from online.orders.approval import rebuild as rebuild_job

    with app.writing() as store:
        key = app.open_person(name)
        made = rebuild_job(store, job, person=key.person, sign=key.sign, now=app.now())
    fields(job_value(made), as_json=as_json)


@order.command()
@click.argument("job", type=int)
@json_option
@pass_app
def withdraw(app: App, job: int, *, as_json: bool) -> None:
    """Withdraw a JOB that was never exported. Prompts: station."""
    from online.jobs.withdraw import withdraw as withdraw_job

    with app.writing() as store:
        ended = withdraw_job(store, job, app.now())
    fields(job_value(ended), as_json=as_json)
