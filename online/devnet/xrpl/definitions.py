"""xrpl-py's table of the protocol: which fields each type has, and the numbers of results."""

from __future__ import annotations

import functools
import json
from importlib import resources
from typing import Any


@functools.cache
def _table() -> dict[str, Any]:
    source = resources.files("xrpl.core.binarycodec.definitions") / "definitions.json"
    table: dict[str, Any] = json.loads(source.read_text("utf-8"))
    return table


@functools.cache
def fields_of(kind: str) -> dict[str, bool] | None:
    """Give the fields of a transaction type and whether each is required; None for no type at all."""
    formats = _table()["TRANSACTION_FORMATS"]
    if kind not in formats or kind == "common":
        return None
    return {entry["name"]: entry["optionality"] == 0 for entry in (*formats["common"], *formats[kind])}


def result_number(result: str) -> int:
    """Give the number of an engine result."""
    return int(_table()["TRANSACTION_RESULTS"][result])
