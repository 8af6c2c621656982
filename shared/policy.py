"""The sealed policy: what a signer may sign, judged from effects and from what was signed before.

One document per epoch, signed by the administrators' quorum. `evaluate` never raises: it lists every objection, so
that a person sees all of them at once. Nothing on a request can widen a policy; nothing here reads a clock.
Reading and writing the document is in `shared.policy_document`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from shared.chains.api import NetworkClass
from shared.effects import Destination, Effects, Payment
from shared.errors import (
    AssetNotAllowed,
    DangerNotAccepted,
    ExpiryTooFar,
    FeeTooHigh,
    ForeignSigningKey,
    KindNotAllowed,
    OverDayLimit,
    OverEpochBudget,
    OverRequestLimit,
    OverTransferLimit,
    PolicyRefusal,
    TooManyFree,
    UnknownDestination,
    UnknownSource,
)
from shared.money import Amount

FOREIGN: Final = "foreign-"
"""What stands before the kind of a transaction that no coordinator of ours asked for; a rule must name it so."""

TagRule = int | Literal["none", "any", "required"]
"""What may stand beside an address: no tag or memo, anything, some tag, or exactly this tag."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an Ed25519 key (32 bytes)."""

    name: str
    key: bytes


@dataclass(frozen=True, slots=True)
class Place:
    """An address with its rule for tag or memo."""

    address: str
    tag: TagRule = "none"

    def admits(self, destination: Destination) -> bool:
        """Say whether a destination is this place. A memo is admitted only where anything is."""
        if destination.address != self.address:
            return False
        if self.tag == "any":
            return True
        if destination.memo is not None:
            return False
        if self.tag == "none":
            return destination.tag is None
        return destination.tag is not None and self.tag in ("required", destination.tag)


@dataclass(frozen=True, slots=True)
class OwnWallet:
    """A wallet of the house: its name, network, tier and places."""

    name: str
    network: str
    tier: str
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Limits:
    """The most of one asset, in base units: by transfer, request, day and epoch."""

    transfer: int
    request: int
    day: int
    epoch: int


@dataclass(frozen=True, slots=True)
class Rule:
    """What one wallet may do.

    `limits` and `any_limits` go by asset code; without `any_limits` for an asset only own wallets and the list are
    paid, and what they do allow counts against `limits` too. `fee_most` is base units a transaction, `free_most` the
    epoch's number of transactions that pay nothing, `expiry_most` the longest distance in heights from the stated
    height to the expiry, None on a ledger where nothing expires. `approvals` is the quorum of approvers; an automatic
    rule asks nobody. `fee_rate_most` is base units a virtual byte where the ledger counts them; `accepts` are dangers
    (`Effects.dangers`) that the administrators know to be harmless for this wallet. `kinds` are those of effects; what
    another maker's wallet asks for has a kind of its own there, such as "foreign-payment".
    """

    wallet: str
    kinds: frozenset[str]
    to_wallets: frozenset[str]
    to_places: tuple[Place, ...]
    limits: dict[str, Limits]
    any_limits: dict[str, Limits]
    fee_most: int
    free_most: int
    expiry_most: int | None
    approvals: int
    automatic: bool
    fee_rate_most: int | None = None
    accepts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Policy:
    """One epoch's policy.

    `clock_jump_most` is seconds; `signing_keys` are the further keys that may be named as signers. `assets` is the
    register of assets beside the native ones: by network and code, their decimals.
    """

    epoch: int
    network_class: NetworkClass
    administrators: tuple[Person, ...]
    administrators_quorum: int
    approvers: tuple[Person, ...]
    stations: tuple[Person, ...]
    wallets: tuple[OwnWallet, ...]
    rules: tuple[Rule, ...]
    signing_keys: frozenset[str]
    clock_jump_most: int
    assets: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    def register(self, network: str) -> Mapping[str, int]:
        """Give the decimals of a network's assets by their codes."""
        return self.assets.get(network, {})


Bucket = tuple[str, str, str, str]
"""A running sum: wallet, network, asset code, and "all" or "any" (payments to destinations that nobody listed)."""


@dataclass(slots=True)
class Usage:
    """What was signed already: sums in base units since the day began and since the epoch began.

    `free` counts the epoch's transactions that paid nothing, by wallet; `emptied` are wallets whose whole balance
    counts as spent in this epoch, because who may sign for them was changed.
    """

    day: dict[Bucket, int] = field(default_factory=dict)
    epoch: dict[Bucket, int] = field(default_factory=dict)
    free: dict[str, int] = field(default_factory=dict)
    emptied: set[str] = field(default_factory=set)

    def add(self, spend: Spend) -> None:
        """Count what one transaction spends."""
        for bucket, units in spend.sums:
            self.day[bucket] = self.day.get(bucket, 0) + units
            self.epoch[bucket] = self.epoch.get(bucket, 0) + units
        if spend.free:
            self.free[spend.wallet] = self.free.get(spend.wallet, 0) + 1
        if spend.everything:
            self.emptied.add(spend.wallet)

    def copy(self) -> Usage:
        """Give a copy that counts on its own."""
        return Usage(dict(self.day), dict(self.epoch), dict(self.free), set(self.emptied))


@dataclass(frozen=True, slots=True)
class Spend:
    """What one transaction takes from the budgets; `everything` stands for the wallet's whole balance."""

    wallet: str
    sums: tuple[tuple[Bucket, int], ...]
    free: bool
    everything: bool


@dataclass(frozen=True, slots=True)
class Judged:
    """One transaction for `evaluate`: `fresh` are its payments that no budget has counted yet."""

    effects: Effects
    fresh: tuple[Payment, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """What the policy says of a set of transactions: every objection, what is spent, and whose word is needed."""

    refusals: tuple[PolicyRefusal, ...]
    spends: tuple[Spend, ...]
    approvals: int
    administrators: int
    lines: tuple[str, ...]


def evaluate(
    judged: Sequence[Judged], policy: Policy, usage: Usage, own_keys: Collection[str], places: Sequence[int]
) -> Decision:
    """Judge transactions in their order against a policy and what was used before.

    `own_keys` are the addresses that this signer derives; with the policy's list they bound changes of who may sign.
    `places` are the transactions' positions in their request.
    """
    court = _Court(policy, usage, own_keys)
    for position, one in zip(places, judged, strict=True):
        court.judge(position, one)
    return court.decision()


def refused(
    judged: Sequence[Judged], policy: Policy, usage: Usage, own_keys: Collection[str], places: Sequence[int]
) -> tuple[PolicyRefusal, ...]:
    """Give the first objection to each transaction that can not stand, in their order.

    What can not stand counts for nothing when those after it are judged: without it the others are allowed.
    """
    found = []
    court = _Court(policy, usage, own_keys)
    for position, one in zip(places, judged, strict=True):
        used, request = court.usage.copy(), dict(court.request)
        court.judge(position, one)
        if court.refusals:
            found.append(court.refusals[0])
            court.usage, court.request, court.refusals = used, request, []
    return tuple(found)


class _Court:
    """Collects objections and spending over one request."""

    def __init__(self, policy: Policy, usage: Usage, own_keys: Collection[str]) -> None:
        self.policy = policy
        self.own_keys = own_keys
        self.usage = usage.copy()
        self.request: dict[Bucket, int] = {}
        self.refusals: list[PolicyRefusal] = []
        self.spends: list[Spend] = []
        self.approvals = self.administrators = 0
        self.named: dict[str, str] = {}
        self._rules = {rule.wallet: rule for rule in policy.rules}
        self._wallets: dict[tuple[str, str], OwnWallet] = {}
        for wallet in policy.wallets:
            self._wallets.update({(wallet.network, place.address): wallet for place in wallet.places})
        self._listed: dict[str, dict[str, list[Place]]] = {}

    def judge(self, position: int, one: Judged) -> None:
        effects = one.effects
        wallet = self._wallets.get((effects.network, effects.source))
        rule = self._rules.get(wallet.name) if wallet else None
        if wallet is None or rule is None:
            self._object(position, UnknownSource(f"no rule of the policy pays from {effects.source}"))
            return
        self.named[effects.source] = wallet.name
        if effects.kind not in rule.kinds:
            self._object(position, KindNotAllowed(f"wallet {wallet.name} may not do {effects.kind!r}"))
        self._touched(position, effects, wallet)
        self._expiry(position, effects, rule)
        self._dangers(position, effects, rule)
        self._signers(position, effects)
        if not rule.automatic:
            self.approvals = max(self.approvals, rule.approvals)
        self._money(position, one, rule)

    def decision(self) -> Decision:
        lines = [f"own wallet {name}: {address}" for address, name in self.named.items()]
        lines += [f"REFUSED: {'' if one.position is None else f'#{one.position + 1} '}{one} [{one.code}]"
                  for one in self.refusals]
        if not self.refusals:
            lines.append(f"policy of epoch {self.policy.epoch} allows it")
            if self.administrators:
                lines.append(f"needs {self.administrators} administrators: it changes who may sign")
            lines.append(f"needs {self.approvals} approval{'s' if self.approvals != 1 else ''}")
        return Decision(tuple(self.refusals), tuple(self.spends), self.approvals, self.administrators, tuple(lines))

    def _object(self, position: int, refusal: PolicyRefusal) -> None:
        refusal.position = position
        self.refusals.append(refusal)

    def _touched(self, position: int, effects: Effects, wallet: OwnWallet) -> None:
        """One transaction is of one wallet: whoever pays, bears the fee or is changed belongs to it."""
        touched = {payment.source for payment in effects.payments} | {change.account for change in effects.settings}
        for address in sorted(touched | {effects.fee_payer}):
            if self._wallets.get((effects.network, address)) is not wallet:
                self._object(position, UnknownSource(f"{address} is not of wallet {wallet.name}"))

    def _expiry(self, position: int, effects: Effects, rule: Rule) -> None:
        expiry, most = effects.expiry, rule.expiry_most
        if expiry is None:
            if most is not None:
                self._object(position, ExpiryTooFar(f"it never expires; the policy wants at most {most} heights"))
        elif most is None or not 0 <= expiry.last_height - expiry.stated_height <= most:
            text = f"{expiry.last_height - expiry.stated_height} heights away"
            self._object(position, ExpiryTooFar(f"its expiry: {text}; at most {most or 0} are allowed"))

    def _dangers(self, position: int, effects: Effects, rule: Rule) -> None:
        for danger in effects.dangers:
            if danger not in rule.accepts:
                self._object(position, DangerNotAccepted(f"{danger}: the policy does not accept it for {rule.wallet}"))

    def _signers(self, position: int, effects: Effects) -> None:
        for change in effects.settings:
            if not change.who_may_sign:
                continue
            self.administrators = self.policy.administrators_quorum
            for key in change.keys:
                if key not in self.own_keys and key not in self.policy.signing_keys:
                    text = f"{change.what} names {key}, which is neither ours nor listed"
                    self._object(position, ForeignSigningKey(text))

    def _money(self, position: int, one: Judged, rule: Rule) -> None:
        effects = one.effects
        for payment in effects.payments:
            self._payment(position, payment, effects.network, rule)
        sums: dict[Bucket, int] = {}
        for payment in one.fresh:
            listed = self._is_listed(payment.destination, rule)
            for scope in ("all",) if listed else ("all", "any"):
                bucket = (rule.wallet, effects.network, payment.amount.asset.code, scope)
                sums[bucket] = sums.get(bucket, 0) + payment.amount.units
        for bucket, units in sums.items():
            self.request[bucket] = self.request.get(bucket, 0) + units
            self._within(position, bucket, self.request[bucket], rule, "request", OverRequestLimit)
        fee = effects.fee_most
        if fee.units > rule.fee_most:
            self._object(position, FeeTooHigh(f"its fee of {fee} is above {Amount(fee.asset, rule.fee_most)}"))
        rate = rule.fee_rate_most
        if rate is not None and fee.units > rate * effects.vbytes:
            self._object(position, FeeTooHigh(f"its fee of {fee} for {effects.vbytes} vB is above {rate} units a vB"))
        bucket = (rule.wallet, effects.network, fee.asset.code, "all")
        sums[bucket] = sums.get(bucket, 0) + fee.units
        self._spend(position, effects, rule, sums)

    def _spend(self, position: int, effects: Effects, rule: Rule, sums: dict[Bucket, int]) -> None:
        if rule.wallet in self.usage.emptied:
            text = f"wallet {rule.wallet} counts as empty since who may sign for it was changed"
            self._object(position, OverEpochBudget(text))
        everything = any(change.who_may_sign for change in effects.settings)
        free = not any(payment.amount.units for payment in effects.payments)
        spend = Spend(rule.wallet, tuple(sums.items()), free, everything)
        self.usage.add(spend)
        self.spends.append(spend)
        for bucket in sums:
            self._within(position, bucket, self.usage.day[bucket], rule, "day", OverDayLimit)
            self._within(position, bucket, self.usage.epoch[bucket], rule, "epoch", OverEpochBudget)
        if spend.free and self.usage.free[rule.wallet] > rule.free_most:
            self._object(position, TooManyFree(f"wallet {rule.wallet} has used its {rule.free_most} of this epoch"))

    def _payment(self, position: int, payment: Payment, network: str, rule: Rule) -> None:
        amount = payment.amount
        own = self._wallets.get((network, payment.destination.address))
        if own is not None:
            self.named[payment.destination.address] = own.name
        listed = self._is_listed(payment.destination, rule)
        limits = (rule.limits if listed else rule.any_limits).get(amount.asset.code)
        if amount.asset.network != network or amount.asset.code not in rule.limits:
            self._object(position, AssetNotAllowed(f"wallet {rule.wallet} has no limits for {amount.asset}"))
        elif limits is None:
            self._object(position, UnknownDestination(f"wallet {rule.wallet} may not pay {payment.destination}"))
        elif amount.units > limits.transfer:
            most = Amount(amount.asset, limits.transfer)
            self._object(position, OverTransferLimit(f"{amount} in one transfer, at most {most}"))

    def _within(
        self, position: int, bucket: Bucket, units: int, rule: Rule, span: str, kind: type[PolicyRefusal]
    ) -> None:
        limits = (rule.limits if bucket[3] == "all" else rule.any_limits).get(bucket[2])
        most = 0 if limits is None else int(getattr(limits, span))
        if units > most:
            text = f"wallet {rule.wallet} would spend {units} base units of {bucket[2]} in this {span}, at most {most}"
            self._object(position, kind(text))

    def _is_listed(self, destination: Destination, rule: Rule) -> bool:
        if rule.wallet not in self._listed:
            self._listed[rule.wallet] = self._list_places(rule)
        return any(place.admits(destination) for place in self._listed[rule.wallet].get(destination.address, ()))

    def _list_places(self, rule: Rule) -> dict[str, list[Place]]:
        """Give, by address, where a rule's wallet may pay: the own wallets it names, on its network, and its list."""
        networks = {wallet.network for wallet in self.policy.wallets if wallet.name == rule.wallet}
        own = [wallet for wallet in self.policy.wallets if wallet.name in rule.to_wallets]
        places: dict[str, list[Place]] = {}
        for place in (*(place for one in own if one.network in networks for place in one.places), *rule.to_places):
            places.setdefault(place.address, []).append(place)
        return places
