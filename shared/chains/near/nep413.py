"""NEP-413 messages: proof that somebody holds a key, and nothing else.

The number before the message is one that neither a transaction nor a delegate action can begin with, so that a proof
can never be taken for either. Messages are no requests to a signer of wallets; this module writes and checks them.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from shared.chains.near import borsh
from shared.chains.near.borsh import Reader
from shared.chains.near.signing import verify
from shared.errors import NearMessageRefused

PREFIX: Final = (2**31 + 413).to_bytes(4, "little")
MOST: Final = 4096
"""The longest message, recipient or callback that is read, in bytes; NEP-413 gives no limit."""


@dataclass(frozen=True, slots=True)
class Message:
    """What a key's holder signs: a text, a nonce of 32 bytes, for whom, and perhaps where the answer goes."""

    text: str
    nonce: bytes
    recipient: str
    callback: str | None = None


def encode_message(message: Message) -> bytes:
    """Write a message with NEP-413's number before it.

    Raises:
        NearMessageRefused: for parts that are too long. NearMalformed: for a nonce of other than 32 bytes.
    """
    if any(len(part.encode("utf-8", "replace")) > MOST for part in _texts(message)):
        raise NearMessageRefused(f"a part of the message has more than {MOST} bytes")
    callback = b"\0" if message.callback is None else b"\1" + borsh.text(message.callback, "the callback")
    return b"".join((
        PREFIX,
        borsh.text(message.text, "the message"),
        borsh.fixed(message.nonce, 32, "the nonce"),
        borsh.text(message.recipient, "the recipient"),
        callback,
    ))


def read_message(blob: bytes) -> Message:
    """Read a message with its number.

    Raises:
        NearMessageRefused: for another number or an option that is none. NearMalformed: for all else.
    """
    reader = Reader(blob)
    if reader.fixed(4, "the number") != PREFIX:
        raise NearMessageRefused("the bytes do not begin as NEP-413 has it")
    text, nonce = reader.text(MOST, "the message"), reader.fixed(32, "the nonce")
    recipient, option = reader.text(MOST, "the recipient"), reader.number(1, "the callback")
    if option > 1:
        raise NearMessageRefused(f"the callback is there or not, and not {option}")
    callback = reader.text(MOST, "the callback") if option else None
    reader.close()
    return Message(text, nonce, recipient, callback)


def message_hash(message: Message) -> bytes:
    """Give the 32 bytes that are signed. Raises as `encode_message`."""
    return sha256(encode_message(message)).digest()


def verify_message(message: Message, public_key: bytes, signature: bytes) -> None:
    """Check that the holder of a public key (32 bytes) signed a message (64 bytes). Raises NearBadSignature."""
    verify(public_key, message_hash(message), signature)


def _texts(message: Message) -> tuple[str, ...]:
    return message.text, message.recipient, message.callback or ""
