"""What things cost: gas of protocol 86, prices in yoctoNEAR for one gas, and the bytes that an account stakes for.

Source of the numbers: nearcore 2.13, runtime parameters of protocol 86 (with NEP-448, NEP-491 and NEP-642).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from online.devnet.near.actions import (
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
    call_gas_of,
    deposit_of,
)
from online.devnet.near.texts import is_born_by_transfer, is_implicit

GAS_PRICE_LEAST: Final = 10**8
PURCHASE_PRICE_LEAST: Final = 10**9
ACCOUNT_CREATION_CHARGE: Final = 7 * 10**21
REWARD_PERCENT: Final = 30
"""The share of a call's burnt gas that goes to the contract's account."""
GAS_MOST: Final = 10**15
ACTIONS_MOST: Final = 100
STAKE_PER_BYTE: Final = 10**19
FREE_BYTES: Final = 770
ACCOUNT_BYTES: Final = 100
RECORD_BYTES: Final = 40
FULL_KEY_BYTES: Final = 9
LARGE_STATE_BYTES: Final = 10_000


@dataclass(frozen=True, slots=True)
class Fee:
    """The gas of one thing: to send it to oneself, to send it to another, and to do it."""

    to_self: int
    to_other: int
    doing: int

    def sending(self, *, to_self: bool) -> int:
        """Give the gas of sending."""
        return self.to_self if to_self else self.to_other


RECEIPT: Final = Fee(108_059_500_000, 108_059_500_000, 108_059_500_000)
CREATE_ACCOUNT: Final = Fee(500_000_000_000, 500_000_000_000, 7_200_000_000_000)
DEPLOY: Final = Fee(184_765_750_000, 184_765_750_000, 184_765_750_000)
DEPLOY_BYTE: Final = Fee(6_812_999, 47_683_715, 64_572_944)
CALL: Final = Fee(200_000_000_000, 200_000_000_000, 780_000_000_000)
CALL_BYTE: Final = Fee(2_235_934, 47_683_715, 2_235_934)
TRANSFER: Final = Fee(115_123_062_500, 115_123_062_500, 115_123_062_500)
STAKE: Final = Fee(141_715_687_500, 141_715_687_500, 102_217_625_000)
ADD_FULL_KEY: Final = Fee(101_765_125_000, 101_765_125_000, 101_765_125_000)
ADD_CALL_KEY: Final = Fee(102_217_625_000, 102_217_625_000, 102_217_625_000)
ADD_CALL_KEY_BYTE: Final = Fee(1_925_331, 47_683_715, 1_925_331)
DELETE_KEY: Final = Fee(94_946_625_000, 94_946_625_000, 94_946_625_000)
DELETE_ACCOUNT: Final = Fee(147_489_000_000, 147_489_000_000, 147_489_000_000)
DELEGATE: Final = Fee(200_000_000_000, 200_000_000_000, 200_000_000_000)


@dataclass(frozen=True, slots=True)
class Cost:
    """What including a transaction takes from its signer, in gas and yoctoNEAR."""

    burnt_gas: int
    kept_gas: int
    burnt: int
    purchase_price: int
    deposit: int

    @property
    def total(self) -> int:
        """All that must be there before."""
        return self.burnt + self.kept_gas * self.purchase_price + self.deposit


def cost_of(tx: SignedTx, gas_price: int) -> Cost:
    """Price a transaction: sending burns at the block's price, the rest is bought at NEP-642's."""
    to_self = tx.signer == tx.receiver
    burnt_gas = RECEIPT.sending(to_self=to_self) + sending_gas(tx.actions, tx.receiver, to_self=to_self)
    return Cost(burnt_gas, receipt_gas(tx.actions, tx.receiver), burnt_gas * gas_price, purchase_price(gas_price),
                sum(map(deposit_of, tx.actions)))


def purchase_price(gas_price: int) -> int:
    """Give the price at which gas is bought ahead (NEP-642)."""
    return max(gas_price, PURCHASE_PRICE_LEAST)


def sending_gas(actions: Iterable[Action], receiver: str, *, to_self: bool) -> int:
    """Give the gas that is burnt where actions are sent off."""
    gas = 0
    for action in actions:
        gas += sum(fee.sending(to_self=to_self) * times for fee, times in _fees(action, receiver))
        if isinstance(action, Delegate):
            gas += sending_gas(action.actions, action.receiver, to_self=to_self)
    return gas


def inner_sending_gas(actions: Iterable[Action]) -> int:
    """Give the gas kept back for sending on what is inside delegate actions."""
    return sum(sending_gas(each.actions, each.receiver, to_self=each.sender == each.receiver)
               for each in actions if isinstance(each, Delegate))


def doing_gas(action: Action, receiver: str) -> int:
    """Give the gas that doing one action burns, its call's own gas apart."""
    return sum(fee.doing * times for fee, times in _fees(action, receiver))


def receipt_gas(actions: Iterable[Action], receiver: str) -> int:
    """Give the gas that a receipt is bought with: doing all its actions, and what they attach to calls."""
    actions = tuple(actions)
    gas = RECEIPT.doing + inner_sending_gas(actions) + sum(map(call_gas_of, actions))
    for action in actions:
        gas += doing_gas(action, receiver)
        if isinstance(action, Delegate):
            gas += RECEIPT.doing + sum(doing_gas(inner, action.receiver) for inner in action.actions)
    return gas


def _fees(action: Action, receiver: str) -> list[tuple[Fee, int]]:
    match action:
        case CreateAccount():
            return [(CREATE_ACCOUNT, 1)]
        case DeployContract(code):
            return [(DEPLOY, 1), (DEPLOY_BYTE, len(code))]
        case FunctionCall(method, args):
            return [(CALL, 1), (CALL_BYTE, len(method.encode()) + len(args))]
        case Transfer():
            born = [(CREATE_ACCOUNT, 1)] if is_born_by_transfer(receiver) else []
            return [(TRANSFER, 1), *born, *([(ADD_FULL_KEY, 1)] if is_implicit(receiver) else [])]
        case Stake():
            return [(STAKE, 1)]
        case AddKey(_, access):
            if access.calls is None:
                return [(ADD_FULL_KEY, 1)]
            return [(ADD_CALL_KEY, 1), (ADD_CALL_KEY_BYTE, sum(len(each) + 1 for each in access.calls.methods))]
        case DeleteKey():
            return [(DELETE_KEY, 1)]
        case DeleteAccount():
            return [(DELETE_ACCOUNT, 1)]
        case Delegate():
            return [(DELEGATE, 1)]


def stake_needed(storage_bytes: int) -> int:
    """Give the balance that so many bytes need; the first 770 are free (NEP-448)."""
    return 0 if storage_bytes <= FREE_BYTES else storage_bytes * STAKE_PER_BYTE
