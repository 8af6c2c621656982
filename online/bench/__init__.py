"""`lockgate bench`: what a crossing costs and how fast the signer is, each beside a peer in the same run.

Every request goes through the real signer process. Machines are shared and noisy: the ratios are worth more than the
figures.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any


def run(say: Callable[[str], None] = lambda _: None) -> list[dict[str, Any]]:
    """Measure everything and give the rows."""
    from online.bench import bitcoin, books, near, xrpl

    rows = []
    parts = (("xrpl", xrpl.measure), ("bitcoin", bitcoin.measure), ("near", near.measure), ("books", books.measure))
    for name, part in parts:
        say(f"{name}: setting up")
        with tempfile.TemporaryDirectory(prefix="lockgate-bench-") as folder:
            rows += part(Path(folder), say)
    return [row.as_json() for row in rows]
