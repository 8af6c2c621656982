"""Memos as one canonical line, so that policy can bind to them: "order 7" in quotes, or `hex` and the bytes.

A node keeps bytes and not how they were given, so the same bytes are always shown in the same way.
"""

from __future__ import annotations

import re
from typing import Final

from shared.errors import CounterpartyMemoRefused

SEND_MOST: Final = 34
MPMA_MOST: Final = 63

_PLAIN = re.compile(rb"[ !#-\[\]-~]+")
_HEX = re.compile(r"hex ((?:[0-9a-f]{2})+)", re.ASCII)


def memo_text(raw: bytes) -> str:
    """Write a memo as its canonical text: plain ASCII without quotes and backslashes in quotes, all else as hex."""
    return f'"{raw.decode()}"' if _PLAIN.fullmatch(raw) else f"hex {raw.hex()}"


def parse_memo_text(text: str) -> bytes:
    """Read a canonical text back into the memo.

    Raises:
        CounterpartyMemoRefused: for every text that `memo_text` does not write.
    """
    match = _HEX.fullmatch(text)
    raw = bytes.fromhex(match[1]) if match else text[1:-1].encode("utf-8", "replace")
    if not raw or memo_text(raw) != text:
        raise CounterpartyMemoRefused(f'a memo is written "in quotes" or as hex 00ff, not {text[:80]!r}')
    return raw


def check_memo(raw: bytes, most: int, *, is_text: bool) -> None:
    """Demand a memo that nodes accept.

    Raises:
        CounterpartyMemoRefused: for one that is too long, or that is said to be text and is not UTF-8.
    """
    if len(raw) > most:
        raise CounterpartyMemoRefused(f"a memo of {len(raw)} bytes; the most is {most}")
    try:
        raw.decode() if is_text else None
    except UnicodeDecodeError:
        raise CounterpartyMemoRefused("a memo that is said to be text and is not UTF-8") from None
