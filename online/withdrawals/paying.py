"""One turn of paying withdrawals: gather what is due, and build what was gathered. People are asked only what is held.

What can not arrive at its recipient waits for a person; what a node or an empty wallet stands in the way of is tried
again at the next turn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from online.chains.api import FeeTeller, Gateway
from online.customers.register import require_free
from online.jobs.build import build_job
from online.jobs.coming import judged
from online.jobs.leases import leases
from online.jobs.leaving import why_barred
from online.jobs.model import Job, find_job, find_jobs, transfer_refs
from online.jobs.states import State as JobState
from online.jobs.withdraw import take_back
from online.store.database import Store, Tx
from online.store.people import known
from online.telling import in_the_way
from online.withdrawals.gathering import forgetful, gather, patient
from online.withdrawals.model import Withdrawal, find_withdrawal, find_withdrawals, move
from online.withdrawals.settling import of_withdrawals
from online.withdrawals.states import State
from online.withdrawals.sworn import Sworn, release_word, remember
from shared.errors import (
    JournalDamaged,
    MandateMissing,
    OverWithdrawalLimit,
    RecipientRefused,
    Refusal,
    WithdrawalMoved,
)
from shared.policy import Person
from shared.sealed import Sign


def pay_out(store: Store, gateways: Mapping[str, Gateway], now: int) -> tuple[str, ...]:
    """Gather and build, and give what stands in the way. Calling it again is always safe."""
    fees, troubles = _fees(store, gateways)
    troubles += gather(store, now, fees).troubles
    with leases(store) as held:  # what another process builds is its own to tell of
        troubles += _barred(store, [job for job in _gathered(store, JobState.BUILT) if held.take(job)], now)
        mine = (job for job in _gathered(store, JobState.APPROVED) if job.network in gateways and held.take(job))
        found = (_build(store, job, gateways[job.network], now) for job in mine)
        return (*troubles, *forgetful(store), *(trouble for trouble in found if trouble))


def _fees(store: Store, gateways: Mapping[str, Gateway]) -> tuple[dict[str, int], list[str]]:
    """Ask what a payment costs on the networks where something waits for that."""
    fees: dict[str, int] = {}
    troubles: list[str] = []
    for network in sorted(patient(store)):
        gateway = gateways.get(network)
        try:
            if isinstance(gateway, FeeTeller):
                fees[network] = gateway.fee_now().units
        except Refusal as refusal:
            troubles.append(in_the_way(f"withdrawals on {network} wait for lower fees", refusal))
    return fees, troubles


def _build(store: Store, job: Job, gateway: Gateway, now: int) -> str:
    """Build one job, and give what stands in the way."""
    try:
        build_job(store, job.id, gateway, now)
    except RecipientRefused as refusal:
        return _hold(store, job, refusal, now)
    except (MandateMissing, OverWithdrawalLimit) as refusal:
        return _wait_again(store, job, refusal, now)
    except Refusal as refusal:
        return in_the_way(f"withdrawals of job {job.id} wait", judged(store, job, refusal))
    return ""


def release(store: Store, withdrawal_id: str, *, person: Person, sign: Sign, now: int) -> Withdrawal:
    """Let a held withdrawal wait to be paid, by a person's signed word that names it as it was accepted.

    Raises:
        UnknownWithdrawal: if there is none. WithdrawalMoved: if it is not held. CustomerFrozen: if its customer is.
        UnknownPerson: if the store does not hold them. WithdrawalUnproven, JournalDamaged: if the journal says
            something else than its row.
    """
    with store.reading() as connection:
        remember(store, connection, [find_withdrawal(connection, withdrawal_id)])
    with store.transaction() as tx:
        one = find_withdrawal(tx.sql, withdrawal_id)
        # What an order pays waits again only once that order can never pay it: else it would be paid twice.
        if one.state is not State.HELD:
            raise WithdrawalMoved(f"the withdrawal {one.id} is {one.state} and not held")
        known(tx.sql, person)
        require_free(tx, one.customer)
        Sworn(tx.sql, tx.station.public_key, [one], store.memory.followed).require(one)
        word = release_word(one, person, sign)
        return move(tx, one, State.QUEUED, now, told={"word": word, "by": person.name})


def _gathered(store: Store, state: JobState) -> list[Job]:
    """Give the jobs in a state that pay withdrawals."""
    with store.reading() as connection:
        return of_withdrawals(connection, find_jobs(connection, states=(state,)))


def _hold(store: Store, job: Job, refusal: Refusal, now: int) -> str:
    """Hold what a job was to pay; where it paid many, each waits alone for a look at its recipient.

    What a job on its way may still pay, which this one was to replace, is not held: let go, it would be paid twice.
    """
    with store.transaction() as tx:
        if _has_moved(tx, job):
            return ""
        paid = _paid_by(tx, job)
        take_back(tx, job.id, now)
        waiting = [one for one in paid if find_withdrawal(tx.sql, one.id).state is State.QUEUED]
        for one in waiting:
            move(tx, find_withdrawal(tx.sql, one.id), State.HELD, now, reason=f"{refusal} [{refusal.code}]"[:500])
    if not waiting:
        return f"job {job.id} replaces nothing, and what it was to replace goes on: {refusal} [{refusal.code}]"
    return f"withdrawals held: {', '.join(one.id for one in waiting)[:200]}: {refusal} [{refusal.code}]"


def _barred(store: Store, jobs: Sequence[Job], now: int) -> list[str]:
    """Tell what is built and may not leave, and take it back, so that it stands in nobody's way."""
    if not jobs or store.station is None:
        return []
    with store.reading() as connection:
        found = [find_job(connection, job.id) for job in jobs]
        built = [job for job in found if job.state is JobState.BUILT]
        why = why_barred(connection, store.station.public_key, built, store.memory.followed)
    return [_stopped(store, job, why[job.id], now) for job in jobs if job.id in why]


def _stopped(store: Store, job: Job, why: Refusal, now: int) -> str:
    try:
        if not isinstance(why, JournalDamaged):  # then nothing is known of anything
            return _wait_again(store, job, why, now)
    except Refusal as refusal:
        why = refusal
    return f"withdrawals of job {job.id} do not leave: {why} [{why.code}]"


def _wait_again(store: Store, job: Job, refusal: Refusal, now: int) -> str:
    """Take a job back that may not be carried out: what it was to pay waits, and is looked at when it is gathered."""
    with store.transaction() as tx:
        if _has_moved(tx, job):
            return ""
        paid = _paid_by(tx, job)
        take_back(tx, job.id, now)
    return f"withdrawals wait again: {', '.join(one.id for one in paid)[:200]}: {refusal} [{refusal.code}]"


def _has_moved(tx: Tx, job: Job) -> bool:
    """Say whether another process has moved a job since it was read, such as by exporting it."""
    return find_job(tx.sql, job.id).state is not job.state


def _paid_by(tx: Tx, job: Job) -> list[Withdrawal]:
    transfers = {ref.transfer_id for ref in transfer_refs(tx.sql, job.id)}
    return [one for one in find_withdrawals(tx.sql, states=(State.ORDERED,)) if one.transfer in transfers]
