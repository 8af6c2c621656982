"""The kinds of messages by their type ids, so that what is refused is refused by its name."""

from __future__ import annotations

from typing import Final

from shared.errors import CounterpartyNotUnderstood

CLASSIC_SEND: Final = 0
ENHANCED_SEND: Final = 2
MPMA: Final = 3
SWEEP: Final = 4
BROADCAST: Final = 30

_NAMES: Final = {
    CLASSIC_SEND: "classic send",
    ENHANCED_SEND: "enhanced send",
    MPMA: "MPMA",
    SWEEP: "sweep",
    10: "order",
    11: "BTC payment of an order",
    12: "dispenser",
    13: "dispense",
    20: "issuance",
    21: "subasset issuance",
    22: "issuance",
    23: "subasset issuance",
    BROADCAST: "broadcast",
    40: "bet",
    50: "dividend",
    60: "burn",
    70: "cancellation",
    80: "rock-paper-scissors",
    81: "rock-paper-scissors resolution",
    90: "fair minter",
    91: "fair mint",
    100: "UTXO move",
    101: "attachment to a UTXO",
    102: "detachment from a UTXO",
    110: "destruction",
}


def name_of(type_id: int) -> str:
    """Name a kind of messages."""
    return _NAMES.get(type_id, f"unknown kind {type_id}")


def split(blob: bytes) -> tuple[int, bytes]:
    """Split a message into its type id and body: one byte if it is not zero, else four.

    Raises:
        CounterpartyNotUnderstood: for a message that is too short.
    """
    if blob[:1] not in (b"", b"\0"):
        return blob[0], blob[1:]
    if len(blob) < 4:
        raise CounterpartyNotUnderstood("a message without a type")
    return int.from_bytes(blob[:4], "big"), blob[4:]
