"""nearcore's JSON forms: errors with their causes, actions, receipts, outcomes, and the ways to name a block."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any, Final

from online.devnet.near.actions import (
    AccessKey,
    Action,
    AddKey,
    CreateAccount,
    Delegate,
    DeleteAccount,
    DeleteKey,
    DeployContract,
    FunctionCall,
    SignedTx,
    Stake,
    Transfer,
)
from online.devnet.near.blocks import Block
from online.devnet.near.receipts import AnyReceipt, DataReceipt, Outcome, Returned, made_id
from online.devnet.near.seen import Seen

Answer = Any
Params = Mapping[str, Any]

# nearcore answers 200 with most errors; the cause decides.
_STATUS_OF: Final = {"TIMEOUT_ERROR": 408, "UNKNOWN_BLOCK": 422, "UNKNOWN_CHUNK": 422, "INTERNAL_ERROR": 500}


class RpcError(Exception):
    """An error answer: `cause` is what a client should look at; the rest is as old clients know it."""

    def __init__(self, cause: str, info: Any = None, *, data: Any = None, message: str = "Server error",
                 kind: str = "HANDLER_ERROR", code: int = -32000) -> None:
        super().__init__(cause)
        self.status = 400 if kind == "REQUEST_VALIDATION_ERROR" else _STATUS_OF.get(cause, 200)
        self.body = {"name": kind, "cause": {"name": cause, "info": {} if info is None else info}, "code": code,
                     "message": message, **({} if data is None else {"data": data})}


def parse_error(why: str) -> RpcError:
    """Say that a request's parameters do not parse."""
    return RpcError("PARSE_ERROR", {"error_message": why}, data=why, message="Parse error", code=-32700,
                    kind="REQUEST_VALIDATION_ERROR")


def need(params: Params, name: str, kind: type) -> Any:
    """Give a parameter that must be there.

    Raises:
        RpcError: it is missing or of another kind.
    """
    value = params.get(name)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise parse_error(f"Failed parsing args: missing or invalid field `{name}`")
    return value


def from_base64(text: str) -> bytes:
    """Read Base64.

    Raises:
        RpcError: it is none.
    """
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise parse_error(f"Failed to decode base64: {error}") from None


def to_base64(data: bytes) -> str:
    """Write Base64."""
    return base64.b64encode(data).decode()


# --- blocks -------------------------------------------------------------------------------------------


def choose_block(seen: Seen, params: Params) -> Block:
    """Give the block that a request names by finality, height or hash.

    Raises:
        RpcError: the node has no such block; a skipped height is none.
    """
    if "block_id" in params and params["block_id"] is not None:
        return _by_id(seen, params["block_id"])
    if params.get("sync_checkpoint") is not None:
        return seen.chain.first if params["sync_checkpoint"] == "genesis" else seen.oldest
    match params.get("finality"):
        case "optimistic":
            return seen.head
        case "near-final":
            return seen.near_final
        case "final":
            return seen.final
        case other:
            raise parse_error(f"Failed parsing args: unknown finality {other!r}")


def _by_id(seen: Seen, block_id: Any) -> Block:
    if isinstance(block_id, bool) or not isinstance(block_id, int | str):
        raise parse_error(f"Failed parsing args: invalid block_id {block_id!r}")
    block = seen.at(block_id) if isinstance(block_id, int) else seen.by_hash(block_id)
    if block is None:
        named = f"HEIGHT: {block_id}" if isinstance(block_id, int) else f"HASH: {block_id}"
        raise RpcError("UNKNOWN_BLOCK", data=f"DB Not Found Error: BLOCK {named} \n Cause: Unknown")
    return block


# --- transactions and receipts ------------------------------------------------------------------------


def permission_view(access: AccessKey) -> Any:
    """Show what a key may do."""
    if access.calls is None:
        return "FullAccess"
    calls = access.calls
    return {"FunctionCall": {"allowance": None if calls.allowance is None else str(calls.allowance),
                             "receiver_id": calls.receiver, "method_names": list(calls.methods)}}


def key_view(access: AccessKey) -> Answer:
    """Show a key's nonce and what it may do."""
    return {"nonce": access.nonce, "permission": permission_view(access)}


def _delegate_view(action: Delegate) -> Answer:
    inner = {"sender_id": action.sender, "receiver_id": action.receiver,
             "actions": [{"CreateAccount": {}} if isinstance(each, CreateAccount) else action_view(each)
                         for each in action.actions],
             "nonce": action.nonce, "max_block_height": action.height_most, "public_key": action.key}
    return {"Delegate": {"delegate_action": inner, "signature": action.signature}}


_VIEWS: Final[Mapping[type, Callable[[Any], Answer]]] = {
    CreateAccount: lambda _: "CreateAccount",
    DeployContract: lambda each: {"DeployContract": {"code": to_base64(each.code)}},
    FunctionCall: lambda each: {"FunctionCall": {
        "method_name": each.method, "args": to_base64(each.args), "gas": each.gas, "deposit": str(each.deposit)}},
    Transfer: lambda each: {"Transfer": {"deposit": str(each.deposit)}},
    Stake: lambda each: {"Stake": {"stake": str(each.amount), "public_key": each.key}},
    AddKey: lambda each: {"AddKey": {"public_key": each.key, "access_key": key_view(each.access)}},
    DeleteKey: lambda each: {"DeleteKey": {"public_key": each.key}},
    DeleteAccount: lambda each: {"DeleteAccount": {"beneficiary_id": each.beneficiary}},
    Delegate: _delegate_view,
}


def action_view(action: Action) -> Answer:
    """Show an action."""
    return _VIEWS[type(action)](action)


def tx_view(tx: SignedTx) -> Answer:
    """Show a signed transaction."""
    return {"signer_id": tx.signer, "public_key": tx.key, "nonce": tx.nonce, "receiver_id": tx.receiver,
            "actions": [action_view(each) for each in tx.actions], "priority_fee": 0, "signature": tx.signature,
            "hash": tx.id}


def receipt_view(receipt: AnyReceipt) -> Answer:
    """Show a receipt."""
    head = {"predecessor_id": receipt.predecessor, "priority": 0, "receipt_id": receipt.id,
            "receiver_id": receipt.receiver}
    if isinstance(receipt, DataReceipt):
        data = None if receipt.data is None else to_base64(receipt.data)
        return {**head, "receipt": {"Data": {"data_id": receipt.data_id, "data": data, "is_promise_resume": False}}}
    receivers = [{"data_id": data_id, "receiver_id": to} for data_id, to in receipt.data_to]
    return {**head, "receipt": {"Action": {
        "actions": [action_view(each) for each in receipt.actions], "gas_price": str(receipt.gas_price),
        "input_data_ids": list(receipt.waits_for), "is_promise_yield": False, "output_data_receivers": receivers,
        "refund_to": None, "signer_id": receipt.signer, "signer_public_key": receipt.signer_key}}}


def status_view(returned: Returned) -> Answer:
    """Show what an execution came to."""
    if returned.error is not None:
        return {"Failure": {"ActionError": returned.error}}
    if returned.receipt is not None:
        return {"SuccessReceiptId": returned.receipt}
    return {"SuccessValue": to_base64(returned.value)}


def outcome_view(block: Block, outcome: Outcome) -> Answer:
    """Show an outcome and where it happened; the proof is a stand-in of the real one's form."""
    return {"id": outcome.id, "block_hash": block.hash,
            "proof": [{"direction": "Right", "hash": made_id(outcome.id, "proof")}],
            "outcome": {"executor_id": outcome.executor, "gas_burnt": outcome.gas_burnt, "logs": list(outcome.logs),
                        "metadata": {"gas_profile": None, "version": 1}, "receipt_ids": list(outcome.receipts),
                        "status": status_view(outcome.returned), "tokens_burnt": str(outcome.burnt)}}


def strange_receipt(block: Block) -> Answer:
    """Make a receipt of a kind that no client knows yet."""
    unknown = {"FuturePayload": {"actions": [{"FutureAction": {"deposit": "7" * 24}}]}}
    return {"predecessor_id": "future.near", "priority": 0, "receipt_id": made_id(block.hash, "strange"),
            "receiver_id": "future.near", "receipt": unknown, "future_field": True}

