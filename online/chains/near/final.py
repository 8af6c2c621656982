"""What a settled transaction means for its plan: which payments arrived, what they cost, and what came back.

A payment arrived by its own receipt alone. Tokens move all together or not at all: all calls of a transaction are
one receipt. What a token's contract logged must agree where it logs; where it contradicts, a person must look.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace

from online.chains.api import Final, Pending
from online.chains.near.receipts import Outcome, TxStatus
from online.chains.near.settle import Settlement, settle
from shared.chains.near import NEAR
from shared.effects import Effects, Payment
from shared.errors import NodeAnswerUnreadable
from shared.money import Amount

_WHOLE = re.compile(r"0|[1-9][0-9]{0,38}", re.ASCII)


def final_of(found: TxStatus, effects: Effects, height: int, *, relayed: str = "") -> Final | Pending:
    """Give the end of a transaction that a final block has, or what is missing to say it.

    `relayed` is the receipt that did it where a relayer paid: then its fee and deposits are none of ours.

    Raises:
        NodeAnswerUnreadable: when the node shows another movement than was signed.
    """
    settlement = settle(found)
    if not settlement.whole:
        return Pending(f"in block {height}; {settlement.gap}", stuck=found.final)
    first = found.by_id.get(relayed) if relayed else _first(found)
    arrived = _arrived(found, settlement, first, effects)
    if isinstance(arrived, Pending):
        return arrived
    native = NEAR.network(effects.network).native
    success = bool(first and first.success) and (bool(arrived) or not effects.payments)
    cost = 0 if relayed else _cost(found, settlement, first, effects)
    return Final(
        tx_id=found.sent.hash,
        height=height,
        success=success,
        result=_result(settlement, arrived, effects, success=success),
        fee=Amount(native, 0 if relayed else settlement.burnt),
        delivered=arrived,
        costs=(Amount(native, cost),) if cost else (),
        refunds=tuple(
            Amount(native, move.yocto)
            for move in settlement.refunds
            if move.receiver == effects.source and move.yocto
        ),
    )


def _first(found: TxStatus) -> Outcome | None:
    """Give the outcome of the receipt that the transaction became; None where it became none."""
    return found.by_id.get(found.own.receipt_ids[0]) if found.own.success and found.own.receipt_ids else None


def _arrived(
    found: TxStatus, settlement: Settlement, first: Outcome | None, effects: Effects
) -> tuple[Payment, ...] | Pending:
    if first is None or not first.success or not effects.payments:
        return ()
    if effects.kind == "payment":
        return _native(settlement, first, effects.payments)
    if effects.kind == "nep141-call":
        return _used(found, first, effects.payments[0])
    return _tokens(settlement, first, effects)


def _native(settlement: Settlement, first: Outcome, payments: tuple[Payment, ...]) -> tuple[Payment, ...]:
    shown = [(move.receiver, move.yocto) for move in settlement.credits if move.receipt == first.id]
    signed = [(payment.destination.address, payment.amount.units) for payment in payments]
    if shown != signed:
        raise NodeAnswerUnreadable(f"the node shows a transfer of {shown} in {settlement.tx_hash}, not what was signed")
    return payments


def _tokens(settlement: Settlement, first: Outcome, effects: Effects) -> tuple[Payment, ...] | Pending:
    """Give the payments where the receipt succeeded, unless the contract's own log of it says something else."""
    moves = [move for move in settlement.tokens if move.receipt == first.id and move.contract == first.executor]
    if not moves:
        return effects.payments  # a contract of before NEP-300; `ft_transfer` moves all or panics (NEP-141)
    logged = Counter((move.new_owner, move.units) for move in moves if move.old_owner == effects.source)
    signed = Counter((payment.destination.address, payment.amount.units) for payment in effects.payments)
    if signed - logged:
        return Pending(f"final, and the log of {first.executor} shows other transfers than were signed", stuck=True)
    return effects.payments


def _used(found: TxStatus, first: Outcome, payment: Payment) -> tuple[Payment, ...] | Pending:
    """Give what the receiver of an `ft_transfer_call` kept: `ft_resolve_transfer` returns it as a text of units."""
    raw = found.returned(first)
    units = _units(raw)
    if units is None or units > payment.amount.units:
        return Pending("final, and what the receiver of the call kept is not said", stuck=True)
    return (replace(payment, amount=Amount(payment.amount.asset, units)),) if units else ()


def _units(raw: bytes | None) -> int | None:
    try:
        value = json.loads(raw or b"", parse_float=str)
    except (ValueError, RecursionError):
        return None
    return int(value) if isinstance(value, str) and _WHOLE.fullmatch(value) else None


def _cost(found: TxStatus, settlement: Settlement, first: Outcome | None, effects: Effects) -> int:
    """Add up the deposits of calls that stayed elsewhere: those of a failed receipt have come back from `system`."""
    if first is None or not first.success:
        return 0
    attached = sum(step.deposit for step in found.sent.steps if step.kind == "FunctionCall")
    return max(0, attached - settlement.back(effects.source)) if attached else 0


def _result(settlement: Settlement, arrived: tuple[Payment, ...], effects: Effects, *, success: bool) -> str:
    failed = "; ".join(f"{one.failure} at {one.executor}" for one in settlement.failed)
    if not success:
        return failed or "nothing of it was kept by the receiver"
    kept = sum(payment.amount.units for payment in arrived)
    sent = sum(payment.amount.units for payment in effects.payments)
    words = "success" if kept == sent else f"success, and the receiver kept {kept} of {sent} units"
    return f"{words}; beside it failed: {failed}" if failed else words
