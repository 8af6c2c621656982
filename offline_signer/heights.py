"""Heights as coordinators state them: what was stated before, and when a new one deserves a look.

An expiry is near or far only against the stated height, and this box sees no ledger. Nothing is refused here: a
person compares the number with a ledger that they see.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from shared.effects import Effects
from shared.policy import Policy


def stated(effects: Iterable[Effects]) -> dict[str, int]:
    """Give the highest height that is stated for each network."""
    highest: dict[str, int] = {}
    for one in effects:
        if one.expiry is not None:
            highest[one.network] = max(one.expiry.stated_height, highest.get(one.network, 0))
    return highest


def lines(effects: Sequence[Effects], before: Mapping[str, int]) -> list[str]:
    """Say what was stated before for the networks of these transactions."""
    return [
        f"the highest height stated before was {before[network]} ({network})"
        for network in sorted(stated(effects)) if network in before
    ]


def warnings(effects: Sequence[Effects], before: Mapping[str, int], policy: Policy) -> list[str]:
    """Say where a height is lower than one stated before, or farther above it than an expiry may lie ahead."""
    spans = _spans(policy)
    found: dict[str, None] = {}
    for one in effects:
        last = before.get(one.network)
        if one.expiry is None or last is None:
            continue
        height, span = one.expiry.stated_height, spans.get((one.network, one.source))
        told = f"the coordinator states the height {height} of {one.network}"
        if height < last:
            found[f"{told}, lower than before: look at the ledger"] = None
        elif span is not None and height > last + span:
            found[f"{told}, {height - last} above the highest before, more than {span}: look at the ledger"] = None
    return list(found)


def _spans(policy: Policy) -> dict[tuple[str, str], int]:
    """Give the longest distance to an expiry by network and address, where a rule has one."""
    by_wallet = {rule.wallet: rule.expiry_most for rule in policy.rules}
    return {
        (wallet.network, place.address): span
        for wallet in policy.wallets for place in wallet.places if (span := by_wallet.get(wallet.name)) is not None
    }
