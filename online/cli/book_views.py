"""How sheets, statements and entries of the books look as rows. Nothing here adds anything up but what is shown."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from online.cli.output import moment, signed

if TYPE_CHECKING:
    from online.ledger.books import Balance, BookEntry
    from online.ledger.corrections import Correction
    from online.ledger.reports import AssetSheet, Row
    from online.ledger.reserves import Locked
    from online.ledger.statements import Statement
    from shared.money import Asset

SHEET_COLUMNS = ["on ledger", "holds", "off ledger", "belongs"]
STATEMENT_COLUMNS = ["entry", "time", "amount", "balance", "memo"]


def balance_row(one: Balance, part: str, locked: Locked | None, *, on_ledger: bool) -> dict[str, Any]:
    """Show an account's balance as the books keep it, with its place on the sheet, and what its ledger locks of it."""
    return {
        "account": one.account,
        "asset": one.asset.code,
        "network": one.asset.network,
        "side": "on ledger" if on_ledger else "off ledger",
        "part": part,
        "posted": signed(one.posted, one.asset),
        "pending": signed(one.pending, one.asset),
        "posted_units": str(one.posted),
        "pending_units": str(one.pending),
        "locked_units": None if locked is None else str(locked.units),
        "locked_height": None if locked is None else locked.height,
    }


def sheet_rows(sheet: AssetSheet) -> list[dict[str, Any]]:
    """Show one asset's sheet, both sides beside each other, with the totals below."""
    left = [(_label(row), signed(row.posted, sheet.asset)) for row in sheet.on_ledger]
    right = [(_label(row), signed(row.posted, sheet.asset)) for row in sheet.off_ledger]
    pairs = list(zip_longest(left, right, fillvalue=("", "")))
    totals = ("total", signed(sheet.on_total, sheet.asset)), ("total", signed(sheet.off_total, sheet.asset))
    return [dict(zip(SHEET_COLUMNS, (*one, *other), strict=True)) for one, other in (*pairs, totals)]


def locked_lines(sheet: AssetSheet) -> list[str]:
    """Say of which wallets something is locked, and when that was seen."""
    return [f"  locked in {one.wallet}: {signed(one.units, sheet.asset)}, seen at {one.height} on {moment(one.time)}"
            for one in sheet.locked]


def pending_lines(sheet: AssetSheet) -> list[str]:
    """Say what is on its way, on both sides."""
    return [f"  {_label(row)}: {signed(row.pending, sheet.asset)}"
            for row in (*sheet.on_ledger, *sheet.off_ledger) if row.pending]


def statement_rows(one: Statement) -> list[dict[str, Any]]:
    """Show a statement's opening, lines and closing."""
    return [
        _edge("opening", one.opening, one.asset),
        *(
            {
                "entry": line.entry, "time": moment(line.time), "memo": line.memo,
                "amount": signed(line.units, one.asset), "balance": signed(line.balance, one.asset),
            }
            for line in one.lines
        ),
        _edge("closing", one.closing, one.asset),
    ]  # fmt: skip


def statement_value(one: Statement) -> dict[str, Any]:
    """Give a statement for programs, in base units as texts."""
    lines = [
        {"entry": line.entry, "time": moment(line.time), "memo": line.memo, "units": str(line.units),
         "balance_units": str(line.balance)}
        for line in one.lines
    ]  # fmt: skip
    return {
        "account": one.account, "asset": one.asset.code, "network": one.asset.network,
        "opening_units": str(one.opening), "lines": lines, "closing_units": str(one.closing),
        "pending_units": str(one.pending),
    }  # fmt: skip


def entry_rows(one: BookEntry) -> list[dict[str, Any]]:
    """Show each line of an entry."""
    return [
        {
            "entry": one.id, "time": moment(one.time), "status": one.status, "memo": one.memo, "job": one.job,
            "account": account, "network": asset.network, "asset": asset.code, "amount": signed(units, asset),
            "units": str(units),
        }
        for account, asset, units in one.lines
    ]  # fmt: skip


def correction_value(one: Correction) -> dict[str, Any]:
    """Show a correction: its entry, and each line."""
    return {"entry": one.entry, "lines": [f"{line.account}: {signed(line.units, line.asset)}" for line in one.lines]}


def _label(row: Row) -> str:
    kind, _, name = row.account.partition(":")
    if kind == "wallet":
        return f"{row.part} wallet {name}"
    return f"customer {name}" if kind == "customer" else row.part


def _edge(what: str, units: int, asset: Asset) -> dict[str, Any]:
    return {"entry": None, "time": "", "memo": what, "amount": "", "balance": signed(units, asset)}
