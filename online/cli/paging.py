"""Options of listings that programs read on from where they were, and what they mean."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import click

limit_option = click.option("--limit", type=click.IntRange(1), help="So many at most.")


def since_option(what: str) -> Callable[[Any], Any]:
    """Give the option that says behind which row a listing begins; `what` names rows."""
    return click.option("--since", help=f'Behind {what}, or from a moment in UTC on, such as "2026-06-01 14:30".')


def number_of(text: str) -> int | None:
    """Give the number of a row, None for a text that is none."""
    return int(text) if re.fullmatch("[0-9]{1,18}", text, re.ASCII) else None


def moment_of(text: str) -> int:
    """Give the Unix seconds of a moment. Raises BadMoment: for a text that is none."""
    from online.ledger.moments import parse_point
    from shared.errors import BadMoment

    time = parse_point(text).time
    if time is None:
        raise BadMoment(f"no moment: {text[:40]!r}")
    return time
