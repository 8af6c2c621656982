"""Questions about the state after a block: accounts, keys, and contract methods that only look."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from online.devnet.near.actions import AccessKey
from online.devnet.near.blocks import Block
from online.devnet.near.rpc_blocks import account_view
from online.devnet.near.rpc_forms import (
    Answer,
    Params,
    RpcError,
    choose_block,
    from_base64,
    key_view,
    need,
    parse_error,
)
from online.devnet.near.state import Account
from online.devnet.near.texts import is_account, is_key
from online.devnet.near.world import NearWorld

KEYS_A_PAGE: Final = 100


def query(world: NearWorld, params: Params) -> Answer:
    """Answer a question about one account at one block."""
    ask = _ASK.get(str(params.get("request_type")))
    if ask is None:
        raise parse_error(f"Failed parsing args: unknown request_type {params.get('request_type')!r}")
    found = choose_block(world.seen, params)
    return {**ask(world, found, params), **_place(found)}


def _place(found: Block) -> Answer:
    return {"block_hash": found.hash, "block_height": found.height}


def _account(found: Block, params: Params, name: str = "account_id") -> tuple[str, Account]:
    who = need(params, name, str)
    info = {**_place(found), "requested_account_id": who}
    if not is_account(who):
        raise parse_error(f"Failed parsing args: invalid account id {who!r}")
    account = found.ledger.state.get(("account", who))
    if account is None:
        raise RpcError("UNKNOWN_ACCOUNT", info, data=f"account {who} does not exist while viewing")
    return who, account


def _view_account(_world: NearWorld, found: Block, params: Params) -> Answer:
    return account_view(_account(found, params)[1])


def _view_access_key(world: NearWorld, found: Block, params: Params) -> Answer:
    # nearcore looks for the key without looking for the account, and `query` tells a missing one as a result.
    who, key = need(params, "account_id", str), need(params, "public_key", str)
    if not is_key(key):
        raise parse_error(f"Failed parsing args: invalid public key {key!r}")
    access = found.ledger.state.get(("key", who, key))
    if access is None:
        told = f"access key {key} does not exist while viewing"
        if world.faults.structured:
            raise RpcError("UNKNOWN_ACCESS_KEY", {**_place(found), "public_key": key}, data=told)
        return {"error": told, "logs": []}
    return key_view(access)


def _view_access_key_list(world: NearWorld, found: Block, params: Params) -> Answer:
    who, _ = _account(found, params)
    keys: dict[str, AccessKey] = {key[2]: value for key, value in sorted(found.ledger.state.items())
                                  if key[:2] == ("key", who)}
    limit, after = params.get("limit"), params.get("after_key")
    if limit is None and after is None and len(keys) > KEYS_A_PAGE:
        raise RpcError("TOO_MANY_ACCESS_KEYS",
                       {**_place(found), "requested_account_id": who, "limit": KEYS_A_PAGE},
                       data=f"account {who} has more than {KEYS_A_PAGE} access keys")
    rest = [key for key in keys if after is None or key > after]
    page = rest[:KEYS_A_PAGE if limit is None else min(int(limit), KEYS_A_PAGE)]
    rows = [{"public_key": key, "access_key": key_view(keys[key])} for key in page]
    if world.faults.strange:
        future = {"nonce": 0, "permission": {"FuturePermission": {"balance": "1"}}}
        rows.append({"public_key": "future-hash:" + "1" * 32, "access_key": future})
    return {"keys": rows, **({"last_key": page[-1]} if len(page) < len(rest) else {})}


def _call_function(world: NearWorld, found: Block, params: Params) -> Answer:
    who, account = _account(found, params)
    args = from_base64(need(params, "args_base64", str))
    if account.code is None:
        raise RpcError("NO_CONTRACT_CODE", {**_place(found), "contract_account_id": who},
                       data=f"Contract code for contract ID #{who} has never been observed on the node")
    answer = world.look(found, who, need(params, "method_name", str), args)
    if answer.error is None:
        return {"result": list(answer.value or b"null"), "logs": list(answer.call.logs)}
    told = f"wasm execution failed with error: {_worded(answer.error)}"
    if world.faults.structured:
        info = {**_place(found), "error": answer.error, "vm_error": told}
        raise RpcError("CONTRACT_EXECUTION_ERROR", info, data=told)
    return {"error": told, "logs": []}


def _worded(error: Any) -> str:
    if isinstance(error, dict) and "ExecutionError" in error:
        return f"ExecutionError({error['ExecutionError']!r})"
    name, inner = next(iter(error.items()))
    return f"{name}({inner if isinstance(inner, str) else next(iter(inner))})"


_ASK: Final[Mapping[str, Callable[[NearWorld, Block, Params], Answer]]] = {
    "view_account": _view_account, "view_access_key": _view_access_key,
    "view_access_key_list": _view_access_key_list, "call_function": _call_function,
}
