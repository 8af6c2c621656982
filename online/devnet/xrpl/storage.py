"""Keeps a world in one JSON file, so that a devnet outlives a restart. Of past states it keeps the newest."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Final

from online.devnet.xrpl.history import Closed, History, Record
from online.devnet.xrpl.transaction import read_blob
from online.devnet.xrpl.world import XrplWorld

FORMAT: Final = "xrpl-devnet-1"


def save_world(world: XrplWorld, path: Path) -> None:
    """Write the world, replacing the file at once."""
    with world.lock:
        text = json.dumps(_document(world))
    aside = path.with_suffix(".new")
    aside.write_text(text, "utf-8")
    os.replace(aside, path)


def load_world(path: Path) -> XrplWorld:
    """Read a world back; its faults are gone, its open transactions are submitted again.

    Raises:
        ValueError: the file is no world of this format.
    """
    document = json.loads(path.read_text("utf-8"))
    if document.get("format") != FORMAT:
        raise ValueError(f"{path} holds no world of the format {FORMAT}")
    ledgers = [_closed(row) for row in document["ledgers"]]
    world = XrplWorld(**document["rules"])
    history = History(ledgers[0], {})
    for ledger in ledgers[1:]:
        history.append(ledger, {})
    history.keep_state(document["state"])
    history.forget(document["forgotten"])
    world.restore(history)
    for blob in document["waiting"]:
        world.submit(bytes.fromhex(blob))
    return world


def _document(world: XrplWorld) -> dict[str, Any]:
    rules = world.rules
    return {
        "format": FORMAT,
        "rules": {"network_id": rules.network_id, "base_fee_drops": rules.base_fee_drops,
                  "reserve_base_drops": rules.reserve_base_drops,
                  "reserve_increment_drops": rules.reserve_increment_drops},
        "ledgers": [_row(ledger) for ledger in world.history.everything()],
        "forgotten": sorted(world.history.forgotten),
        "state": world.state,
        "waiting": [tx.blob.hex() for tx in world.pool.waiting()],
    }


def _row(ledger: Closed) -> dict[str, Any]:
    records = [{"blob": record.tx.blob.hex(), "meta": record.meta} for record in ledger.records]
    return {"index": ledger.index, "parent_hash": ledger.parent_hash, "close_time": ledger.close_time,
            "parent_close_time": ledger.parent_close_time, "total_drops": ledger.total_drops,
            "records": records, "account_hash": ledger.account_hash,
            "transaction_hash": ledger.transaction_hash}


def _closed(row: dict[str, Any]) -> Closed:
    records = tuple(Record(read_blob(bytes.fromhex(kept["blob"])), kept["meta"], row["index"], position)
                    for position, kept in enumerate(row["records"]))
    return Closed(**{**row, "records": records})
