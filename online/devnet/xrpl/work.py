"""What a transaction type sees while it is judged and applied, and the shape of its three steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from online.devnet.xrpl.results import SUCCESS
from online.devnet.xrpl.state import Rules, Sandbox
from online.devnet.xrpl.transaction import Transaction

FULLY_CANONICAL: Final = 0x80000000


@dataclass(frozen=True, slots=True)
class Place:
    """Where a transaction is applied: the ledger's index, the network's rules, and whether it is open."""

    index: int
    rules: Rules
    is_open: bool


@dataclass(slots=True)
class Work:
    """One transaction at work on a sandbox; `prior_drops` is the payer's balance before the fee."""

    tx: Transaction
    view: Sandbox
    place: Place
    prior_drops: int = 0
    delivered_drops: int | None = None

    def reserve(self, owner_count: int) -> int:
        """Give the reserve for a number of owned objects, in drops."""
        return self.place.rules.reserve(owner_count)

    def can_own_more(self, count: int = 1) -> bool:
        """Say whether the payer's balance before the fee covers the reserve of further objects."""
        owned = int(self.view.must_have(self.tx.account)["OwnerCount"])
        return self.prior_drops >= self.reserve(owned + count)


def _pass_form(_tx: Transaction) -> str:
    return SUCCESS


def _pass_state(_work: Work) -> str:
    return SUCCESS


@dataclass(frozen=True, slots=True)
class Kind:
    """A transaction type: `form` needs no ledger, `claim` reads one, `apply` changes one."""

    apply: Callable[[Work], str]
    form: Callable[[Transaction], str] = _pass_form
    claim: Callable[[Work], str] = _pass_state
    flags: int = FULLY_CANONICAL
