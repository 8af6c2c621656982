"""What can be wrong with a NEAR node, as switches: tests and drills turn them, its RPC face obeys them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

SubmitLoss = Literal["request-lost", "reply-lost", "swallowed", "timeout", "timeout-lost", "congested"]
"""request-lost: not taken, not answered; reply-lost: taken, not answered; swallowed: answered, not kept;
timeout: taken, answered 408; timeout-lost: not taken, answered 408; congested: refused for now (ShardCongested)."""


class ConnectionLost(Exception):
    """The node gives no answer at all: the connection ends."""


@dataclass(slots=True)
class Faults:
    """The present troubles of a node; all off at first."""

    down: bool = False
    stalled: bool = False
    """The chain makes no block: all that a node says grows old."""
    stuck_at: int | None = None
    """The newest height that this node knows, however far the network is."""
    syncing: bool = False
    timeouts: bool = False
    """Every question about a transaction ends in a timeout (HTTP 408)."""
    strange: bool = False
    """Answers hold actions, receipts, permissions and errors that nobody knew when the client was written."""
    legacy: bool = False
    """Answers leave out final_execution_status, as older nodes do."""
    structured: bool = False
    """`query` names a missing key and a failed call as errors with a cause, and not, as nearcore does, as results."""
    told_chain_id: str | None = None
    told_protocol_version: int | None = None
    told_final: str | None = None
    """Another hash for the newest final block, as a node on a branch of its own would tell."""
    history_from: int = 0
    """The oldest height that this node still shows; an archival node shows all."""
    next_submit: SubmitLoss | None = None
    forgotten: set[str] = field(default_factory=set)
    """Ids of transactions that this node never saw, whatever the chain holds."""

    def take_next_submit(self) -> SubmitLoss | None:
        """Give the loss that the next submission suffers, and clear it."""
        loss, self.next_submit = self.next_submit, None
        return loss
