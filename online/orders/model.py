"""What an order is, its one form in bytes, and how it is read back from the store.

The body says what is asked for and nothing of who or when, so that the same order asked for twice is the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, Row, select

from online.store import tables
from online.store.database import Store
from shared.chains import chain
from shared.effects import Destination
from shared.encoding import Fields, Value, decode, encode, units_from_bytes, units_to_bytes
from shared.errors import BadField, UnknownOrder, WrongNetwork
from shared.money import Amount, Asset

KIND: Final = "order/1"
MOST_LINES: Final = 2_000


@dataclass(frozen=True, slots=True)
class Line:
    """One transfer of an order: from one of the wallet's addresses to a destination."""

    source: str
    destination: Destination
    amount: Amount


@dataclass(frozen=True, slots=True)
class Body:
    """What an order asks for."""

    idempotency_key: str
    kind: str
    network: str
    wallet: str
    lines: tuple[Line, ...]
    params: Mapping[str, int | str]


@dataclass(frozen=True, slots=True)
class Order:
    """An order in the store: what it asks for, who drafted and approved it, and the document that both signed."""

    id: bytes
    idempotency_key: str
    kind: str
    network: str
    wallet: str
    lines: tuple[Line, ...]
    params: Mapping[str, int | str]
    drafted_by: str
    approved_by: str | None
    created: int
    sealed: bytes


def orders(store: Store) -> tuple[Order, ...]:
    """List the orders, the oldest first."""
    with store.reading() as connection:
        rows = connection.execute(select(tables.orders).order_by(tables.orders.c.created, tables.orders.c.id))
        return tuple(_order(row) for row in rows)


def order(store: Store, order_id: bytes) -> Order:
    """Give an order. Raises UnknownOrder."""
    with store.reading() as connection:
        return find_order(connection, order_id)


def find_order(connection: Connection, order_id: bytes) -> Order:
    """Give an order within a transaction. Raises UnknownOrder."""
    row = connection.execute(select(tables.orders).where(tables.orders.c.id == order_id.hex())).one_or_none()
    if row is None:
        raise UnknownOrder(f"no order {order_id.hex()}")
    return _order(row)


def asset_of(network: str, code: str) -> Asset:
    """Give an asset of a network by its code. Raises WrongNetwork if the network has none of it."""
    native = chain(network).network(network).native
    if native.code != code:
        raise WrongNetwork(f"{network} has no asset {code[:20]!r} that is known here")
    return native


def encode_body(body: Body) -> bytes:
    """Write what an order asks for in its one form."""
    return encode(
        {
            "key": body.idempotency_key,
            "kind": body.kind,
            "network": body.network,
            "wallet": body.wallet,
            "lines": [_line_value(line) for line in body.lines],
            "params": dict(body.params),
        }
    )


def decode_body(blob: bytes) -> Body:
    """Read what `encode_body` wrote. Raises BadEncoding, BadField."""
    fields = Fields(decode(blob), "order")
    network = fields.text("network", most=40)
    lines = fields.list("lines", most=MOST_LINES)
    params = fields.value("params")
    if not isinstance(params, dict):
        raise BadField("order.params: not a map")
    body = Body(
        fields.text("key", least=1, most=200),
        fields.text("kind", most=20),
        network,
        fields.text("wallet", most=32),
        tuple(_read_line(line, network) for line in lines),
        plain_params(params),
    )
    fields.close()
    return body


def plain_params(params: Mapping[str, Value]) -> dict[str, int | str]:
    """Give parameters back if all are numbers and texts. Raises BadField."""
    found: dict[str, int | str] = {}
    for name, value in params.items():
        if isinstance(value, bool) or not isinstance(value, (int, str)):
            raise BadField("a parameter is a number or a text")
        found[name] = value
    return found


def _line_value(line: Line) -> Sequence[Value]:
    to = line.destination
    units = units_to_bytes(line.amount.units)
    return [line.source, to.address, to.tag, to.memo, line.amount.asset.code, units]


def _read_line(value: Value, network: str) -> Line:
    match value:
        case [str(source), str(address), None | int() as tag, None | str() as memo, str(code), bytes(units)]:
            amount = Amount(asset_of(network, code), units_from_bytes(units))
            return Line(source, Destination(address, tag, memo), amount)
        case _:
            raise BadField("a line is a source, a destination with tag and memo, and an amount")


def _order(row: Row[tuple[object, ...]]) -> Order:
    body = decode_body(row.body)
    return Order(
        bytes.fromhex(row.id),
        body.idempotency_key,
        body.kind,
        body.network,
        body.wallet,
        body.lines,
        body.params,
        row.drafted_by,
        row.approved_by,
        row.created,
        row.sealed,
    )
