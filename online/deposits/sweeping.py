"""Credits what came to customers' own addresses once transactions of ours took it from there, deep enough for that.

The ledger is asked anew at every look until a deposit is credited, so that a sweep that a reorganisation takes away
counts no more. A sweep takes the oldest deposits of its address and asset first, and none that came after it; what it
took is written with the credit, so that no sweep counts twice. A deposit that several sweeps took is theirs together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BindParameter, Connection, Row, bindparam, insert, select, update

from online.chains.api import Collector, Watched
from online.chains.api import Final as Happened
from online.deposits.states import State
from online.jobs.model import Job, effects_of, find_job
from online.jobs.rivals import rivals
from online.jobs.states import State as Stand
from online.ledger import accounts, postings
from online.ledger.accounts import Kind
from online.ledger.facts import happened_at
from online.ledger.postings import Posting
from online.store import journal, tables
from online.store.assets import finder
from online.store.database import Store, Tx
from online.store.many import among, given
from online.store.wallets import find_owner
from shared.encoding import Value

_Waiting = Sequence[Row[Any]]

_ON_LEDGER: Final = (Stand.SUBMITTED, Stand.FINAL)
_JOB, _ENTRY = tables.jobs.c, tables.entries.c
_NETWORK: BindParameter[str] = bindparam("network")
_OUT_OF: Final = (
    select(_JOB.id, _JOB.source, _ENTRY.memo)
    .join(tables.entries, (_ENTRY.job == _JOB.id) & (_ENTRY.status == "posted"), isouter=True)
    .where(_JOB.network == _NETWORK, _JOB.source.in_(given()), _JOB.state.in_([one.value for one in _ON_LEDGER]))
)


@dataclass(frozen=True, slots=True)
class Sweep:
    """What a job took from one address, as the ledger has it: an asset's code, units, and the height."""

    job: int
    address: str
    code: str
    units: int
    height: int


def credit_swept(store: Store, gateway: Collector, now: int) -> int:
    """Credit what waits and was swept, all that waits where the settings want no sweeps; give how many.

    Raises:
        NodeUnreachable: when the node does not answer; what is credited stays so.
    """
    with store.reading() as connection:
        waiting = _waiting(connection, gateway.network)
        jobs = list(_sweeping(connection, gateway.network, waiting)) if gateway.collects else []
    if not waiting:
        return 0
    asked = {row.address for row in waiting}
    taken = [move for job in jobs for move in _taken(store, gateway, job, asked)]
    with store.reading() as connection:
        if next(_covered(connection, waiting, taken, gateway), None) is None:
            return 0
    with store.transaction() as tx:
        still = _waiting(tx.sql, gateway.network)  # another process may have credited meanwhile
        return sum(_credited(tx, row, parts, now) for row, parts in _covered(tx.sql, still, taken, gateway))


def _waiting(connection: Connection, network: str) -> _Waiting:
    table = tables.arrivals
    here = (table.c.network == network) & (table.c.state == State.UNSWEPT.value)
    return connection.execute(select(table).where(here).order_by(table.c.height, table.c.id)).all()


# --- what was taken -----------------------------------------------------------------------------------


def _sweeping(connection: Connection, network: str, waiting: _Waiting) -> Iterator[Job]:
    """Give our jobs out of the addresses where something waits, but those that ended before it came."""
    since: dict[str, int] = {}
    for row in waiting:
        since[row.address] = min(row.height, since.get(row.address, row.height))
    rows = [(row.id, row.source, row.memo) for row in among(connection, _OUT_OF, list(since), network=network)]
    for number, source, memo in sorted(rows, key=lambda row: row[0]):
        ended = None if memo is None else happened_at(memo)
        if ended is None or ended[1] >= since[source]:
            yield find_job(connection, number)


def _taken(store: Store, gateway: Collector, job: Job, addresses: Iterable[str]) -> Iterator[Sweep]:
    """Ask the ledger what a job took from these addresses to others of ours; nothing while it is not deep enough."""
    outcome = gateway.collected(Watched(job.tx_id or "", job.blob or b"", effects_of(job), job.submitted_height or 0))
    if not isinstance(outcome, Happened) or not outcome.success:
        return
    with store.reading() as connection:
        for one in outcome.delivered:
            to, amount = one.destination.address, one.amount
            if one.source in addresses and to != one.source and find_owner(connection, job.network, to) is not None:
                yield Sweep(job.id, one.source, amount.asset.code, amount.units, outcome.height)


# --- what it covers -----------------------------------------------------------------------------------


_Parts = dict[int, int]
"""Units by the job that took them."""


def _covered(
    connection: Connection, waiting: _Waiting, taken: Sequence[Sweep], gateway: Collector
) -> Iterator[tuple[Row[Any], _Parts]]:
    """Give what may be credited, with the sweeps that took it."""
    sweeps = sorted(taken, key=lambda one: (one.height, one.job))
    left = {one: one.units for one in sweeps}
    for one in sweeps:
        left[one] -= _counted(connection, one)
    for row in waiting:
        need, parts = int(row.units), _Parts()
        for one in sweeps:
            if (one.address, one.code) == (row.address, row.asset_code) and one.height >= row.height:
                took = max(0, min(need, left[one]))
                need, left[one] = need - took, left[one] - took
                if took:
                    parts[one.job] = parts.get(one.job, 0) + took
        if need == 0 or not gateway.collects:
            yield row, parts


def _counted(connection: Connection, sweep: Sweep) -> int:
    """Add up what a sweep took that is credited; of a job and its rivals only one can have happened."""
    table, came = tables.sweeps, tables.arrivals
    alike = rivals(connection, find_job(connection, sweep.job))
    here = (came.c.address == sweep.address) & (came.c.asset_code == sweep.code) & table.c.job.in_(alike)
    here &= came.c.state != State.GONE.value
    rows = connection.execute(select(table.c.units).join(came, came.c.id == table.c.arrival).where(here))
    return sum(map(int, rows.scalars()))


def _credited(tx: Tx, row: Row[Any], parts: _Parts, now: int) -> bool:
    asset, units = finder(tx.sql)(row.network, row.asset_code), int(row.units)
    lines = (
        Posting(accounts.of_network(Kind.UNSWEPT, row.network), asset, units),
        Posting(accounts.customer(row.customer), asset, -units),
    )
    entry = postings.post(tx, f"arrival {row.id} credited to {row.customer}", "posted", lines, None, now)
    by = ", ".join(f"job {job}" for job in sorted(parts))
    new = {"state": State.CREDITED.value, "reason": f"swept by {by}" if by else ""}
    tx.sql.execute(update(tables.arrivals).where(tables.arrivals.c.id == row.id).values(new))
    if parts:
        rows = [{"arrival": row.id, "job": job, "units": str(took)} for job, took in parts.items()]
        tx.sql.execute(insert(tables.sweeps), rows)
    swept: list[Value] = [[job, str(took)] for job, took in sorted(parts.items())]
    told: dict[str, Value] = {"network": row.network, "key": row.key, "sweeps": swept}
    told["posted"] = postings.sworn(tx.sql, entry)
    journal.append(tx, "sweep-credited", told, now)
    return True
