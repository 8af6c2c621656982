"""What an order is, its one form in bytes, and how it is read back from the store.

The body says what is asked for and nothing of who or when, so that the same order asked for twice is the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, Row, select

from online.store import tables
from online.store.database import Store
from shared.chains import chain
from shared.effects import Destination
from shared.encoding import Fields, Value, decode, encode, units_from_bytes, units_to_bytes
from shared.errors import BadField, UnknownOrder
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
class Step:
    """One transaction that an order is carried out by: its kind, who pays, which lines, how, and who pays beside."""

    kind: str
    source: str
    lines: tuple[int, ...]
    params: Mapping[str, int | str]
    inputs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Body:
    """What an order asks for, and by which transactions: what two people sign, and what jobs are held against."""

    idempotency_key: str
    kind: str
    network: str
    wallet: str
    lines: tuple[Line, ...]
    params: Mapping[str, int | str]
    steps: tuple[Step, ...]


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
    steps: tuple[Step, ...]


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


def stated_asset(network: str, code: str, decimals: int) -> Asset:
    """Give an asset as a document states it. Raises BadField if it is the native one with other decimals."""
    native = chain(network).network(network).native
    if code == native.code and decimals != native.decimals:
        raise BadField(f"{native} has {native.decimals} decimals")
    return Asset(network, code, decimals)


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
            "steps": [_step_value(step) for step in body.steps],
        }
    )


def decode_body(blob: bytes) -> Body:
    """Read what `encode_body` wrote. Raises BadEncoding, BadField."""
    fields = Fields(decode(blob), "order")
    network = fields.text("network", most=40)
    lines = fields.list("lines", most=MOST_LINES)
    params = fields.value("params")
    body = Body(
        fields.text("key", least=1, most=200),
        fields.text("kind", most=20),
        network,
        fields.text("wallet", most=32),
        tuple(_read_line(line, network) for line in lines),
        plain_params(params),
        tuple(_read_step(step) for step in fields.list("steps", most=MOST_LINES)),
    )
    fields.close()
    return body


def plain_params(params: Value) -> dict[str, int | str]:
    """Give parameters back if all are numbers and texts. Raises BadField."""
    if not isinstance(params, dict):
        raise BadField("parameters are no map")
    found: dict[str, int | str] = {}
    for name, value in params.items():
        if isinstance(value, bool) or not isinstance(value, (int, str)):
            raise BadField("a parameter is a number or a text")
        found[name] = value
    return found


def payment_value(source: str, to: Destination, amount: Amount) -> list[Value]:
    """Write a movement, with the decimals that its asset was understood to have."""
    asset = amount.asset
    return [source, to.address, to.tag, to.memo, asset.code, asset.decimals, units_to_bytes(amount.units)]


def read_payment(value: Value, network: str) -> tuple[str, Destination, Amount]:
    """Read what `payment_value` wrote. Raises BadField."""
    match value:
        case [
            str(source), str(address), None | int() as tag, None | str() as memo,
            str(code), int(decimals), bytes(units),
        ]:  # fmt: skip
            amount = Amount(stated_asset(network, code, decimals), units_from_bytes(units))
            return source, Destination(address, tag, memo), amount
        case _:
            raise BadField("a movement is a source, a destination with tag and memo, and an amount")


def _line_value(line: Line) -> list[Value]:
    return payment_value(line.source, line.destination, line.amount)


def _read_line(value: Value, network: str) -> Line:
    return Line(*read_payment(value, network))


def _step_value(step: Step) -> list[Value]:
    return [step.kind, step.source, list(step.lines), dict(step.params), list(step.inputs)]


def _read_step(value: Value) -> Step:
    match value:
        case [str(kind), str(source), list(lines), dict(params), list(inputs)]:
            numbers = tuple(one for one in lines if type(one) is int)
            addresses = tuple(one for one in inputs if isinstance(one, str))
            if (len(numbers), len(addresses)) == (len(lines), len(inputs)):
                return Step(kind, source, numbers, plain_params(params), addresses)
    raise BadField("a step is a kind, a source, lines, parameters and further addresses")


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
        body.steps,
    )
