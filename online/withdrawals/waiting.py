"""Why a withdrawal waits, and until when at the latest by its mandate's rules. The store alone is read.

The rules are those by which `gathering` makes orders: by number, by age, and longer while the ledger is dear.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from online.customers.register import Register
from online.jobs.model import find_job
from online.jobs.states import State as JobState
from online.jobs.unknown import require_remembered
from online.store import journal, tables
from online.store.database import Store
from online.withdrawals.accepting import Judged, Wish, judge
from online.withdrawals.day import NO_ROOM
from online.withdrawals.mandates import Mandate, mandate_of
from online.withdrawals.model import Withdrawal, find_withdrawal, find_withdrawals
from online.withdrawals.states import State
from shared.chains import chain
from shared.errors import EntriesMissing, MandateMissing, Unreconciled
from shared.money import Amount

_BY_JOB = {
    JobState.APPROVED: "its transaction is built next",
    JobState.BUILT: "its transaction is exported next",
    JobState.EXPORTED: "the signer has its transaction, and has not answered",
    JobState.ANSWERED: "its transaction is signed, and submitted next",
    JobState.SUBMITTED: "its transaction is submitted, and the ledger has not decided",
}


@dataclass(frozen=True, slots=True)
class Dear:
    """While one plain payment costs more than `fee`, waiting ends at this Unix second instead."""

    fee: Amount
    until: int


@dataclass(frozen=True, slots=True)
class Wait:
    """What a withdrawal waits for in a few words; by its mandate's rules, that or the Unix second `until` ends it.

    What ends is its waiting to be ordered: building and signing come behind it. `more` is how many others of its asset
    would end it sooner.
    """

    text: str
    more: int = 0
    until: int | None = None
    dear: Dear | None = None

    @property
    def latest(self) -> int | None:
        """Give when it ends at the latest, whatever a payment costs."""
        return self.until if self.dear is None else self.dear.until


@dataclass(frozen=True, slots=True)
class Foretold:
    """What accepting a withdrawal now would make of it, and what it would then wait for; `there` if it was accepted."""

    state: State
    there: bool
    wait: Wait | None


def look(store: Store, withdrawal_id: str, now: int) -> tuple[Withdrawal, Wait | None]:
    """Give a withdrawal, and what it waits for unless it has ended. Raises UnknownWithdrawal."""
    with store.reading() as connection:
        one = find_withdrawal(connection, withdrawal_id)
        return one, why(connection, one, now)


def foretell(store: Store, wish: Wish, now: int) -> Foretold:
    """Say what would become of a withdrawal that is asked for now. Nothing is written. Raises as `accepting.accept`."""
    with store.reading() as connection:
        found = judge(connection, wish, now)
        one = found.there or _as_if(wish, found, now)
        return Foretold(one.state, found.there is not None, why(connection, one, now))


def why(connection: Connection, one: Withdrawal, now: int) -> Wait | None:
    """Say what a withdrawal waits for within a transaction; nothing where it has ended."""
    if one.state is State.HELD:
        return Wait(f"a person releases or cancels it: {one.reason}")
    if one.state is State.ORDERED:
        return Wait(_ordered(connection, one))
    return _queued(connection, one, now) if one.state is State.QUEUED else None


def _queued(connection: Connection, one: Withdrawal, now: int) -> Wait:
    register = Register(connection, [one.customer])
    if register.is_frozen(one.customer):
        return Wait(f"its customer {one.customer} is held")
    if one.reason.startswith(NO_ROOM):
        return Wait(one.reason.removeprefix(NO_ROOM))
    try:
        mandate = mandate_of(connection, one.wallet).mandate
        require_remembered(connection, one.wallet, journal.tip(connection).key or b"")
    except MandateMissing:
        return Wait(f"no mandate lets the wallet {one.wallet} pay")
    except (EntriesMissing, Unreconciled) as refusal:
        return Wait(f"{refusal} [{refusal.code}]")
    queued = find_withdrawals(connection, states=(State.QUEUED,), wallet=one.wallet)
    moving = Register(connection, {each.customer for each in queued})
    alike = [
        each for each in queued
        if each.amount.asset == one.amount.asset and each.id != one.id and not moving.is_frozen(each.customer)
    ]  # fmt: skip
    return _by_rules(mandate, sorted([*alike, one], key=lambda each: (each.created, each.id)), one, now)


def _by_rules(mandate: Mandate, waiting: Sequence[Withdrawal], one: Withdrawal, now: int) -> Wait:
    """Say when one of those that wait of its asset is ordered: with a whole part by number, or by the oldest's age."""
    whole = len(waiting) // mandate.count * mandate.count
    place, asset, patience, dear = waiting.index(one), one.amount.asset, mandate.patience, None
    until = now if place < whole else max(waiting[whole].created + mandate.age_seconds, now)
    if patience is not None and (latest := waiting[0].created + patience.seconds) > until:
        dear = Dear(Amount(chain(asset.network).network(asset.network).native, patience.fee), latest)
    if until == now:
        return Wait("the next turn of `lockgate run`", until=until, dear=dear)
    more = mandate.count - len(waiting) + whole
    return Wait(f"{more} more of {asset.code}", more, until, dear)


def _ordered(connection: Connection, one: Withdrawal) -> str:
    link = tables.job_transfers
    query = select(link.c.job).where(link.c.transfer == (one.transfer or b"").hex()).order_by(link.c.job.desc())
    job = find_job(connection, connection.execute(query.limit(1)).scalar_one())
    return f"job {job.id}: {_BY_JOB.get(job.state, job.state.value)}"


def _as_if(wish: Wish, found: Judged, now: int) -> Withdrawal:
    return Withdrawal(
        wish.id, wish.customer, wish.wallet, wish.destination, wish.amount, found.state, found.reason, None, now, now,
        None,
    )
