"""Byte strings side by side: the first bytes of all, then the second bytes of all, and so on.

Transactions of one batch are alike byte for byte at the same places; standing side by side the equal bytes become runs,
which zlib writes in almost nothing. The order of the strings is kept; nothing is lost or repaired.
"""

from __future__ import annotations

from collections.abc import Sequence

from shared.errors import BadField


def join_columns(blobs: Sequence[bytes]) -> bytes:
    """Write byte strings column by column; `split_columns` with their lengths gives them back."""
    out = bytearray()
    for group in _groups([len(blob) for blob in blobs]).values():
        table = b"".join(blobs[place] for place in group)
        width = len(blobs[group[0]])
        for column in range(width):
            out += table[column::width]
    return bytes(out)


def split_columns(columns: bytes, lengths: Sequence[int]) -> list[bytes]:
    """Read what `join_columns` wrote of byte strings of these lengths.

    Raises:
        BadField: when the lengths do not add up to the columns.
    """
    if sum(lengths) != len(columns):
        raise BadField("the lengths of the transactions do not add up to their bytes")
    blobs = [b""] * len(lengths)
    at = 0
    for width, group in _groups(lengths).items():
        count = len(group)
        table = columns[at : at + width * count]
        at += width * count
        for row, place in enumerate(group):
            blobs[place] = table[row::count]
    return blobs


def _groups(lengths: Sequence[int]) -> dict[int, list[int]]:
    """Give the places of the strings of each length, in the order in which a length first appears."""
    groups: dict[int, list[int]] = {}
    for place, length in enumerate(lengths):
        groups.setdefault(length, []).append(place)
    return groups
