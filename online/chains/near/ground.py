"""What a transaction is built on: a fresh final block, the rules that hold there, the paying account, and its lanes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from online.chains.api import Plan
from online.chains.near.answers import Account, Block, Protocol
from online.chains.near.check import believed, measure, require_fresh
from online.chains.near.lanes import Lane, Use, choose
from online.chains.near.node import Node
from online.chains.near.settings import Settings
from shared.chains.near.fees import GAS_PRICE
from shared.chains.near.keys import key_text
from shared.effects import Claim
from shared.errors import FeeTooHigh, KeyMayNotSign, SourceMissing, ValidityTooShort


@dataclass(frozen=True, slots=True)
class Ground:
    """A final block with its rules, the paying account there, and the lane and nonce to use."""

    block: Block
    protocol: Protocol
    account: Account
    use: Use


def find_ground(
    node: Node, settings: Settings, plan: Plan, taken: Collection[Claim], blocks: int = 0
) -> Ground:
    """Look at the ledger for a plan; `blocks` is how long it shall live where the network does not say that.

    Raises:
        NodeUnfit: when the node is not to be believed, or stalled. ValidityTooShort: when a crossing takes longer
        than a
            transaction lives. FeeTooHigh, SourceMissing, KeyMayNotSign, NoFreeClaim: as their names say.
    """
    believed(node, plan.network, settings)
    block = node.final_block()
    protocol = node.protocol(block.height)
    require_fresh(node, block, settings)
    life = measure(node, block, protocol)
    life = replace(life, validity=blocks or life.validity)
    if life.seconds < settings.crossing_seconds:
        raise ValidityTooShort(f"{life}; a crossing is given {settings.crossing_seconds} seconds")
    if block.gas_price > GAS_PRICE and not blocks:  # a relayer pays the gas of a delegate action
        raise FeeTooHigh(
            f"gas costs {block.gas_price} yoctoNEAR at block {block.height}, and {GAS_PRICE} bounds the fees",
            hint="Wait until the network is calm.",
        )
    account = node.account(plan.source)
    if account is None:
        raise SourceMissing(
            f"{plan.source} does not exist at block {block.height}",
            hint="Send it some NEAR first: an implicit account comes to be by its first payment.",
        )
    return Ground(block, protocol, account, choose(plan.source, _lanes(node, plan), taken, plan.again, block.height))


def _lanes(node: Node, plan: Plan) -> tuple[Lane, ...]:
    """Give those of the plan's keys that have full access to the account, in their order."""
    mine = {key_text(plan.public_key): (plan.key, plan.public_key)}
    mine |= {key_text(public_key): (path, public_key) for _, path, public_key in plan.inputs}
    found = {key.public_key: key for key in node.access_keys(plan.source, tuple(mine)) if key.full}
    lanes = tuple(Lane(*mine[text], text, found[text].nonce) for text in mine if text in found)
    if not lanes:
        raise KeyMayNotSign(
            f"none of the wallet's {len(mine)} keys has full access to {plan.source}",
            hint="Look at the account's keys: they may have been rotated, or it is another wallet's account.",
        )
    return lanes
