"""Messages by type: sends, MPMA, sweeps, broadcasts. Bytes in, plain facts out.

It reads as leniently as nodes do, the older forms too, for it must find out what a node would make of bytes.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, Final

from online.devnet.bitcoin.scripts import REGTEST, Letters
from online.devnet.counterparty import mpma
from online.devnet.counterparty.packing import Unreadable, asset_name, legacy_unpacked, untagged, values

CLASSIC: Final = 0
ENHANCED: Final = 2
MPMA: Final = 3
SWEEP: Final = 4
BROADCAST: Final = 30
NAMES: Final = {CLASSIC: "send", ENHANCED: "enhanced_send", MPMA: "mpma_send", SWEEP: "sweep",
                BROADCAST: "broadcast"}


@dataclass(frozen=True, slots=True)
class Send:
    """One asset to one address; a classic send names its address by an output."""

    asset: str
    quantity: int
    address: str | None
    memo: bytes = b""


@dataclass(frozen=True, slots=True)
class Many:
    """Lines to many addresses: all or nothing."""

    lines: tuple[mpma.Line, ...]


@dataclass(frozen=True, slots=True)
class Sweep:
    """Everything to one address."""

    destination: str
    flags: int
    memo: bytes


@dataclass(frozen=True, slots=True)
class Broadcast:
    """A text of an address' feed."""

    timestamp: int
    value: float
    fee_fraction: int
    text: str
    mime_type: str = ""


Message = Send | Many | Sweep | Broadcast


def split(message: bytes) -> tuple[int, bytes]:
    """Give a message's type and its body.

    Raises:
        Unreadable: it is too short.
    """
    if not message:
        raise Unreadable("empty message")
    if message[0]:
        return message[0], message[1:]
    if len(message) < 4:
        raise Unreadable("truncated type")
    return int.from_bytes(message[:4], "big"), message[4:]


def read(message: bytes, *, new_table: bool, letters: Letters = REGTEST) -> Message | None:
    """Read a message; None where its type is of no concern here.

    Raises:
        Unreadable: a node cannot read it.
    """
    kind, body = split(message)
    try:
        if kind == CLASSIC:
            return _classic(body)
        if kind == ENHANCED:
            return _enhanced(body, letters)
        if kind == MPMA:
            return Many(tuple(mpma.decode(body, new_table=new_table, letters=letters)))
        if kind == SWEEP:
            return _sweep(body, letters)
        return _broadcast(body) if kind == BROADCAST else None
    except (struct.error, ValueError, TypeError, IndexError, OverflowError):
        raise Unreadable("could not unpack") from None


def _classic(body: bytes) -> Send:
    asset, quantity = struct.unpack(">QQ", body)
    return Send(asset_name(asset), quantity, None)


def _number(value: Any) -> int:
    return int.from_bytes(value, "big") if isinstance(value, bytes) else int(value)


def _enhanced(body: bytes, letters: Letters) -> Send:
    try:
        asset, quantity, packed, memo = values(body)
        send = Send(asset_name(_number(asset)), _number(quantity), untagged(packed, letters), bytes(memo))
    except (Unreadable, ValueError, TypeError):
        asset, quantity, packed = struct.unpack(">QQ21s", body[:37])
        send = Send(asset_name(asset), quantity, legacy_unpacked(packed, letters), body[37:])
    if send.asset == "BTC":
        raise Unreadable("BTC not allowed")
    return send


def _sweep(body: bytes, letters: Letters) -> Sweep:
    try:
        packed, flags, memo = values(body)
        return Sweep(untagged(packed, letters), _number(flags), bytes(memo))
    except (Unreadable, ValueError, TypeError):
        packed, flags = struct.unpack(">21sB", body[:22])
        return Sweep(legacy_unpacked(packed, letters), flags, body[22:])


def _broadcast(body: bytes) -> Broadcast:
    try:
        timestamp, value, fee, mime, text = values(body)
        return Broadcast(int(timestamp), value, int(fee), _text(text, str(mime)), str(mime))
    except (Unreadable, ValueError, TypeError):
        timestamp, value, fee, size = struct.unpack(">IdIB", body[:17])
        if size >= 0xFD or len(body) < 17 + size:
            raise Unreadable("could not unpack text") from None
        return Broadcast(timestamp, value, fee, body[len(body) - size:].decode("utf-8", "replace"))


def _text(content: bytes | str, mime: str) -> str:
    if isinstance(content, str):
        return content
    # What is no text is kept as hex.
    return content.decode("utf-8", "replace") if mime[:5] in ("", "text/") else content.hex()
