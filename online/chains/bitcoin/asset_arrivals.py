"""Counterparty's assets that arrived at some addresses: sends with their memos, and whatever else raised a balance.

A send counts by its own row, if the node calls it valid. What a sweep, a dividend or an order brought has no such row:
it counts by what the transaction left at the address beyond its sends, and has nobody's memo.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator

from online.chains.api import Arrival
from online.chains.bitcoin.counterparty import CpNode
from shared.chains.bitcoin.counterparty.memos import memo_text
from shared.effects import Destination
from shared.errors import NodeAnswerUnreadable
from shared.money import Amount, Asset


def asset_arrivals(
    cp: CpNode, native: Asset, addresses: Collection[str], assets: Collection[Asset], since: int, last: int
) -> list[Arrival]:
    """Give what arrived in the blocks above `since` up to `last`, of every asset, whether it is among `assets` or not.

    Raises:
        NodeAnswerUnreadable: for an asset of which the node can not say how it is divided. NodeUnreachable.
    """
    known = {asset.code: asset for asset in assets if asset != native}
    found = [one for height in range(since + 1, last + 1) for one in _in_block(cp, addresses, height)]
    return [_arrival(cp, native.network, known, one) for one in found]


_Row = tuple[str, str, int, str, Destination, str, int]
"""Key, transaction, height, sender, destination, asset's code and quantity."""


def _in_block(cp: CpNode, addresses: Collection[str], height: int) -> Iterator[_Row]:
    left: Counter[tuple[str, str, str]] = Counter()
    for one in cp.balance_changes(height):
        if one.address in addresses:
            left[one.tx_id, one.address, one.asset] += one.units
    for row in cp.received(height):
        if row.destination in addresses and row.source != row.destination:
            left[row.tx_id, row.destination, row.asset] -= row.quantity
            to = Destination(row.destination, memo=memo_text(row.memo) if row.memo else None)
            yield f"{row.tx_id}/{row.place}", row.tx_id, height, row.source, to, row.asset, row.quantity
    for (tx_id, address, code), units in left.items():
        if units > 0:
            yield f"{tx_id}/{address}/{code}", tx_id, height, "", Destination(address), code, units


def _arrival(cp: CpNode, network: str, known: dict[str, Asset], row: _Row) -> Arrival:
    key, tx_id, height, sender, to, code, quantity = row
    if code not in known:
        decimals = cp.decimals(code)
        if decimals is None:
            raise NodeAnswerUnreadable(f"the node knows no asset {code[:64]} that it has credited")
        known[code] = Asset(network, code, decimals)
    return Arrival(key, tx_id, height, sender, to, Amount(known[code], quantity))
