"""Mandates: two people's standing word that a wallet pays customers' withdrawals without them, and up to how much.

It bounds the coordinator; the signer's sealed policy bounds whoever steals the coordinator, and never hears of this. An
order under a mandate is drafted by the station, and pays nothing but withdrawals that the mandate lets through.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import Connection, Row, insert, select, update

from online.store import journal, tables
from online.store.assets import finder
from online.store.database import Store, Tx
from online.store.people import find_person, known
from online.store.wallets import find_wallet
from shared.encoding import Fields, Value, decode, encode, units_from_bytes, units_to_bytes
from shared.errors import BadField, BadMandate, BadSeal, MandateMissing, SamePerson
from shared.policy import Person
from shared.sealed import Sign, add_signature, open_sealed, seal

KIND: Final = "mandate/1"
REVOKE: Final = "revoke-mandate/1"
MOST_LINES: Final = 500
MOST_COUNT: Final = 1_000
MOST_AGE_SECONDS: Final = 86_400


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The most of one asset, in base units: in one withdrawal, by the wallet in 24 hours, by a customer in 24 hours.

    Above `review` a withdrawal waits for a person. Below `least` none is taken, and of a customer no more than
    `customer_count` in 24 hours, whatever became of them: each costs the house its fee.
    """

    event: int
    day: int
    customer_day: int
    review: int
    least: int = 1
    customer_count: int = MOST_COUNT


@dataclass(frozen=True, slots=True)
class Patience:
    """While one plain payment costs more than `fee`, in the ledger's base units, withdrawals wait, so long at most."""

    fee: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Mandate:
    """What a wallet may pay by itself: ceilings by asset code, and when waiting withdrawals are gathered.

    They become an order when `count` of one asset wait, or the oldest has waited `age_seconds`; while the ledger is
    dear, only once the oldest has waited as long as the `patience` says.
    """

    wallet: str
    ceilings: Mapping[str, Ceiling]
    count: int
    age_seconds: int
    patience: Patience | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """A mandate in the store, by the digest of its document, with who drafted and who approved it."""

    id: bytes
    mandate: Mandate
    drafted_by: str
    approved_by: str | None
    revoked: bool


def draft_mandate(store: Store, mandate: Mandate, *, person: Person, sign: Sign, now: int) -> Given:
    """Draft a mandate; it counts once another person approved it. Raises BadMandate, UnknownWallet, UnknownPerson."""
    with store.transaction() as tx:
        known(tx.sql, person)
        _check(tx.sql, mandate)
        sealed = seal(KIND, _encode(mandate), [(person.key, sign)])
        number = open_sealed(sealed, KIND).digest
        if _row(tx.sql, number) is None:
            values = {"id": number.hex(), "wallet": mandate.wallet, "sealed": sealed, "drafted_by": person.name}
            tx.sql.execute(insert(tables.mandates).values(**values, revoked=False, created=now))
            journal.append(tx, "mandate", {"mandate": number, "sealed": sealed, "by": person.name}, now)
        return find_mandate(tx.sql, number)


def approve_mandate(store: Store, number: bytes, *, person: Person, sign: Sign, now: int) -> Given:
    """Approve a mandate as another person; from now on it is the wallet's, and any earlier one is revoked.

    Raises:
        SamePerson: if this person drafted it. MandateMissing: if there is none, or it was revoked. UnknownPerson.
    """
    with store.transaction() as tx:
        known(tx.sql, person)
        given = find_mandate(tx.sql, number)
        if given.approved_by == person.name:
            return given
        if given.revoked or given.approved_by is not None:
            raise MandateMissing("this mandate was revoked, or somebody else approved it")
        if given.drafted_by == person.name:
            raise SamePerson(f"{person.name} drafted this mandate")
        row = _row(tx.sql, number)
        assert row is not None
        sealed = add_signature(row.sealed, KIND, person.key, sign)
        table = tables.mandates
        earlier = (table.c.wallet == given.mandate.wallet) & (table.c.id != number.hex())
        tx.sql.execute(update(table).where(earlier).values(revoked=True))
        here = table.c.id == number.hex()
        tx.sql.execute(update(table).where(here).values(sealed=sealed, approved_by=person.name))
        journal.append(tx, "mandate", {"mandate": number, "sealed": sealed, "by": person.name}, now)
        return find_mandate(tx.sql, number)


def revoke_mandate(store: Store, number: bytes, *, person: Person, sign: Sign, now: int) -> Given:
    """Revoke a mandate: one person is enough to stop. Raises MandateMissing, UnknownPerson."""
    with store.transaction() as tx:
        known(tx.sql, person)
        find_mandate(tx.sql, number)
        word = seal(REVOKE, encode({"mandate": number}), [(person.key, sign)])
        here = tables.mandates.c.id == number.hex()
        tx.sql.execute(update(tables.mandates).where(here).values(revoked=True))
        journal.append(tx, "revoke-mandate", {"mandate": number, "word": word, "by": person.name}, now)
        return find_mandate(tx.sql, number)


def mandates(store: Store) -> tuple[Given, ...]:
    """List the mandates, the oldest first."""
    with store.reading() as connection:
        rows = connection.execute(select(tables.mandates).order_by(tables.mandates.c.created, tables.mandates.c.id))
        return tuple(_given(row) for row in rows)


def mandate_of(connection: Connection, wallet: str) -> Given:
    """Give the mandate that a wallet pays under, its two signatures verified.

    Raises:
        MandateMissing: if it has none. BadSeal, BadSignature: if its document was altered.
    """
    table = tables.mandates
    here = (table.c.wallet == wallet) & table.c.approved_by.is_not(None) & table.c.revoked.is_(False)
    row = connection.execute(select(table).where(here)).one_or_none()
    if row is None:
        raise MandateMissing(f"the wallet {wallet} pays no withdrawals by itself")
    require_two(connection, _given(row))
    return _given(row)


def find_mandate(connection: Connection, number: bytes) -> Given:
    """Give a mandate within a transaction. Raises MandateMissing."""
    row = _row(connection, number)
    if row is None:
        raise MandateMissing(f"no mandate {number.hex()[:16]}")
    return _given(row)


def require_two(connection: Connection, given: Given) -> None:
    """Demand that the two people whom the store names signed a mandate. Raises BadSeal, BadSignature."""
    row = _row(connection, given.id)
    names = {given.drafted_by, given.approved_by or given.drafted_by}
    keys = {find_person(connection, name).key for name in names}
    sealed = open_sealed(b"" if row is None else row.sealed, KIND)
    if len(keys) != 2 or set(sealed.signers) != keys or sealed.digest != given.id:
        raise BadSeal("the mandate is not the one that two people signed")


def _check(connection: Connection, mandate: Mandate) -> None:
    wallet, asset = find_wallet(connection, mandate.wallet), finder(connection)
    if not mandate.ceilings or not 1 <= mandate.count <= MOST_LINES:
        raise BadMandate(f"a mandate names assets, and gathers 1 to {MOST_LINES} withdrawals")
    if not 0 <= mandate.age_seconds <= MOST_AGE_SECONDS:
        raise BadMandate("withdrawals wait at most a day to be gathered")
    patience = mandate.patience
    if patience and not (patience.fee > 0 and mandate.age_seconds <= patience.seconds <= MOST_AGE_SECONDS):
        raise BadMandate("while fees are high withdrawals wait longer than else, and at most a day")
    for code, one in mandate.ceilings.items():
        asset(wallet.network, code)
        if not 0 < one.event <= one.customer_day <= one.day or one.review > one.event:
            raise BadMandate(f"{code}: review <= event <= customer's day <= day, and more than nothing")
        if not 1 <= one.least <= one.event or not 1 <= one.customer_count <= MOST_COUNT:
            raise BadMandate(f"{code}: least is at most event, and customer_count from 1 to {MOST_COUNT}")


def _encode(mandate: Mandate) -> bytes:
    ceilings: list[Value] = [
        [code, *map(units_to_bytes, (one.event, one.day, one.customer_day, one.review, one.least)), one.customer_count]
        for code, one in sorted(mandate.ceilings.items())
    ]
    gather: list[Value] = [mandate.count, mandate.age_seconds]
    if mandate.patience is not None:
        gather += [units_to_bytes(mandate.patience.fee), mandate.patience.seconds]
    return encode({"wallet": mandate.wallet, "ceilings": ceilings, "gather": gather})


def _decode(body: bytes) -> Mandate:
    fields = Fields(decode(body), "mandate")
    wallet, ceilings = fields.text("wallet", most=32), {}
    for row in fields.list("ceilings"):
        match row:
            case [str(code), bytes(event), bytes(day), bytes(customer_day), bytes(review), bytes(least), int(count)]:
                most = map(units_from_bytes, (event, day, customer_day, review))
                ceilings[code] = replace(Ceiling(*most), least=units_from_bytes(least), customer_count=count)
            case _:
                raise BadField("a ceiling is an asset's code, five amounts and a count")
    match fields.list("gather"):
        case [int(count), int(age_seconds)]:
            fields.close()
            return Mandate(wallet, ceilings, count, age_seconds)
        case [int(count), int(age_seconds), bytes(fee), int(seconds)]:
            fields.close()
            return Mandate(wallet, ceilings, count, age_seconds, Patience(units_from_bytes(fee), seconds))
        case _:
            raise BadField("withdrawals are gathered by a count, an age and a fee")


def _row(connection: Connection, number: bytes) -> Row[tuple[object, ...]] | None:
    return connection.execute(select(tables.mandates).where(tables.mandates.c.id == number.hex())).one_or_none()


def _given(row: Row[tuple[object, ...]]) -> Given:
    mandate = _decode(open_sealed(row.sealed, KIND).body)
    return Given(bytes.fromhex(row.id), mandate, row.drafted_by, row.approved_by, row.revoked)


def stop_if_revoked(tx: Tx, number: bytes) -> Given:
    """Give a mandate that still counts. Raises MandateMissing, BadSeal."""
    given = find_mandate(tx.sql, number)
    if given.revoked or given.approved_by is None:
        raise MandateMissing("the mandate does not count any more")
    require_two(tx.sql, given)
    return given
