"""What arrived at some addresses: outputs and assets in blocks as deep as the settings ask, read on from a cursor.

What is not so deep yet is not looked at, so that a shallow reorganisation does nothing here. An output of a transaction
that spends from one of the addresses counts only at another one: what comes back to where it came from is change.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from online.chains.api import Arrival, Arrivals
from online.chains.bitcoin.answers import hexed, mapping, sats, txid, whole
from online.chains.bitcoin.asset_arrivals import asset_arrivals
from online.chains.bitcoin.counterparty import CpNode
from online.chains.bitcoin.movements import Ours, listed, spent
from online.chains.bitcoin.node import Node
from shared.chains.bitcoin.addresses import script_of
from shared.effects import Destination
from shared.errors import CounterpartyNodeMissing, HistoryMissing
from shared.money import Amount, Asset

BLOCKS_MOST = 500


def arrivals(
    node: Node, cp: CpNode | None, native: Asset, addresses: Collection[str], assets: Collection[Asset],
    cursor: str, confirmations: int,
) -> Arrivals:  # fmt: skip
    """Read on from a cursor, which is the last block read and its hash; from now where it is empty.

    Raises:
        HistoryMissing: for blocks that the node has not, and where another block stands in the place of the last one
            read: a reorganisation deeper than the settings call final.
        CounterpartyNodeMissing: for assets without a Counterparty node. NodeUnreachable: when a node does not answer.
    """
    deep = _newest(node, cp, native, assets) - confirmations + 1
    if not cursor:
        return Arrivals((), _cursor(node, deep), deep)
    last, _, known = cursor.partition(" ")
    ours = Ours(native, {script_of(address, native.network): address for address in addresses})
    found, before, height = [], known, int(last)
    if node.block_hash(height) != known:
        raise HistoryMissing(f"{node.name} has another block {height} than the one that was read, or none")
    for height in range(int(last) + 1, min(deep, int(last) + BLOCKS_MOST) + 1):
        block = node.block_with_spent(height)
        if block is None or block.get("previousblockhash") != before:
            raise HistoryMissing(f"{node.name} has no block {height} that follows the one before it")
        before = str(block.get("hash"))
        found += list(of_block(block, ours))
    if cp is not None and height > int(last):
        found += asset_arrivals(cp, native, addresses, assets, int(last), height)
        found.sort(key=lambda one: one.height)
    return Arrivals(tuple(found), f"{height} {before}", height)


def of_block(block: Mapping[str, Any], ours: Ours) -> Iterator[Arrival]:
    """Give what the transactions of a block brought; `block` is as `getblock` shows it with spent outputs."""
    height = whole(block, "height")
    for each in listed(block, "tx"):
        tx = mapping(each)
        payers = [script for script, _ in spent(tx)]
        sender = next((ours.scripts[script] for script in payers if script in ours.scripts), "")
        for place, out in enumerate(listed(tx, "vout")):
            script = hexed(mapping(out).get("scriptPubKey"), "hex")
            if script not in ours.scripts or script in payers:
                continue
            tx_id, units = txid(tx, "txid"), sats(mapping(out), "value")
            if units:
                to = Destination(ours.scripts[script])
                yield Arrival(f"{tx_id}:{place}", tx_id, height, sender, to, Amount(ours.native, units))


def _newest(node: Node, cp: CpNode | None, native: Asset, assets: Collection[Asset]) -> int:
    """Give the newest block of which both nodes can tell."""
    height = node.status().height
    if cp is not None:
        return min(height, cp.status().height)
    if any(asset != native for asset in assets):
        raise CounterpartyNodeMissing("what arrives of assets is seen by a Counterparty node alone")
    return height


def _cursor(node: Node, height: int) -> str:
    known = node.block_hash(height)
    if known is None:
        raise HistoryMissing(f"{node.name} has not its own block {height}")
    return f"{height} {known}"
