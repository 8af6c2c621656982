"""What is on its way: live orders and queued withdrawals, so that nothing is proposed twice. Only the store is read."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from sqlalchemy import Connection, Select, select

from online.chains import customs
from online.jobs.model import Job, find_jobs, transfer_refs
from online.jobs.states import ENDS, State
from online.store import tables
from online.withdrawals.states import State as Withdrawal

_LIVE = tuple(state for state in State if state not in ENDS)
_NOT_RESERVED = frozenset({State.DRAFTED, State.APPROVED})

Sums = Counter[tuple[str, str]]
"""Base units by address and asset."""


@dataclass(slots=True)
class Flight:
    """What live jobs of a network move, each transfer once.

    `coming` and `leaving` are by address and asset. `bare` is the part of what leaves that the books do not reserve
    yet; `queued` is what withdrawals will take that no order pays yet, by wallet and asset. `busy` are addresses that a
    live job spends from, `inputs` those that pay into another's transaction, nobody knows how much. `tickets` are on
    their way to an address, `consolidating` are addresses whose coins are being made one.
    """

    coming: Sums = field(default_factory=Counter)
    leaving: Sums = field(default_factory=Counter)
    bare: Sums = field(default_factory=Counter)
    queued: Sums = field(default_factory=Counter)
    busy: set[str] = field(default_factory=set)
    inputs: set[str] = field(default_factory=set)
    tickets: Counter[str] = field(default_factory=Counter)
    consolidating: set[str] = field(default_factory=set)


def in_flight(connection: Connection, network: str) -> Flight:
    """Look at everything on a network that has not ended."""
    found, ledger, counted = Flight(), customs(network), set[bytes]()
    orders = tables.orders.c
    rows = connection.execute(select(orders.id, orders.kind).where(orders.id.in_(_live_orders(network))))
    kinds = {row.id: row.kind for row in rows}
    for job in find_jobs(connection, states=_LIVE):  # the oldest first: the books reserve for it, and not for a rival
        if job.network != network:
            continue
        found.inputs |= {one[0] for one in job.plan.inputs} if ledger.payers > 1 else set()
        found.busy |= {job.plan.source, *found.inputs}
        if job.kind == ledger.tickets:
            found.tickets[job.plan.source] += int(job.plan.params["count"])
        if kinds[job.order.hex()] == "consolidation":
            found.consolidating.add(job.plan.source)
        _add(found, connection, job, counted)
    table = tables.withdrawals
    here = (table.c.network == network) & (table.c.state == Withdrawal.QUEUED.value)
    for row in connection.execute(select(table.c.wallet, table.c.asset_code, table.c.units).where(here)):
        found.queued[row.wallet, row.asset_code] += int(row.units)
    return found


def _live_orders(network: str) -> Select[tuple[str]]:
    jobs = tables.jobs.c
    return select(jobs.order_id).where(jobs.network == network, jobs.state.in_([state.value for state in _LIVE]))


def _add(found: Flight, connection: Connection, job: Job, counted: set[bytes]) -> None:
    for ref, payment in zip(transfer_refs(connection, job.id), job.plan.payments, strict=True):
        if ref.transfer_id in counted:
            continue
        counted.add(ref.transfer_id)
        code, units = payment.amount.asset.code, payment.amount.units
        found.coming[payment.destination.address, code] += units
        found.leaving[payment.source, code] += units
        if job.state in _NOT_RESERVED:
            found.bare[payment.source, code] += units
