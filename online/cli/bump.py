"""`lockgate bump`: replace a transaction that is on its way by one for the same transfers with a higher fee."""

from __future__ import annotations

import click

from online.cli.app import App, pass_app
from online.cli.drafting import rate_of
from online.cli.output import fields, json_option
from online.cli.views import job_value


@click.command()
@click.argument("job", type=int)
@click.option("--fee-rate", help="Base units a virtual byte; else a little more than what it replaces.")
@click.option("--as", "name", required=True, help="Who decides.")
@json_option
@pass_app
def bump(app: App, job: int, fee_rate: str | None, name: str, *, as_json: bool) -> None:
    """Make a new job that replaces JOB, which is on its way; both are watched. Prompts: station; the person."""
    from online.orders.replacement import bump as bump_job

    with app.writing() as store:
        key = app.open_person(name)
        terms = {} if fee_rate is None else {"fee_rate": rate_of(fee_rate)}
        made = bump_job(store, job, person=key.person, sign=key.sign, now=app.now(), terms=terms)
    fields(job_value(made), as_json=as_json)
