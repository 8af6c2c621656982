"""Where a customer pays: a place of their own, each ledger in its customs.

Where an address is shared, a tag tells whose money it is: from 1 on, since many programs send 0 where nobody chose one.
Else each customer has an address of their own, the next of a wallet that nobody has yet, and never its first: that is
where the wallet itself pays from and is topped up. Where assets come with memos, customers may share an address: each
deposit then has a memo of its own, random, and good for one transaction.

Tags and addresses are given out in order, each above the newest that was, whatever tags people picked by hand. Nothing
is read whole here: an instruction costs the same for the millionth customer.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, Row, func, insert, select

from online.chains import customs
from online.customers.register import find_customer
from online.store import journal, tables
from online.store.database import Store, Tx
from online.store.wallets import find_wallet
from shared.chains import chain
from shared.effects import Destination
from shared.errors import NoSuchPlace, PlaceTaken, PoolDry, TagsSpent

MOST_TAG: Final = 2**32 - 1
_LOW_SHARE, _LOW_COUNT = 5, 10
_MEMO_BYTES: Final = 8
_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Instruction:
    """Where a customer pays into a wallet, `packed` as one text where the ledger has one for an address with its tag.

    `warning` says that a pool of addresses runs dry.
    """

    customer: str
    network: str
    wallet: str
    place: Destination
    packed: str = ""
    warning: str = ""


def instruct(
    store: Store, customer_id: str, wallet: str, now: int, *, new: bool = False, tag: int | None = None,
    memo: bool = False,
) -> Instruction:  # fmt: skip
    """Give a customer's place in a wallet, the same again unless a new one is asked for or its memo was used.

    Raises:
        UnknownCustomer, UnknownWallet: if there is none. NoSuchPlace: for a bad tag, or where the ledger has none, or
            no memos.
        PlaceTaken: if the tag is somebody else's. PoolDry, TagsSpent: if every address or tag is given out.
    """
    with store.transaction() as tx:
        find_customer(tx.sql, customer_id)
        found = find_wallet(tx.sql, wallet)
        mine = [row for row in _places(tx.sql, found.network, wallet, customer_id) if (row.memo is not None) == memo]
        if tag is not None:
            mine = [row for row in mine if row.tag == tag]
        if memo:
            at = {row.place: Destination(row.address, memo=row.memo) for row in mine}
            mine = [row for row in mine if not _memo_used(tx.sql, found.network, at[row.place])]
        if mine and not new:
            return _instruction(tx.sql, mine[-1])
        shared = customs(found.network).tags
        if tag is not None and (not shared or not 1 <= tag <= MOST_TAG):
            raise NoSuchPlace(f"{tag} is no destination tag on {found.network}: tags are 1 to {MOST_TAG}")
        if memo and customs(found.network).memo_bytes is None:
            raise NoSuchPlace(f"nothing comes with memos by which customers are told apart on {found.network}")
        make = _remembered if memo else _untaken
        given = _tagged(tx.sql, found.network, wallet, tag) if shared else make(tx.sql, found.network, wallet)
        _write(tx, customer_id, found.network, wallet, given, now)
        rows = _places(tx.sql, found.network, wallet, customer_id)
        return _instruction(tx.sql, next(row for row in rows if row.place == str(given.place)))


def instructions(store: Store, customer_id: str) -> tuple[Instruction, ...]:
    """List where a customer pays. Raises UnknownCustomer."""
    table = tables.places
    with store.reading() as connection:
        find_customer(connection, customer_id)
        rows = connection.execute(select(table).where(table.c.customer == customer_id).order_by(table.c.created)).all()
        return tuple(_instruction(connection, row) for row in rows)


@dataclass(frozen=True, slots=True)
class Pool:
    """How many of a wallet's addresses are left for customers, and how many there are for them: its first is none."""

    wallet: str
    left: int
    whole: int

    @property
    def is_low(self) -> bool:
        """Say whether it runs dry: fewer than a fifth are left, or fewer than ten."""
        return self.left < max(_LOW_COUNT, self.whole // _LOW_SHARE)

    def __str__(self) -> str:
        return f"{self.left} of {self.whole} addresses of {self.wallet} are left for customers: let it have more"


def low_pools(connection: Connection) -> tuple[Pool, ...]:
    """Give the wallets whose customers have addresses of their own, and that will soon have none left."""
    wallets, places = tables.wallets, tables.places
    has = select(places.c.place).where(places.c.wallet == wallets.c.name, places.c.custom == "address").exists()
    names = connection.execute(select(wallets.c.name).where(has).order_by(wallets.c.name)).scalars().all()
    return tuple(pool for name in names if (pool := find_pool(connection, name)).is_low)


def find_pool(connection: Connection, wallet: str) -> Pool:
    """Count a wallet's addresses for customers."""
    keys = tables.keys
    query = select(func.max(keys.c.idx)).where(keys.c.wallet == wallet)
    count: int = connection.execute(query).scalar() or 0
    return Pool(wallet, count - _newest(connection, wallet, "address"), count)


@dataclass(frozen=True, slots=True)
class Owner:
    """The customer to whom a place belongs; `alone` says that nobody shares its address."""

    customer: str
    alone: bool


@dataclass(frozen=True, slots=True)
class _Given:
    """A place to give out, and its number among those that are given out in order; None where it has no turn."""

    place: Destination
    number: int | None


def _tagged(connection: Connection, network: str, wallet: str, tag: int | None) -> _Given:
    """Give the tag that was asked for, or the lowest free one above the newest that was given out without being asked.

    Raises:
        PlaceTaken: if it is somebody else's. TagsSpent: if none is left above that.
    """
    address = _first_key(connection, wallet)
    if tag is not None:
        if _taken(connection, network, [Destination(address, tag)]):
            raise PlaceTaken(f"the tag {tag} belongs to another customer")
        return _Given(Destination(address, tag), None)
    first = _newest(connection, wallet, "tag") + 1
    while first <= MOST_TAG:
        wanted = [Destination(address, each) for each in range(first, min(first + _AT_ONCE, MOST_TAG + 1))]
        taken = _taken(connection, network, wanted)
        for place in wanted:
            if str(place) not in taken:
                return _Given(place, place.tag)
        first += _AT_ONCE
    raise TagsSpent(f"the tags of {wallet} are given out up to the last, {MOST_TAG}")


def _untaken(connection: Connection, network: str, wallet: str) -> _Given:
    """Give the next address that nobody has. Raises PoolDry."""
    keys, places = tables.keys, tables.places
    has = select(places.c.place).where(places.c.network == network, places.c.address == keys.c.address).exists()
    after = _newest(connection, wallet, "address")
    here = (keys.c.wallet == wallet) & (keys.c.idx > after) & ~has
    row = connection.execute(select(keys.c.address, keys.c.idx).where(here).order_by(keys.c.idx).limit(1)).one_or_none()
    if row is None:
        raise PoolDry(f"every address of {wallet} but its first, from which it pays itself, is given out")
    return _Given(Destination(row.address), row.idx)


def _remembered(connection: Connection, network: str, wallet: str) -> _Given:
    """Make a memo that nobody has, at the address that the wallet's customers share."""
    table = tables.places
    here = (table.c.network == network) & (table.c.wallet == wallet) & (table.c.custom == "memo")
    shared = connection.execute(select(table.c.address).where(here).limit(1)).scalar()
    write = customs(network).memo_bytes
    assert write is not None  # it was asked before
    memo = chain(network).memo(write(secrets.token_bytes(_MEMO_BYTES)))
    return _Given(Destination(shared or _shareable(connection, network, wallet), memo=memo), None)


def _shareable(connection: Connection, network: str, wallet: str) -> str:
    """Give an address that can be shared: the wallet's first, unless it is a customer's own from before."""
    first = _first_key(connection, wallet)
    if _taken(connection, network, [Destination(first)]):
        return _untaken(connection, network, wallet).place.address
    return first


def _first_key(connection: Connection, wallet: str) -> str:
    keys = tables.keys
    query = select(keys.c.address).where(keys.c.wallet == wallet).order_by(keys.c.idx).limit(1)
    address: str = connection.execute(query).scalar_one()
    return address


def _newest(connection: Connection, wallet: str, custom: str) -> int:
    """Give the number of the newest place that was given out in order, 0 where there is none."""
    table = tables.places
    here = (table.c.wallet == wallet) & (table.c.custom == custom) & table.c.number.is_not(None)
    query = select(table.c.number).where(here).order_by(table.c.number.desc()).limit(1)
    return connection.execute(query).scalar() or 0


def _taken(connection: Connection, network: str, places: Sequence[Destination]) -> set[str]:
    table = tables.places
    here = (table.c.network == network) & table.c.place.in_([str(one) for one in places])
    return set(connection.execute(select(table.c.place).where(here)).scalars())


def _memo_used(connection: Connection, network: str, place: Destination) -> bool:
    """Say whether a memo that was given out had its deposit."""
    came = tables.arrivals
    here = (came.c.network == network) & (came.c.address == place.address) & (came.c.memo == place.memo)
    return connection.execute(select(came.c.id).where(here).limit(1)).scalar() is not None


def _write(tx: Tx, customer_id: str, network: str, wallet: str, given: _Given, now: int) -> None:
    place = given.place
    values = {"network": network, "place": str(place), "customer": customer_id, "wallet": wallet, "created": now}
    custom = "tag" if place.tag is not None else "memo" if place.memo is not None else "address"
    tx.sql.execute(insert(tables.places).values(
        **values, custom=custom, address=place.address, tag=place.tag, memo=place.memo, number=given.number
    ))  # fmt: skip
    journal.append(tx, "place", {"customer": customer_id, "network": network, "place": str(place)}, now)


def _places(connection: Connection, network: str, wallet: str, customer_id: str) -> list[Row[tuple[object, ...]]]:
    table = tables.places
    here = (table.c.network == network) & (table.c.wallet == wallet) & (table.c.customer == customer_id)
    return list(connection.execute(select(table).where(here).order_by(table.c.created, table.c.place)))


def _instruction(connection: Connection, row: Row[tuple[object, ...]]) -> Instruction:
    place, warning = Destination(row.address, row.tag, row.memo), ""
    if row.custom == "address":
        pool = find_pool(connection, row.wallet)
        warning = str(pool) if pool.is_low else ""
    pack = customs(row.network).packed
    return Instruction(row.customer, row.network, row.wallet, place, pack(place, row.network) if pack else "", warning)
