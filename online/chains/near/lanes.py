"""Which key signs a new transaction, and by which nonce: lanes are a wallet's full-access keys on one account.

A higher nonce that lands first kills all lower ones of its key, so within a lane transactions are handed over in
order, each after the one before it is in a block; lanes do not wait for each other. A nonce is never given twice:
it is above the key's own and above every one that a job holds. Gaps are allowed. (facts page, section 3; nearcore
runtime/runtime/src/verifier.rs.)
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from shared.chains.api import KeyPath
from shared.effects import Claim
from shared.errors import BadPlan, NoFreeClaim

NONCES_A_HEIGHT = 10**6
"""A nonce is below the height times this, and a new key's begins at the height before it times this."""

_NAME = re.compile(r"nonce (0|[1-9][0-9]{0,19})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Lane:
    """A key that may sign for the account: its path and bytes, its text "ed25519:...", and its nonce on the ledger."""

    path: KeyPath
    public_key: bytes
    text: str
    nonce: int


@dataclass(frozen=True, slots=True)
class Use:
    """A lane and the nonce that a transaction uses up in it."""

    lane: Lane
    nonce: int


def scope(account: str, key_text: str) -> str:
    """Give the scope of a key's nonces."""
    return f"{account} {key_text}"


def nonce_of(claim: Claim) -> int:
    """Read a claim's nonce. Raises BadPlan for a name that is none."""
    match = _NAME.fullmatch(claim.name)
    if match is None:
        raise BadPlan(f"no NEAR claim: {claim.name[:40]!r}")
    return int(match[1])


def choose(
    account: str, lanes: Sequence[Lane], taken: Collection[Claim], again: Sequence[Claim], height: int
) -> Use:
    """Choose what an earlier transaction for the same transfers used where that is still free; else the emptiest lane.

    Raises:
        NoFreeClaim: where the lane's next nonce is not allowed at this height yet. BadPlan: for a claim that is
        none.
    """
    held = {scope(account, lane.text): _held(taken, scope(account, lane.text)) for lane in lanes}
    for claim in again:
        for lane in lanes:
            if claim.scope == scope(account, lane.text) and claim not in taken and nonce_of(claim) > lane.nonce:
                return Use(lane, nonce_of(claim))
    emptiest = min(lanes, key=lambda lane: sum(nonce > lane.nonce for nonce in held[scope(account, lane.text)]))
    nonce = max(emptiest.nonce, *held[scope(account, emptiest.text)], 0) + 1
    if nonce >= height * NONCES_A_HEIGHT:
        least = nonce // NONCES_A_HEIGHT + 1
        raise NoFreeClaim(f"nonce {nonce} of {emptiest.text} is not allowed before height {least}", passes=True)
    return Use(emptiest, nonce)


def _held(taken: Collection[Claim], where: str) -> list[int]:
    return [nonce_of(claim) for claim in taken if claim.scope == where]
