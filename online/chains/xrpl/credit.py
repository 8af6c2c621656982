"""What a validated transaction delivered: the one rule by which money that arrived may be credited.

It never reads Amount or DeliverMax of a payment whose delivered amount is told: a partial payment of
900 XRP may have delivered half of one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from shared.chains.xrpl.amounts import parse_drops
from shared.errors import BadAmount, NodeAnswerUnreadable

AMOUNT_COUNTS_FROM = 4_594_095
"""XRPL: the first ledger whose metadata tells DeliveredAmount wherever it differs from Amount."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """What arrived: drops of XRP, a token (not credited here), nothing, or nobody can say."""

    kind: Literal["xrp", "token", "nothing", "unavailable"]
    drops: int = 0


_NOTHING = Delivered("nothing")
_UNAVAILABLE = Delivered("unavailable")


def delivered(meta: Mapping[str, Any], tx: Mapping[str, Any], ledger_index: int) -> Delivered:
    """Say what a transaction of a validated ledger delivered, by its metadata and, last of all, its fields.

    Raises:
        NodeAnswerUnreadable: for an amount that is neither drops nor a token's.
    """
    if meta.get("TransactionResult") != "tesSUCCESS":
        return _NOTHING
    for name in ("delivered_amount", "DeliveredAmount"):
        if name in meta:
            return _read(meta[name])
    if tx.get("TransactionType") != "Payment":
        return _NOTHING
    if ledger_index >= AMOUNT_COUNTS_FROM and "Amount" in tx:
        return _read(tx["Amount"])
    return _UNAVAILABLE


def _read(amount: object) -> Delivered:
    if amount == "unavailable":
        return _UNAVAILABLE
    if isinstance(amount, dict):
        return Delivered("token")
    try:
        if isinstance(amount, str):
            return Delivered("xrp", parse_drops(amount))
    except BadAmount as problem:
        raise NodeAnswerUnreadable("a delivered amount that is no number of drops") from problem
    raise NodeAnswerUnreadable("a delivered amount that is neither drops nor a token's")
