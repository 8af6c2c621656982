"""What arrived at some addresses: outputs and assets in blocks as deep as the settings ask, read on from a cursor.

What is not so deep yet is not looked at, so that a shallow reorganisation does nothing here. After a deeper one the
blocks are read anew from the last that both chains share, once the new ones are as deep as the old ones were. An output
of a transaction that spends from one of the addresses counts only at another one: what comes back to where it came from
is change.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from online.chains.api import Arrival, Arrivals
from online.chains.bitcoin.answers import hexed, mapping, sats, txid, whole
from online.chains.bitcoin.asset_arrivals import asset_arrivals
from online.chains.bitcoin.counterparty import CpNode
from online.chains.bitcoin.cursors import Cursor, Reach, cursor_at, read_cursor
from online.chains.bitcoin.movements import BLOCKS_MOST, Ours, listed, spent
from online.chains.bitcoin.node import Node
from online.chains.bitcoin.settings import Settings
from shared.chains.bitcoin.addresses import script_of
from shared.effects import Destination
from shared.errors import CounterpartyNodeMissing, DeepReorganisation, HistoryMissing, NodeUnfit
from shared.money import Amount, Asset


@dataclass(frozen=True, slots=True)
class Post:
    """From where is read: a bitcoind, the Counterparty node if there is one, and the settings."""

    node: Node
    cp: CpNode | None
    settings: Settings


def arrivals(
    post: Post, native: Asset, addresses: Collection[str], assets: Collection[Asset], cursor: str,
    since: int | None = None,
) -> Arrivals:  # fmt: skip
    """Read on from a cursor; above a height, or from now, where it is empty.

    Raises:
        HistoryMissing: for blocks that the node has not, and where it shares none of those that were read.
        DeepReorganisation: while another chain stands above one of them that is not as deep yet.
        NodeUnfit: where the chain changed while it was read. CounterpartyNodeMissing: for assets without a
            Counterparty node. NodeUnreachable: when a node does not answer.
    """
    node = post.node
    deep = _deep(post, _newest(post, native, assets))
    was = read_cursor(cursor) if cursor else cursor_at(node, _before(deep, since))
    fork = _shared(node, was)
    if fork < was.reach.top and (deep.native < was.reach.native or deep.assets < was.reach.assets):
        raise DeepReorganisation(f"{node.name} has another chain above block {fork}; {was.reach.top} was read")
    reach = Reach(_onward(was.reach.native, deep.native), _onward(was.reach.assets, deep.assets))
    if reach == was.reach and fork == was.reach.top:
        return _read((), was)
    now = cursor_at(node, reach)
    _require_still(post, now)
    above = Reach(min(fork, was.reach.native), min(fork, was.reach.assets))
    found = _outputs(node, native, addresses, above.native, reach.native)
    if post.cp is not None and reach.assets > above.assets:
        came = asset_arrivals(post.cp, native, addresses, assets, above.assets, reach.assets)
        found += [replace(one, until_swept=post.settings.credit_after_sweep) for one in came]
    _require_still(post, now)
    read = _read(sorted(found, key=lambda one: one.height), now)
    return read if fork == was.reach.top else replace(read, rewound=fork)


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


def _read(found: Collection[Arrival], cursor: Cursor) -> Arrivals:
    return Arrivals(tuple(found), str(cursor), min(cursor.reach.native, cursor.reach.assets))


def _shared(node: Node, cursor: Cursor) -> int:
    """Give the height of the newest known block that the node's best chain has. Raises HistoryMissing."""
    for height, block in cursor.blocks:
        if node.block_hash(height) == block:
            return height
    raise HistoryMissing(f"{node.name} has none of the blocks that were read, down to {cursor.blocks[-1][0]}")


def _newest(post: Post, native: Asset, assets: Collection[Asset]) -> int:
    """Give the newest block of which both nodes can tell."""
    height = post.node.status().height
    if post.cp is not None:
        return min(height, post.cp.status().height)
    if any(asset != native for asset in assets):
        raise CounterpartyNodeMissing("what arrives of assets is seen by a Counterparty node alone")
    return height


def _deep(post: Post, newest: int) -> Reach:
    """Give the last blocks that are deep enough."""
    settings = post.settings
    native = settings.deposit_confirmations or settings.confirmations
    return Reach(max(0, newest - native + 1), max(0, newest - settings.asset_deposit_confirmations + 1))


def _before(deep: Reach, since: int | None) -> Reach:
    """Give from where is read so that nothing above a height is missed: no block that is not deep enough yet."""
    return deep if since is None else Reach(min(since, deep.native), min(since, deep.assets))


def _onward(last: int, deep: int) -> int:
    return max(last, min(deep, last + BLOCKS_MOST))


def _require_still(post: Post, cursor: Cursor) -> None:
    """Demand that both nodes are on the chain of a cursor: asked before it is read and after.

    Raises:
        NodeUnfit: if one is not, as in a reorganisation; the same is asked again at the next look.
    """
    (height, block), reach = cursor.blocks[0], cursor.reach
    if post.node.block_hash(height) != block:
        raise NodeUnfit(f"{post.node.name}: its chain changed while it was read; try again", passes=True)
    if post.cp is not None and post.cp.block_hash(reach.assets) != post.node.block_hash(reach.assets):
        raise NodeUnfit(f"{post.cp.name} and {post.node.name} have different blocks {reach.assets}; try again")


def _outputs(node: Node, native: Asset, addresses: Collection[str], since: int, last: int) -> list[Arrival]:
    """Give what the blocks above a height up to another brought in bitcoins, each the one that follows the last."""
    ours = Ours(native, {script_of(address, native.network): address for address in addresses})
    found: list[Arrival] = []
    before = node.block_hash(since)
    for height in range(since + 1, last + 1):
        block = node.block_with_spent(height)
        if block is None or block.get("previousblockhash") != before:
            raise HistoryMissing(f"{node.name} has no block {height} that follows the one before it")
        before = str(block.get("hash"))
        found += of_block(block, ours)
    return found
