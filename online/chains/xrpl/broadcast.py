"""Hands signed bytes to nodes and words their first opinion.

Nothing here proves anything: only `watch` does. Safe to repeat: the same bytes have the same id, and a
Sequence or ticket is used up once.
"""

from __future__ import annotations

from collections.abc import Sequence

from online.chains.api import Verdict
from online.chains.xrpl.answers import NotFound, Submitted
from online.chains.xrpl.node import Node
from shared.chains.xrpl.signing import transaction_id
from shared.errors import NodeRefused, NodeUnreachable

# XRPL: what a node says of a Sequence or ticket that is used up, by these very bytes or by others.
_USED_UP = ("tefPAST_SEQ", "tefNO_TICKET", "tefALREADY")
_BEST_FIRST = ("accepted", "known", "later", "refused")


def submit(nodes: Sequence[Node], blob: bytes) -> Verdict:
    """Give the bytes to every node, and the most hopeful of their verdicts.

    A node that does not answer counts as "later": the bytes may have reached it.
    """
    verdicts = [_submit_to(node, blob) for node in nodes]
    return min(verdicts, key=lambda verdict: _BEST_FIRST.index(verdict.kind))


def _submit_to(node: Node, blob: bytes) -> Verdict:
    try:
        submitted = node.submit(blob)
        if isinstance(submitted, str):
            return Verdict("refused", submitted)
        return _verdict(node, submitted, transaction_id(blob))
    except (NodeUnreachable, NodeRefused) as problem:
        return Verdict("later", str(problem))


def _verdict(node: Node, submitted: Submitted, tx_id: str) -> Verdict:
    result = submitted.result
    words = f"{result}: {submitted.message}" if submitted.message else result
    if result in _USED_UP:
        if isinstance(node.find(tx_id), NotFound):
            return Verdict("later", f"{words} (this transaction is not known; the ledger decides)")
        return Verdict("known", words)
    if result == "tesSUCCESS" or submitted.queued:
        return Verdict("accepted", words)
    if result.startswith("tem"):
        return Verdict("refused", words)
    # tel and ter are about now, tef is about a state that may change; with fail_hard a tec was not sent on.
    return Verdict("later", words)
