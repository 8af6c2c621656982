"""Hands signed bytes to nodes and words their first opinion: one transaction, or a commit and then its reveal.

Nothing here proves anything: only `watch` does. Safe to repeat: the same bytes have the same ids, and an output is
spent once. A commit goes out only where the node would take its reveal too, and the reveal only after the commit.
"""

from __future__ import annotations

from collections.abc import Sequence

from online.chains.api import Verdict
from online.chains.bitcoin.answers import Outpoint
from online.chains.bitcoin.client import RpcFault
from online.chains.bitcoin.node import Node
from shared.chains.bitcoin.transactions import Transaction, read_all, write
from shared.errors import BitcoinRefusal, NodeRefused, NodeUnreachable

_NO_BYTES, _MISSING, _REJECTED, _CONFIRMED = -22, -25, -26, -27
# Rules of the network itself, and signatures: no other node and no later time will see these bytes otherwise. Since
# Bitcoin Core 29 the mempool has one word for scripts that fail by rule or by policy; ours have no such policy.
_FOR_EVER = ("mandatory-script-verify-flag", "mempool-script-verify-flag", "bad-txns-in-belowout", "bad-txns-vout")
# Knots judges by these as by rules of the network (BIP110), and other nodes, which mine as well, do not.
_NOT_EVERYBODYS = ("OP_IF/NOTIF", "bad-txns-vout-script-toolarge")
_BEST_FIRST = ("accepted", "known", "later", "refused")


def submit(nodes: Sequence[Node], blob: bytes) -> Verdict:
    """Give the bytes to every node, and the most hopeful of their verdicts.

    A node that does not answer counts as "later": the bytes may have reached it.
    """
    try:
        transactions = read_all(blob, 2)
    except BitcoinRefusal as refusal:
        return Verdict("refused", str(refusal))
    verdicts = [_submit_to(node, transactions) for node in nodes]
    return min(verdicts, key=lambda verdict: _BEST_FIRST.index(verdict.kind))


def send_again(node: Node, transaction: Transaction) -> Verdict:
    """Hand one transaction to a node once more, and give what it says."""
    return _hand_over(node, transaction)


def _submit_to(node: Node, transactions: Sequence[Transaction]) -> Verdict:
    try:
        if len(transactions) == 1:
            return _hand_over(node, transactions[0])
        barred = _barred(node, transactions)
        if barred is not None:
            return barred
        first = _hand_over(node, transactions[0])
        if first.kind not in ("accepted", "known"):
            return Verdict(first.kind, f"commit: {first.text}")
        second = _hand_over(node, transactions[1])
        return Verdict(second.kind, f"commit {first.kind}; reveal {second.kind}: {second.text}")
    except (NodeUnreachable, NodeRefused) as problem:
        return Verdict("later", str(problem))


def _barred(node: Node, transactions: Sequence[Transaction]) -> Verdict | None:
    """Ask about both before the first goes out: a commit whose reveal no mempool takes would be stuck."""
    if _is_known(node, transactions[0].txid):
        return None
    reasons = node.objections([write(each) for each in transactions])
    if not reasons:
        return None
    words = f"nothing was sent, since not both would be taken: {'; '.join(reasons)}"
    return Verdict("refused" if _is_for_ever(reasons[0]) else "later", words)


def _is_known(node: Node, txid: str) -> bool:
    return node.find(txid) is not None or any(node.unspent([Outpoint(txid, 0), Outpoint(txid, 1)]))


def _hand_over(node: Node, transaction: Transaction) -> Verdict:
    txid = transaction.txid
    if _is_known(node, txid):
        return Verdict("known", f"{txid} is known to the node")
    fault = node.send(write(transaction))
    return Verdict("accepted", f"{txid} was taken") if fault is None else _worded(fault)


def _worded(fault: RpcFault) -> Verdict:
    words = f"{fault.words[:200]} ({fault.code})"
    if fault.code == _CONFIRMED:
        return Verdict("known", words)
    if fault.code == _NO_BYTES or (fault.code == _REJECTED and _is_for_ever(fault.words)):
        return Verdict("refused", words)
    if fault.code == _MISSING:
        return Verdict("later", f"{words}: an input is spent or not there yet; the ledger decides")
    # Fees, sizes, forms and conflicts are this node's rules of now.
    return Verdict("later", words)


def _is_for_ever(words: str) -> bool:
    return words.startswith(_FOR_EVER) and not any(each in words for each in _NOT_EVERYBODYS)
