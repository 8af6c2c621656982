"""How far blocks were read: for bitcoins and for assets, which count at depths of their own, and on which chain.

Beside the newest block that was read stand the hashes of some before it, ever wider apart, so that the last block that
two chains share is found after a reorganisation without asking for all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from online.chains.bitcoin.answers import a_hash
from online.chains.bitcoin.node import Node
from shared.errors import BadField, NodeAnswerUnreadable

_BACK: Final = (0, *(2**power for power in range(11)))


@dataclass(frozen=True, slots=True)
class Reach:
    """The last heights that were read: for bitcoins, and for assets."""

    native: int
    assets: int

    @property
    def top(self) -> int:
        """Give the higher of both."""
        return max(self.native, self.assets)


@dataclass(frozen=True, slots=True)
class Cursor:
    """What was read, and the chain that it was read on: heights with their blocks, the newest first."""

    reach: Reach
    blocks: tuple[tuple[int, str], ...]

    def __str__(self) -> str:
        known = (f"{height}:{block}" for height, block in self.blocks)
        return " ".join([str(self.reach.native), str(self.reach.assets), *known])


def read_cursor(text: str) -> Cursor:
    """Read what a cursor's text says. Raises BadField."""
    try:
        native, assets, *known = text.split(" ")
        pairs = (each.split(":") for each in known)
        blocks = tuple((int(height), a_hash(block)) for height, block in pairs)
        cursor = Cursor(Reach(int(native), int(assets)), blocks)
    except (ValueError, NodeAnswerUnreadable):
        raise BadField("a cursor is two heights, and blocks with theirs") from None
    if not blocks or blocks[0][0] != cursor.reach.top:
        raise BadField("a cursor begins with the newest block that was read")
    return cursor


def cursor_at(node: Node, reach: Reach) -> Cursor:
    """Give the cursor of what is read on the node's best chain. Raises NodeRefused where it has no such blocks."""
    heights = [reach.top - back for back in _BACK if back <= reach.top]
    return Cursor(reach, tuple(zip(heights, node.block_hashes(heights), strict=True)))
