"""A message cut into fountain-coded frames: any K + 2 distinct ones rebuild it (see ADR 002).

Frame i < K is the i-th fragment itself; each later frame is a sum of all fragments over GF(256)
with coefficients that both sides draw from SHAKE256(transfer id, i). There is no last frame, so a
lost one is never waited for.

A frame is a header of 17 bytes, most significant byte first, and one fragment:

    version 1 | transfer id 8 | message length 3 | number of fragments K 2 | index 3 | fragment

The transfer id is the start of the message's SHA-256. It tells messages apart and finds damage;
it proves nothing about who wrote them, which is the signature's task inside the message.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from hashlib import sha256, shake_256

from shared.errors import BadFrame, FrameLimits
from shared.transport import gf256

VERSION = 1
HEADER_BYTES = 17
MOST_MESSAGE_BYTES = 512 * 1024
MOST_FRAGMENTS = 1200
MOST_INDEX = 2**24 - 1

_HEADER = struct.Struct(">B8sBHHBH")
_LEAST_FRAGMENT_BYTES = 16  # more header than fragment would be no transport


@dataclass(frozen=True, slots=True)
class Transfer:
    """What every frame of one message has in common."""

    id: bytes
    length: int
    count: int

    def __post_init__(self) -> None:
        if not 1 <= self.length <= MOST_MESSAGE_BYTES:
            raise FrameLimits(f"a message of {self.length} bytes; QR carries 1 to {MOST_MESSAGE_BYTES}")
        if not 1 <= self.count <= MOST_FRAGMENTS:
            raise FrameLimits(f"a message in {self.count} fragments; QR carries 1 to {MOST_FRAGMENTS}")
        if (self.count - 1) * self.fragment_bytes >= self.length:
            raise BadFrame("more fragments than the message fills")

    @property
    def fragment_bytes(self) -> int:
        """The size of each fragment; the last one is filled up with zeros."""
        return -(-self.length // self.count)

    @property
    def name(self) -> str:
        """A short name for screens."""
        return self.id.hex()[:8]

    def coefficients(self, index: int) -> bytes:
        """Say how much of each fragment the frame of this index holds."""
        if index < self.count:
            return bytes(index) + b"\x01" + bytes(self.count - index - 1)
        drawn = shake_256(self.id + index.to_bytes(3, "big")).digest(self.count)
        return drawn if any(drawn) else b"\x01" * self.count


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame: which transfer, which index, and its fragment."""

    transfer: Transfer
    index: int
    fragment: bytes


@dataclass(frozen=True, slots=True)
class FrameSet:
    """All frames of one message, without end."""

    transfer: Transfer
    fragments: tuple[bytes, ...]

    def frame(self, index: int) -> bytes:
        """Return the frame of any index from 0 on.

        Raises:
            FrameLimits: the index does not fit the header.
        """
        if not 0 <= index <= MOST_INDEX:
            raise FrameLimits(f"no frame has the index {index}")
        return encode_frame(Frame(self.transfer, index, self._fragment(index)))

    def _fragment(self, index: int) -> bytes:
        if index < self.transfer.count:
            return self.fragments[index]
        total = 0
        for factor, fragment in zip(self.transfer.coefficients(index), self.fragments, strict=True):
            total ^= gf256.as_number(fragment, factor)
        return gf256.as_row(total, self.transfer.fragment_bytes)

    def in_a_loop(self) -> int:
        """Say how many frames a loop should hold: a quarter more than needed, at least four."""
        return self.transfer.count + max(4, self.transfer.count // 4)


def split(message: bytes, capacity_bytes: int) -> FrameSet:
    """Cut a message into frames of at most `capacity_bytes` each, all of one size.

    Raises:
        FrameLimits: the message is empty, too long, or needs too many frames of this size.
    """
    room = capacity_bytes - HEADER_BYTES
    if room < _LEAST_FRAGMENT_BYTES:
        raise FrameLimits(f"frames of {capacity_bytes} bytes are too small")
    # The header names only K, so fragments are as even as they can be.
    fragment_bytes = -(-len(message) // max(1, -(-len(message) // room)))
    count = -(-len(message) // max(1, fragment_bytes))
    transfer = Transfer(transfer_id(message), len(message), count)
    starts = range(0, len(message), fragment_bytes)
    pieces = (message[start : start + fragment_bytes] for start in starts)
    return FrameSet(transfer, tuple(piece.ljust(fragment_bytes, b"\0") for piece in pieces))


def transfer_id(message: bytes) -> bytes:
    """Name a message by its content."""
    return sha256(message).digest()[:8]


def encode_frame(frame: Frame) -> bytes:
    """Write the header and the fragment."""
    transfer = frame.transfer
    length, index = divmod(transfer.length, 2**16), divmod(frame.index, 2**16)
    return _HEADER.pack(VERSION, transfer.id, *length, transfer.count, *index) + frame.fragment


def decode_frame(encoded: bytes) -> Frame:
    """Read a frame, allocating nothing that its header asks for.

    Raises:
        BadFrame: not a frame of this version, or its size is not what its header says.
        FrameLimits: the header asks for more than a crossing may carry.
    """
    if len(encoded) < HEADER_BYTES or encoded[0] != VERSION:
        raise BadFrame(f"not a frame of version {VERSION}")
    _, name, length_high, length_low, count, index_high, index_low = _HEADER.unpack_from(encoded)
    transfer = Transfer(name, length_high << 16 | length_low, count)
    fragment = encoded[HEADER_BYTES:]
    if len(fragment) != transfer.fragment_bytes:
        raise BadFrame("the fragment is not as long as the header says")
    return Frame(transfer, index_high << 16 | index_low, fragment)
