"""Everything that changed the XRP of some accounts, from `account_tx` and the metadata of validated transactions.

What a transaction says it would do is never read: only the balances before and after it. A ledger that is validated
never changes, so that all of it is settled.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import partial
from typing import Any

from online.chains.api import Movement, Movements
from online.chains.xrpl.answers import Found, drops, text
from online.chains.xrpl.history import read_span
from online.chains.xrpl.node import Node
from shared.chains.xrpl.amounts import parse_drops
from shared.errors import BadAmount, HistoryMissing, NodeAnswerUnreadable
from shared.money import Asset

_FORMS = ("CreatedNode", "ModifiedNode", "DeletedNode")


def movements(node: Node, native: Asset, addresses: Collection[str], since: int) -> Movements:
    """Give the changes of some accounts above a ledger, in a span.

    Raises:
        HistoryMissing: when the node does not hold all of the ledgers. NodeUnreachable: when it does not answer.
    """
    status = node.status()
    if since >= status.height:
        return Movements((), status.height, status.height)
    if not status.ledgers.covers(since + 1, status.height):
        raise HistoryMissing(f"{node.name} does not hold all ledgers from {since + 1} to {status.height}")
    found, last = read_span(node, addresses, since + 1, status.height, partial(_movement, native))
    return Movements(tuple(found), last, last, more=last < status.height)


def changed(found: Found, address: str) -> int:
    """Give by how many drops a validated transaction changed an account's balance.

    Raises:
        NodeAnswerUnreadable: for metadata that does not tell it.
    """
    for form, node in affected(found):
        fields = node.get("NewFields" if form == "CreatedNode" else "FinalFields", {})
        if node.get("LedgerEntryType") == "AccountRoot" and fields.get("Account") == address:
            return _difference(form, fields, node.get("PreviousFields", {}))
    return 0


def affected(found: Found) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Give what a validated transaction made, changed or took away: which of these, and the node.

    Raises:
        NodeAnswerUnreadable: for metadata that does not tell it.
    """
    nodes = found.meta.get("AffectedNodes")
    if not isinstance(nodes, list):
        raise NodeAnswerUnreadable(f"the metadata of {found.tx_id} names no nodes")
    yield from map(_affected, nodes)


def payer(fields: Mapping[str, Any]) -> str:
    """Name the account that pays a transaction's fee: its delegate's, if it has one."""
    return text(fields, "Delegate" if "Delegate" in fields else "Account")


def _movement(native: Asset, found: Found, address: str) -> Movement | None:
    units = changed(found, address)
    fee = drops(found.fields, "Fee") if payer(found.fields) == address else 0
    return Movement(found.tx_id, found.height, address, native, units, fee) if units or fee else None


def _affected(each: object) -> tuple[str, Mapping[str, Any]]:
    if isinstance(each, dict):
        for form in _FORMS:
            node = each.get(form)
            if isinstance(node, dict):
                return form, node
    raise NodeAnswerUnreadable("an affected node that was neither made, changed nor taken away")


def _difference(form: str, fields: Mapping[str, Any], previous: Mapping[str, Any]) -> int:
    """XRPL: PreviousFields has a field only if it changed; a new account had nothing, a deleted one ends with 0."""
    try:
        after = parse_drops(str(fields.get("Balance", "0" if form == "CreatedNode" else None)))
        if form == "CreatedNode":
            return after
        return after - parse_drops(str(previous["Balance"])) if "Balance" in previous else 0
    except BadAmount as problem:
        raise NodeAnswerUnreadable("an account's balance that is no number of drops") from problem
