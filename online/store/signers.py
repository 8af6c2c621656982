"""The signers of this coordinator, and the newest state of each one's journal that was proven here.

`seen` only ever moves forward along proofs. `wanted` is a newer state that somebody showed and nobody proved yet: until
the entries up to it are imported, nothing is exported to that signer. A device of another maker has no journal at all.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from sqlalchemy import Connection, Row, insert, or_, select, update

from online.store import journal, tables
from online.store.database import Store, Tx
from shared.encoding import Value
from shared.envelope import NOTHING_SEEN, SeenLog
from shared.errors import BadField, NameTaken, UnknownSigner
from shared.people import check_name


@dataclass(frozen=True, slots=True)
class Signer:
    """A signer: its station key, its name here, and what is known of its journal.

    `fingerprint` (4 bytes) is there for a device of another maker alone, and names its keys' master (BIP32).
    """

    public_key: bytes
    name: str
    fingerprint: bytes
    seen: SeenLog
    checkpoint: str
    wanted: SeenLog

    @property
    def needs_entries(self) -> bool:
        """Say whether its journal is known to hold more than was imported."""
        return self.wanted.size > self.seen.size


def device_key(fingerprint: bytes) -> bytes:
    """Give what stands for a device of another maker where signers of ours have a station key.

    It is a digest, to which nobody has a private key: nothing of ours is ever taken as signed by such a device.
    """
    return hashlib.sha256(b"lockgate/device\0" + fingerprint).digest()


def note_device(tx: Tx, fingerprint: bytes, name: str, now: int) -> Signer:
    """Note a device of another maker by its master's fingerprint; the same again changes nothing.

    Raises:
        NameTaken: if the name is another signer's, or the device has another name. BadField: for a name that is none.
    """
    return _pair(tx, device_key(fingerprint), name, fingerprint, now)


def pair_signer(store: Store, public_key: bytes, name: str, now: int) -> Signer:
    """Pair a signer's station key, read from its own screen; the same again changes nothing.

    Raises:
        NameTaken: if the name or key is another signer's. BadField: for a name or key that is none.
    """
    if len(public_key) != 32:
        raise BadField("a station key has 32 bytes")
    with store.transaction() as tx:
        return _pair(tx, public_key, name, b"", now)


def signers(store: Store) -> tuple[Signer, ...]:
    """List the signers, by name."""
    with store.reading() as connection:
        return find_signers(connection)


def find_signers(connection: Connection) -> tuple[Signer, ...]:
    """List the signers within a transaction."""
    rows = connection.execute(select(tables.signers).order_by(tables.signers.c.name))
    return tuple(_signer(row) for row in rows)


def signer(store: Store, name_or_key: str | bytes) -> Signer:
    """Give a signer by its name or station key. Raises UnknownSigner."""
    with store.reading() as connection:
        return find_signer(connection, name_or_key)


def find_signer(connection: Connection, name_or_key: str | bytes) -> Signer:
    """Give a signer within a transaction. Raises UnknownSigner."""
    table = tables.signers
    column = table.c.name if isinstance(name_or_key, str) else table.c.public_key
    row = connection.execute(select(table).where(column == name_or_key)).one_or_none()
    if row is None:
        shown = name_or_key if isinstance(name_or_key, str) else name_or_key.hex()[:16]
        raise UnknownSigner(f"no signer {shown[:40]!r} is paired with this coordinator")
    return _signer(row)


def set_seen(tx: Tx, signer_key: bytes, seen: SeenLog, checkpoint: str, now: int) -> None:
    """Move what was proven of a signer's journal forward; the proof is the caller's."""
    body: dict[str, Value] = {"signer": signer_key, "size": seen.size, "root": seen.root}
    journal.append(tx, "signer-seen", {**body, "checkpoint": checkpoint}, now)
    values = {"size": seen.size, "root": seen.root, "checkpoint": checkpoint}
    tx.sql.execute(update(tables.signers).where(tables.signers.c.public_key == signer_key).values(values))


def set_wanted(tx: Tx, signer_key: bytes, wanted: SeenLog) -> None:
    """Keep a newer state of a signer's journal that is not proven yet."""
    values = {"wanted_size": wanted.size, "wanted_root": wanted.root}
    tx.sql.execute(update(tables.signers).where(tables.signers.c.public_key == signer_key).values(values))


def _pair(tx: Tx, public_key: bytes, name: str, fingerprint: bytes, now: int) -> Signer:
    check_name(name)
    table = tables.signers
    same = or_(table.c.name == name, table.c.public_key == public_key)
    found = [_signer(row) for row in tx.sql.execute(select(table).where(same))]
    if [(one.name, one.public_key) for one in found] == [(name, public_key)]:
        return found[0]
    if found:
        raise NameTaken(f"the name or the key of {name} is another signer's already")
    nothing = {"size": 0, "root": NOTHING_SEEN.root, "wanted_size": 0, "wanted_root": NOTHING_SEEN.root}
    row = {"public_key": public_key, "name": name, "fingerprint": fingerprint, "checkpoint": ""}
    tx.sql.execute(insert(table).values(**row, **nothing))
    journal.append(tx, "signer", {"name": name, "key": public_key}, now)
    return find_signer(tx.sql, public_key)


def _signer(row: Row[tuple[object, ...]]) -> Signer:
    return Signer(
        row.public_key,
        row.name,
        row.fingerprint,
        SeenLog(row.size, row.root),
        row.checkpoint,
        SeenLog(row.wanted_size, row.wanted_root),
    )
