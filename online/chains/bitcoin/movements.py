"""Everything that changed what some addresses hold: blocks with the outputs that they spend, and Counterparty's books.

Every block above a height is read once, and each must follow the one before it, so that nothing is left out and a
reorganisation in between is noticed. Settled is what stands as deep as the settings ask.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from online.chains.api import Movement, Movements
from online.chains.bitcoin.answers import hexed, mapping, sats, txid, whole
from online.chains.bitcoin.counterparty import CpNode
from online.chains.bitcoin.node import Node
from shared.chains.bitcoin.addresses import script_of
from shared.errors import CounterpartyNodeMissing, HistoryMissing, NodeAnswerUnreadable
from shared.money import Asset

BLOCKS_MOST: Final = 500
"""So many blocks are read at once."""


@dataclass(frozen=True, slots=True)
class Ours:
    """The addresses by their scripts, and the network's native asset."""

    native: Asset
    scripts: Mapping[bytes, str]


def movements(
    node: Node, cp: CpNode | None, native: Asset, addresses: Collection[str], assets: Collection[Asset],
    since: int, confirmations: int,
) -> Movements:  # fmt: skip
    """Give the changes of some addresses above a height, in a span of blocks.

    Raises:
        HistoryMissing: for blocks that the node has not, or that do not follow each other.
        CounterpartyNodeMissing: for assets without a Counterparty node. NodeUnreachable: when a node does not answer.
    """
    top = node.status().height
    others = {asset.code: asset for asset in assets if asset != native}
    if others:
        if cp is None:
            raise CounterpartyNodeMissing("the history of assets needs a Counterparty node")
        top = min(top, cp.status().height)
    height = max(since, min(top, since + BLOCKS_MOST))
    ours = Ours(native, {script_of(address, native.network): address for address in addresses})
    found = [one for block in _blocks(node, since + 1, height) for one in of_block(block, ours)]
    if cp is not None and others:
        found += [one for each in range(since + 1, height + 1) for one in _of_assets(cp, addresses, others, each)]
    return Movements(tuple(found), height, min(height, top - confirmations + 1), more=height < top)


def of_block(block: Mapping[str, Any], ours: Ours) -> Iterator[Movement]:
    """Give what the transactions of a block changed; `block` is as `getblock` shows it with spent outputs.

    Raises:
        NodeAnswerUnreadable: where an output that is spent is not shown.
    """
    height = whole(block, "height")
    for each in listed(block, "tx"):
        tx = mapping(each)
        inputs, outputs = list(spent(tx)), list(_made(tx))
        changes: dict[str, int] = {}
        for sign, places in ((-1, inputs), (1, outputs)):
            for script, units in places:
                if script in ours.scripts:
                    address = ours.scripts[script]
                    changes[address] = changes.get(address, 0) + sign * units
        payer, fee = _fee(tx, inputs, ours)
        for address, units in changes.items():
            paid = fee if address == payer else 0
            if any(script in ours.scripts and ours.scripts[script] == address for script, _ in inputs) and fee is None:
                paid = None
            if units or paid:
                yield Movement(txid(tx, "txid"), height, address, ours.native, units, paid)


def _fee(tx: Mapping[str, Any], inputs: list[tuple[bytes, int]], ours: Ours) -> tuple[str, int | None]:
    """Name who pays the fee: the first input's address, if all inputs are ours and no data is paid for beside it."""
    if not inputs or any(script not in ours.scripts for script, _ in inputs):
        return "", None
    # What bare multisig outputs hold leaves the wallet with the fee, and belongs to nobody.
    bare = any(mapping(mapping(out).get("scriptPubKey")).get("type") == "multisig" for out in listed(tx, "vout"))
    made = sum(units for _, units in _made(tx))
    return ours.scripts[inputs[0][0]], None if bare else sum(units for _, units in inputs) - made


def spent(tx: Mapping[str, Any]) -> Iterator[tuple[bytes, int]]:
    """Give the scripts and values (satoshi) of the outputs that a transaction spends. Raises NodeAnswerUnreadable."""
    for each in listed(tx, "vin"):
        if "coinbase" in mapping(each):
            continue
        out = each.get("prevout")
        if not isinstance(out, dict):
            raise NodeAnswerUnreadable("the node does not show which outputs a block spends")
        yield hexed(out.get("scriptPubKey"), "hex"), sats(out, "value")


def _made(tx: Mapping[str, Any]) -> Iterator[tuple[bytes, int]]:
    for each in listed(tx, "vout"):
        out = mapping(each)
        yield hexed(out.get("scriptPubKey"), "hex"), sats(out, "value")


def listed(values: Mapping[str, Any], name: str) -> list[Any]:
    """Give a list of a node's answer. Raises NodeAnswerUnreadable."""
    found = values.get(name)
    if not isinstance(found, list):
        raise NodeAnswerUnreadable(f"the node's answer has no list {name}")
    return found


def _blocks(node: Node, first: int, last: int) -> Iterator[Mapping[str, Any]]:
    before = None
    for height in range(first, last + 1):
        block = node.block_with_spent(height)
        if block is None:
            raise HistoryMissing(f"{node.name} has not the block {height}")
        if before is not None and block.get("previousblockhash") != before:
            raise HistoryMissing(f"{node.name}: block {height} does not follow the one before it")
        before = block.get("hash")
        yield block


def _of_assets(
    cp: CpNode, addresses: Collection[str], assets: Mapping[str, Asset], height: int
) -> Iterator[Movement]:
    for one in cp.balance_changes(height):
        if one.address in addresses and one.asset in assets:
            yield Movement(one.tx_id, height, one.address, assets[one.asset], one.units, None)
