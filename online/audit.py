"""What an auditor asks of the coordinator: does its journal hold, and do signer, store and ledger tell the same story.

Everything here only reads. A comparison lists what differs and explains nothing away.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from online import audit_books, audit_customers, audit_gap, audit_jobs, audit_orders, audit_people
from online.audit_told import Told
from online.chains.api import Dead, Final, Gateway, Outcome, Watched
from online.jobs.model import Job, effects_of, find_jobs
from online.jobs.states import State
from online.jobs.unknown import signed_in
from online.ledger import books
from online.store import journal
from online.store.database import Store
from online.store.signers import find_signer
from online.store.wallets import find_wallet
from shared.checkpoint import sign_checkpoint
from shared.errors import JournalDamaged, Refusal
from shared.journal import Journal, read_journal

ORIGIN = "lockgate-coordinator"


@dataclass(frozen=True, slots=True)
class AuditReport:
    """Whether the coordinator's journal, books and orders hold: its size, root and checkpoint, and every problem.

    `without_journal` are jobs that devices of other makers signed: no journal of a signer stands behind them.
    """

    entries: int
    root: bytes
    checkpoint: str
    problems: tuple[str, ...]
    without_journal: tuple[int, ...] = ()

    @property
    def ok(self) -> bool:
        """Say whether nothing is wrong."""
        return not self.problems


@dataclass(frozen=True, slots=True)
class Row:
    """One signed transaction as signer, store and ledger see it. `job` and `tx_id` are None where nothing is known."""

    unsigned_sha256: bytes
    job: int | None
    tx_id: str | None
    state: str
    note: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """The three-way comparison: each signed transaction stands in one list, and in a second if the ledger differs."""

    matched: tuple[Row, ...]
    only_in_signer: tuple[Row, ...]
    only_in_store: tuple[Row, ...]
    ledger_different: tuple[Row, ...]

    @property
    def ok(self) -> bool:
        """Say whether all three tell the same."""
        return not (self.only_in_signer or self.only_in_store or self.ledger_different)


def audit_lines(store: Store) -> bytes:
    """Give the coordinator's journal as the bytes of a journal file."""
    with store.reading() as connection:
        return journal.lines(connection)


def verify(store: Store, *, station: bytes | None = None) -> AuditReport:
    """Verify the journal, and row by row that the store says what the journal and the signed documents say.

    `station` is the key that must have written the journal, if the station's own is not open; without either, nothing
    is proven about who wrote it. The checkpoint is signed if the station key is open.
    """
    key = station if store.station is None else store.station.public_key
    with store.reading() as connection:
        lines, tip = journal.lines(connection), journal.tip(connection)
        try:
            found = read_journal(lines, key)
        except JournalDamaged as damage:
            return AuditReport(0, b"", "", (f"audit: {damage}",))
        problems = [] if found.tip == tip else ["audit: the journal does not end at its kept tip: lines were cut off"]
        told = Told(found)
        for look in (
            audit_people.look, audit_orders.look, audit_jobs.look, audit_gap.look, audit_books.look,
            audit_customers.look,
        ):  # fmt: skip
            problems += look(connection, told)
        alone = audit_gap.without_journal(connection)
    problems += [f"balances: {problem}" for problem in _proven(store)]
    return AuditReport(found.tip.size, found.tip.root(), _checkpoint(store, found), tuple(problems), alone)


def compare(
    store: Store, signer: bytes, signer_journal: bytes, gateways: Mapping[str, Gateway]
) -> Comparison:
    """Hold a signer's journal against the store, and what both know against the ledgers that a gateway is given for.

    Raises:
        UnknownSigner, JournalDamaged: if the journal is none of this signer. NodeUnreachable: of a gateway.
    """
    theirs = read_journal(signer_journal, signer)
    if theirs.torn_tail:
        raise JournalDamaged("the signer's journal ends within an entry, or with something that is none")
    signed = dict.fromkeys(one.unsigned_sha256 for one in signed_in(theirs.entries))
    with store.reading() as connection:
        find_signer(connection, signer)
        mine = [job for job in find_jobs(connection) if _held_by(connection, job, signer)]
    known = {hashlib.sha256(job.unsigned).digest(): job for job in mine if job.unsigned is not None}
    have = {name: job for name, job in known.items() if job.blob is not None}
    both = [_row(name, job, "") for name, job in have.items() if name in signed]
    return Comparison(
        tuple(both),
        tuple(_unknown(name, known.get(name)) for name in signed if name not in have),
        tuple(_row(name, job, "signed, and not in the signer's journal") for name, job in have.items()
              if name not in signed),
        tuple(_against_ledger(have, gateways)),
    )


def _proven(store: Store) -> tuple[str, ...]:
    try:
        return books.prove_balances(store)
    except (Refusal, ValueError) as trouble:
        return (f"not readable: {trouble}",)


def _checkpoint(store: Store, found: Journal) -> str:
    if store.station is None or not found.tip.size:
        return ""
    return sign_checkpoint(found.tip, ORIGIN, store.station.sign, store.station.public_key)


def _held_by(connection: Connection, job: Job, signer: bytes) -> bool:
    return find_wallet(connection, job.wallet).signer == signer


def _unknown(name: bytes, job: Job | None) -> Row:
    if job is None:
        return Row(name, None, None, "unknown", "signed, and no job of this store")
    return _row(name, job, "signed, and its answer was not imported")


def _row(name: bytes, job: Job, note: str) -> Row:
    return Row(name, job.id, job.tx_id, job.state, note)


def _against_ledger(have: Mapping[bytes, Job], gateways: Mapping[str, Gateway]) -> list[Row]:
    asked = {name: job for name, job in have.items() if job.network in gateways and job.state is not State.ANSWERED}
    looks = {network: gateways[network].look() for network in {job.network for job in asked.values()}}
    different = []
    for name, job in asked.items():
        effects = effects_of(job)
        watched = Watched(job.tx_id or "", job.blob or b"", effects, job.submitted_height or 0)
        outcome = looks[job.network].watch(watched)
        if _state_of(outcome) is not job.state:
            row = _row(name, job, f"the ledger says {_words(outcome)}")
            different.append(replace(row, state=job.state.value))
    return different


def _state_of(outcome: Outcome) -> State:
    """Give the state that a job has when the ledger says this."""
    if isinstance(outcome, Final):
        return State.FINAL if outcome.success else State.FAILED
    return State.DEAD if isinstance(outcome, Dead) else State.SUBMITTED


def _words(outcome: Outcome) -> str:
    if isinstance(outcome, Final):
        return f"{outcome.result} at {outcome.height}"
    return outcome.proof if isinstance(outcome, Dead) else outcome.text
