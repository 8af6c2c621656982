"""The last look before a built job leaves for its signer: its bytes, its order and what it pays, each by its own proof.

Between build and export lie only rows of a database. What the bytes do is decoded anew and held against the order that
was signed; what they pay under a mandate, against the withdrawals in the station's signed journal.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection

from online.chains.api import Built
from online.jobs.build import require_planned, require_signed
from online.jobs.model import Job, effects_of, transfer_refs
from online.orders.mandated import ORDER_KIND
from online.orders.model import Body
from online.orders.signed import signed_body
from online.store.followed import Followed
from online.withdrawals.model import Withdrawal, withdrawals_by_transfer
from online.withdrawals.sworn import Sworn
from shared.errors import Refusal


def why_barred(connection: Connection, key: bytes, jobs: Collection[Job], before: Followed) -> dict[int, Refusal]:
    """Say of built jobs, by number, why they may not leave; of those that may, nothing.

    `key` is the station's. MandateMissing and OverWithdrawalLimit mean that the mandate does not let it through any
    more; all else, that somebody wrote in the database.
    """
    why: dict[int, Refusal] = {}
    paid: dict[int, list[Withdrawal]] = {}
    bodies: dict[bytes, Body] = {}
    for job in jobs:
        try:
            if job.order not in bodies:
                bodies[job.order] = signed_body(connection, job.order)
            require_signed(connection, bodies[job.order], job)
            require_planned(job, Built(job.unsigned or b"", job.context, job.keys, effects_of(job)))
            if bodies[job.order].kind == ORDER_KIND:
                refs = transfer_refs(connection, job.id)
                paid[job.id] = [*withdrawals_by_transfer(connection, [ref.transfer_id for ref in refs]).values()]
        except Refusal as refusal:
            why[job.id] = refusal
    return why | _unproven(connection, key, paid, before)


def _unproven(
    connection: Connection, key: bytes, paid: dict[int, list[Withdrawal]], before: Followed
) -> dict[int, Refusal]:
    """Say which jobs pay what the journal does not bear out."""
    if not paid:
        return {}
    why: dict[int, Refusal] = {}
    try:
        sworn = Sworn(connection, key, [one for some in paid.values() for one in some], before)
    except Refusal as refusal:
        return dict.fromkeys(paid, refusal)
    for number, some in paid.items():
        try:
            for one in some:
                sworn.require_payable(one)
        except Refusal as refusal:
            why[number] = refusal
    return why
