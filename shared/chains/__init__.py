"""The registry of chains: one line each. Nothing outside a chain's own folder knows a chain by name."""

from __future__ import annotations

from shared.chains import api
from shared.errors import ForeignUnwanted, NoProof, UnknownChain


def chain(name: str) -> api.Chain:
    """Give the chain of a name ("xrpl") or of a full network name ("xrpl:mainnet"). Raises UnknownChain."""
    from shared.chains.bitcoin import BITCOIN
    from shared.chains.near import NEAR
    from shared.chains.xrpl import XRPL

    chains: dict[str, api.Chain] = {"bitcoin": BITCOIN, "near": NEAR, "xrpl": XRPL}
    try:
        return chains[name.partition(":")[0]]
    except KeyError:
        raise UnknownChain(f"no chain called {name[:40]!r}") from None


def names() -> tuple[str, ...]:
    """Give the names of the chains known here."""
    return ("bitcoin", "near", "xrpl")


def interchange(network: str) -> api.Interchange:
    """Give what wallets of other makers exchange on a network's ledger. Raises UnknownChain, ForeignUnwanted."""
    from shared.chains.bitcoin.interchange import PSBTS

    if chain(network).name != PSBTS.ledger:
        raise ForeignUnwanted(f"on {network[:40]} nothing is exchanged with wallets of other makers")
    return PSBTS


def interchange_of(raw: bytes) -> api.Interchange | None:
    """Give whose format these bytes have, by how they begin; None for what is no other wallet's."""
    from shared.chains.bitcoin.interchange import PSBTS

    return PSBTS if raw.startswith(PSBTS.magic) else None


def ownership(network: str) -> api.Ownership:
    """Give how keys of a network's ledger prove that somebody holds them. Raises UnknownChain, NoProof."""
    from shared.chains.near.ownership import NEP413

    if chain(network).name != NEP413.ledger:
        raise NoProof(f"on {network[:40]} no form is known here in which a key proves its holder")
    return NEP413
