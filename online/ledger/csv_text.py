"""The journal and statements as CSV (RFC 4180): a header, a line of the books each, amounts as whole base units.

Beside the base units stands the same number in coins, plain: no separators, no rounding, a minus where it goes out.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

from online.ledger.books import BookEntry
from online.ledger.statements import Statement
from shared.review import printable

JOURNAL_COLUMNS: Final = (
    "entry", "time", "status", "job", "memo", "account", "network", "asset", "units", "amount",
)  # fmt: skip
STATEMENT_COLUMNS: Final = (
    "account", "network", "asset", "entry", "time", "memo", "units", "amount", "balance_units", "balance",
)  # fmt: skip

_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)


def journal_csv(entries: Iterable[BookEntry]) -> str:
    """Write a row for each line of some entries."""
    return _written(
        JOURNAL_COLUMNS,
        (
            (one.id, moment(one.time), one.status, one.job, one.memo, account, asset.network, asset.code, units,
             plain(units, asset.decimals))
            for one in entries
            for account, asset, units in one.lines
        ),
    )  # fmt: skip


def statement_csv(statements: Iterable[Statement]) -> str:
    """Write for each statement its opening, its lines and its closing; the two have no entry."""
    return _written(STATEMENT_COLUMNS, (row for one in statements for row in _rows(one)))


def plain(units: int, decimals: int) -> str:
    """Write base units as coins without separators: "-80000.25"."""
    whole, fraction = divmod(abs(units), 10**decimals)
    digits = f".{fraction:0{decimals}}".rstrip("0") if fraction else ""
    return f"{'-' if units < 0 else ''}{whole}{digits}"


def moment(seconds: int) -> str:
    """Write Unix seconds as RFC 3339 in UTC: "2026-06-01T14:30:00Z"."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _rows(one: Statement) -> Iterable[tuple[object, ...]]:
    asset, head = one.asset, (one.account, one.asset.network, one.asset.code)
    yield *head, "", "", "opening", "", "", one.opening, plain(one.opening, asset.decimals)
    for line in one.lines:
        amounts = line.units, plain(line.units, asset.decimals), line.balance, plain(line.balance, asset.decimals)
        yield *head, line.entry, moment(line.time), line.memo, *amounts
    yield *head, "", "", "closing", "", "", one.closing, plain(one.closing, asset.decimals)


def _written(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_cell(each) for each in row] for row in rows)
    return out.getvalue()


def _cell(value: object) -> str:
    """Write a cell: no unprintable character, and no text that a spreadsheet would take for a formula."""
    if value is None:
        return ""
    if isinstance(value, int):
        return str(value)
    text = printable(str(value))
    return f"'{text}" if text[:1] in {"=", "+", "-", "@"} and not _NUMBER.fullmatch(text) else text
