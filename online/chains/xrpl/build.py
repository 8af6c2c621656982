"""Builds one unsigned transaction against the newest validated ledger, and reads it back before giving it.

Kinds and their parameters: "payment" (one payment), "tickets" (`count`), "account-set" (`set`, `clear`:
names of account flags; neither only uses up the claim). All of them take `claim` ("any", "ticket",
"sequence", or one by name: see `claims`) and `pending_units`, what other active jobs of the account
will still spend. Nothing is signed here.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass

from online.chains.api import Built, Plan
from online.chains.xrpl.answers import Account, Status
from online.chains.xrpl.check import strangeness
from online.chains.xrpl.claims import Use, choose, scope
from online.chains.xrpl.node import Node
from online.chains.xrpl.recipients import (
    check_destination,
    check_fee,
    check_key,
    check_reserve,
    check_tickets,
)
from online.chains.xrpl.settings import Settings
from shared.chains.xrpl import XRPL
from shared.chains.xrpl.build import Terms, build_account_set, build_payment, build_tickets
from shared.effects import Claim, Effects, Expiry
from shared.errors import (
    BadPlan,
    BuiltWrong,
    ClaimNotFree,
    DryRunFailed,
    FeeTooHigh,
    NodeUnfit,
    SourceMissing,
)

# Others used the account's sequence meanwhile, or have one before it in the queue: the next ledger shows the new one.
_ANOTHER_SEQUENCE = ("tefPAST_SEQ", "terPRE_SEQ")

_PARAMS = {
    "payment": frozenset({"claim", "pending_units"}),
    "tickets": frozenset({"claim", "pending_units", "count"}),
    "account-set": frozenset({"claim", "pending_units", "set", "clear"}),
}


@dataclass(frozen=True, slots=True)
class Ground:
    """What a transaction is built on: the validated ledger, the paying account there, the terms chosen."""

    status: Status
    source: Account
    use: Use
    terms: Terms


def build(node: Node, settings: Settings, plan: Plan, taken: Collection[Claim]) -> Built:
    """Build a plan's transaction; see `online.chains.api.Gateway.build`.

    Raises:
        NodeUnfit, BadPlan, SourceMissing, KeyMayNotSign, NoFreeClaim, ClaimNotFree, FeeTooHigh, BuiltWrong,
        DryRunFailed, and what `recipients` and `shared.chains.xrpl.build` refuse.
    """
    _check_plan(plan)
    ground = _ground(node, settings, plan, taken)
    unsigned = _unsigned(plan, ground.terms)
    context = {"height": ground.status.height}
    effects = XRPL.effects(XRPL.decode(unsigned, context, (plan.key,), plan.network))
    _compare(plan, ground, effects)
    _check_accounts(node, plan, ground)
    _dry_run(node, unsigned, ground.use)
    return Built(unsigned, context, (plan.key,), effects)


def _check_plan(plan: Plan) -> None:
    allowed = _PARAMS.get(plan.kind)
    if allowed is None:
        raise BadPlan(f"no XRPL transaction of kind {plan.kind[:40]!r} is built here")
    unknown = set(plan.params) - allowed
    if unknown:
        raise BadPlan(f"a {plan.kind} has no parameter {min(unknown)[:40]!r}")
    if len(plan.payments) != (1 if plan.kind == "payment" else 0):
        raise BadPlan(f"a {plan.kind} does not make {len(plan.payments)} payments")
    if any(payment.source != plan.source for payment in plan.payments):
        raise BadPlan("the payment's source is not the plan's")


def _ground(node: Node, settings: Settings, plan: Plan, taken: Collection[Claim]) -> Ground:
    status = node.status()
    strange = strangeness(status, plan.network)
    if strange:
        raise NodeUnfit(f"{node.name}: {strange}")
    source = node.account(plan.source, status.height)
    if source is None:
        raise SourceMissing(f"{plan.source} does not exist in ledger {status.height}")
    check_key(source, plan.public_key)
    tickets = node.tickets(plan.source, status.height) if source.ticket_count else ()
    use = _choose(plan, source.sequence, tickets, taken)
    terms = Terms(
        network=plan.network,
        account=plan.source,
        public_key=plan.public_key,
        fee_drops=_fee_drops(node, settings),
        last_ledger=status.height + settings.expiry_ledgers,
        sequence=use.sequence,
        ticket=use.ticket,
    )
    return Ground(status, source, use, terms)


def _choose(plan: Plan, sequence: int, tickets: Sequence[int], taken: Collection[Claim]) -> Use:
    """Choose what the plan names; else what an earlier transaction for the same transfers used; else what is free."""
    where, wanted = scope(plan.network, plan.source), _text(plan, "claim")
    for claim in plan.again if wanted is None else ():
        if claim.scope == where:
            with suppress(ClaimNotFree):
                return choose(claim.name, where, sequence, tickets, taken)
    return choose(wanted or "any", where, sequence, tickets, taken)


def _fee_drops(node: Node, settings: Settings) -> int:
    fee_drops = node.fee_drops()
    if fee_drops > settings.fee_cap_drops:
        raise FeeTooHigh(
            f"the ledger asks for {fee_drops} drops, above the cap of {settings.fee_cap_drops}",
            hint="Wait until the ledger is calm, or raise fee_cap_drops in the settings.",
        )
    return fee_drops


def _unsigned(plan: Plan, terms: Terms) -> bytes:
    if plan.kind == "payment":
        payment = plan.payments[0]
        return build_payment(terms, payment.destination, payment.amount)
    if plan.kind == "tickets":
        return build_tickets(terms, _number(plan, "count"))
    return build_account_set(terms, set_flag=_text(plan, "set"), clear_flag=_text(plan, "clear"))


def _compare(plan: Plan, ground: Ground, effects: Effects) -> None:
    """Compare what the built bytes say with what was planned; nothing is believed, this program included."""
    wanted = Effects(
        kind=plan.kind,
        network=plan.network,
        source=plan.source,
        payments=plan.payments,
        fee_payer=plan.source,
        fee_most=type(effects.fee_most)(XRPL.network(plan.network).native, ground.terms.fee_drops),
        settings=effects.settings,
        claims=(Claim(scope(plan.network, plan.source), ground.use.name),),
        expiry=Expiry(ground.terms.last_ledger, ground.status.height),
        facts=effects.facts,
    )
    if effects != wanted or {change.what for change in effects.settings} != _settings(plan):
        raise BuiltWrong(f"the built {plan.kind} does something else than its plan")


def _settings(plan: Plan) -> set[str]:
    if plan.kind == "tickets":
        return {"tickets"}
    words = {"set": "on", "clear": "off"}
    return {f"{plan.params[name]} {word}" for name, word in words.items() if name in plan.params}


def _check_accounts(node: Node, plan: Plan, ground: Ground) -> None:
    source, status, fee_drops = ground.source, ground.status, ground.terms.fee_drops
    pending = _number(plan, "pending_units") if "pending_units" in plan.params else 0
    if plan.kind == "account-set":
        check_fee(source, fee_drops, pending)
    elif plan.kind == "tickets":
        by_ticket = ground.use.ticket is not None
        check_tickets(source, status, _number(plan, "count"), fee_drops, pending, by_ticket=by_ticket)
    else:
        payment = plan.payments[0]
        check_reserve(source, status, payment.amount.units, fee_drops, pending)
        check_destination(node, payment, status)


def _dry_run(node: Node, unsigned: bytes, use: Use) -> None:
    # A node without `simulate` is named by the gateway's check; what waits for others cannot be tried yet.
    result = node.simulate(unsigned)
    if result in (None, "tesSUCCESS") or (use.waits and result == "terPRE_SEQ"):
        return
    raise DryRunFailed(f"the node's dry run gives {result}", passes=result in _ANOTHER_SEQUENCE)


def _number(plan: Plan, name: str) -> int:
    value = plan.params.get(name)
    if type(value) is not int or value < 0:
        raise BadPlan(f"{name} of a {plan.kind} is a whole number")
    return value


def _text(plan: Plan, name: str) -> str | None:
    value = plan.params.get(name)
    if value is not None and not isinstance(value, str):
        raise BadPlan(f"{name} of a {plan.kind} is a text")
    return value
