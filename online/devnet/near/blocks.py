"""Blocks, their chunks and the finality that follows from heights: values that never change once made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from online.devnet.near.actions import SignedTx
from online.devnet.near.receipts import AnyReceipt, Outcome, Receipt
from online.devnet.near.state import Key, State


@dataclass(frozen=True, slots=True)
class Chunk:
    """A shard's part of a block: transactions, and the receipts that it had sent off before and that arrive now.

    `included` is the height of the block that brought it; a block that brings no new one repeats the old.
    """

    shard: int
    hash: str
    created: int
    included: int
    txs: tuple[SignedTx, ...] = ()
    receipts: tuple[AnyReceipt, ...] = ()


@dataclass(frozen=True, slots=True)
class Ledger:
    """All that goes on from a block: the state, receipts under way, and receipts that wait for data."""

    state: State
    outgoing: tuple[tuple[AnyReceipt, ...], ...]
    incoming: tuple[tuple[AnyReceipt, ...], ...]
    waiting: Mapping[str, Receipt] = field(default_factory=dict)
    data: Mapping[str, bytes | None] = field(default_factory=dict)

    @property
    def idle(self) -> bool:
        """Whether nothing is under way."""
        return not any(self.outgoing) and not any(self.incoming) and not self.waiting


@dataclass(frozen=True, slots=True)
class Change:
    """A record that a block changed, and why: the cause's type and id as `block_effects` tells them."""

    key: Key
    cause: str
    by: str


@dataclass(frozen=True, slots=True)
class Block:
    """A block at a time in nanoseconds since 1970; `doomslug` and `final` are hashes of older blocks."""

    height: int
    hash: str
    previous: str
    previous_height: int
    doomslug: str
    final: str
    time_ns: int
    gas_price: int
    chunks: tuple[Chunk, ...]
    outcomes: tuple[Outcome, ...]
    changes: tuple[Change, ...]
    ledger: Ledger

    @property
    def busy(self) -> bool:
        """Whether anything happened in it."""
        return bool(self.outcomes or self.changes)


def finality(previous: Block, height: int) -> tuple[str, str]:
    """Give the hashes of the newest doomslug-final and final blocks of a block on top of another.

    The block below is doomslug-final where the heights are next to each other, and the one below that is final where
    that holds twice (nearcore: BlockHeader's last_ds_final_block and last_final_block).
    """
    if height != previous.height + 1:
        return previous.doomslug, previous.final
    final = previous.previous if previous.doomslug == previous.previous else previous.final
    return previous.hash, final
