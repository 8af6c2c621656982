"""Submitted -> final, failed or dead: only the ledger decides. While it has not, the same bytes are handed over again.

What was exported and never answered may have been signed and broadcast by whoever holds the signature; it ends only by
the ledger's proof that it can never happen, like everything that left this house.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from online.chains.api import Dead, Final, Gateway, Look, Pending, Watched
from online.jobs.leases import leases
from online.jobs.model import Job, effects_of, find_job, find_jobs
from online.jobs.moves import move
from online.jobs.states import State
from online.jobs.submit import broadcast, last_height, note_word, words
from online.jobs.turns import Lines
from online.store import tables
from online.store.database import Store
from shared.effects import Effects
from shared.encoding import Value


@dataclass(frozen=True, slots=True)
class Moved:
    """A job that the ledger decided about: its new state, and the facts in a sentence."""

    job: int
    state: State
    text: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look at the ledger found: what it decided, how many are open, and what a person must look into."""

    moved: tuple[Moved, ...]
    pending: int
    incidents: tuple[str, ...]


def watch_submitted(store: Store, gateway: Gateway, now: int) -> Seen:
    """Ask the ledger about every submitted job of the gateway, and about exported ones past their expiry.

    Raises:
        NodeUnreachable: when the node does not answer; nothing is decided by that.
    """
    with store.reading() as connection:
        found = find_jobs(connection, states=(State.SUBMITTED, State.EXPORTED))
        lines = Lines(connection, gateway.network)
    jobs = [job for job in found if job.network == gateway.network]
    if not jobs:
        return Seen((), 0, ())
    look = gateway.look()
    submitted = [job for job in jobs if job.state is State.SUBMITTED]
    # Where nothing expires, only another use of its claims can end what no answer came for: it is looked for always.
    lost = [job for job in jobs if job.state is State.EXPORTED
            and (job.expiry_height is None or job.expiry_height < look.height)]
    moved: list[Moved | str | None] = []
    with leases(store) as held:  # a job that another process looks after counts as pending here
        for job in submitted:
            moved.append(_look(store, job, gateway, look, lines, now) if held.take(job) else None)
            if isinstance(moved[-1], Moved):
                lines.ended(job.id)
        ended = [_look_unanswered(store, job, look, now) for job in lost if held.take(job)]
    decided = tuple(one for one in [*moved, *ended] if isinstance(one, Moved))
    incidents = tuple(one for one in [*moved, *ended] if isinstance(one, str))
    return Seen(decided, sum(not isinstance(one, Moved) for one in moved), incidents)


def _look(store: Store, job: Job, gateway: Gateway, look: Look, lines: Lines, now: int) -> Moved | str | None:
    watched = Watched(job.tx_id or "", job.blob or b"", effects_of(job), job.submitted_height or 0)
    outcome = _orphaned(store, job, watched.effects, look.height) or look.watch(watched)
    if isinstance(outcome, Pending):
        if lines.waits_for(job.id) is None and look.height > last_height(store, job.id):
            broadcast(store, job, gateway, look.height, lines)
        return _stuck(store, job, outcome)
    if isinstance(outcome, Dead):
        return _end(store, job, State.DEAD, outcome, now)
    return _end(store, job, State.FINAL if outcome.success else State.FAILED, outcome, now)


def _look_unanswered(store: Store, job: Job, look: Look, now: int) -> Moved | str | None:
    """Look for a transaction whose id nobody here knows, by its claims and content alone."""
    watched = Watched("", job.unsigned or b"", effects_of(job), look.height)
    outcome = _orphaned(store, job, watched.effects, look.height) or look.watch(watched)
    if isinstance(outcome, Pending):
        return _stuck(store, job, outcome)
    if isinstance(outcome, Dead):
        return _end(store, job, State.DEAD, outcome, now)
    return (
        f"job {job.id} happened as {outcome.tx_id}, and its answer never came here: import the answer, "
        "or carry its request to the signer once more"
    )


def _orphaned(store: Store, job: Job, effects: Effects, height: int) -> Dead | None:
    """Say that a job can never happen because it spends what another job would have made, which is proven dead."""
    parents = {claim.name.partition(":")[0]: claim.name for claim in effects.claims if ":" in claim.name}
    if not parents:
        return None
    table = tables.jobs
    dead = (table.c.network == job.network) & (table.c.state == State.DEAD.value) & table.c.tx_id.in_(parents)
    with store.reading() as connection:
        row = connection.execute(select(table.c.id, table.c.tx_id, table.c.result).where(dead)).first()
    if row is None:
        return None
    return Dead(height, f"it spends {parents[row.tx_id]}, which job {row.id} was to make and never can: {row.result}")


def _stuck(store: Store, job: Job, outcome: Pending) -> str | None:
    """Keep what a person must look into as the last word about the job, and give it."""
    if not outcome.stuck:
        return None
    note_word(store, job.id, f"later: {outcome.text}")
    return f"job {job.id}: {outcome.text}"


def _end(store: Store, job: Job, to: State, outcome: Final | Dead, now: int) -> Moved | None:
    """End a job, unless it has moved since it was read: it is then looked at anew at the next turn."""
    with store.transaction() as tx:
        here = find_job(tx.sql, job.id)
        if here.state is not job.state:
            return None
        happened = outcome if isinstance(outcome, Final) else None
        text = words(outcome.proof if isinstance(outcome, Dead) else f"{outcome.result} at {outcome.height}")
        note: dict[str, Value] = {"height": outcome.height, "facts": text}
        move(tx, here, to, now, values={"result": text}, note=note, outcome=happened)
    return Moved(job.id, to, text)
