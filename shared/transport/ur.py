"""Uniform Resources, version 2 (BCR-2020-005): the texts that other wallets show a PSBT in, read strictly and written.

    ur:type/bytewords              a whole message
    ur:type/seq-count/bytewords    one of its frames, which `ur_fountain` mixes

Letters may be of either case, as the format says; we write large ones, which QR packs better.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from shared import encoding
from shared.errors import BadEncoding, BadUr, ForeignLimits
from shared.transport import bytewords
from shared.transport.ur_fountain import (
    MOST_FRAGMENTS,
    MOST_MESSAGE_BYTES,
    Fountain,
    Message,
    Part,
    decode_part,
)

MOST_SEQ: Final = 9_999
"""The highest number of a frame that we show; then it begins anew, since longer numbers take room."""

_NUMBER = "([1-9][0-9]{0,9})"
_TEXT: Final = re.compile(f"ur:([a-z0-9-]+)/(?:{_NUMBER}-{_NUMBER}/)?([a-z]+)")


@dataclass(frozen=True, slots=True)
class Ur:
    """A whole message: its type, and its CBOR, which is not looked into here."""

    type: str
    cbor: bytes


@dataclass(frozen=True, slots=True)
class UrPart:
    """One frame of a message of some type."""

    type: str
    part: Part


def parse(text: str) -> Ur | UrPart:
    """Read the text of a symbol.

    Raises:
        BadUr: for anything but a UR of version 2 whose checksum holds and whose numbers agree.
        ForeignLimits: for a part of a message beyond what is taken.
    """
    # Only ASCII: some other letters turn into ASCII ones when made small.
    found = _TEXT.fullmatch(text.lower()) if text.isascii() else None
    if found is None:
        raise BadUr("a text that is no UR of version 2")
    kind, seq, count, words = found.groups()
    contents = bytewords.decode(words)
    if seq is None:
        return Ur(kind, contents)
    part = decode_part(contents)
    if (part.seq, part.message.count) != (int(seq), int(count)):
        raise BadUr("a part of a UR is numbered otherwise outside than inside")
    return UrPart(kind, part)


def write(ur: Ur | UrPart) -> str:
    """Write a UR in the small letters of its canonical form."""
    if isinstance(ur, Ur):
        return f"ur:{ur.type}/{bytewords.encode(ur.cbor)}"
    part = ur.part
    return f"ur:{ur.type}/{part.seq}-{part.message.count}/{bytewords.encode(part.encode())}"


def wrap(contents: bytes) -> bytes:
    """Write contents as the CBOR byte string that the types for bytes and PSBTs hold."""
    return encoding.encode(contents)


def unwrap(cbor: bytes) -> bytes:
    """Read the contents of a CBOR byte string.

    Raises:
        BadUr: for any other value, a tagged one included, and any other writing of it.
    """
    try:
        contents = encoding.decode(cbor, most_bytes=MOST_MESSAGE_BYTES, depth=0)
    except BadEncoding as error:
        raise BadUr(f"a UR in broken CBOR: {error}") from None
    if not isinstance(contents, bytes):
        raise BadUr("a UR that holds no byte string")
    return contents


@dataclass(frozen=True, slots=True)
class UrFilm:
    """A message ready to be shown in texts of a bounded length, without end."""

    type: str
    cbor: bytes
    fountain: Fountain | None  # none: it fits a single text

    @property
    def needed(self) -> int:
        """How many distinct texts the other side needs at the least."""
        return self.fountain.message.count if self.fountain else 1

    def text(self, index: int) -> str:
        """Give a text, counted from 0."""
        if self.fountain is None:
            return write(Ur(self.type, self.cbor)).upper()
        return write(UrPart(self.type, self.fountain.part(1 + index % MOST_SEQ))).upper()


def film(kind: str, cbor: bytes, letters: int) -> UrFilm:
    """Make a message ready to be shown in texts of at most so many letters.

    Raises:
        ForeignLimits: if it is too large for that.
    """
    if len(write(Ur(kind, cbor))) <= letters:
        return UrFilm(kind, cbor, None)
    if len(cbor) <= MOST_MESSAGE_BYTES:
        # A byte takes two letters, so fewer parts than this can not do.
        for count in range(max(2, 2 * len(cbor) // letters), MOST_FRAGMENTS + 1):
            size = -(-len(cbor) // count)
            if _longest(kind, len(cbor), size) <= letters:
                return UrFilm(kind, cbor, Fountain(cbor, size))
    raise ForeignLimits(f"{len(cbor)} bytes do not go into UR symbols of {letters} letters")


def _longest(kind: str, length: int, size: int) -> int:
    """Say how many letters a frame takes at most."""
    message = Message(-(-length // size), length, 2**32 - 1, size)
    return len(write(UrPart(kind, Part(MOST_SEQ, message, bytes(size)))))
