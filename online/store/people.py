"""The people who draft and approve orders: names and public keys. A name stands for one key for ever."""

from __future__ import annotations

from sqlalchemy import Connection, insert, or_, select

from online.store import journal, tables
from online.store.database import Store
from shared.errors import BadField, NameTaken, UnknownPerson
from shared.people import check_name
from shared.policy import Person


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
        tx.sql.execute(insert(table).values(name=name, public_key=public_key))
        journal.append(tx, "person", {"name": name, "key": public_key}, now)
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
    """Give a person within a transaction. Raises UnknownPerson."""
    row = connection.execute(select(tables.people).where(tables.people.c.name == name)).one_or_none()
    if row is None:
        raise UnknownPerson(
            f"this coordinator knows nobody called {name[:40]!r}", hint="Add the person's public key first."
        )
    return Person(row.name, row.public_key)


def known(connection: Connection, person: Person) -> Person:
    """Give a person back if the store holds this name with exactly this key. Raises UnknownPerson."""
    if find_person(connection, person.name) != person:
        raise UnknownPerson(f"{person.name} has another key in this store")
    return person
