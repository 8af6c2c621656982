"""Metadata: which objects a transaction made, changed or took away, in the shape of the XRP Ledger."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from online.devnet.xrpl.engine import Outcome
from online.devnet.xrpl.results import SUCCESS
from online.devnet.xrpl.state import Entry
from online.devnet.xrpl.transaction import Transaction

_THREAD: Final = frozenset({"PreviousTxnID", "PreviousTxnLgrSeq"})
Meta = dict[str, Any]


def build_meta(outcome: Outcome, tx: Transaction, position: int) -> Meta:
    """Describe an outcome before it is committed; `position` is the transaction's index in its ledger."""
    nodes = [_node(key, before, after, outcome) for key, before, after in outcome.view.changes()]
    meta: Meta = {"AffectedNodes": nodes, "TransactionIndex": position, "TransactionResult": outcome.result}
    if outcome.delivered_drops is not None and outcome.result == SUCCESS:
        # A plain payment keeps no DeliveredAmount; servers add the lower-case field when they answer.
        if tx.kind == "AccountDelete":
            meta["DeliveredAmount"] = str(outcome.delivered_drops)
        meta["delivered_amount"] = str(outcome.delivered_drops)
    return meta


def thread(outcome: Outcome, tx: Transaction, index: int) -> None:
    """Write into each object that remains which transaction touched it last."""
    for key, _, after in list(outcome.view.changes()):
        if after is not None:
            outcome.view.write(key, {**after, "PreviousTxnID": tx.id, "PreviousTxnLgrSeq": index})


def _node(key: str, before: Entry | None, after: Entry | None, outcome: Outcome) -> dict[str, Any]:
    if before is None and after is not None:
        told = {name: value for name, value in _fields(after).items() if _told(value)}
        kind = after["LedgerEntryType"]
        return {"CreatedNode": {"LedgerEntryType": kind, "LedgerIndex": key, "NewFields": told}}
    if before is not None and after is None:
        return {"DeletedNode": _deleted(key, before, outcome.view.last_form(key))}
    if before is None or after is None:
        raise LookupError("a change of nothing into nothing")
    return {"ModifiedNode": _modified(key, before, after)}


def _deleted(key: str, before: Entry, last: Entry) -> dict[str, Any]:
    final = {**_fields(last), **{name: last[name] for name in sorted(_THREAD) if name in last}}
    node = {"FinalFields": final, "LedgerEntryType": last["LedgerEntryType"], "LedgerIndex": key}
    previous = _previous(_fields(before), _fields(last))
    return {**node, "PreviousFields": previous} if previous else node


def _modified(key: str, before: Entry, after: Entry) -> dict[str, Any]:
    old, new = _fields(before), _fields(after)
    node = {"FinalFields": new, "LedgerEntryType": after["LedgerEntryType"], "LedgerIndex": key,
            "PreviousFields": _previous(old, new)}
    return {**node, **{name: before[name] for name in sorted(_THREAD) if name in before}}


def _previous(old: Entry, new: Entry) -> dict[str, Any]:
    return {name: value for name, value in old.items() if new.get(name) != value}


def _fields(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items()
            if name != "LedgerEntryType" and name not in _THREAD and not name.startswith("_")}


def _told(value: object) -> bool:
    # XRPL: a new object's fields with their default value are left out of NewFields.
    return value not in (0, "0", "")
