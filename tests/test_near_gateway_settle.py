"""What real answers of NEAR nodes settle to: credits, refunds, failures, burnt gas and token events.

The shared vectors' status documents are read and walked; then each is bent one field at a time, as a lying or
forgetful node would, and must no longer count.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from online.chains.near.events import token_moves
from online.chains.near.receipts import outcome_of, receipt_of, tx_status_of
from online.chains.near.settle import Settlement, settle
from shared.errors import NodeAnswerUnreadable
from tests.shared_vectors import cases, name_of

STATUS = [case for case in cases("near.json", "rpc_tx_status") if "expected" in case]
BARE = [case for case in cases("near.json", "rpc_tx_status") if "expected" not in case]
CONTRACT, ALICE, BOB = "usdt.tether-token.near", "alice.near", "bob.near"


def result_of(case: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = copy.deepcopy(case["rpc"]["result"])
    return answer


def settled(result: dict[str, Any]) -> Settlement:
    found = tx_status_of(result)
    assert found is not None
    return settle(found)


def moves(settlement: Settlement, kind: str) -> list[dict[str, Any]]:
    return [
        {
            "receipt_id": move.receipt,
            "action_index": move.action,
            "sender": move.sender,
            "receiver": move.receiver,
            "yocto": str(move.yocto),
        }
        for move in getattr(settlement, kind)
    ]


@pytest.mark.parametrize("case", STATUS, ids=name_of)
def test_a_status_document_settles_to_the_movements_that_happened(case: dict[str, Any]) -> None:
    wanted, settlement = case["expected"], settled(result_of(case))
    assert settlement.tx_hash == wanted["tx_hash"]
    assert moves(settlement, "credits") == wanted["credits"]
    assert moves(settlement, "refunds") == wanted["refunds"]
    assert str(settlement.burnt) == wanted["burnt"]
    failed = [(one.receipt, one.executor) for one in settlement.failed]
    assert failed == [(one["receipt_id"], one["executor"]) for one in wanted["failed_receipts"]]
    assert [move.receipt for move in settlement.tokens] == wanted["ft_events"] == []
    assert settlement.whole == (wanted["final"] == "FINAL")


@pytest.mark.parametrize("case", STATUS, ids=name_of)
def test_the_parts_of_a_status_are_whole_where_the_case_says_so(case: dict[str, Any]) -> None:
    found = tx_status_of(result_of(case))
    assert found is not None
    assert found.top == case["expected"]["tx_status"]
    assert list(found.missing) == case["expected"]["missing_outcomes"]
    assert list(found.unknown) == case["expected"]["unknown"]


@pytest.mark.parametrize("case", BARE, ids=name_of)
def test_a_status_without_an_outcome_says_nothing_of_the_transaction(case: dict[str, Any]) -> None:
    assert tx_status_of(result_of(case)) is None


def test_a_panic_of_a_token_is_named_by_its_words() -> None:
    case = next(case for case in STATUS if case["expected"]["failed_receipts"])
    failure = settled(result_of(case)).failed[-1].failure
    assert failure.name == "FunctionCallError"
    assert "doesn't have enough balance" in str(failure)


# --- bent answers ---------------------------------------------------------------------------------

FINAL = next(case for case in STATUS if case["expected"]["final"] == "FINAL") if STATUS else {}


def drop_last_outcome(result: dict[str, Any]) -> None:
    del result["receipts_outcome"][-1]


def drop_inner_receipt(result: dict[str, Any]) -> None:
    result["receipts"] = [one for one in result["receipts"] if one["predecessor_id"] != "evgeny.lockup.m0"]


def unknown_status(result: dict[str, Any]) -> None:
    result["receipts_outcome"][1]["outcome"]["status"] = "Unknown"


def repeat_outcome(result: dict[str, Any]) -> None:
    result["receipts_outcome"].append(result["receipts_outcome"][1])


def not_final(result: dict[str, Any]) -> None:
    result["final_execution_status"] = "EXECUTED"


def no_level(result: dict[str, Any]) -> None:
    del result["final_execution_status"]


@pytest.mark.skipif(not STATUS, reason="needs the shared vectors")
@pytest.mark.parametrize(
    ("bend", "words"),
    [
        (drop_last_outcome, "receipts without an outcome"),
        (drop_inner_receipt, "outcomes without a receipt"),
        (unknown_status, "neither success nor failure"),
        (repeat_outcome, "twice"),
        (not_final, "EXECUTED, not FINAL"),
        (no_level, "nothing, not FINAL"),
    ],
)
def test_an_answer_with_a_gap_settles_nothing(bend: Callable[[dict[str, Any]], None], words: str) -> None:
    result = result_of(FINAL)
    bend(result)
    settlement = settled(result)
    assert not settlement.whole
    assert words in settlement.gap


def fail_the_transfer(result: dict[str, Any]) -> None:
    result["receipts_outcome"][1]["outcome"]["status"] = {"Failure": {"ActionError": {"index": 0, "kind": "NewKind"}}}


def another_executor(result: dict[str, Any]) -> None:
    result["receipts_outcome"][1]["outcome"]["executor_id"] = "mallory.near"


def sent_by_system(result: dict[str, Any]) -> None:
    result["receipts"][1]["predecessor_id"] = "system"


def deleted_in_one_go(result: dict[str, Any]) -> None:
    actions = result["receipts"][1]["receipt"]["Action"]["actions"]
    actions.append({"DeleteAccount": {"beneficiary_id": "mallory.near"}})


def lie_at_the_top(result: dict[str, Any]) -> None:
    fail_the_transfer(result)
    result["status"] = {"SuccessValue": ""}


BENT = [fail_the_transfer, another_executor, sent_by_system, deleted_in_one_go, lie_at_the_top]


@pytest.mark.skipif(not STATUS, reason="needs the shared vectors")
@pytest.mark.parametrize("bend", BENT)
def test_what_did_not_arrive_by_the_rule_is_no_credit(bend: Callable[[dict[str, Any]], None]) -> None:
    result = result_of(FINAL)
    bend(result)
    assert settled(result).credits == ()


@pytest.mark.skipif(not STATUS, reason="needs the shared vectors")
def test_a_failure_at_the_top_does_not_hide_what_arrived() -> None:
    result = result_of(FINAL)
    result["status"] = {"Failure": {"ActionError": {"index": 0, "kind": "SomethingElse"}}}
    assert len(settled(result).credits) == 1


@pytest.mark.skipif(not STATUS, reason="needs the shared vectors")
def test_a_kind_of_action_receipt_or_status_that_is_not_known_breaks_nothing() -> None:
    result = result_of(FINAL)
    result["receipts"][0]["receipt"]["Action"]["actions"].append({"UniversalThing": {"deposit": "5", "x": [1]}})
    result["receipts"].append({**result["receipts"][0], "receipt_id": "1" * 43, "receipt": {"Distribution": {}}})
    result["something_new"] = {"a": 1}
    assert settled(result).whole
    assert len(settled(result).credits) == 1


@pytest.mark.skipif(not STATUS, reason="needs the shared vectors")
@pytest.mark.parametrize("amount", [1000, "1e3", "-1", "01", "", None, "1.0", str(2**128), " 1", "\u0661"])
def test_an_amount_that_is_no_plain_number_of_yocto_is_refused(amount: object) -> None:
    result = result_of(FINAL)
    result["receipts"][1]["receipt"]["Action"]["actions"][0]["Transfer"]["deposit"] = amount
    if amount is None:
        assert settled(result).credits[0].yocto == 0  # a Transfer of nothing moves nothing
        return
    with pytest.raises(NodeAnswerUnreadable):
        settled(result)


@pytest.mark.parametrize("value", [None, [], "x", {}, {"receipt_id": "1" * 43}, {"receipt": {}, "receipt_id": "0OIl"}])
def test_a_receipt_that_is_none_is_refused(value: object) -> None:
    with pytest.raises(NodeAnswerUnreadable):
        receipt_of(value)


# --- events ---------------------------------------------------------------------------------------


def logged(*lines: str) -> list[tuple[str, str, int, str | None]]:
    outcome = outcome_of({
        "id": "1" * 43,
        "block_hash": "2" * 43,
        "outcome": {
            "executor_id": CONTRACT,
            "status": {"SuccessValue": ""},
            "receipt_ids": [],
            "logs": list(lines),
            "tokens_burnt": "0",
        },
    })
    return [(move.old_owner, move.new_owner, move.units, move.memo) for move in token_moves(outcome)]


def event(data: object, standard: str = "nep141", name: str = "ft_transfer") -> str:
    return "EVENT_JSON:" + json.dumps({"standard": standard, "version": "1.0.0", "event": name, "data": data})


def entry(**change: object) -> dict[str, object]:
    return {"old_owner_id": ALICE, "new_owner_id": BOB, "amount": "7", **change}


def test_events_are_read_one_by_one_with_their_memos() -> None:
    two = event([entry(), entry(amount="9", memo="invoice 5")])
    assert logged("Transfer 7", two) == [(ALICE, BOB, 7, None), (ALICE, BOB, 9, "invoice 5")]


def test_what_is_burnt_goes_to_nobody() -> None:
    burnt = event([{"owner_id": BOB, "amount": "7", "memo": "refund"}], name="ft_burn")
    assert logged(burnt, event([entry()], name="ft_burn")) == [(BOB, "", 7, "refund")]


@pytest.mark.parametrize(
    "line",
    [
        "Transfer 10 from alice.near to bob.near",
        "EVENT_JSON:",
        "EVENT_JSON:[1]",
        "EVENT_JSON:" + "[" * 100_000,
        "event_json:" + event([entry()]).removeprefix("EVENT_JSON:"),
        " " + event([entry()]),
        event([entry()], standard="nep171"),
        event([entry()], name="ft_mint"),
        event(entry()),
        event(["x", None, 5]),
        event([entry(amount=7)]),
        event([entry(amount="7.0")]),
        event([entry(amount="-7")]),
        event([entry(amount="07")]),
        event([entry(amount=str(2**128))]),
        event([entry(amount="9" * 40)]),
        event([entry(new_owner_id=None)]),
        event([entry(old_owner_id=["a"])]),
    ],
)
def test_a_line_that_is_no_transfer_of_a_token_says_nothing(line: str) -> None:
    assert logged(line) == []
