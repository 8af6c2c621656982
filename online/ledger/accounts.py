"""The chart of accounts: how every account in the books is named, and what kind of thing it holds.

What the house has is above zero and what it owes below, so that all accounts of an asset add up to nothing. `outside`
is the counterpart of what treasury staff pay to addresses of nobody known here.
"""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """What an account is; the part of its name before the colon."""

    WALLET = "wallet"
    TRANSIT = "transit"
    FEES = "fees"
    REFUNDS = "refunds"
    OUTSIDE = "outside"
    OWN = "own"
    CUSTOMER = "customer"
    SUSPENSE = "suspense"
    UNSWEPT = "unswept"
    WITHDRAWALS = "withdrawals"


ON_LEDGER = frozenset({Kind.WALLET, Kind.TRANSIT})
"""What a ledger holds for the house."""

OWED = frozenset({Kind.CUSTOMER, Kind.SUSPENSE, Kind.UNSWEPT, Kind.WITHDRAWALS})
"""What belongs to others: customers' balances, money that nobody was found for, deposits that are credited once they
are swept, withdrawals on their way."""

HOUSE = frozenset({Kind.OWN, Kind.FEES, Kind.REFUNDS, Kind.OUTSIDE})
"""The house's own part: its funds, less what fees and treasury payments took."""


def kind_of(account: str) -> Kind:
    """Give an account's kind."""
    return Kind(account.partition(":")[0])


def wallet(name: str) -> str:
    """Name a wallet's account."""
    return f"{Kind.WALLET}:{name}"


def customer(customer_id: str) -> str:
    """Name a customer's account."""
    return f"{Kind.CUSTOMER}:{customer_id}"


def of_network(kind: Kind, network: str) -> str:
    """Name the one account of a kind on a network."""
    return f"{kind}:{network}"
