"""How results reach the screen: tables for people, JSON for programs. What stands beside them is in `shared.face`.

Every text goes through `printable`, whoever wrote it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any, Final

import click

from shared.face.telling import note as note  # noqa: PLC0414 - the twin of `say`, which the commands import from here
from shared.money import Amount, Asset, format_units
from shared.review import printable

NOBODY: Final = "NAME"
"""What stands in a command for who will sign, where nobody is named."""

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


def say(text: str) -> None:
    """Print one line."""
    click.echo(printable(text))


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


def moment(seconds: int) -> str:
    """Write Unix seconds as a time of day in UTC."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(seconds))


def counted(number: int, noun: str, nouns: str = "") -> str:
    """Write how many there are of something."""
    return f"1 {noun}" if number == 1 else f"{number} {nouns or noun + 's'}"


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
