"""What came in: native NEAR and registered tokens that arrived at some accounts, block by block, from a cursor.

Every new chunk of every final block is read, and each block must follow the one before it by its hash, so that
skipped heights do no harm and a missing block stops the scan by name. A receipt to one of the accounts, or to a
registered token, leads to its transaction; what arrived is settled by all of that transaction's receipts
(`settle`), and only once all of it is final. Until then the receipt waits in the cursor and the scan goes on. A
credit's key never changes: the receipt, and the action's or the log's place in it.

Transfers from `system` are refunds and payouts of deleted accounts: they stand apart. Tokens that a receiver
without a contract sent straight back (`ft_resolve_transfer`) are taken off what arrived. The receipt of an account
to itself stands in no chunk: the transactions of our accounts, which may delete themselves so, and of tokens'
contracts, which may pay anybody so, are looked at instead.

Of contracts that nobody registered only calls that name one of the accounts as their receiver are looked at
(`strangers`). Anybody can deploy such a contract and let it say anything: who called it is believed, what its events
say is told in base units, and of all this only so much is looked at. What is left out is counted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from online.chains.near.answers import Block
from online.chains.near.chunks import Chunk
from online.chains.near.events import TokenMove
from online.chains.near.node import Node
from online.chains.near.receipts import Outcome, TxStatus
from online.chains.near.settle import Settlement, settle
from online.chains.near.strangers import Call, sending
from shared.errors import HistoryMissing, NodeAnswerUnreadable
from shared.money import Amount, Asset

BLOCKS_MOST = 500
DELAYED_MOST = 100
"""So many blocks are read before the height at which a reading begins."""
STRANGERS_MOST = 50
"""So many receipts of tokens that nobody registered wait at once."""
_MOVES_MOST: Final = 1000
"""So many movements of a token that nobody registered are read of one transaction."""
_CREDITS_MOST: Final = 10
"""So many of them are told of one receipt."""


@dataclass(frozen=True, slots=True)
class Ours:
    """What is looked for: the accounts, the network's native asset, and the registered tokens by their contracts."""

    accounts: Collection[str]
    native: Asset
    tokens: Mapping[str, Asset]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A receipt that concerns us, of a transaction not final yet; without an id the transaction's first.

    `stranger` is the contract of a token that nobody had registered when it was seen.
    """

    receipt: str
    tx_hash: str
    signer: str
    stranger: str = ""


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last block that was read, and what waits since. It is all that a scan needs to go on, after a restart too."""

    height: int
    hash: str
    waiting: tuple[Waiting, ...] = ()


@dataclass(frozen=True, slots=True)
class Credit:
    """An amount that arrived at an account, exactly once by its key; from `system` it is a refund."""

    key: str
    account: str
    sender: str
    amount: Amount
    memo: str | None
    tx_hash: str
    height: int


@dataclass(frozen=True, slots=True)
class Noticed:
    """An account of ours that came to be, or was deleted."""

    account: str
    what: Literal["created", "deleted"]
    tx_hash: str
    height: int


@dataclass(frozen=True, slots=True)
class Scan:
    """What a scan found, and where the next one begins; so many receipts of strangers' tokens were `passed` over."""

    cursor: Cursor
    credits: tuple[Credit, ...]
    refunds: tuple[Credit, ...]
    returned: tuple[Credit, ...]
    noticed: tuple[Noticed, ...]
    passed: int = 0


@dataclass(slots=True)
class _Found:
    credits: list[Credit] = field(default_factory=list)
    refunds: list[Credit] = field(default_factory=list)
    returned: list[Credit] = field(default_factory=list)
    noticed: list[Noticed] = field(default_factory=list)


def begin(node: Node, since: int | None = None) -> Cursor:
    """Give the cursor of now: nothing of before is looked at; or one from which nothing above a height is missed.

    That one stands lower, since a receipt may run some blocks after the one in which it came.

    Raises:
        HistoryMissing: where the node has no block from there on up to the height.
    """
    final = node.final_block()
    if since is None:
        return Cursor(final.height, final.hash)
    last = min(since, final.height)
    for height in range(max(0, last - DELAYED_MOST), last + 1):
        block = node.block(height)
        if block is not None:
            return Cursor(block.height, block.hash)
    raise HistoryMissing(f"{node.name} holds no block from {max(0, last - DELAYED_MOST)} to {last}")


def scan(node: Node, ours: Ours, cursor: Cursor, *, most: int = BLOCKS_MOST) -> Scan:
    """Read the final blocks above a cursor, at most so many heights at once.

    Raises:
        HistoryMissing: when a block between the cursor and the final one is not there, or follows another than the
        last. NodeUnreachable: when the node does not answer; the same cursor is good for the next try.
    """
    final = node.final_block()
    if final.height < cursor.height:
        raise HistoryMissing(f"{node.name}: its final block {final.height} is below {cursor.height}, which was read")
    last, waiting, passed = cursor, list(cursor.waiting), 0
    for height in range(cursor.height + 1, min(final.height, cursor.height + most) + 1):
        block = node.block(height)
        if block is None:
            continue  # skipped, or missing: the next block's hash of its predecessor tells which
        if block.prev_hash != last.hash:
            raise HistoryMissing(f"{node.name}: block {height} does not follow block {last.height} {last.hash}")
        for chunk in _new_chunks(node, block):
            waiting += _of_chunk(node, ours, chunk, block.height)
            passed += _add_strangers(node, waiting, sending(ours.accounts, ours.tokens, chunk), block.height)
        last = Cursor(block.height, block.hash)
    if last.height == cursor.height and final.height >= cursor.height + most:
        raise HistoryMissing(f"{node.name}: it shows none of the {most} heights above {cursor.height}")
    found = _Found()
    left = [one for one in dict.fromkeys(waiting) if not _resolve(node, ours, one, final, found)]
    return Scan(
        cursor=Cursor(last.height, last.hash, tuple(left)),
        credits=tuple(found.credits),
        refunds=tuple(found.refunds),
        returned=tuple(found.returned),
        noticed=tuple(dict.fromkeys(found.noticed)),
        passed=passed,
    )


def confirmed(node: Node, ours: Ours, credit: Credit, signer: str) -> bool:
    """Say whether another node, asked by the hash alone, finds the same credit in its own final chain."""
    found = _Found()
    receipt = credit.key.partition("/")[0]
    _resolve(node, ours, Waiting(receipt, credit.tx_hash, signer), node.final_block(), found)
    return credit in found.credits


# --- which receipts concern us --------------------------------------------------------------------


def _new_chunks(node: Node, block: Block) -> Iterable[Chunk]:
    # An older chunk was read with the block that included it.
    return (node.chunk(head.hash) for head in block.chunks if head.included == block.height)


def _of_chunk(node: Node, ours: Ours, chunk: Chunk, height: int) -> list[Waiting]:
    waiting = []
    for receipt in chunk.receipts:
        if receipt.steps is not None and (receipt.receiver in ours.accounts or receipt.receiver in ours.tokens):
            behind = node.transaction_of(receipt.id, height)
            if behind is None:
                raise HistoryMissing(f"{node.name} does not know the transaction behind receipt {receipt.id}")
            waiting.append(Waiting(receipt.id, *behind))
    local = [
        one
        for one in chunk.transactions
        if one.signer == one.receiver and (one.receiver in ours.tokens or one.receiver in ours.accounts)
    ]
    return waiting + [Waiting("", one.hash, one.signer) for one in local]


def _add_strangers(node: Node, waiting: list[Waiting], calls: Iterable[Call], height: int) -> int:
    """Let calls of strangers' tokens wait while there is room; give how many are passed over."""
    passed = 0
    for one in calls:
        full = sum(bool(each.stranger) for each in waiting) >= STRANGERS_MOST
        behind = None if full else (one.tx_hash, one.contract)
        if one.receipt and not full:
            behind = node.transaction_of(one.receipt, height)
        if behind is None:
            passed += 1
        else:
            waiting.append(Waiting(one.receipt, *behind, one.contract))
    return passed


# --- what they brought ----------------------------------------------------------------------------


def _resolve(node: Node, ours: Ours, one: Waiting, final: Block, found: _Found) -> bool:
    """Settle a receipt; false while its transaction is not final."""
    status = node.find(one.tx_hash, one.signer)
    if not isinstance(status, TxStatus):
        return False
    settlement = settle(status)
    if not settlement.whole:
        return False
    receipt = one.receipt or next(iter(status.own.receipt_ids), "")
    outcome = status.by_id.get(receipt)
    if outcome is None:
        if one.receipt:
            raise NodeAnswerUnreadable(f"{node.name} shows {one.tx_hash} without its receipt {one.receipt}")
        return True  # the transaction itself failed and became no receipt
    block = node.block(outcome.block_hash)
    if block is None or block.height > final.height:
        return False
    if not outcome.success:
        return True
    if one.stranger and one.stranger not in ours.tokens:
        _take_strange(ours, settlement, outcome, status, block, found)
        return True
    _take_native(ours, settlement, outcome, block, found)
    _take_tokens(ours, settlement, outcome, status, block, found)
    _notice(node, ours, status, outcome, block, found)
    return True


def _take_native(ours: Ours, settlement: Settlement, outcome: Outcome, block: Block, found: _Found) -> None:
    for moves, into in ((settlement.credits, found.credits), (settlement.refunds, found.refunds)):
        for move in moves:
            if move.receipt == outcome.id and move.receiver in ours.accounts and move.sender != move.receiver:
                key, amount = f"{move.receipt}/{move.action}", Amount(ours.native, move.yocto)
                into.append(
                    Credit(key, move.receiver, move.sender, amount, None, settlement.tx_hash, block.height)
                )


def _take_tokens(
    ours: Ours, settlement: Settlement, outcome: Outcome, status: TxStatus, block: Block, found: _Found
) -> None:
    moves = [move for move in settlement.tokens if move.contract in ours.tokens]
    for move, left in _kept(moves, ours, status.sent.signer).items():
        if move.receipt != outcome.id:
            continue
        key, asset = f"{move.receipt}/log/{move.log}/{move.at}", ours.tokens[move.contract]
        into, units = (found.credits, left) if left else (found.returned, move.units)
        credit = Credit(
            key, move.new_owner, move.old_owner, Amount(asset, units), move.memo, settlement.tx_hash, block.height
        )
        into.append(credit)


def _take_strange(
    ours: Ours, settlement: Settlement, outcome: Outcome, status: TxStatus, block: Block, found: _Found
) -> None:
    """Tell what came of a token that nobody registered, sent by who called it: its events could name anybody."""
    contract, caller = outcome.executor, status.receipts[outcome.id].sender
    if contract in ours.accounts or contract in ours.tokens:
        return
    asset = Asset(ours.native.network, contract, 0)
    moves = [move for move in settlement.tokens if move.contract == contract][:_MOVES_MOST]
    kept = _kept(moves, ours, status.sent.signer)
    mine = [(move, left) for move, left in kept.items() if move.receipt == outcome.id and left]
    for move, left in mine[:_CREDITS_MOST]:
        key, tx = f"{move.receipt}/log/{move.log}/{move.at}", settlement.tx_hash
        found.credits.append(
            Credit(key, move.new_owner, caller, Amount(asset, left), move.memo, tx, block.height)
        )


def _kept(moves: Iterable[TokenMove], ours: Ours, signer: str) -> dict[TokenMove, int]:
    """Give what stayed of each token that arrived: what went straight back in the same transaction is taken off."""
    kept: dict[TokenMove, int] = {}
    for move in moves:
        rest = move.units if move.old_owner in ours.accounts and move.old_owner != signer else 0
        for came, left in kept.items():
            back = (came.contract, came.new_owner) == (move.contract, move.old_owner)
            back = back and move.new_owner in (came.old_owner, "")  # "": burnt, for its sender is gone
            taken = min(rest, left) if back else 0
            kept[came] = left - taken
            rest -= taken
        if move.new_owner in ours.accounts and move.new_owner != move.old_owner and move.units:
            kept[move] = move.units
    return kept


def _notice(node: Node, ours: Ours, status: TxStatus, outcome: Outcome, block: Block, found: _Found) -> None:
    receipt = status.receipts[outcome.id]
    if receipt.receiver not in ours.accounts:
        return
    kinds = [step.kind for step in receipt.steps or ()]
    if "DeleteAccount" in kinds:
        found.noticed.append(Noticed(receipt.receiver, "deleted", status.sent.hash, block.height))
    elif "CreateAccount" in kinds or ("Transfer" in kinds and not node.existed(receipt.receiver, block.prev_hash)):
        found.noticed.append(Noticed(receipt.receiver, "created", status.sent.hash, block.height))
