"""rippled's methods by name: one request in, one `result` out, errors in rippled's own form.

It knows nothing of HTTP or websockets. All methods are open, the owner's `ledger_accept` too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from online.devnet.xrpl import rpc_accounts, rpc_server, rpc_transactions
from online.devnet.xrpl.faults import ConnectionLost
from online.devnet.xrpl.rpc_forms import Answer, Params, RpcError
from online.devnet.xrpl.world import XrplWorld

Method = Callable[[XrplWorld, Params], Answer]

METHODS: Final[Mapping[str, Method]] = {
    "account_info": rpc_accounts.account_info, "account_objects": rpc_accounts.account_objects,
    "account_tx": rpc_accounts.account_tx, "deposit_authorized": rpc_accounts.deposit_authorized,
    "fee": rpc_server.fee, "ledger": rpc_server.ledger, "ledger_accept": rpc_server.ledger_accept,
    "ledger_closed": rpc_server.ledger_closed, "ledger_current": rpc_server.ledger_current,
    "ping": rpc_server.ping, "server_info": rpc_server.server_info, "server_state": rpc_server.server_state,
    "simulate": rpc_transactions.simulate, "submit": rpc_transactions.submit, "tx": rpc_transactions.tx,
}
_ABOUT_ITSELF: Final = frozenset({"ping", "server_info", "server_state"})
_NEEDS_AMENDMENTS: Final = frozenset(
    {"fee", "ledger_accept", "ledger_closed", "ledger_current", "simulate", "submit"})
_VERSIONS: Final = (1, 2)


def answer(world: XrplWorld, method: str, params: Mapping[str, Any]) -> Answer:
    """Give the `result` of a request, its `status` with it.

    Raises:
        ConnectionLost: the node gives no answer.
    """
    if world.faults.down:
        raise ConnectionLost
    try:
        with world.lock:
            _admit(world, method, params)
            return {**METHODS[method](world, params), "status": "success"}
    except RpcError as error:
        return {**error.body, "request": {**params, "command": method}, "status": "error"}


def _admit(world: XrplWorld, method: str, params: Params) -> None:
    version = params.get("api_version", 1)
    if version not in _VERSIONS or isinstance(version, bool):
        raise RpcError("invalid_API_version")
    if method not in METHODS:
        raise RpcError("unknownCmd")
    if world.faults.out_of_sync and method not in _ABOUT_ITSELF:
        raise RpcError("noNetwork" if version == 1 else "notSynced")
    if world.faults.amendment_blocked and method in _NEEDS_AMENDMENTS:
        raise RpcError("amendmentBlocked")
