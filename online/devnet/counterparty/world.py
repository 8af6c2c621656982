"""A small Counterparty on a Bitcoin world: reads its blocks with a reader of its own and keeps everybody's balances.

Test assets come by decree. After a reorganisation everything is read again from the first block; decrees stay at the
height at which they were made.
"""

from __future__ import annotations

import copy
import dataclasses
import threading
from collections.abc import Sequence
from typing import Any

from online.devnet.bitcoin.scripts import address_of
from online.devnet.bitcoin.wire import Outpoint, Tx, TxOut
from online.devnet.bitcoin.world import BitcoinWorld
from online.devnet.counterparty.books import Books, Place
from online.devnet.counterparty.decrees import Decree, Kind
from online.devnet.counterparty.faults import Faults, Lie
from online.devnet.counterparty.packing import asset_id
from online.devnet.counterparty.reading import MEMPOOL_BLOCK, Read, read_into

VERSION = "11.5.0"


class CounterpartyWorld:
    """One Counterparty node that follows a Bitcoin node; from `new_table_height` on MPMA has today's table."""

    def __init__(self, bitcoin: BitcoinWorld, *, new_table_height: int = 0) -> None:
        self.bitcoin = bitcoin
        self.new_table_height = new_table_height
        self.faults = Faults()
        self.lock: threading.RLock = bitcoin.lock
        self._books = Books()
        self._read: list[str] = []
        self._decrees: list[Decree] = []
        self._done = 0

    def second_node(self, bitcoin: BitcoinWorld | None = None) -> CounterpartyWorld:
        """Give another node of the same ledger, with faults of its own; it follows `bitcoin` where given."""
        node = copy.copy(self)
        node.faults, node.bitcoin = Faults(), bitcoin or self.bitcoin
        node._books, node._read, node._done = Books(), [], 0
        return node

    # --- following --------------------------------------------------------------------------------

    @property
    def height(self) -> int:
        """The height up to which this node has read."""
        return max(self.bitcoin.height - self.faults.blocks_behind, 0)

    def books(self) -> Books:
        """Read what is new and give the books."""
        with self.lock:
            chain = self.bitcoin.chain.active[:self.height + 1]
            if self._read != chain[:len(self._read)]:
                self._books, self._read, self._done = Books(), [], 0
            for block_hash in chain[len(self._read):]:
                self._decree_up_to(len(self._read))
                self._read_block(block_hash)
            self._decree_up_to(None)
            return self._books

    def waiting(self) -> Books:
        """Give the books as they would be if everything that waits were valid now."""
        with self.lock:
            books = self.books().copy()
            place = Place(MEMPOOL_BLOCK, self.bitcoin.clock())
            for entry in self.bitcoin.mempool.in_order():
                self._read_tx(books, place, entry.tx, self.height + 1)
            return books

    def _read_block(self, block_hash: str) -> None:
        block, height = self.bitcoin.chain.blocks[block_hash], len(self._read)
        place = Place(height, block.time, block_hash)
        for tx in block.txs[1:]:
            self._read_tx(self._books, place, tx, height)
        self._read.append(block_hash)

    def _read_tx(self, books: Books, place: Place, tx: Tx, height: int) -> None:
        spent = [self._out(each.outpoint) for each in tx.inputs]
        known = [out for out in spent if out is not None]
        if len(known) < len(spent):
            return
        commit = self._tx(tx.inputs[0].outpoint.txid)
        before = None if commit is None or commit.is_coinbase else self._out(commit.inputs[0].outpoint)
        read_into(books, place, Read(tx, known, before), new_table=height >= self.new_table_height)

    def _tx(self, txid: str) -> Tx | None:
        entry = self.bitcoin.mempool.entries.get(txid)
        if entry is not None:
            return entry.tx
        found = self.bitcoin.chain.find(txid)
        return found[0] if found is not None else None

    def _out(self, outpoint: Outpoint) -> TxOut | None:
        tx = self._tx(outpoint.txid)
        return tx.outputs[outpoint.vout] if tx is not None and outpoint.vout < len(tx.outputs) else None

    # --- decrees ----------------------------------------------------------------------------------

    def issue(self, name: str, issuer: str | None = None, *, divisible: bool = True,
              longname: str | None = None) -> None:
        """Make an asset.

        Raises:
            Unreadable: no asset can have this name.
        """
        asset_id(name)
        self._decree("issue", name, issuer, divisible, longname)

    def credit(self, address: str, asset: str, quantity: int) -> None:
        """Give an address a quantity of an asset, which is made if there is none.

        Raises:
            Unreadable: no asset can have this name.
        """
        asset_id(asset)
        self._decree("credit", address, asset, quantity)

    def attach(self, outpoint: Outpoint, asset: str, quantity: int) -> None:
        """Put a quantity of an asset on an output: whoever spends the output moves it.

        Raises:
            Unreadable: no asset can have this name.
            ValueError: there is no such output, or it has no address.
        """
        asset_id(asset)
        coin = self.bitcoin.chain.coins.get(outpoint)
        address = None if coin is None else address_of(coin.script)
        if address is None:
            raise ValueError(f"no output of an address: {outpoint}")
        self._decree("attach", str(outpoint), address, asset, quantity)

    def require_memo(self, address: str, *, required: bool = True) -> None:
        """Set an address' options without a broadcast."""
        self._decree("require_memo", address, required)

    def decrees(self) -> tuple[Decree, ...]:
        """Give all decrees, in their order."""
        with self.lock:
            return tuple(self._decrees)

    def restore(self, decrees: Sequence[Decree]) -> None:
        """Take decrees that were kept, at the heights at which they were made."""
        with self.lock:
            self._decrees = list(decrees)
            self._books, self._read, self._done = Books(), [], 0

    def _decree(self, kind: Kind, *terms: Any) -> None:
        with self.lock:
            self.books()
            self._decrees.append(Decree(self.height, kind, terms))
            self.books()

    def _decree_up_to(self, height: int | None) -> None:
        while self._done < len(self._decrees):
            decree = self._decrees[self._done]
            if height is not None and decree.height >= height:
                return
            at = min(decree.height, len(self._read) - 1)
            decree.do(self._books, Place(at, self.bitcoin.chain.at(at).time, self._read[at]))
            self._done += 1

    # --- controls ---------------------------------------------------------------------------------

    def lie(self, kind: Lie | None) -> None:
        """Make compose tell one lie; None makes it honest again."""
        self.faults.lie = kind

    def fall_behind(self, blocks: int) -> None:
        """Read fewer blocks than there are; 0 catches up."""
        self.faults.blocks_behind = blocks

    def lie_about(self, network: str | None = None, version: str | None = None) -> None:
        """Tell another network or version than the true one; nothing tells the truth again."""
        self.faults = dataclasses.replace(self.faults, told_network=network, told_version=version)

    def lose_readiness(self, *, lost: bool = True) -> None:
        """Be a node that is still catching up."""
        self.faults.not_ready = lost

    def go_down(self) -> None:
        """Answer nobody."""
        self.faults.down = True

    def come_up(self) -> None:
        """Answer again."""
        self.faults.down = False


