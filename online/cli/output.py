"""How results reach the screen: tables for people, JSON for programs, refusals with code and hint on stderr.

Every text goes through `printable`, whoever wrote it.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from shared.errors import Refusal
from shared.money import Amount, Asset, format_units
from shared.review import printable

if TYPE_CHECKING:
    from shared.transport.message import Scan

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


def say(text: str) -> None:
    """Print one line."""
    click.echo(printable(text))


def note(text: str) -> None:
    """Print one line beside the result, on stderr."""
    click.echo(printable(text), err=True)


def refused(refusal: Refusal) -> None:
    """Print a refusal: what, its code, and what to do."""
    note(f"error: {refusal} [{refusal.code}]")
    note(f"hint: {refusal.hint}")


def listing(
    rows: Sequence[dict[str, Any]], columns: Sequence[str], *, as_json: bool, empty: str = "none"
) -> None:
    """Print rows: all of their fields as JSON, or some columns as a table."""
    if as_json:
        click.echo(json.dumps(list(rows), indent=2))
        return
    if not rows:
        say(empty)
        return
    cells = [list(columns), *([_cell(row[column]) for column in columns] for row in rows)]
    widths = [max(len(line[at]) for line in cells) for at in range(len(columns))]
    for line in cells:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def fields(row: dict[str, Any], *, as_json: bool) -> None:
    """Print one thing: as JSON, or a line for each field."""
    if as_json:
        click.echo(json.dumps(row, indent=2))
        return
    for name, value in row.items():
        if isinstance(value, list) and len(value) != 1:
            say(f"{name}:" if value else f"{name}: none")
            for each in value:
                say(f"  {_cell(each)}")
        else:
            say(f"{name}: {_cell(value)}")


def progress_line() -> Callable[[Scan], None]:
    """Give a function that shows on stderr how a reception goes, on one line that is written again."""
    live = sys.stderr.isatty()

    def show(scan: Scan) -> None:
        one = scan.progress
        quality = f"{scan.quality_percent} % of {scan.pictures} pictures readable"
        text = f"{one.had} of {one.count or '?'} frames, {quality}"
        if live:
            sys.stderr.write(f"\r{text}\x1b[K" + ("\n" if one.done else ""))
        elif one.done:
            note(text)

    return show


def moment(seconds: int) -> str:
    """Write Unix seconds as a time of day in UTC."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(seconds))


def signed(units: int, asset: Asset) -> str:
    """Write base units that may be fewer than none."""
    sign = "-" if units < 0 else ""
    return f"{sign}{format_units(abs(units), asset.decimals)} {asset.code}"


def amount_value(amount: Amount) -> dict[str, str]:
    """Give an amount as JSON has it; base units are a text, since JSON's numbers are floats."""
    asset = amount.asset
    return {"asset": asset.code, "network": asset.network, "units": str(amount.units), "text": str(amount)}


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return printable(str(value["text"])) if "text" in value else printable(json.dumps(value))
    if isinstance(value, (list, tuple)):
        return ", ".join(_cell(each) for each in value) or "-"
    return printable(str(value))
