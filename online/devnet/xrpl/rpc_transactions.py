"""What a node says of transactions: submit, simulate, tx."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from online.devnet.xrpl.faults import ConnectionLost
from online.devnet.xrpl.hashes import account_key, is_address
from online.devnet.xrpl.history import Record
from online.devnet.xrpl.meta import build_meta
from online.devnet.xrpl.pool import Submission
from online.devnet.xrpl.results import MESSAGES, SUCCESS, code_of, is_tec
from online.devnet.xrpl.rpc_forms import (
    Answer,
    Params,
    RpcError,
    compact_id,
    fields_for,
    ledger_of,
    meta_blob,
    placed_fields,
    whole_number,
)
from online.devnet.xrpl.transaction import NotATransaction, Transaction, from_fields
from online.devnet.xrpl.world import XrplWorld

MOST_LEDGERS_SEARCHED: Final = 1000


def submit(world: XrplWorld, params: Params) -> Answer:
    """Take a signed blob and say what the open ledger makes of it."""
    blob = _blob(params)
    loss = world.faults.take_next_submit()
    if loss == "request-lost":
        raise ConnectionLost
    before = world.pool.snapshot() if loss == "swallowed" else None
    try:
        submission = world.submit(blob, fail_hard=params.get("fail_hard") is True)
    except NotATransaction as problem:
        raise RpcError("invalidTransaction", error_exception=str(problem)) from problem
    if loss == "reply-lost":
        raise ConnectionLost
    answer = _submitted(world, submission)
    if before is not None:
        world.pool.return_to(before)
    return answer


def _blob(params: Params) -> bytes:
    if "tx_blob" not in params:
        raise RpcError("notSupported", "Signing is not supported by this server.")
    try:
        blob = bytes.fromhex(str(params["tx_blob"]))
    except ValueError as problem:
        raise RpcError("invalidParams") from problem
    if not blob:
        raise RpcError("invalidParams")
    return blob


def _submitted(world: XrplWorld, submission: Submission) -> Answer:
    tx = submission.tx
    accepted = submission.applied or submission.broadcast or submission.queued or submission.kept
    root = world.pool.state.get(account_key(tx.account))
    next_sequence = 0 if root is None else int(root["Sequence"])
    waiting = [other.sequence + 1 for other in world.pool.queued.values() if other.account == tx.account]
    return {
        "accepted": accepted, "account_sequence_available": max([next_sequence, *waiting]),
        "account_sequence_next": next_sequence, "applied": submission.applied,
        "broadcast": submission.broadcast, **_engine(submission.result), "kept": submission.kept,
        "open_ledger_cost": str(world.faults.crowded_fee_drops or world.rules.base_fee_drops),
        "queued": submission.queued, "tx_blob": tx.blob.hex().upper(),
        "tx_json": {**tx.fields, "hash": tx.id},
        "validated_ledger_index": world.validated_index,
    }


def _engine(result: str) -> Answer:
    return {"engine_result": result, "engine_result_code": code_of(result),
            "engine_result_message": MESSAGES[result]}


def simulate(world: XrplWorld, params: Params) -> Answer:
    """Say what an unsigned transaction would do; nothing is kept."""
    if not isinstance(params.get("tx_json"), Mapping):
        raise RpcError("invalidParams", "Invalid field 'tx_json', not object.")
    tx = _filled(world, params["tx_json"])
    outcome = world.simulate(tx)
    body: Answer = {"applied": False, **_engine(outcome.result), "ledger_index": world.open_index,
                    "tx_json": {**fields_for(tx.fields, 1), "hash": tx.id}}
    if outcome.result == SUCCESS:
        body["engine_result_message"] = "The simulated transaction would have been applied."
    if outcome.result == SUCCESS or is_tec(outcome.result):
        body["meta"] = build_meta(outcome, tx, 0)
    return body


def _filled(world: XrplWorld, given: Mapping[str, Any]) -> Transaction:
    for name in ("TransactionType", "Account"):
        if name not in given:
            raise RpcError("invalidParams", f"Missing field 'tx.{name}'.")
    fields = _unsigned(dict(given))
    if "DeliverMax" in fields:
        fields["Amount"] = fields.pop("DeliverMax")
    fields.setdefault("Fee", str(world.rules.base_fee_drops * (1 + len(fields.get("Signers", [])))))
    if "Sequence" not in fields:
        ticketed = "TicketSequence" in fields
        fields["Sequence"] = 0 if ticketed else _next_sequence(world, str(fields["Account"]))
    if world.rules.network_id > 1024:
        fields.setdefault("NetworkID", world.rules.network_id)
    try:
        return from_fields(fields)
    except NotATransaction as problem:
        raise RpcError("invalidTransaction", error_exception=str(problem)) from problem


def _unsigned(fields: dict[str, Any]) -> dict[str, Any]:
    fields.setdefault("SigningPubKey", "")
    signatures = [fields.pop("TxnSignature", "")]
    if "Signers" in fields:
        fields["Signers"] = [_blank_signer(item) for item in fields["Signers"]]
        signatures += [item["Signer"]["TxnSignature"] for item in fields["Signers"]]
    if any(signatures):
        raise RpcError("transactionSigned")
    return fields


def _blank_signer(item: object) -> dict[str, Any]:
    if not isinstance(item, Mapping) or not isinstance(item.get("Signer"), Mapping):
        raise RpcError("invalidParams", "Invalid field 'tx.Signers'.")
    return {"Signer": {"SigningPubKey": "", "TxnSignature": "", **item["Signer"]}}


def _next_sequence(world: XrplWorld, address: str) -> int:
    if not is_address(address):
        raise RpcError("srcActMalformed", "Invalid field 'tx.Account'.")
    root = world.pool.state.get(account_key(address))
    if root is None:
        raise RpcError("srcActNotFound")
    return int(root["Sequence"])


def tx(world: XrplWorld, params: Params) -> Answer:
    """Show a transaction by its hash, or say how thoroughly it was looked for."""
    span = _span(params)
    tx_id = _hash(params)
    version = int(params.get("api_version", 1))
    record = world.history.record(tx_id)
    if record is not None:
        return _validated(world, record, version, binary=params.get("binary") is True)
    pending = None if world.history.has_closed(tx_id) else world.pool.find(tx_id)
    if pending is not None:
        return _pending(pending, version)
    if span is None:
        raise RpcError("txnNotFound")
    raise RpcError("txnNotFound", searched_all=world.history.holds_all(*span))


def _hash(params: Params) -> str:
    value = params.get("transaction")
    if value is None:
        raise RpcError("invalidParams")
    if not isinstance(value, str) or len(value) != 64 or not set(value.upper()) <= set("0123456789ABCDEF"):
        raise RpcError("notImpl")
    return value.upper()


def _span(params: Params) -> tuple[int, int] | None:
    if "min_ledger" not in params and "max_ledger" not in params:
        return None
    if "min_ledger" not in params or "max_ledger" not in params:
        raise RpcError("invalidLgrRange")
    low = whole_number(params["min_ledger"], "min_ledger")
    high = whole_number(params["max_ledger"], "max_ledger")
    if low > high:
        raise RpcError("invalidLgrRange")
    if high - low > MOST_LEDGERS_SEARCHED:
        raise RpcError("excessiveLgrRange")
    return low, high


def _validated(world: XrplWorld, record: Record, version: int, *, binary: bool) -> Answer:
    fields = placed_fields(world, record, version)
    meta: Any = meta_blob(record.meta) if binary else record.meta
    if version == 1:
        if not binary:
            return {**fields, "meta": meta, "validated": True}
        names = ("ctid", "date", "hash", "inLedger", "ledger_index")
        kept: Answer = {name: fields[name] for name in names if name in fields}
        return {**kept, "meta": meta, "tx": record.tx.blob.hex().upper(), "validated": True}
    body = {**ledger_of(world, record), **compact_id(world, record), "hash": record.tx.id, "validated": True}
    if binary:
        return {**body, "meta_blob": meta, "tx_blob": record.tx.blob.hex().upper()}
    return {**body, "meta": meta, "tx_json": fields}


def _pending(found: Transaction, version: int) -> Answer:
    fields = fields_for(found.fields, version)
    if version == 1:
        return {**fields, "hash": found.id, "validated": False}
    return {"hash": found.id, "tx_json": fields, "validated": False}
