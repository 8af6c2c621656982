"""Reads what people hand in as lines of an order: a table (CSV with a heading) or JSON, one object a line.

A line has a destination and an amount in whole coins, and may have an asset's code and a memo: `memo` is a text,
`memo_hex` bytes. Nothing is guessed and nothing repaired; a bad line is named by its number.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping
from typing import Final

from online.orders.model import MOST_LINES
from online.orders.writing import Wanted
from shared.chains import chain
from shared.effects import Destination
from shared.errors import BadLines, Refusal
from shared.money import Asset, parse_amount

_FIELDS: Final = frozenset({"destination", "asset", "amount", "memo", "memo_hex"})


def read_lines(text: str, network: str, find: Callable[[str, str], Asset]) -> list[Wanted]:
    """Read the lines of an order on a network; `find` gives an asset by network and code.

    Raises:
        BadLines: naming the first line that is none.
    """
    rows = _json_rows(text) if text.lstrip().startswith("{") else _table_rows(text)
    if not 1 <= len(rows) <= MOST_LINES:
        raise BadLines(f"an order has 1 to {MOST_LINES} lines, and not {len(rows)}")
    wanted = []
    for number, row in rows:
        try:
            wanted.append(_wanted(row, network, find))
        except Refusal as refusal:
            raise BadLines(f"line {number}: {refusal}") from None
    return wanted


def wanted_line(
    destination: str, amount: str, asset: Asset, memo: str | None = None, memo_hex: str | None = None
) -> Wanted:
    """Give one line: a memo is a text or bytes in hex, and not both. Raises BadLines, BadAddress, BadAmount."""
    found = chain(asset.network).parse_address(destination, asset.network)
    said = canonical_memo(asset.network, memo, memo_hex)
    return Destination(found.address, found.tag, said), parse_amount(amount, asset)


def canonical_memo(network: str, memo: str | None, memo_hex: str | None) -> str | None:
    """Give a memo as orders and reviews write it. Raises BadLines, and as the ledger refuses memos."""
    if memo and memo_hex:
        raise BadLines("a memo is a text or hex, and not both")
    try:
        raw = bytes.fromhex(memo_hex) if memo_hex else (memo or "").encode()
    except ValueError:
        raise BadLines("a memo in hex is pairs of the digits 0 to 9 and a to f") from None
    return chain(network).memo(raw) if raw else None


def _wanted(row: Mapping[str, str], network: str, find: Callable[[str, str], Asset]) -> Wanted:
    code = row.get("asset") or chain(network).network(network).native.code
    if not row.get("destination") or not row.get("amount"):
        raise BadLines("it has no destination or no amount")
    return wanted_line(
        row["destination"], row["amount"], find(network, code), row.get("memo"), row.get("memo_hex")
    )


def _table_rows(text: str) -> list[tuple[int, Mapping[str, str]]]:
    reader = csv.DictReader(io.StringIO(text), strict=True)
    try:
        unknown = set(reader.fieldnames or ()) - _FIELDS
        if unknown or not reader.fieldnames:
            raise BadLines(f"the heading names {sorted(map(str, unknown))[:3]}; known are {sorted(_FIELDS)}")
        rows = [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise BadLines(f"the table can not be read: {error}") from None
    for number, row in rows:
        if None in row or None in row.values():
            raise BadLines(f"line {number}: it has other columns than the heading")
    return [(number, row) for number, row in rows]


def _json_rows(text: str) -> list[tuple[int, Mapping[str, str]]]:
    rows: list[tuple[int, Mapping[str, str]]] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError:
            raise BadLines(f"line {number}: no JSON") from None
        # Amounts are texts: a JSON number may have been a float somewhere.
        if not isinstance(row, dict) or set(row) - _FIELDS or not all(isinstance(one, str) for one in row.values()):
            raise BadLines(f"line {number}: an object of texts, named {', '.join(sorted(_FIELDS))}")
        rows.append((number, row))
    return rows
