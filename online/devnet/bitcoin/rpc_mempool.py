"""What a node says of transactions: those that wait, those that are confirmed, and what a fee should be."""

from __future__ import annotations

from typing import Any

from online.devnet.bitcoin.mempool import Entry
from online.devnet.bitcoin.rpc_chain import known_block
from online.devnet.bitcoin.rpc_forms import (
    BAD_PARAMETER,
    NOT_FOUND,
    Answer,
    Params,
    RpcError,
    btc,
    spent_outs,
    tx_form,
    txid_of,
)
from online.devnet.bitcoin.wire import Outpoint, Tx
from online.devnet.bitcoin.world import BitcoinWorld


def getrawtransaction(world: BitcoinWorld, params: Params) -> Answer:
    """Give a transaction, waiting or confirmed."""
    txid, detail = txid_of(params["txid"]), int(params.get("verbosity", params.get("verbose", 0)) or 0)
    if txid == world.chain.at(0).txs[0].txid:
        raise RpcError(NOT_FOUND, "The genesis block coinbase is not considered an ordinary transaction "
                                  "and cannot be retrieved")
    tx, place = _find(world, txid, params.get("blockhash"))
    if detail == 0:
        return tx.raw.hex()
    spent = spent_outs(world, tx) if detail >= 2 and not tx.is_coinbase else None
    form = tx_form(tx, spent, with_prevouts=detail >= 2)
    if params.get("blockhash") is not None and place is not None:
        form["in_active_chain"] = world.chain.is_active(place)
    if place is None:
        return form
    block = world.chain.blocks[place]
    confirmations = max(world.chain.confirmations(place), 0)
    dated = {"time": block.time, "blocktime": block.time} if confirmations else {}
    return {**form, "blockhash": place, "confirmations": confirmations, **dated}


def _find(world: BitcoinWorld, txid: str, block_hash: Any) -> tuple[Tx, str | None]:
    if block_hash is not None:
        block = known_block(world, block_hash)
        for tx in block.txs:
            if tx.txid == txid and txid not in world.faults.forgotten:
                return tx, block.hash
        raise RpcError(NOT_FOUND, "No such transaction found in the provided block. Use gettransaction "
                                  "for wallet transactions.")
    entry = world.mempool.entries.get(txid)
    if entry is not None:
        return entry.tx, None
    found = world.chain.find(txid)
    if found is None or txid in world.faults.forgotten:
        raise RpcError(NOT_FOUND, "No such mempool or blockchain transaction. Use gettransaction for wallet "
                                  "transactions.")
    return found


def getmempoolentry(world: BitcoinWorld, params: Params) -> Answer:
    """Describe a waiting transaction."""
    entry = world.mempool.entries.get(txid_of(params["txid"]))
    if entry is None:
        raise RpcError(NOT_FOUND, "Transaction not in mempool")
    return _entry_form(world, entry)


def _entry_form(world: BitcoinWorld, entry: Entry) -> Answer:
    pool, tx = world.mempool, entry.tx
    below = [entry, *(pool.entries[txid] for txid in pool.ancestors(tx))]
    above = [pool.entries[txid] for txid in pool.family([tx.txid])]
    fees = {"base": btc(entry.fee_sats), "modified": btc(entry.fee_sats),
            "ancestor": btc(sum(each.fee_sats for each in below)),
            "descendant": btc(sum(each.fee_sats for each in above))}
    replaceable = any(each.sequence < 0xFFFFFFFE for link in below for each in link.tx.inputs)
    return {
        "vsize": tx.vsize, "weight": tx.weight, "time": entry.time, "height": entry.height,
        "descendantcount": len(above), "descendantsize": sum(each.tx.vsize for each in above),
        "ancestorcount": len(below), "ancestorsize": sum(each.tx.vsize for each in below), "wtxid": tx.wtxid,
        "fees": fees, "depends": pool.parents(tx), "spentby": pool.children(tx.txid),
        "bip125-replaceable": replaceable, "unbroadcast": False,
    }


def getrawmempool(world: BitcoinWorld, params: Params) -> Answer:
    """List what waits."""
    if params.get("verbose"):
        return {txid: _entry_form(world, entry) for txid, entry in world.mempool.entries.items()}
    txids = list(world.mempool.entries)
    return {"txids": txids, "mempool_sequence": len(txids) + 1} if params.get("mempool_sequence") else txids


def gettxspendingprevout(world: BitcoinWorld, params: Params) -> Answer:
    """Tell who waits to spend some outputs."""
    rows = []
    for asked in params["outputs"]:
        row = {"txid": txid_of(asked["txid"]), "vout": asked["vout"]}
        spender = world.mempool.spenders.get(Outpoint(row["txid"], row["vout"]))
        rows.append({**row, "spendingtxid": spender} if spender else row)
    return rows


def getmempoolinfo(world: BitcoinWorld, _params: Params) -> Answer:
    """Describe the mempool."""
    entries, policy = world.mempool.entries.values(), world.policy
    size = sum(entry.tx.vsize for entry in entries)
    return {
        "loaded": True, "size": len(entries), "bytes": size, "usage": 2 * size,
        "total_fee": btc(sum(entry.fee_sats for entry in entries)), "maxmempool": 300_000_000,
        "mempoolminfee": btc(policy.min_relay_sats_per_kvb), "minrelaytxfee": btc(policy.min_relay_sats_per_kvb),
        "incrementalrelayfee": btc(policy.incremental_sats_per_kvb), "unbroadcastcount": 0,
        "fullrbf": policy.full_rbf, "permitbaremultisig": policy.bare_multisig,
        "maxdatacarriersize": policy.data_bytes,
    }


def estimatesmartfee(world: BitcoinWorld, params: Params) -> Answer:
    """Estimate a fee rate; an unset world has no data, as a fresh regtest node."""
    blocks = params["conf_target"]
    if not isinstance(blocks, int) or not 1 <= blocks <= 1008:
        raise RpcError(BAD_PARAMETER, "Invalid conf_target, must be between 1 and 1008")
    if world.estimated_sats_per_kvb is None:
        return {"errors": ["Insufficient data or no feerate found"], "blocks": blocks}
    return {"feerate": btc(world.estimated_sats_per_kvb), "blocks": blocks}
