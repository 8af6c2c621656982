"""Holds every entry of the books against the journal, whose lines swear to the postings of what they tell."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, select

from online.audit_told import Told
from online.ledger.postings import sworn
from online.store import tables


def look(connection: Connection, told: Told) -> Iterator[str]:
    """Name each entry that differs, that the journal does not know, or that is gone."""
    there = set(connection.execute(select(tables.entries.c.id)).scalars())
    for number in sorted(there | told.postings.keys()):
        if number not in there:
            yield f"entries {number}: in the journal, and not in the store"
        elif number not in told.postings:
            yield f"entries {number}: no line of the journal knows it"
        elif sworn(connection, number)[1:] != list(told.postings[number]):
            yield f"entries {number}: it or its lines are not what the journal says was posted"
