"""Finds the block that ended a nonce: before it the key's nonce was below, since then it is not, or the key is gone.

What the chain itself shows by this is a proof without any index of transactions: a transaction had not happened
before that block, as the nonce shows; it can not happen after it; and whether it did in it, the block's own chunks
say.
"""

from __future__ import annotations

from dataclasses import dataclass

from online.chains.near.chunks import Taken
from online.chains.near.node import KeyState, Node
from shared.errors import NodeRefused


@dataclass(frozen=True, slots=True)
class Ending:
    """The block that ended a nonce, and what concerns the key in it and in its neighbours.

    `taken` are its transactions; `receipts` name the delegate actions on their way to the account.
    """

    height: int
    taken: tuple[Taken, ...]
    receipts: tuple[str, ...]

    def by(self, nonce: int) -> str:
        """Name what ended it, as far as it was a transaction of the key."""
        named = next((one for one in self.taken if one.nonce >= nonce), None)
        return "" if named is None else f", by {named.hash} with nonce {named.nonce}"


def find_ending(node: Node, account: str, key_text: str, nonce: int, heights: tuple[int, int]) -> Ending | None:
    """Search between a height at which the nonce was still free and one at which it is not.

    Gives None where the node does not hold all of it, or the nonce was not free at the first height.
    """
    low, high = heights
    try:
        first = node.access_key_after(account, key_text, low)
        if first is None or not _free(first, nonce):
            return None
        while high - low > 1:
            middle = _state_below(node, account, key_text, (low, (low + high) // 2))
            if middle is None:
                low = (low + high) // 2  # no block between: what was true at the lower end holds here too
            elif _free(middle, nonce):
                low = (low + high) // 2
            else:
                high = middle.height
        return _read(node, account, key_text, nonce, high)
    except NodeRefused:
        return None


def _free(state: KeyState, nonce: int) -> bool:
    return state.key is not None and state.key.nonce < nonce


def _state_below(node: Node, account: str, key_text: str, span: tuple[int, int]) -> KeyState | None:
    """Give the key's state after the highest block above the first height and up to the second; heights are skipped."""
    for height in range(span[1], span[0], -1):
        found = node.access_key_after(account, key_text, height)
        if found is not None:
            return found
    return None


def _read(node: Node, account: str, key_text: str, nonce: int, height: int) -> Ending | None:
    block = node.block(height)
    before = None if block is None else node.block(block.prev_hash)
    if block is None or before is None:
        return None
    # A block that the node hides looks like a skipped height: the nonce must be free right before this one.
    state = node.access_key_after(account, key_text, before.height)
    if state is None or not _free(state, nonce):
        return None
    after = node.block(height + 1)
    # The neighbours are read as well, so that nothing rests on which block's transactions a state "after" it holds.
    near = (before, block, *([after] if after is not None else []))
    chunks = [node.chunk(head.hash) for each in near for head in each.chunks if head.included == each.height]
    who = (account, key_text)
    taken = [one for chunk in chunks for one in chunk.transactions if (one.signer, one.public_key) == who]
    receipts = [
        receipt.id
        for chunk in chunks
        for receipt in chunk.receipts
        if receipt.receiver == account and any(step.kind == "Delegate" for step in receipt.steps or ())
    ]
    return Ending(height, tuple(taken), tuple(receipts))
