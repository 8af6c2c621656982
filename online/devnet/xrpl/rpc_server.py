"""What a node says of itself and its ledgers: server_info, fee, ledger, and ledger_accept for its owner."""

from __future__ import annotations

from typing import Any, Final

from online.devnet.xrpl.history import CLOSE_RESOLUTION_SECONDS, Closed, Record
from online.devnet.xrpl.rpc_forms import (
    Answer,
    Params,
    choose_ledger,
    fields_for,
    human_time,
    iso_time,
)
from online.devnet.xrpl.world import XrplWorld

BUILD_VERSION: Final = "3.3.0"
_DROPS_PER_XRP: Final = 1_000_000
_FULL_LEVEL: Final = 256


def ping(_world: XrplWorld, _params: Params) -> Answer:
    """Answer that somebody is there."""
    return {"role": "admin"}


def server_info(world: XrplWorld, _params: Params) -> Answer:
    """Describe the node for people: amounts in XRP."""
    last, rules = world.history.last, world.rules
    # XRP as JSON numbers is rippled's shape, and only here; server_state gives the same in drops.
    ledger = {
        "age": _age(world, last), "base_fee_xrp": rules.base_fee_drops / _DROPS_PER_XRP, "hash": last.hash,
        "reserve_base_xrp": rules.reserve_base_drops / _DROPS_PER_XRP,
        "reserve_inc_xrp": rules.reserve_increment_drops / _DROPS_PER_XRP, "seq": last.index,
    }
    return {"info": {**_about(world), "load_factor": _load(world), "validated_ledger": ledger}}


def server_state(world: XrplWorld, _params: Params) -> Answer:
    """Describe the node for programs: amounts in drops."""
    last, rules = world.history.last, world.rules
    ledger = {
        "base_fee": rules.base_fee_drops, "close_time": last.close_time, "hash": last.hash,
        "reserve_base": rules.reserve_base_drops, "reserve_inc": rules.reserve_increment_drops,
        "seq": last.index,
    }
    load = {"load_base": _FULL_LEVEL, "load_factor": _FULL_LEVEL * _load(world)}
    return {"state": {**_about(world), **load, "validated_ledger": ledger}}


def _about(world: XrplWorld) -> Answer:
    faults = world.faults
    told = world.rules.network_id if faults.told_network_id is None else faults.told_network_id
    spans = [str(low) if low == high else f"{low}-{high}" for low, high in world.history.spans()]
    about: Answer = {
        "build_version": BUILD_VERSION, "complete_ledgers": ",".join(spans), "network_id": told,
        "peers": 0 if faults.out_of_sync else 10,
        "server_state": "connected" if faults.out_of_sync else "full",
        "time": human_time(max(world.history.last.close_time, 0)), "validation_quorum": 1,
    }
    return {**about, "amendment_blocked": True} if faults.amendment_blocked else about


def _age(world: XrplWorld, ledger: Closed) -> int:
    return max(world.seconds() - ledger.close_time, 0)


def _load(world: XrplWorld) -> int:
    return max(_open_fee(world) // world.rules.base_fee_drops, 1)


def _open_fee(world: XrplWorld) -> int:
    return world.faults.crowded_fee_drops or world.rules.base_fee_drops


def fee(world: XrplWorld, _params: Params) -> Answer:
    """Tell what a transaction costs now."""
    base = str(world.rules.base_fee_drops)
    level = str(_FULL_LEVEL * _open_fee(world) // world.rules.base_fee_drops)
    return {
        "current_ledger_size": str(len(world.pool.applied)),
        "current_queue_size": str(len(world.pool.queued)),
        "drops": {"base_fee": base, "median_fee": base, "minimum_fee": base,
                  "open_ledger_fee": str(_open_fee(world))},
        "expected_ledger_size": "1000", "ledger_current_index": world.open_index,
        "levels": {"median_level": "256", "minimum_level": "256", "open_ledger_level": level,
                   "reference_level": "256"},
        "max_queue_size": "20000",
    }


def ledger_current(world: XrplWorld, _params: Params) -> Answer:
    """Give the open ledger's index."""
    return {"ledger_current_index": world.open_index}


def ledger_closed(world: XrplWorld, _params: Params) -> Answer:
    """Give the newest closed ledger's hash and index."""
    return {"ledger_hash": world.history.last.hash, "ledger_index": world.history.last.index}


def ledger_accept(world: XrplWorld, _params: Params) -> Answer:
    """Close the open ledger, as a stand-alone node lets its owner do."""
    world.close()
    return {"ledger_current_index": world.open_index}


def ledger(world: XrplWorld, params: Params) -> Answer:
    """Show a ledger's header, and its transactions where asked."""
    chosen = choose_ledger(world, params)
    version = int(params.get("api_version", 1))
    if chosen.closed is None:
        index = chosen.index if version > 1 else str(chosen.index)
        head = {"closed": False, "ledger_index": index, "parent_hash": world.history.last.hash}
        return {"ledger": head, **chosen.named()}
    header = _header(chosen.closed, version)
    if params.get("transactions"):
        expand = bool(params.get("expand"))
        header["transactions"] = [_shown(record, version, expand=expand) for record in chosen.closed.records]
    return {"ledger": header, **chosen.named()}


def _header(closed: Closed, version: int) -> Answer:
    return {
        "account_hash": closed.account_hash, "close_flags": 0, "close_time": closed.close_time,
        "close_time_human": human_time(closed.close_time), "close_time_iso": iso_time(closed.close_time),
        "close_time_resolution": CLOSE_RESOLUTION_SECONDS, "closed": True, "ledger_hash": closed.hash,
        "ledger_index": closed.index if version > 1 else str(closed.index),
        "parent_close_time": closed.parent_close_time, "parent_hash": closed.parent_hash,
        "total_coins": str(closed.total_drops), "transaction_hash": closed.transaction_hash,
    }


def _shown(record: Record, version: int, *, expand: bool) -> Any:
    if not expand:
        return record.tx.id
    fields = fields_for(record.tx.fields, version)
    if version > 1:
        return {"hash": record.tx.id, "meta": record.meta, "tx_json": fields, "validated": True}
    return {**fields, "hash": record.tx.id, "metaData": record.meta}
