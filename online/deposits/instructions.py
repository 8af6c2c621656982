"""Where a customer pays: a place of their own, each ledger in its customs.

Where an address is shared, a tag tells whose money it is: from 1 on, since many programs send 0 where nobody chose one.
Else each customer has an address of their own, the next of a wallet that nobody has yet. Where assets come with memos,
customers may share an address instead: each deposit then has a memo of its own, random, and good for one transaction.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, Row, insert, select

from online.chains import customs
from online.customers.register import find_customer
from online.store import journal, tables
from online.store.database import Store, Tx
from online.store.wallets import find_keys, find_wallet
from shared.chains import chain
from shared.effects import Destination
from shared.errors import NoSuchPlace, PlaceTaken, PoolDry

MOST_TAG: Final = 2**32 - 1
_LOW_SHARE, _LOW_COUNT = 5, 10
_MEMO_BYTES: Final = 8


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
        PlaceTaken: if the tag is somebody else's. PoolDry: if every address is given out.
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
        place = _tagged(tx.sql, found.network, wallet, tag) if shared else make(tx.sql, found.network, wallet)
        _write(tx, customer_id, found.network, wallet, place, now)
        rows = _places(tx.sql, found.network, wallet, customer_id)
        return _instruction(tx.sql, next(row for row in rows if row.place == str(place)))


def instructions(store: Store, customer_id: str) -> tuple[Instruction, ...]:
    """List where a customer pays. Raises UnknownCustomer."""
    table = tables.places
    with store.reading() as connection:
        find_customer(connection, customer_id)
        rows = connection.execute(select(table).where(table.c.customer == customer_id).order_by(table.c.created)).all()
        return tuple(_instruction(connection, row) for row in rows)


@dataclass(frozen=True, slots=True)
class Owner:
    """The customer to whom a place belongs; `alone` says that nobody shares its address."""

    customer: str
    alone: bool


@dataclass(frozen=True, slots=True)
class Pool:
    """How many of a wallet's addresses no customer has yet, and how many it has in all."""

    wallet: str
    left: int
    whole: int

    @property
    def is_low(self) -> bool:
        """Say whether it runs dry: fewer than a fifth are left, or fewer than ten."""
        return self.left < max(_LOW_COUNT, self.whole // _LOW_SHARE)


def low_pools(connection: Connection) -> tuple[Pool, ...]:
    """Give the wallets whose customers have addresses of their own, and that will soon have none left."""
    table = tables.places
    query = select(table.c.wallet).where(table.c.custom == "address").distinct().order_by(table.c.wallet)
    pools = [_pool(connection, wallet) for wallet in connection.execute(query).scalars().all()]
    return tuple(one for one in pools if one.is_low)


def _pool(connection: Connection, wallet: str) -> Pool:
    keys, table = find_keys(connection, wallet), tables.places
    used = set(connection.execute(select(table.c.address).where(table.c.wallet == wallet)).scalars())
    return Pool(wallet, sum(key.address not in used for key in keys), len(keys))


def _tagged(connection: Connection, network: str, wallet: str, tag: int | None) -> Destination:
    address = find_keys(connection, wallet)[0].address
    table = tables.places
    here = (table.c.network == network) & (table.c.address == address)
    used = set(connection.execute(select(table.c.tag).where(here)).scalars())
    if tag is not None and tag in used:
        raise PlaceTaken(f"the tag {tag} belongs to another customer")
    return Destination(address, tag if tag is not None else max([each or 0 for each in used], default=0) + 1)


def _untaken(connection: Connection, network: str, wallet: str) -> Destination:
    table = tables.places
    used = set(connection.execute(select(table.c.address).where(table.c.network == network)).scalars())
    for key in find_keys(connection, wallet):
        if key.address not in used:
            return Destination(key.address)
    raise PoolDry(f"every address of {wallet} is given out")


def _remembered(connection: Connection, network: str, wallet: str) -> Destination:
    """Make a memo that nobody has, at the address that the wallet's customers share."""
    table = tables.places
    here = (table.c.network == network) & (table.c.wallet == wallet) & (table.c.custom == "memo")
    shared = connection.execute(select(table.c.address).where(here).limit(1)).scalar()
    write = customs(network).memo_bytes
    assert write is not None  # it was asked before
    raw = write(secrets.token_bytes(_MEMO_BYTES))
    return Destination(shared or _untaken(connection, network, wallet).address, memo=chain(network).memo(raw))


def _memo_used(connection: Connection, network: str, place: Destination) -> bool:
    """Say whether a memo that was given out had its deposit."""
    came = tables.arrivals
    here = (came.c.network == network) & (came.c.address == place.address) & (came.c.memo == place.memo)
    return connection.execute(select(came.c.id).where(here).limit(1)).scalar() is not None


def _write(tx: Tx, customer_id: str, network: str, wallet: str, place: Destination, now: int) -> None:
    values = {"network": network, "place": str(place), "customer": customer_id, "wallet": wallet, "created": now}
    custom = "tag" if place.tag is not None else "memo" if place.memo is not None else "address"
    tx.sql.execute(insert(tables.places).values(
        **values, custom=custom, address=place.address, tag=place.tag, memo=place.memo
    ))  # fmt: skip
    journal.append(tx, "place", {"customer": customer_id, "network": network, "place": str(place)}, now)


def _places(connection: Connection, network: str, wallet: str, customer_id: str) -> list[Row[tuple[object, ...]]]:
    table = tables.places
    here = (table.c.network == network) & (table.c.wallet == wallet) & (table.c.customer == customer_id)
    return list(connection.execute(select(table).where(here).order_by(table.c.created, table.c.place)))


def _instruction(connection: Connection, row: Row[tuple[object, ...]]) -> Instruction:
    place, warning = Destination(row.address, row.tag, row.memo), ""
    if row.custom == "address":
        pool = _pool(connection, row.wallet)
        if pool.is_low:
            warning = f"{pool.left} of {pool.whole} addresses of {row.wallet} are left: let it have more"
    pack = customs(row.network).packed
    return Instruction(row.customer, row.network, row.wallet, place, pack(place, row.network) if pack else "", warning)
