"""Runs one receipt: all of its actions or none, then the refunds, as nearcore's runtime does (apply_action_receipt)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from online.devnet.near import fees
from online.devnet.near.accounts import ACTIONS, ActionError
from online.devnet.near.actions import (
    Action,
    CreateAccount,
    Delegate,
    DeleteAccount,
    FunctionCall,
    Transfer,
    deposit_of,
)
from online.devnet.near.contracts import CONTRACTS
from online.devnet.near.delegates import apply_delegate
from online.devnet.near.hosting import Answer, Call, run
from online.devnet.near.receipts import (
    AnyReceipt,
    DataReceipt,
    Outcome,
    Receipt,
    Returned,
    made_id,
    refund,
)
from online.devnet.near.running import Running
from online.devnet.near.state import Sandbox


@dataclass(slots=True)
class Done:
    """What running a receipt came to: its outcome, and the receipts that go on from it."""

    outcome: Outcome
    receipts: list[AnyReceipt] = field(default_factory=list)


def run_receipt(view: Sandbox, receipt: Receipt, height: int, gas_price: int,
                results: tuple[bytes | None, ...]) -> Done:
    """Run a receipt on a view that is committed afterwards whatever became of it."""
    running = Running(view, receipt, height, results)
    existed = view.account(receipt.receiver) is not None
    if not receipt.is_refund:
        running.gas_burnt = fees.RECEIPT.doing
    error = _run_actions(running) or _lacking_state(running)
    if error is not None:
        view.rollback()
        running.receipts.clear()
        running.returned = Returned(error=error)
    created = error is None and not existed and view.account(receipt.receiver) is not None
    return _settle(running, gas_price, created=created)


def _run_actions(running: Running) -> Any:
    for index, action in enumerate(running.receipt.actions):
        if not running.receipt.is_refund:
            running.gas_burnt += fees.doing_gas(action, running.receipt.receiver)
        try:
            running.returned = Returned()
            _check_actor(running, action)
            _APPLY.get(type(action), _apply_plain)(running, action)
        except ActionError as error:
            return {"index": index, "kind": error.kind}
    return None


def _check_actor(running: Running, action: Action) -> None:
    receiver, account = running.receipt.receiver, running.view.account(running.receipt.receiver)
    if account is None:
        born = isinstance(action, Transfer) and running.may_be_born
        if not born and not isinstance(action, CreateAccount):
            raise ActionError({"AccountDoesNotExist": {"account_id": receiver}})
    elif isinstance(action, _BY_OWNER) and running.actor != receiver:
        raise ActionError({"ActorNoPermission": {"account_id": receiver, "actor_id": running.actor}})


def _apply_plain(running: Running, action: Action) -> None:
    ACTIONS[type(action)](running, action)


def _apply_call(running: Running, action: FunctionCall) -> None:
    name = running.receipt.receiver
    running.view.add(name, action.deposit)
    code = running.view.must_have(name).code
    call = Call(running.view, name, running.receipt.predecessor, running.receipt.signer, action.deposit, action.gas,
                {}, running.results)
    answer = run(CONTRACTS.get(code) if code is not None else None, name, action.method, action.args, call)
    running.logs += call.logs
    running.gas_burnt += call.gas_burnt
    running.call_gas_burnt += call.gas_burnt
    if answer.error is not None:
        raise ActionError({"FunctionCallError": answer.error})
    running.gas_given += call.gas_given
    made = _promised(running, answer)
    running.receipts += made
    then = None if answer.then is None else made[answer.then]
    running.returned = Returned(answer.value, None if then is None else then.id)


def _promised(running: Running, answer: Answer) -> list[Receipt]:
    parent, promises = running.receipt, answer.call.promises
    first = len(running.receipts)
    ids = [made_id(parent.id, "promise", first + index) for index in range(len(promises))]
    made = [Receipt(ids[index], parent.receiver, each.receiver, parent.signer, parent.signer_key, parent.gas_price,
                    each.actions, parent.tx) for index, each in enumerate(promises)]
    for index, each in enumerate(promises):
        if each.after is not None:
            data_id = made_id(ids[each.after], "data")
            made[index] = replace(made[index], waits_for=(data_id,))
            made[each.after] = replace(made[each.after], data_to=((data_id, each.receiver),))
    if answer.then is not None and parent.data_to:
        # Who waits for this receipt's value waits for the one that will give it.
        made[answer.then] = replace(made[answer.then], data_to=made[answer.then].data_to + parent.data_to)
    return made


_APPLY: Final[dict[type, Callable[[Running, Any], None]]] = {FunctionCall: _apply_call, Delegate: apply_delegate}
_BY_OWNER: Final = tuple(kind for kind in ACTIONS if kind not in (Transfer, CreateAccount)) + (DeleteAccount,)


def _lacking_state(running: Running) -> Any:
    account = running.view.account(running.receipt.receiver)
    if account is None or not account.missing_for_state:
        return None
    lacking = {"account_id": running.receipt.receiver, "amount": str(account.missing_for_state)}
    return {"index": None, "kind": {"LackBalanceForState": lacking}}


def _settle(running: Running, gas_price: int, *, created: bool) -> Done:
    receipt, view, failed = running.receipt, running.view, running.returned.error is not None
    given = 0 if failed else running.gas_given
    burn_price = min(gas_price, receipt.gas_price)
    charge = max(fees.ACCOUNT_CREATION_CHARGE - burn_price * fees.CREATE_ACCOUNT.doing, 0) if created else 0
    if receipt.is_refund:
        charge = 0
    burnt = running.gas_burnt * burn_price + charge
    _burn(view, receipt, burnt, running.call_gas_burnt * burn_price * fees.REWARD_PERCENT // 100)
    refunds = _refunds(running, given, charge + running.gas_burnt * burn_price, failed=failed)
    _give_back_allowance(view, receipt, failed=failed)
    made: list[AnyReceipt] = [*running.receipts, *refunds]
    outcome = Outcome(receipt.id, receipt.receiver, running.returned, running.gas_burnt, burnt, tuple(running.logs),
                      tuple(each.id for each in made))
    return Done(outcome, made + _data(running))


def _burn(view: Sandbox, receipt: Receipt, burnt: int, reward: int) -> None:
    if reward and view.account(receipt.receiver) is not None:
        view.add(receipt.receiver, reward)
        burnt -= reward
    if burnt:
        view.burn(burnt)


def _refunds(running: Running, gas_given: int, spent: int, *, failed: bool) -> list[Receipt]:
    receipt = running.receipt
    deposit = sum(map(deposit_of, receipt.actions))
    if receipt.is_refund:
        if failed:
            # A refund that nobody is there to take is burnt (nearcore: other_burnt_amount).
            running.view.burn(deposit)
        return []
    made = []
    if failed and deposit:
        made.append(refund(receipt, "deposit-refund", receipt.predecessor, deposit, of_gas=False))
    bought = fees.receipt_gas(receipt.actions, receipt.receiver)
    gas = (bought - gas_given) * receipt.gas_price - spent
    if gas > 0:
        made.append(refund(receipt, "gas-refund", receipt.signer, gas, of_gas=True))
    return made


def _give_back_allowance(view: Sandbox, receipt: Receipt, *, failed: bool) -> None:
    if not receipt.is_refund or failed or receipt.signer != receipt.receiver:
        return
    access = view.key(receipt.receiver, receipt.signer_key)
    if access is None or access.calls is None or access.calls.allowance is None:
        return
    back = sum(map(deposit_of, receipt.actions))
    calls = replace(access.calls, allowance=access.calls.allowance + back)
    view.write(("key", receipt.receiver, receipt.signer_key), replace(access, calls=calls))


def _data(running: Running) -> list[AnyReceipt]:
    if running.returned.receipt is not None:
        return []
    data = None if running.returned.error is not None else running.returned.value
    receipt = running.receipt
    return [DataReceipt(made_id(data_id, "arrives"), receipt.receiver, to, data_id, data, receipt.tx)
            for data_id, to in receipt.data_to]
