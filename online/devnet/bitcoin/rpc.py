"""bitcoind's methods by name: one request in, one reply out, alone or in batches, in JSON-RPC 1 and 2.

It knows nothing of HTTP but the status that bitcoind gives with a reply. All methods are open, the owner's too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from online.devnet.bitcoin import rpc_chain, rpc_mempool, rpc_mining, rpc_submit
from online.devnet.bitcoin.faults import ConnectionLost
from online.devnet.bitcoin.mempool import Rejected
from online.devnet.bitcoin.rpc_forms import (
    BAD_PARAMETER,
    BAD_REQUEST,
    MISC,
    NO_METHOD,
    PARSE,
    TRANSACTION_REJECTED,
    Answer,
    Params,
    RpcError,
    encode,
)
from online.devnet.bitcoin.world import BitcoinWorld

Method = Callable[[BitcoinWorld, Params], Answer]

# Each method with the names of its arguments in their order; those before "|" must be given.
METHODS: Final[Mapping[str, tuple[Method, str]]] = {
    "getblockchaininfo": (rpc_chain.getblockchaininfo, "|"), "getnetworkinfo": (rpc_chain.getnetworkinfo, "|"),
    "uptime": (rpc_chain.uptime, "|"), "getblockcount": (rpc_chain.getblockcount, "|"),
    "getbestblockhash": (rpc_chain.getbestblockhash, "|"), "getchaintips": (rpc_chain.getchaintips, "|"),
    "getblockhash": (rpc_chain.getblockhash, "height|"),
    "getblockheader": (rpc_chain.getblockheader, "blockhash|verbose"),
    "getblock": (rpc_chain.getblock, "blockhash|verbosity"),
    "gettxout": (rpc_chain.gettxout, "txid n|include_mempool"),
    "scantxoutset": (rpc_chain.scantxoutset, "action|scanobjects"),
    "validateaddress": (rpc_chain.validateaddress, "address|"),
    "getrawtransaction": (rpc_mempool.getrawtransaction, "txid|verbosity blockhash"),
    "getmempoolentry": (rpc_mempool.getmempoolentry, "txid|"),
    "getrawmempool": (rpc_mempool.getrawmempool, "|verbose mempool_sequence"),
    "gettxspendingprevout": (rpc_mempool.gettxspendingprevout, "outputs|"),
    "getmempoolinfo": (rpc_mempool.getmempoolinfo, "|"),
    "estimatesmartfee": (rpc_mempool.estimatesmartfee, "conf_target|estimate_mode"),
    "sendrawtransaction": (rpc_submit.sendrawtransaction, "hexstring|maxfeerate maxburnamount"),
    "testmempoolaccept": (rpc_submit.testmempoolaccept, "rawtxs|maxfeerate"),
    "submitpackage": (rpc_submit.submitpackage, "package|maxfeerate maxburnamount"),
    "sendtoaddress": (rpc_mining.sendtoaddress, "address amount|"),
    "generatetoaddress": (rpc_mining.generatetoaddress, "nblocks address|maxtries"),
    "generateblock": (rpc_mining.generateblock, "output transactions|submit"),
    "invalidateblock": (rpc_mining.invalidateblock, "blockhash|"),
    "reconsiderblock": (rpc_mining.reconsiderblock, "blockhash|"),
}
_STATUS_OF: Final = {NO_METHOD: 404, BAD_REQUEST: 400}


def answer(world: BitcoinWorld, method: str, given: Any) -> Answer:
    """Give the result of one call; `given` are arguments by position or by name.

    Raises:
        ConnectionLost: the node gives no answer.
        RpcError: as bitcoind numbers it.
    """
    if world.faults.down:
        raise ConnectionLost
    if method not in METHODS:
        raise RpcError(NO_METHOD, "Method not found")
    call, names = METHODS[method]
    params = _arguments(method, names, given)
    with world.lock:
        try:
            return call(world, params)
        except Rejected as rejected:
            raise RpcError(TRANSACTION_REJECTED, str(rejected)) from None


def _arguments(method: str, names: str, given: Any) -> Params:
    needed, _, optional = names.partition("|")
    known = [*needed.split(), *optional.split()]
    if isinstance(given, list):
        if len(given) > len(known):
            raise RpcError(MISC, f"{method}: too many arguments")
        given = dict(zip(known, given, strict=False))
    if not isinstance(given, dict):
        raise RpcError(BAD_REQUEST, "Params must be an array or object")
    strange = [name for name in given if name not in (*known, "verbose")]
    if strange:
        raise RpcError(BAD_PARAMETER, f"Unknown named parameter {strange[0]}")
    if any(given.get(name) is None for name in needed.split()):
        raise RpcError(MISC, f"{method} {' '.join(known)}")
    return {name: value for name, value in given.items() if value is not None}


def http_answer(world: BitcoinWorld, body: bytes) -> tuple[int, bytes]:
    """Give HTTP's status and the reply to a request or a batch of them.

    Raises:
        ConnectionLost: the node gives no answer.
    """
    if world.faults.down:
        raise ConnectionLost
    try:
        request = json.loads(body, parse_float=Decimal)
    except ValueError:
        return 500, encode(_failed({}, RpcError(PARSE, "Parse error"))[1])
    if isinstance(request, list):
        return 200, encode([_reply(world, each)[1] for each in request])
    status, reply = _reply(world, request)
    return status, encode(reply)


def _reply(world: BitcoinWorld, request: Any) -> tuple[int, Answer]:
    if not isinstance(request, dict):
        return _failed({}, RpcError(BAD_REQUEST, "Invalid Request object"))
    method, params = request.get("method"), request.get("params")
    if not isinstance(method, str):
        return _failed(request, RpcError(BAD_REQUEST, "Missing method" if method is None
                                         else "Method must be a string"))
    try:
        result = answer(world, method, [] if params is None else params)
    except RpcError as error:
        return _failed(request, error)
    head = {"jsonrpc": "2.0", "result": result} if _is_second(request) else {"result": result, "error": None}
    return 200, {**head, "id": request.get("id")}


def _failed(request: Mapping[str, Any], error: RpcError) -> tuple[int, Answer]:
    told = {"code": error.code, "message": error.message}
    if _is_second(request):
        return 200, {"jsonrpc": "2.0", "error": told, "id": request.get("id")}
    return _STATUS_OF.get(error.code, 500), {"result": None, "error": told, "id": request.get("id")}


def _is_second(request: Mapping[str, Any]) -> bool:
    return request.get("jsonrpc") == "2.0"
