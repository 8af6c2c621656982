"""One turn of paying withdrawals: gather what is due, and build what was gathered. People are asked only what is held.

What can not arrive at its recipient waits for a person; what a node or an empty wallet stands in the way of is tried
again at the next turn.
"""

from __future__ import annotations

from collections.abc import Mapping

from online.chains.api import FeeTeller, Gateway
from online.customers.register import require_free
from online.jobs.build import build_job
from online.jobs.leases import leases
from online.jobs.model import Job, find_jobs, transfer_refs
from online.jobs.states import State as JobState
from online.jobs.withdraw import take_back
from online.orders.signed import why_barred
from online.store.database import Store, Tx
from online.withdrawals.gathering import forgetful, gather, patient
from online.withdrawals.model import Withdrawal, find_withdrawal, find_withdrawals, move
from online.withdrawals.settling import of_withdrawals
from online.withdrawals.states import State
from shared.errors import MandateMissing, OverWithdrawalLimit, RecipientRefused, Refusal, WithdrawalMoved


def pay_out(store: Store, gateways: Mapping[str, Gateway], now: int) -> tuple[str, ...]:
    """Gather and build, and give what stands in the way. Calling it again is always safe."""
    fees, troubles = _fees(store, gateways)
    troubles += gather(store, now, fees).troubles
    with leases(store) as held:  # what another process builds is its own to tell of
        barred = (_barred(store, job, now) for job in _gathered(store, JobState.BUILT) if held.take(job))
        troubles += [trouble for trouble in barred if trouble]
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
            troubles.append(f"withdrawals on {network} wait for lower fees: {refusal} [{refusal.code}]")
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
        return f"withdrawals of job {job.id} wait: {refusal} [{refusal.code}]"
    return ""


def release(store: Store, withdrawal_id: str, now: int) -> Withdrawal:
    """Let a held withdrawal wait to be paid, as a person decided.

    Raises:
        UnknownWithdrawal: if there is none. WithdrawalMoved: if it is not held. CustomerFrozen: if its customer is.
    """
    with store.transaction() as tx:
        one = find_withdrawal(tx.sql, withdrawal_id)
        # What an order pays waits again only once that order can never pay it: else it would be paid twice.
        if one.state is not State.HELD:
            raise WithdrawalMoved(f"the withdrawal {one.id} is {one.state} and not held")
        require_free(tx, one.customer)
        return move(tx, one, State.QUEUED, now)


def _gathered(store: Store, state: JobState) -> list[Job]:
    """Give the jobs in a state that pay withdrawals."""
    with store.reading() as connection:
        return of_withdrawals(connection, find_jobs(connection, states=(state,)))


def _hold(store: Store, job: Job, refusal: Refusal, now: int) -> str:
    """Hold what a job was to pay; where it paid many, each waits alone for a look at its recipient.

    What a job on its way may still pay, which this one was to replace, is not held: let go, it would be paid twice.
    """
    with store.transaction() as tx:
        paid = _paid_by(tx, job)
        take_back(tx, job.id, now)
        waiting = [one for one in paid if find_withdrawal(tx.sql, one.id).state is State.QUEUED]
        for one in waiting:
            move(tx, find_withdrawal(tx.sql, one.id), State.HELD, now, reason=f"{refusal} [{refusal.code}]"[:500])
    if not waiting:
        return f"job {job.id} replaces nothing, and what it was to replace goes on: {refusal} [{refusal.code}]"
    return f"withdrawals held: {', '.join(one.id for one in waiting)[:200]}: {refusal} [{refusal.code}]"


def _barred(store: Store, job: Job, now: int) -> str:
    """Take back what is built and has not left, if its mandate does not let it through any more."""
    with store.reading() as connection:
        why = why_barred(connection, job.order)
    return _wait_again(store, job, why, now) if why else ""


def _wait_again(store: Store, job: Job, refusal: Refusal, now: int) -> str:
    """Take a job back whose mandate does not let it through any more: what it was to pay waits for the present one."""
    with store.transaction() as tx:
        paid = _paid_by(tx, job)
        take_back(tx, job.id, now)
    return f"withdrawals wait again: {', '.join(one.id for one in paid)[:200]}: {refusal} [{refusal.code}]"


def _paid_by(tx: Tx, job: Job) -> list[Withdrawal]:
    transfers = {ref.transfer_id for ref in transfer_refs(tx.sql, job.id)}
    return [one for one in find_withdrawals(tx.sql, states=(State.ORDERED,)) if one.transfer in transfers]
