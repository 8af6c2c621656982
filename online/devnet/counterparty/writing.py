"""Writes messages from what compose was asked for, after a node's own checks; and, when told to lie, other ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from online.devnet.bitcoin.scripts import hash160, script_of
from online.devnet.bitcoin.texts import NotAnAddress, segwit_address
from online.devnet.counterparty import messages, mpma, rules
from online.devnet.counterparty.books import Books
from online.devnet.counterparty.faults import Lie
from online.devnet.counterparty.messages import Broadcast, Many, Message, Send, Sweep
from online.devnet.counterparty.packing import Unreadable, asset_id, tagged, written

STRANGER: Final = segwit_address(0, hash160(b"nobody of this house"), "bcrt")
"""To whom a lying compose sends."""

Given = Mapping[str, Sequence[str]]


class ComposeError(Exception):
    """A node does not compose this; the text is its answer."""


def one(given: Given, name: str, default: str | None = None) -> str:
    """Give the single value of a parameter.

    Raises:
        ComposeError: it is missing.
    """
    found = given.get(name)
    if not found or not found[0]:
        if default is None:
            raise ComposeError(f"Missing required parameter: {name}")
        return default
    return found[0]


def whole(given: Given, name: str, default: str | None = None) -> int:
    """Give a whole number.

    Raises:
        ComposeError: it is missing or none.
    """
    text = one(given, name, default)
    try:
        return int(text)
    except ValueError:
        raise ComposeError(f"Invalid integer: {name}={text}") from None


def truth(given: Given, name: str, default: bool = False) -> bool:  # noqa: FBT001, FBT002 - it is the value itself
    """Give a truth value."""
    return one(given, name, str(default)).lower() in ("true", "1")


def said_in(kind: str, given: Given, now: int, last: int | None) -> Message:
    """Read what compose is asked to say; `last` is the feed's last timestamp.

    Raises:
        ComposeError: something is missing or no such thing exists.
    """
    try:
        if kind == "send":
            memo = _memo(one(given, "memo", ""), is_hex=truth(given, "memo_is_hex"))
            return Send(_asset(one(given, "asset")), whole(given, "quantity"),
                        _address(one(given, "destination")), memo.content if memo else b"")
        if kind == "mpma":
            return Many(tuple(_lines(given)))
        if kind == "sweep":
            flags = whole(given, "flags")
            memo = _memo(one(given, "memo", ""), is_hex=bool(flags & 4))
            return Sweep(_address(one(given, "destination")), flags, memo.content if memo else b"")
        return _broadcast(given, now, last)
    except (InvalidOperation, ValueError, Unreadable) as fault:
        raise ComposeError(str(fault)) from None


def _broadcast(given: Given, now: int, last: int | None) -> Broadcast:
    timestamp = whole(given, "timestamp", "0") or (now if last is None else last + 1)
    fraction = int(Decimal(one(given, "fee_fraction", "0")) * 10**8)
    return Broadcast(timestamp, float(Decimal(one(given, "value", "0"))), fraction, one(given, "text"),
                     one(given, "mime_type", ""))


def _lines(given: Given) -> list[mpma.Line]:
    assets, destinations, quantities = (one(given, name).split(",")
                                        for name in ("assets", "destinations", "quantities"))
    if not len(assets) == len(destinations) == len(quantities):
        raise ComposeError("The number of assets, destinations, and quantities must be equal")
    memos, for_all = given.get("memos"), one(given, "memo", "")
    if memos and len(memos) != len(assets):
        raise ComposeError("The number of memos must be equal to the number of assets")
    is_hex, common = truth(given, "memos_are_hex"), _memo(for_all, is_hex=truth(given, "memo_is_hex"))
    own = [_memo(text, is_hex=is_hex) for text in memos or [""] * len(assets)]
    return [mpma.Line(_asset(asset), _address(to), int(count), memo or common)
            for asset, to, count, memo in zip(assets, destinations, quantities, own, strict=True)]


def _memo(text: str, *, is_hex: bool) -> mpma.Memo | None:
    return mpma.Memo(bytes.fromhex(text) if is_hex else text.encode(), is_hex) if text else None


def _address(text: str) -> str:
    try:
        script_of(text)
    except NotAnAddress:
        raise ComposeError(f"Invalid address: {text}") from None
    return text


def _asset(name: str) -> str:
    asset_id(name)
    return name


def problems_of(books: Books, source: str, message: Message) -> list[str]:
    """Say what a node finds wrong with a message before it composes it."""
    if isinstance(message, Send):
        return rules.send_problems(books, source, message)
    if isinstance(message, Many):
        return rules.many_problems(books, source, message.lines)
    if isinstance(message, Sweep):
        return rules.sweep_problems(books, source, message)
    return rules.broadcast_problems(books, source, message)


def bytes_of(message: Message, *, new_table: bool) -> bytes:
    """Write a message as a node of 11.5 does.

    Raises:
        ComposeError: it cannot be said.
    """
    if isinstance(message, Send):
        assert message.address is not None
        body = written(asset_id(message.asset), message.quantity, tagged(message.address), message.memo)
        return bytes([messages.ENHANCED]) + body
    if isinstance(message, Many):
        return bytes([messages.MPMA]) + _many_bytes(message.lines, new_table=new_table)
    if isinstance(message, Sweep):
        body = written(tagged(message.destination), message.flags, message.memo)
        return bytes([messages.SWEEP]) + body
    body = written(message.timestamp, message.value, message.fee_fraction, message.mime_type,
                   message.text.encode())
    return bytes([messages.BROADCAST]) + body


def _many_bytes(lines: Sequence[mpma.Line], *, new_table: bool) -> bytes:
    # A memo that all share is written once.
    memos = {line.memo for line in lines}
    shared = next(iter(memos)) if len(memos) == 1 else None
    told = [replace(line, memo=None) for line in lines] if shared else lines
    try:
        return mpma.encode(told, shared, new_table=new_table)
    except NotAnAddress as fault:
        raise ComposeError(f"address not supported before the table change: {fault}") from None


def twisted(message: Message, lie: Lie | None) -> Message:
    """Give the message that a liar writes instead; the same where the lie is not about the message."""
    if lie == "wrong-recipient":
        return _misdirected(message)
    if lie == "wrong-amount":
        return _inflated(message)
    if lie != "wrong-memo":
        return message
    if isinstance(message, Many):
        first = replace(message.lines[0], memo=mpma.Memo(b"another", is_hex=False))
        return Many((first, *message.lines[1:]))
    if isinstance(message, Broadcast):
        return replace(message, text="OPTIONS 0")
    return replace(message, memo=b"another")


def _misdirected(message: Message) -> Message:
    if isinstance(message, Many):
        return Many((replace(message.lines[0], address=STRANGER), *message.lines[1:]))
    if isinstance(message, Send):
        return replace(message, address=STRANGER)
    return replace(message, destination=STRANGER) if isinstance(message, Sweep) else message


def _inflated(message: Message) -> Message:
    if isinstance(message, Many):
        return Many((replace(message.lines[0], quantity=message.lines[0].quantity + 1), *message.lines[1:]))
    return replace(message, quantity=message.quantity + 1) if isinstance(message, Send) else message


def shown(message: Message) -> Any:
    """Show a message as `unpack` does."""
    if isinstance(message, Send):
        return {"asset": message.asset, "quantity": message.quantity, "address": message.address,
                "memo": message.memo.hex() or None}
    if isinstance(message, Many):
        return [{"asset": line.asset, "destination": line.address, "quantity": line.quantity,
                 "memo": line.memo.content.hex() if line.memo else None,
                 "memo_is_hex": line.memo.is_hex if line.memo else None} for line in message.lines]
    if isinstance(message, Sweep):
        return {"destination": message.destination, "flags": message.flags, "memo": message.memo.hex() or None}
    return {"timestamp": message.timestamp, "value": message.value, "fee_fraction_int": message.fee_fraction,
            "text": message.text, "mime_type": message.mime_type or "text/plain", "status": "valid"}
