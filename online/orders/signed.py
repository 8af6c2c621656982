"""What two people signed, read from their document and held against what the store would build.

Between approval and build lie only rows of a database. Whoever can change a row must not be able to change a payment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from online.chains.api import Plan
from online.orders import mandated
from online.orders.model import KIND, Body, Step, decode_body, find_order
from online.store.people import find_person
from shared.effects import Payment
from shared.envelope import TransferRef, order_id
from shared.errors import BadSeal, PlanMismatch
from shared.sealed import open_sealed


def signed_body(connection: Connection, order: bytes) -> Body:
    """Give what an approved order asks for, from the document that its drafter and its approver signed.

    Raises:
        BadSeal, BadSignature: if it is not signed by two people of this store, or is another order.
    """
    found = find_order(connection, order)
    if found.approved_by is None:
        raise BadSeal(f"the order {order.hex()} is not approved")
    sealed = open_sealed(found.sealed, KIND)
    body = decode_body(sealed.body)
    if order_id(body.idempotency_key) != order:
        raise BadSeal(f"the document of the order {order.hex()} is another order")
    if body.kind == mandated.ORDER_KIND:
        mandated.require(connection, body, sealed)
        return body
    keys = {find_person(connection, name).key for name in (found.drafted_by, found.approved_by)}
    if len(keys) != 2 or set(sealed.signers) != keys:
        raise BadSeal(f"the order {order.hex()} is not signed by the two people that the store names")
    return body


def require_ordered(
    body: Body,
    order: bytes,
    plan: Plan,
    refs: Sequence[TransferRef],
    changed: Mapping[str, int | str] | None = None,
) -> None:
    """Refuse a plan that is none of the signed order's steps, but for parameters that a signed decision changed.

    Raises:
        PlanMismatch: if it differs in anything that moves or changes money.
    """
    if any(ref.order != order or ref.line >= len(body.lines) for ref in refs):
        raise PlanMismatch("a transfer of the job is none of its order")
    lines = [body.lines[ref.line] for ref in refs]
    wanted = tuple(Payment(line.source, line.destination, line.amount) for line in lines)
    if plan.payments != wanted or plan.network != body.network:
        raise PlanMismatch("the job would pay something else than its order says")
    numbers = tuple(sorted(ref.line for ref in refs))
    asked = Step(plan.kind, plan.source, numbers, dict(plan.params), tuple(one[0] for one in plan.inputs))
    if asked not in [replace(step, params={**step.params, **(changed or {})}) for step in body.steps]:
        raise PlanMismatch("the job would do something else, or otherwise, than its order says")
