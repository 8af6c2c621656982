"""One node as one look sees it: its status, and what the ledger of that status says of an account, are asked once.

A validated ledger never changes, so that an account at its height is a fact for ever. A status is one of a moment: for
the length of a look it says no more than that the node may be believed, and up to where it is asked.
"""

from __future__ import annotations

from functools import cache

from online.chains.xrpl.node import Node


class View:
    """A node for one look. Every method asks as the one of `Node` does by its name."""

    def __init__(self, node: Node) -> None:
        self.name = node.name
        self.status = cache(node.status)
        self.account = cache(node.account)
        self.tickets = cache(node.tickets)
        self.find, self.blob, self.history = node.find, node.blob, node.history
