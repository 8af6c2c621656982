"""Holds people, assets, signers and wallets against the journal, and addresses against the cards of the wallets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import Connection, Row, select

from online.audit_told import Told
from online.jobs.unknown import kept_entries
from online.store import tables
from online.store.cards import open_any_card
from online.store.signers import device_key
from shared.chains import chain
from shared.checkpoint import open_checkpoint
from shared.encoding import Value
from shared.envelope import card_keys
from shared.errors import Refusal
from shared.hdkeys import print_path

_NOTHING: dict[str, Value] = {"size": 0, "root": bytes(32), "checkpoint": ""}


def look(connection: Connection, told: Told) -> Iterator[str]:
    """Name each row that differs."""
    said = {(one.body.get("name"), one.body.get("key"), one.number) for one in told.entries if one.kind == "person"}
    yield from _differing("people", said ^ {tuple(row) for row in connection.execute(select(tables.people))})
    paired = {(one.body.get("name"), one.body.get("key")) for one in told.entries if one.kind == "signer"}
    signers = connection.execute(select(tables.signers.c.name, tables.signers.c.public_key))
    yield from _differing("signers", paired ^ {tuple(row) for row in signers})
    assets = {(row.network, row.code, row.decimals) for row in connection.execute(select(tables.assets))}
    noted = [entry.body for entry in told.entries if entry.kind == "asset"]
    for network, code, _ in assets ^ {(one.get("network"), one.get("code"), one.get("decimals")) for one in noted}:
        yield f"assets {network} {code}: not as the journal says"
    for row in connection.execute(select(tables.signers)):
        yield from (f"signers {row.name}: {text}" for text in _signer(connection, told, row))
    for row in connection.execute(select(tables.wallets)):
        try:
            yield from _wallet(connection, told, row)
        except (Refusal, ValueError) as trouble:
            yield f"wallets {row.name}: {trouble}"


def _differing(table: str, rows: Iterable[tuple[object, ...]]) -> Iterator[str]:
    return (f"{table} {name}: not as the journal says" for name in sorted({str(row[0]) for row in rows}))


def _signer(connection: Connection, told: Told, row: Row[Any]) -> Iterator[str]:
    if row.fingerprint and row.public_key != device_key(row.fingerprint):
        yield "its fingerprint is another device's"
    seen = {**_NOTHING, **told.last("signer-seen", row.public_key)}
    ahead = {**_NOTHING, **told.last("signer-ahead", row.public_key)}
    if (seen["size"], seen["root"], seen["checkpoint"]) != (row.size, row.root, row.checkpoint):
        yield "what was seen of its journal is not what the coordinator's journal says"
    if (ahead["size"], ahead["root"]) != (row.wanted_size, row.wanted_root):
        yield "what is wanted of its journal is not what the coordinator's journal says"
    try:
        if row.checkpoint:
            open_checkpoint(row.checkpoint, row.checkpoint.partition("\n")[0], row.public_key)
        kept = len(kept_entries(connection, row.public_key))
    except Refusal as refusal:
        yield f"{refusal}"
        return
    taken_in = told.last("signer-journal", row.public_key).get("size", 0)
    if kept != taken_in:
        yield f"signer_entries holds {kept} of its entries, and {taken_in} were imported"


def _wallet(connection: Connection, told: Told, row: Row[Any]) -> Iterator[str]:
    if told.last("card", row.name).get("card") != row.card:
        yield f"wallets {row.name}: its card is not the one in the journal"
    read = open_any_card(row.card)
    card = read.public
    if read.fingerprint and read.sealer != told.key:
        yield f"wallets {row.name}: its descriptor was not taken in by this coordinator"
    is_now = (row.name, row.network, row.tier, row.curve, row.account, row.signer, row.xpub, row.form)
    if is_now != (
        card.wallet, card.network, card.tier, card.curve, card.account, card.signer, card.xpub, card.form
    ):  # fmt: skip
        yield f"wallets {row.name}: not as its card says"
    table, ledger = tables.keys, chain(card.network)
    keys = connection.execute(select(table).where(table.c.wallet == row.name).order_by(table.c.idx)).all()
    said = card_keys(card, len(keys))
    for index, key in enumerate(keys):
        public_key = said[index] if index < len(said) else b""
        path = print_path(read.path(index))
        address = ledger.address(public_key, card.curve, card.network, card.form) if public_key else ""
        if (key.idx, key.path, key.public_key, key.network, key.address) != (
            index, path, public_key, card.network, address
        ):  # fmt: skip
            yield f"keys {row.name} {key.idx}: not as the wallet's card says"
