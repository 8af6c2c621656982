"""nearcore's methods by name: one JSON-RPC 2.0 request in, HTTP's status and one reply out.

It knows nothing of sockets. All methods are open, the owner's `devnet_...` too.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from online.devnet.near import rpc_blocks, rpc_query, rpc_transactions
from online.devnet.near.faucet import FAUCET
from online.devnet.near.faults import ConnectionLost
from online.devnet.near.rpc_forms import Answer, Params, RpcError, need, parse_error
from online.devnet.near.rpc_transactions import NotYet
from online.devnet.near.texts import is_account
from online.devnet.near.world import NearWorld

Method = Callable[[NearWorld, Params], Answer]
BETWEEN_LOOKS_SECONDS: Final = 0.02
TOKEN_DECIMALS: Final = 6
"""What a token has that is made by giving it."""


@contextmanager
def _told() -> Iterator[None]:
    """Answer what the owner may not do as a node's own trouble."""
    try:
        yield
    except ValueError as error:
        raise RpcError("INTERNAL_ERROR", {"error_message": str(error)}, data=str(error)) from None


def devnet_fund(world: NearWorld, params: Params) -> Answer:
    """Transfer from the faucet, for the owner of this world."""
    account, yocto = need(params, "account_id", str), need(params, "amount", str)
    if not is_account(account) or not yocto.isdigit():
        raise parse_error("Failed parsing args: invalid account_id or amount")
    with _told():
        return {"transaction_hash": world.fund(account, int(yocto))}


def devnet_create(world: NearWorld, params: Params) -> Answer:
    """Put a named account there that holds so many yoctoNEAR and has no key, for the owner of this world."""
    account, yocto = need(params, "account_id", str), need(params, "amount", str)
    with _told():
        world.create(account, (), int(yocto))
    return {"account_id": account}


def devnet_give(world: NearWorld, params: Params) -> Answer:
    """Make units of a token for an account, for the owner of this world; the contract is made where there is none."""
    account, contract, units = (need(params, name, str) for name in ("account_id", "contract_id", "amount"))
    with _told():
        if not is_account(account) or not units.isdigit():
            raise ValueError(f"no account or no units: {account[:70]!r} {units[:50]!r}")
        if not world.exists(contract):
            world.deploy_token(contract, TOKEN_DECIMALS, FAUCET, 0)
        world.give(contract, {account: int(units)})
    return {"contract_id": contract}


def devnet_advance(world: NearWorld, params: Params) -> Answer:
    """Make blocks, for the owner of this world."""
    return {"height": world.advance(need(params, "blocks", int))}


# Each method with the names of its arguments, for those who give them by position.
METHODS: Final[Mapping[str, tuple[Method, tuple[str, ...]]]] = {
    "status": (rpc_blocks.status, ()), "block": (rpc_blocks.block, ("block_id",)),
    "chunk": (rpc_blocks.chunk, ("chunk_id",)), "gas_price": (rpc_blocks.gas_price, ("block_id",)),
    "block_effects": (rpc_blocks.block_effects, ("block_id",)),
    "EXPERIMENTAL_changes_in_block": (rpc_blocks.block_effects, ("block_id",)),
    "changes": (rpc_blocks.changes, ()), "EXPERIMENTAL_changes": (rpc_blocks.changes, ()),
    "EXPERIMENTAL_protocol_config": (rpc_blocks.protocol_config, ()), "query": (rpc_query.query, ()),
    "send_tx": (rpc_transactions.send_tx, ("signed_tx_base64",)),
    "tx": (rpc_transactions.tx, ("tx_hash", "sender_account_id")),
    "tx_status": (rpc_transactions.tx_status, ("tx_hash", "sender_account_id")),
    "EXPERIMENTAL_tx_status": (rpc_transactions.tx_status, ("tx_hash", "sender_account_id")),
    "EXPERIMENTAL_receipt_to_tx": (rpc_transactions.receipt_to_tx, ("receipt_id",)),
    "devnet_fund": (devnet_fund, ("account_id", "amount")), "devnet_advance": (devnet_advance, ("blocks",)),
    "devnet_create": (devnet_create, ("account_id", "amount")),
    "devnet_give": (devnet_give, ("account_id", "contract_id", "amount")),
}


def answer(world: NearWorld, method: str, given: Any) -> Answer:
    """Give the result of one call; `given` are arguments by name, or by position where nearcore takes them so.

    Raises:
        ConnectionLost: the node gives no answer.
        RpcError: as nearcore words it.
    """
    if world.faults.down:
        raise ConnectionLost
    if method not in METHODS:
        raise RpcError("METHOD_NOT_FOUND", {"method_name": method}, data=method, message="Method not found",
                       code=-32601, kind="REQUEST_VALIDATION_ERROR")
    call, names = METHODS[method]
    return _patiently(world, call, _arguments(given, names))


def _arguments(given: Any, names: tuple[str, ...]) -> Params:
    if given is None or given == []:
        return {}
    if isinstance(given, list) and len(given) <= len(names):
        return dict(zip(names, given, strict=False))
    if not isinstance(given, dict):
        raise parse_error("Failed parsing args: params must be an object")
    return given


def _patiently(world: NearWorld, call: Method, params: Params) -> Answer:
    until = time.monotonic() + world.pace.patience_seconds
    while True:
        try:
            with world.lock:
                return call(world, params)
        except NotYet as not_yet:
            if time.monotonic() >= until:
                raise not_yet.error from None
        if call is rpc_transactions.send_tx:
            call = rpc_transactions.send_again
        time.sleep(BETWEEN_LOOKS_SECONDS)


def http_answer(world: NearWorld, body: bytes) -> tuple[int, bytes]:
    """Give HTTP's status and the reply to a request.

    Raises:
        ConnectionLost: the node gives no answer.
    """
    if world.faults.down:
        raise ConnectionLost
    request = _request(body)
    if request is None:
        error = parse_error("Failed parsing request")
        return error.status, _reply(None, error=error.body)
    try:
        result = answer(world, request["method"], request.get("params"))
    except RpcError as refused:
        return refused.status, _reply(request, error=refused.body)
    return 200, _reply(request, result=result)


def _request(body: bytes) -> Mapping[str, Any] | None:
    try:
        request = json.loads(body)
    except ValueError:
        return None
    return request if isinstance(request, dict) and isinstance(request.get("method"), str) else None


def _reply(request: Mapping[str, Any] | None, **told: Any) -> bytes:
    name = None if request is None else request.get("id")
    return json.dumps({"jsonrpc": "2.0", "id": name, **told}).encode()
