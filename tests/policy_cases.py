"""One policy with several wallets on two networks, and short ways to write effects: for the tests of policies."""

from __future__ import annotations

from dataclasses import replace

from shared.effects import Destination, Effects, Expiry, Payment, SettingChange
from shared.money import Amount, Asset
from shared.policy import (
    Bucket,
    Decision,
    Judged,
    Limits,
    OwnWallet,
    Person,
    Place,
    Policy,
    Rule,
    Usage,
    evaluate,
)

NET, OTHER_NET = "xrpl:local", "xrpl:testnet"
XRP = Asset(NET, "XRP", 6)

RULE = Rule(
    wallet="cold",
    kinds=frozenset({"payment", "tickets", "regular-key"}),
    to_wallets=frozenset({"hot"}),
    to_places=(Place("rExchange", 7), Place("rExchange", 8), Place("rTagged", "required"), Place("rMemo", "any")),
    limits={"XRP": Limits(transfer=100, request=150, day=300, epoch=1_000)},
    any_limits={"XRP": Limits(transfer=10, request=15, day=20, epoch=40)},
    fee_most=12,
    free_most=2,
    expiry_most=500,
    approvals=2,
    automatic=False,
)
HOT = replace(RULE, wallet="hot", to_wallets=frozenset(), to_places=(), approvals=0, automatic=True, any_limits={})
POLICY = Policy(
    epoch=3,
    network_class="test",
    administrators=tuple(Person(name, name.encode() * 8) for name in ("ann1", "ben1", "cid1")),
    administrators_quorum=2,
    approvers=(),
    stations=(),
    wallets=(
        OwnWallet("cold", NET, "cold", (Place("rCold"), Place("rCold2"))),
        OwnWallet("hot", NET, "hot", (Place("rHot"), Place("rHotTagged", 5))),
        OwnWallet("spare", NET, "warm", (Place("rSpare"),)),
        OwnWallet("far", OTHER_NET, "cold", (Place("rFar"), Place("rCold"))),
    ),
    rules=(RULE, HOT),
    signing_keys=frozenset({"rListed"}),
    clock_jump_most=86_400,
)
OWN = frozenset({"rCold", "rCold2"})
ALL: Bucket = ("cold", NET, "XRP", "all")
ANY: Bucket = ("cold", NET, "XRP", "any")


def payment(units: int, to: str = "rHot", *, tag: int | None = None, memo: str | None = None,
            source: str = "rCold", asset: Asset = XRP) -> Payment:
    return Payment(source, Destination(to, tag, memo), Amount(asset, units))


def effects(*payments: Payment, kind: str = "payment", source: str = "rCold", fee: int = 1, network: str = NET,
            fee_payer: str = "", settings: tuple[SettingChange, ...] = (),
            expiry: Expiry | None = Expiry(1_100, 1_000)) -> Effects:  # noqa: B008
    asset = replace(XRP, network=network)
    return Effects(kind, network, source, payments, fee_payer or source, Amount(asset, fee), settings, (), expiry)


def tickets(fee: int = 1, source: str = "rCold") -> Effects:
    change = SettingChange(source, "tickets", "creates 3 tickets")
    return effects(kind="tickets", fee=fee, source=source, settings=(change,))


def key_change(*keys: str) -> Effects:
    change = SettingChange("rCold", "regular-key", "another key may sign", who_may_sign=True, keys=keys)
    return effects(kind="regular-key", settings=(change,))


def judge(*many: Effects, policy: Policy = POLICY, usage: Usage | None = None) -> Decision:
    """Judge transactions none of whose payments was counted before."""
    judged = [Judged(one, one.payments) for one in many]
    return evaluate(judged, policy, usage or Usage(), OWN, range(len(many)))


def codes(decision: Decision) -> list[str]:
    return [refusal.code for refusal in decision.refusals]


def with_rule(**changes: object) -> Policy:
    """Give the policy with another rule for the cold wallet."""
    return replace(POLICY, rules=(replace(RULE, **changes), HOT))  # type: ignore[arg-type]
