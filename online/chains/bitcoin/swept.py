"""What a Counterparty sweep moved and cost, which stands in no message: the node's own account of balances says it."""

from __future__ import annotations

from online.chains.api import Final
from online.chains.bitcoin.counterparty import CpNode
from shared.effects import Destination, Effects, Payment
from shared.errors import NodeAnswerUnreadable
from shared.money import Amount, Asset

_SWEEP, _COST = "sweep", "sweep fee"


def swept(cp: CpNode, effects: Effects, tx_id: str, height: int) -> Final:
    """Give a valid sweep's end: each balance that reached the destination, and what the source paid for it.

    Raises:
        NodeAnswerUnreadable: if the node shows moves that no sweep of the source to its destination makes.
    """
    (destination,) = {key for change in effects.settings for key in change.keys}
    delivered, costs = [], []
    for one in cp.moved(tx_id):
        if (one.credit, one.why, one.address) == (True, _SWEEP, destination):
            amount = _amount(cp, effects, one.asset, one.quantity)
            delivered.append(Payment(effects.source, Destination(destination), amount))
        elif (one.credit, one.why, one.address) == (False, _COST, effects.source):
            costs.append(_amount(cp, effects, one.asset, one.quantity))
        elif (one.credit, one.why, one.address) != (False, _SWEEP, effects.source):
            raise NodeAnswerUnreadable(f"the Counterparty node shows a {one.why} of {one.address} in the sweep {tx_id}")
    return Final(tx_id, height, True, "valid", effects.fee_most, tuple(delivered), tuple(costs))


def _amount(cp: CpNode, effects: Effects, code: str, quantity: int) -> Amount:
    decimals = cp.decimals(code)
    if decimals is None:
        raise NodeAnswerUnreadable(f"the Counterparty node does not know the asset {code} that it moved")
    return Amount(Asset(effects.network, code, decimals), quantity)
