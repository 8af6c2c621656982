"""The most that a transaction can cost beside what it pays: gas, creation of an account, attached deposits.

Gas is bought at NEP-642's price of 0.001 NEAR a Tgas, ten times the lowest price, and what is not burnt comes back. The
action costs are those of nearcore's runtime parameters, sending and execution together, rounded up; where protocols
differ the dearer one stands. NEP-642's charge of 0.007 NEAR for a new account is taken from gas that is bought here. A
price of gas above 0.001 NEAR a Tgas, after hours of congestion, is not covered.

(Sources: nearcore core/parameters/res/runtime_configs/parameters.yaml; NEP-642; facts of autumn 2026.)
"""

from __future__ import annotations

from typing import Final

from shared.chains.near.accounts import CREATED_BY_PAYMENT, account_kind
from shared.chains.near.model import Action, AddKey, Delegate, FunctionCall, Transaction, Transfer

GAS_PRICE: Final = 10**9
"""yoctoNEAR for one unit of gas: NEP-642's min_gas_purchase_price, 0.001 NEAR a Tgas."""

_RECEIPT: Final = 220 * 10**9
_TRANSFER: Final = 240 * 10**9
_CREATION: Final = 8_000 * 10**9  # CreateAccount 7.7 Tgas and its full access key
_CALL: Final = 4_700 * 10**9
_CALL_BYTE: Final = 50 * 10**6
_ADD_KEY: Final = 210 * 10**9
_DELETE_KEY: Final = 190 * 10**9

PAYMENT_GAS: Final = _RECEIPT + _TRANSFER
"""The gas of a payment to an account that exists."""


def fee_most(inner: Transaction | Delegate) -> int:
    """Give the most that can be lost beside payments, in yoctoNEAR; of a delegate action nothing, the relayer pays."""
    if isinstance(inner, Delegate):
        return 0
    gas = _RECEIPT + sum(_gas(one, inner.receiver) for one in inner.actions)
    return gas * GAS_PRICE + attached(inner)


def attached(inner: Transaction | Delegate) -> int:
    """Give the deposits that are attached to calls, in yoctoNEAR: for storage, and the one yocto of each transfer."""
    return sum(one.deposit for one in inner.actions if isinstance(one, FunctionCall))


def _gas(action: Action, receiver: str) -> int:
    match action:
        case Transfer():
            return _TRANSFER + (_CREATION if account_kind(receiver) in CREATED_BY_PAYMENT else 0)
        case FunctionCall():
            return _CALL + _CALL_BYTE * (len(action.method) + len(action.args)) + action.gas
        case AddKey():
            return _ADD_KEY
        case _:
            return _DELETE_KEY
