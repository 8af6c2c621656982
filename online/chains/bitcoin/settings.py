"""What the configuration says about a Bitcoin gateway, read once and checked.

Secrets belong in bitcoind's cookie file; a url with a password in it works and is never shown whole.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

from online.chains.agreed import require_sums
from shared.errors import BadGatewaySettings

_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)
_MAINNET, _NATIVE = "bitcoin:mainnet", "BTC"
_PIN_ABOVE = 961_632
"""From here on nodes that enforce BIP110 follow a chain of their own: a pinned block below it tells nothing."""

_BOUNDS = {
    "pinned_height": (0, 10**8),
    "fee_rate_cap": (1, 10_000),
    "fee_cap": (1_000, 10**9),
    "fallback_rate": (100, 10**7),
    "confirm_target": (1, 1008),
    "confirmations": (1, 1_000),
    "deposit_confirmations": (1, 1_000),
    "asset_deposit_confirmations": (1, 1_000),
    "sweep_confirmations": (1, 1_000),
    "search_blocks": (1, 100_000),
    "timeout_seconds": (1, 600),
    "scan_timeout_seconds": (1, 3_600),
}


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the nodes are, what may be paid as fees, and when a transaction counts as irreversible.

    `confirmations` is for what we do ourselves. `deposit_confirmations` is for bitcoins that come in, the same where it
    is missing, `asset_deposit_confirmations` for assets that do. What comes to a customer's own address is credited
    once a transaction of ours that took it from there has `sweep_confirmations`, unless `credit_after_sweep` is false.
    `fee_rate_cap` is in sat/vB and `fee_cap` in sat, for both transactions of a pair together. `fallback_rate`, in
    sat per 1000 vB, is used where the node has no estimate; without it such a build is refused. `search_blocks` is how
    far back the spender of an input is searched. `source` says whether our encoder builds or compose does; the other
    is always compared where it is there. `second_above` is, by asset, the sum above which the second nodes must tell of
    deposits too, in whole coins.
    """

    url: str = field(repr=False)
    counterparty_url: str | None = field(default=None, repr=False)
    second_url: str | None = field(default=None, repr=False)
    second_counterparty_url: str | None = field(default=None, repr=False)
    second_above: Mapping[str, str] = field(default_factory=dict)
    cookie_file: str | None = None
    pinned_height: int | None = None
    pinned_hash: str | None = None
    fee_rate_cap: int = 100
    fee_cap: int = 1_000_000
    fallback_rate: int | None = None
    confirm_target: int = 6
    confirmations: int = 6
    deposit_confirmations: int | None = None
    asset_deposit_confirmations: int = 2
    sweep_confirmations: int = 1
    credit_after_sweep: bool = True
    search_blocks: int = 4_320
    source: Literal["own", "compose"] = "own"
    timeout_seconds: int = 30
    scan_timeout_seconds: int = 600

    def __post_init__(self) -> None:
        for url in (self.url, self.counterparty_url, self.second_url, self.second_counterparty_url):
            if url is not None and not _is_url(url):
                raise BadGatewaySettings("a node's url begins with http:// or https:// and names a host")
        require_sums(self.second_above, self.second_url)
        if set(self.second_above) - {_NATIVE} and self.second_counterparty_url is None:
            raise BadGatewaySettings("second_above of an asset needs a second_counterparty_url")
        for name, (least, most) in _BOUNDS.items():
            value = getattr(self, name)
            if value is not None and not (type(value) is int and least <= value <= most):
                raise BadGatewaySettings(f"{name} is a whole number from {least} to {most}")
        if (self.pinned_height is None) != (self.pinned_hash is None):
            raise BadGatewaySettings("a pinned block is named by its pinned_height and its pinned_hash")
        if self.pinned_hash is not None and not _HASH.fullmatch(str(self.pinned_hash)):
            raise BadGatewaySettings("pinned_hash is a block's hash: 64 small hexadecimal digits")
        if self.source not in ("own", "compose"):
            raise BadGatewaySettings('source is "own" or "compose"')
        if self.source == "compose" and self.counterparty_url is None:
            raise BadGatewaySettings('source = "compose" needs a counterparty_url')
        if type(self.credit_after_sweep) is not bool:
            raise BadGatewaySettings("credit_after_sweep is true or false")
        if self.cookie_file is not None and not isinstance(self.cookie_file, str):
            raise BadGatewaySettings("cookie_file is a path")


def _is_url(url: object) -> bool:
    try:
        parts = urlsplit(url if isinstance(url, str) else "")
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port or an address in brackets that is none
        return False


def read_settings(network: str, values: Mapping[str, Any]) -> Settings:
    """Read the section of one network.

    Raises:
        BadGatewaySettings: for a missing url, an unknown name, a value out of bounds, or a main network without a
            block above 961,632 pinned.
    """
    known = set(Settings.__dataclass_fields__)
    for name in values:
        if name not in known | {"network"}:
            raise BadGatewaySettings(f"no setting of a Bitcoin gateway: {name[:40]!r}")
    if "url" not in values:
        raise BadGatewaySettings("the node's url is missing")
    settings = Settings(**{name: value for name, value in values.items() if name != "network"})
    if network == _MAINNET and (settings.pinned_height or 0) <= _PIN_ABOVE:
        raise BadGatewaySettings(f"on the main network a block above {_PIN_ABOVE} must be pinned")
    return settings
