"""A plan read once: which message, which outputs, who may pay, at what rate. It asks no node.

Kinds and their parameters: "payment" (1 to many payments in BTC, or none with `coins`: at most so many coins of the
source's become one of its own), "counterparty-send" (one payment of an asset), "counterparty-mpma" (two or more),
"counterparty-options" (`options` 0 or 1, `timestamp` if not the feed's next), "counterparty-sweep" (`destination`,
`flags`, `memo`). All of them take `fee_rate` (sat per 1000 vB), `min_confirmations`, `change` (an address of the
plan's), `replace` (1: there must be something to replace); Counterparty ones `encoding` ("opreturn", "taproot",
"multisig") too. With `unconfirmed` (1) what our own transactions give may be spent before a block has them
(`Plan.waiting`). `pending:XCP` and the like are the base units of an asset that other jobs of the address will still
send; `pending_units` is taken and not needed: coins are reserved by their claims.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from online.chains.api import Plan
from online.chains.bitcoin.coins import INPUTS_MOST, Owner
from shared.chains.bitcoin.addresses import key_script, script_of
from shared.chains.bitcoin.counterparty.memos import parse_memo_text
from shared.chains.bitcoin.counterparty.messages import options
from shared.chains.bitcoin.counterparty.model import (
    EnhancedSend,
    Message,
    Mpma,
    MpmaMemo,
    MpmaSend,
    Sweep,
)
from shared.chains.bitcoin.networks import network
from shared.chains.bitcoin.script import dust_limit, form_of_script
from shared.effects import Payment
from shared.errors import BadPlan, KeyMayNotSign, PaymentIsDust, WrongNetwork

_COMMON = frozenset({"fee_rate", "pending_units", "min_confirmations", "change", "replace", "unconfirmed"})
_PARAMS = {
    "payment": _COMMON | {"coins"},
    "counterparty-send": _COMMON | {"encoding"},
    "counterparty-mpma": _COMMON | {"encoding"},
    "counterparty-options": _COMMON | {"encoding", "options", "timestamp"},
    "counterparty-sweep": _COMMON | {"encoding", "destination", "flags", "memo"},
}
# How many payments of assets a kind makes: at least, at most.
_ASSETS = {
    "payment": (0, 0),
    "counterparty-send": (1, 1),
    "counterparty-mpma": (2, 10_000),
    "counterparty-options": (0, 0),
    "counterparty-sweep": (0, 0),
}
PENDING = "pending:"
_ENCODINGS = ("opreturn", "taproot", "multisig")
_OPTIONS_MOST = 1
_COINS = "coins"
_RATE_MOST = 10**7


@dataclass(frozen=True, slots=True)
class Wish:
    """What a plan asks for. `message` of OPTIONS has no time yet where the plan names none.

    `coins` is how many coins of the source's become one at most, where that is asked for. `waiting` are our own
    transactions whose outputs may be spent before a block has them.
    """

    plan: Plan
    owners: tuple[Owner, ...]
    change: Owner
    outputs: tuple[tuple[int, bytes], ...]
    message: Message | None
    rate: int | None
    encoding: str | None
    min_confirmations: int
    must_replace: bool
    coins: int | None = None
    waiting: tuple[str, ...] = ()

    @property
    def source(self) -> Owner:
        """Give the address that pays first, and speaks where there is a message."""
        return self.owners[0]

    def pending(self, asset: str) -> int:
        """Give what other jobs of the source will still send of an asset."""
        return _number(self.plan, PENDING + asset, 0, 2**64) or 0

    @property
    def sent(self) -> tuple[Payment, ...]:
        """Give the payments of assets."""
        native = network(self.plan.network).native
        return tuple(each for each in self.plan.payments if each.amount.asset != native)


def read_plan(plan: Plan) -> Wish:
    """Read a plan.

    Raises:
        BadPlan, KeyMayNotSign, PaymentIsDust, and what addresses and memos refuse.
    """
    _check(plan)
    owners = tuple(_owners(plan))
    by_address = {owner.address: owner for owner in owners}
    change = _text(plan, "change") or plan.source
    if change not in by_address:
        raise BadPlan("change goes to an address of the plan's")
    encoding = _text(plan, "encoding")
    if encoding not in (None, *_ENCODINGS):
        raise BadPlan(f"an encoding is one of {', '.join(_ENCODINGS)}")
    return Wish(
        plan=plan,
        owners=owners,
        change=by_address[change],
        outputs=tuple(_outputs(plan)),
        message=_message(plan),
        rate=_number(plan, "fee_rate", 1, _RATE_MOST),
        encoding=encoding,
        min_confirmations=_number(plan, "min_confirmations", 1, 1_000) or 1,
        must_replace=bool(_number(plan, "replace", 0, 1)),
        coins=_number(plan, _COINS, 2, INPUTS_MOST),
        waiting=plan.waiting if _number(plan, "unconfirmed", 0, 1) else (),
    )


def _check(plan: Plan) -> None:
    allowed = _PARAMS.get(plan.kind)
    if allowed is None:
        raise BadPlan(f"no Bitcoin transaction of kind {plan.kind[:40]!r} is built here")
    unknown = {name for name in plan.params if not name.startswith(PENDING)} - allowed
    if unknown:
        raise BadPlan(f"a {plan.kind} has no parameter {min(unknown)[:40]!r}")
    if any(payment.source != plan.source for payment in plan.payments):
        raise BadPlan("a payment's source is not the plan's")
    native = network(plan.network).native
    assets = [each for each in plan.payments if each.amount.asset != native]
    least, most = _ASSETS[plan.kind]
    if _COINS in plan.params and (plan.payments or plan.inputs):
        raise BadPlan("what makes one coin of many pays nobody, and spends from one address")
    pays_nobody = plan.kind == "payment" and not plan.payments and _COINS not in plan.params
    if not least <= len(assets) <= most or pays_nobody:
        wanted = f"{least} to {most}" if least < most else f"{least}"
        raise BadPlan(
            f"a {plan.kind} makes {wanted} payments of assets, and here are {len(assets)} of them "
            f"and {len(plan.payments) - len(assets)} of {native.code}"
        )
    if any(each.amount.asset.network != plan.network for each in assets):
        raise WrongNetwork("an asset of another network")


def _owners(plan: Plan) -> Iterator[Owner]:
    seen: set[str] = set()
    for address, path, public_key in ((plan.source, plan.key, plan.public_key), *plan.inputs):
        script = script_of(address, plan.network)
        if script not in (key_script(public_key, "secp256k1", form) for form in ("p2wpkh", "p2tr")):
            raise KeyMayNotSign(f"the key that is named for {address} is not its own")
        if address not in seen:
            yield Owner(address, script, path, public_key)
        seen.add(address)


def _outputs(plan: Plan) -> Iterator[tuple[int, bytes]]:
    native = network(plan.network).native
    for payment in plan.payments:
        if payment.amount.asset != native:
            continue
        to = payment.destination
        if to.tag is not None or to.memo is not None:
            raise BadPlan("a payment of bitcoins carries neither tag nor memo")
        script = script_of(to.address, plan.network)
        least = dust_limit(form_of_script(script))
        if payment.amount.units < max(least, 1):
            raise PaymentIsDust(f"{payment.amount} to {to.address} is below {least} sat")
        yield payment.amount.units, script


# --- messages -------------------------------------------------------------------------------------


def _message(plan: Plan) -> Message | None:
    native = network(plan.network).native
    assets = [each for each in plan.payments if each.amount.asset != native]
    match plan.kind:
        case "counterparty-send":
            to = assets[0].destination
            memo = b"" if to.memo is None else parse_memo_text(to.memo)
            return EnhancedSend(assets[0].amount.asset.code, assets[0].amount.units, to.address, memo)
        case "counterparty-mpma":
            return Mpma(tuple(_line(each) for each in assets))
        case "counterparty-options":
            required = _number(plan, "options", 0, _OPTIONS_MOST)
            if required is None:
                raise BadPlan("the options are missing")
            timestamp = _number(plan, "timestamp", 1, 2**32 - 1) or 0
            return options(required == 1, timestamp)
        case "counterparty-sweep":
            return _sweep(plan)
    return None


def _line(payment: Payment) -> MpmaSend:
    to, amount = payment.destination, payment.amount
    memo = None
    if to.memo is not None:
        memo = MpmaMemo(parse_memo_text(to.memo), is_hex=to.memo.startswith("hex "))
    return MpmaSend(amount.asset.code, to.address, amount.units, memo)


def _sweep(plan: Plan) -> Sweep:
    destination, flags = _text(plan, "destination"), _number(plan, "flags", 1, 7)
    if destination is None or flags is None:
        raise BadPlan("a sweep names its destination and flags")
    script_of(destination, plan.network)
    memo = _text(plan, "memo")
    return Sweep(destination, flags, b"" if memo is None else parse_memo_text(memo))


def _number(plan: Plan, name: str, least: int, most: int) -> int | None:
    value = plan.params.get(name)
    if value is not None and not (type(value) is int and least <= value <= most):
        raise BadPlan(f"{name} of a {plan.kind} is a whole number from {least} to {most}")
    return value


def _text(plan: Plan, name: str) -> str | None:
    value = plan.params.get(name)
    if value is not None and not isinstance(value, str):
        raise BadPlan(f"{name} of a {plan.kind} is a text")
    return value
