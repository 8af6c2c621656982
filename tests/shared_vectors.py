"""Reads the shared test vectors that lie beside the repository; where they are missing, yields none."""

from __future__ import annotations

import functools
import json
import os
from pathlib import Path
from typing import Any

FOLDER = Path(os.environ.get("LOCKGATE_VECTORS", Path(__file__).resolve().parents[2] / "shared" / "vectors"))
PRESENT = FOLDER.is_dir()


@functools.cache
def document(file: str) -> Any:
    """Read one file of vectors, such as "xrpl.json" or "keys/bip32.json"; an empty document where it is missing."""
    path = FOLDER / file
    return json.loads(path.read_text("utf-8")) if path.is_file() else {"cases": []}


def cases(file: str, *kinds: str) -> list[dict[str, Any]]:
    """Give the cases of some kinds (all kinds when none is named), in the order of the file."""
    return [case for case in document(file)["cases"] if not kinds or case["kind"] in kinds]


def name_of(case: dict[str, Any]) -> str:
    """Name a case in the list of tests."""
    return str(case.get("id", case.get("name", "case")))
