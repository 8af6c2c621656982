"""Which coins a transaction may spend: confirmed, of the plan's addresses, held by no other job, and without assets.

Where the plan asks for it, what our own waiting transactions give to these addresses may be spent as well, so that an
address can send on as soon as it was primed. What strangers' waiting transactions give is never looked at.

An earlier transaction for the same transfers is replaced by spending every output of its that is still free: whichever
of the two a block takes, the other is dead.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from online.chains.bitcoin.answers import Outpoint, Unspent
from online.chains.bitcoin.coins import Coin, Owner
from online.chains.bitcoin.counterparty import CpNode
from online.chains.bitcoin.node import Node
from online.chains.bitcoin.plans import Wish
from online.chains.bitcoin.sizes import fee_sats
from shared.chains.bitcoin.transactions import read
from shared.effects import Claim
from shared.errors import NodeUnfit, ReplacementRefused

FAMILY_MOST = 25
"""So many waiting transactions that build on each other nodes take at most; one more would only wait outside."""

_MATURITY = 100


@dataclass(frozen=True, slots=True)
class Replaced:
    """What a replacement must outdo: the fees that it drives out, and the highest rate among them."""

    fee_sats: int
    rate: int


@dataclass(frozen=True, slots=True)
class Purse:
    """The coins that must be spent, those that may be, as of a height, and what is replaced by it."""

    height: int
    forced: tuple[Coin, ...]
    free: tuple[Coin, ...]
    replaced: Replaced | None


def open_purse(node: Node, cp: CpNode | None, wish: Wish, taken: Collection[Claim], tip: str) -> Purse:
    """Look for the coins.

    Raises:
        ReplacementRefused: where nothing of what is to be replaced is free. NodeUnfit: in a reorganisation.
    """
    owners = {owner.script: owner for owner in wish.owners}
    scan = node.scan(tuple(owners))
    if scan.tip != tip and node.block_hash(scan.height) != scan.tip:
        raise NodeUnfit(f"{node.name}: its chain changed while its coins were counted; try again", passes=True)
    again = {claim.name for claim in wish.plan.again if claim.scope == wish.plan.network}
    held = {claim.name for claim in taken if claim.scope == wish.plan.network} - again
    depth = wish.min_confirmations
    ripe = [each for each in scan.unspent if _ripe(each, scan.height, depth) or str(each.outpoint) in again]
    ripe += [each for name in wish.waiting for each in _waiting(node, name, owners)]
    coins = _coins(cp, ripe, owners, held)
    forced = tuple(coin for coin in coins if str(coin.outpoint) in again)
    if not forced and wish.must_replace:
        raise ReplacementRefused("no output of the earlier transaction is unspent")
    spenders = node.waiting_spenders([coin.outpoint for coin in coins])
    free = tuple(coin for coin in coins if coin not in forced and coin.outpoint not in spenders)
    rivals = {spenders[coin.outpoint] for coin in forced if coin.outpoint in spenders}
    return Purse(scan.height, forced, free, _replaced(node, rivals))


def free_coins(node: Node, cp: CpNode | None, owners: Sequence[Owner], taken: Collection[Claim]) -> tuple[Coin, ...]:
    """Look for every coin of some addresses that a transaction could spend now. Raises NodeUnreachable."""
    by_script = {owner.script: owner for owner in owners}
    scan = node.scan(tuple(by_script))
    ripe = [each for each in scan.unspent if _ripe(each, scan.height, 1)]
    coins = _coins(cp, ripe, by_script, {claim.name for claim in taken})
    spenders = node.waiting_spenders([coin.outpoint for coin in coins])
    return tuple(coin for coin in coins if coin.outpoint not in spenders)


def _coins(
    cp: CpNode | None, ripe: Sequence[Unspent], owners: Mapping[bytes, Owner], held: Collection[str]
) -> list[Coin]:
    """Leave out what other jobs hold, and what assets are attached to."""
    barred = cp.with_assets([str(each.outpoint) for each in ripe]) if cp is not None and ripe else frozenset()
    return [
        Coin(each.outpoint, each.sats, owners[each.script])
        for each in ripe
        if each.script in owners and str(each.outpoint) not in barred and str(each.outpoint) not in held
    ]


def _waiting(node: Node, name: str, owners: Collection[bytes]) -> Iterator[Unspent]:
    """Give what a waiting transaction of ours pays to some scripts, while its family may grow in the mempool."""
    entry = node.waiting(name)
    found = None if entry is None or entry.family >= FAMILY_MOST else node.find(name)
    if found is None or found.block is not None:
        return
    for place, output in enumerate(read(found.raw).outputs):
        if output.script in owners:
            yield Unspent(Outpoint(name, place), output.value, output.script, 0, coinbase=False)


def _ripe(each: Unspent, height: int, least: int) -> bool:
    return height - each.height + 1 >= max(least, _MATURITY if each.coinbase else 1)


def _replaced(node: Node, rivals: Collection[str]) -> Replaced | None:
    entries = [entry for entry in map(node.waiting, rivals) if entry is not None]
    if not entries:
        return None
    rate = max(-(-entry.fee_sats * 1000 // entry.vsize) for entry in entries)
    return Replaced(sum(entry.family_fee_sats for entry in entries), rate)


def least_fee(replaced: Replaced | None, size: int, increment: int) -> int:
    """Give the least fee of a replacement (BIP125): what it drives out, and its own way through the network."""
    return 0 if replaced is None else replaced.fee_sats + fee_sats(size, increment)
