"""Hands signed bytes to nodes and words their first opinion.

"accepted" means that a block has the transaction: only then may the next nonce of its lane follow. Nothing here
proves anything: only `watch` does. Safe to repeat: the same bytes have the same hash, and a nonce is used up once.
"""

from __future__ import annotations

from collections.abc import Sequence

from online.chains.api import Verdict
from online.chains.near.client import RpcFault
from online.chains.near.faults import fate_of, invalid_tx
from online.chains.near.node import Node
from online.chains.near.receipts import INCLUDED, TxStatus
from online.chains.near.relay import Relayer, wrap
from online.chains.near.wire import read_blob, read_delegated
from shared.chains.near.delegates import is_delegate
from shared.errors import NodeRefused, NodeUnreachable

_BEST_FIRST = ("accepted", "known", "later", "refused")


def submit(nodes: Sequence[Node], blob: bytes, relayer: Relayer | None = None) -> Verdict:
    """Give the bytes to the nodes until one shows them in a block, and the most hopeful of the verdicts.

    A node that does not answer counts as "later": the bytes may have reached it.

    Raises:
        NearRefusal: for bytes that are no signed transaction.
    """
    if is_delegate(blob):
        return _submit_delegate(nodes[0], blob, relayer)
    signed = read_blob(blob)
    verdicts = []
    for node in nodes:
        verdicts.append(_submit_to(node, blob, signed.tx_hash, signed.signer))
        if verdicts[-1].kind in ("accepted", "known"):
            break
    return min(verdicts, key=lambda verdict: _BEST_FIRST.index(verdict.kind))


def _submit_delegate(node: Node, blob: bytes, relayer: Relayer | None) -> Verdict:
    """Let the relayer carry out a delegate action, unless its nonce shows that it or another was."""
    delegated = read_delegated(blob)
    if relayer is None:
        text = "no relayer_file in the settings: carry the signed delegate action to a relayer as a file"
        return Verdict("refused", text)
    try:
        if node.newest_nonce(delegated.action.signer, delegated.key_text) >= delegated.action.nonce:
            return Verdict("known", "the key's nonce has reached the delegate action's; the ledger decides")
        outer = wrap(node, blob, relayer)
    except NodeUnreachable as problem:
        return Verdict("later", str(problem))
    return _submit_to(node, outer.blob, outer.tx_id, relayer.account)


def _submit_to(node: Node, blob: bytes, tx_hash: str, signer: str) -> Verdict:
    try:
        answer = node.send(blob, "INCLUDED")
        if isinstance(answer, TxStatus) and _in_block(answer, tx_hash):
            return Verdict("accepted", f"in block {answer.own.block_hash}")
        found = node.find(tx_hash, signer)
    except (NodeUnreachable, NodeRefused) as problem:
        return Verdict("later", str(problem))
    words = _words(answer)
    if isinstance(found, TxStatus) and _in_block(found, tx_hash):
        before = isinstance(answer, RpcFault) and answer.cause == "INVALID_TRANSACTION"
        return Verdict("known" if before else "accepted", f"in block {found.own.block_hash}")
    if isinstance(answer, RpcFault) and fate_of(answer) == "never":
        return Verdict("refused", words)
    return Verdict("later", f"{words} (not in a block yet; the ledger decides)")


def _in_block(found: TxStatus, tx_hash: str) -> bool:
    # Old nodes name no level; an outcome of the transaction itself stands in a block always.
    return found.sent.hash == tx_hash and (found.level is None or found.level in INCLUDED)


def _words(answer: TxStatus | RpcFault | None) -> str:
    if not isinstance(answer, RpcFault):
        return "handed over"
    name = invalid_tx(answer) if answer.cause == "INVALID_TRANSACTION" else answer.cause
    return f"{name} {answer.words}".strip()
