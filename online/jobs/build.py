"""Approved -> built: a gateway builds the transaction; its claims are reserved by a unique index before they are used.

What the gateway built is decoded here again and held against the plan; a server's word is never taken for it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import IntegrityError

from online.chains.api import Built, Gateway, Plan
from online.jobs.model import Job, encode_context, encode_keys, find_job, find_jobs, transfer_refs
from online.jobs.moves import move
from online.jobs.states import State
from online.orders.model import Body
from online.orders.signed import require_ordered, signed_body
from online.store import tables
from online.store.database import Store, Tx
from shared.chains import chain
from shared.effects import Claim, Effects
from shared.errors import ClaimTaken, GatewayMissing, MoveRefused, PlanMismatch

PENDING = "pending_units"
"""The parameter that tells a gateway what the address's other jobs will still spend, in base units."""

_MOST_TRIES = 20
_ON_THEIR_WAY = (State.BUILT, State.EXPORTED, State.ANSWERED, State.SUBMITTED)


def build_approved(
    store: Store, gateways: Mapping[str, Gateway], now: int, *, order: bytes | None = None
) -> tuple[Job, ...]:
    """Build the approved jobs, of one order if asked; the first refusal ends it and keeps what is built.

    Raises:
        GatewayMissing: without a gateway of the network. Refusal: as the gateway says what is wrong.
    """
    with store.reading() as connection:
        waiting = find_jobs(connection, order=order, states=(State.APPROVED,))
        bodies = {number: signed_body(connection, number) for number in {job.order for job in waiting}}
    return tuple(
        _build(store, job.id, bodies[job.order], gateway_of(gateways, job.network), now) for job in waiting
    )


def build_job(store: Store, job_id: int, gateway: Gateway, now: int) -> Job:
    """Build one approved job, again with other claims if another builder was quicker.

    Raises:
        MoveRefused: if it is not approved. BadSeal: if its order is not signed by two people.
        PlanMismatch: if something else was planned or built. ClaimTaken: if others are always quicker.
        Refusal: as the gateway says.
    """
    with store.reading() as connection:
        job = find_job(connection, job_id)
        if job.state is not State.APPROVED:
            raise MoveRefused(f"job {job_id} is {job.state} and is not built")
        body = signed_body(connection, job.order)
    return _build(store, job_id, body, gateway, now)


def _build(store: Store, job_id: int, body: Body, gateway: Gateway, now: int) -> Job:
    for _ in range(_MOST_TRIES):
        with store.reading() as connection:
            job = find_job(connection, job_id)
            taken = _taken(connection, job.wallet)
            pending = _pending(connection, job.plan)
            again = _claimed_before(connection, job)
            require_ordered(body, job.order, job.plan, transfer_refs(connection, job_id))
        if job.state is not State.APPROVED:
            raise MoveRefused(f"job {job_id} is {job.state} and is not built")
        wish = replace(job.plan, params={**job.plan.params, PENDING: pending}, again=again)
        built = gateway.build(wish, taken)
        effects = _checked(job.plan, built)
        try:
            with store.transaction() as tx:
                _reserve(tx, job, effects)
                return move(tx, job, State.BUILT, now, values=_columns(built, effects))
        except IntegrityError:
            continue  # another builder holds the claim since; its rows are visible at the next try
    raise ClaimTaken(f"job {job_id}: other builders were quicker {_MOST_TRIES} times")


def gateway_of(gateways: Mapping[str, Gateway], network: str) -> Gateway:
    """Give the gateway of a network. Raises GatewayMissing."""
    try:
        return gateways[network]
    except KeyError:
        raise GatewayMissing(f"no node of {network} is configured") from None


def _taken(connection: Connection, wallet: str) -> frozenset[Claim]:
    """Give the claims that the wallet's transactions hold or used up: its claims are nobody else's."""
    claims, jobs = tables.claims, tables.jobs
    query = select(claims.c.scope, claims.c.name).join(jobs, jobs.c.id == claims.c.job)
    rows = connection.execute(query.where(jobs.c.wallet == wallet, claims.c.active))
    return frozenset(Claim(row.scope, row.name) for row in rows)


def _pending(connection: Connection, plan: Plan) -> int:
    """Add up what the jobs on their way from the plan's address will spend at most."""
    jobs, link, transfers = tables.jobs, tables.job_transfers, tables.transfers
    on_its_way = (
        (jobs.c.network == plan.network)
        & (jobs.c.source == plan.source)
        & jobs.c.state.in_([state.value for state in _ON_THEIR_WAY])
    )
    fees = connection.execute(select(jobs.c.fee_units).where(on_its_way)).scalars()
    paid = select(transfers.c.units).join(link, link.c.transfer == transfers.c.id)
    amounts = connection.execute(paid.join(jobs, jobs.c.id == link.c.job).where(on_its_way)).scalars()
    return sum(int(fee or 0) for fee in fees) + sum(int(units) for units in amounts)


def _claimed_before(connection: Connection, job: Job) -> tuple[Claim, ...]:
    """Give what earlier jobs of the same transfers claimed, the newest first: on it, a new one excludes the old."""
    claims, link = tables.claims, tables.job_transfers
    mine = select(link.c.transfer).where(link.c.job == job.id)
    query = select(claims.c.scope, claims.c.name).join(link, link.c.job == claims.c.job)
    earlier = query.where(link.c.transfer.in_(mine), claims.c.job < job.id).order_by(claims.c.job.desc())
    return tuple(Claim(row.scope, row.name) for row in connection.execute(earlier))


def _checked(plan: Plan, built: Built) -> Effects:
    """Decode the built bytes and hold what they do against the plan."""
    ledger = chain(plan.network)
    effects = ledger.effects(ledger.decode(built.unsigned, built.context, built.keys, plan.network))
    if (effects.kind, effects.network, effects.source) != (plan.kind, plan.network, plan.source):
        raise PlanMismatch("the built transaction is of another kind, network or source than its plan")
    if effects.payments != plan.payments or effects.fee_payer != plan.source:
        raise PlanMismatch("the built transaction pays something else than its plan")
    if any(change.who_may_sign for change in effects.settings) or built.keys != (plan.key,):
        raise PlanMismatch("the built transaction changes who may sign, or is signed by other keys")
    if not effects.claims:
        raise PlanMismatch("the built transaction uses nothing up, so that it could happen twice")
    return effects


def _reserve(tx: Tx, job: Job, effects: Effects) -> None:
    for claim in effects.claims:
        row = {"network": job.network, "scope": claim.scope, "name": claim.name, "job": job.id, "active": True}
        tx.sql.execute(insert(tables.claims).values(row))


def _columns(built: Built, effects: Effects) -> dict[str, object]:
    return {
        "unsigned": built.unsigned,
        "unsigned_sha256": hashlib.sha256(built.unsigned).digest(),
        "context": encode_context(built.context),
        "signing_keys": encode_keys(built.keys),
        "fee_units": str(effects.fee_most.units),
        "expiry_height": None if effects.expiry is None else effects.expiry.last_height,
    }
