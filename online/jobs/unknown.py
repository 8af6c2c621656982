"""What a signer's imported journal shows as signed and this store does not hold, as after a restored backup.

It is read from the kept entries each time and remembered nowhere, so that nothing but the missing jobs, or a person's
signed word in the coordinator's journal, makes it go away.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, select

from online.jobs.states import State
from online.store import journal, tables
from online.store.people import known_keys
from online.store.signers import Signer, find_signer
from online.store.wallets import find_wallet
from shared.encoding import Fields, decode
from shared.envelope import Item, Lot, SigningRequest, open_request
from shared.errors import BadField, EntriesMissing, Refusal, SignedElsewhere, StrangeSigner, Unreconciled
from shared.foreign import read_foreign_document
from shared.journal import Entry, read_journal
from shared.sealed import open_sealed
from shared.transport.pack import unpack

ACKNOWLEDGE = "acknowledge/1"

_NEVER_LEFT = (State.DRAFTED, State.APPROVED, State.BUILT, State.WITHDRAWN)
"""States of jobs whose bytes, as far as this store knows, no signer was ever shown."""


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


def unknown_among(connection: Connection, entries: tuple[Entry, ...]) -> tuple[Signed, ...]:
    """List what was signed and no job that left this house stands for; what a person acknowledged is among it."""
    jobs = tables.jobs
    left = jobs.c.unsigned_sha256.is_not(None) & jobs.c.state.not_in([state.value for state in _NEVER_LEFT])
    known = set(connection.execute(select(jobs.c.unsigned_sha256).where(left)).scalars())
    return tuple(one for one in signed_in(entries) if one.unsigned_sha256 not in known)


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
    entries = kept_entries(connection, signer)
    unknown = unknown_among(connection, entries)
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
    words = [
        entry.body.get("word")
        for entry in read_journal(journal.lines(connection), station).entries
        if entry.kind == "acknowledge"
    ]
    people = known_keys(connection)
    found: set[bytes] = set()
    for word in words:
        sealed = open_sealed(word if isinstance(word, bytes) else b"", ACKNOWLEDGE)
        if people.issuperset(sealed.signers):
            fields = Fields(decode(sealed.body), "acknowledgement")
            found |= {one for one in fields.list("transactions") if isinstance(one, bytes)}
    return frozenset(found)
