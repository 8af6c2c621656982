"""What a node does with transactions: judge them, take them, take a child with its parents."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from online.devnet.bitcoin.faults import ConnectionLost
from online.devnet.bitcoin.mempool import Rejected
from online.devnet.bitcoin.policy import fee_for
from online.devnet.bitcoin.rpc_forms import (
    ALREADY_CONFIRMED,
    BAD_PARAMETER,
    TRANSACTION_ERROR,
    TRANSACTION_REJECTED,
    Answer,
    Params,
    RpcError,
    btc,
    sats_of,
    tx_of,
)
from online.devnet.bitcoin.wire import Outpoint, Tx
from online.devnet.bitcoin.world import BitcoinWorld

_DEFAULT_MOST_RATE: Final = Decimal("0.10")
_MOST_PACKAGE: Final = 25
_TOO_DEAR: Final = "Fee exceeds maximum configured by user (e.g. -maxtxfee, maxfeerate)"
_MISSING: Final = "bad-txns-inputs-missingorspent"


def sendrawtransaction(world: BitcoinWorld, params: Params) -> Answer:
    """Take a transaction."""
    tx, most = tx_of(params["hexstring"]), _most_rate(params)
    loss = world.faults.take_next_submit()
    if loss == "request-lost":
        raise ConnectionLost
    if loss == "swallowed":
        world.mempool.judge(tx)
        return tx.txid
    _submit(world, tx, most)
    if loss == "reply-lost":
        raise ConnectionLost
    return tx.txid


def _submit(world: BitcoinWorld, tx: Tx, most: int) -> None:
    if any(Outpoint(tx.txid, vout) in world.chain.coins for vout in range(len(tx.outputs))):
        raise RpcError(ALREADY_CONFIRMED, "Transaction outputs already in utxo set")
    if tx.txid in world.mempool.entries:
        return  # said again, it is simply sent again
    try:
        fee, _ = world.mempool.judge(tx)
        if most and fee > fee_for(tx.vsize, most):
            raise RpcError(TRANSACTION_ERROR, _TOO_DEAR)
        world.mempool.take(tx, world.clock())
    except Rejected as rejected:
        missing = rejected.reason == _MISSING
        code = TRANSACTION_ERROR if missing else TRANSACTION_REJECTED
        raise RpcError(code, str(rejected)) from None


def _most_rate(params: Params) -> int:
    given = params.get("maxfeerate")
    rate = sats_of(_DEFAULT_MOST_RATE if given is None else given)
    if rate > 100_000_000:
        raise RpcError(BAD_PARAMETER, "Fee rates larger than or equal to 1BTC/kvB are not accepted")
    return rate


def testmempoolaccept(world: BitcoinWorld, params: Params) -> Answer:
    """Judge transactions and take none; a later one may spend from an earlier one."""
    txs, most = [tx_of(each) for each in params["rawtxs"]], _most_rate(params)
    if not 1 <= len(txs) <= _MOST_PACKAGE:
        raise RpcError(BAD_PARAMETER, f"Array must contain between 1 and {_MOST_PACKAGE} transactions.")
    rows, kept = [], (dict(world.mempool.entries), dict(world.mempool.spenders))
    try:
        rows = [_verdict(world, tx, most) for tx in txs]
    finally:
        world.mempool.entries, world.mempool.spenders = kept
    return rows


def _verdict(world: BitcoinWorld, tx: Tx, most: int) -> Answer:
    row = {"txid": tx.txid, "wtxid": tx.wtxid}
    try:
        fee, _ = world.mempool.judge(tx)
        if most and fee > fee_for(tx.vsize, most):
            return {**row, "allowed": False, "reject-reason": "max-fee-exceeded"}
        world.mempool.take(tx, world.clock())
    except Rejected as rejected:
        reason = "missing-inputs" if rejected.reason == _MISSING else rejected.reason
        return {**row, "allowed": False, "reject-reason": reason, "reject-details": str(rejected)}
    rate = btc(fee * 1000 // tx.vsize)
    fees = {"base": btc(fee), "effective-feerate": rate, "effective-includes": [tx.wtxid]}
    return {**row, "allowed": True, "vsize": tx.vsize, "fees": fees}


def submitpackage(world: BitcoinWorld, params: Params) -> Answer:
    """Take a child with its parents; a parent too cheap alone is judged with what the child pays for it."""
    txs = [tx_of(each) for each in params["package"]]
    if not 1 <= len(txs) <= _MOST_PACKAGE:
        raise RpcError(BAD_PARAMETER, f"Array must contain between 1 and {_MOST_PACKAGE} transactions.")
    needed = {each.outpoint.txid for each in txs[-1].inputs}
    if any(tx.txid not in needed for tx in txs[:-1]):
        message = "package topology disallowed. not child-with-parents or parents depend on each other."
        raise RpcError(TRANSACTION_REJECTED, message)
    loss = world.faults.take_next_submit()
    if loss == "request-lost":
        raise ConnectionLost
    answer = _take_package(world, txs)
    if loss == "reply-lost":
        raise ConnectionLost
    return answer


def _take_package(world: BitcoinWorld, txs: list[Tx]) -> Answer:
    results: dict[str, Answer] = {}
    replaced: list[str] = []
    lifts = _lifts(world, txs)
    for tx, lifted in zip(txs, lifts, strict=True):
        row: dict[str, Any] = {"txid": tx.txid}
        try:
            if tx.txid not in world.mempool.entries:
                replaced += [gone.tx.txid for gone in
                             world.mempool.take(tx, world.clock(), lifted_sats=lifted)]
            fee = world.mempool.entries[tx.txid].fee_sats
            row |= {"vsize": tx.vsize, "fees": {"base": btc(fee)}}
        except Rejected as rejected:
            row["error"] = str(rejected)
        results[tx.wtxid] = row
    failed = any("error" in row for row in results.values())
    return {"package_msg": "transaction failed" if failed else "success", "tx-results": results,
            "replaced-transactions": replaced}


def _lifts(world: BitcoinWorld, txs: list[Tx]) -> list[int]:
    """Tell what the child pays beyond its own need, as help for parents that pay too little."""
    child = txs[-1]
    made = {Outpoint(tx.txid, vout): out.sats for tx in txs for vout, out in enumerate(tx.outputs)}
    given = 0
    for each in child.inputs:
        coin = world.mempool.coin(each.outpoint)
        given += coin.sats if coin is not None else made.get(each.outpoint, 0)
    spare = given - sum(out.sats for out in child.outputs)
    spare -= fee_for(child.vsize, world.policy.min_relay_sats_per_kvb)
    return [max(spare, 0)] * (len(txs) - 1) + [0]
