"""A receipt while it runs."""

from __future__ import annotations

from dataclasses import dataclass, field

from online.devnet.near.receipts import Receipt, Returned
from online.devnet.near.state import Sandbox
from online.devnet.near.texts import is_born_by_transfer


@dataclass(slots=True)
class Running:
    """What one receipt has done so far; `actor` is who acts, which is the account itself once it is made here."""

    view: Sandbox
    receipt: Receipt
    height: int
    results: tuple[bytes | None, ...] = ()
    actor: str = ""
    returned: Returned = field(default_factory=Returned)
    gas_burnt: int = 0
    gas_given: int = 0
    call_gas_burnt: int = 0
    logs: list[str] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.actor = self.receipt.predecessor

    @property
    def may_be_born(self) -> bool:
        """Whether a transfer may make the account: it stands alone, is no refund, and the name has the form for it."""
        return (len(self.receipt.actions) == 1 and not self.receipt.is_refund
                and is_born_by_transfer(self.receipt.receiver))

    @property
    def first_nonce(self) -> int:
        """The nonce that a new key starts at."""
        return (self.height - 1) * 10**6
