"""Takes in a signer's journal, and with it what this coordinator forgot: a restored backup learns what was signed.

A request in the journal is taken back whole or not at all, only where its orders stand here with two signatures and say
the same. Its jobs are then exported ones, whose fate the ledger or the answer decides. All else is for a person.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError

from online.chains.api import Built
from online.jobs.build import adopt
from online.jobs.export import keep_request, stated
from online.jobs.model import Job, find_job, jobs_numbered, transfer_refs
from online.jobs.moves import move
from online.jobs.renew import remake
from online.jobs.signer_journal import require_holds, take_lines
from online.jobs.states import UNDONE, State
from online.jobs.unknown import (
    ACKNOWLEDGE,
    acknowledged,
    foreign_in,
    item_of,
    kept_entries,
    request_in,
    unknown_among,
)
from online.orders.model import find_order
from online.orders.replacement import ancestors
from online.orders.signed import signed_body
from online.store import journal, tables
from online.store.assets import registers
from online.store.database import Store, Tx
from online.store.people import known as known_person
from online.store.signers import find_signer, set_seen
from online.store.wallets import find_owner
from online.withdrawals.gathering import regather
from shared.chains import chain
from shared.chains.api import NO_ASSETS
from shared.effects import Effects, Payment
from shared.encoding import Value, encode
from shared.envelope import Item, Lot, SeenLog, SigningRequest
from shared.errors import JournalDamaged, MoveRefused, NoSuchName, Refusal, StrangeSigner, UnknownOrder
from shared.journal import Entry, read_journal
from shared.policy import Person
from shared.sealed import Sign, seal


@dataclass(frozen=True, slots=True)
class Unknown:
    """A transaction that was signed and is not known here: what it pays, and why it was not taken back."""

    request: bytes
    unsigned_sha256: bytes
    entry: int
    pays: tuple[str, ...]
    why: str
    acknowledged: bool


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What an imported journal showed: its size, the jobs that were taken back, and what stays unknown."""

    size: int
    jobs: tuple[int, ...]
    unknown: tuple[Unknown, ...]


def import_signer_journal(store: Store, signer: bytes, blob: bytes, now: int) -> Reconciled:
    """Take in a signer's whole journal, verified, with the requests that were forgotten; report what stays unknown.

    Raises:
        UnknownSigner: if it was never paired. JournalDamaged: if an entry was altered, or the file ends within one.
        SignerJournalRolledBack, SignerJournalForked: if it contradicts what was proven before.
    """
    found = read_journal(blob, signer)
    if found.torn_tail:
        raise JournalDamaged("the file ends within an entry")
    with store.transaction() as tx:
        known = find_signer(tx.sql, signer)
        for state in (known.seen, known.wanted):
            require_holds(found, state, known)
        take_lines(tx, signer, blob)
        seen = SeenLog(found.tip.size, found.tip.root())
        if seen.size:
            set_seen(tx, signer, seen, known.checkpoint, now)
        journal.append(tx, "signer-journal", {"signer": signer, "size": seen.size, "root": seen.root}, now)
        jobs, why = _take_back_all(tx, signer, found.entries, now)
        return Reconciled(seen.size, jobs, _unknown(tx.sql, signer, tx.station.public_key, found.entries, why))


def unknown(store: Store, signer: bytes) -> tuple[Unknown, ...]:
    """List what the kept journal of a signer shows as signed and no job here stands for."""
    with store.reading() as connection:
        key = None if store.station is None else store.station.public_key
        return _unknown(connection, signer, key, kept_entries(connection, signer), {})


def acknowledge(
    store: Store, signer: bytes, transactions: Collection[bytes], *, person: Person, sign: Sign, now: int
) -> None:
    """Keep a person's signed word that they looked into unknown transactions, so that exports go on.

    Raises:
        NoSuchName: if one of them is not unknown. UnknownPerson: if the store does not hold them.
    """
    with store.transaction() as tx:
        known_person(tx.sql, person)
        names = {one.unsigned_sha256 for one in unknown_among(tx.sql, kept_entries(tx.sql, signer))}
        if not transactions or set(transactions) - names:
            raise NoSuchName("only a transaction that this store does not know is acknowledged")
        body: dict[str, Value] = {"signer": signer, "transactions": sorted(transactions)}
        word = seal(ACKNOWLEDGE, encode(body), [(person.key, sign)])
        journal.append(tx, "acknowledge", {"signer": signer, "word": word, "by": person.name}, now)


def _take_back_all(
    tx: Tx, signer: bytes, entries: tuple[Entry, ...], now: int
) -> tuple[tuple[int, ...], dict[int, str]]:
    """Take back request after request, the oldest first; give the jobs, and by entry why one was not."""
    jobs: tuple[int, ...] = ()
    why: dict[int, str] = {}
    for number in sorted({one.entry for one in unknown_among(tx.sql, entries)}):
        try:
            with tx.sql.begin_nested():
                jobs += _take_back(tx, signer, entries[number], now)
        except Refusal as refusal:
            why[number] = str(refusal)
        except IntegrityError:
            why[number] = "another job here holds what it uses up"
    return jobs, why


def _take_back(tx: Tx, signer: bytes, entry: Entry, now: int) -> tuple[int, ...]:
    request, blob, digest = request_in(entry)
    if request.station != tx.station.public_key or request.signer != signer:
        raise StrangeSigner("another coordinator asked for it")
    _regather(tx, signer, request, now)
    jobs = [_job_for(tx, signer, lot, item, entry, now) for lot, item in request.flat()]
    keep_request(tx, digest, signer, blob, jobs, request.created, now)
    for job in jobs:
        move(tx, job, State.EXPORTED, now, note={"request": digest, "entry": entry.number})
    return tuple(job.id for job in jobs)


def _regather(tx: Tx, signer: bytes, request: SigningRequest, now: int) -> None:
    """Make the station's own orders again that paid withdrawals and were forgotten: nobody drafts those by hand."""
    paid: dict[bytes, dict[int, Payment]] = {}
    for lot, item in request.flat():
        effects = _effects(tx.sql, signer, lot, item)
        for ref, payment in zip(item.transfers, effects.payments, strict=True):
            paid.setdefault(ref.order, {})[ref.line] = payment
    for order, lines in paid.items():
        known = tx.sql.execute(select(tables.orders.c.id).where(tables.orders.c.id == order.hex())).scalar()
        payments = [lines[number] for number in sorted(lines)]
        payer = find_owner(tx.sql, payments[0].amount.asset.network, payments[0].source)
        if known is None and payer is not None:
            regather(tx, payer.wallet, order, [(one.destination, one.amount) for one in payments], now)


def _job_for(tx: Tx, signer: bytes, lot: Lot, item: Item, entry: Entry, now: int) -> Job:
    """Give a built job for a transaction, the one that stands here or a new one of the same order."""
    built = Built(item.unsigned, stated(tx.sql, signer, lot, item), item.keys, _effects(tx.sql, signer, lot, item))
    job = _latest(tx.sql, item)
    if job.state is State.BUILT:
        if (job.unsigned, job.context, job.keys) == (built.unsigned, built.context, built.keys):
            return job
        job = move(tx, job, State.WITHDRAWN, now)
    if job.state in UNDONE:
        new = remake(tx, job, now)
        journal.append(tx, "reconcile", {"old": job.id, "new": new, "entry": entry.number}, now)
        job = find_job(tx.sql, new)
    return adopt(tx, job, built, now)


def _latest(connection: Connection, item: Item) -> Job:
    """Find the newest job of the transaction's transfers, if none of them may still happen in another way."""
    for order in {ref.order for ref in item.transfers}:
        find_order(connection, order)
        signed_body(connection, order)
    mine = _jobs_of(connection, item)
    if not mine:
        raise UnknownOrder("it pays nothing, and no job here has its bytes")
    if set(transfer_refs(connection, mine[-1].id)) != set(item.transfers):
        raise MoveRefused(f"job {mine[-1].id} carries out other transfers together")
    open_ones = [job for job in mine[-1:] if job.state not in (State.APPROVED, State.BUILT, *UNDONE)]
    replaced = ancestors(connection, mine[-1])
    open_ones += [job for job in mine[:-1] if job.state not in UNDONE and job.id not in replaced]
    if open_ones:
        raise MoveRefused(f"job {open_ones[0].id} carries out the same, and is {open_ones[0].state}")
    return mine[-1]


def _jobs_of(connection: Connection, item: Item) -> list[Job]:
    """Find the jobs of the transaction's transfers; of one that pays nothing, those with its bytes."""
    link, jobs = tables.job_transfers, tables.jobs
    names = [ref.transfer_id.hex() for ref in item.transfers]
    query = select(link.c.job).where(link.c.transfer.in_(names))
    if not names:
        query = select(jobs.c.id).where(jobs.c.unsigned_sha256 == hashlib.sha256(item.unsigned).digest())
    numbers = sorted(set(connection.execute(query).scalars()))
    return list(jobs_numbered(connection, numbers))


def _unknown(
    connection: Connection, signer: bytes, station: bytes | None, entries: tuple[Entry, ...], why: dict[int, str]
) -> tuple[Unknown, ...]:
    found = unknown_among(connection, entries)
    accepted = acknowledged(connection, station) if found else frozenset()
    return tuple(
        Unknown(
            one.request,
            one.unsigned_sha256,
            one.entry,
            _asks(entries[one.entry]) or _pays(connection, signer, item_of(entries[one.entry], one.unsigned_sha256)),
            why.get(one.entry, ""),
            one.unsigned_sha256 in accepted,
        )
        for one in found
    )


def _asks(entry: Entry) -> tuple[str, ...]:
    """Say what another maker's wallet asked for, if that is what the entry is of."""
    found = foreign_in(entry)
    if found is None:
        return ()
    try:
        outputs = chain(found[0]).explain(found[1], found[0]).get("outputs", ())
    except Refusal as refusal:
        outputs = (f"what it does can not be read: {refusal}",)
    return ("another maker's wallet asked for it", *map(str, outputs))


def _pays(connection: Connection, signer: bytes, found: tuple[Lot, Item] | None) -> tuple[str, ...]:
    """Say what a transaction does, decoded from its bytes."""
    if found is None:
        return ("what it does can not be read",)
    try:
        effects = _effects(connection, signer, *found)
    except Refusal as refusal:
        return (f"what it does can not be read: {refusal}",)
    pays = [f"{one.amount} from {one.source} to {one.destination}" for one in effects.payments]
    return (*pays, *(f"{one.account} {one.detail}" for one in effects.settings)) or (effects.kind,)


def _effects(connection: Connection, signer: bytes, lot: Lot, item: Item) -> Effects:
    ledger = chain(lot.network)
    register = registers(connection).get(lot.network, NO_ASSETS)
    context = stated(connection, signer, lot, item)
    return ledger.effects(ledger.decode(item.unsigned, context, item.keys, lot.network), register)
