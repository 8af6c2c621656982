"""What the actions of a transaction mean together, and which never stand together. One transaction is of one kind.

Here stands what the ledger or a contract would refuse, what loses money, and what this signer does not understand.
Whether it should be done is the policy's question.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from shared.chains.near import tokens
from shared.chains.near.accounts import AccountKind, account_kind
from shared.chains.near.addresses import check_network
from shared.chains.near.model import (
    Action,
    AddKey,
    Body,
    Delegate,
    DeleteKey,
    FunctionCall,
    KeysBody,
    PaymentBody,
    Registration,
    TokenCallBody,
    TokensBody,
    TokenTransfer,
    Transaction,
    Transfer,
)
from shared.errors import (
    NearActions,
    NearDelegateRefused,
    NearGas,
    NearKeyRefused,
    NearKeysMixed,
    NearMethodRefused,
    NearNonce,
    NearPaymentRefused,
    NearTokenRefused,
)

MOST_GAS: Final = 1_000 * 10**12
"""nearcore: max_total_prepaid_gas since protocol 83, in gas units."""

NONCES_A_HEIGHT: Final = 10**6
"""nearcore: a nonce is below a million times the height, or NonceTooLarge."""


def understand(inner: Transaction | Delegate, network: str) -> Body:
    """Read what a transaction or delegate action is for.

    Raises:
        NearActions: for kinds of actions that do not stand together.
        NearPaymentRefused, NearMethodRefused, NearGas, NearTokenArgs, NearDeposit, NearTokenRefused, NearMemoRefused,
        NearKeysMixed, NearKeyRefused, NearDelegateRefused: as the functions here and in `tokens` say.
        WrongNetwork, BadAddress: for accounts that cannot be meant.
    """
    check_network(inner.signer, network)
    _payable(inner.receiver, network)
    body: Body
    actions = inner.actions
    if all(isinstance(one, FunctionCall) for one in actions):
        body = _calls(inner, [one for one in actions if isinstance(one, FunctionCall)], network)
    elif any(isinstance(one, AddKey | DeleteKey) for one in actions):
        body = _keys(inner)
    else:
        body = _payment(inner, actions)
    if isinstance(inner, Delegate):
        _check_delegate(body)
    return body


def check_nonce(nonce: int, last_height: int) -> None:
    """Refuse a nonce that no block up to a height can take. Raises NearNonce."""
    if not 1 <= nonce < NONCES_A_HEIGHT * last_height:
        raise NearNonce(f"the nonce {nonce} is beyond what blocks up to {last_height} take")


def _payment(inner: Transaction | Delegate, actions: Sequence[Action]) -> PaymentBody:
    if len(actions) != 1 or not isinstance(actions[0], Transfer):
        raise NearActions("a payment of NEAR stands alone in its transaction")
    if inner.receiver == inner.signer:
        raise NearPaymentRefused("a payment to the account that pays")
    if actions[0].deposit == 0:
        raise NearPaymentRefused("a payment of nothing")
    return PaymentBody(inner.receiver, actions[0].deposit)


def _payable(account: str, network: str) -> None:
    if account_kind(account) in (AccountKind.SYSTEM, AccountKind.UNIVERSAL):
        raise NearPaymentRefused(f"{account} is {account_kind(account).value}, which nothing is sent to")
    check_network(account, network)


# --- token calls ----------------------------------------------------------------------------------


def _calls(inner: Transaction | Delegate, calls: Sequence[FunctionCall], network: str) -> TokensBody | TokenCallBody:
    for call in calls:
        if call.method not in tokens.METHODS:
            raise NearMethodRefused(f"the method {call.method[:60]!r} is never called here")
    if inner.receiver == inner.signer:
        raise NearTokenRefused("the token contract is the wallet itself")
    _check_gas(calls)
    if any(call.method == tokens.TRANSFER_CALL for call in calls):
        return _transfer_call(inner, calls, network)
    first = sum(call.method == tokens.REGISTER for call in calls)
    if any(call.method == tokens.REGISTER for call in calls[first:]):
        raise NearTokenRefused("registrations come before transfers")
    registrations = tuple(tokens.registration(call) for call in calls[:first])
    transfers = tuple(tokens.transfer(call) for call in calls[first:])
    for one in transfers:
        _check_receiver(inner, one.receiver, network)
    _check_registrations(inner, registrations, transfers, network)
    return TokensBody(inner.receiver, registrations, transfers)


def _transfer_call(inner: Transaction | Delegate, calls: Sequence[FunctionCall], network: str) -> TokenCallBody:
    if len(calls) != 1:
        raise NearActions("ft_transfer_call stands alone in its transaction")
    transfer, message = tokens.transfer_call(calls[0])
    _check_receiver(inner, transfer.receiver, network)
    return TokenCallBody(inner.receiver, transfer, message)


def _check_gas(calls: Sequence[FunctionCall]) -> None:
    each = calls[0].gas
    if any(call.gas != each for call in calls):
        raise NearGas("the calls have different gas, which no line of the review would show")
    if not 1 <= each <= MOST_GAS // len(calls):
        raise NearGas(f"{len(calls)} calls with {each} gas each; together they have 1 to {MOST_GAS}")


def _check_receiver(inner: Transaction | Delegate, receiver: str, network: str) -> None:
    _payable(receiver, network)
    if receiver == inner.signer:
        raise NearTokenRefused("a transfer to the account that pays, which the contract refuses")
    if receiver == inner.receiver:
        raise NearTokenRefused("a transfer to the token contract itself, where tokens are lost")


def _check_registrations(
    inner: Transaction | Delegate, found: Sequence[Registration], transfers: Sequence[TokenTransfer], network: str
) -> None:
    accounts = [one.account for one in found]
    if len(set(accounts)) != len(accounts):
        raise NearTokenRefused("an account is registered twice")
    for account in accounts:
        _payable(account, network)
    if transfers and not set(accounts) <= {one.receiver for one in transfers}:
        raise NearTokenRefused("an account is registered that receives nothing here")


# --- keys -----------------------------------------------------------------------------------------


def _keys(inner: Transaction | Delegate) -> KeysBody:
    if inner.receiver != inner.signer:
        raise NearKeysMixed("keys are added and deleted on the signing account itself and on no other")
    added = [one for one in inner.actions if isinstance(one, AddKey)]
    deleted = [one for one in inner.actions[len(added) :] if isinstance(one, DeleteKey)]
    if not added or [*added, *deleted] != list(inner.actions):
        raise NearKeysMixed("a key ceremony adds keys first, may then delete others, and does nothing else")
    new, old = tuple(one.public_key for one in added), tuple(one.public_key for one in deleted)
    if len({*new, *old}) != len(new) + len(old):
        raise NearKeyRefused("a key stands twice")
    if inner.public_key in new:
        raise NearKeyRefused("the signing key is added, which it is already")
    if any(one.nonce for one in added):
        raise NearKeyRefused("a new key states a nonce, which nodes ignore")
    return KeysBody(new, old)


def _check_delegate(body: Body) -> None:
    match body:
        case KeysBody(_, deleted) if deleted:
            return
        case TokensBody(_, registrations, _) if not registrations:
            return
    raise NearDelegateRefused("a delegate action transfers tokens or rotates keys, and attaches no deposits beside")
