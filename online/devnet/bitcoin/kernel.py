"""Bitcoin Core's own consensus code, in this process: blocks in, the best chain out; scripts judged.

It keeps its databases in memory and its block files in a folder that goes when the kernel goes. A block that
somebody declared invalid is left out by starting a new kernel without it.
"""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Iterable, Sequence
from pathlib import Path

import pbk
from pbk.script import PrecomputedTransactionData

from online.devnet.bitcoin.wire import Block, Tx, TxOut


class Kernel:
    """A chain state of regtest."""

    def __init__(self, blocks: Iterable[Block] = ()) -> None:
        root = Path(tempfile.mkdtemp(prefix="lockgate-regtest-"))
        weakref.finalize(self, shutil.rmtree, root, ignore_errors=True)
        (root / "blocks").mkdir()
        context = pbk.make_context(pbk.ChainType.REGTEST)
        options = pbk.ChainstateManagerOptions(context, str(root), str(root / "blocks"))
        options.update_block_tree_db_in_memory(True)
        options.update_chainstate_db_in_memory(True)
        options.set_worker_threads_num(0)
        self._manager = pbk.ChainstateManager(options)
        for block in blocks:
            self.offer(block)

    def offer(self, block: Block) -> bool:
        """Give the kernel a block; say whether its form and work were good enough to be kept.

        Whether it became part of the best chain is told by `chain_down_to` alone.
        """
        try:
            self._manager.process_block(pbk.Block(block.raw))
        except (pbk.ProcessBlockException, RuntimeError):
            return False
        return True

    @property
    def height(self) -> int:
        """The height of the best chain."""
        return int(self._manager.get_active_chain().height)

    def hash_at(self, height: int) -> str:
        """Give the hash of a block of the best chain."""
        return str(self._manager.get_active_chain().block_tree_entries[height].block_hash)

    def raw_at(self, height: int) -> bytes:
        """Give a block of the best chain as the kernel holds it."""
        entry = self._manager.get_active_chain().block_tree_entries[height]
        return bytes(self._manager.blocks[entry])

    def forks_from(self, known: Sequence[str]) -> tuple[int, list[str]]:
        """Compare the best chain with a known one: the height up to which they agree, and the hashes above."""
        height, news = self.height, list[str]()
        while height >= len(known) or self.hash_at(height) != known[height]:
            news.append(self.hash_at(height))
            height -= 1
        return height, news[::-1]


def input_holds(tx: Tx, spent: Sequence[TxOut], index: int) -> bool:
    """Say whether an input satisfies the output that it spends; `spent` has one for each input."""
    return all_hold(tx, spent, (index,))


def all_hold(tx: Tx, spent: Sequence[TxOut], indices: Iterable[int] | None = None) -> bool:
    """Say whether every input (or the named ones) satisfies the output that it spends."""
    given = pbk.Transaction(tx.raw)
    outputs = [pbk.TransactionOutput(pbk.ScriptPubkey(out.script), out.sats) for out in spent]
    checks = PrecomputedTransactionData(given, outputs)
    for index in range(len(spent)) if indices is None else indices:
        script = pbk.ScriptPubkey(spent[index].script)
        try:
            good = script.verify(spent[index].sats, given, checks, index, pbk.ScriptVerificationFlags.ALL)
        except pbk.ScriptVerifyException:
            return False
        if not good:
            return False
    return True
