"""A small Bitcoin of its own (regtest) and a node that answers for it; with the controls that tests and drills need.

Nothing here knows of JSON-RPC. One lock guards it all. New money goes to a script that anybody can spend: never
point it at keys or coins of a real network.
"""

from __future__ import annotations

import copy
import hashlib
import itertools
import threading
import time
from collections.abc import Callable, Iterable, Sequence

from online.devnet.bitcoin.chain import COINBASE_MATURITY, Chain, Change
from online.devnet.bitcoin.faults import Faults, SubmitLoss
from online.devnet.bitcoin.mempool import Mempool
from online.devnet.bitcoin.mining import MOST_WEIGHT, build_block, subsidy_sats
from online.devnet.bitcoin.policy import Policy
from online.devnet.bitcoin.scripts import script_of
from online.devnet.bitcoin.wire import Block, Outpoint, Tx, TxIn, TxOut

_ANYBODY = b"\x51"
FAUCET_SCRIPT = b"\x00\x20" + hashlib.sha256(_ANYBODY).digest()
FUNDING_FEE_SATS = 2_000


class BlockRefused(ValueError):
    """The kernel does not take a block into its best chain."""


class BitcoinWorld:
    """One regtest network and a node on it.

    `clock` gives seconds since 1970; the kernel judges by the system's clock, and takes no block that is more than
    two hours ahead of that.
    """

    def __init__(self, policy: Policy | None = None, *, premined: int = COINBASE_MATURITY + 10,
                 clock: Callable[[], int] = lambda: int(time.time())) -> None:
        self.lock = threading.RLock()
        self.clock = clock
        self.started = clock()
        self.faults = Faults()
        self.chain = Chain()
        self.mempool = Mempool(self.chain, policy or Policy())
        self.estimated_sats_per_kvb: int | None = None
        self._extra = itertools.count()
        self.mine(premined)

    @property
    def policy(self) -> Policy:
        """How the node judges what is not in a block yet."""
        return self.mempool.policy

    @policy.setter
    def policy(self, policy: Policy) -> None:
        self.mempool.policy = policy

    @property
    def height(self) -> int:
        """The height of the best chain."""
        return self.chain.height

    def second_node(self) -> BitcoinWorld:
        """Give another node of the same network, with faults of its own."""
        node = copy.copy(self)
        node.faults = Faults()
        return node

    # --- the network ------------------------------------------------------------------------------

    def submit(self, raw: bytes) -> Tx:
        """Take a signed transaction as a node would.

        Raises:
            Unreadable: it is none.
            Rejected: the node does not take it.
        """
        with self.lock:
            tx = Tx.read(raw)
            self.mempool.take(tx, self.clock())
            return tx

    def mine(self, count: int = 1, *, to: str | bytes = FAUCET_SCRIPT, without: Iterable[str] = ()) -> list[str]:
        """Mine blocks from the mempool and give their hashes; a stalled network mines none."""
        with self.lock:
            if self.faults.stalled:
                return []
            return [self._mine_waiting(as_script(to), set(without)).hash for _ in range(count)]

    def mine_exactly(self, txs: Sequence[Tx], to: str | bytes = FAUCET_SCRIPT) -> str:
        """Mine one block of just these transactions, whatever the mempool thinks of them.

        Raises:
            BlockRefused: the kernel does not take it.
        """
        with self.lock:
            return self._mine(self.chain.active[-1], as_script(to), txs, self._fees(txs)).hash

    def offer(self, block: Block) -> Change:
        """Take a block from elsewhere, and follow the best chain."""
        with self.lock:
            return self._settle(self.chain.offer(block))

    def _mine_waiting(self, script: bytes, without: set[str]) -> Block:
        skipped = set(self.mempool.family(txid for txid in without if txid in self.mempool.entries))
        chosen, fees, weight = list[Tx](), 0, 0
        for entry in self.mempool.in_order():
            out = entry.tx.txid in skipped or weight + entry.tx.weight > MOST_WEIGHT
            if out or any(parent in skipped for parent in self.mempool.parents(entry.tx)):
                skipped.add(entry.tx.txid)
                continue
            chosen.append(entry.tx)
            fees, weight = fees + entry.fee_sats, weight + entry.tx.weight
        return self._mine(self.chain.active[-1], script, chosen, fees)

    def _mine(self, previous: str, script: bytes, txs: Sequence[Tx], fees: int) -> Block:
        block = self._build(previous, script, txs, fees)
        self._settle(self.chain.offer(block))
        if block.hash not in self.chain.blocks or not self.chain.is_active(block.hash):
            raise BlockRefused("the kernel does not take the block")
        return block

    def _build(self, previous: str, script: bytes, txs: Sequence[Tx], fees: int) -> Block:
        height = self.chain.heights[previous] + 1
        seconds = max(self.clock(), self.chain.median_time(previous) + 1)
        reward = TxOut(subsidy_sats(height) + fees, script)
        return build_block(previous, height, seconds, txs, reward, next(self._extra))

    def _fees(self, txs: Sequence[Tx]) -> int:
        made = {Outpoint(tx.txid, vout): out.sats for tx in txs for vout, out in enumerate(tx.outputs)}
        fees = 0
        for tx in txs:
            for each in tx.inputs:
                coin = self.chain.coins.get(each.outpoint)
                fees += coin.sats if coin is not None else made.get(each.outpoint, 0)
            fees -= sum(out.sats for out in tx.outputs)
        return max(fees, 0)

    def _settle(self, change: Change) -> Change:
        for block in change.joined:
            self.mempool.confirm(block.txs)
        if change.left:
            returned = [tx for block in reversed(change.left) for tx in block.txs if not tx.is_coinbase]
            self.mempool.rebuild(returned, self.clock())
        return change

    # --- controls ---------------------------------------------------------------------------------

    def fund(self, to: str | bytes, sats: int, *, confirmed: bool = True) -> Outpoint:
        """Pay an address or script from matured new money; give the output, confirmed unless told otherwise."""
        return self.fund_all([(to, sats)], confirmed=confirmed)[0]

    def fund_all(self, payments: Sequence[tuple[str | bytes, int]], *, confirmed: bool = True) -> list[Outpoint]:
        """Pay many in one transaction.

        Raises:
            ValueError: the network has not so much matured new money.
        """
        with self.lock:
            outs = [TxOut(sats, as_script(to)) for to, sats in payments]
            tx = self._funding(outs)
            self.mempool.take(tx, self.clock(), relay=False)
            if confirmed:
                self.mine_exactly([self.mempool.entries[txid].tx for txid in self.mempool.ancestors(tx)][::-1]
                                  + [tx])
            return [Outpoint(tx.txid, vout) for vout in range(len(outs))]

    def _funding(self, outs: list[TxOut]) -> Tx:
        need, inputs, held = sum(out.sats for out in outs) + FUNDING_FEE_SATS, list[TxIn](), 0
        for outpoint, coin in self.chain.coins.items():
            young = coin.coinbase and self.chain.height + 1 - coin.height < COINBASE_MATURITY
            if coin.script != FAUCET_SCRIPT or young or outpoint in self.mempool.spenders:
                continue
            inputs.append(TxIn(outpoint, b"", 0xFFFFFFFD, (_ANYBODY,)))
            held += coin.sats
            if held >= need:
                change = [TxOut(held - need, FAUCET_SCRIPT)] if held - need >= 1_000 else []
                return Tx(2, tuple(inputs), (*outs, *change))
        raise ValueError(f"only {held} sat of matured new money, {need} needed: mine more blocks")

    def reorg(self, depth: int, *, transactions: Sequence[Tx | bytes] = ()) -> list[str]:
        """Replace the newest blocks by one more; give the new hashes.

        What was in them waits again, unless `transactions`, which go into the first new block, forbid it.

        Raises:
            BlockRefused: the kernel does not take the new branch.
        """
        with self.lock:
            txs = [tx if isinstance(tx, Tx) else Tx.read(tx) for tx in transactions]
            previous, made = self.chain.active[-1 - depth], list[str]()
            for number in range(depth + 1):
                block = self._build(previous, FAUCET_SCRIPT, [] if number else txs, 0)
                self._settle(self.chain.offer(block))
                if block.hash not in self.chain.blocks:
                    raise BlockRefused("the kernel does not take the branch")
                previous = block.hash
                made.append(previous)
            if not self.chain.is_active(previous):
                raise BlockRefused("the kernel does not take the branch")
            return made

    def declare(self, block_hash: str, *, invalid: bool) -> None:
        """Declare a block invalid as `invalidateblock` does, or take that back."""
        with self.lock:
            self._settle(self.chain.declare(block_hash, invalid=invalid))

    def forget(self, *ids: str) -> None:
        """Lose some blocks or confirmed transactions from what the node shows, and waiting ones altogether."""
        with self.lock:
            self.mempool.evict(ids)
            self.faults.forgotten |= set(ids)

    def remember(self) -> None:
        """Show everything again."""
        self.faults.forgotten.clear()

    def stall(self) -> None:
        """Mine no more blocks."""
        self.faults.stalled = True

    def resume(self) -> None:
        """Mine blocks again."""
        self.faults.stalled = False

    def drop_next_submit(self, loss: SubmitLoss = "request-lost") -> None:
        """Lose the next submit in one of three ways."""
        self.faults.next_submit = loss

    def be_scanned(self, times: int) -> None:
        """Have another's scan of unspent outputs under way, for so many questions."""
        self.faults.busy_scans = times

    def lie_about(self, chain: str | None) -> None:
        """Tell another chain's name than the true one; None tells the truth again."""
        self.faults.told_chain = chain

    def lag(self, headers_ahead: int, *, in_download: bool = True) -> None:
        """Be a node that knows more headers than blocks; 0 and False end it."""
        self.faults.headers_ahead, self.faults.in_download = headers_ahead, in_download

    def go_down(self) -> None:
        """Answer nobody."""
        self.faults.down = True

    def come_up(self) -> None:
        """Answer again."""
        self.faults.down = False


def as_script(to: str | bytes) -> bytes:
    """Give the script that an address stands for; a script is given back.

    Raises:
        NotAnAddress: the text is none of this network.
    """
    return to if isinstance(to, bytes) else script_of(to)
