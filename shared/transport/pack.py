"""The sealed message made small for the crossing, and back under a cap.

zlib hides nothing and proves nothing; a hostile stream may try to inflate without end, so
inflating stops at the cap.
"""

from __future__ import annotations

import zlib

from shared.errors import BadPacking, FrameLimits

MOST_SEALED_BYTES = 4 * 1024 * 1024


def pack(sealed: bytes) -> bytes:
    """Deflate a sealed message.

    Raises:
        FrameLimits: it is larger than the other side would inflate.
    """
    if len(sealed) > MOST_SEALED_BYTES:
        raise FrameLimits(f"a message of {len(sealed)} bytes; at most {MOST_SEALED_BYTES} cross")
    return zlib.compress(sealed, 9)


def unpack(packed: bytes) -> bytes:
    """Inflate exactly one message.

    Raises:
        BadPacking: damaged, cut short, followed by something, or larger than the cap.
    """
    stream = zlib.decompressobj()
    try:
        # One byte more than the cap tells a full message from one that goes on.
        sealed = stream.decompress(packed, MOST_SEALED_BYTES + 1)
    except zlib.error as error:
        raise BadPacking("the packed message is damaged") from error
    if len(sealed) > MOST_SEALED_BYTES:
        raise BadPacking(f"the message inflates to more than {MOST_SEALED_BYTES} bytes")
    if not stream.eof or stream.unused_data:
        raise BadPacking("the packed message is cut short or followed by something else")
    return sealed
