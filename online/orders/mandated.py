"""Orders of the station's own: what two people's mandate lets it pay, held against the withdrawals line by line.

Whoever can change a row of the database, but has not the station's key, can make no order by it. What the withdrawals'
rows themselves say is held against the station's journal (`online.withdrawals.sworn`) when they are gathered, and when
they leave (`online.jobs.leaving`). Whoever has the station's key is bounded by the mandate here and by the signer's
sealed policy on the other machine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import Connection

from online.orders.model import Body
from online.store import journal
from online.withdrawals.mandates import find_mandate, require_two
from online.withdrawals.model import withdrawals_by_transfer
from online.withdrawals.settling import ORDER_KIND as ORDER_KIND  # noqa: PLC0414 - callers ask this module alone
from online.withdrawals.states import State
from shared.envelope import TransferRef
from shared.errors import BadSeal, MandateMissing, OverWithdrawalLimit
from shared.sealed import Sealed


def require(connection: Connection, body: Body, sealed: Sealed) -> None:
    """Demand that the station signed an order, under a mandate that counts and lets through every line.

    Raises:
        BadSeal, BadSignature: if it is another's, or pays anything else. MandateMissing: if the mandate was revoked.
        OverWithdrawalLimit: if a line is above it.
    """
    if sealed.signers != (journal.tip(connection).key,):
        raise BadSeal("an order under a mandate is signed by this station alone")
    given = find_mandate(connection, bytes.fromhex(str(body.params.get("mandate"))))
    require_two(connection, given)
    if given.revoked or given.mandate.wallet != body.wallet:
        raise MandateMissing("the mandate of this order was revoked, or is another wallet's")
    used: Counter[str] = Counter()
    for place, line in enumerate(body.lines):
        ceiling = given.mandate.ceilings.get(line.amount.asset.code)
        used[line.amount.asset.code] += line.amount.units
        if ceiling is None or line.amount.units > ceiling.event or used[line.amount.asset.code] > ceiling.day:
            raise OverWithdrawalLimit(f"line {place + 1} of this order is above its mandate")


def require_waiting(connection: Connection, body: Body, refs: Sequence[TransferRef]) -> None:
    """Demand that each of these lines pays a withdrawal that waits for it and for nothing else.

    Raises:
        BadSeal: if one does not.
    """
    if body.kind != ORDER_KIND:
        return
    waiting = withdrawals_by_transfer(connection, [ref.transfer_id for ref in refs])
    for ref in refs:
        one, line = waiting.get(ref.transfer_id), body.lines[ref.line]
        stands = None if one is None else (one.wallet, one.state, one.destination, one.amount)
        if stands != (body.wallet, State.ORDERED, line.destination, line.amount):
            raise BadSeal(f"line {ref.line + 1} of this order is no withdrawal that waits for it")
