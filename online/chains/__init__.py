"""The registry of gateways: one line each. Nothing outside a chain's own folder knows a chain by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from online.chains.api import Gateway
from shared.errors import UnknownChain


def connect(network: str, settings: Mapping[str, Any]) -> Gateway:
    """Make the gateway of a network by its full name ("xrpl:mainnet"), with its section of the settings.

    Nothing is asked yet: call `check` before believing it.

    Raises:
        UnknownChain: for a network of no chain known here. BadGatewaySettings: for settings that are none.
    """
    from online.chains.bitcoin import gateway as bitcoin
    from online.chains.xrpl import gateway as xrpl

    makers: dict[str, Callable[[str, Mapping[str, Any]], Gateway]] = {
        "xrpl": xrpl.connect,
        "bitcoin": bitcoin.connect,
    }
    try:
        make = makers[network.partition(":")[0]]
    except KeyError:
        raise UnknownChain(f"no chain called {network[:40]!r}") from None
    return make(network, settings)
