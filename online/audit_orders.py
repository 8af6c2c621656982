"""Holds each order's row, its lines and its approval against the documents that people signed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Row, select

from online.audit_told import Told
from online.orders.mandated import ORDER_KIND
from online.orders.model import KIND, Body, decode_body
from online.store import journal, tables
from online.store.people import find_person
from shared.envelope import TransferRef, order_id
from shared.errors import Refusal
from shared.sealed import open_sealed


def look(connection: Connection, told: Told) -> Iterator[str]:
    """Name each row that differs."""
    there: set[object] = set()
    transfers: set[str] = set()
    for row in connection.execute(select(tables.orders)):
        there.add(bytes.fromhex(row.id))
        try:
            yield from (f"orders {row.id}: {text}" for text in _order(connection, told, row))
            body = decode_body(open_sealed(row.sealed, KIND).body)
        except (Refusal, ValueError) as trouble:
            yield f"orders {row.id}: {trouble}"
            continue
        transfers |= {TransferRef(bytes.fromhex(row.id), line).transfer_id.hex() for line in range(len(body.lines))}
        yield from _transfers(connection, row, body)
    for name in sorted(set(connection.execute(select(tables.transfers.c.id)).scalars()) - transfers):
        yield f"transfers {name}: a line of no order"
    for gone in told.names("order") - there:
        yield f"orders {gone.hex() if isinstance(gone, bytes) else gone}: in the journal, and not in the store"


def _order(connection: Connection, told: Told, row: Row[Any]) -> Iterator[str]:
    number = bytes.fromhex(row.id)
    names = [row.drafted_by] + ([row.approved_by] if row.approved_by else [])
    mandated = row.kind == ORDER_KIND  # under two people's standing word the station signs alone
    keys = {find_person(connection, name).key for name in names} if not mandated else {journal.tip(connection).key}
    sealed = open_sealed(row.sealed, KIND)
    body = decode_body(sealed.body)
    drafted, approved = told.last("order", number), told.last("approval", number)
    if sealed.body != row.body:
        yield "its body is not the signed one"
    if (body.idempotency_key, body.kind) != (row.idempotency_key, row.kind) or order_id(row.idempotency_key) != number:
        yield "its key or kind is not what was signed"
    if set(sealed.signers) != keys or len(keys) != (1 if mandated else len(names)):
        yield "not signed by the people that the store names"
    if (approved or drafted).get("sealed") != row.sealed:
        yield "its signed document is not the one in the journal"
    if approved.get("by") != row.approved_by:
        yield "approved by another person than the journal says"


def _transfers(connection: Connection, row: Row[Any], body: Body) -> Iterator[str]:
    table = tables.transfers
    kept = {one.id: one for one in connection.execute(select(table).where(table.c.order_id == row.id))}
    for number, line in enumerate(body.lines):
        name = TransferRef(bytes.fromhex(row.id), number).transfer_id.hex()
        one, to, asset = kept.get(name), line.destination, line.amount.asset
        said = (number, line.source, to.address, to.tag, to.memo, asset.network, asset.code, str(line.amount.units))
        if one is None or said != (
            one.line, one.source, one.destination, one.tag, one.memo, one.asset_network, one.asset_code, one.units
        ):  # fmt: skip
            yield f"transfers {name}: not as line {number + 1} of its signed order"
