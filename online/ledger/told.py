"""What the station's journal tells of the books, read without verifying it: `lockgate audit verify` does that.

Entries of the books do not say when they were voided, nor an opening which assets it found empty; the journal does.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, select

from online.store import tables
from shared.encoding import Fields, Value, decode
from shared.errors import JournalDamaged
from shared.journal import MOST_ENTRY_BYTES


@dataclass(frozen=True, slots=True)
class Said:
    """One line of the journal: its time in Unix seconds, its kind, and what it tells."""

    time: int
    kind: str
    body: Mapping[str, Value]


def told(connection: Connection, *, newest_first: bool = False) -> Iterator[Said]:
    """Give the lines of the journal, from its beginning or from its end."""
    number = tables.audit.c.n
    query = select(tables.audit.c.line).order_by(number.desc() if newest_first else number)
    for line in connection.execute(query).scalars():
        yield _said(line)


def _said(line: bytes) -> Said:
    """Read one line. Raises JournalDamaged, BadEncoding, BadField: for what is no entry."""
    bare = line.strip()
    try:
        parts = decode(base64.urlsafe_b64decode(bare + b"=" * (-len(bare) % 4)), most_bytes=MOST_ENTRY_BYTES, depth=1)
    except binascii.Error:
        raise JournalDamaged("a line of the station's journal is not base64url") from None
    match parts:
        case [bytes(raw), bytes(), bytes()]:
            fields = Fields(decode(raw, most_bytes=MOST_ENTRY_BYTES), "the entry")
        case _:
            raise JournalDamaged("a line of the station's journal is no entry")
    body = fields.value("body")
    if not isinstance(body, dict):
        raise JournalDamaged("an entry of the station's journal tells nothing")
    return Said(fields.number("time"), fields.text("kind"), body)
