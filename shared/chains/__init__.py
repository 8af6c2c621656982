"""The registry of chains: one line each. Nothing outside a chain's own folder knows a chain by name."""

from __future__ import annotations

from shared.chains import api
from shared.errors import UnknownChain


def chain(name: str) -> api.Chain:
    """Give the chain of a name ("xrpl") or of a full network name ("xrpl:mainnet"). Raises UnknownChain."""
    from shared.chains.bitcoin import BITCOIN
    from shared.chains.xrpl import XRPL

    chains: dict[str, api.Chain] = {"bitcoin": BITCOIN, "xrpl": XRPL}
    try:
        return chains[name.partition(":")[0]]
    except KeyError:
        raise UnknownChain(f"no chain called {name[:40]!r}") from None


def names() -> tuple[str, ...]:
    """Give the names of the chains known here."""
    return ("bitcoin", "xrpl")
