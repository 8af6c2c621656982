"""One node as one look sees it: what many transactions have in common is asked once.

A block does not change, and what a final block says of a key stays true of that block: kept until the end of the look,
it can only delay what a newer one would tell. A status is one of a moment: that the node may be believed is taken to
hold for the length of the look.
"""

from __future__ import annotations

from functools import cache

from online.chains.near.answers import Block
from online.chains.near.node import Node


class View:
    """A node for one look. Every method but `final_block` asks as the one of `Node` does by its name."""

    def __init__(self, node: Node) -> None:
        self.node, self.name = node, node.name
        self.status = cache(node.status)
        self.block = cache(node.block)
        self.access_key = cache(node.access_key)
        self.find = node.find
        self._final: Block | None = None

    def final_block(self, height: int) -> Block:
        """Give a final block at a height or above, or the newest if there is none yet."""
        if self._final is None or self._final.height < height:
            self._final = self.node.final_block()
        return self._final
