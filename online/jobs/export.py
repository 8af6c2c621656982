"""Built -> exported: the built jobs of one signer's wallets become one request, sealed by the station and kept.

What was exported is shown again as the same bytes. One request to a signer is open at a time, so that its journal is
followed without gaps; a coordinator that is behind a signer's journal exports nothing to it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from online.jobs.leaving import why_barred
from online.jobs.model import Job, effects_of, find_jobs, jobs_numbered, transfer_refs
from online.jobs.moves import move
from online.jobs.states import State
from online.jobs.unknown import require_entries, require_reconciled
from online.orders.mandated import ORDER_KIND
from online.orders.model import find_order
from online.store import journal, tables
from online.store.database import Store, Tx
from online.store.signers import Signer, find_signer
from online.store.wallets import public_keys
from shared.chains import chain, interchange
from shared.chains.api import Context
from shared.encoding import Value
from shared.envelope import MOST_ITEMS, Item, Lot, SigningRequest, context_of, open_request, seal_request
from shared.errors import (
    ForeignSignerAsked,
    NothingToExport,
    Refusal,
    RequestOutstanding,
    UnknownRequest,
)
from shared.foreign import foreign_document
from shared.review import Reviewed, context_lines

_MOST_LOTS = 16


@dataclass(frozen=True, slots=True)
class Exported:
    """A request as it crosses the gap, and the jobs in it by position."""

    digest: bytes
    blob: bytes
    jobs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RequestRow:
    """A request in the store; open while an answer to it can still move a job."""

    digest: bytes
    signer: bytes
    created: int
    jobs: tuple[int, ...]
    answered: bool
    open: bool


def export_request(
    store: Store,
    signer: bytes,
    now: int,
    *,
    order: bytes | None = None,
    heights: Mapping[str, int] | None = None,
) -> Exported:
    """Export what is built for a signer, of one order if asked; what does not fit waits for the next request.

    For a device of another maker the bytes are what it exchanges, of one transaction at a time.

    With `heights` (the newest known of each network) what has expired there is left out: `renew_stale` comes before. So
    is what pays withdrawals under a mandate that does not let it through any more, or that the journal does not bear
    out: `pay_out` tells of those.

    Raises:
        NothingToExport: if nothing is built. As `require_ready`.
        BadSeal, BadSignature, PlanMismatch: if another job is not what two people signed.
    """
    with store.transaction() as tx:
        asked = _ready(tx.sql, signer, order, tx.station.public_key)
        waits = waiting(tx.sql, signer, order, (State.BUILT,))
        barred = why_barred(tx.sql, tx.station.public_key, waits, store.memory.followed)
        for job in waits:
            if job.id in barred and find_order(tx.sql, job.order).kind != ORDER_KIND:
                raise barred[job.id]
        built = [job for job in waits if _lives(job, heights or {}) and job.id not in barred]
        if not built:
            raise NothingToExport(f"nothing is built for the signer {asked.name}")
        if asked.fingerprint:
            jobs = built[:1]  # a PSBT is one transaction
            digest, blob = _psbt(tx.sql, jobs[0], asked)
        else:
            lots, jobs = _lots(tx, signer, built)
            request = SigningRequest(tx.station.public_key, signer, now, asked.seen, lots)
            blob = seal_request(request, tx.station.sign)
            digest = open_request(blob)[1].digest
        keep_request(tx, digest, signer, blob, jobs, now, now)
        for job in jobs:
            move(tx, job, State.EXPORTED, now, note={"request": digest})
        return Exported(digest, blob, tuple(job.id for job in jobs))


def require_ready(store: Store, signer: bytes, *, order: bytes | None = None) -> None:
    """Refuse what an export would be refused for, before anything is built for it.

    Raises:
        UnknownSigner: if it was never paired. EntriesMissing: if its journal is ahead of this coordinator.
        Unreconciled, SignedElsewhere: if its journal shows what this store does not hold.
        RequestOutstanding: if an earlier request to it is open, which of a device matters to nobody.
    """
    with store.transaction() as tx:
        _ready(tx.sql, signer, order, tx.station.public_key)


def waiting(
    connection: Connection, signer: bytes, order: bytes | None, states: Collection[State]
) -> list[Job]:
    """List the jobs of a signer's wallets in some states, of one order if asked."""
    wallets = select(tables.wallets.c.name).where(tables.wallets.c.signer == signer)
    mine = set(connection.execute(wallets).scalars())
    return [job for job in find_jobs(connection, order=order, states=states) if job.wallet in mine]


def request_blob(store: Store, digest: bytes) -> bytes:
    """Give an exported request again, byte for byte. Raises UnknownRequest."""
    with store.reading() as connection:
        return find_request(connection, digest)[1]


def requests(store: Store) -> tuple[RequestRow, ...]:
    """List the requests, the oldest first."""
    table = tables.requests
    with store.reading() as connection:
        rows = connection.execute(select(table).order_by(table.c.created, table.c.digest)).all()
        return tuple(_row(connection, bytes.fromhex(row.digest), row.signer, row.created) for row in rows)


@dataclass(frozen=True, slots=True)
class Open:
    """A request that an answer can still move: to which signer, its sealed bytes, and since when (Unix seconds)."""

    digest: bytes
    signer: bytes
    sealed: bytes
    created: int


def open_requests(connection: Connection, signer: bytes | None = None) -> tuple[Open, ...]:
    """List the exported requests that wait for an answer, the oldest first, of one signer if asked."""
    items, asked, answers = tables.request_items, tables.requests, tables.answers
    waits = (
        select(items.c.request)
        .join(tables.jobs, tables.jobs.c.id == items.c.job)
        .where(tables.jobs.c.state == State.EXPORTED.value)
    )
    query = (
        select(asked)
        .outerjoin(answers, answers.c.request == asked.c.digest)
        .where(answers.c.request.is_(None), asked.c.digest.in_(waits))
        .order_by(asked.c.created, asked.c.digest)
    )
    if signer is not None:
        query = query.where(asked.c.signer == signer)
    return tuple(Open(bytes.fromhex(row.digest), row.signer, row.sealed, row.created)
                 for row in connection.execute(query))  # fmt: skip


def request_review_input(store: Store, digest: bytes) -> tuple[Reviewed, ...]:
    """Give what the review says of each of a request's transactions. Raises UnknownRequest."""
    with store.reading() as connection:
        key, blob = find_request(connection, digest)
        jobs = request_jobs(connection, digest)
        if find_signer(connection, key).fingerprint:
            (job,) = jobs
            ids = tuple(ref.transfer_id for ref in transfer_refs(connection, job.id))
            return (Reviewed(effects_of(job), job.keys, (), ids),)
        return tuple(
            Reviewed(effects_of(job), item.keys, context_lines(context_of(lot, item)), _ids(item))
            for job, (lot, item) in zip(jobs, open_request(blob)[0].flat(), strict=True)
        )


def _ids(item: Item) -> tuple[bytes, ...]:
    return tuple(ref.transfer_id for ref in item.transfers)


def find_request(connection: Connection, digest: bytes) -> tuple[bytes, bytes]:
    """Give a request's signer and sealed bytes within a transaction. Raises UnknownRequest."""
    table = tables.requests
    row = connection.execute(select(table).where(table.c.digest == digest.hex())).one_or_none()
    if row is None:
        raise UnknownRequest(f"no request {digest.hex()[:16]} was exported here")
    return row.signer, row.sealed


def request_jobs(connection: Connection, digest: bytes) -> tuple[Job, ...]:
    """Give the jobs of a request by position."""
    table = tables.request_items
    query = select(table.c.job).where(table.c.request == digest.hex()).order_by(table.c.position)
    return jobs_numbered(connection, connection.execute(query).scalars().all())


def _ready(connection: Connection, key: bytes, order: bytes | None, station: bytes) -> Signer:
    signer = find_signer(connection, key)
    require_entries(signer)
    jobs = waiting(connection, key, order, (State.APPROVED, State.BUILT))
    transfers = {ref.transfer_id.hex(): job.id for job in jobs for ref in transfer_refs(connection, job.id)}
    require_reconciled(connection, key, station, transfers)
    if not signer.fingerprint:  # there is no journal of a device to follow, so several may be under way
        _require_answered(connection, signer)
    return signer


def _psbt(connection: Connection, job: Job, device: Signer) -> tuple[bytes, bytes]:
    """Write a job's transaction as the device exchanges it, and give its digest first. Raises ForeignSignerAsked."""
    ledger, unsigned = chain(job.network), job.unsigned or b""
    transaction = ledger.decode(unsigned, job.context, job.keys, job.network)
    own = public_keys(connection, device.public_key, job.network, job.keys)
    try:
        raw = interchange(job.network).ask(transaction, device.fingerprint, own)
    except Refusal as refusal:
        hint = "Withdraw its order, and draft it from a wallet of a signer of ours, or in one transaction."
        raise ForeignSignerAsked(f"job {job.id} can not go to {device.name}: {refusal}", hint=hint) from None
    return foreign_document(job.network, None, raw)[1], raw


def _require_answered(connection: Connection, signer: Signer) -> None:
    for one in open_requests(connection, signer.public_key):
        raise RequestOutstanding(f"the request {one.digest.hex()[:16]} to {signer.name} has no answer yet")


def _lives(job: Job, heights: Mapping[str, int]) -> bool:
    return job.expiry_height is None or job.expiry_height > heights.get(job.network, 0)


def _lots(tx: Tx, signer: bytes, built: Sequence[Job]) -> tuple[tuple[Lot, ...], list[Job]]:
    """Gather built jobs by network, as many as one request may hold."""
    groups: dict[str, list[Job]] = {}
    for job in built[:MOST_ITEMS]:
        groups.setdefault(job.network, []).append(job)
    kept = list(groups.values())[:_MOST_LOTS]
    return tuple(_lot(tx, signer, group) for group in kept), [job for group in kept for job in group]


def _lot(tx: Tx, signer: bytes, jobs: Sequence[Job]) -> Lot:
    """Write what is stated alike for all of them once, and nothing that follows from the wallets' cards."""
    network = jobs[0].network
    contexts = [
        chain(network).lean(job.context, job.keys, public_keys(tx.sql, signer, network, job.keys)) for job in jobs
    ]
    first = contexts[0]
    common = {name: value for name, value in first.items() if all(_states(one, name, value) for one in contexts)}
    items = (_item(tx, job, context, common) for job, context in zip(jobs, contexts, strict=True))
    return Lot(network, common, tuple(items))


def stated(connection: Connection, signer: bytes, lot: Lot, item: Item) -> Context:
    """Give all that a request to a signer states of a transaction, with what its export left out put back."""
    own = public_keys(connection, signer, lot.network, item.keys)
    return chain(lot.network).full(context_of(lot, item), item.keys, own)


def _item(tx: Tx, job: Job, context: Context, common: Context) -> Item:
    own = {name: value for name, value in context.items() if name not in common}
    return Item(job.unsigned or b"", job.keys, transfer_refs(tx.sql, job.id), own)


def _states(context: Context, name: str, value: object) -> bool:
    return name in context and type(context[name]) is type(value) and context[name] == value


def keep_request(
    tx: Tx, digest: bytes, signer: bytes, blob: bytes, jobs: Sequence[Job], created: int, now: int
) -> None:
    """Write a sealed request with its jobs by position."""
    values = {"digest": digest.hex(), "signer": signer, "sealed": blob, "created": created}
    tx.sql.execute(insert(tables.requests).values(values))
    for position, job in enumerate(jobs):
        row = {"request": digest.hex(), "position": position, "job": job.id}
        tx.sql.execute(insert(tables.request_items).values(row))
    body: dict[str, Value] = {"request": digest, "signer": signer, "count": len(jobs), "created": created}
    journal.append(tx, "request", body, now)


def _row(connection: Connection, digest: bytes, signer: bytes, created: int) -> RequestRow:
    items, jobs = tables.request_items, tables.jobs
    query = select(jobs.c.id, jobs.c.state).join(items, items.c.job == jobs.c.id).order_by(items.c.position)
    found = connection.execute(query.where(items.c.request == digest.hex())).all()
    answer = select(tables.answers.c.request).where(tables.answers.c.request == digest.hex())
    answered = connection.execute(answer).scalar() is not None
    waiting = any(row.state == State.EXPORTED.value for row in found)
    return RequestRow(
        digest, signer, created, tuple(row.id for row in found), answered, waiting and not answered
    )
