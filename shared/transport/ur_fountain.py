"""A message as the frames of a multi-part UR, and such frames back into it (BCR-2024-001).

A frame is the sum, over GF(2), of the fragments that `ur_choice` names. The reader takes each as a linear equation
and so needs fewer of them than one that waits for single fragments. The CRC-32 tells messages apart and finds damage;
it is no authentication. Every count is bounded before anything is made of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from zlib import crc32

from shared import encoding
from shared.errors import BadEncoding, BadUr, ForeignLimits
from shared.transport.ur_choice import chosen

MOST_MESSAGE_BYTES = 1024 * 1024
MOST_FRAGMENTS = 4096
_MOST_U32 = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Message:
    """What every frame of one message has in common."""

    count: int
    length: int
    crc: int
    fragment_bytes: int

    def __post_init__(self) -> None:
        if not (1 <= self.count <= MOST_FRAGMENTS and 1 <= self.length <= MOST_MESSAGE_BYTES):
            raise ForeignLimits(f"a UR of {self.length} bytes in {self.count} fragments is not taken")
        if self.crc > _MOST_U32:
            raise BadUr("a UR's checksum has 32 bits")
        if not (self.count - 1) * self.fragment_bytes < self.length <= self.count * self.fragment_bytes:
            raise BadUr("a UR's fragments do not make up its length")

    def verified(self, padded: bytes) -> bytes | None:
        """Give the message without its padding if it has the length's zeros and the checksum."""
        message, padding = padded[: self.length], padded[self.length :]
        return message if crc32(message) == self.crc and not any(padding) else None


@dataclass(frozen=True, slots=True)
class Part:
    """One frame: its number, and the sum of the fragments chosen by it."""

    seq: int
    message: Message
    mixed: bytes

    def __post_init__(self) -> None:
        if not 1 <= self.seq <= _MOST_U32:
            raise BadUr("the parts of a UR are numbered from 1, in 32 bits")

    def encode(self) -> bytes:
        """Write the part as CBOR."""
        of = self.message
        return encoding.encode((self.seq, of.count, of.length, of.crc, self.mixed))


def decode_part(cbor: bytes) -> Part:
    """Read a part.

    Raises:
        BadUr: for anything but the one CBOR of a part that does not contradict itself.
        ForeignLimits: for a message beyond what is taken.
    """
    try:
        fields = encoding.decode(cbor, depth=1)
    except BadEncoding as error:
        raise BadUr(f"a part of a UR in broken CBOR: {error}") from None
    match fields:
        # A truth value is an int to Python, not to CBOR.
        case [int(seq), int(count), int(length), int(crc), bytes(mixed)] if bool not in map(type, fields):
            return Part(seq, Message(count, length, crc, len(mixed)), mixed)
        case _:
            raise BadUr("a part of a UR is four numbers and bytes")


def fragment_bytes(length: int, least: int, most: int) -> int:
    """Give the size of equal fragments, as few as keep to `most`, but none made smaller than `least`."""
    count = min(-(-length // most), max(1, length // least))
    return -(-length // count)


class Fountain:
    """A message cut into fragments, of which frames are mixed without end."""

    def __init__(self, message: bytes, size: int) -> None:
        if not message:
            raise BadUr("a UR without contents")
        self._fragments = [message[at : at + size].ljust(size, b"\0") for at in range(0, len(message), size)]
        self.message = Message(len(self._fragments), len(message), crc32(message), size)

    @property
    def fragments(self) -> tuple[bytes, ...]:
        """The fragments, the last filled up with zeros."""
        return tuple(self._fragments)

    def part(self, seq: int) -> Part:
        """Give a frame, counted from 1."""
        mixed = 0
        for place in chosen(seq, self.message.count, self.message.crc):
            mixed ^= int.from_bytes(self._fragments[place], "big")
        return Part(seq, self.message, mixed.to_bytes(self.message.fragment_bytes, "big"))


@dataclass(slots=True)
class Equations:
    """The frames of one message as linear equations over GF(2), in reduced form."""

    message: Message
    # Pivot -> which fragments, and their sum. No row holds the pivot of another.
    _rows: dict[int, tuple[int, int]] = field(default_factory=dict)
    _pivots: int = 0
    _tails: int = 0  # every fragment that a row may hold beside its pivot
    _seen: set[int] = field(default_factory=set)

    @property
    def rank(self) -> int:
        """How many of the fragments are determined, or would be."""
        return len(self._rows)

    def add(self, part: Part) -> None:
        """Take one frame in, if it tells anything new."""
        if part.seq in self._seen or self.rank == self.message.count:
            return
        of = self.message
        mask = sum(1 << place for place in chosen(part.seq, of.count, of.crc))
        mask, mixed = self._reduced(mask, int.from_bytes(part.mixed, "big"))
        if mask:
            self._seen.add(part.seq)
            self._insert(mask, mixed)

    def _reduced(self, mask: int, mixed: int) -> tuple[int, int]:
        known = mask & self._pivots
        while known:
            lowest = known & -known
            row = self._rows[lowest.bit_length() - 1]
            mask, mixed, known = mask ^ row[0], mixed ^ row[1], known ^ lowest
        return mask, mixed

    def _insert(self, mask: int, mixed: int) -> None:
        pivot = mask.bit_length() - 1
        if self._tails >> pivot & 1:
            for other, row in self._rows.items():
                if row[0] >> pivot & 1:
                    self._rows[other] = (row[0] ^ mask, row[1] ^ mixed)
        self._rows[pivot] = (mask, mixed)
        self._pivots |= 1 << pivot
        self._tails |= mask ^ 1 << pivot

    def solved(self) -> bytes | None:
        """Give the message once every fragment is determined and the checksum holds."""
        if self.rank < self.message.count:
            return None
        size = self.message.fragment_bytes
        rows = (self._rows[place][1] for place in range(self.message.count))
        return self.message.verified(b"".join(mixed.to_bytes(size, "big") for mixed in rows))
