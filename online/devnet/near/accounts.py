"""Actions on accounts and keys, with nearcore's rules and its names for what is wrong (ActionErrorKind)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from online.devnet.near import fees
from online.devnet.near.actions import (
    AccessKey,
    AddKey,
    CreateAccount,
    DeleteAccount,
    DeleteKey,
    DeployContract,
    Stake,
    Transfer,
)
from online.devnet.near.contracts import BY_HAND, ETH_WALLET
from online.devnet.near.receipts import Receipt, made_id
from online.devnet.near.running import Running
from online.devnet.near.state import Account
from online.devnet.near.texts import (
    NOBODYS_KEY,
    SYSTEM,
    implicit_key,
    is_born_by_transfer,
    is_eth,
    is_implicit,
)

REGISTRAR: Final = "registrar"
TOP_LEVEL_LENGTH_LEAST: Final = 65
STAKE_LEAST: Final = 10**28


class ActionError(Exception):
    """An action that cannot be done; `kind` is nearcore's ActionErrorKind in its JSON form."""

    def __init__(self, kind: Any) -> None:
        super().__init__(str(kind))
        self.kind = kind


def create_account(running: Running, _action: CreateAccount) -> None:
    """Make an account: a name below one's own, or a top one by the registrar."""
    name, actor = running.receipt.receiver, running.actor
    if running.view.account(name) is not None:
        raise ActionError({"AccountAlreadyExists": {"account_id": name}})
    if is_born_by_transfer(name):
        raise ActionError({"OnlyImplicitAccountCreationAllowed": {"account_id": name}})
    if "." not in name and len(name) < TOP_LEVEL_LENGTH_LEAST and actor != REGISTRAR:
        raise ActionError({"CreateAccountOnlyByRegistrar": {
            "account_id": name, "registrar_account_id": REGISTRAR, "predecessor_id": actor}})
    if "." in name and name.partition(".")[2] != actor:
        raise ActionError({"CreateAccountNotAllowed": {"account_id": name, "predecessor_id": actor}})
    running.view.write(("account", name), Account(0))
    running.actor = name


def transfer(running: Running, action: Transfer) -> None:
    """Give NEAR; an implicit, 0x or 0s account that is missing is born."""
    name, view = running.receipt.receiver, running.view
    if view.account(name) is not None:
        view.add(name, action.deposit)
        return
    view.write(("account", name), Account(action.deposit, code=ETH_WALLET if is_eth(name) else None))
    if is_implicit(name):
        view.put_key(name, implicit_key(name), AccessKey(running.first_nonce))


def add_key(running: Running, action: AddKey) -> None:
    """Give the account a key, whose nonce begins with the height."""
    name = running.receipt.receiver
    if running.view.key(name, action.key) is not None:
        raise ActionError({"AddKeyAlreadyExists": {"account_id": name, "public_key": action.key}})
    running.view.put_key(name, action.key, replace(action.access, nonce=running.first_nonce))


def delete_key(running: Running, action: DeleteKey) -> None:
    """Take a key from the account."""
    name = running.receipt.receiver
    if running.view.key(name, action.key) is None:
        raise ActionError({"DeleteKeyDoesNotExist": {"account_id": name, "public_key": action.key}})
    running.view.drop_key(name, action.key)


def deploy_contract(running: Running, action: DeployContract) -> None:
    """Put code on the account; this world stores it and cannot run it."""
    name = running.receipt.receiver
    account = running.view.must_have(name)
    running.view.update(name, code=BY_HAND, code_bytes=len(action.code),
                        storage_bytes=account.storage_bytes - account.code_bytes + len(action.code))


def stake(running: Running, action: Stake) -> None:
    """Refuse to stake: nobody here has enough to be a validator."""
    name = running.receipt.receiver
    if action.amount == 0:
        raise ActionError({"TriesToUnstake": {"account_id": name}})
    raise ActionError({"InsufficientStake": {
        "account_id": name, "stake": str(action.amount), "minimum_stake": str(STAKE_LEAST)}})


def delete_account(running: Running, action: DeleteAccount) -> None:
    """Delete the account; what it has goes to the beneficiary in a receipt from `system`."""
    name, account = running.receipt.receiver, running.view.must_have(running.receipt.receiver)
    if account.storage_bytes - account.code_bytes > fees.LARGE_STATE_BYTES:
        raise ActionError({"DeleteAccountWithLargeState": {"account_id": name}})
    if account.amount:
        running.receipts.append(Receipt(
            made_id(running.receipt.id, "legacy"), SYSTEM, action.beneficiary, SYSTEM, NOBODYS_KEY, 0,
            (Transfer(account.amount),), running.receipt.tx))
    running.view.drop_account(name)


ACTIONS: Final[Mapping[type, Callable[[Running, Any], None]]] = {
    CreateAccount: create_account, Transfer: transfer, AddKey: add_key, DeleteKey: delete_key,
    DeployContract: deploy_contract, Stake: stake, DeleteAccount: delete_account,
}
