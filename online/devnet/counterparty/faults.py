"""What can be wrong with a Counterparty node, as switches; and the lies that its compose can be made to tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Lie = Literal["wrong-recipient", "wrong-amount", "wrong-memo", "extra-output", "fee-to-dust", "other-input-first"]
"""wrong-recipient, wrong-amount, wrong-memo: in the message; extra-output: a payment to a stranger out of the change;
fee-to-dust: the change left to the miner; other-input-first: the inputs led by another than was asked for."""


@dataclass(slots=True)
class Faults:
    """The present troubles of a node; all off at first."""

    down: bool = False
    blocks_behind: int = 0
    not_ready: bool = False
    told_network: str | None = None
    told_version: str | None = None
    lie: Lie | None = None
