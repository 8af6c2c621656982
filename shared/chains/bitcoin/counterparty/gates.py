"""From which block on Counterparty reads what, on each network. A height decides; it is stated by the coordinator.

Test networks started with every rule but the latest; only those have blocks of their own there.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from shared.errors import CounterpartyHeight, UnknownChain


class Table(Enum):
    """Which address table an MPMA message has: of before block 971,700 of the main network, or from it on."""

    BEFORE = "before"
    NOW = "now"


@dataclass(frozen=True, slots=True)
class Gates:
    """The first blocks of a network with CBOR messages, with reveals by the source alone, and with the MPMA table."""

    cbor: int
    own_reveal: int
    mpma_table: int


_GATES: Final = {
    "bitcoin:mainnet": Gates(902_000, 969_320, 971_700),
    "bitcoin:testnet4": Gates(0, 154_564, 155_500),
    "bitcoin:signet": Gates(0, 324_359, 325_500),
    "bitcoin:regtest": Gates(0, 0, 0),
}


def gates(network: str) -> Gates:
    """Give the gates of a network.

    Raises:
        UnknownChain: for a text that names no network.
    """
    try:
        return _GATES[network]
    except KeyError:
        raise UnknownChain(f"no Bitcoin network: {network[:40]!r}") from None


def mpma_table(network: str, height: int) -> Table:
    """Give the address table that nodes read MPMA messages of a block with. Raises UnknownChain."""
    return Table.NOW if height >= gates(network).mpma_table else Table.BEFORE


def own_reveals_only(network: str, height: int) -> bool:
    """Tell whether a reveal counts only if signed by its source. Raises UnknownChain.

    Before, paying to a foreign P2TR, P2WSH or P2SH-P2WSH from an address with assets let the payee move them.
    """
    return height >= gates(network).own_reveal


def require_cbor(network: str, height: int) -> None:
    """Demand a height at which nodes read the messages that are written here.

    Raises:
        CounterpartyHeight: for an earlier one.
        UnknownChain: for a text that names no network.
    """
    if height < gates(network).cbor:
        raise CounterpartyHeight(f"at block {height} nodes do not read this form of messages")
