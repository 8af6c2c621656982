"""Builds one unsigned transaction or pair on the best chain, and reads it back before giving it. Nothing is signed.

Our own encoder drafts; a Counterparty node, where there is one, composes the same, and both must do what was planned.
Which of the two is given is a setting. Kinds and parameters: see `plans`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from online.chains.api import Built, Plan
from online.chains.bitcoin.check import standing
from online.chains.bitcoin.compare import read_back, require_planned
from online.chains.bitcoin.compose import composable, composed
from online.chains.bitcoin.counterparty import CpNode
from online.chains.bitcoin.draft import Rates, draft
from online.chains.bitcoin.ground import stand
from online.chains.bitcoin.node import Node
from online.chains.bitcoin.plans import Wish, read_plan
from online.chains.bitcoin.purse import Purse, open_purse
from online.chains.bitcoin.settings import Settings
from shared.effects import Claim
from shared.errors import FeeRateUnknown, FeeTooHigh


@dataclass(frozen=True, slots=True)
class Desk:
    """Where is built: a bitcoind, a Counterparty node if there is one, and the settings."""

    node: Node
    cp: CpNode | None
    settings: Settings


def build(desk: Desk, plan: Plan, taken: Collection[Claim]) -> Built:
    """Build a plan's transaction; see `online.chains.api.Gateway.build`.

    Raises:
        NodeUnfit, BadPlan, CoinsShort, FeeTooHigh, FeeRateUnknown, ReplacementRefused, ComposeDiffers, BuiltWrong, and
        what `plans`, `ground`, `draft` and the shared decoder refuse.
    """
    wish = read_plan(plan)
    cp = desk.cp
    status = standing(desk.node, cp, plan.network, desk.settings)
    if wish.message is not None:
        wish = stand(desk.node, cp, wish, status)
    purse = open_purse(desk.node, cp, wish, taken, status.tip)
    rates = rates_of(desk, wish, purse)
    height = purse.height + 1
    ours = draft(wish, purse, rates, height)
    read = read_back(wish, ours)
    effects = require_planned(wish, ours, read)
    given = ours
    if cp is not None and wish.message is not None:
        must = desk.settings.source == "compose"
        if must or composable(wish, ours):
            theirs, seen = composed(cp, wish, ours, rates, height)
            given, effects = (theirs, seen.effects) if must else (given, effects)
    fee = effects.fee_most.units
    if fee > desk.settings.fee_cap:
        raise FeeTooHigh(
            f"miners and data outputs would take {fee} sat, above the cap of {desk.settings.fee_cap}",
            hint="Send fewer lines at once, wait for lower fees, or raise fee_cap in the settings.",
        )
    return Built(given.unsigned, given.context, given.keys, effects)


def rates_of(desk: Desk, wish: Wish, purse: Purse) -> Rates:
    """Give the plan's rate, else the node's estimate, else the settings'; a replacement outdoes what it replaces.

    Raises:
        FeeRateUnknown: where nobody names one. FeeTooHigh: above the cap.
    """
    least, increment = desk.node.least_rates()
    rate = max(wish.rate, least) if wish.rate else market_rate(desk)
    if purse.replaced is not None:
        rate = max(rate, purse.replaced.rate + increment)
    if rate > desk.settings.fee_rate_cap * 1000:
        raise FeeTooHigh(
            f"{rate} sat per 1000 vB are above the cap of {desk.settings.fee_rate_cap} sat/vB",
            hint="Wait until blocks are less full, or raise fee_rate_cap in the settings.",
        )
    return Rates(rate, increment)


def market_rate(desk: Desk) -> int:
    """Give the node's estimate, else the settings' rate, in sat per 1000 vB.

    Raises:
        FeeRateUnknown: where nobody names one.
    """
    rate = desk.node.estimate(desk.settings.confirm_target) or desk.settings.fallback_rate
    if rate is None:
        raise FeeRateUnknown("the node has no estimate of fees")
    return max(rate, desk.node.least_rates()[0])
