"""What a job is, and how jobs, their plans and their transfers are written and read back."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, Row, insert, select

from online.chains.api import Plan
from online.jobs.states import State
from online.orders.model import asset_of, plain_params
from online.store import tables
from online.store.database import Store, Tx
from shared.chains import chain
from shared.chains.api import Context, KeyPath
from shared.effects import Destination, Effects, Payment
from shared.encoding import Fields, Value, decode, encode, units_from_bytes, units_to_bytes
from shared.envelope import TransferRef
from shared.errors import BadField, UnknownJob
from shared.hdkeys import parse_path, print_path
from shared.money import Amount


@dataclass(frozen=True, slots=True)
class Job:
    """One transaction's life. Fields are None until the state that gives them."""

    id: int
    order: bytes
    state: State
    network: str
    kind: str
    wallet: str
    plan: Plan
    unsigned: bytes | None
    context: Context
    keys: tuple[KeyPath, ...]
    tx_id: str | None
    blob: bytes | None
    expiry_height: int | None
    submitted_height: int | None
    result: str
    created: int
    updated: int

    @property
    def effects(self) -> Effects | None:
        """Say what the built transaction does, decoded anew from its bytes."""
        return None if self.unsigned is None else effects_of(self)


def jobs(store: Store, *, order: bytes | None = None, states: Collection[State] = ()) -> tuple[Job, ...]:
    """List jobs in the order of their making, of one order or in some states if asked."""
    with store.reading() as connection:
        return find_jobs(connection, order=order, states=states)


def job(store: Store, job_id: int) -> Job:
    """Give a job. Raises UnknownJob."""
    with store.reading() as connection:
        return find_job(connection, job_id)


def find_jobs(
    connection: Connection, *, order: bytes | None = None, states: Collection[State] = ()
) -> tuple[Job, ...]:
    """List jobs within a transaction."""
    query = select(tables.jobs).order_by(tables.jobs.c.id)
    if order is not None:
        query = query.where(tables.jobs.c.order_id == order.hex())
    if states:
        query = query.where(tables.jobs.c.state.in_([state.value for state in states]))
    return tuple(_job(row) for row in connection.execute(query))


def find_job(connection: Connection, job_id: int) -> Job:
    """Give a job within a transaction. Raises UnknownJob."""
    row = connection.execute(select(tables.jobs).where(tables.jobs.c.id == job_id)).one_or_none()
    if row is None:
        raise UnknownJob(f"no job {job_id}")
    return _job(row)


def insert_job(
    tx: Tx, order: bytes, wallet: str, plan: Plan, lines: Collection[int], state: State, now: int
) -> int:
    """Write a new job of an order that carries out some of its lines, and give its number."""
    values = {"order_id": order.hex(), "state": state.value, "network": plan.network, "kind": plan.kind}
    values["source"] = plan.source
    row = insert(tables.jobs).values(
        wallet=wallet, plan=encode_plan(plan), result="", created=now, updated=now, **values
    )
    job_id = int(tx.sql.execute(row.returning(tables.jobs.c.id)).scalar_one())
    for position, line in enumerate(lines):
        transfer = TransferRef(order, line).transfer_id.hex()
        tx.sql.execute(insert(tables.job_transfers).values(job=job_id, position=position, transfer=transfer))
    return job_id


def transfer_refs(connection: Connection, job_id: int) -> tuple[TransferRef, ...]:
    """Give the transfers that a job carries out, in the order of its payments."""
    link, transfer = tables.job_transfers, tables.transfers
    query = (
        select(transfer.c.order_id, transfer.c.line)
        .join(link, link.c.transfer == transfer.c.id)
        .where(link.c.job == job_id)
        .order_by(link.c.position)
    )
    return tuple(TransferRef(bytes.fromhex(row.order_id), row.line) for row in connection.execute(query))


def effects_of(found: Job) -> Effects:
    """Decode what a built job's transaction does. Raises Refusal if its bytes are not what they were."""
    if found.unsigned is None:
        raise UnknownJob(f"job {found.id} is not built")
    ledger = chain(found.network)
    return ledger.effects(ledger.decode(found.unsigned, found.context, found.keys, found.network))


def encode_plan(plan: Plan) -> bytes:
    """Write a plan as bytes."""
    return encode(
        {
            "kind": plan.kind,
            "network": plan.network,
            "source": plan.source,
            "key": print_path(plan.key),
            "public_key": plan.public_key,
            "payments": [_payment_value(payment) for payment in plan.payments],
            "params": dict(plan.params),
        }
    )


def decode_plan(blob: bytes) -> Plan:
    """Read what `encode_plan` wrote."""
    fields = Fields(decode(blob), "plan")
    network = fields.text("network")
    params = fields.value("params")
    plan = Plan(
        fields.text("kind"),
        network,
        fields.text("source"),
        parse_path(fields.text("key")),
        fields.bytes("public_key"),
        tuple(_payment(value, network) for value in fields.list("payments")),
        plain_params(params if isinstance(params, dict) else {}),
    )
    fields.close()
    return plan


def encode_context(context: Context) -> bytes:
    """Write what a chain's context states as bytes."""
    return encode(dict(context))


def encode_keys(keys: Collection[KeyPath]) -> bytes:
    """Write key paths as bytes."""
    return encode([print_path(path) for path in keys])


def _payment_value(payment: Payment) -> list[Value]:
    to, amount = payment.destination, payment.amount
    return [payment.source, to.address, to.tag, to.memo, amount.asset.code, units_to_bytes(amount.units)]


def _payment(value: Value, network: str) -> Payment:
    match value:
        case [str(source), str(address), None | int() as tag, None | str() as memo, str(code), bytes(units)]:
            amount = Amount(asset_of(network, code), units_from_bytes(units))
            return Payment(source, Destination(address, tag, memo), amount)
        case _:
            raise BadField("a plan's payment is a source, a destination and an amount")


def _job(row: Row[tuple[object, ...]]) -> Job:
    return Job(
        row.id,
        bytes.fromhex(row.order_id),
        State(row.state),
        row.network,
        row.kind,
        row.wallet,
        decode_plan(row.plan),
        row.unsigned,
        _context(row.context),
        _keys(row.signing_keys),
        row.tx_id,
        row.blob,
        row.expiry_height,
        row.submitted_height,
        row.result,
        row.created,
        row.updated,
    )


def _context(blob: bytes | None) -> Context:
    value = {} if blob is None else decode(blob)
    assert isinstance(value, dict)
    return {name: one for name, one in value.items() if one is None or isinstance(one, (int, str, bytes))}


def _keys(blob: bytes | None) -> tuple[KeyPath, ...]:
    value = [] if blob is None else decode(blob)
    assert isinstance(value, list)
    return tuple(parse_path(str(one)) for one in value)
