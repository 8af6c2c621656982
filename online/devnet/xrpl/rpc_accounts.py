"""What a node says of accounts: account_info, account_objects, account_tx, deposit_authorized."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from online.devnet.xrpl.hashes import account_key, deposit_key, signers_key
from online.devnet.xrpl.history import Record
from online.devnet.xrpl.rpc_forms import (
    Answer,
    Chosen,
    Params,
    RpcError,
    address_of,
    choose_ledger,
    ledger_of,
    meta_blob,
    page_size,
    placed_fields,
    whole_number,
)
from online.devnet.xrpl.state import DEPOSIT_AUTH, Entry, Sandbox, shown
from online.devnet.xrpl.world import XrplWorld

_FLAG_NAMES: Final[Mapping[str, int]] = {
    "allowTrustLineClawback": 0x80000000, "defaultRipple": 0x00800000, "depositAuth": 0x01000000,
    "disableMasterKey": 0x00100000, "disallowIncomingCheck": 0x08000000,
    "disallowIncomingNFTokenOffer": 0x04000000, "disallowIncomingPayChan": 0x10000000,
    "disallowIncomingTrustline": 0x20000000, "disallowIncomingXRP": 0x00080000, "globalFreeze": 0x00400000,
    "noFreeze": 0x00200000, "passwordSpent": 0x00010000, "requireAuthorization": 0x00040000,
    "requireDestinationTag": 0x00020000,
}
_TYPES: Final = {"ticket": "Ticket", "signer_list": "SignerList", "deposit_preauth": "DepositPreauth"}
_KNOWN_TYPES: Final = frozenset({*_TYPES, "check", "escrow", "nft_page", "offer", "payment_channel", "state"})
_MOST_RANGE: Final = 2**32 - 1


def account_info(world: XrplWorld, params: Params) -> Answer:
    """Show an account's root, its flags by name, and its signer list where asked."""
    chosen, address = choose_ledger(world, params), address_of(params)
    entry = _root(chosen, address)
    body: Answer = {"account_data": shown(account_key(address), entry),
                    "account_flags": {name: bool(entry["Flags"] & bit) for name, bit in _FLAG_NAMES.items()}}
    if params.get("signer_lists"):
        key = signers_key(address)
        lists = [shown(key, chosen.state[key])] if key in chosen.state else []
        # Version 2 moved the list out of the account's own fields.
        place = body if int(params.get("api_version", 1)) > 1 else body["account_data"]
        place["signer_lists"] = lists
    return {**body, **chosen.named()}


def _root(chosen: Chosen, address: str, missing: str = "actNotFound") -> Entry:
    entry = chosen.state.get(account_key(address))
    if entry is None:
        raise RpcError(missing, account=address, **chosen.named())
    return entry


def account_objects(world: XrplWorld, params: Params) -> Answer:
    """List what an account owns, a page at a time."""
    chosen, address = choose_ledger(world, params), address_of(params)
    _root(chosen, address)
    limit, marker = page_size(params), str(params.get("marker", ""))
    wanted = _wanted_types(params.get("type"))
    rows = [(key, entry) for key, entry in Sandbox(chosen.state).owned(address)
            if entry["LedgerEntryType"] in wanted and key >= marker]
    body: Answer = {"account": address, "account_objects": [shown(*row) for row in rows[:limit]],
                    "limit": limit}
    if len(rows) > limit:
        body["marker"] = rows[limit][0]
    return {**body, **chosen.named()}


def _wanted_types(name: object) -> frozenset[str]:
    if name is None:
        return frozenset(_TYPES.values())
    if not isinstance(name, str) or name not in _KNOWN_TYPES:
        raise RpcError("invalidParams", "Invalid field 'type'.")
    # Types that rippled knows and this world has not are owned by nobody here.
    return frozenset({_TYPES[name]} if name in _TYPES else ())


def account_tx(world: XrplWorld, params: Params) -> Answer:
    """List an account's validated transactions, newest first unless `forward`, a page at a time."""
    address, limit = address_of(params), page_size(params)
    version, forward = int(params.get("api_version", 1)), bool(params.get("forward"))
    low, high = _range(world, params, version)
    rows = [record for record in world.history.of_account(address) if low <= record.index <= high]
    rows = _from_marker(rows if forward else rows[::-1], params.get("marker"), forward=forward)
    entries = [_entry(world, record, version, binary=bool(params.get("binary"))) for record in rows[:limit]]
    body: Answer = {"account": address, "ledger_index_max": high, "ledger_index_min": low, "limit": limit,
                    "transactions": entries, "validated": True}
    if len(rows) > limit:
        body["marker"] = {"ledger": rows[limit].index, "seq": rows[limit].position}
    return body


def _range(world: XrplWorld, params: Params, version: int) -> tuple[int, int]:
    # rippled serves the unbroken range that ends at the newest ledger, and says in the answer which that was.
    held_low, held_high = world.history.spans()[-1]
    if "ledger_index" in params or "ledger_hash" in params:
        index = choose_ledger(world, params).index
        return index, index
    low = _bound(params, "ledger_index_min", 0)
    high = _bound(params, "ledger_index_max", _MOST_RANGE)
    outside = (low != 0 and low < held_low) or (high != _MOST_RANGE and high > held_high)
    if version > 1 and outside:
        raise RpcError("lgrIdxMalformed")
    low, high = max(low, held_low), min(high, held_high)
    if low > high:
        raise RpcError("invalidLgrRange" if version > 1 else "lgrIdxsInvalid")
    return low, high


def _bound(params: Params, name: str, otherwise: int) -> int:
    value = params.get(name, -1)
    return otherwise if value == -1 else whole_number(value, name)


def _from_marker(rows: list[Record], marker: object, *, forward: bool) -> list[Record]:
    if marker is None:
        return rows
    if not isinstance(marker, Mapping) or not {"ledger", "seq"} <= set(marker):
        raise RpcError("invalidParams", "Invalid field 'marker'.")
    start = (whole_number(marker["ledger"], "marker"), whole_number(marker["seq"], "marker"))
    if forward:
        return [record for record in rows if (record.index, record.position) >= start]
    return [record for record in rows if (record.index, record.position) <= start]


def _entry(world: XrplWorld, record: Record, version: int, *, binary: bool) -> Answer:
    if binary:
        meta = {"meta" if version == 1 else "meta_blob": meta_blob(record.meta)}
        blob = record.tx.blob.hex().upper()
        return {"ledger_index": record.index, **meta, "tx_blob": blob, "validated": True}
    fields = placed_fields(world, record, version)
    if version == 1:
        return {"meta": record.meta, "tx": fields, "validated": True}
    return {**ledger_of(world, record), "hash": record.tx.id, "meta": record.meta, "tx_json": fields,
            "validated": True}


def deposit_authorized(world: XrplWorld, params: Params) -> Answer:
    """Say whether one account may pay another without leave or with it."""
    source = address_of(params, "source_account", "srcActMalformed")
    destination = address_of(params, "destination_account", "dstActMalformed")
    chosen = choose_ledger(world, params)
    _root(chosen, source, "srcActNotFound")
    guarded = _root(chosen, destination, "dstActNotFound")["Flags"] & DEPOSIT_AUTH
    allowed = not guarded or source == destination or deposit_key(destination, source) in chosen.state
    body: dict[str, Any] = {"deposit_authorized": allowed, "destination_account": destination,
                            "source_account": source}
    return {**body, **chosen.named()}
