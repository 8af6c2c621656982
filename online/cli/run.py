"""`lockgate run`: the loop that submits what is signed and watches it until the ledger has decided."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from online.cli.app import App, pass_app
from online.cli.output import json_option, note, say
from shared.errors import DiskFull, LoopTrouble, NodeUnreachable, StoreBusy, StoreUnreachable

if TYPE_CHECKING:
    from online.jobs.loop import Report
    from online.store.database import Store


@click.command()
@click.option("--once", is_flag=True, help="One round, then end.")
@click.option("--until-idle", is_flag=True, help="End when nothing is under way any more.")
@click.option("--interval", type=click.FloatRange(0.1, 3600), default=4.0, show_default=True)
@json_option
@pass_app
def run(app: App, interval: float, *, once: bool, until_idle: bool, as_json: bool) -> None:
    """Submit what is signed, and watch it to its end. Prompts: station. SIGTERM ends it after a round."""
    with app.writing() as store, _ending() as ending:
        _look_at_nodes(app)
        told: Collection[str] = ()
        before: tuple[str, ...] = ()
        while not ending.is_set():
            report, warnings = _turn(store, app, once=once), _warnings(store)
            _print(report, before, [text for text in warnings if text not in told], as_json=as_json)
            told, before = warnings, report.waits
            if once and report.troubles:
                raise LoopTrouble(f"{len(report.troubles)} troubles in this round")
            if once or (until_idle and not (report.pending or report.troubles or report.waits)):
                return
            ending.wait(interval)


def _turn(store: Store, app: App, *, once: bool) -> Report:
    from online.jobs.loop import Report, tick
    from online.telling import in_the_way

    try:
        return tick(store, app.gateways, app.now(), app.config.spools)
    except StoreBusy as busy:  # another command writes; the next round comes soon
        return Report((), (), 0, (), (in_the_way("this round", busy),))
    except (StoreUnreachable, DiskFull) as trouble:  # a server starts again, somebody makes room: nothing is half done
        if once:
            raise
        return Report((), (), 0, (in_the_way("this round", trouble),))


def _warnings(store: Store) -> Collection[str]:
    """Give what people must see to before it stops anything; each is told when it comes up or changes."""
    from online.deposits.instructions import low_pools

    with store.reading() as connection:
        return [str(pool) for pool in low_pools(connection)]


def _look_at_nodes(app: App) -> None:
    """Say what the nodes are. One that does not answer may come back; one that is unfit ends the loop here."""
    for gateway in app.gateways.values():
        try:
            found = gateway.check()
        except NodeUnreachable as trouble:
            note(f"trouble: {trouble} [{trouble.code}]")
        else:
            note(f"{found.network}: {found.url} {found.version}, ledger {found.height}")
            for text in found.warnings:
                note(f"warning: {text}")


@contextmanager
def _ending() -> Iterator[threading.Event]:
    """Let SIGTERM end the loop between two rounds instead of within one."""
    heard = threading.Event()
    before = signal.signal(signal.SIGTERM, lambda _number, _frame: heard.set())
    try:
        yield heard
    finally:
        signal.signal(signal.SIGTERM, before)


def _print(report: Report, before: Collection[str], warnings: Sequence[str], *, as_json: bool) -> None:
    """Print what a round did; what waits and was told the round `before` is not told again."""
    for text in warnings:
        note(f"warning: {text}")
    if as_json:
        click.echo(json.dumps({**_value(report), "warnings": list(warnings)}))  # a line a round
        return
    for one in report.submitted:
        say(f"job {one.job}: submitted, {one.verdict.kind}: {one.verdict.text}")
    for moved in report.moved:
        say(f"job {moved.job}: {moved.state}, {moved.text}")
    for text in report.waits:
        if text not in before:
            note(f"waits: {text}")
    for text in report.troubles:
        note(f"trouble: {text}")


def _value(report: Report) -> dict[str, Any]:
    return {
        "submitted": [{"job": one.job, "verdict": one.verdict.kind} for one in report.submitted],
        "moved": [{"job": one.job, "state": str(one.state), "text": one.text} for one in report.moved],
        "pending": report.pending,
        "troubles": list(report.troubles),
        "waits": list(report.waits),
    }
