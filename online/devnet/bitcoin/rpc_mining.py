"""What the owner of a regtest node may do: pay, mine, mine exactly this, declare a block invalid."""

from __future__ import annotations

from typing import Any

from online.devnet.bitcoin.rpc_chain import known_block, script_of_descriptor
from online.devnet.bitcoin.rpc_forms import (
    BAD_PARAMETER,
    NO_FUNDS,
    NOT_FOUND,
    TRANSACTION_ERROR,
    Answer,
    Params,
    RpcError,
    sats_of,
    tx_of,
)
from online.devnet.bitcoin.texts import NotAnAddress
from online.devnet.bitcoin.wire import Tx
from online.devnet.bitcoin.world import BitcoinWorld, BlockRefused, as_script


def sendtoaddress(world: BitcoinWorld, params: Params) -> Answer:
    """Pay from the matured new money, and mine the block with it: nobody shall wait for play money."""
    try:
        script, sats = as_script(str(params["address"])), sats_of(params["amount"])
    except NotAnAddress:
        raise RpcError(NOT_FOUND, "Invalid address") from None
    try:
        return world.fund(script, sats).txid
    except ValueError:
        raise RpcError(NO_FUNDS, "Insufficient funds") from None


def generatetoaddress(world: BitcoinWorld, params: Params) -> Answer:
    """Mine some blocks from the mempool."""
    return world.mine(int(params["nblocks"]), to=_script(params["address"]))


def generateblock(world: BitcoinWorld, params: Params) -> Answer:
    """Mine one block of just the given transactions, by id or by bytes."""
    txs = [_named(world, each) for each in params["transactions"]]
    try:
        block_hash = world.mine_exactly(txs, _script(params["output"]))
    except BlockRefused as refused:
        raise RpcError(TRANSACTION_ERROR, f"TestBlockValidity failed: {refused}") from None
    return {"hash": block_hash}


def _script(output: Any) -> bytes:
    try:
        return as_script(str(output))
    except NotAnAddress:
        return script_of_descriptor(output)


def _named(world: BitcoinWorld, given: Any) -> Tx:
    if isinstance(given, str) and len(given) == 64:
        entry = world.mempool.entries.get(given)
        if entry is None:
            raise RpcError(NOT_FOUND, f"Transaction {given} not in mempool.")
        return entry.tx
    return tx_of(given)


def invalidateblock(world: BitcoinWorld, params: Params) -> Answer:
    """Declare a block invalid."""
    block = known_block(world, params["blockhash"])
    if world.chain.heights[block.hash] == 0:
        raise RpcError(BAD_PARAMETER, "The genesis block cannot be declared invalid")
    world.declare(block.hash, invalid=True)


def reconsiderblock(world: BitcoinWorld, params: Params) -> Answer:
    """Take a verdict of invalidity back."""
    world.declare(known_block(world, params["blockhash"]).hash, invalid=False)
