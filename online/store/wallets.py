"""Wallets and their addresses, from cards that signers sealed or from devices' descriptors.

A later card extends a wallet and never changes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from sqlalchemy import Connection, Row, insert, select, update

from online.store import journal, tables
from online.store.cards import Card, open_any_card, seal_watch
from online.store.database import Store, Tx
from online.store.signers import find_signer, note_device
from shared.chains import chain
from shared.chains.api import Curve, KeyPath
from shared.envelope import WalletCard, card_keys, open_card
from shared.errors import CardConflict, UnknownWallet
from shared.hdkeys import parse_path, print_path
from shared.people import check_name


@dataclass(frozen=True, slots=True)
class Wallet:
    """A named set of addresses of one tier on one network, whose keys one signer holds."""

    name: str
    network: str
    tier: str
    curve: Curve
    account: int
    signer: bytes
    xpub: bytes
    form: str = ""


@dataclass(frozen=True, slots=True)
class Key:
    """The public half of one key of a wallet, and the address that it controls."""

    wallet: str
    index: int
    path: KeyPath
    public_key: bytes
    address: str


def import_card(store: Store, sealed: bytes, now: int, *, addresses: int = 1) -> Wallet:
    """Take in a wallet's card; from an extended key the first `addresses` addresses are derived.

    Raises:
        UnknownSigner: if the signer that sealed it was never paired.
        CardConflict: if the wallet exists and the card would change it, or holds an address of another wallet.
        BadEncoding, BadField, BadSeal: if it is no card.
    """
    open_card(sealed)  # and nothing that our own station may have sealed
    with store.transaction() as tx:
        return _take(tx, sealed, now, addresses)


def watch_wallet(
    store: Store, name: str, descriptor: str, now: int, *, network: str, tier: str, device: str, addresses: int = 1
) -> Wallet:
    """Take in the wallet of another maker's device from its descriptor; the device is noted by this name.

    Raises:
        ForeignDescriptor, ForeignUnwanted: if it is none that can be watched.
        NameTaken: if the device has another name, or another signer this one.
        CardConflict: if the wallet exists and this would change it, or holds an address of another wallet.
    """
    with store.transaction() as tx:
        sealed = seal_watch(check_name(name), network, tier, descriptor, tx.station.public_key, tx.station.sign)
        note_device(tx, open_any_card(sealed).fingerprint, device, now)
        return _take(tx, sealed, now, addresses)


def _take(tx: Tx, sealed: bytes, now: int, addresses: int) -> Wallet:
    read = open_any_card(sealed)
    card, found = read.public, _wallet_of(read.public)
    find_signer(tx.sql, card.signer)
    before = _row(tx.sql, card.wallet)
    if before is None:
        values = {field: getattr(found, field) for field in found.__dataclass_fields__}
        tx.sql.execute(insert(tables.wallets).values(card=sealed, **values))
    elif _wallet(before) != found:
        raise CardConflict(f"the card says something else of the wallet {card.wallet} than its first card")
    else:
        here = tables.wallets.c.name == found.name
        tx.sql.execute(update(tables.wallets).where(here).values(card=sealed))
    _extend(tx, read, card_keys(card, addresses if card.xpub else len(card.keys)))
    journal.append(tx, "card", {"wallet": card.wallet, "signer": card.signer, "card": sealed}, now)
    return found


def add_addresses(store: Store, wallet_name: str, count: int, now: int) -> tuple[Key, ...]:
    """Derive addresses of a wallet with an extended key, until it has `count`.

    Raises:
        UnknownWallet: if there is none of this name. CardConflict: if its keys come numbered, on cards.
    """
    with store.transaction() as tx:
        found = find_wallet(tx.sql, wallet_name)
        if not found.xpub:
            raise CardConflict(
                f"the keys of {wallet_name} come on cards", hint="Import a card with more keys."
            )
        query = select(tables.wallets.c.card).where(tables.wallets.c.name == wallet_name)
        card = open_any_card(tx.sql.execute(query).scalar_one())
        _extend(tx, card, card_keys(card.public, count))
        journal.append(tx, "addresses", {"wallet": wallet_name, "count": count}, now)
        return find_keys(tx.sql, wallet_name)


def wallets(store: Store) -> tuple[Wallet, ...]:
    """List the wallets, by name."""
    with store.reading() as connection:
        rows = connection.execute(select(tables.wallets).order_by(tables.wallets.c.name))
        return tuple(_wallet(row) for row in rows)


def wallet(store: Store, name: str) -> Wallet:
    """Give a wallet. Raises UnknownWallet."""
    with store.reading() as connection:
        return find_wallet(connection, name)


def keys(store: Store, wallet_name: str) -> tuple[Key, ...]:
    """List a wallet's keys in order. Raises UnknownWallet."""
    with store.reading() as connection:
        find_wallet(connection, wallet_name)
        return find_keys(connection, wallet_name)


def owner(store: Store, network: str, address: str) -> Key | None:
    """Give the key of ours that controls an address, or None."""
    with store.reading() as connection:
        return find_owner(connection, network, address)


def find_wallet(connection: Connection, name: str) -> Wallet:
    """Give a wallet within a transaction. Raises UnknownWallet."""
    row = _row(connection, name)
    if row is None:
        raise UnknownWallet(f"no wallet called {name[:40]!r}")
    return _wallet(row)


def find_keys(connection: Connection, wallet_name: str) -> tuple[Key, ...]:
    """List a wallet's keys within a transaction."""
    table = tables.keys
    rows = connection.execute(select(table).where(table.c.wallet == wallet_name).order_by(table.c.idx))
    return tuple(_key(row) for row in rows)


def find_owner(connection: Connection, network: str, address: str) -> Key | None:
    """Give the key that controls an address within a transaction, or None."""
    table = tables.keys
    here = (table.c.network == network) & (table.c.address == address)
    row = connection.execute(select(table).where(here)).one_or_none()
    return None if row is None else _key(row)


def public_keys(connection: Connection, signer: bytes, network: str, paths: Sequence[KeyPath]) -> list[bytes]:
    """Give the public keys of paths of a signer's wallets on a network; nothing for a path that is none of theirs.

    Two signers have other keys at the same path.
    """
    texts, table, wallets_ = [print_path(path) for path in paths], tables.keys, tables.wallets
    query = select(table.c.path, table.c.public_key).join(wallets_, wallets_.c.name == table.c.wallet)
    mine = (table.c.network == network) & table.c.path.in_(texts) & (wallets_.c.signer == signer)
    rows = connection.execute(query.where(mine))
    known = {row.path: row.public_key for row in rows}
    return [known.get(text, b"") for text in texts]


def _extend(tx: Tx, card: Card, public_keys: tuple[bytes, ...]) -> None:
    """Add the keys that are new; those that are there already must be the same."""
    found = _wallet_of(card.public)
    before = find_keys(tx.sql, found.name)
    for index, public_key in enumerate(public_keys):
        if index < len(before):
            if before[index].public_key != public_key:
                raise CardConflict(f"key {index} of {found.name} is another than before")
            continue
        address = chain(found.network).address(public_key, found.curve, found.network, found.form)
        taken = find_owner(tx.sql, found.network, address)
        if taken is not None:
            raise CardConflict(f"the address {address} belongs to the wallet {taken.wallet}")
        row = {"wallet": found.name, "idx": index, "path": print_path(card.path(index)), "public_key": public_key}
        tx.sql.execute(insert(tables.keys).values(network=found.network, address=address, **row))
    if not found.xpub and len(public_keys) < len(before):
        raise CardConflict(f"the card of {found.name} has fewer keys than an earlier one")


def _wallet_of(card: WalletCard) -> Wallet:
    network = chain(card.network).network(card.network).name
    return Wallet(card.wallet, network, card.tier, card.curve, card.account, card.signer, card.xpub, card.form)


def _row(connection: Connection, name: str) -> Row[tuple[object, ...]] | None:
    return connection.execute(select(tables.wallets).where(tables.wallets.c.name == name)).one_or_none()


def _wallet(row: Row[tuple[object, ...]]) -> Wallet:
    curve: Curve = next(one for one in get_args(Curve) if one == row.curve)
    return Wallet(row.name, row.network, row.tier, curve, row.account, row.signer, row.xpub, row.form)


def _key(row: Row[tuple[object, ...]]) -> Key:
    return Key(row.wallet, row.idx, parse_path(row.path), row.public_key, row.address)
