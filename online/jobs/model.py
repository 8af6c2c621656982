"""What a job is, and how jobs, their plans and their transfers are written and read back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection, Row, delete, insert, select, update

from online.chains.api import Plan
from online.jobs.states import UNDONE, State
from online.orders.model import payment_value, plain_params, read_payment
from online.store import tables
from online.store.assets import register_of, registers
from online.store.database import Store, Tx
from online.store.many import among, given
from shared.chains import chain
from shared.chains.api import NO_ASSETS, Context, KeyPath, Register
from shared.effects import Effects, Payment
from shared.encoding import Fields, Value, decode, encode
from shared.envelope import TransferRef
from shared.errors import BadField, UnknownJob
from shared.hdkeys import parse_path, print_path

_BY_NUMBER = select(tables.jobs).where(tables.jobs.c.id.in_(given()))


@dataclass(frozen=True, slots=True)
class Job:
    """One transaction's life. Fields are None until the state that gives them.

    `replaces` is the job that this one was made to replace while that may still happen; `decision` is the signed word
    that says so. `register` is what is noted of the network's assets.
    """

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
    replaces: int | None = None
    decision: bytes | None = None
    register: Register = field(default_factory=lambda: NO_ASSETS)

    @property
    def replacing(self) -> tuple[int, bytes] | None:
        """Give the job that this one replaces and the word for it, as `insert_job` takes them."""
        return None if self.replaces is None or self.decision is None else (self.replaces, self.decision)

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
    known = registers(connection)
    return tuple(_job(row, known) for row in connection.execute(query))


def find_job(connection: Connection, job_id: int) -> Job:
    """Give a job within a transaction. Raises UnknownJob."""
    row = connection.execute(select(tables.jobs).where(tables.jobs.c.id == job_id)).one_or_none()
    if row is None:
        raise UnknownJob(f"no job {job_id}")
    return _job(row, {row.network: register_of(connection, row.network)})


def jobs_numbered(connection: Connection, numbers: Collection[int]) -> tuple[Job, ...]:
    """Give the jobs of some numbers within a transaction, in their order; a number that no job has is left out."""
    rows = {row.id: row for row in among(connection, _BY_NUMBER, numbers)}
    known = registers(connection) if rows else {}
    return tuple(_job(rows[number], known) for number in numbers if number in rows)


def may_happen(connection: Connection, order: str) -> bool:
    """Say whether an order, by its id in hex, has a job that has not ended, or that has happened."""
    ended = [state.value for state in (*UNDONE, State.FAILED)]
    query = select(tables.jobs.c.id).where(tables.jobs.c.order_id == order, tables.jobs.c.state.not_in(ended))
    return connection.execute(query.limit(1)).scalar() is not None


def insert_job(
    tx: Tx,
    order: bytes,
    wallet: str,
    plan: Plan,
    lines: Collection[int],
    state: State,
    now: int,
    replacing: tuple[int, bytes] | None = None,
) -> int:
    """Write a new job of an order that carries out some of its lines, and give its number.

    `replacing` is the job that it replaces while that may still happen, and the signed word for it.
    """
    replaces, decision = replacing or (None, None)
    values = {"order_id": order.hex(), "state": state.value, "network": plan.network, "kind": plan.kind}
    values["source"] = plan.source
    row = insert(tables.jobs).values(
        wallet=wallet, plan=encode_plan(plan), result="", created=now, updated=now,
        replaces=replaces, decision=decision, **values,
    )  # fmt: skip
    job_id = int(tx.sql.execute(row.returning(tables.jobs.c.id)).scalar_one())
    _write_transfers(tx, job_id, [TransferRef(order, line) for line in lines])
    return job_id


def reorder(tx: Tx, job: Job, payments: tuple[Payment, ...]) -> None:
    """Put a job's payments, and its transfers with them, in the order in which its transaction makes them.

    Both are the same payments already; among equal ones each keeps its place.
    """
    if payments == job.plan.payments:
        return
    left: dict[Payment, list[TransferRef]] = {}
    for payment, ref in zip(job.plan.payments, transfer_refs(tx.sql, job.id), strict=True):
        left.setdefault(payment, []).append(ref)
    refs = [left[payment].pop(0) for payment in payments]
    tx.sql.execute(delete(tables.job_transfers).where(tables.job_transfers.c.job == job.id))
    _write_transfers(tx, job.id, refs)
    plan = encode_plan(replace(job.plan, payments=payments))
    tx.sql.execute(update(tables.jobs).where(tables.jobs.c.id == job.id).values(plan=plan))


def _write_transfers(tx: Tx, job_id: int, refs: Collection[TransferRef]) -> None:
    rows = [
        {"job": job_id, "position": position, "transfer": ref.transfer_id.hex()} for position, ref in enumerate(refs)
    ]
    if rows:
        tx.sql.execute(insert(tables.job_transfers), rows)


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
    return ledger.effects(ledger.decode(found.unsigned, found.context, found.keys, found.network), found.register)


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
            "inputs": [[address, print_path(path), public_key] for address, path, public_key in plan.inputs],
        }
    )


def decode_plan(blob: bytes) -> Plan:
    """Read what `encode_plan` wrote."""
    fields = Fields(decode(blob), "plan")
    network = fields.text("network")
    plan = Plan(
        fields.text("kind"),
        network,
        fields.text("source"),
        parse_path(fields.text("key")),
        fields.bytes("public_key"),
        tuple(_payment(value, network) for value in fields.list("payments")),
        plain_params(fields.value("params")),
        inputs=tuple(_input(value) for value in fields.list("inputs")),
    )
    fields.close()
    return plan


def encode_context(context: Context) -> bytes:
    """Write what a chain's context states as bytes."""
    return encode(dict(context))


def encode_keys(keys: Collection[KeyPath]) -> bytes:
    """Write key paths as bytes."""
    return encode([print_path(path) for path in keys])


def _payment_value(payment: Payment) -> Value:
    return payment_value(payment.source, payment.destination, payment.amount)


def _payment(value: Value, network: str) -> Payment:
    return Payment(*read_payment(value, network))


def _input(value: Value) -> tuple[str, KeyPath, bytes]:
    match value:
        case [str(address), str(path), bytes(public_key)]:
            return address, parse_path(path), public_key
        case _:
            raise BadField("a further input is an address, a path and a public key")


def _job(row: Row[tuple[object, ...]], known: Mapping[str, Register]) -> Job:
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
        row.replaces,
        row.decision,
        known.get(row.network, NO_ASSETS),
    )


def _context(blob: bytes | None) -> Context:
    value = {} if blob is None else decode(blob)
    assert isinstance(value, dict)
    return {name: one for name, one in value.items() if one is None or isinstance(one, (int, str, bytes))}


def _keys(blob: bytes | None) -> tuple[KeyPath, ...]:
    value = [] if blob is None else decode(blob)
    assert isinstance(value, list)
    return tuple(parse_path(str(one)) for one in value)
