"""What waits for a person, and for each thing the command that takes it on. Only the store is read, in one moment.

No node is asked, so that it can be looked at as often as somebody comes to the desk. What `lockgate run` does by itself
is not here, unless it has not done it for long.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, func, select

from online.deposits.instructions import low_pools
from online.deposits.model import find_deposits
from online.deposits.states import State as Arrived
from online.jobs.export import open_requests
from online.jobs.model import may_happen
from online.jobs.states import State
from online.ledger.books import find_wrong_sides
from online.store import tables
from online.store.assets import finder
from online.store.database import Store
from online.store.signers import Signer, find_signers
from online.treasury.planner import find_advice
from online.withdrawals.model import find_withdrawals
from online.withdrawals.states import State as Stand
from shared.errors import Refusal
from shared.money import Amount
from shared.review import fingerprint

_SPOOL_SECONDS: Final = 600
"""What goes on by itself, through a spool or by `lockgate run`, is a person's matter after so long."""

_STUCK_SECONDS: Final = 3_600
_KEY_MOST: Final = 24


class What(StrEnum):
    """What kind of thing waits, in the order in which they are told."""

    WRONG_SIDE = "wrong-side"
    DIFFERENCE = "difference"
    JOURNAL = "journal"
    STUCK = "stuck"
    ORDER = "order"
    EXPORT = "export"
    ANSWER = "answer"
    WITHDRAWAL = "withdrawal"
    MANDATE = "mandate"
    SUSPENSE = "suspense"
    BOOKS = "books"
    POOL = "pool"
    PROPOSAL = "proposal"


@dataclass(frozen=True, slots=True)
class Waits:
    """One thing that waits: what it is in a few words, and the words of the next command behind `lockgate`.

    What only the person knows stands in it in capitals: NAME, FILE, ID.
    """

    what: What
    text: str
    words: tuple[str, ...]

    @property
    def command(self) -> str:
        """Give the command as it is typed."""
        return shlex.join(("lockgate", *self.words))


@dataclass(frozen=True, slots=True)
class _Desk:
    """One moment of the store, and who looks."""

    connection: Connection
    now: int
    spools: Collection[str]
    person: str
    signers: tuple[Signer, ...]


def waiting(
    store: Store, now: int, *, person: str, spools: Collection[str] = ()
) -> tuple[Waits, ...]:
    """List what waits for a person, the most pressing kind first, and the oldest of a kind first.

    `person` is who would sign the commands, and `spools` names the signers that are fed through a folder.
    """
    with store.reading() as connection:
        desk = _Desk(connection, now, spools, person, find_signers(connection))
        return tuple(one for look in _LOOKS for one in look(desk))


# --- the books ------------------------------------------------------------------------------------


def _wrong_sides(desk: _Desk) -> Iterable[Waits]:
    for text in find_wrong_sides(desk.connection):
        yield Waits(What.WRONG_SIDE, text, ("books", "trial"))


def _differences(desk: _Desk) -> Iterable[Waits]:
    """Give what the newest look that was kept found; the next one that is kept takes its place."""
    table, wallets, asset = tables.differences, tables.wallets, finder(desk.connection)
    query = select(table, wallets.c.network).join(wallets, wallets.c.name == table.c.wallet)
    for row in desk.connection.execute(query.order_by(table.c.position)):
        units, sign = int(row.units), "-" if row.units.startswith("-") else ""
        text = f"{row.kind} in {row.wallet}: {sign}{Amount(asset(row.network, row.asset_code), abs(units))}"
        yield Waits(What.DIFFERENCE, text, ("reconcile", "--keep"))


def _books(desk: _Desk) -> Iterable[Waits]:
    wallets = tables.wallets
    opened = select(tables.openings.c.wallet)
    query = select(wallets.c.name).where(wallets.c.name.not_in(opened)).order_by(wallets.c.name)
    for name in desk.connection.execute(query).scalars().all():
        yield Waits(What.BOOKS, f"the wallet {name} has no books", ("books", "open", name))


# --- orders and jobs ------------------------------------------------------------------------------


def _orders(desk: _Desk) -> Iterable[Waits]:
    orders, jobs = tables.orders, tables.jobs
    drafted = select(jobs.c.order_id).where(jobs.c.state == State.DRAFTED.value)
    query = select(orders).where(orders.c.id.in_(drafted)).order_by(orders.c.created, orders.c.id)
    for row in desk.connection.execute(query):
        name = _order_name(row.idempotency_key, row.id)
        mine = row.drafted_by == desk.person  # another person approves it
        words = ("order", "show", name) if mine else ("approve", name, "--as", desk.person)
        yield Waits(What.ORDER, f"{row.kind} {name}, drafted by {row.drafted_by}", words)


def _exports(desk: _Desk) -> Iterable[Waits]:
    """Give what can be carried to a signer now: with a request open, its answer comes first."""
    jobs, wallets = tables.jobs, tables.wallets
    ready = jobs.c.state.in_([State.APPROVED.value, State.BUILT.value])
    query = select(wallets.c.signer, func.count().label("jobs")).join(jobs, jobs.c.wallet == wallets.c.name)
    counts = {row.signer: row.jobs for row in desk.connection.execute(query.where(ready).group_by(wallets.c.signer))}
    for signer in desk.signers:
        count = counts.get(signer.public_key, 0)
        busy = not signer.fingerprint and open_requests(desk.connection, signer.public_key)
        if count and not busy and not signer.needs_entries and signer.name not in desk.spools:
            text = f"{'1 job' if count == 1 else f'{count} jobs'} to export to {signer.name}"
            yield Waits(What.EXPORT, text, ("request", "export", "--signer", signer.name))


def _answers(desk: _Desk) -> Iterable[Waits]:
    names = {one.public_key: one.name for one in desk.signers}
    for one in open_requests(desk.connection):
        name, age, print_ = names[one.signer], desk.now - one.created, fingerprint(one.digest)
        if name not in desk.spools:
            text = f"no answer of {name} to {print_} for {_span(age)}"
            yield Waits(What.ANSWER, text, ("answer", "import", "FILE"))
        elif age >= _SPOOL_SECONDS:
            text = f"{print_} lies in the spool of {name} for {_span(age)}"
            yield Waits(What.ANSWER, text, ("run", "--once"))


def _stuck(desk: _Desk) -> Iterable[Waits]:
    """Give what is signed and goes no further: not submitted, not taken by its node, or undecided for long."""
    jobs, orders, outbox = tables.jobs, tables.orders, tables.outbox
    query = (
        select(jobs.c.id, jobs.c.state, jobs.c.updated, jobs.c.order_id, orders.c.idempotency_key, outbox.c.verdict)
        .join(orders, orders.c.id == jobs.c.order_id)
        .outerjoin(outbox, outbox.c.job == jobs.c.id)
        .where(jobs.c.state.in_([State.ANSWERED.value, State.SUBMITTED.value]))
        .order_by(jobs.c.id)
    )
    for row in desk.connection.execute(query):
        kind, _, said = (row.verdict or "").partition(": ")
        age, show = desk.now - row.updated, ("order", "show", _order_name(row.idempotency_key, row.order_id))
        if row.state == State.ANSWERED.value:
            if age >= _SPOOL_SECONDS:
                yield Waits(What.STUCK, f"job {row.id} is signed, not submitted for {_span(age)}", ("run", "--once"))
        elif kind in ("later", "refused"):
            yield Waits(What.STUCK, f"job {row.id}: {said}", show)
        elif age >= _STUCK_SECONDS:
            yield Waits(What.STUCK, f"job {row.id} is undecided for {_span(age)}", show)


def _journals(desk: _Desk) -> Iterable[Waits]:
    for one in desk.signers:
        if one.needs_entries:
            text = f"of the journal of {one.name} {one.seen.size} of {one.wanted.size} entries are known"
            yield Waits(What.JOURNAL, text, ("audit", "import", one.name, "FILE"))


# --- customers ------------------------------------------------------------------------------------


def _withdrawals(desk: _Desk) -> Iterable[Waits]:
    for one in find_withdrawals(desk.connection, states=(Stand.HELD,)):
        text = f"{one.id}, {one.amount}: {one.reason}"
        yield Waits(What.WITHDRAWAL, text, ("withdrawal", "show", one.id))


def _mandates(desk: _Desk) -> Iterable[Waits]:
    table, wanted = tables.mandates, tables.withdrawals
    open_ = select(table).where(table.c.approved_by.is_(None), table.c.revoked.is_(False))
    for row in desk.connection.execute(open_.order_by(table.c.created, table.c.id)).all():
        number, mine = row.id[:8], row.drafted_by == desk.person
        words = ("list",) if mine else ("approve", number, "--as", desk.person)
        yield Waits(What.MANDATE, f"mandate of {row.wallet}, drafted by {row.drafted_by}", ("mandate", *words))
    in_force = select(table.c.wallet).where(table.c.approved_by.is_not(None), table.c.revoked.is_(False))
    lost = (
        select(wanted.c.wallet, func.count().label("queued"))
        .where(wanted.c.state == Stand.QUEUED.value, wanted.c.wallet.not_in(in_force))
        .group_by(wanted.c.wallet)
        .order_by(wanted.c.wallet)
    )
    for row in desk.connection.execute(lost).all():
        text = f"withdrawals wait and {row.wallet} has no mandate: {row.queued}"
        yield Waits(What.MANDATE, text, ("mandate", "draft", "FILE", "--as", desk.person))


def _suspense(desk: _Desk) -> Iterable[Waits]:
    """Give what waits in suspense and no order sends back."""
    table, connection = tables.arrivals, desk.connection
    query = select(table.c.id, table.c.entry, table.c.order_id).where(table.c.state == Arrived.SUSPENSE.value)
    rows = {row.id: row for row in connection.execute(query).all()}
    for one in find_deposits(connection, states=(Arrived.SUSPENSE,)):
        row = rows[one.id]
        if row.order_id is not None and may_happen(connection, row.order_id):
            continue
        people = ("--as", desk.person, "--with", "SECOND")
        credit = ("suspense", "credit", str(one.id), "--customer", "ID", *people)
        words = credit if row.entry is not None else ("books", "open", one.wallet)
        yield Waits(What.SUSPENSE, f"arrival {one.id}, {one.amount}: {one.reason}", words)


def _pools(desk: _Desk) -> Iterable[Waits]:
    for one in low_pools(desk.connection):
        text = f"{one.left} of {one.whole} addresses of {one.wallet} are left for customers"
        yield Waits(What.POOL, text, ("wallet", "import", "CARD", "--addresses", str(2 * (one.whole + 1))))


# --- the planner ----------------------------------------------------------------------------------


def _proposals(desk: _Desk) -> Iterable[Waits]:
    """Say how many orders the bands alone would have; with the nodes there may be others."""
    words = ("target", "advise", "--as", desk.person)
    try:
        advice = find_advice(desk.connection, {})
    except Refusal as refusal:  # a target that somebody altered hides nothing of the rest
        yield Waits(What.PROPOSAL, f"{refusal} [{refusal.code}]", words)
        return
    parts = [f"{len(advice.proposals)} proposed"] if advice.proposals else []
    parts += [f"{len(advice.short)} that nothing can fill"] if advice.short else []
    if parts:
        yield Waits(What.PROPOSAL, f"wallets outside their bands: {', '.join(parts)}", words)


_LOOKS: Final[tuple[Callable[[_Desk], Iterable[Waits]], ...]] = (
    _wrong_sides, _differences, _journals, _stuck, _orders, _exports, _answers, _withdrawals, _mandates, _suspense,
    _books, _pools, _proposals,
)  # fmt: skip


def _order_name(key: str, order_id: str) -> str:
    """Name an order by its key, or by the beginning of its id where the key is long or has blanks."""
    return key if len(key) <= _KEY_MOST and shlex.quote(key) == key else order_id[:12]


def _span(seconds: int) -> str:
    for size, name in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {name}"
    return f"{max(seconds, 0)} s"
