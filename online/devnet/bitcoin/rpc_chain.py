"""What a node says of its network, its blocks and its coins."""

from __future__ import annotations

from typing import Any, Final

from online.devnet.bitcoin.mining import BITS
from online.devnet.bitcoin.rpc_forms import (
    BAD_PARAMETER,
    MISC,
    NOT_FOUND,
    Answer,
    Params,
    RpcError,
    btc,
    script_form,
    spent_outs,
    tx_form,
    txid_of,
)
from online.devnet.bitcoin.scripts import address_of, script_of
from online.devnet.bitcoin.texts import NotAnAddress
from online.devnet.bitcoin.wire import Block, Outpoint
from online.devnet.bitcoin.world import BitcoinWorld

VERSION: Final = 300000
_DIFFICULTY: Final = 4.656542373906925e-10  # how regtest's easiest work prints


def getblockchaininfo(world: BitcoinWorld, _params: Params) -> Answer:
    """Describe the chain."""
    chain, faults = world.chain, world.faults
    return {
        "chain": faults.told_chain or "regtest", "blocks": chain.height,
        "headers": chain.height + faults.headers_ahead, "bestblockhash": chain.tip.hash,
        "bits": f"{BITS:08x}", "target": _target(), "difficulty": _DIFFICULTY, "time": chain.tip.time,
        "mediantime": chain.median_time(chain.tip.hash),
        "verificationprogress": 0.5 if faults.in_download else 1, "initialblockdownload": faults.in_download,
        "chainwork": _work(chain.height), "size_on_disk": sum(len(b.raw) for b in chain.blocks.values()),
        "pruned": False, "warnings": [],
    }


def getnetworkinfo(world: BitcoinWorld, _params: Params) -> Answer:
    """Describe the node."""
    policy = world.policy
    return {
        "version": VERSION, "subversion": "/Satoshi:30.0.0/", "protocolversion": 70016,
        "localservices": "0000000000000c09", "localservicesnames": ["NETWORK", "WITNESS", "NETWORK_LIMITED"],
        "localrelay": True, "timeoffset": 0, "networkactive": True, "connections": 0, "connections_in": 0,
        "connections_out": 0, "networks": [], "relayfee": btc(policy.min_relay_sats_per_kvb),
        "incrementalfee": btc(policy.incremental_sats_per_kvb), "localaddresses": [], "warnings": [],
    }


def uptime(world: BitcoinWorld, _params: Params) -> Answer:
    """Tell for how long the node runs."""
    return max(world.clock() - world.started, 0)


def getblockcount(world: BitcoinWorld, _params: Params) -> Answer:
    """Give the height."""
    return world.height


def getbestblockhash(world: BitcoinWorld, _params: Params) -> Answer:
    """Give the tip."""
    return world.chain.tip.hash


def getblockhash(world: BitcoinWorld, params: Params) -> Answer:
    """Give the hash at a height."""
    height = params["height"]
    if not isinstance(height, int) or not 0 <= height <= world.height:
        raise RpcError(BAD_PARAMETER, "Block height out of range")
    return world.chain.active[height]


def getblockheader(world: BitcoinWorld, params: Params) -> Answer:
    """Show a block's header."""
    block = known_block(world, params["blockhash"])
    return _header(world, block) if params.get("verbose", True) else block.header.hex()


def getblock(world: BitcoinWorld, params: Params) -> Answer:
    """Show a block: bytes, ids, or whole transactions."""
    block = known_block(world, params["blockhash"])
    if block.hash in world.faults.forgotten:
        raise RpcError(MISC, "Block not available (pruned data)")
    detail = int(params.get("verbosity", params.get("verbose", 1)))
    if detail == 0:
        return block.raw.hex()
    txs: list[Any] = [tx.txid for tx in block.txs]
    if detail >= 2:
        txs = [tx_form(tx, spent_outs(world, tx), with_prevouts=detail >= 3) for tx in block.txs]
    sizes = {"strippedsize": block.stripped_size, "size": len(block.raw),
             "weight": 3 * block.stripped_size + len(block.raw)}
    return {**_header(world, block), **sizes, "tx": txs}


def known_block(world: BitcoinWorld, value: Any) -> Block:
    """Find a block by its hash.

    Raises:
        RpcError: it is not known.
    """
    block = world.chain.blocks.get(txid_of(value, "blockhash"))
    if block is None:
        raise RpcError(NOT_FOUND, "Block not found")
    return block


def _header(world: BitcoinWorld, block: Block) -> Answer:
    chain = world.chain
    height = chain.heights[block.hash]
    form = {
        "hash": block.hash, "confirmations": chain.confirmations(block.hash), "height": height,
        "version": block.version, "versionHex": f"{block.version:08x}", "merkleroot": block.merkle_root,
        "time": block.time, "mediantime": chain.median_time(block.hash), "nonce": block.nonce,
        "bits": f"{block.bits:08x}", "target": _target(), "difficulty": _DIFFICULTY,
        "chainwork": _work(height), "nTx": len(block.txs),
    }
    if height:
        form["previousblockhash"] = block.previous
    if chain.is_active(block.hash) and height < chain.height:
        form["nextblockhash"] = chain.active[height + 1]
    return form


def _work(height: int) -> str:
    return f"{2 * (height + 1):064x}"


def _target() -> str:
    return f"{0x7FFFFF << 232:064x}"


def getchaintips(world: BitcoinWorld, _params: Params) -> Answer:
    """List the ends of all branches."""
    chain = world.chain
    inner = {block.previous for block in chain.blocks.values()}
    tips = [each for each in chain.blocks if each not in inner or each == chain.tip.hash]
    return [{"height": chain.heights[each], "hash": each, "branchlen": _branch(world, each),
             "status": "active" if chain.is_active(each) else "valid-fork"} for each in tips]


def _branch(world: BitcoinWorld, block_hash: str) -> int:
    length = 0
    while not world.chain.is_active(block_hash):
        block_hash, length = world.chain.blocks[block_hash].previous, length + 1
    return length


def gettxout(world: BitcoinWorld, params: Params) -> Answer:
    """Show an unspent output; null where there is none."""
    outpoint = Outpoint(txid_of(params["txid"]), params["n"])
    chain, pool, waiting = world.chain, world.mempool, params.get("include_mempool", True)
    coin = pool.coin(outpoint) if waiting else chain.coins.get(outpoint)
    if coin is None or (waiting and outpoint in pool.spenders):
        return None
    confirmations = max(chain.height - coin.height + 1, 0)
    return {"bestblock": chain.tip.hash, "confirmations": confirmations, "value": btc(coin.sats),
            "scriptPubKey": script_form(coin.script), "coinbase": coin.coinbase}


def scantxoutset(world: BitcoinWorld, params: Params) -> Answer:
    """Find the confirmed unspent outputs of some addresses or scripts."""
    if params["action"] in ("status", "abort"):
        return None if params["action"] == "status" else False
    if params["action"] != "start":
        raise RpcError(BAD_PARAMETER, f"Invalid action '{params['action']}'")
    if world.faults.take_busy_scan():
        raise RpcError(BAD_PARAMETER, 'Scan already in progress, use action "abort" or "status"')
    wanted = {script_of_descriptor(each) for each in params.get("scanobjects") or []}
    chain = world.chain
    found = [(at, coin) for at, coin in chain.coins.items() if coin.script in wanted]
    rows = [{
        "txid": at.txid, "vout": at.vout, "scriptPubKey": coin.script.hex(),
        "desc": script_form(coin.script)["desc"], "amount": btc(coin.sats), "coinbase": coin.coinbase,
        "height": coin.height, "blockhash": chain.active[coin.height],
        "confirmations": chain.height - coin.height + 1,
    } for at, coin in found]
    return {"success": True, "txouts": len(chain.coins), "height": chain.height, "bestblock": chain.tip.hash,
            "unspents": rows, "total_amount": btc(sum(coin.sats for _, coin in found))}


def script_of_descriptor(given: Any) -> bytes:
    """Read `addr(...)` or `raw(...)`, a checksum behind it allowed and not checked.

    Raises:
        RpcError: it is another descriptor.
    """
    text = given["desc"] if isinstance(given, dict) else given
    body = str(text).split("#")[0]
    try:
        if body.startswith("addr(") and body.endswith(")"):
            return script_of(body[5:-1])
        if body.startswith("raw(") and body.endswith(")"):
            return bytes.fromhex(body[4:-1])
    except (NotAnAddress, ValueError):
        raise RpcError(NOT_FOUND, "Address is not valid") from None
    raise RpcError(NOT_FOUND, f"'{body}' is not a valid descriptor function")


def validateaddress(world: BitcoinWorld, params: Params) -> Answer:
    """Say whether a text is an address of this network."""
    try:
        script = script_of(params["address"])
    except NotAnAddress:
        return {"isvalid": False, "error_locations": [], "error": "Invalid or unsupported Segwit (Bech32) or "
                                                                  "Base58 encoding."}
    return {"isvalid": True, "address": address_of(script), "scriptPubKey": script.hex(),
            "isscript": script[:1] == b"\xa9", "iswitness": script_form(script)["type"].startswith("witness")}
