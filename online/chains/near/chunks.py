"""A chunk as a node gives it: the transactions that it takes in, and the receipts on their way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from online.chains.near.document import Document
from online.chains.near.receipts import Receipt, Step, receipt_of, step_of
from shared.errors import NodeAnswerUnreadable


@dataclass(frozen=True, slots=True)
class Taken:
    """A transaction that a chunk takes in."""

    hash: str
    signer: str
    receiver: str
    public_key: str
    nonce: int
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Chunk:
    """A new chunk: its transactions, and the receipts on their way to accounts."""

    transactions: tuple[Taken, ...]
    receipts: tuple[Receipt, ...]


def chunk_of(chunk_hash: str, result: Any) -> Chunk:
    """Read the result of `chunk`."""
    top = Document(result, "chunk")
    if top.part("header").hash("chunk_hash") != chunk_hash:
        raise NodeAnswerUnreadable("the node answers with another chunk than the one asked for")
    rows = [Document(row, "transaction") for row in top.rows("transactions")]
    return Chunk(tuple(map(_taken, rows)), tuple(receipt_of(row) for row in top.rows("receipts")))


def _taken(row: Document) -> Taken:
    return Taken(
        hash=row.hash("hash"),
        signer=row.text("signer_id"),
        receiver=row.text("receiver_id"),
        public_key=row.text("public_key"),
        nonce=row.number("nonce"),
        steps=tuple(step_of(each) for each in row.rows("actions")),
    )
