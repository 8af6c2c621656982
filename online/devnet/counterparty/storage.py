"""Keeps a Bitcoin and its Counterparty in one JSON file, so that a devnet outlives a restart. Faults are not kept."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Final

from online.devnet.bitcoin.mempool import Rejected
from online.devnet.bitcoin.wire import Block
from online.devnet.bitcoin.world import BitcoinWorld
from online.devnet.counterparty.decrees import Decree
from online.devnet.counterparty.world import CounterpartyWorld

FORMAT: Final = "bitcoin-devnet-1"


def save_worlds(counterparty: CounterpartyWorld, path: Path) -> None:
    """Write both worlds, replacing the file at once: the best chain's blocks, what waits, and the decrees."""
    bitcoin = counterparty.bitcoin
    with bitcoin.lock:
        chain = bitcoin.chain
        document = {
            "format": FORMAT,
            "new_table_height": counterparty.new_table_height,
            "blocks": [chain.blocks[each].raw.hex() for each in chain.active[1:]],
            "waiting": [entry.tx.raw.hex() for entry in bitcoin.mempool.in_order()],
            "decrees": [[one.height, one.kind, list(one.terms)] for one in counterparty.decrees()],
        }
    aside = path.with_suffix(".new")
    aside.write_text(json.dumps(document), "utf-8")
    os.replace(aside, path)


def load_worlds(path: Path) -> CounterpartyWorld:
    """Read both worlds back; the kernel judges every block again, and the mempool what waited.

    Raises:
        ValueError: the file is no such world, or the kernel does not take its blocks.
    """
    document = json.loads(path.read_text("utf-8"))
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ValueError(f"{path} holds no world of the format {FORMAT}")
    bitcoin = BitcoinWorld(premined=0)
    for raw in document["blocks"]:
        bitcoin.offer(Block.read(bytes.fromhex(raw)))
    if bitcoin.height != len(document["blocks"]):
        raise ValueError(f"{path} holds blocks that the kernel does not take")
    for raw in document["waiting"]:
        try:
            bitcoin.submit(bytes.fromhex(raw))
        except Rejected:
            continue  # what the owner's hand let in need not be what a mempool takes
    world = CounterpartyWorld(bitcoin, new_table_height=document["new_table_height"])
    world.restore([Decree(height, kind, tuple(terms)) for height, kind, terms in document["decrees"]])
    return world
