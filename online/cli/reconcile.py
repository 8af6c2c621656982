"""`lockgate reconcile`: every transaction on the ledgers held against the books, and whether all is covered."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from online.cli.app import App, pass_app
from online.cli.output import counted, json_option, listing, note, say, signed
from shared.errors import LedgerDiffers, LedgerUnread, NotCoveredByLedger

if TYPE_CHECKING:
    from online.ledger.differences import Finding
    from online.ledger.looks import Memory
    from online.ledger.reconcile import Report, Solvency

_FOUND = ["kind", "wallet", "amount", "tx", "source"]
_SOLVENCY = ["asset", "on ledger", "owed", "beyond", "locked", "height", "covered", "payable"]


@click.command()
@click.option("--grace", type=click.IntRange(0, 10_000), default=0, show_default=True,
              help="Heights that the books may be behind with what has just happened.")
@click.option("--all", "whole", is_flag=True, help="Read all since the openings, and not from where was kept last.")
@click.option("--keep", is_flag=True, help="Write into the journal what was found, and up to where. Prompts: station.")
@click.option("--every", type=click.IntRange(1, 86_400), help="Look again each so many seconds, and tell changes.")
@json_option
@pass_app
def reconcile(app: App, grace: int, every: int | None, *, whole: bool, keep: bool, as_json: bool) -> None:
    """Hold the nodes against the books, transaction by transaction. Changes nothing; a difference ends with 1."""
    from online.ledger.reconcile import keep as keep_report
    from online.ledger.reconcile import reconcile as look

    with app.writing() if keep else app.reading() as store:

        def once(memory: Memory) -> Report:
            found = look(store, app.gateways, grace=grace, memory=memory, whole=whole and not memory)
            if keep:
                keep_report(store, found, app.now())
            return found

        if every is not None:
            _go_on(once, every, as_json=as_json)
        found = once({})
    _print(found, as_json=as_json)
    if found.failed:
        raise LedgerUnread("; ".join(_failed(found)))
    if found.findings:
        raise LedgerDiffers(f"{counted(len(found.findings), 'difference')} between the ledgers and the books")
    if short := [one.asset.code for one in found.solvency if not one.covered]:
        raise NotCoveredByLedger(f"not covered: {', '.join(short)}")


def _go_on(once: Callable[[Memory], Report], seconds: int, *, as_json: bool) -> None:
    """Look for ever; after the first look tell only what is new and what is gone. A silent node is tried again."""
    before: dict[Finding, None] = {}
    memory: Memory = {}
    while True:
        found = once(memory)
        now = dict.fromkeys(found.findings)
        changes = [("new", one) for one in now if one not in before]
        changes += [("gone", one) for one in before if one not in now and one.asset.network not in found.failed]
        _tell(found, changes, as_json=as_json)
        before = now | {one: None for one in before if one.asset.network in found.failed}
        time.sleep(seconds)


def _tell(found: Report, changes: list[tuple[str, Finding]], *, as_json: bool) -> None:
    short = [one.asset.code for one in found.solvency if not one.covered]
    if as_json:
        rows = [{"change": change, **_finding(one)} for change, one in changes]
        value = {"heights": dict(found.heights), "changes": rows, "not_covered": short, "failed": _failed(found)}
        click.echo(json.dumps(value))
        return
    for change, one in changes:
        say(f"{change}: {one.kind} {signed(one.amount, one.asset)} in {one.wallet} {one.tx_id} {one.source}".rstrip())
    for code in short:
        say(f"not covered: {code}")
    for text in (*found.limits, *_failed(found)):
        note(text)


def _print(found: Report, *, as_json: bool) -> None:
    differences, lines = [_finding(one) for one in found.findings], [_line(one) for one in found.solvency]
    if as_json:
        heights = dict(found.heights)
        value = {
            "heights": heights, "differences": differences, "solvency": lines, "limits": list(found.limits),
            "failed": _failed(found),
        }  # fmt: skip
        click.echo(json.dumps(value, indent=2))
        return
    listing(differences, _FOUND, as_json=False, empty="no differences")
    for step in dict.fromkeys(f"{one.kind}: {one.next_step}" for one in found.findings):
        say(step)
    say("")
    listing(lines, _SOLVENCY, as_json=False, empty="no money")
    for one in found.solvency:
        if one.covered and not one.payable:
            locked = signed(one.reserved, one.asset)
            note(f"{one.asset.code} is covered, and could not all be paid out at once: {locked} are locked")
    for limit in found.limits:
        note(limit)


def _failed(found: Report) -> list[str]:
    return [f"{network}: {why}" for network, why in found.failed.items()]


def _finding(one: Finding) -> dict[str, Any]:
    return {
        "kind": one.kind.value, "wallet": one.wallet, "network": one.asset.network, "asset": one.asset.code,
        "amount": signed(one.amount, one.asset), "units": str(one.amount), "tx": one.tx_id, "height": one.height,
        "source": one.source, "next_step": one.next_step,
    }  # fmt: skip


def _line(one: Solvency) -> dict[str, Any]:
    return {
        "asset": one.asset.code, "network": one.asset.network, "on ledger": signed(one.on_ledger, one.asset),
        "owed": signed(one.owed, one.asset), "beyond": signed(one.on_ledger - one.owed, one.asset),
        "locked": signed(one.reserved, one.asset), "height": one.height, "covered": one.covered,
        "payable": one.payable,
        "on_ledger_units": str(one.on_ledger), "owed_units": str(one.owed), "read_whole": one.whole,
    }  # fmt: skip
