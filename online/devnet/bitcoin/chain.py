"""The blocks that are known, the best chain among them, and the coins that it leaves.

It is what a node with a transaction index answers from.
Which chain is best is the kernel's word alone; this only follows and keeps the books that the kernel does not show.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from online.devnet.bitcoin.kernel import Kernel
from online.devnet.bitcoin.wire import Block, Outpoint, Tx, TxOut

COINBASE_MATURITY = 100
_OP_RETURN = 0x6A


@dataclass(frozen=True, slots=True)
class Coin:
    """An unspent output and where it came from."""

    sats: int
    script: bytes
    height: int
    coinbase: bool

    @property
    def out(self) -> TxOut:
        """The output alone."""
        return TxOut(self.sats, self.script)


@dataclass(slots=True)
class Change:
    """What a block, or a verdict on one, did to the best chain."""

    left: list[Block] = field(default_factory=list)
    joined: list[Block] = field(default_factory=list)

    @property
    def nothing(self) -> bool:
        """Say whether the best chain stayed as it was."""
        return not self.left and not self.joined


class Chain:
    """All known blocks of one regtest network."""

    def __init__(self) -> None:
        self._kernel = Kernel()
        genesis = Block.read(self._kernel.raw_at(0))
        self.blocks = {genesis.hash: genesis}
        self.heights = {genesis.hash: 0}
        self.active = [genesis.hash]
        self.coins: dict[Outpoint, Coin] = {}
        self.places: dict[str, str] = {}
        self.invalid: set[str] = set()
        self._spent: dict[str, list[tuple[Outpoint, Coin]]] = {genesis.hash: []}

    @property
    def height(self) -> int:
        """The height of the best chain."""
        return len(self.active) - 1

    @property
    def tip(self) -> Block:
        """The newest block of the best chain."""
        return self.blocks[self.active[-1]]

    def at(self, height: int) -> Block:
        """Give a block of the best chain."""
        return self.blocks[self.active[height]]

    def is_active(self, block_hash: str) -> bool:
        """Say whether a known block belongs to the best chain."""
        height = self.heights[block_hash]
        return height <= self.height and self.active[height] == block_hash

    def confirmations(self, block_hash: str) -> int:
        """Count the blocks from one to the tip; -1 where it is not on the best chain."""
        return self.height - self.heights[block_hash] + 1 if self.is_active(block_hash) else -1

    def median_time(self, block_hash: str) -> int:
        """Give the median time of a block and the ten before it."""
        times: list[int] = []
        at = block_hash
        while at in self.blocks and len(times) < 11:
            times.append(self.blocks[at].time)
            at = self.blocks[at].previous
        return sorted(times)[len(times) // 2]

    def find(self, txid: str) -> tuple[Tx, str] | None:
        """Give a confirmed transaction and its block's hash."""
        place = self.places.get(txid)
        if place is None:
            return None
        return next(tx for tx in self.blocks[place].txs if tx.txid == txid), place

    def offer(self, block: Block) -> Change:
        """Take a block, and follow the kernel to wherever the best chain is then."""
        if block.previous not in self.heights:
            return Change()
        if self._kernel.offer(block) and block.hash not in self.blocks:
            self.blocks[block.hash] = block
            self.heights[block.hash] = self.heights[block.previous] + 1
        return self._follow()

    def declare(self, block_hash: str, *, invalid: bool) -> Change:
        """Declare a block invalid, or take that back; its descendants go with it."""
        if invalid:
            self.invalid.add(block_hash)
        else:
            self.invalid -= {each for each in self.invalid
                             if self._descends(each, block_hash) or self._descends(block_hash, each)}
        self._kernel = Kernel(block for each, block in self.blocks.items()
                              if self.heights[each] and not self._is_out(each))
        return self._follow()

    def _descends(self, block_hash: str, ancestor: str) -> bool:
        while block_hash in self.blocks:
            if block_hash == ancestor:
                return True
            block_hash = self.blocks[block_hash].previous
        return False

    def _is_out(self, block_hash: str) -> bool:
        return any(self._descends(block_hash, each) for each in self.invalid)

    def _follow(self) -> Change:
        agreed, news = self._kernel.forks_from(self.active)
        change = Change()
        while self.height > agreed:
            change.left.append(self._disconnect())
        for block_hash in news:
            change.joined.append(self._connect(self.blocks[block_hash]))
        return change

    def _connect(self, block: Block) -> Block:
        height = self.height + 1
        spent: list[tuple[Outpoint, Coin]] = []
        for tx in block.txs:
            if not tx.is_coinbase:
                spent += [(each.outpoint, self.coins.pop(each.outpoint)) for each in tx.inputs]
            self.places[tx.txid] = block.hash
            for vout, out in enumerate(tx.outputs):
                if out.script[:1] != bytes([_OP_RETURN]):
                    self.coins[Outpoint(tx.txid, vout)] = Coin(out.sats, out.script, height, tx.is_coinbase)
        self._spent[block.hash] = spent
        self.active.append(block.hash)
        return block

    def _disconnect(self) -> Block:
        block = self.tip
        for outpoint, coin in reversed(self._spent[block.hash]):
            self.coins[outpoint] = coin
        for tx in block.txs:
            self.places.pop(tx.txid, None)
            for vout in range(len(tx.outputs)):
                self.coins.pop(Outpoint(tx.txid, vout), None)
        self.active.pop()
        return block

    def spent_by(self, tx: Tx) -> list[TxOut] | None:
        """Give the outputs that a confirmed transaction spent, by looking up the transactions that made them."""
        outs: list[TxOut] = []
        for each in tx.inputs:
            found = self.find(each.outpoint.txid)
            if found is None:
                return None
            outs.append(found[0].outputs[each.outpoint.vout])
        return outs
