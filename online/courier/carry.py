"""One turn of carrying to the signers that have a spool: answers in, what is approved out. Calling it again is safe.

It takes nobody's place: what goes out was approved as its order asks, one request is open at a time as for every
signer, and a refusal ends nothing here, since its bytes have left: only the ledger's proof, or a signed answer, does.
What the signer's policy forbids comes back declined in its answer, and is told once.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sqlalchemy import select

from online.chains.api import Gateway
from online.courier.spool import Spool
from online.jobs.answers import Answered, import_answer
from online.jobs.build import build_job, gateway_of
from online.jobs.coming import judged
from online.jobs.export import Exported, export_request, open_requests, require_ready, waiting
from online.jobs.leases import Leases, leases
from online.jobs.model import Job
from online.jobs.model import job as job_of
from online.jobs.renew import renew_stale
from online.jobs.signer_journal import note_checkpoint
from online.jobs.states import State
from online.store import tables
from online.store.database import Store
from online.store.signers import signer as signer_of
from online.telling import in_the_way
from online.withdrawals.settling import of_withdrawals
from shared.errors import AnswerTooLate, NothingToExport, Refusal, RequestOutstanding
from shared.review import fingerprint

PATIENCE_SECONDS: Final = 1.0
"""How long a turn waits for the answer to what it has just laid; a signer that is there needs far less."""

_LOOK_SECONDS: Final = 0.01


@dataclass(slots=True)
class Carried:
    """What one turn carried, how many requests wait in spools, and what a person must look into."""

    exported: list[Exported] = field(default_factory=list)
    answered: list[Answered] = field(default_factory=list)
    waiting: int = 0
    troubles: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Round:
    """A turn at one signer's spool."""

    store: Store
    gateways: Mapping[str, Gateway]
    held: Leases
    name: str
    spool: Spool
    now: int
    carried: Carried

    def trouble(self, text: str) -> None:
        self.carried.troubles.append(f"spool of {self.name}: {text}")

    def refusal(self, what: str, refusal: Refusal) -> None:
        self.carried.troubles.append(in_the_way(f"spool of {self.name}{what}", refusal))


def look_back(store: Store, spools: Mapping[str, Path], now: int) -> tuple[str, ...]:
    """See in each spool whether its signer answered a request that this store forgot, as a restored one has.

    Its journal is then wanted, and nothing is gathered for it or exported to it. Give what stands in the way.
    """
    station, troubles = store.station, []
    for name, folder in sorted(spools.items()):
        try:
            last = None if station is None else Spool(folder).last(station.public_key)
            if last is not None and not _is_known(store, last[0]):
                note_checkpoint(store, signer_of(store, name).public_key, last[1], now)
        except Refusal as refusal:
            troubles.append(in_the_way(f"spool of {name}", refusal))
    return tuple(troubles)


def carry(
    store: Store, gateways: Mapping[str, Gateway], spools: Mapping[str, Path], now: int,
    *, patience_seconds: float = PATIENCE_SECONDS,
) -> Carried:
    """Do one turn for every signer (by name) with a spool; a trouble of one does not stop the others.

    A spool that another process is busy with is left to it.
    """
    carried = Carried()
    with leases(store) as held:
        for name, folder in sorted(spools.items()):
            one = _Round(store, gateways, held, name, Spool(folder), now, carried)
            try:
                with held.spool(name) as mine:
                    _carry(one, patience_seconds, mine=mine)
            except Refusal as refusal:
                one.refusal("", refusal)
    return carried


def _carry(one: _Round, patience_seconds: float, *, mine: bool) -> None:
    key = signer_of(one.store, one.name).public_key
    if not mine:
        one.carried.waiting += len(_open(one.store, key))
        return
    _take_answers(one)
    _export(one, key)
    laid = [digest for digest, sealed in _open(one.store, key).items() if _lay(one, digest, sealed)]
    if laid and _comes(one.spool, laid, patience_seconds):
        _take_answers(one)
    left = _open(one.store, key)
    one.carried.waiting += len(left)
    _look_at_refusals(one, frozenset(left))


def _take_answers(one: _Round) -> None:
    """Import what came back; what is taken in, or can do nothing any more, is removed, and anything else stays."""
    for digest in one.spool.answers():
        try:
            done = import_answer(one.store, one.spool.answer(digest), one.now)
        except AnswerTooLate as late:
            one.refusal(f": answer to {fingerprint(digest)}", late)
        except Refusal as refusal:
            one.refusal(f": answer to {fingerprint(digest)}", refusal)
            continue
        else:
            one.carried.answered.append(done)
            if not done.repeated:
                _tell_declined(one, done)
        one.spool.forget(digest)


def _tell_declined(one: _Round, done: Answered) -> None:
    """Say what the signer will never sign: its jobs have ended, and somebody should know why."""
    for number in done.declined:
        one.trouble(f"job {number} was declined: {job_of(one.store, number).result}")


def _export(one: _Round, key: bytes) -> None:
    """Build what is approved and export what is built, unless an earlier request is still open."""
    with one.store.reading() as connection:
        waits = waiting(connection, key, None, (State.APPROVED, State.BUILT))
        # Withdrawals are gathered and built in a turn of their own, which knows when one must be held.
        withdrawals = {job.order for job in of_withdrawals(connection, waits)}
    if not waits:
        return
    try:
        require_ready(one.store, key)
    except RequestOutstanding:
        return
    networks = {job.network for job in waits if job.state is State.BUILT}
    heights = {network: gateway_of(one.gateways, network).height() for network in sorted(networks)}
    renewed = renew_stale(one.store, key, heights, one.now)
    for job in _approved(one, key) if renewed else waits:
        if job.state is State.APPROVED and job.order not in withdrawals and one.held.take(job):
            _build(one, job)
    try:
        one.carried.exported.append(export_request(one.store, key, one.now, heights=heights))
    except (NothingToExport, RequestOutstanding):  # a person may have exported it meanwhile
        return


def _approved(one: _Round, key: bytes) -> list[Job]:
    with one.store.reading() as connection:
        return waiting(connection, key, None, (State.APPROVED,))


def _build(one: _Round, job: Job) -> None:
    """Build one job; what stands in its way stops no other."""
    try:
        build_job(one.store, job.id, gateway_of(one.gateways, job.network), one.now)
    except Refusal as refusal:
        one.refusal(f": job {job.id} waits", judged(one.store, job, refusal))


def _open(store: Store, key: bytes) -> dict[bytes, bytes]:
    """Give the exported requests to a signer that an answer can still move, by digest."""
    with store.reading() as connection:
        return {one.digest: one.sealed for one in open_requests(connection, key)}


def _lay(one: _Round, digest: bytes, sealed: bytes) -> bool:
    """Lay a request that lies nowhere, also one that was lost or that a person took out of `refused`."""
    if one.spool.holds(digest):
        return False
    one.spool.lay(digest, sealed)
    return True


def _comes(spool: Spool, laid: list[bytes], patience_seconds: float) -> bool:
    """Wait a little while for an answer."""
    until = time.monotonic() + patience_seconds
    while True:
        if not {*laid}.isdisjoint((*spool.answers(), *spool.refusals())):
            return True
        if time.monotonic() >= until:
            return False
        time.sleep(_LOOK_SECONDS)


def _look_at_refusals(one: _Round, left: frozenset[bytes]) -> None:
    """Tell what the signer refused while it is open, and clear away what the ledger has ended meanwhile."""
    for digest in one.spool.refusals():
        if digest not in left:
            if _is_known(one.store, digest):
                one.spool.forget(digest)
            continue
        try:
            reason = one.spool.reason(digest)
        except Refusal as refusal:
            reason = f"its reason can not be read: {refusal}"
        one.trouble(f"request {fingerprint(digest)} was refused: {reason}")


def _is_known(store: Store, digest: bytes) -> bool:
    with store.reading() as connection:
        query = select(tables.requests.c.digest).where(tables.requests.c.digest == digest.hex())
        return connection.execute(query).scalar() is not None
