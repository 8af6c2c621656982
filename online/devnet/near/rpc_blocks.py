"""What a node says of itself and of blocks: status, block, chunk, changes, gas price and the protocol's parameters."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from pyonear.crypto import ED25519PublicKey, ED25519Signature

from online.devnet.near import fees
from online.devnet.near.blocks import Block, Change, Chunk
from online.devnet.near.faucet import SUPPLY_YOCTO
from online.devnet.near.fees import Fee
from online.devnet.near.receipts import made_id
from online.devnet.near.rpc_forms import (
    Answer,
    Params,
    RpcError,
    choose_block,
    key_view,
    need,
    parse_error,
    receipt_view,
    strange_receipt,
    to_base64,
    tx_view,
)
from online.devnet.near.state import Account
from online.devnet.near.texts import NO_CODE
from online.devnet.near.world import PROTOCOL_VERSION, NearWorld

AUTHOR: Final = "validator.near"
VERSION: Final = {"build": "2.13.4", "commit": "", "rustc_version": "1.93.0", "version": "2.13.4"}
EPOCH_BLOCKS: Final = 43_200
_NODE_KEY: Final = str(ED25519PublicKey.empty())
_NO_SIGNATURE: Final = str(ED25519Signature.empty())
_CHUNK_GAS: Final = 10**15


def status(world: NearWorld, _params: Params) -> Answer:
    """Describe the node: its network, its version, and how far it is."""
    seen, faults = world.seen, world.faults
    version = _protocol(world)
    return {
        "chain_id": faults.told_chain_id or world.chain_id, "genesis_hash": seen.chain.first.hash,
        "latest_protocol_version": version, "protocol_version": version, "node_key": None,
        "node_public_key": _NODE_KEY, "rpc_addr": "127.0.0.1:3030", "uptime_sec": 1_000,
        "validator_account_id": None, "validator_public_key": None, "validators": [{"account_id": AUTHOR}],
        "version": VERSION,
        "sync_info": {
            "syncing": faults.syncing, "latest_block_hash": seen.head.hash, "latest_block_height": seen.head.height,
            "latest_block_time": _iso(seen.head), "latest_state_root": made_id(seen.head.hash, "state"),
            "earliest_block_hash": seen.oldest.hash, "earliest_block_height": seen.oldest.height,
            "earliest_block_time": _iso(seen.oldest), "epoch_id": _epoch(seen.head),
            "epoch_start_height": seen.head.height - seen.head.height % EPOCH_BLOCKS,
        },
        "detailed_debug_status": None,
    }


def block(world: NearWorld, params: Params) -> Answer:
    """Show a block's header and its chunks' headers."""
    found = choose_block(world.seen, params)
    told = _told_hash(world, found)
    return {"author": AUTHOR, "header": {**_header(world, found), "hash": told},
            "chunks": [_chunk_header(found, each) for each in found.chunks]}


def chunk(world: NearWorld, params: Params) -> Answer:
    """Show a chunk by its hash, or by a block and a shard: its transactions, and the receipts that arrived with it."""
    found, part = _choose_chunk(world, params)
    receipts = [receipt_view(each) for each in part.receipts]
    if world.faults.strange:
        receipts.append(strange_receipt(found))
    return {"author": AUTHOR, "header": _chunk_header(found, part), "receipts": receipts,
            "transactions": [tx_view(each) for each in part.txs]}


def _choose_chunk(world: NearWorld, params: Params) -> tuple[Block, Chunk]:
    if "chunk_id" in params:
        wanted = need(params, "chunk_id", str)
        for each in world.seen.chain.blocks.values():
            part = next((part for part in each.chunks if part.hash == wanted and part.included == each.height), None)
            if part is not None and world.seen.knows(each):
                return each, part
        raise RpcError("UNKNOWN_CHUNK", {"chunk_hash": wanted},
                       data=f"Chunk Missing (unavailable on the node): {wanted}")
    found = choose_block(world.seen, params)
    shard = need(params, "shard_id", int)
    if not 0 <= shard < len(found.chunks):
        raise RpcError("INVALID_SHARD_ID", {"shard_id": shard}, data=f"Shard id {shard} does not exist")
    return found, found.chunks[shard]


def gas_price(world: NearWorld, params: Params) -> Answer:
    """Tell the gas price of a block in yoctoNEAR, of the newest where none is named."""
    named = params.get("block_id")
    found = world.seen.head if named is None else choose_block(world.seen, {"block_id": named})
    return {"gas_price": str(found.gas_price)}


def block_effects(world: NearWorld, params: Params) -> Answer:
    """List what a block touched."""
    found = choose_block(world.seen, params)
    kinds = {"account": "account_touched", "key": "access_key_touched", "data": "data_touched"}
    rows = dict.fromkeys((kinds[each.key[0]], each.key[1]) for each in found.changes if each.key[0] in kinds)
    return {"block_hash": found.hash, "changes": [{"type": kind, "account_id": who} for kind, who in rows]}


_CHANGED: Final = {"account_changes": "account", "all_access_key_changes": "key", "data_changes": "data"}


def changes(world: NearWorld, params: Params) -> Answer:
    """List how a block changed some accounts, their keys or their data, and why."""
    found, kind = choose_block(world.seen, params), need(params, "changes_type", str)
    if kind not in _CHANGED:
        raise parse_error(f"Failed parsing args: unknown changes_type {kind!r}")
    wanted = set(need(params, "account_ids", list))
    # A record that several receipts changed is shown as it was after the last one.
    rows = {each.key: each for each in found.changes if each.key[0] == _CHANGED[kind] and each.key[1] in wanted}
    return {"block_hash": found.hash, "changes": [_change_view(found, each) for each in rows.values()]}


def _change_view(found: Block, change: Change) -> Answer:
    value, kind, who = found.ledger.state.get(change.key), change.key[0], change.key[1]
    by = {"transaction_processing": "tx_hash", "receipt_processing": "receipt_hash"}.get(change.cause)
    cause = {"type": change.cause, **({} if by is None else {by: change.by})}
    if kind == "account":
        name, body = "account", {} if value is None else account_view(value)
    elif kind == "key":
        name = "access_key"
        body = {"public_key": change.key[2], **({} if value is None else {"access_key": key_view(value)})}
    else:
        name, body = "data", {"key_base64": to_base64(change.key[2].encode())}
        body |= {} if value is None else {"value_base64": to_base64(str(value).encode())}
    done = "deletion" if value is None else "update"
    return {"cause": cause, "type": f"{name}_{done}", "change": {"account_id": who, **body}}


def account_view(account: Account) -> Answer:
    """Show an account."""
    return {"amount": str(account.amount), "locked": str(account.locked), "code_hash": account.code_hash,
            "storage_usage": account.storage_bytes, "storage_paid_at": 0}


def protocol_config(world: NearWorld, params: Params) -> Answer:
    """Tell the protocol's parameters at a block, as far as this world has them."""
    choose_block(world.seen, params)
    first = world.seen.chain.first
    return {
        "chain_id": world.faults.told_chain_id or world.chain_id, "protocol_version": _protocol(world),
        "genesis_height": first.height, "genesis_time": _iso(first), "epoch_length": EPOCH_BLOCKS,
        "gas_limit": _CHUNK_GAS, "min_gas_price": str(fees.GAS_PRICE_LEAST),
        "max_gas_price": str(fees.GAS_PRICE_LEAST * 20), "transaction_validity_period": world.validity,
        "dynamic_resharding": False, "runtime_config": {
            "account_creation_charge": str(fees.ACCOUNT_CREATION_CHARGE),
            "min_gas_purchase_price": str(fees.PURCHASE_PRICE_LEAST),
            "storage_amount_per_byte": str(fees.STAKE_PER_BYTE), "transaction_costs": _costs(),
            "account_creation_config": {"min_allowed_top_level_account_length": 65,
                                        "registrar_account_id": "registrar"},
            "wasm_config": {"limit_config": {
                "max_actions_per_receipt": fees.ACTIONS_MOST, "max_total_prepaid_gas": fees.GAS_MOST,
                "max_gas_burnt": fees.GAS_MOST}},
        },
    }


def _costs() -> Answer:
    def cost(fee: Fee) -> Answer:
        return {"send_sir": fee.to_self, "send_not_sir": fee.to_other, "execution": fee.doing}

    return {
        "action_receipt_creation_config": cost(fees.RECEIPT), "burnt_gas_reward": [fees.REWARD_PERCENT, 100],
        "pessimistic_gas_price_inflation_ratio": [1, 1],
        "storage_usage_config": {"num_bytes_account": fees.ACCOUNT_BYTES, "num_extra_bytes_record": fees.RECORD_BYTES},
        "action_creation_config": {
            "create_account_cost": cost(fees.CREATE_ACCOUNT), "transfer_cost": cost(fees.TRANSFER),
            "function_call_cost": cost(fees.CALL), "function_call_cost_per_byte": cost(fees.CALL_BYTE),
            "deploy_contract_cost": cost(fees.DEPLOY), "deploy_contract_cost_per_byte": cost(fees.DEPLOY_BYTE),
            "stake_cost": cost(fees.STAKE), "delete_key_cost": cost(fees.DELETE_KEY),
            "delete_account_cost": cost(fees.DELETE_ACCOUNT), "delegate_cost": cost(fees.DELEGATE),
            "add_key_cost": {"full_access_cost": cost(fees.ADD_FULL_KEY),
                             "function_call_cost": cost(fees.ADD_CALL_KEY),
                             "function_call_cost_per_byte": cost(fees.ADD_CALL_KEY_BYTE)},
        },
    }


def _protocol(world: NearWorld) -> int:
    told = world.faults.told_protocol_version
    return PROTOCOL_VERSION if told is None else told


def _told_hash(world: NearWorld, found: Block) -> str:
    told = world.faults.told_final
    return told if told is not None and found is world.seen.final else found.hash


def _header(world: NearWorld, found: Block) -> Answer:
    def root(name: str) -> str:
        return made_id(found.hash, name)

    return {
        "height": found.height, "prev_height": found.previous_height, "prev_hash": found.previous,
        "last_final_block": found.final, "last_ds_final_block": found.doomslug, "timestamp": found.time_ns,
        "timestamp_nanosec": str(found.time_ns), "gas_price": str(found.gas_price), "total_supply": str(SUPPLY_YOCTO),
        "epoch_id": _epoch(found), "next_epoch_id": root("next epoch"), "next_bp_hash": root("producers"),
        "block_ordinal": found.height - world.chain.first.height + 1, "latest_protocol_version": PROTOCOL_VERSION,
        "approvals": [_NO_SIGNATURE], "signature": _NO_SIGNATURE, "random_value": root("random"),
        "chunk_mask": [each.included == found.height for each in found.chunks],
        "chunks_included": sum(each.included == found.height for each in found.chunks), "chunk_endorsements": None,
        "block_body_hash": root("body"), "block_merkle_root": root("merkle"), "outcome_root": root("outcomes"),
        "chunk_headers_root": root("headers"), "chunk_receipts_root": root("receipts"), "chunk_tx_root": root("txs"),
        "prev_state_root": root("state"), "challenges_root": NO_CODE, "challenges_result": [],
        "epoch_sync_data_hash": None, "rent_paid": "0", "validator_reward": "0", "validator_proposals": [],
    }


def _chunk_header(found: Block, part: Chunk) -> Answer:
    def root(name: str) -> str:
        return made_id(part.hash, name)

    burnt: dict[str, Any] = {each.id: each for each in found.outcomes}
    return {
        "chunk_hash": part.hash, "shard_id": part.shard, "height_created": part.created,
        "height_included": part.included, "prev_block_hash": found.previous, "gas_limit": _CHUNK_GAS,
        "gas_used": sum(burnt[tx.id].gas_burnt for tx in part.txs if tx.id in burnt), "balance_burnt": "0",
        "encoded_length": 8, "encoded_merkle_root": root("encoded"), "outcome_root": root("outcomes"),
        "outgoing_receipts_root": root("outgoing"), "prev_state_root": root("state"), "tx_root": root("txs"),
        "signature": _NO_SIGNATURE, "rent_paid": "0", "validator_reward": "0", "validator_proposals": [],
        "bandwidth_requests": None, "proposed_split": None,
        "congestion_info": {"allowed_shard": part.shard, "buffered_receipts_gas": "0", "delayed_receipts_gas": "0",
                            "receipt_bytes": 0},
    }


def _epoch(found: Block) -> str:
    return made_id("epoch", found.height // EPOCH_BLOCKS)


def _iso(found: Block) -> str:
    seconds, rest = divmod(found.time_ns, 10**9)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"
