"""Approved -> built: a gateway builds the transaction; its claims are reserved by a unique index before they are used.

What the gateway built is decoded here again and held against the plan; a server's word is never taken for it.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import Connection, func, insert, select
from sqlalchemy.exc import IntegrityError

from online.chains.api import Built, Gateway
from online.jobs.leases import Leases, leases
from online.jobs.model import Job, encode_context, encode_keys, find_job, find_jobs, reorder, transfer_refs
from online.jobs.moves import move
from online.jobs.states import State
from online.orders.mandated import require_waiting
from online.orders.model import Body
from online.orders.replacement import ancestors, changes_of
from online.orders.signed import require_ordered, signed_body
from online.store import tables
from online.store.database import Store, Tx
from shared.chains import chain
from shared.effects import Claim, Effects
from shared.errors import ClaimTaken, GatewayMissing, MoveRefused, PlanMismatch, Refusal

PENDING = "pending_units"
"""The parameter that tells a gateway what the address's other jobs will still spend, in base units of the native asset;
of another asset it is "pending:" and the asset's code."""

UNCONFIRMED = "unconfirmed"
"""The parameter by which an order lets its transactions spend what our own give, before any block has those."""

_MOST_TRIES = 20
_REMEMBERED = 5_000
"""Among so many of the newest jobs, what was used up counts as taken, whatever a node says that lags behind."""

_ON_THEIR_WAY = (State.BUILT, State.EXPORTED, State.ANSWERED, State.SUBMITTED)


def build_approved(
    store: Store, gateways: Mapping[str, Gateway], now: int, *, order: bytes | None = None
) -> tuple[Job, ...]:
    """Build the approved jobs, of one order if asked; the first refusal ends it and keeps what is built.

    What another process is building, or has built meanwhile, is left to it.

    Raises:
        GatewayMissing: without a gateway of the network. Refusal: as the gateway says what is wrong.
    """
    with store.reading() as connection:
        waiting = find_jobs(connection, order=order, states=(State.APPROVED,))
        bodies = {number: signed_body(connection, number) for number in {job.order for job in waiting}}
    with leases(store) as held:
        return tuple(_named(held, store, job, bodies[job.order], gateways, now) for job in waiting if held.take(job))


def _named(
    held: Leases, store: Store, job: Job, body: Body, gateways: Mapping[str, Gateway], now: int
) -> Job:
    """Build one of several, and say in a refusal which it is: until it is withdrawn or mended, it stops the others."""
    try:
        return _build(held, store, job, body, gateway_of(gateways, job.network), now)
    except Refusal as refusal:
        words = f"job {job.id} of order {body.idempotency_key}: {refusal}"
        raise type(refusal)(words, hint=refusal.hint, passes=refusal.passes) from refusal


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
    with leases(store) as held:
        return _build(held, store, job, body, gateway, now)


def _build(held: Leases, store: Store, job: Job, body: Body, gateway: Gateway, now: int) -> Job:
    """Build when no other process builds for the same address, so that none is always late for its claims."""
    with held.line(f"{job.network}/{job.plan.source}"):
        return _build_in_line(store, job.id, body, gateway, now)


def _build_in_line(store: Store, job_id: int, body: Body, gateway: Gateway, now: int) -> Job:
    for _ in range(_MOST_TRIES):
        with store.reading() as connection:
            job = find_job(connection, job_id)
            taken = taken_claims(connection, job.wallet)
            pending = _pending(connection, job)
            again = _claimed_before(connection, job)
            waiting = _waiting(connection, job) if job.plan.params.get(UNCONFIRMED) else ()
            require_signed(connection, body, job)
        if job.state is not State.APPROVED:
            raise MoveRefused(f"job {job_id} is {job.state} and is not built")
        wish = replace(job.plan, params={**job.plan.params, **pending}, again=again, waiting=waiting)
        built = gateway.build(wish, taken)
        effects = require_planned(job, built)
        try:
            with store.transaction() as tx:
                if not _reserve(tx, job, effects):
                    continue
                reorder(tx, job, effects.payments)
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


def taken_claims(connection: Connection, wallet: str) -> frozenset[Claim]:
    """Give the claims that the wallet's transactions hold, or that the newest used up: they are nobody else's.

    What older ones used up, no ledger offers any more; if one did, `_reserve` would still refuse it.
    """
    claims, jobs = tables.claims, tables.jobs
    mine = select(jobs.c.id).where(jobs.c.wallet == wallet)
    newest = mine.where(jobs.c.id > select(func.max(jobs.c.id) - _REMEMBERED).scalar_subquery())
    alive = mine.where(jobs.c.state.in_([state.value for state in _ON_THEIR_WAY]))
    query = select(claims.c.scope, claims.c.name).where(claims.c.job.in_(newest.union(alive)), claims.c.active)
    rows = connection.execute(query)
    return frozenset(Claim(row.scope, row.name) for row in rows)


def require_signed(connection: Connection, body: Body, job: Job) -> None:
    """Hold a job against what its order says, and against who decided to replace another by it.

    Raises:
        PlanMismatch, BadSeal, BadSignature: as `signed.require_ordered`, `mandated.require_waiting`, `changes_of`.
    """
    refs = transfer_refs(connection, job.id)
    require_ordered(body, job.order, job.plan, refs, changes_of(connection, job))
    require_waiting(connection, body, refs)


def _pending(connection: Connection, job: Job) -> dict[str, int]:
    """Add up what the other jobs on their way from the plan's address will spend at most, by parameter.

    What a job replaces is none of them, and of others that replace each other the one counts that the books reserve
    for: only one of them can happen.
    """
    jobs, link, transfers, plan = tables.jobs, tables.job_transfers, tables.transfers, job.plan
    entries = tables.entries
    reserved = select(entries.c.id).where(entries.c.job == jobs.c.id, entries.c.status == "pending")
    native = chain(plan.network).network(plan.network).native
    on_its_way = (
        (jobs.c.network == plan.network)
        & (jobs.c.source == plan.source)
        & jobs.c.state.in_([state.value for state in _ON_THEIR_WAY])
        & jobs.c.id.not_in(ancestors(connection, job))
        & reserved.exists()
    )
    fees = connection.execute(select(jobs.c.fee_units).where(on_its_way)).scalars()
    pending = Counter({PENDING: sum(int(fee or 0) for fee in fees)})
    paid = select(transfers.c.asset_code, transfers.c.units).join(link, link.c.transfer == transfers.c.id)
    for row in connection.execute(paid.join(jobs, jobs.c.id == link.c.job).where(on_its_way)):
        name = PENDING if row.asset_code == native.code else f"pending:{row.asset_code}"
        pending[name] += int(row.units)
    return dict(pending)


def _waiting(connection: Connection, job: Job) -> tuple[str, ...]:
    """Give our own submitted transactions that come from the plan's addresses or pay them, the newest first."""
    jobs, link, transfers = tables.jobs, tables.job_transfers, tables.transfers
    mine = [job.plan.source, *(address for address, _, _ in job.plan.inputs)]
    pays = select(link.c.job).join(transfers, transfers.c.id == link.c.transfer)
    touching = jobs.c.source.in_(mine) | jobs.c.id.in_(pays.where(transfers.c.destination.in_(mine)))
    here = (jobs.c.network == job.network) & (jobs.c.state == State.SUBMITTED.value) & (jobs.c.id != job.id)
    return tuple(connection.execute(select(jobs.c.tx_id).where(here, touching).order_by(jobs.c.id.desc())).scalars())


def _claimed_before(connection: Connection, job: Job) -> tuple[Claim, ...]:
    """Give what earlier jobs of the same transfers claimed, the newest first: on it, a new one excludes the old."""
    claims = tables.claims
    query = select(claims.c.scope, claims.c.name).where(claims.c.job.in_(_earlier(connection, job)))
    found = connection.execute(query.order_by(claims.c.job.desc(), claims.c.id))
    return tuple(dict.fromkeys(Claim(row.scope, row.name) for row in found))


def _earlier(connection: Connection, job: Job) -> frozenset[int]:
    """Give the earlier jobs of the same transfers, and those that this one replaces."""
    link = tables.job_transfers
    mine = select(link.c.transfer).where(link.c.job == job.id)
    same = connection.execute(select(link.c.job).where(link.c.transfer.in_(mine), link.c.job < job.id)).scalars()
    return frozenset(same) | frozenset(ancestors(connection, job))


def require_planned(job: Job, built: Built) -> Effects:
    """Decode the built bytes and hold what they do against the plan. Raises PlanMismatch, and as the chain decodes."""
    ledger, plan = chain(job.network), job.plan
    tx = ledger.decode(built.unsigned, built.context, built.keys, plan.network)
    effects = ledger.effects(tx, job.register)
    if (effects.kind, effects.network, effects.source) != (plan.kind, plan.network, plan.source):
        raise PlanMismatch("the built transaction is of another kind, network or source than its plan")
    if Counter(effects.payments) != Counter(plan.payments) or effects.fee_payer != plan.source:
        raise PlanMismatch("the built transaction pays something else than its plan")
    mine = {plan.key, *(path for _, path, _ in plan.inputs)}
    if not built.keys or not mine.issuperset(built.keys):
        raise PlanMismatch("the built transaction is signed by other keys than its plan says")
    named = {value for value in plan.params.values() if isinstance(value, str)}
    for change in effects.settings:
        keys = {*change.keys, *change.lost}
        if change.who_may_sign and not (keys and named.issuperset(keys)):
            raise PlanMismatch("the built transaction changes who may sign, and nobody ordered that")
    if not effects.claims:
        raise PlanMismatch("the built transaction uses nothing up, so that it could happen twice")
    return effects


def _reserve(tx: Tx, job: Job, effects: Effects) -> bool:
    """Take the claims; give false where another job holds one, unless this job replaces that one on purpose."""
    claims, family = tables.claims, set(ancestors(tx.sql, job))
    for claim in effects.claims:
        here = (claims.c.network == job.network) & (claims.c.scope == claim.scope) & (claims.c.name == claim.name)
        holders = set(tx.sql.execute(select(claims.c.job).where(here, claims.c.active)).scalars())
        if not family.issuperset(holders):
            return False
        row = {"network": job.network, "scope": claim.scope, "name": claim.name, "job": job.id, "active": True}
        tx.sql.execute(insert(claims).values(**row, shared=bool(holders)))
    return True


def _columns(built: Built, effects: Effects) -> dict[str, object]:
    return {
        "unsigned": built.unsigned,
        "unsigned_sha256": hashlib.sha256(built.unsigned).digest(),
        "context": encode_context(built.context),
        "signing_keys": encode_keys(built.keys),
        "fee_units": str(effects.fee_most.units),
        "expiry_height": None if effects.expiry is None else effects.expiry.last_height,
    }


def adopt(tx: Tx, job: Job, built: Built, now: int) -> Job:
    """Give an approved job the bytes that were built for it before, as a signer's journal shows them.

    Raises:
        BadSeal: if its order is not signed by two people. PlanMismatch: if its order says something else.
        ClaimTaken: if another job holds a claim.
    """
    require_signed(tx.sql, signed_body(tx.sql, job.order), job)
    effects = require_planned(job, built)
    if not _reserve(tx, job, effects):
        raise ClaimTaken(f"job {job.id}: another job holds what it uses up")
    reorder(tx, job, effects.payments)
    return move(tx, job, State.BUILT, now, values=_columns(built, effects))
