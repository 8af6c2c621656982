"""Makes the next block: includes transactions, delivers receipts, runs what is due, and keeps what goes on.

A transaction is included and paid in its signer's shard; its receipt runs in the next block, or at once where the
signer is the receiver. What a receipt makes arrives one block later.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from online.devnet.near.actions import SignedTx
from online.devnet.near.blocks import Block, Change, Chunk, Ledger, finality
from online.devnet.near.execution import run_receipt
from online.devnet.near.fees import GAS_PRICE_LEAST
from online.devnet.near.receipts import (
    AnyReceipt,
    DataReceipt,
    Outcome,
    Receipt,
    Returned,
    made_id,
    shard_of,
)
from online.devnet.near.state import Account, Sandbox, State
from online.devnet.near.verify import InvalidTx, charge

NOBODY = "1" * 32


@dataclass(slots=True)
class Work:
    """A block while it is made."""

    height: int
    gas_price: int
    state: State
    outgoing: list[list[AnyReceipt]]
    incoming: list[list[AnyReceipt]]
    waiting: dict[str, Receipt]
    data: dict[str, bytes | None]
    txs: list[SignedTx] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)

    def keep(self, view: Sandbox, cause: str, by: str) -> None:
        """Make a sandbox's changes the block's."""
        self.changes += [Change(key, cause, by) for key in view.commit(self.state)]

    def send(self, receipts: Iterable[AnyReceipt], sender: str) -> None:
        """Send receipts off; they arrive with the shard's next chunk."""
        self.outgoing[shard_of(sender, len(self.outgoing))] += receipts


@dataclass(frozen=True, slots=True)
class Plan:
    """What a next block shall be: where, when, from which transactions, and which shards bring no chunk.

    `by_hand` is what the network's owner writes into the state without a transaction.
    """

    height: int
    time_ns: int
    txs: Sequence[SignedTx]
    gas_price: int = GAS_PRICE_LEAST
    missing: Collection[int] = ()
    salt: str = ""
    by_hand: Sandbox | None = None


def genesis(height: int, time_ns: int, shards: int, state: State, salt: str) -> Block:
    """Make the first block."""
    none: tuple[tuple[AnyReceipt, ...], ...] = ((),) * shards
    chunks = tuple(Chunk(shard, made_id(salt, "chunk", height, shard), height, height) for shard in range(shards))
    return Block(height, made_id(salt, "genesis", height), NOBODY, 0, NOBODY, NOBODY, time_ns, GAS_PRICE_LEAST, chunks,
                 (), (), Ledger(state, none, none))


def next_block(previous: Block, plan: Plan) -> tuple[Block, list[SignedTx]]:
    """Make a block on another; give it with the transactions that wait on, their shards bringing no chunk."""
    before, work = previous.ledger, _begin(previous, plan)
    shards = range(len(before.outgoing))
    live = [shard for shard in shards if shard not in plan.missing]
    sent = {shard: tuple(work.outgoing[shard]) for shard in live}
    for shard in live:
        work.outgoing[shard].clear()
        for receipt in sent[shard]:
            work.incoming[shard_of(receipt.receiver, len(shards))].append(receipt)
    left = [tx for tx in plan.txs if shard_of(tx.signer, len(shards)) in plan.missing]
    for shard in live:
        arrived, work.incoming[shard] = work.incoming[shard], []
        for receipt in [*_include(work, shard, plan.txs), *arrived]:
            _arrive(work, receipt)
    return _finish(previous, plan, work, sent), left


def _begin(previous: Block, plan: Plan) -> Work:
    before = previous.ledger
    quiet = before.idle and not plan.txs and plan.by_hand is None
    # An idle block shares its parent's state, so that an idle world does not grow.
    state = before.state if quiet else dict(before.state)
    work = Work(plan.height, plan.gas_price, state, [list(each) for each in before.outgoing],
                [list(each) for each in before.incoming], dict(before.waiting), dict(before.data))
    if plan.by_hand is not None:
        work.keep(plan.by_hand, "migration", "")
    return work


def _include(work: Work, shard: int, txs: Iterable[SignedTx]) -> list[Receipt]:
    local = []
    for tx in txs:
        if shard_of(tx.signer, len(work.outgoing)) != shard:
            continue
        view = Sandbox(work.state)
        try:
            cost = charge(tx, view, work.height, work.gas_price)
        except InvalidTx:
            # What became invalid while it waited is left out of the chunk, without a trace.
            continue
        view.burn(cost.burnt)
        work.keep(view, "transaction_processing", tx.id)
        receipt = Receipt(made_id(tx.id, "receipt"), tx.signer, tx.receiver, tx.signer, tx.key, cost.purchase_price,
                          tx.actions, tx.id, local=tx.signer == tx.receiver)
        work.txs.append(tx)
        work.outcomes.append(Outcome(tx.id, tx.signer, Returned(receipt=receipt.id), cost.burnt_gas, cost.burnt,
                                     receipts=(receipt.id,)))
        if receipt.local:
            local.append(receipt)
        else:
            work.send([receipt], tx.signer)
    return local


def _arrive(work: Work, receipt: AnyReceipt) -> None:
    if isinstance(receipt, DataReceipt):
        work.data[receipt.data_id] = receipt.data
        waiting = work.waiting.get(receipt.data_id)
        if waiting is not None and all(each in work.data for each in waiting.waits_for):
            for each in waiting.waits_for:
                work.waiting.pop(each, None)
            _run(work, waiting)
    elif all(each in work.data for each in receipt.waits_for):
        _run(work, receipt)
    else:
        work.waiting.update(dict.fromkeys(receipt.waits_for, receipt))


def _run(work: Work, receipt: Receipt) -> None:
    view = Sandbox(work.state)
    results = tuple(work.data.pop(each) for each in receipt.waits_for)
    done = run_receipt(view, receipt, work.height, work.gas_price, results)
    work.keep(view, "receipt_processing", receipt.id)
    work.outcomes.append(done.outcome)
    work.send(done.receipts, receipt.receiver)


def _finish(previous: Block, plan: Plan, work: Work, sent: dict[int, tuple[AnyReceipt, ...]]) -> Block:
    chunks = tuple(_chunk(old, plan, work, sent) for old in previous.chunks)
    doomslug, final = finality(previous, plan.height)
    content = [each.hash for each in chunks] + [each.id for each in work.outcomes] + [str(plan.time_ns)]
    ledger = Ledger(work.state, tuple(map(tuple, work.outgoing)), tuple(map(tuple, work.incoming)), work.waiting,
                    work.data)
    return Block(plan.height, made_id(plan.salt, previous.hash, plan.height, *content), previous.hash, previous.height,
                 doomslug, final, plan.time_ns, plan.gas_price, chunks, tuple(work.outcomes), tuple(work.changes),
                 ledger)


def _chunk(old: Chunk, plan: Plan, work: Work, sent: dict[int, tuple[AnyReceipt, ...]]) -> Chunk:
    if old.shard in plan.missing:
        return old
    txs = tuple(tx for tx in work.txs if shard_of(tx.signer, len(work.outgoing)) == old.shard)
    content = [tx.id for tx in txs] + [each.id for each in sent[old.shard]]
    return Chunk(old.shard, made_id(plan.salt, "chunk", plan.height, old.shard, old.hash, *content), plan.height,
                 plan.height, txs, sent[old.shard])


def held_under_way(ledger: Ledger) -> int:
    """Give the yoctoNEAR that receipts carry which have not run."""
    under_way = [each for queue in (*ledger.outgoing, *ledger.incoming) for each in queue]
    waiting = {each.id: each for each in ledger.waiting.values()}
    return sum(each.held for each in (*under_way, *waiting.values()) if isinstance(each, Receipt))


def held_by_accounts(state: State) -> int:
    """Give the yoctoNEAR on all accounts."""
    return sum(each.amount + each.locked for each in state.values() if isinstance(each, Account))


