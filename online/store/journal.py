"""The coordinator's own journal inside the store: a line is written in the transaction that does what it tells.

Its format is `shared.journal`; the newest tip stands beside it, so that a line costs the same however long it grows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, insert, select, update

from online.store import tables
from online.store.database import Tx
from shared.encoding import Fields, Value, decode, encode
from shared.journal import EMPTY_TIP, Tip, make_entry
from shared.merkle import Tree

# Built once, since every act writes a line.
_ADD, _MOVE_TIP, _TIP = insert(tables.audit), update(tables.audit_tip), select(tables.audit_tip.c.tip)


def append(tx: Tx, kind: str, body: Mapping[str, Value], now: int) -> int:
    """Add a line to the journal, signed by the station, and give its number.

    A clock that was set back does not stop the work: the line then has the time of the line before it.
    """
    (number,) = append_many(tx, [(kind, body)], now)
    return number


def append_many(tx: Tx, told: Iterable[tuple[str, Mapping[str, Value]]], now: int) -> range:
    """Add a line for each kind and body, in their order, as `append` does one, and give their numbers."""
    before = end = tip(tx.sql)
    rows = []
    for kind, body in told:
        _, line, after = make_entry(end, max(now, end.time), kind, body, tx.station.sign, tx.station.public_key)
        rows.append({"n": end.size, "line": line})
        end = after
    if not rows:
        return range(0)
    tx.sql.execute(_ADD, rows)
    if before.size:
        tx.sql.execute(_MOVE_TIP, {"tip": _write_tip(end)})
    else:
        tx.sql.execute(insert(tables.audit_tip), {"id": 0, "tip": _write_tip(end)})
    return range(before.size, end.size)


def time(tx: Tx, now: int) -> int:
    """Give the time that a line written now has: no earlier than that of the line before it."""
    return max(now, tip(tx.sql).time)


def tip(connection: Connection) -> Tip:
    """Give where the journal ends."""
    blob = connection.execute(_TIP).scalar()
    return EMPTY_TIP if blob is None else _read_tip(blob)


def lines(connection: Connection) -> bytes:
    """Give the whole journal as the bytes of a journal file."""
    return b"".join(connection.execute(select(tables.audit.c.line).order_by(tables.audit.c.n)).scalars())


def _write_tip(end: Tip) -> bytes:
    return encode(
        {"size": end.size, "last": end.last_hash, "peaks": list(end.tree.peaks), "time": end.time, "key": end.key}
    )


def _read_tip(blob: bytes) -> Tip:
    fields = Fields(decode(blob), "tip")
    size = fields.number("size")
    peaks = tuple(peak for peak in fields.list("peaks") if isinstance(peak, bytes))
    end = Tip(
        size, fields.bytes("last"), Tree(size, peaks), fields.number("time"), fields.bytes("key", exactly=32)
    )
    fields.close()
    return end
