"""Fills a plan: its one payment takes all that its addresses can pay, at a rate that is written into the plan.

For sweeps: the amount is known, and can be signed by people, before anything is built. No change is left.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from online.chains.api import Plan
from online.chains.bitcoin.build import Desk, rates_of
from online.chains.bitcoin.check import standing
from online.chains.bitcoin.coins import INPUTS_MOST, Need, worth
from online.chains.bitcoin.plans import read_plan
from online.chains.bitcoin.purse import open_purse
from shared.chains.bitcoin.script import dust_limit, form_of_script
from shared.effects import Claim
from shared.errors import BadPlan, CoinsShort, NothingToMove
from shared.money import Amount


def filled(desk: Desk, plan: Plan, taken: Collection[Claim]) -> Plan:
    """Fill a plan of one payment in bitcoins.

    Raises:
        BadPlan: for any other plan. NothingToMove: if what is there is not worth its fee.
        CoinsShort: if all that the source holds is held by other orders.
        NodeUnfit, FeeRateUnknown, FeeTooHigh: as `build`.
    """
    wish = read_plan(plan)
    if plan.kind != "payment" or len(wish.outputs) != 1:
        raise BadPlan("only a payment to one is filled")
    status = standing(desk.node, desk.cp, plan.network, desk.settings)
    purse = open_purse(desk.node, desk.cp, wish, taken, status.tip)
    rate = rates_of(desk, wish, purse).rate
    by_value = sorted(purse.free, key=lambda coin: (-coin.sats, coin.outpoint))
    worthy = [coin for coin in by_value[:INPUTS_MOST] if worth(coin, rate) > 0]
    if worthy and not any(coin.owner == wish.source for coin in worthy):
        # The source spends a coin first whatever that is worth: `coins.choose` takes its largest, and so does this.
        first = next((coin for coin in by_value if coin.owner == wish.source), None)
        if first is None:
            raise CoinsShort(f"{plan.source} has no confirmed output that is free")
        worthy = [first, *worthy[: INPUTS_MOST - 1]]
    need = Need(wish.outputs, wish.change.script, rate)
    sats = sum(coin.sats for coin in worthy) - need.fee(worthy, change=False)
    script = wish.outputs[0][1]
    if not worthy or sats < max(1, dust_limit(form_of_script(script))):
        raise NothingToMove(f"what {plan.source} and the others hold is not worth its fee")
    payment = replace(plan.payments[0], amount=Amount(plan.payments[0].amount.asset, sats))
    return replace(plan, payments=(payment,), params={**plan.params, "fee_rate": rate})
