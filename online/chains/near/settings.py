"""What the configuration says about a NEAR gateway, read once and checked.

A provider's url may hold a key and is never shown whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any
from urllib.parse import urlsplit

from online.chains.agreed import require_sums
from shared.errors import BadAmount, BadGatewaySettings
from shared.money import Asset, parse_amount

_BOUNDS = {
    "protocol_most": (84, 1_000),
    "crossing_seconds": (1, 259_200),
    "oldest_seconds": (1, 3_600),
    "timeout_seconds": (1, 120),
}
_NEAR = Asset("near", "NEAR", 24)  # every network's has the same decimals


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the nodes are, which protocol is known, and how long a crossing of the gap takes.

    `second_url` is a provider of its own that must agree, on deposits too where more than `second_above` of an asset
    comes, in whole coins by its code; `archive_url` a node that keeps everything, for proofs
    that a transaction never happened. `relayer_file` is the credentials of an account that carries out delegate
    actions, as near-cli keeps them; without one they are taken away as files. `protocol_most` is the newest protocol
    version whose rules somebody has looked at. Nothing is built that could not live `crossing_seconds`.
    `oldest_seconds` is the age at which a node's final block counts as stalled. `timeout_seconds` should exceed a
    node's own limit for waiting, 10 seconds. `registration_most` is whole NEAR: the most that registering one account
    with a token may cost, whatever its contract asks.
    """

    url: str = field(repr=False)
    second_url: str | None = field(default=None, repr=False)
    second_above: Mapping[str, str] = field(default_factory=dict)
    archive_url: str | None = field(default=None, repr=False)
    relayer_file: str | None = None
    protocol_most: int = 87
    crossing_seconds: int = 14_400
    oldest_seconds: int = 60
    timeout_seconds: int = 30
    registration_most: str = "0.1"

    def __post_init__(self) -> None:
        for url in (self.url, self.second_url, self.archive_url):
            if url is not None and not _names_host(url):
                raise BadGatewaySettings("the url of a NEAR node begins with http:// or https:// and names a host")
        require_sums(self.second_above, self.second_url)
        if self.relayer_file is not None and not isinstance(self.relayer_file, str):
            raise BadGatewaySettings("relayer_file is a path")
        if self.registration_most_units == 0:
            raise BadGatewaySettings("registration_most is above nothing")
        for name, (least, most) in _BOUNDS.items():
            value = getattr(self, name)
            if type(value) is not int or not least <= value <= most:
                raise BadGatewaySettings(f"{name} is a whole number from {least} to {most}")

    @property
    def registration_most_units(self) -> int:
        """Give it in yoctoNEAR. Raises BadGatewaySettings for what is no amount."""
        try:
            return parse_amount(self.registration_most, _NEAR).units
        except (BadAmount, TypeError):
            raise BadGatewaySettings('registration_most is whole NEAR as a text, such as "0.1"') from None


def read_settings(values: Mapping[str, Any]) -> Settings:
    """Read the section of one network.

    Raises:
        BadGatewaySettings: for a missing url, an unknown name, or a value out of bounds.
    """
    known = {one.name for one in fields(Settings)}
    given = {name: value for name, value in values.items() if name != "network"}
    if unknown := sorted(set(given) - known):
        raise BadGatewaySettings(f"no setting of a NEAR gateway: {unknown[0][:40]!r}")
    if "url" not in given:
        raise BadGatewaySettings("the node's url is missing")
    return Settings(**given)


def _names_host(url: object) -> bool:
    if not isinstance(url, str):
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and parts.hostname is not None and parts.port != 0
    except ValueError:
        return False
