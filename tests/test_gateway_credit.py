"""The rule of crediting, against what real ledgers and servers answered."""

from __future__ import annotations

from typing import Any

import pytest

from online.chains.xrpl.credit import AMOUNT_COUNTS_FROM, Delivered, delivered
from shared.errors import NodeAnswerUnreadable
from tests.shared_vectors import cases, name_of

PAYMENT = {"TransactionType": "Payment", "Amount": "900000000", "DeliverMax": "900000000"}
DONE = {"TransactionResult": "tesSUCCESS"}


def expected(case: dict[str, Any]) -> Delivered:
    value = case["delivered_amount_expected"]
    if value is None:
        return Delivered("nothing")
    if isinstance(value, dict):
        return Delivered("token")
    return Delivered("unavailable") if value == "unavailable" else Delivered("xrp", int(value))


@pytest.mark.parametrize("case", cases("xrpl.json", "mainnet_meta"), ids=name_of)
def test_a_mainnet_transaction_credits_what_its_metadata_delivered(case: dict[str, Any]) -> None:
    meta = case.get("meta") or case["meta_partial"]
    assert delivered(meta, case["tx_json"], case["ledger_index"]) == expected(case)


@pytest.mark.parametrize("case", cases("xrpl.json", "api_v2_meta"), ids=name_of)
def test_an_answer_with_deliver_max_credits_the_delivered_amount_alone(case: dict[str, Any]) -> None:
    assert delivered(case["meta"], case["tx_json"], 22_420_000) == expected(case)


@pytest.mark.parametrize("case", cases("xrpl.json", "xrpld_api_response"), ids=name_of)
@pytest.mark.parametrize("form", ["api_v1", "api_v2", "account_tx_v2"])
def test_each_form_of_a_servers_answer_credits_the_same(case: dict[str, Any], form: str) -> None:
    answer = case[form]
    assert delivered(answer["meta"], answer.get("tx_json", answer), answer["ledger_index"]) == expected(case)


@pytest.mark.parametrize(
    ("meta", "tx", "height", "arrived"),
    [
        ({**DONE, "DeliveredAmount": "7"}, PAYMENT, 1, Delivered("xrp", 7)),
        ({**DONE, "delivered_amount": "5", "DeliveredAmount": "7"}, PAYMENT, 1, Delivered("xrp", 5)),
        (DONE, PAYMENT, AMOUNT_COUNTS_FROM, Delivered("xrp", 900_000_000)),
        (DONE, PAYMENT, AMOUNT_COUNTS_FROM - 1, Delivered("unavailable")),
        (
            DONE,
            {"TransactionType": "Payment", "DeliverMax": "9"},
            AMOUNT_COUNTS_FROM,
            Delivered("unavailable"),
        ),
        ({**DONE, "delivered_amount": "8"}, {"TransactionType": "CheckCash"}, 9, Delivered("xrp", 8)),
        ({**DONE, "delivered_amount": "8"}, {"TransactionType": "AccountDelete"}, 9, Delivered("xrp", 8)),
        (DONE, {"TransactionType": "OfferCreate", "Amount": "8"}, AMOUNT_COUNTS_FROM, Delivered("nothing")),
        ({"TransactionResult": "tecPATH_DRY", "delivered_amount": "8"}, PAYMENT, 9, Delivered("nothing")),
        ({}, PAYMENT, AMOUNT_COUNTS_FROM, Delivered("nothing")),
    ],
)
def test_the_delivered_amount_comes_before_metadata_and_amount(
    meta: dict[str, Any], tx: dict[str, Any], height: int, arrived: Delivered
) -> None:
    assert delivered(meta, tx, height) == arrived


@pytest.mark.parametrize(
    "amount", [5, 5.0, " 5", "+5", "05", "1_000", "5.0", "\u0665", "-5", "", None, ["5"]]
)
def test_an_amount_that_is_no_plain_number_of_drops_is_refused(amount: object) -> None:
    with pytest.raises(NodeAnswerUnreadable):
        delivered({**DONE, "delivered_amount": amount}, PAYMENT, 9)
