"""`lockgate order`: what was asked for, and what became of it."""

from __future__ import annotations

import click

from online.cli.app import App, pass_app
from online.cli.output import fields, json_option, listing
from online.cli.views import find_order, job_value, order_value


@click.group()
def order() -> None:
    """Orders and their jobs: list, show, rebuild, withdraw."""


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

    with app.reading() as store:
        value = order_value(store, find_order(store, order_id))
        its_jobs = [job_value(one) for one in jobs(store, order=bytes.fromhex(value["order"]))]
    if as_json:
        fields({**value, "jobs": its_jobs}, as_json=True)
        return
    fields(value, as_json=False)
    listing(its_jobs, ["job", "state", "kind", "until_ledger", "tx_id", "result"], as_json=False, empty="no jobs")


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
