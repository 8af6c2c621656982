"""What the configuration says about an XRPL gateway, read once and checked. It holds no secret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from online.chains.agreed import require_sums
from shared.errors import BadGatewaySettings

_SCHEMES = ("http://", "https://", "ws://", "wss://")
_A_DAY = 25_000
_NAMES = {
    "network",
    "url",
    "second_url",
    "second_above",
    "fee_cap_drops",
    "expiry_ledgers",
    "timeout_seconds",
    "oldest_seconds",
}


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the nodes are, the highest fee to offer, and how long a transaction may live.

    `second_above` is, by asset, the sum above which the second node must tell of deposits too, in whole coins.
    `oldest_seconds` is the age of the validated ledger beyond which a node counts as stalled. A url may hold a
    password or token and is never shown whole.
    """

    url: str = field(repr=False)
    second_url: str | None = field(default=None, repr=False)
    second_above: Mapping[str, str] = field(default_factory=dict)
    fee_cap_drops: int = 10_000
    expiry_ledgers: int = 256
    timeout_seconds: int = 10
    oldest_seconds: int = 60

    def __post_init__(self) -> None:
        for url in (self.url, self.second_url):
            if url is not None and not str(url).startswith(_SCHEMES):
                raise BadGatewaySettings("a node's url begins with http://, https://, ws:// or wss://")
        require_sums(self.second_above, self.second_url)
        _within("fee_cap_drops", self.fee_cap_drops, 10, 10**8)
        # XRPL: below current + 2 nothing is queued, and ledgers take 3 to 4 s: 25,000 of them are a day.
        _within("expiry_ledgers", self.expiry_ledgers, 4, _A_DAY)
        _within("timeout_seconds", self.timeout_seconds, 1, 120)
        _within("oldest_seconds", self.oldest_seconds, 1, 3600)


def read_settings(values: Mapping[str, Any]) -> Settings:
    """Read the section of one network.

    Raises:
        BadGatewaySettings: for a missing url, an unknown name, or a value out of bounds.
    """
    for name in values:
        if name not in _NAMES:
            raise BadGatewaySettings(f"no setting of an XRPL gateway: {name[:40]!r}")
    if "url" not in values:
        raise BadGatewaySettings("the node's url is missing")
    return Settings(**{name: value for name, value in values.items() if name != "network"})


def _within(name: str, value: object, least: int, most: int) -> None:
    if type(value) is not int or not least <= value <= most:
        raise BadGatewaySettings(f"{name} is a whole number from {least} to {most}")
