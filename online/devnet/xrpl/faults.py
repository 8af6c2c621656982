"""What can be wrong with a node, as switches: tests and drills turn them, the RPC face obeys them."""

from __future__ import annotations

from dataclasses import dataclass
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
    amendment_blocked: bool = False
    out_of_sync: bool = False
    told_network_id: int | None = None
    next_submit: SubmitLoss | None = None
    crowded_fee_drops: int | None = None

    def take_next_submit(self) -> SubmitLoss | None:
        """Give the loss that the next submit suffers, and clear it."""
        loss, self.next_submit = self.next_submit, None
        return loss
