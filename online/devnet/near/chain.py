"""The chain that a node follows, the branches it left, and the way from an id to what became of it."""

from __future__ import annotations

from online.devnet.near.actions import SignedTx
from online.devnet.near.blocks import Block
from online.devnet.near.receipts import Outcome, Receipt, made_id


class Chain:
    """All blocks by hash, and the ones from the genesis to the head by height."""

    def __init__(self, first: Block) -> None:
        self.blocks: dict[str, Block] = {first.hash: first}
        self.by_height: dict[int, Block] = {first.height: first}
        self.head = self.first = self.final = first
        self._outcomes: dict[str, list[tuple[Block, Outcome]]] = {}
        self._txs: dict[str, list[tuple[Block, SignedTx]]] = {}
        self._receipts: dict[str, Receipt] = {}
        self._origin: dict[str, str] = {}

    def extend(self, block: Block) -> None:
        """Put a block on the head."""
        self.blocks[block.hash] = self.by_height[block.height] = self.head = block
        final = self.blocks.get(block.final, self.first)
        # What was final once stays so, also where a newer branch does not say it yet.
        self.final = max(self.final, final, key=lambda each: each.height)
        for outcome in block.outcomes:
            self._outcomes.setdefault(outcome.id, []).append((block, outcome))
        for chunk in block.chunks:
            if chunk.included != block.height:
                continue
            for tx in chunk.txs:
                self._txs.setdefault(tx.id, []).append((block, tx))
                self._origin[made_id(tx.id, "receipt")] = tx.id
        for each in (receipt for queue in block.ledger.outgoing for receipt in queue):
            self._origin[each.id] = each.tx
            if isinstance(each, Receipt):
                self._receipts[each.id] = each

    def leave(self, count: int) -> list[SignedTx]:
        """Give up the newest blocks, none of them final, and give the transactions that were in them.

        Raises:
            ValueError: one of them is final.
        """
        leaving, kept = [], self.head
        for _ in range(count):
            if kept.height <= self.final.height:
                raise ValueError("a final block is never given up")
            leaving.append(kept)
            kept = self.blocks[kept.previous]
        for block in leaving:
            del self.by_height[block.height]
        self.head = kept
        return [tx for block in leaving for chunk in block.chunks if chunk.included == block.height for tx in chunk.txs]

    def holds(self, block: Block) -> bool:
        """Say whether a block is on the way from the genesis to the head."""
        return self.by_height.get(block.height) is block

    def is_final(self, block: Block) -> bool:
        """Say whether a block can never be given up."""
        return self.holds(block) and block.height <= self.final.height

    def at(self, height: int) -> Block | None:
        """Give the block at a height, None where that was skipped."""
        return self.by_height.get(height)

    def tx(self, tx_id: str) -> tuple[Block, SignedTx] | None:
        """Give a transaction and the block that includes it."""
        return next((pair for pair in self._txs.get(tx_id, ()) if self.holds(pair[0])), None)

    def outcome(self, any_id: str) -> tuple[Block, Outcome] | None:
        """Give the outcome of a transaction or receipt, and the block where it happened."""
        return next((pair for pair in self._outcomes.get(any_id, ()) if self.holds(pair[0])), None)

    def receipt(self, receipt_id: str) -> Receipt | None:
        """Give a receipt by its id; one that never left its shard is not kept."""
        return self._receipts.get(receipt_id)

    def tx_of(self, receipt_id: str) -> tuple[str, str] | None:
        """Give the id and signer of the transaction that a receipt came of."""
        tx_id = self._origin.get(receipt_id)
        found = None if tx_id is None else self.tx(tx_id)
        return None if found is None else (found[1].id, found[1].signer)
