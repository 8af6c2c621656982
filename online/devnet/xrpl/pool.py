"""The open ledger and the transactions that wait: what `submit` does before any ledger closes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from online.devnet.xrpl.engine import PLAIN, Manner, Outcome, apply_transaction
from online.devnet.xrpl.meta import thread
from online.devnet.xrpl.results import is_retry
from online.devnet.xrpl.state import State
from online.devnet.xrpl.transaction import Transaction
from online.devnet.xrpl.work import Place

LEDGERS_HELD: Final = 5
MOST_QUEUED_PER_ACCOUNT: Final = 10


@dataclass(frozen=True, slots=True)
class Submission:
    """What a node says to a submit: provisional, whatever it says."""

    tx: Transaction
    result: str
    applied: bool = False
    broadcast: bool = False
    queued: bool = False
    kept: bool = False


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An open ledger as it was at a moment."""

    state: State
    applied: dict[str, Transaction]
    held: dict[str, tuple[Transaction, int]]
    queued: dict[str, Transaction]


class Pool:
    """One open ledger: a state that runs ahead of the closed one, and transactions held for a later one."""

    def __init__(self, state: State, place: Place) -> None:
        self.state: State = dict(state)
        self.place = place
        self.applied: dict[str, Transaction] = {}
        self.held: dict[str, tuple[Transaction, int]] = {}
        self.queued: dict[str, Transaction] = {}

    def reopen(self, state: State, place: Place, left: list[Transaction]) -> None:
        """Begin the next open ledger on a closed one, with what that left over and what was queued."""
        self.state, self.place, self.applied = dict(state), place, {}
        since = {tx_id: index for tx_id, (_, index) in self.held.items()}
        self.held = {tx.id: (tx, since.get(tx.id, place.index - 1)) for tx in left}
        self.held = {tx_id: pair for tx_id, pair in self.held.items() if self._still_waits(*pair)}
        queued, self.queued = self.queued, {}
        for tx in queued.values():
            self._take(tx, PLAIN)

    def waiting(self) -> list[Transaction]:
        """List what a closing should try: the open ledger's transactions and the held ones."""
        return [*self.applied.values(), *(tx for tx, _ in self.held.values())]

    def find(self, tx_id: str) -> Transaction | None:
        """Give a transaction that is not in a closed ledger yet."""
        held = self.held.get(tx_id)
        return self.applied.get(tx_id) or self.queued.get(tx_id) or (held[0] if held else None)

    def submit(self, tx: Transaction, *, fail_hard: bool, crowded_fee_drops: int | None) -> Submission:
        """Apply, queue or hold a transaction, as xrpld would, and say which."""
        if crowded_fee_drops is not None and tx.fee_drops < crowded_fee_drops:
            return self._queue(tx, fail_hard=fail_hard)
        outcome = self._take(tx, Manner(fail_hard=fail_hard))
        if outcome.applied:
            self._retry_held(tx.account)
            return Submission(tx, outcome.result, applied=True, broadcast=True, kept=True)
        if is_retry(outcome.result) and not fail_hard:
            self.held.setdefault(tx.id, (tx, self.place.index))
            return Submission(tx, outcome.result, kept=True)
        return Submission(tx, outcome.result)

    def snapshot(self) -> Snapshot:
        """Remember the open ledger and what waits."""
        return Snapshot(dict(self.state), dict(self.applied), dict(self.held), dict(self.queued))

    def return_to(self, before: Snapshot) -> None:
        """Undo what came after a snapshot."""
        self.state, self.applied = before.state, before.applied
        self.held, self.queued = before.held, before.queued

    def try_out(self, tx: Transaction, manner: Manner) -> Outcome:
        """Apply to nothing: what would happen in this open ledger."""
        return apply_transaction(self.state, tx, self.place, manner)

    def _take(self, tx: Transaction, manner: Manner) -> Outcome:
        outcome = apply_transaction(self.state, tx, self.place, manner)
        if outcome.applied:
            thread(outcome, tx, self.place.index)
            outcome.view.commit(self.state)
            self.applied[tx.id] = tx
            self.held.pop(tx.id, None)
        return outcome

    def _retry_held(self, account: str) -> None:
        progress = True
        while progress:
            mine = [tx for tx, _ in self.held.values() if tx.account == account]
            progress = any(self._take(tx, PLAIN).applied for tx in sorted(mine, key=lambda tx: tx.sequence))

    def _queue(self, tx: Transaction, *, fail_hard: bool) -> Submission:
        before = [other for other in self.queued.values() if other.account == tx.account]
        ahead = Pool(self.state, self.place)
        for other in before:
            ahead._take(other, PLAIN)
        outcome = ahead._take(tx, PLAIN)
        if not outcome.applied:
            return Submission(tx, outcome.result)
        last = tx.number("LastLedgerSequence")
        if fail_hard or "AccountTxnID" in tx.fields or (last is not None and last < self.place.index + 2):
            return Submission(tx, "telCAN_NOT_QUEUE")
        if len(before) >= MOST_QUEUED_PER_ACCOUNT:
            return Submission(tx, "telCAN_NOT_QUEUE_FULL")
        self.queued[tx.id] = tx
        return Submission(tx, "terQUEUED", broadcast=True, queued=True, kept=True)

    def _still_waits(self, tx: Transaction, since: int) -> bool:
        last = tx.number("LastLedgerSequence")
        return self.place.index - since <= LEDGERS_HELD and (last is None or last >= self.place.index)

