"""Calls of tokens that nobody registered, by which something may have come to one of our accounts.

Nothing is believed here: a call only leads to its transaction, and is found by what it was asked to do.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from online.chains.near.chunks import Chunk
from online.chains.near.receipts import Step

_SENDING: Final = ("ft_transfer", "ft_transfer_call")
"""NEP-141: the calls that send tokens, with the receiver among their arguments."""
_ARGS_MOST: Final = 100_000
"""Longer arguments are not read."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call by its contract, and its receipt, or its transaction where no chunk shows the receipt."""

    contract: str
    receipt: str = ""
    tx_hash: str = ""


def sending(accounts: Collection[str], tokens: Collection[str], chunk: Chunk) -> Iterator[Call]:
    """Give the calls that send something to one of the accounts, of contracts that are none of these tokens."""
    for receipt in chunk.receipts:
        known = receipt.receiver in accounts or receipt.receiver in tokens
        if not known and _sends_to(accounts, receipt.steps or ()):
            yield Call(receipt.receiver, receipt=receipt.id)
    for one in chunk.transactions:
        known = one.receiver in accounts or one.receiver in tokens
        if one.signer == one.receiver and not known and _sends_to(accounts, one.steps):
            yield Call(one.receiver, tx_hash=one.hash)


def _sends_to(accounts: Collection[str], steps: Sequence[Step]) -> bool:
    return any(step.method in _SENDING and _receiver(step.args) in accounts for step in steps)


def _receiver(args: bytes | None) -> str:
    """Give the receiver that a call names; nothing where it names none."""
    if args is None or len(args) > _ARGS_MOST:
        return ""
    try:
        named = json.loads(args)
    except (ValueError, RecursionError):
        return ""
    receiver = named.get("receiver_id") if isinstance(named, dict) else None
    return receiver if isinstance(receiver, str) else ""
