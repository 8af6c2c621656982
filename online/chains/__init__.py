"""The registry of gateways: one line each. Nothing outside a chain's own folder knows a chain by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from online.chains.api import Customs, Gateway
from shared.errors import UnknownChain

_CHAINS = ("bitcoin", "near", "xrpl")
"""Each is a folder here, whose `gateway` has `connect` and whose `customs` has `CUSTOMS`."""


def connect(network: str, settings: Mapping[str, Any]) -> Gateway:
    """Make the gateway of a network by its full name ("xrpl:mainnet"), with its section of the settings.

    Nothing is asked yet: call `check` before believing it.

    Raises:
        UnknownChain: for a network of no chain known here. BadGatewaySettings: for settings that are none.
    """
    make: Callable[[str, Mapping[str, Any]], Gateway] = _part(network, "gateway").connect
    return make(network, settings)


def customs(network: str) -> Customs:
    """Give what orders must know of the ledger of a network. Raises UnknownChain."""
    found: Customs = _part(network, "customs").CUSTOMS
    return found


def _part(network: str, part: str) -> Any:
    """Load a module of a chain when it is first wanted: gateways bring their libraries along."""
    name = network.partition(":")[0]
    if name not in _CHAINS:
        raise UnknownChain(f"no chain called {network[:40]!r}")
    return import_module(f"online.chains.{name}.{part}")
