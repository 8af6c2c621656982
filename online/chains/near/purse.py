"""What accounts hold, and plans that take all of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from online.chains.api import AccountState, Plan
from online.chains.near.build import context_of, terms_of
from online.chains.near.ground import find_ground
from online.chains.near.node import Node
from online.chains.near.plans import read_plan
from online.chains.near.recipients import decimals, spendable, token_units
from online.chains.near.settings import Settings
from shared.chains.near import NEAR
from shared.chains.near import build as forms
from shared.chains.near.accounts import parse_account
from shared.effects import Claim
from shared.errors import BadPlan, NothingToMove, TokenDiffers
from shared.money import Amount, Asset


def states(node: Node, native: Asset, account_ids: Sequence[str]) -> tuple[AccountState, ...]:
    """Give what the final block says of accounts. `reserved` is what they keep for their storage."""
    height = node.final_block().height
    protocol = node.protocol(height)
    found = []
    for account_id in account_ids:
        account = node.account(parse_account(account_id))
        if account is None:
            nothing = Amount(native, 0)
            found.append(AccountState(account_id, False, height, nothing, nothing))
            continue
        reserved = min(account.amount, account.amount - spendable(account, protocol, 0))
        found.append(
            AccountState(account_id, True, account.height, Amount(native, account.amount), Amount(native, reserved))
        )
    return tuple(found)


def asset_balance(node: Node, account_id: str, asset: Asset) -> Amount:
    """Give what an account holds of a token. Raises TokenDiffers for one with other decimals there."""
    there = decimals(node, asset.code)
    if there != asset.decimals:
        raise TokenDiffers(f"{asset.code} has {there} decimals there, and {asset.decimals} here")
    return Amount(asset, token_units(node, asset.code, parse_account(account_id)))


def filled(node: Node, settings: Settings, plan: Plan, taken: Collection[Claim]) -> Plan:
    """Give a plan whose one payment takes all that its account can pay: less storage, what is pending, and prepaid gas.

    What is prepaid and not burnt comes back afterwards and stays. Further addresses of the plan are lanes of the
    same account.

    Raises:
        BadPlan: for a plan that is no payment of NEAR. NothingToMove: if what is there is not worth its fee. As
        `build`.
    """
    wish = read_plan(plan)
    if plan.kind != "payment":
        raise BadPlan("only a payment of NEAR is filled")
    ground = find_ground(node, settings, plan, taken)
    left = spendable(ground.account, ground.protocol, wish.pending())
    payment, asset = plan.payments[0], plan.payments[0].amount.asset
    unsigned = forms.payment(terms_of(plan, ground), payment.destination, Amount(asset, max(left, 1)))
    tx = NEAR.decode(unsigned, context_of(ground), (ground.use.lane.path,), plan.network)
    units = left - NEAR.effects(tx).fee_most.units
    if units <= 0:
        raise NothingToMove(f"what {plan.source} holds is not worth its fee")
    return replace(plan, payments=(replace(payment, amount=Amount(asset, units)),))
