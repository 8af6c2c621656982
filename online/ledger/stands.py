"""How far a network was held against the books: what was settled there need not be read again.

What a ledger showed and the books did not have so, and the other way round, a stand carries on. The row is sworn to by
the journal's line of the reconciliation that kept it, and `lockgate audit verify` proves it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, delete, insert, select

from online.ledger.differences import Place, Shown
from online.store import tables
from online.store.assets import finder
from online.store.database import Tx
from shared.encoding import Fields, Value, decode, encode


@dataclass(frozen=True, slots=True)
class Stand:
    """Up to which height of a ledger, with which block, and up to which entry all was held against each other.

    `moved` is for each place the height of its opening and what moved since, `booked` what posted entries moved, in
    base units. `shown` and `entries` are what is not settled: facts of the ledger, and numbers of entries.
    """

    height: int
    block: str = ""
    entry: int = 0
    moved: Mapping[Place, tuple[int, int]] = field(default_factory=dict)
    booked: Mapping[Place, int] = field(default_factory=dict)
    shown: tuple[Shown, ...] = ()
    entries: frozenset[int] = frozenset()


def find_stand(connection: Connection, network: str) -> Stand | None:
    """Read a network's stand as it was kept last, None where none was."""
    table = tables.stands
    body = connection.execute(select(table.c.body).where(table.c.network == network)).scalar()
    return None if body is None else _read(body, network, connection)


def keep_stand(tx: Tx, network: str, stand: Stand) -> bytes:
    """Keep a network's stand, and give the digest by which the journal swears to it."""
    body = _write(stand)
    tx.sql.execute(delete(tables.stands).where(tables.stands.c.network == network))
    tx.sql.execute(insert(tables.stands).values(network=network, height=stand.height, body=body))
    return digest(stand.height, body)


def digest(height: int, body: bytes) -> bytes:
    """Give the digest of a stand's row."""
    return hashlib.sha256(encode([height, body])).digest()


def _write(stand: Stand) -> bytes:
    moved: list[Value] = [
        [name, asset.code, height, str(units)] for (name, asset), (height, units) in sorted(stand.moved.items())
    ]
    booked: list[Value] = [[name, asset.code, str(units)] for (name, asset), units in sorted(stand.booked.items())]
    shown: list[Value] = [
        [one.tx_id, one.wallet, one.asset.code, str(one.units), None if one.fee is None else str(one.fee), one.height]
        for one in stand.shown
    ]
    head: dict[str, Value] = {"height": stand.height, "block": stand.block, "entry": stand.entry}
    return encode({**head, "moved": moved, "booked": booked, "shown": shown, "entries": [*sorted(stand.entries)]})


def _read(body: bytes, network: str, connection: Connection) -> Stand:
    fields, asset = Fields(decode(body), "the stand"), finder(connection)
    height, block, entry = fields.number("height"), fields.text("block"), fields.number("entry")
    moved: dict[Place, tuple[int, int]] = {}
    booked: dict[Place, int] = {}
    shown: list[Shown] = []
    for row in fields.list("moved"):
        match row:
            case [str(name), str(code), int(opened), str(units)]:
                moved[name, asset(network, code)] = opened, int(units)
    for row in fields.list("booked"):
        match row:
            case [str(name), str(code), str(units)]:
                booked[name, asset(network, code)] = int(units)
    for row in fields.list("shown"):
        match row:
            case [str(tx_id), str(name), str(code), str(units), fee, int(at)]:
                told = int(fee) if isinstance(fee, str) else None
                shown.append(Shown(tx_id, name, asset(network, code), int(units), told, at))
    entries = frozenset(number for number in fields.list("entries") if isinstance(number, int))
    fields.close()
    return Stand(height, block, entry, moved, booked, tuple(shown), entries)
