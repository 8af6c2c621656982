"""Whether a transaction may be included, in nearcore's order of checks, with its names for what is wrong.

The order is the answer: a transaction that is included already is InvalidNonce, and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from online.devnet.near import fees
from online.devnet.near.actions import (
    AccessKey,
    Action,
    Delegate,
    DeleteAccount,
    FunctionCall,
    SignedTx,
    call_gas_of,
)
from online.devnet.near.state import Sandbox

NONCES_PER_BLOCK: Final = 10**6
METHOD_NAME_MOST: Final = 256
ARGS_MOST: Final = 4_194_304
SIZE_MOST: Final = 1_572_864


class InvalidTx(ValueError):
    """A transaction that cannot be included; `error` is nearcore's InvalidTxError in its JSON form."""

    def __init__(self, error: Any) -> None:
        super().__init__(str(error))
        self.error = error


def check_form(tx: SignedTx) -> None:
    """Judge what the bytes alone show.

    Raises:
        InvalidTx: as nearcore names it.
    """
    if tx.size > SIZE_MOST:
        raise InvalidTx({"TransactionSizeExceeded": {"size": tx.size, "limit": SIZE_MOST}})
    error = actions_error(tx.actions)
    if error is not None:
        raise InvalidTx({"ActionsValidation": error})


def actions_error(actions: Sequence[Action]) -> Any:
    """Give nearcore's ActionsValidationError, None where the actions may stand together."""
    if len(actions) > fees.ACTIONS_MOST:
        return {"TotalNumberOfActionsExceeded": {"total_number_of_actions": len(actions), "limit": fees.ACTIONS_MOST}}
    if any(isinstance(action, DeleteAccount) for action in actions[:-1]):
        return "DeleteActionMustBeFinal"
    if sum(isinstance(action, Delegate) for action in actions) > 1:
        return "DelegateActionMustBeOnlyOne"
    for action in actions:
        error = actions_error(action.actions) if isinstance(action, Delegate) else _call_error(action)
        if error is not None:
            return error
    gas = sum(map(call_gas_of, actions))
    if gas > fees.GAS_MOST:
        return {"TotalPrepaidGasExceeded": {"total_prepaid_gas": gas, "limit": fees.GAS_MOST}}
    return None


def _call_error(action: Action) -> Any:
    if not isinstance(action, FunctionCall):
        return None
    if action.gas == 0:
        return "FunctionCallZeroAttachedGas"
    if len(action.method) > METHOD_NAME_MOST:
        return {"FunctionCallMethodNameLengthExceeded": {"length": len(action.method), "limit": METHOD_NAME_MOST}}
    if len(action.args) > ARGS_MOST:
        return {"FunctionCallArgumentsLengthExceeded": {"length": len(action.args), "limit": ARGS_MOST}}
    return None


def charge(tx: SignedTx, view: Sandbox, height: int, gas_price: int) -> fees.Cost:
    """Take a transaction's nonce and cost from the view, as inclusion at this height does.

    Raises:
        InvalidTx: as nearcore names it.
    """
    signer = view.account(tx.signer)
    if signer is None:
        raise InvalidTx({"SignerDoesNotExist": {"signer_id": tx.signer}})
    access = view.key(tx.signer, tx.key)
    if access is None:
        raise _key_error({"AccessKeyNotFound": {"account_id": tx.signer, "public_key": tx.key}})
    _check_nonce(tx.nonce, access, height)
    cost = fees.cost_of(tx, gas_price)
    if signer.amount < cost.total:
        raise InvalidTx({"NotEnoughBalance": {"signer_id": tx.signer, "balance": str(signer.amount),
                                              "cost": str(cost.total)}})
    view.add(tx.signer, -cost.total)
    view.write(("key", tx.signer, tx.key), _spent(tx, access, cost))
    missing = view.must_have(tx.signer).missing_for_state
    if missing:
        raise InvalidTx({"LackBalanceForState": {"signer_id": tx.signer, "amount": str(missing)}})
    return cost


def _check_nonce(nonce: int, access: AccessKey, height: int) -> None:
    if nonce <= access.nonce:
        raise InvalidTx({"InvalidNonce": {"tx_nonce": nonce, "ak_nonce": access.nonce}})
    if nonce >= height * NONCES_PER_BLOCK:
        raise InvalidTx({"NonceTooLarge": {"tx_nonce": nonce, "upper_bound": height * NONCES_PER_BLOCK}})


def _spent(tx: SignedTx, access: AccessKey, cost: fees.Cost) -> AccessKey:
    calls = access.calls
    if calls is None:
        return replace(access, nonce=tx.nonce)
    call = tx.actions[0] if len(tx.actions) == 1 else None
    if not isinstance(call, FunctionCall):
        raise _key_error("RequiresFullAccess")
    if call.deposit:
        raise _key_error("DepositWithFunctionCall")
    if tx.receiver != calls.receiver:
        raise _key_error({"ReceiverMismatch": {"tx_receiver": tx.receiver, "ak_receiver": calls.receiver}})
    if calls.methods and call.method not in calls.methods:
        raise _key_error({"MethodNameMismatch": {"method_name": call.method}})
    if calls.allowance is None:
        return replace(access, nonce=tx.nonce)
    if calls.allowance < cost.total:
        raise _key_error({"NotEnoughAllowance": {
            "account_id": tx.signer, "public_key": tx.key, "allowance": str(calls.allowance), "cost": str(cost.total)}})
    return AccessKey(tx.nonce, replace(calls, allowance=calls.allowance - cost.total))


def _key_error(error: Any) -> InvalidTx:
    return InvalidTx({"InvalidAccessKeyError": error})
