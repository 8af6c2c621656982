"""The people who draft and approve orders: names and public keys. A name stands for one key for ever.

Whom a row names is known only if the station's signed journal says so: their signatures let money leave.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Connection, Row, insert, or_, select

from online.store import journal, tables
from online.store.database import Store
from shared.errors import BadField, JournalDamaged, NameTaken, UnknownPerson
from shared.journal import read_alone
from shared.people import check_name
from shared.policy import Person

TOLD: Final = "person"
"""The kind of the journal's lines that make people known."""


def add_person(store: Store, name: str, public_key: bytes, now: int) -> Person:
    """Make a person known; the same name and key again change nothing.

    Raises:
        NameTaken: if the name or the key stands for somebody else. BadField: for a name or key that is none.
    """
    person = Person(check_name(name), public_key)
    if len(public_key) != 32:
        raise BadField("a person's public key has 32 bytes")
    table = tables.people
    with store.transaction() as tx:
        same = or_(table.c.name == name, table.c.public_key == public_key)
        found = tx.sql.execute(select(table).where(same)).all()
        if [(row.name, row.public_key) for row in found] == [(name, public_key)]:
            return person
        if found:
            raise NameTaken(f"the name or the key of {name} is somebody else's already")
        line = journal.append(tx, TOLD, {"name": name, "key": public_key}, now)
        tx.sql.execute(insert(table).values(name=name, public_key=public_key, line=line))
    return person


def people(store: Store) -> tuple[Person, ...]:
    """List the people, by name."""
    with store.reading() as connection:
        rows = connection.execute(select(tables.people).order_by(tables.people.c.name))
        return tuple(Person(row.name, row.public_key) for row in rows)


def person(store: Store, name: str) -> Person:
    """Give a person. Raises UnknownPerson."""
    with store.reading() as connection:
        return find_person(connection, name)


def find_person(connection: Connection, name: str) -> Person:
    """Give a person within a transaction. Raises UnknownPerson: also if the journal does not say who they are."""
    row = connection.execute(select(tables.people).where(tables.people.c.name == name)).one_or_none()
    if row is None:
        raise UnknownPerson(
            f"this coordinator knows nobody called {name[:40]!r}", hint="Add the person's public key first."
        )
    if not _is_told(connection, row):
        hint = "Somebody wrote in the database: run `lockgate audit verify`."
        raise UnknownPerson(f"the journal does not say that {row.name} has this key", hint=hint)
    return Person(row.name, row.public_key)


def known_keys(connection: Connection) -> frozenset[bytes]:
    """Give the public keys of everybody whom the journal knows."""
    rows = connection.execute(select(tables.people)).all()
    return frozenset(row.public_key for row in rows if _is_told(connection, row))


def known(connection: Connection, person: Person) -> Person:
    """Give a person back if the store holds this name with exactly this key. Raises UnknownPerson."""
    if find_person(connection, person.name) != person:
        raise UnknownPerson(f"{person.name} has another key in this store")
    return person


def _is_told(connection: Connection, row: Row[Any]) -> bool:
    """Say whether the line that a person's row points at makes exactly them known.

    The station's key is the tip's: no proof by itself, but nothing is written in a journal where it is another.
    """
    key = journal.tip(connection).key
    line = connection.execute(select(tables.audit.c.line).where(tables.audit.c.n == row.line)).scalar()
    if line is None or key is None:
        return False
    try:
        entry = read_alone(line, key, row.line)
    except JournalDamaged:
        return False
    return (entry.kind, entry.body) == (TOLD, {"name": row.name, "key": row.public_key})
