"""Runs a delegate action (NEP-366): a relayer sent it and pays, the sender's key and nonce allow it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from online.devnet.near import fees
from online.devnet.near.accounts import ActionError
from online.devnet.near.actions import AccessKey, Delegate, FunctionCall
from online.devnet.near.receipts import Receipt, made_id
from online.devnet.near.running import Running
from online.devnet.near.texts import signed_by
from online.devnet.near.verify import NONCES_PER_BLOCK


def apply_delegate(running: Running, action: Delegate) -> None:
    """Check a delegate action and send its inner actions on, as the sender's, paid by the relayer.

    Raises:
        ActionError: it is not signed by the key, expired, for another account, or its nonce is spent.
    """
    if not signed_by(action.key, action.signature, action.payload):
        raise ActionError("DelegateActionInvalidSignature")
    if running.height > action.height_most:
        raise ActionError("DelegateActionExpired")
    if action.sender != running.receipt.receiver:
        raise ActionError({"DelegateActionSenderDoesNotMatchTxReceiver": {
            "sender_id": action.sender, "receiver_id": running.receipt.receiver}})
    _spend_nonce(running, action)
    sending = fees.sending_gas(action.actions, action.receiver, to_self=action.sender == action.receiver)
    running.gas_burnt += sending
    running.gas_given += fees.receipt_gas(action.actions, action.receiver)
    outer = running.receipt
    inner = Receipt(made_id(outer.id, "delegate", len(running.receipts)), action.sender, action.receiver, outer.signer,
                    outer.signer_key, outer.gas_price, action.actions, outer.tx)
    running.receipts.append(inner)
    running.returned = replace(running.returned, receipt=inner.id)


def _spend_nonce(running: Running, action: Delegate) -> None:
    access = running.view.key(action.sender, action.key)
    if access is None:
        raise _key_error({"AccessKeyNotFound": {"account_id": action.sender, "public_key": action.key}})
    if action.nonce <= access.nonce:
        raise ActionError({"DelegateActionInvalidNonce": {
            "delegate_nonce": action.nonce, "ak_nonce": access.nonce}})
    bound = running.height * NONCES_PER_BLOCK
    if action.nonce >= bound:
        raise ActionError({"DelegateActionNonceTooLarge": {"delegate_nonce": action.nonce, "upper_bound": bound}})
    _check_permission(action, access)
    running.view.write(("key", action.sender, action.key), replace(access, nonce=action.nonce))


def _check_permission(action: Delegate, access: AccessKey) -> None:
    if access.calls is None:
        return
    call = action.actions[0] if len(action.actions) == 1 else None
    if not isinstance(call, FunctionCall):
        raise _key_error("RequiresFullAccess")
    if call.deposit:
        raise _key_error("DepositWithFunctionCall")
    if action.receiver != access.calls.receiver:
        raise _key_error({"ReceiverMismatch": {
            "tx_receiver": action.receiver, "ak_receiver": access.calls.receiver}})
    if access.calls.methods and call.method not in access.calls.methods:
        raise _key_error({"MethodNameMismatch": {"method_name": call.method}})


def _key_error(error: Any) -> ActionError:
    return ActionError({"DelegateActionAccessKeyError": error})
