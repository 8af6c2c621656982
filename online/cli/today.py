"""`lockgate today`: what waits for a person, on one screen of 80 columns and 24 lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

import click

from online.cli.app import App, pass_app
from online.cli.output import NOBODY, json_option, listing, say
from shared.review import printable

if TYPE_CHECKING:
    from online.today import Waits

_COLUMNS: Final = 80
_LINES: Final = 22  # the command above and the prompt below have one each
_COMMANDS_FROM: Final = 40  # they stand below each other there, unless they or their texts need more room
_LEAST_TEXT: Final = 28

_KINDS: Final[Mapping[str, tuple[str, str]]] = {
    "wrong-side": ("accounts on the wrong side", "books trial"),
    "difference": ("differences with the ledgers", "reconcile --keep"),
    "journal": ("signers with a journal to import", "wallet signers"),
    "stuck": ("jobs that go no further", "order list"),
    "order": ("orders to approve", "order list"),
    "export": ("signers with jobs to export", "order list"),
    "answer": ("requests without an answer", "request list"),
    "withdrawal": ("withdrawals held", "withdrawal list --state held"),
    "mandate": ("mandates to see to", "mandate list"),
    "suspense": ("arrivals in suspense", "suspense list"),
    "books": ("wallets without books", "wallet list"),
    "pool": ("wallets that run out of addresses", "wallet list"),
    "proposal": ("proposals of the planner", "target advise"),
}


@click.command()
@click.option("--as", "name", default=NOBODY, help="Who would sign, for the commands.")
@json_option
@pass_app
def today(app: App, name: str, *, as_json: bool) -> None:
    """Say what waits for a person, each with the next command. Asks no node."""
    from online.today import waiting

    with app.reading() as store:
        found = waiting(store, app.now(), person=name, spools=app.config.spools.keys())
    if as_json:
        rows = [{"what": one.what.value, "text": one.text, "command": one.command} for one in found]
        listing(rows, [], as_json=True)
        return
    for line in screen(found):
        click.echo(line)
    if not found:
        say("nothing waits for a person")


def screen(found: Iterable[Waits]) -> list[str]:
    """Lay out what waits on one screen: what does not fit is told by its number, the largest kind first.

    A text is cut where it meets its command; a command too long for a line is told by the list that shows more.
    """
    kinds: dict[str, list[tuple[str, str]]] = {}
    for one in found:
        kinds.setdefault(one.what.value, []).append((printable(one.text), printable(one.command)))
    while sum(map(len, kinds.values())) > _LINES:
        largest = max(kinds, key=lambda kind: len(kinds[kind]))
        kinds[largest] = [(f"{len(kinds[largest])} {_KINDS[largest][0]}", _listed(largest))]
    rows = [(text, _short(kind, command)) for kind, rows in kinds.items() for text, command in rows]
    return [_line(text, command, _COLUMNS - len(command) - 2) for text, command in rows]


def _line(text: str, command: str, room: int) -> str:
    cut = text if len(text) <= room else f"{text[: room - 3]}..."
    return f"{cut.ljust(min(room, _COMMANDS_FROM))}  {command}"


def _short(kind: str, command: str) -> str:
    return command if len(command) <= _COLUMNS - _LEAST_TEXT - 2 else _listed(kind)


def _listed(kind: str) -> str:
    return f"lockgate {_KINDS[kind][1]}"
