"""What a policy says of transactions: every objection, each limit exactly at its edge, and whose word is needed.

One policy (tests/policy_cases.py) with a cold wallet under test, a hot one that approves itself, and a wallet on
another network that has an address in common with the cold one.
"""

from __future__ import annotations

import pytest

from shared.effects import Destination, Effects, Expiry, SettingChange
from shared.money import MOST_UNITS, Asset
from shared.policy import Judged, Limits, Place, TagRule, Usage, evaluate
from tests.policy_cases import (
    ALL,
    ANY,
    NET,
    OTHER_NET,
    OWN,
    POLICY,
    codes,
    effects,
    judge,
    key_change,
    payment,
    tickets,
    with_rule,
)

# --- places and destinations -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "tag", "memo", "admitted"),
    [
        ("none", None, None, True), ("none", 0, None, False), ("none", None, "m", False), ("none", None, "", False),
        ("any", None, None, True), ("any", 0, None, True), ("any", 9, "m", True), ("any", None, "m", True),
        ("required", None, None, False), ("required", 0, None, True), ("required", 2**32 - 1, None, True),
        ("required", 9, "m", False), ("required", None, "m", False),
        (0, 0, None, True), (0, None, None, False), (7, 7, None, True), (7, 8, None, False), (7, 7, "m", False),
    ],
)
def test_a_place_admits_what_its_rule_for_tag_and_memo_says(
    rule: TagRule, tag: int | None, memo: str | None, admitted: bool
) -> None:
    assert Place("rA", rule).admits(Destination("rA", tag, memo)) is admitted
    assert not Place("rA", rule).admits(Destination("rB", tag, memo))


@pytest.mark.parametrize(
    ("to", "tag", "memo"),
    [("rHot", None, None), ("rHotTagged", 5, None), ("rExchange", 7, None), ("rExchange", 8, None),
     ("rTagged", 1, None), ("rMemo", None, "rent")],
)
def test_own_wallets_and_listed_places_are_paid_up_to_the_full_limits(
    to: str, tag: int | None, memo: str | None
) -> None:
    decision = judge(effects(payment(100, to, tag=tag, memo=memo)))
    assert not codes(decision)
    assert dict(decision.spends[0].sums) == {ALL: 101}


@pytest.mark.parametrize(
    ("to", "tag", "memo"),
    [("rStranger", None, None), ("rHot", 1, None), ("rHot", None, "m"), ("rHotTagged", None, None),
     ("rExchange", 9, None), ("rExchange", None, None), ("rTagged", None, None), ("rSpare", None, None),
     ("rCold2", None, None), ("rFar", None, None)],
)
def test_everything_else_is_paid_only_under_the_narrower_limits_and_counts_there_too(
    to: str, tag: int | None, memo: str | None
) -> None:
    decision = judge(effects(payment(10, to, tag=tag, memo=memo)))
    assert not codes(decision)
    assert dict(decision.spends[0].sums) == {ALL: 11, ANY: 10}
    assert codes(judge(effects(payment(11, to, tag=tag, memo=memo)))) == ["over-transfer-limit"]


def test_without_limits_for_any_a_stranger_is_not_paid() -> None:
    decision = judge(effects(payment(1, "rStranger", tag=4)), policy=with_rule(any_limits={}))
    assert codes(decision) == ["unknown-destination", "over-request-limit", "over-day-limit", "over-epoch-budget"]
    assert "rStranger tag 4" in str(decision.refusals[0])


def test_an_own_wallet_outside_the_rules_list_is_a_stranger() -> None:
    assert "unknown-destination" in codes(judge(effects(payment(1, "rSpare")), policy=with_rule(any_limits={})))


def test_an_own_wallet_of_another_network_is_a_stranger_even_if_listed() -> None:
    policy = with_rule(any_limits={}, to_wallets=frozenset({"far"}))
    assert "unknown-destination" in codes(judge(effects(payment(1, "rFar")), policy=policy))


# --- sources, kinds, expiry, fee -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "network"),
    [("rNobody", NET), ("rSpare", NET), ("rFar", OTHER_NET), ("rCold", OTHER_NET), ("rCold", "xrpl:devnet")],
)
def test_a_source_without_a_rule_is_refused_and_spends_nothing(source: str, network: str) -> None:
    decision = judge(effects(payment(1), source=source, network=network))
    assert codes(decision) == ["unknown-source"]
    assert decision.spends == ()


@pytest.mark.parametrize(
    "one",
    [
        effects(payment(1, source="rHot")),
        effects(payment(1), fee_payer="rHot"),
        effects(payment(1), fee_payer="rNobody"),
        effects(kind="tickets", settings=(SettingChange("rHot", "tickets", "of another wallet"),)),
    ],
)
def test_no_transaction_touches_another_wallet_than_its_sources(one: Effects) -> None:
    assert codes(judge(one)) == ["unknown-source"]


def test_addresses_of_one_wallet_may_pay_and_bear_the_fee_for_each_other() -> None:
    assert not codes(judge(effects(payment(1, source="rCold2"), fee_payer="rCold2")))


def test_a_kind_that_the_rule_does_not_name_is_refused() -> None:
    decision = judge(effects(payment(1), kind="escrow"))
    assert codes(decision) == ["kind-not-allowed"]
    assert str(decision.refusals[0]) == "wallet cold may not do 'escrow'"


@pytest.mark.parametrize("last", [1_000, 1_500])
def test_an_expiry_within_the_distance_is_allowed_at_both_edges(last: int) -> None:
    assert not codes(judge(effects(payment(1), expiry=Expiry(last, 1_000))))


@pytest.mark.parametrize("expiry", [None, Expiry(1_501, 1_000), Expiry(999, 1_000), Expiry(2**32 - 1, 0)])
def test_no_expiry_or_one_too_far_or_past_is_refused(expiry: Expiry | None) -> None:
    assert codes(judge(effects(payment(1), expiry=expiry))) == ["expiry-too-far"]


def test_the_fee_has_a_ceiling_of_its_own() -> None:
    assert not codes(judge(effects(payment(1), fee=12)))
    assert codes(judge(effects(payment(1), fee=13))) == ["fee-too-high"]


@pytest.mark.parametrize("asset", [Asset(NET, "USD", 6), Asset(OTHER_NET, "XRP", 6)])
def test_an_asset_without_limits_or_of_another_network_is_refused(asset: Asset) -> None:
    assert codes(judge(effects(payment(1, asset=asset))))[0] == "asset-not-allowed"


# --- limits ----------------------------------------------------------------------------------------


def test_a_transfer_at_its_limit_is_allowed_and_one_unit_more_refused() -> None:
    assert not codes(judge(effects(payment(100))))
    decision = judge(effects(payment(101)))
    assert codes(decision) == ["over-transfer-limit"]
    assert str(decision.refusals[0]) == "0.000101 XRP in one transfer, at most 0.0001 XRP"


@pytest.mark.parametrize(("second", "refused"), [(50, []), (51, ["over-request-limit"])])
def test_the_payments_of_one_request_count_together_without_fees(second: int, refused: list[str]) -> None:
    decision = judge(effects(payment(100), fee=12), effects(payment(second), fee=12))
    assert codes(decision) == refused
    assert all(one.position == 1 for one in decision.refusals)


def test_payments_to_strangers_have_a_request_limit_of_their_own() -> None:
    assert not codes(judge(effects(payment(10, "rS1")), effects(payment(5, "rS2"))))
    assert codes(judge(effects(payment(10, "rS1")), effects(payment(6, "rS2")))) == ["over-request-limit"]


@pytest.mark.parametrize(
    ("bucket", "span", "before", "to", "refused"),
    [
        (ALL, "day", 289, "rHot", []), (ALL, "day", 290, "rHot", ["over-day-limit"]),
        (ALL, "epoch", 989, "rHot", []), (ALL, "epoch", 990, "rHot", ["over-epoch-budget"]),
        (ANY, "day", 10, "rS", []), (ANY, "day", 11, "rS", ["over-day-limit"]),
        (ANY, "epoch", 30, "rS", []), (ANY, "epoch", 31, "rS", ["over-epoch-budget"]),
        (ANY, "day", 11, "rHot", []), (ALL, "day", 290, "rS", ["over-day-limit"]),
    ],
)
def test_day_and_epoch_end_exactly_where_used_and_new_reach_their_limit(
    bucket: tuple[str, str, str, str], span: str, before: int, to: str, refused: list[str]
) -> None:
    usage = Usage(day={bucket: before}) if span == "day" else Usage(epoch={bucket: before})
    assert codes(judge(effects(payment(10, to), fee=1), usage=usage)) == refused


def test_a_fee_alone_can_exceed_day_and_epoch() -> None:
    usage = Usage(day={ALL: 300}, epoch={ALL: 1_000})
    assert codes(judge(tickets(fee=1), usage=usage)) == ["over-day-limit", "over-epoch-budget"]
    assert not codes(judge(tickets(fee=0), usage=usage))


def test_a_fee_in_an_asset_without_limits_is_refused() -> None:
    decision = judge(tickets(), policy=with_rule(limits={}, any_limits={}))
    assert codes(decision) == ["over-day-limit", "over-epoch-budget"]


def test_what_one_wallet_spends_leaves_another_ones_budget_alone() -> None:
    usage = Usage(day={ALL: 300}, epoch={ALL: 1_000}, free={"cold": 9})
    assert not codes(judge(tickets(source="rHot"), usage=usage))


def test_amounts_of_128_bits_are_added_exactly() -> None:
    huge = Limits(MOST_UNITS, MOST_UNITS, MOST_UNITS, MOST_UNITS)
    policy = with_rule(limits={"XRP": huge})
    assert not codes(judge(effects(payment(MOST_UNITS - 1), fee=1), policy=policy))
    assert codes(judge(effects(payment(MOST_UNITS), fee=1), policy=policy)) == ["over-day-limit", "over-epoch-budget"]
    both = judge(effects(payment(MOST_UNITS), fee=0), effects(payment(MOST_UNITS), fee=0), policy=policy)
    assert codes(both) == ["over-request-limit", "over-day-limit", "over-epoch-budget"]


def test_payments_that_were_counted_before_add_only_their_fee_but_keep_all_rules() -> None:
    again = effects(payment(100), payment(101, "rHot"), fee=3)
    decision = evaluate([Judged(again, ())], POLICY, Usage(), OWN, [0])
    assert codes(decision) == ["over-transfer-limit"]
    assert dict(decision.spends[0].sums) == {ALL: 3}


def test_two_equal_payments_of_one_transaction_count_twice() -> None:
    decision = judge(effects(payment(40), payment(40)))
    assert dict(decision.spends[0].sums) == {ALL: 81}


def test_a_fresh_payment_counts_by_what_it_says_and_not_by_which_object_it_is() -> None:
    decision = evaluate([Judged(effects(payment(40)), (payment(40),))], POLICY, Usage(), OWN, [0])
    assert dict(decision.spends[0].sums) == {ALL: 41}


# --- transactions that pay nothing -----------------------------------------------------------------


@pytest.mark.parametrize("one", [tickets(), effects(payment(0))])
def test_transactions_that_pay_nothing_have_a_number_of_their_own(one: Effects) -> None:
    assert not codes(judge(one, one))
    assert codes(judge(one, one, one)) == ["too-many-without-payment"]
    assert codes(judge(one, usage=Usage(free={"cold": 2}))) == ["too-many-without-payment"]


def test_transactions_that_pay_do_not_use_up_the_free_ones() -> None:
    assert not codes(judge(tickets(), effects(payment(1)), tickets()))


# --- who may sign ----------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["rCold2", "rListed"])
def test_a_change_of_who_may_sign_needs_the_administrators_and_a_known_key(key: str) -> None:
    decision = judge(key_change(key))
    assert not codes(decision)
    assert decision.administrators == POLICY.administrators_quorum
    assert decision.spends[0].everything
    assert "needs 2 administrators: it changes who may sign" in decision.lines


def test_a_removal_names_no_key_and_needs_the_administrators_all_the_same() -> None:
    assert judge(key_change()).administrators == POLICY.administrators_quorum


def test_every_foreign_key_is_named() -> None:
    decision = judge(key_change("rCold", "rEve", "rMallory"))
    assert codes(decision) == ["foreign-signing-key"] * 2
    assert ["rEve" in str(one) for one in decision.refusals] == [True, False]


def test_after_a_change_of_who_may_sign_the_wallet_counts_as_empty() -> None:
    decision = judge(key_change("rCold2"), effects(payment(1)))
    assert codes(decision) == ["over-epoch-budget"]
    assert decision.refusals[0].position == 1
    assert codes(judge(tickets(fee=0), usage=Usage(emptied={"cold"}))) == ["over-epoch-budget"]
    assert not codes(judge(effects(payment(1)), usage=Usage(emptied={"hot"})))


def test_a_rule_that_asks_nobody_still_needs_the_administrators_for_a_change_of_who_may_sign() -> None:
    assert judge(key_change(), policy=with_rule(automatic=True, approvals=0)).administrators == 2


# --- the decision ----------------------------------------------------------------------------------


def test_an_automatic_rule_asks_nobody_and_the_strictest_rule_of_a_request_counts() -> None:
    assert judge(tickets(source="rHot")).approvals == 0
    assert judge(tickets(source="rHot"), tickets()).approvals == 2


def test_the_lines_name_own_wallets_and_say_what_is_needed() -> None:
    assert judge(effects(payment(1))).lines == (
        "own wallet cold: rCold",
        "own wallet hot: rHot",
        "policy of epoch 3 allows it",
        "needs 2 approvals",
    )
    assert judge(effects(payment(1)), policy=with_rule(approvals=1)).lines[-1] == "needs 1 approval"


def test_the_lines_list_every_objection_with_its_transaction_and_code() -> None:
    lines = judge(tickets(), effects(payment(500), fee=13)).lines
    refused = [line for line in lines if line.startswith("REFUSED: #2 ")]
    assert [line.rpartition("[")[2] for line in refused] == [
        "over-transfer-limit]", "over-request-limit]", "fee-too-high]", "over-day-limit]",
    ]
    assert not any("allows" in line or "needs" in line for line in lines)


def test_positions_are_those_of_the_request_and_not_of_the_judged() -> None:
    bad = effects(payment(1), kind="escrow")
    decision = evaluate([Judged(bad, bad.payments)], POLICY, Usage(), OWN, [17])
    assert decision.refusals[0].position == 17


def test_judging_changes_nothing_that_it_was_given() -> None:
    usage = Usage(day={ALL: 1}, epoch={ALL: 2}, free={"cold": 1}, emptied={"spare"})
    before = usage.copy()
    judge(effects(payment(1)), tickets(), key_change(), usage=usage)
    assert usage == before


def test_nothing_to_judge_is_allowed_and_needs_nobody() -> None:
    decision = judge()
    assert (decision.refusals, decision.spends, decision.approvals, decision.administrators) == ((), (), 0, 0)
