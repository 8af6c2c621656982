"""The register of customers: ids of the caller's own, and nothing else about them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, delete, insert, select, update

from online.store import journal, tables
from online.store.database import Store, Tx
from online.store.many import among, given
from online.store.people import known, known_keys
from shared.effects import Destination
from shared.encoding import Value, encode
from shared.errors import BadCustomer, BadSeal, CustomerFrozen, LastPlace, NotAllowedThere, UnknownCustomer
from shared.policy import Person
from shared.sealed import Sign, open_sealed, seal

_CUSTOMERS = select(tables.customers).where(tables.customers.c.id.in_(given()))
_ALLOWED = select(tables.allowed).where(tables.allowed.c.customer.in_(given()))
UNFREEZE: Final = "release-customer/1"
HOUSE_NAME: Final = "house"
"""What people call the exchange itself where a customer's id may stand, so that it is no id, however it is written."""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer: the caller's id for them, when they came (Unix seconds), and whether their balance may move out."""

    id: str
    created: int
    frozen: bool


def register(store: Store, customer_id: str, now: int) -> Customer:
    """Register a customer; the same one again changes nothing. Raises BadCustomer."""
    if not _ID.fullmatch(customer_id):
        raise BadCustomer(f"no id of a customer: {customer_id[:70]!r}")
    if customer_id.lower() == HOUSE_NAME:
        raise BadCustomer(f"{customer_id} is the exchange itself, and no customer")
    with store.transaction() as tx:
        there = _row(tx.sql, customer_id)
        if there is not None:
            return there
        tx.sql.execute(insert(tables.customers).values(id=customer_id, created=now, frozen=False))
        journal.append(tx, "customer", {"customer": customer_id, "frozen": False}, now)
        return Customer(customer_id, now, frozen=False)


def freeze(store: Store, customer_id: str, now: int) -> Customer:
    """Hold everything that would leave a customer's balance. Raises UnknownCustomer."""
    with store.transaction() as tx:
        return _set_frozen(tx, find_customer(tx.sql, customer_id), now, {"frozen": True})


def unfreeze(store: Store, customer_id: str, *, person: Person, sign: Sign, now: int) -> Customer:
    """Let a held customer's balance move again, by a person's signed word. Raises UnknownCustomer, UnknownPerson."""
    with store.transaction() as tx:
        known(tx.sql, person)
        before = find_customer(tx.sql, customer_id)
        word = seal(UNFREEZE, encode({"customer": customer_id}), [(person.key, sign)])
        return _set_frozen(tx, before, now, {"frozen": False, "word": word, "by": person.name})


def require_released(connection: Connection, word: Value, customer_id: str) -> None:
    """Demand that somebody whom the store knows signed that a customer is let go. Raises BadSeal, BadSignature."""
    sealed = open_sealed(word if isinstance(word, bytes) else b"", UNFREEZE)
    if sealed.body != encode({"customer": customer_id}) or not known_keys(connection).issuperset(sealed.signers):
        raise BadSeal("who signed that it may go is nobody known here, or signed something else")


def _set_frozen(tx: Tx, before: Customer, now: int, told: Mapping[str, Value]) -> Customer:
    frozen = told["frozen"] is True
    if before.frozen != frozen:
        table = tables.customers
        tx.sql.execute(update(table).where(table.c.id == before.id).values(frozen=frozen))
        journal.append(tx, "customer", {"customer": before.id, **told}, now)
    return Customer(before.id, before.created, frozen)


def customers(store: Store) -> tuple[Customer, ...]:
    """List the customers by id."""
    with store.reading() as connection:
        rows = connection.execute(select(tables.customers).order_by(tables.customers.c.id))
        return tuple(Customer(row.id, row.created, row.frozen) for row in rows)


def find_customer(connection: Connection, customer_id: str) -> Customer:
    """Give a customer within a transaction. Raises UnknownCustomer."""
    found = _row(connection, customer_id)
    if found is None:
        raise _unknown(customer_id)
    return found


def allow_place(store: Store, customer_id: str, network: str, place: Destination, now: int) -> None:
    """Put a place on a customer's list; from the first one on, they withdraw to listed ones alone on that network.

    Raises:
        UnknownCustomer: if there is none.
    """
    table = tables.allowed
    with store.transaction() as tx:
        find_customer(tx.sql, customer_id)
        row = {"customer": customer_id, "network": network, "place": str(place)}
        here = (table.c.customer == customer_id) & (table.c.network == network) & (table.c.place == str(place))
        if tx.sql.execute(select(table.c.created).where(here)).scalar() is None:
            tx.sql.execute(insert(table).values(**row, created=now))
            journal.append(tx, "allowed", {**row}, now)


def disallow_place(
    store: Store, customer_id: str, network: str, place: Destination, now: int, *, anywhere: bool = False
) -> None:
    """Take a place off a customer's list; what was accepted to it before goes on.

    The last one of a network goes only where `anywhere` says so: they may then withdraw to anywhere on it.

    Raises:
        UnknownCustomer: if there is none. NotAllowedThere: if the list does not hold the place. LastPlace: if it holds
            nothing else of the network.
    """
    table = tables.allowed
    with store.transaction() as tx:
        find_customer(tx.sql, customer_id)
        listed = [one.place for one in allowed(tx.sql, customer_id) if one.network == network]
        if str(place) not in listed:
            hint = "Look at the list: `lockgate customer show`. A tag or memo is part of a place."
            raise NotAllowedThere(f"the list of {customer_id} does not hold {place} on {network}", hint=hint)
        if len(listed) == 1 and not anywhere:
            raise LastPlace(f"the list of {customer_id} holds nothing on {network} but {place}")
        here = (table.c.customer == customer_id) & (table.c.network == network) & (table.c.place == str(place))
        tx.sql.execute(delete(table).where(here))
        journal.append(tx, "disallowed", {"customer": customer_id, "network": network, "place": str(place)}, now)


@dataclass(frozen=True, slots=True)
class Allowed:
    """A place to which a customer may withdraw: the address with its tag or memo as one text."""

    network: str
    place: str


def allowed(connection: Connection, customer_id: str) -> tuple[Allowed, ...]:
    """List where a customer may withdraw to within a transaction: anywhere on a network of which nothing is listed."""
    table = tables.allowed
    query = select(table).where(table.c.customer == customer_id).order_by(table.c.network, table.c.place)
    return tuple(Allowed(row.network, row.place) for row in connection.execute(query))


def require_free(tx: Tx, customer_id: str) -> Customer:
    """Give a customer whose balance may move out. Raises UnknownCustomer, CustomerFrozen."""
    return Register(tx.sql, [customer_id]).free(customer_id)


class Register:
    """Some customers as they are within a transaction, read once, and where they may withdraw to."""

    def __init__(self, connection: Connection, customer_ids: Collection[str]) -> None:
        known = [one for one in customer_ids if _ID.fullmatch(one)]  # no other was ever registered
        found = among(connection, _CUSTOMERS, known)
        self._known = {row.id: Customer(row.id, row.created, row.frozen) for row in found}
        self._listed: dict[tuple[str, str], set[str]] = {}
        for row in among(connection, _ALLOWED, known):
            self._listed.setdefault((row.customer, row.network), set()).add(row.place)

    def free(self, customer_id: str) -> Customer:
        """Give a customer whose balance may move out. Raises UnknownCustomer, CustomerFrozen."""
        found = self._known.get(customer_id)
        if found is None:
            raise _unknown(customer_id)
        if found.frozen:
            raise CustomerFrozen(f"the balance of {customer_id} is held")
        return found

    def is_frozen(self, customer_id: str) -> bool:
        """Say whether a customer's balance is held."""
        return customer_id not in self._known or self._known[customer_id].frozen

    def allows(self, customer_id: str, network: str, place: Destination) -> bool:
        """Say whether a customer may withdraw to a place: anywhere where their list holds nothing for the network."""
        listed = self._listed.get((customer_id, network))
        return listed is None or str(place) in listed


def _unknown(customer_id: str) -> UnknownCustomer:
    return UnknownCustomer(f"no customer {customer_id[:70]!r} is registered here")


def _row(connection: Connection, customer_id: str) -> Customer | None:
    table = tables.customers
    row = connection.execute(select(table).where(table.c.id == customer_id)).one_or_none()
    return None if row is None else Customer(row.id, row.created, row.frozen)
