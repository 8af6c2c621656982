"""Sending transactions, and what became of them."""

from __future__ import annotations

import contextlib
from typing import Any, Final

from online.devnet.near.actions import SignedTx
from online.devnet.near.blocks import Block
from online.devnet.near.faults import ConnectionLost
from online.devnet.near.receipts import Outcome
from online.devnet.near.rpc_forms import (
    Answer,
    Params,
    RpcError,
    from_base64,
    need,
    outcome_view,
    parse_error,
    receipt_view,
    status_view,
    strange_receipt,
    tx_view,
)
from online.devnet.near.seen import Seen
from online.devnet.near.texts import is_hash
from online.devnet.near.verify import InvalidTx
from online.devnet.near.wire import BadSignature, OtherVersion, Unreadable, read_signed
from online.devnet.near.world import NearWorld

WAITS: Final = ("NONE", "INCLUDED", "EXECUTED_OPTIMISTIC", "INCLUDED_FINAL", "EXECUTED", "FINAL")


class NotYet(Exception):
    """What was asked for has not come to be: the caller may ask again, and answers `error` when its patience ends."""

    def __init__(self, error: RpcError) -> None:
        super().__init__()
        self.error = error


def send_tx(world: NearWorld, params: Params) -> Answer:
    """Take a transaction; answer once it is as far as `wait_until` says.

    With NONE nothing is said of what is wrong with it: nearcore passes it on and does not look.

    Raises:
        RpcError: it cannot be included.
        NotYet: it is not so far.
        ConnectionLost: the node gives no answer.
    """
    wait, raw = _wait(params), from_base64(need(params, "signed_tx_base64", str))
    try:
        tx_id = read_signed_id(raw)
    except Unreadable as error:
        raise parse_error(f"Failed to decode transaction: {error}") from None
    if wait == "NONE":
        with contextlib.suppress(InvalidTx):
            _take(world, raw, tx_id)
        return {"final_execution_status": "NONE"}
    try:
        _take(world, raw, tx_id)
    except InvalidTx as invalid:
        raise _invalid(world, invalid) from None
    return _told(world, tx_id, wait)


def send_again(world: NearWorld, params: Params) -> Answer:
    """Answer a submission that was taken already, once it is as far as asked."""
    return _told(world, read_signed_id(from_base64(params["signed_tx_base64"])), _wait(params))


def read_signed_id(raw: bytes) -> str:
    """Give the id of what may be a signed transaction; a wrong signature or version is for later to say."""
    try:
        return read_signed(raw).id
    except BadSignature as bad:
        return str(bad)
    except OtherVersion:
        return ""


def _take(world: NearWorld, raw: bytes, tx_id: str) -> None:
    match world.faults.take_next_submit():
        case "request-lost":
            raise ConnectionLost
        case "timeout-lost":
            raise _timeout({"cause": "NOT_OBSERVED"})
        case "congested":
            raise InvalidTx({"ShardCongested": {"shard_id": 0, "congestion_level": 1.0}})
        case "swallowed":
            world.check(raw)
        case "reply-lost":
            world.submit(raw)
            raise ConnectionLost
        case "timeout":
            world.submit(raw)
            raise _timeout({"cause": "NOT_OBSERVED"})
        case None if tx_id in world.faults.forgotten:
            world.check(raw)
        case None:
            world.submit(raw)


def tx_status(world: NearWorld, params: Params) -> Answer:
    """Tell what became of a transaction, with its receipts.

    Raises:
        RpcError: the node does not know it, or says that it timed out.
        NotYet: it is not as far as asked.
    """
    wait = _wait(params)
    if "signed_tx_base64" in params:
        tx_id = read_signed_id(from_base64(need(params, "signed_tx_base64", str)))
    else:
        tx_id = need(params, "tx_hash", str)
        need(params, "sender_account_id", str)
        if not is_hash(tx_id):
            raise parse_error(f"Failed parsing args: invalid hash {tx_id!r}")
    if world.faults.timeouts:
        raise _timeout({"cause": "ERROR", "debug_info": "no answer from the view client"})
    if world.seen.tx(tx_id) is None:
        told = f"Transaction {tx_id} doesn't exist"
        raise NotYet(RpcError("UNKNOWN_TRANSACTION", {"requested_transaction_hash": tx_id}, data=told))
    return _told(world, tx_id, wait)


def tx(world: NearWorld, params: Params) -> Answer:
    """Tell what became of a transaction, without its receipts."""
    answer: dict[str, Any] = dict(tx_status(world, params))
    answer.pop("receipts", None)
    return answer


def receipt_to_tx(world: NearWorld, params: Params) -> Answer:
    """Tell which transaction a receipt came of."""
    receipt_id = need(params, "receipt_id", str)
    found = world.chain.tx_of(receipt_id)
    if found is None or world.seen.tx(found[0]) is None:
        raise RpcError("UNKNOWN_RECEIPT", {"receipt_id": receipt_id}, data=f"Receipt {receipt_id} is unknown")
    return {"transaction_hash": found[0], "sender_account_id": found[1]}


def _wait(params: Params) -> str:
    wait = params.get("wait_until", "EXECUTED_OPTIMISTIC")
    if wait not in WAITS:
        raise parse_error(f"Failed parsing args: unknown variant `{wait}` of wait_until")
    return str(wait)


def _told(world: NearWorld, tx_id: str, wait: str) -> Answer:
    seen = world.seen
    found = seen.tx(tx_id)
    if found is None:
        raise NotYet(_timeout({"cause": "NOT_OBSERVED"}))
    reached = _reached(seen, *found)
    answer = _whole(world, found[0], found[1], reached)
    if WAITS.index(reached) < WAITS.index(wait):
        raise NotYet(_timeout({"cause": "PENDING", "status": answer}))
    return answer


def _reached(seen: Seen, block: Block, tx: SignedTx) -> str:
    """Say how far a transaction is (nearcore: get_tx_execution_status)."""
    tree = list(seen.tree(tx.id))
    run = [found for receipt_id, found in tree if not _is_refund(seen, receipt_id)]
    refunds = [found for receipt_id, found in tree if _is_refund(seen, receipt_id)]
    if any(found is None for found in run):
        return "INCLUDED_FINAL" if seen.is_final(block) else "INCLUDED"
    if not seen.is_final(block):
        return "EXECUTED_OPTIMISTIC"
    everything = [*run, *refunds]
    if any(found is None or not seen.is_final(found[0]) for found in everything):
        return "EXECUTED"
    return "FINAL"


def _is_refund(seen: Seen, receipt_id: str) -> bool:
    receipt = seen.receipt(receipt_id)
    return receipt is not None and receipt.is_refund


def _whole(world: NearWorld, block: Block, tx: SignedTx, reached: str) -> Answer:
    seen = world.seen
    tree = list(seen.tree(tx.id))
    outcomes = [found for _, found in tree if found is not None]
    receipts = [receipt_view(receipt) for each, _ in tree if (receipt := seen.receipt(each)) is not None]
    own = seen.outcome(tx.id)
    assert own is not None
    answer = {"status": _final_status(seen, own[1]), "transaction": tx_view(tx),
              "transaction_outcome": outcome_view(*own), "receipts_outcome": [outcome_view(*each) for each in outcomes],
              "receipts": receipts, "final_execution_status": reached}
    if world.faults.legacy:
        del answer["final_execution_status"]
    return _made_strange(answer, block) if world.faults.strange else answer


def _final_status(seen: Seen, outcome: Outcome) -> Any:
    while outcome.returned.receipt is not None:
        found = seen.outcome(outcome.returned.receipt)
        if found is None:
            return "Started"
        outcome = found[1]
    return status_view(outcome.returned)


def _made_strange(answer: dict[str, Any], block: Block) -> Answer:
    answer["receipts"].append(strange_receipt(block))
    for each in answer["receipts_outcome"]:
        failure = each["outcome"]["status"].get("Failure")
        if failure is not None:
            each["outcome"]["status"] = {"Failure": {"FutureError": {"was": str(failure)}}}
    if isinstance(answer["status"], dict) and "Failure" in answer["status"]:
        answer["status"] = {"Failure": {"FutureError": {}}}
    return {**answer, "future_field": {"nested": [1, 2, 3]}}


def _timeout(info: Any) -> RpcError:
    return RpcError("TIMEOUT_ERROR", info, data="Timeout", message="Timeout")


def _invalid(world: NearWorld, invalid: InvalidTx) -> RpcError:
    if world.faults.strange:
        return RpcError("FUTURE_ERROR", {"detail": str(invalid)}, data={"FutureError": str(invalid)})
    return RpcError("INVALID_TRANSACTION", data={"TxExecutionError": {"InvalidTxError": invalid.error}})
