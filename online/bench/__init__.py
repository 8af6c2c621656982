"""`lockgate bench`: what a crossing costs, how fast the signer is beside a peer, and the exchange's rates.

Every request goes through the real signer process. Machines are shared and noisy: the ratios are worth more than the
figures.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any


def run(say: Callable[[str], None] = lambda _: None, *, server: str = "") -> list[dict[str, Any]]:
    """Measure everything and give the rows; `server` is the URL of a PostgreSQL whose user may create databases."""
    from online.bench import accepting, arriving, bitcoin, books, hot, near, xrpl

    rows = []
    parts = (
        ("xrpl", xrpl.measure), ("bitcoin", bitcoin.measure), ("near", near.measure), ("books", books.measure),
        ("deposits", arriving.measure), ("withdrawals", partial(accepting.measure, server)), ("hot", hot.measure),
    )  # fmt: skip
    for name, part in parts:
        say(f"{name}: setting up")
        with tempfile.TemporaryDirectory(prefix="lockgate-bench-") as folder:
            rows += part(Path(folder), say)
    return [row.as_json() for row in rows]
