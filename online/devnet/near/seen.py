"""What one node shows of the chain: its faults stand between the network and whoever asks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from online.devnet.near.actions import SignedTx
from online.devnet.near.blocks import Block
from online.devnet.near.chain import Chain
from online.devnet.near.faults import Faults
from online.devnet.near.receipts import Outcome, Receipt


@dataclass(frozen=True, slots=True)
class Seen:
    """A chain through a node's eyes."""

    chain: Chain
    faults: Faults

    @property
    def head(self) -> Block:
        """The newest block that the node knows."""
        stuck = self.faults.stuck_at
        if stuck is None or stuck >= self.chain.head.height:
            return self.chain.head
        return next(block for height in range(stuck, -1, -1) if (block := self.chain.at(height)) is not None)

    @property
    def final(self) -> Block:
        """The newest block that the node knows to be final."""
        if self.head is self.chain.head:
            return self.chain.final
        return self.chain.blocks.get(self.head.final, self.chain.first)

    @property
    def near_final(self) -> Block:
        """The newest block that the node knows to be doomslug-final."""
        known = self.chain.blocks.get(self.head.doomslug, self.chain.first)
        return max(known, self.final, key=lambda each: each.height)

    @property
    def oldest(self) -> Block:
        """The oldest block that the node still shows."""
        return next(block for height, block in sorted(self.chain.by_height.items())
                    if height >= min(self.faults.history_from, self.head.height))

    def knows(self, block: Block) -> bool:
        """Say whether the node still shows a block, be it on a branch that was left."""
        return self.faults.history_from <= block.height <= self.head.height

    def by_hash(self, block_hash: str) -> Block | None:
        """Give a block by its hash, None where the node has none."""
        block = self.chain.blocks.get(block_hash)
        return block if block is not None and self.knows(block) else None

    def at(self, height: int) -> Block | None:
        """Give the block at a height, None where that was skipped or is unknown."""
        block = self.chain.at(height)
        return block if block is not None and self.knows(block) else None

    def is_final(self, block: Block) -> bool:
        """Say whether the node knows that a block can never be given up."""
        return self.chain.holds(block) and block.height <= self.final.height

    def tx(self, tx_id: str) -> tuple[Block, SignedTx] | None:
        """Give a transaction and the block that includes it, as far as the node knows."""
        found = None if tx_id in self.faults.forgotten else self.chain.tx(tx_id)
        return found if found is not None and self.knows(found[0]) else None

    def outcome(self, any_id: str) -> tuple[Block, Outcome] | None:
        """Give the outcome of a transaction or receipt, as far as the node knows."""
        found = self.chain.outcome(any_id)
        return found if found is not None and self.knows(found[0]) else None

    def receipt(self, receipt_id: str) -> Receipt | None:
        """Give a receipt that travelled."""
        return self.chain.receipt(receipt_id)

    def tree(self, tx_id: str) -> Iterator[tuple[str, tuple[Block, Outcome] | None]]:
        """Give every receipt that came of a transaction, depth first, with its outcome where it has one."""
        start = self.outcome(tx_id)
        waiting = [] if start is None else list(start[1].receipts)
        while waiting:
            each = waiting.pop(0)
            found = self.outcome(each)
            yield each, found
            waiting = (list(found[1].receipts) if found is not None else []) + waiting
