"""Holds every entry of the books against the journal, whose lines swear to the postings of what they tell.

What two people corrected is held against the word that both signed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlalchemy import Connection, select

from online.audit_told import Told
from online.ledger.corrections import KIND, lines_of, said
from online.ledger.postings import sworn
from online.store import tables
from shared.encoding import Value
from shared.errors import Refusal
from shared.sealed import open_sealed, require_quorum


def look(connection: Connection, told: Told) -> Iterator[str]:
    """Name each entry that differs, that the journal does not know, or that is gone."""
    table = tables.entries.c
    rows = connection.execute(select(table.id, table.voided_at, table.voided_before))
    there = {row.id: (row.voided_at, row.voided_before) for row in rows}
    for number in sorted(there.keys() | told.postings.keys()):
        if number not in there:
            yield f"entries {number}: in the journal, and not in the store"
        elif number not in told.postings:
            yield f"entries {number}: no line of the journal knows it"
        elif sworn(connection, number)[1:] != list(told.postings[number]):
            yield f"entries {number}: it or its lines are not what the journal says was posted"
        elif there[number] != told.voided.get(number, (None, None)):
            yield f"entries {number}: not voided when the journal says"
    yield from _corrections(connection, told)


def _corrections(connection: Connection, told: Told) -> Iterator[str]:
    """Name each correction that the journal does not know, or that is not what two people signed."""
    words = {_entry(one.body): one.body.get("word") for one in told.entries if one.kind == "books-corrected"}
    rows = {row.entry: row for row in connection.execute(select(tables.corrections))}
    people = set(connection.execute(select(tables.people.c.public_key)).scalars())
    for number in sorted(words.keys() | rows.keys()):
        row = rows.get(number)
        if row is None or words.get(number) != row.sealed:
            yield f"corrections {number}: not as the journal says"
            continue
        lines = lines_of(connection, number)
        try:
            sealed = require_quorum(open_sealed(row.sealed, KIND), people, 2)
        except Refusal as refusal:
            yield f"corrections {number}: {refusal}"
            continue
        if sealed.body != said(row.network, row.kind, row.tx_id, row.height, row.reverses, lines):
            yield f"corrections {number}: not what two people signed"


def _entry(body: Mapping[str, Value]) -> int:
    posted = body.get("posted")
    return posted[0] if isinstance(posted, list) and isinstance(posted[0], int) else 0
