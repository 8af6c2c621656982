"""Builds one unsigned transaction on the newest final block, and reads it back before giving it.

See `plans` for kinds and parameters, `lanes` for the nonce, `recipients` for what is checked of the accounts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from online.chains.api import Built, Plan
from online.chains.near.ground import Ground, find_ground
from online.chains.near.lanes import scope
from online.chains.near.node import Node
from online.chains.near.plans import Wish, read_plan
from online.chains.near.recipients import (
    Token,
    check_balance,
    check_exists,
    check_tokens,
    decimals,
    read_token,
    spendable,
    unregistered,
)
from online.chains.near.settings import Settings
from shared.chains.near import NEAR
from shared.chains.near import build as forms
from shared.chains.near.keys import implicit_account, key_text, parse_base58
from shared.effects import Claim, Effects, Expiry
from shared.errors import BadPlan, BuiltWrong, KeyMayNotSign, TokenDiffers
from shared.money import Asset, format_units

_REGISTER_FIRST = "Register it first: here the deposit for that has no place in the transaction."
_NOTHING_TO_DO = "every one of these accounts is registered already"


def build(node: Node, settings: Settings, plan: Plan, taken: Collection[Claim]) -> Built:
    """Build a plan's transaction; see `online.chains.api.Gateway.build`.

    Raises:
        NodeUnfit, BadPlan, SourceMissing, KeyMayNotSign, NoFreeClaim, ValidityTooShort, DestinationMissing,
        TokenDiffers, AssetsShort, ReserveTooLow, BuiltWrong, and what `shared.chains.near` refuses.
    """
    wish = read_plan(plan)
    ground = find_ground(node, settings, plan, taken, wish.blocks)
    token = _token(node, settings, wish)
    unsigned = _unsigned(node, wish, ground, token)
    built = _read_back(wish, ground, token, unsigned)
    _check(node, wish, ground, token, built.effects)
    return built


def terms_of(plan: Plan, ground: Ground) -> forms.Terms:
    """Give the terms on which a plan's transaction is built."""
    block_hash = parse_base58(ground.block.hash, 32)
    return forms.Terms(plan.network, plan.source, ground.use.lane.public_key, ground.use.nonce, block_hash)


def context_of(ground: Ground, blocks: int = 0) -> dict[str, int]:
    """Give what the bytes do not hold: the height they were built at, and of a transaction for how long it is good."""
    stated = {"height": ground.block.height}
    return stated if blocks else {**stated, "validity": ground.protocol.validity}


def _token(node: Node, settings: Settings, wish: Wish) -> Token | None:
    if not wish.contract:
        return None
    asset = wish.asset or Asset(wish.plan.network, wish.contract, decimals(node, wish.contract))
    token = read_token(node, asset)
    if token.least_deposit > settings.registration_most_units:
        asked = format_units(token.least_deposit, 24)
        text = f"{wish.contract} asks {asked} NEAR for a registration, and registration_most is "
        raise TokenDiffers(text + settings.registration_most)
    return token


def _unsigned(node: Node, wish: Wish, ground: Ground, token: Token | None) -> bytes:
    plan, terms = wish.plan, terms_of(wish.plan, ground)
    if wish.blocks:
        return _delegate(node, wish, ground, token)
    if plan.kind == "payment":
        return forms.payment(terms, plan.payments[0].destination, plan.payments[0].amount)
    if plan.kind == "near-lanes":
        return forms.lanes(terms, wish.added)
    if plan.kind == "near-rotate":
        return forms.rotation(terms, wish.added, wish.deleted)
    assert token is not None
    wanted = wish.accounts or [payment.destination.address for payment in plan.payments]
    deposits = [(account, token.least_deposit) for account in unregistered(node, token, wanted)]
    if plan.kind == "nep141-register":
        if not deposits:
            raise BadPlan(_NOTHING_TO_DO, hint="Nothing needs to be done.")
        return forms.registration(terms, wish.contract, deposits)
    moves = [(payment.destination, payment.amount.units) for payment in plan.payments]
    if plan.kind == "nep141-transfer":
        return forms.token_transfer(terms, wish.contract, moves, deposits)
    if deposits:
        raise BadPlan(f"{deposits[0][0]} is not registered with {wish.contract}", hint=_REGISTER_FIRST)
    return forms.token_call(terms, wish.contract, *moves[0], wish.message)


def _delegate(node: Node, wish: Wish, ground: Ground, token: Token | None) -> bytes:
    plan = wish.plan
    key, last = ground.use.lane.public_key, ground.block.height + wish.blocks
    terms = forms.DelegateTerms(plan.network, plan.source, key, ground.use.nonce, last)
    if token is None:
        return forms.rotation(terms, wish.added, wish.deleted)
    missing = unregistered(node, token, [payment.destination.address for payment in plan.payments])
    if missing:
        raise BadPlan(f"{missing[0]} is not registered with {wish.contract}", hint=_REGISTER_FIRST)
    moves = [(payment.destination, payment.amount.units) for payment in plan.payments]
    return forms.token_transfer(terms, wish.contract, moves)


def _read_back(wish: Wish, ground: Ground, token: Token | None, unsigned: bytes) -> Built:
    """Compare what the built bytes say with what was planned; nothing is believed, this program included."""
    plan, keys, context = wish.plan, (ground.use.lane.path,), context_of(ground, wish.blocks)
    register = {} if token is None else {token.asset.code: token.asset.decimals}
    effects = NEAR.effects(NEAR.decode(unsigned, context, keys, plan.network), register)
    height = ground.block.height
    claim = Claim(scope(plan.source, ground.use.lane.text), f"nonce {ground.use.nonce}")
    expiry = Expiry(height + (wish.blocks or ground.protocol.validity), height)
    said = (effects.kind, effects.network, effects.source, effects.fee_payer, effects.claims, effects.expiry)
    wanted = (plan.kind, plan.network, plan.source, plan.source, (claim,), expiry)
    gained = {key for change in effects.settings if change.who_may_sign for key in change.keys}
    same = Counter(effects.payments) == Counter(plan.payments) and gained == set(map(implicit_account, wish.added))
    if said != wanted or not same:
        raise BuiltWrong(f"the built {plan.kind} does something else than its plan")
    return Built(unsigned, context, keys, effects)


def _check(node: Node, wish: Wish, ground: Ground, token: Token | None, effects: Effects) -> None:
    plan = wish.plan
    if plan.kind == "payment":
        check_exists(node, plan.payments[0].destination.address)
    if token is not None and plan.payments:
        check_tokens(node, token, plan.source, plan.payments, wish.pending(token.asset))
    _check_keys(node, wish)
    if wish.blocks:
        return  # the relayer pays gas and deposits
    native = plan.payments[0].amount.units if plan.kind == "payment" else 0
    left = spendable(ground.account, ground.protocol, wish.pending(), new_keys=len(wish.added))
    check_balance(ground.account, left, native + effects.fee_most.units)


def _check_keys(node: Node, wish: Wish) -> None:
    """Check that keys to add are not there and keys to delete are: one that is wrong lets all of it fail."""
    texts = [tuple(map(key_text, keys)) for keys in (wish.added, wish.deleted)]
    there = {key.public_key for key in node.access_keys(wish.plan.source, texts[0] + texts[1])} if any(texts) else set()
    if again := there.intersection(texts[0]):
        raise KeyMayNotSign(f"{min(again)} is a key of {wish.plan.source} already")
    if missing := set(texts[1]) - there:
        raise KeyMayNotSign(f"{min(missing)} is no key of {wish.plan.source}")
