"""What a signer's imported journal shows as signed and this store does not hold, as after a restored backup.

It is read from the kept entries and written nowhere, so that nothing but the missing jobs, or a person's signed word in
the coordinator's journal, makes it go away. A process verifies each entry once, and then reads on from where it was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from sqlalchemy import ColumnElement, Connection, Engine, Select, select

from online.jobs.states import State
from online.store import tables
from online.store.engine import PURPOSE
from online.store.many import among, given
from online.store.people import known_keys
from online.store.signers import Signer, find_signer
from online.store.wallets import find_wallet
from shared.encoding import Fields, decode
from shared.envelope import Item, Lot, SigningRequest, open_request
from shared.errors import BadField, EntriesMissing, Refusal, SignedElsewhere, StrangeSigner, Unreconciled
from shared.foreign import read_foreign_document
from shared.journal import EMPTY_TIP, Entry, Tip, read_journal
from shared.sealed import open_sealed
from shared.transport.pack import unpack

ACKNOWLEDGE = "acknowledge/1"

_NEVER_LEFT = (State.DRAFTED, State.APPROVED, State.BUILT, State.WITHDRAWN)
"""States of jobs whose bytes, as far as this store knows, no signer was ever shown."""

_LEFT = select(tables.jobs.c.unsigned_sha256).where(
    tables.jobs.c.unsigned_sha256.in_(given()), tables.jobs.c.state.not_in([state.value for state in _NEVER_LEFT])
)


@dataclass(frozen=True, slots=True)
class Signed:
    """A transaction that a signer's journal says it signed: in which entry, for which request."""

    request: bytes
    unsigned_sha256: bytes
    entry: int


def signed_in(entries: Iterable[Entry]) -> tuple[Signed, ...]:
    """List every transaction that a journal's entries say was signed."""
    found: list[Signed] = []
    for entry in entries:
        request, rows = entry.body.get("request"), entry.body.get("txs")
        if entry.kind == "sign" and isinstance(request, bytes) and isinstance(rows, list):
            found += [
                Signed(request, row[0], entry.number)
                for row in rows
                if isinstance(row, list) and row and isinstance(row[0], bytes)
            ]
    return tuple(found)


def request_in(entry: Entry) -> tuple[SigningRequest, bytes, bytes]:
    """Give the request that a "sign" entry holds, its sealed bytes and its digest.

    Raises:
        BadField: if the entry holds none, or another than it names. Refusal: if it is not read.
    """
    packed = entry.body.get("sealed")
    if not isinstance(packed, bytes):
        raise BadField(f"entry {entry.number} of the signer's journal holds no request")
    if foreign_in(entry) is not None:
        raise StrangeSigner("another maker's wallet asked for it")
    blob = unpack(packed)
    request, sealed = open_request(blob)
    if sealed.digest != entry.body.get("request"):
        raise BadField(f"entry {entry.number} of the signer's journal holds another request than it names")
    return request, blob, sealed.digest


def foreign_in(entry: Entry) -> tuple[str, bytes] | None:
    """Give the network and the bytes of what another maker's wallet asked a signer for, if this entry is of such."""
    packed = entry.body.get("sealed")
    try:
        network, contents, digest = read_foreign_document(unpack(packed if isinstance(packed, bytes) else b""))
    except Refusal:
        return None
    return (network, contents) if digest == entry.body.get("request") else None


def item_of(entry: Entry, name: bytes) -> tuple[Lot, Item] | None:
    """Give the transaction of this digest in a "sign" entry, or None where it can not be read."""
    try:
        request, _, _ = request_in(entry)
    except Refusal:
        return None
    return next((one for one in request.flat() if hashlib.sha256(one[1].unsigned).digest() == name), None)


def kept_entries(connection: Connection, signer: bytes) -> tuple[Entry, ...]:
    """Give the entries that were imported of a signer's journal. Raises JournalDamaged."""
    table = tables.signer_entries
    query = select(table.c.line).where(table.c.signer == signer).order_by(table.c.n)
    return read_journal(b"".join(connection.execute(query).scalars()), signer).entries


def unknown_among(connection: Connection, entries: Iterable[Entry]) -> tuple[Signed, ...]:
    """List what was signed and no job that left this house stands for; what a person acknowledged is among it."""
    signed = signed_in(entries)
    known = {row.unsigned_sha256 for row in among(connection, _LEFT, [one.unsigned_sha256 for one in signed])}
    return tuple(one for one in signed if one.unsigned_sha256 not in known)


@dataclass(frozen=True, slots=True)
class _Followed:
    """How far a journal was verified, and the entries of it that still matter."""

    tip: Tip = EMPTY_TIP
    entries: tuple[Entry, ...] = ()


_followed: WeakKeyDictionary[Engine, dict[bytes | None, _Followed]] = WeakKeyDictionary()
"""By the key that wrote it, for each database that this process has open."""


def _follow(
    connection: Connection, key: bytes | None, lines: Select[tuple[bytes]], number: ColumnElement[int],
    matter: Callable[[Sequence[Entry]], Iterable[Entry]],
) -> _Followed:
    """Read a journal on from where this process verified it, from the start where it is shorter now.

    What a transaction that writes has seen may never come to be, so that it is not remembered.
    """
    mine = _followed.setdefault(connection.engine, {})
    before = mine.get(key, _Followed())
    if before.tip.size and connection.execute(lines.where(number == before.tip.size - 1)).first() is None:
        before = _Followed()
    rows = connection.execute(lines.where(number >= before.tip.size).order_by(number))
    found = read_journal(b"".join(row.line for row in rows), key, before.tip)
    after = _Followed(found.tip, tuple(matter([*before.entries, *found.entries])))
    if connection.get_execution_options().get(PURPOSE) == "read":
        mine[key] = after
    return after


def _unknown_entries(connection: Connection, signer: bytes) -> tuple[Entry, ...]:
    """Give the entries of a signer's kept journal in which something unknown was signed. Raises JournalDamaged."""
    table = tables.signer_entries

    def matter(entries: Sequence[Entry]) -> list[Entry]:
        unknown = {one.entry for one in unknown_among(connection, entries)}
        return [entry for entry in entries if entry.number in unknown]

    return _follow(connection, signer, select(table.c.line).where(table.c.signer == signer), table.c.n, matter).entries


def require_remembered(connection: Connection, wallet: str, station: bytes) -> None:
    """Refuse while the journal of a wallet's signer shows, or is known to show, what this store does not hold.

    Raises:
        EntriesMissing, Unreconciled.
    """
    signer = find_signer(connection, find_wallet(connection, wallet).signer)
    require_entries(signer)
    require_reconciled(connection, signer.public_key, station, {})


def require_entries(signer: Signer) -> None:
    """Refuse while entries of a signer's journal are known to be missing here. Raises EntriesMissing."""
    if signer.needs_entries:
        raise EntriesMissing(
            f"the journal of {signer.name} has {signer.wanted.size} entries, and {signer.seen.size} are known here"
        )


def require_reconciled(connection: Connection, signer: bytes, station: bytes, transfers: Mapping[str, int]) -> None:
    """Refuse while the kept journal shows what nobody acknowledged; and a transfer that it carried out, always.

    `transfers` are those that would be exported: hex id and job.

    Raises:
        Unreconciled: with the number of transactions. SignedElsewhere: naming the job.
    """
    entries = {entry.number: entry for entry in _unknown_entries(connection, signer)}
    unknown = unknown_among(connection, entries.values())
    accepted = acknowledged(connection, station) if unknown else frozenset()
    if left := [one for one in unknown if one.unsigned_sha256 not in accepted]:
        name = find_signer(connection, signer).name
        noun = "a transaction" if len(left) == 1 else f"{len(left)} transactions"
        raise Unreconciled(f"{name} signed {noun} unknown to this store")
    for one in unknown:
        found = item_of(entries[one.entry], one.unsigned_sha256)
        for ref in () if found is None else found[1].transfers:
            if job := transfers.get(ref.transfer_id.hex()):
                text = f"entry {one.entry} of the signer's journal signed another transaction for job {job}"
                raise SignedElsewhere(text)


def acknowledged(connection: Connection, station: bytes | None) -> frozenset[bytes]:
    """Give the unknown transactions that people took note of, by the SHA-256 of their unsigned bytes."""
    audit = tables.audit
    followed = _follow(connection, station, select(audit.c.line), audit.c.n, _acknowledging)
    words = [entry.body.get("word") for entry in followed.entries]
    people = known_keys(connection)
    found: set[bytes] = set()
    for word in words:
        sealed = open_sealed(word if isinstance(word, bytes) else b"", ACKNOWLEDGE)
        if people.issuperset(sealed.signers):
            fields = Fields(decode(sealed.body), "acknowledgement")
            found |= {one for one in fields.list("transactions") if isinstance(one, bytes)}
    return frozenset(found)


def _acknowledging(entries: Sequence[Entry]) -> list[Entry]:
    return [entry for entry in entries if entry.kind == "acknowledge"]
