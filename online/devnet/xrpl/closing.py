"""Closing a ledger: the open ledger's transactions are taken again, in an order that nobody chooses.

That is why an answer to `submit` is provisional: the order may differ from that of arrival.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from online.devnet.xrpl.engine import Manner, apply_transaction
from online.devnet.xrpl.hashes import account_id
from online.devnet.xrpl.history import Record
from online.devnet.xrpl.meta import build_meta, thread
from online.devnet.xrpl.results import is_retry, is_tec
from online.devnet.xrpl.state import State
from online.devnet.xrpl.transaction import Transaction
from online.devnet.xrpl.work import Place

TOTAL_PASSES: Final = 3


@dataclass(slots=True)
class Taking:
    """What a closing came to: the new state, the records in order, and what a later ledger may still take."""

    state: State
    records: list[Record] = field(default_factory=list)
    left: list[Transaction] = field(default_factory=list)


def canonical_order(transactions: Iterable[Transaction], salt: str) -> list[Transaction]:
    """Order by salted account, sequences before tickets, then number and id."""
    salted = int(salt[:40], 16)
    return sorted(transactions, key=lambda tx: (
        int.from_bytes(account_id(tx.account), "big") ^ salted, tx.ticket is not None,
        tx.ticket if tx.ticket is not None else tx.sequence, tx.id))


def take_all(state: State, transactions: Iterable[Transaction], place: Place, salt: str) -> Taking:
    """Apply transactions to a copy of the state in passes; a tec counts only in the last ones."""
    taking = Taking(dict(state), left=canonical_order(transactions, salt))
    certain_retry = True
    for number in range(TOTAL_PASSES):
        changes = _pass(taking, place, retry=certain_retry)
        if changes == 0 and not certain_retry:
            break
        if changes == 0 or number >= 1:
            certain_retry = False
    return taking


def _pass(taking: Taking, place: Place, *, retry: bool) -> int:
    waiting, taking.left, before = taking.left, [], len(taking.records)
    for tx in waiting:
        outcome = apply_transaction(taking.state, tx, place, Manner(retry=retry))
        if outcome.applied:
            meta = build_meta(outcome, tx, len(taking.records))
            thread(outcome, tx, place.index)
            outcome.view.commit(taking.state)
            taking.records.append(Record(tx, meta, place.index, len(taking.records)))
        elif is_retry(outcome.result) or is_tec(outcome.result):
            taking.left.append(tx)
    return len(taking.records) - before
