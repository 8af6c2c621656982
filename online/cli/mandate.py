"""`lockgate mandate`: two people's standing word that a wallet pays customers' withdrawals without them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from online.cli.app import App, pass_app
from online.cli.output import fields, json_option, listing, note

if TYPE_CHECKING:
    from online.store.database import Store
    from online.withdrawals.mandates import Given
    from shared.money import Asset

_as = click.option("--as", "name", required=True, help="Who signs.")


@click.group()
def mandate() -> None:
    """Mandates: draft, approve, revoke, list."""


@mandate.command()
@click.argument("file", type=click.Path(path_type=Path))
@_as
@json_option
@pass_app
def draft(app: App, file: Path, name: str, *, as_json: bool) -> None:
    """Draft a mandate from a FILE in TOML, after reading it. Prompts: station; the drafter."""
    from online.withdrawals.mandate_text import mandate_lines, read_mandate
    from online.withdrawals.mandates import draft_mandate
    from shared.transport.media import read_file

    with app.writing() as store:
        wanted = read_mandate(read_file(file).decode("utf-8", "replace"), _finder(store))
        for line in mandate_lines(wanted, _finder(store)):
            note(f"you sign: {line}")
        key = app.open_person(name)
        fields(_value(store, draft_mandate(store, wanted, person=key.person, sign=key.sign, now=app.now())),
               as_json=as_json)  # fmt: skip


@mandate.command()
@click.argument("number", metavar="MANDATE")
@_as
@json_option
@pass_app
def approve(app: App, number: str, name: str, *, as_json: bool) -> None:
    """Approve a MANDATE that somebody else drafted, after reading it. Prompts: station; the approver."""
    from online.withdrawals.mandate_text import mandate_lines
    from online.withdrawals.mandates import approve_mandate

    with app.writing() as store:
        given = _find(store, number)
        for line in mandate_lines(given.mandate, _finder(store)):
            note(f"you sign: {line}")
        key = app.open_person(name)
        done = approve_mandate(store, given.id, person=key.person, sign=key.sign, now=app.now())
        fields(_value(store, done), as_json=as_json)


@mandate.command()
@click.argument("number", metavar="MANDATE")
@_as
@json_option
@pass_app
def revoke(app: App, number: str, name: str, *, as_json: bool) -> None:
    """Revoke a MANDATE: one person is enough to stop. Prompts: station; the person."""
    from online.withdrawals.mandates import revoke_mandate

    with app.writing() as store:
        given = _find(store, number)
        key = app.open_person(name)
        done = revoke_mandate(store, given.id, person=key.person, sign=key.sign, now=app.now())
        fields(_value(store, done), as_json=as_json)


@mandate.command("list")
@json_option
@pass_app
def list_(app: App, *, as_json: bool) -> None:
    """List the mandates."""
    from online.withdrawals.mandates import mandates

    with app.reading() as store:
        rows = [_value(store, one) for one in mandates(store)]
    listing(rows, ["mandate", "wallet", "drafted_by", "approved_by", "state"], as_json=as_json)


def _finder(store: Store) -> Callable[[str, str], Asset]:
    from online.store.assets import asset
    from online.store.wallets import wallet

    return lambda name, code: asset(store, wallet(store, name).network, code)


def _find(store: Store, number: str) -> Given:
    """Find a mandate by the beginning of its digest. Raises MandateMissing."""
    from online.withdrawals.mandates import mandates
    from shared.errors import MandateMissing

    found = [one for one in mandates(store) if one.id.hex().startswith(number.lower())]
    if len(found) != 1 or not number:
        raise MandateMissing(f"{len(found)} mandates begin with {number[:64]!r}", hint="`lockgate mandate list`")
    return found[0]


def _value(store: Store, given: Given) -> dict[str, Any]:
    from online.withdrawals.mandate_text import mandate_lines

    state = "revoked" if given.revoked else "drafted" if given.approved_by is None else "in force"
    return {
        "mandate": given.id.hex()[:16], "wallet": given.mandate.wallet, "drafted_by": given.drafted_by,
        "approved_by": given.approved_by, "state": state, "lines": mandate_lines(given.mandate, _finder(store)),
    }  # fmt: skip
