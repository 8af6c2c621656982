"""What a Counterparty message needs to be valid, asked before it is built: balances, decimals, memos, the feed's time.

A message that the network calls invalid moves nothing and costs its fee. The node is believed in nothing that could
make us sign more: it can only make us refuse.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from online.chains.bitcoin.answers import Status
from online.chains.bitcoin.counterparty import CpNode
from online.chains.bitcoin.node import Node
from online.chains.bitcoin.plans import Wish
from shared.chains.bitcoin.counterparty.assets import asset_id
from shared.chains.bitcoin.counterparty.carriers import PREFIX
from shared.chains.bitcoin.counterparty.messages import decode
from shared.chains.bitcoin.counterparty.model import Broadcast
from shared.errors import AssetsShort, CounterpartyNodeMissing, MemoRequired, NodeUnfit

_AHEAD_MOST_SECONDS = 86_400


def stand(node: Node, cp: CpNode | None, wish: Wish, status: Status) -> Wish:
    """Check that a message can be valid, and give it the time that it lacks.

    Raises:
        CounterpartyNodeMissing, NodeUnfit, AssetsShort, MemoRequired: as their names say.
    """
    if cp is None:
        raise CounterpartyNodeMissing(f"a {wish.plan.kind} is built and watched with a Counterparty node")
    _check_sent(cp, wish)
    if isinstance(wish.message, Broadcast) and not wish.message.timestamp:
        return replace(wish, message=replace(wish.message, timestamp=_next_time(node, cp, wish, status)))
    return wish


def _check_sent(cp: CpNode, wish: Wish) -> None:
    wanted: Counter[str] = Counter()
    for payment in wish.sent:
        wanted[payment.amount.asset.code] += payment.amount.units
    decimals = {payment.amount.asset.code: payment.amount.asset.decimals for payment in wish.sent}
    for code, quantity in wanted.items():
        asset_id(code)
        there = cp.decimals(code)
        if there != decimals[code]:
            raise AssetsShort(f"{code} has {there} decimals there, and {decimals[code]} in the plan")
        held, pending = cp.balance(wish.plan.source, code), wish.pending(code)
        if held < quantity + pending:
            raise AssetsShort(
                f"{wish.plan.source} holds {held} base units of {code}: {pending} are pending and {quantity} planned"
            )
    for address in sorted({each.destination.address for each in wish.sent if each.destination.memo is None}):
        if cp.needs_memo(address):
            raise MemoRequired(f"{address} takes no send without a memo")


def _next_time(node: Node, cp: CpNode, wish: Wish, status: Status) -> int:
    """Give a time above the feed's last; one far ahead would bar the feed until then, so none is believed."""
    assert isinstance(wish.message, Broadcast)
    now = node.block_time(status.tip)
    answer = cp.next_broadcast(wish.plan.source, wish.message.text.decode()).removeprefix(PREFIX)
    told = decode(answer, wish.plan.network)
    if not isinstance(told, Broadcast) or told.timestamp > now + _AHEAD_MOST_SECONDS:
        raise NodeUnfit(f"{cp.name}: it takes a time far ahead of the chain's {now} for the feed's next")
    return max(now, told.timestamp)
