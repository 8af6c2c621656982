"""BBQr: a file in numbered parts, `B$` + encoding + file type + count + number + letters, read strictly and written.

The encodings are H (hex), 2 (base32) and Z (raw deflate in a window of 2^10, then base32). The format has no checksum
and names no message: parts of two messages with equal headers can be told apart only where they contradict each other.
Inflating stops at the cap.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from shared.errors import BadBbqr, ForeignLimits

MOST_PARTS: Final = 36**2 - 1
MOST_FILE_BYTES: Final = 1024 * 1024
HEADER_LETTERS: Final = 8
FILE_TYPES: Final = {
    "P": "PSBT",
    "T": "transaction",
    "J": "JSON",
    "C": "CBOR",
    "U": "text",
    "B": "binary",
    "X": "executable",
}

_TEXT: Final = re.compile("B[$]([H2Z])([A-Z0-9])([0-9A-Z]{2})([0-9A-Z]{2})([0-9A-Z]+)")
_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_WINDOW_BITS: Final = -10  # negative: no header around the stream


@dataclass(frozen=True, slots=True)
class Header:
    """What all parts of a file have in common."""

    encoding: str
    file_type: str
    count: int

    @property
    def kind(self) -> str:
        """The file type in words."""
        return FILE_TYPES.get(self.file_type, f"reserved type {self.file_type}")

    def __str__(self) -> str:
        return f"B${self.encoding}{self.file_type}{_base36(self.count)}"


@dataclass(frozen=True, slots=True)
class BbqrPart:
    """One part: its header, its number from 0, and the bytes that its letters stand for."""

    header: Header
    index: int
    contents: bytes


def parse(text: str) -> BbqrPart:
    """Read the text of a symbol.

    Raises:
        BadBbqr: for anything but a part in its only form.
    """
    found = _TEXT.fullmatch(text)
    if found is None:
        raise BadBbqr("a text that is no part of a BBQr")
    encoding, file_type, count, index, letters = found.groups()
    header = Header(encoding, file_type, int(count, 36))
    if not int(index, 36) < header.count:
        raise BadBbqr(f"part {int(index, 36) + 1} of {header.count}")
    return BbqrPart(header, int(index, 36), _decoded(encoding, letters))


def join(header: Header, parts: Mapping[int, bytes]) -> bytes:
    """Put a file together from all its parts.

    Raises:
        BadBbqr: for missing parts, parts of unequal lengths, and streams that are damaged.
        ForeignLimits: for a file beyond what is taken.
    """
    if sorted(parts) != list(range(header.count)):
        raise BadBbqr("not all parts of the BBQr are there")
    lengths = [len(parts[index]) for index in range(header.count)]
    # The rule of the format: all parts are equal, only the last may be shorter.
    if any(length != lengths[0] for length in lengths[:-1]) or lengths[-1] > lengths[0]:
        raise BadBbqr("the parts of the BBQr have unequal lengths")
    whole = b"".join(parts[index] for index in range(header.count))
    if header.encoding == "Z":
        return _inflated(whole)
    if len(whole) > MOST_FILE_BYTES:
        raise ForeignLimits(f"a BBQr of {len(whole)} bytes is not taken")
    return whole


def split(contents: bytes, file_type: str, letters: int, encoding: str | None = None) -> tuple[str, ...]:
    """Write a file as texts of at most so many letters; without an encoding, in the shorter of Z and 2.

    Raises:
        BadBbqr: for contents of no bytes.
        ForeignLimits: if it is larger than is taken, or takes more parts than can be numbered.
    """
    if not contents:
        raise BadBbqr("a BBQr without contents")
    if encoding is None:
        encoding = "Z" if len(_deflated(contents)) < len(contents) else "2"
    stream = _deflated(contents) if encoding == "Z" else contents
    pieces = _pieces(stream, letters, encoding)
    if len(contents) > MOST_FILE_BYTES or len(pieces) > MOST_PARTS:
        raise ForeignLimits(f"{len(contents)} bytes do not go into BBQr symbols of {letters} letters")
    header = Header(encoding, file_type, len(pieces))
    encoded = _hex if encoding == "H" else _base32
    return tuple(f"{header}{_base36(index)}{encoded(piece)}" for index, piece in enumerate(pieces))


def _pieces(stream: bytes, letters: int, encoding: str) -> list[bytes]:
    # A group of letters stands for whole bytes: 2 for 1 in hex, 8 for 5 in base32.
    group_letters, group_bytes = (2, 1) if encoding == "H" else (8, 5)
    most = (letters - HEADER_LETTERS) // group_letters * group_bytes
    if most < 1:
        raise ForeignLimits(f"no BBQr goes into symbols of {letters} letters")
    count = -(-len(stream) // most)
    size = -(-len(stream) // (count * group_bytes)) * group_bytes
    return [stream[at : at + size] for at in range(0, len(stream), size)]


def _decoded(encoding: str, letters: str) -> bytes:
    try:
        if encoding == "H":
            contents = base64.b16decode(letters)
        else:
            contents = base64.b32decode(letters + "=" * (-len(letters) % 8))
    except binascii.Error:
        raise BadBbqr("letters that are no whole bytes") from None
    # Base32 has bits to spare, which are zero in the one right writing.
    if encoding != "H" and _base32(contents) != letters:
        raise BadBbqr("base32 in another than its only form")
    return contents


def _inflated(stream: bytes) -> bytes:
    inflater = zlib.decompressobj(_WINDOW_BITS)
    try:
        # One byte more than the cap tells a full file from one that goes on.
        contents = inflater.decompress(stream, MOST_FILE_BYTES + 1)
    except zlib.error:
        raise BadBbqr("the packed BBQr is damaged") from None
    if len(contents) > MOST_FILE_BYTES:
        raise ForeignLimits(f"the BBQr inflates to more than {MOST_FILE_BYTES} bytes")
    if not inflater.eof or inflater.unused_data:
        raise BadBbqr("the packed BBQr is cut short or followed by something else")
    return contents


def _deflated(contents: bytes) -> bytes:
    deflater = zlib.compressobj(9, zlib.DEFLATED, _WINDOW_BITS)
    return deflater.compress(contents) + deflater.flush()


def _hex(piece: bytes) -> str:
    return piece.hex().upper()


def _base32(piece: bytes) -> str:
    return base64.b32encode(piece).decode("ascii").rstrip("=")


def _base36(number: int) -> str:
    return _DIGITS[number // 36] + _DIGITS[number % 36]
