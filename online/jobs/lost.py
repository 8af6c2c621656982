"""Our own transactions that had ended, and that a reorganisation deeper than final took or made into something else.

Their postings stay: most are in a block again soon, for their bytes are handed over once more. Until then, and where
they never come again, `lockgate reconcile` names them, and people decide.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, select

from online.chains.api import Dead, Final, Gateway, Look, Outcome, Watched
from online.jobs.model import Job, effects_of, find_job
from online.jobs.states import State
from online.jobs.submit import words
from online.ledger.facts import happened_at
from online.store import tables
from online.store.database import Store


def lost_jobs(store: Store, gateway: Gateway, above: int | None) -> list[str]:
    """Ask about every job that ended above a height, hand over again what is not there, and say what is otherwise.

    Raises:
        NodeUnreachable: when the node does not answer.
    """
    if above is None:
        return []
    with store.reading() as connection:
        ended = list(_ended(connection, gateway.network, above))
    if not ended:
        return []
    look = gateway.look()
    return [text for job, height in ended if (text := _look(look, gateway, job, height))]


def _ended(connection: Connection, network: str, above: int) -> Iterator[tuple[Job, int]]:
    jobs, entries = tables.jobs, tables.entries
    posted = (entries.c.job == jobs.c.id) & (entries.c.status == "posted")
    here = (jobs.c.network == network) & jobs.c.state.in_([State.FINAL.value, State.FAILED.value])
    query = select(jobs.c.id, entries.c.memo).join(entries, posted).where(here).order_by(jobs.c.id)
    for number, memo in connection.execute(query).all():
        happened = happened_at(memo)
        if happened is not None and happened[1] > above:
            yield find_job(connection, number), happened[1]


def _look(look: Look, gateway: Gateway, job: Job, height: int) -> str:
    effects = effects_of(job)
    outcome = look.watch(Watched(job.tx_id or "", job.blob or b"", effects, job.submitted_height or 0))
    if isinstance(outcome, Final) and outcome.success == (job.state is State.FINAL):
        return ""
    if job.blob is not None and not isinstance(outcome, (Final, Dead)):
        gateway.submit(job.blob)
    paid = ", ".join(f"{one.amount} to {one.destination}" for one in effects.payments[:3]) or job.kind
    further = len(effects.payments) - 3
    paid += f" and {further} more" if further > 0 else ""
    return words(f"job {job.id} was {job.state} at {height}, and is not so on the new chain: {paid}: {_now(outcome)}")


def _now(outcome: Outcome) -> str:
    if isinstance(outcome, Final):
        return f"it ended there with {outcome.result}"
    return outcome.proof if isinstance(outcome, Dead) else outcome.text
