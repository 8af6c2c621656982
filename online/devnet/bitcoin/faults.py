"""What can be wrong with a bitcoind, as switches: tests and drills turn them, its RPC face obeys them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

SubmitLoss = Literal["request-lost", "reply-lost", "swallowed"]
"""request-lost: not taken, not answered; reply-lost: taken, not answered; swallowed: answered, not kept."""


class ConnectionLost(Exception):
    """The node gives no answer at all: the connection ends."""


@dataclass(slots=True)
class Faults:
    """The present troubles of a node; all off at first."""

    down: bool = False
    stalled: bool = False
    in_download: bool = False
    told_chain: str | None = None
    headers_ahead: int = 0
    next_submit: SubmitLoss | None = None
    busy_scans: int = 0
    """How many scans of unspent outputs still find another one under way; a node makes one at a time."""
    forgotten: set[str] = field(default_factory=set)
    """Ids of transactions and hashes of blocks that this node cannot show any more."""

    def take_busy_scan(self) -> bool:
        """Say whether another scan is under way, and count it down."""
        busy = self.busy_scans > 0
        self.busy_scans -= busy
        return busy

    def take_next_submit(self) -> SubmitLoss | None:
        """Give the loss that the next submit suffers, and clear it."""
        loss, self.next_submit = self.next_submit, None
        return loss
