"""What a transaction moved, by every receipt and outcome: the one rule by which money on NEAR is counted.

The status that stands above is never believed: it says SuccessValue over failed receipts, and Failure over money
that moved. A Transfer arrived if its receipt did not come from `system` and the outcome with the receipt's id
succeeded at the receiver; what comes from `system` is a refund, never a credit. Fees are what every outcome burnt,
the transaction's own included.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from online.chains.near.events import TokenMove, token_moves
from online.chains.near.faults import Failure
from online.chains.near.receipts import SYSTEM, Outcome, Receipt, TxStatus


@dataclass(frozen=True, slots=True)
class Move:
    """A Transfer that arrived: by which receipt and action of it, from whom, to whom, how many yoctoNEAR."""

    receipt: str
    action: int
    sender: str
    receiver: str
    yocto: int


@dataclass(frozen=True, slots=True)
class Failed:
    """A receipt that failed: where, and why."""

    receipt: str
    executor: str
    failure: Failure


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a transaction did. It counts only where `whole`: final, nothing missing, nothing that nobody can say."""

    tx_hash: str
    whole: bool
    gap: str
    credits: tuple[Move, ...]
    refunds: tuple[Move, ...]
    failed: tuple[Failed, ...]
    burnt: int
    tokens: tuple[TokenMove, ...]

    def back(self, account: str) -> int:
        """Add up what other accounts than `system` sent to an account."""
        return sum(move.yocto for move in self.credits if move.receiver == account and move.sender != account)


def settle(found: TxStatus) -> Settlement:
    """Walk every receipt and outcome of a transaction."""
    arrived = [move for outcome in found.outcomes for move in _arrived(found.receipts.get(outcome.id), outcome)]
    gap = _gap(found)
    return Settlement(
        tx_hash=found.sent.hash,
        whole=not gap,
        gap=gap,
        credits=tuple(move for move in arrived if move.sender != SYSTEM),
        refunds=tuple(move for move in arrived if move.sender == SYSTEM),
        failed=tuple(_failures(found)),
        burnt=found.own.burnt + sum(outcome.burnt for outcome in found.outcomes),
        tokens=tuple(move for outcome in found.outcomes if outcome.success for move in token_moves(outcome)),
    )


def _arrived(receipt: Receipt | None, outcome: Outcome) -> list[Move]:
    if receipt is None or not outcome.success or outcome.executor != receipt.receiver:
        return []
    return [Move(receipt.id, at, receipt.sender, receipt.receiver, yocto) for at, yocto in receipt.moves()]


def _failures(found: TxStatus) -> list[Failed]:
    outcomes = (found.own, *found.outcomes)
    return [Failed(one.id, one.executor, one.failure) for one in outcomes if one.failure is not None]


def _gap(found: TxStatus) -> str:
    """Say why nothing is settled yet, nothing where it is."""
    if not found.final:
        return f"the node calls it {found.level or 'nothing'}, not FINAL"
    for names, words in (
        (found.missing, "receipts without an outcome"),
        (found.unknown, "outcomes without a receipt"),
        (found.open, "outcomes that say neither success nor failure"),
    ):
        if names:
            return f"the node calls it FINAL and shows {len(names)} {words}"
    repeated = [name for name, times in Counter(outcome.id for outcome in found.outcomes).items() if times > 1]
    return f"the node shows {len(repeated)} outcomes twice" if repeated else ""
