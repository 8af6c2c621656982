"""Follows each signer's journal: it only ever grows, and what this coordinator missed of it is taken in and compared.

A checkpoint is believed for its signature and then held against what was proven before. An older or other history is
refused with a code of its own; a newer one that nobody proved stops the exports until its entries are imported.
"""

from __future__ import annotations

from sqlalchemy import Connection, func, insert, select

from online.store import journal, tables
from online.store.database import Store, Tx
from online.store.signers import Signer, find_signer, set_seen, set_wanted
from shared.checkpoint import Checkpoint, open_checkpoint
from shared.encoding import Value
from shared.envelope import SeenLog, SigningAnswer
from shared.errors import BadCheckpoint, BadProof, SignerJournalForked, SignerJournalRolledBack
from shared.journal import Journal, read_journal
from shared.merkle import verify_consistency


def note_checkpoint(store: Store, signer: bytes, text: str, now: int) -> Signer:
    """Take note of a signer's newest checkpoint, as an operator carries it; a newer one stops the exports.

    Raises:
        UnknownSigner, BadCheckpoint, BadSignature: if it is no checkpoint of a paired signer.
        SignerJournalRolledBack, SignerJournalForked: if it contradicts what was proven before.
    """
    with store.transaction() as tx:
        known = find_signer(tx.sql, signer)
        shown = read_checkpoint(text, signer)
        if shown.size <= known.seen.size:
            _require_past(tx.sql, known, shown)
        else:
            _want(tx, known, shown, now)
        return find_signer(tx.sql, signer)


def follow(tx: Tx, known: Signer, asked: SeenLog, answer: SigningAnswer, now: int) -> None:
    """Verify that the journal behind an answer grew out of what the request had seen, and move on to it.

    Raises:
        SignerJournalRolledBack: if it is older than the request had seen, or than what was proven since.
        SignerJournalForked: if the proof does not show that it grew out of it.
    """
    shown = read_checkpoint(answer.checkpoint, known.public_key)
    if shown.size < asked.size:
        raise _rolled_back(known, shown.size, asked.size)
    try:
        if asked.size:
            verify_consistency(asked.size, shown.size, asked.root, shown.root, answer.consistency)
    except BadProof as proof:
        raise SignerJournalForked(f"the journal of {known.name} does not continue: {proof}") from None
    if shown.size <= known.seen.size:
        _require_past(tx.sql, known, shown)
    elif known.seen == asked:
        set_seen(tx, known.public_key, SeenLog(shown.size, shown.root), answer.checkpoint, now)
    else:
        _want(tx, known, shown, now)  # it grew, and nothing yet proves it out of the newest known state


def want_newer(tx: Tx, known: Signer, text: str, now: int) -> None:
    """Stop the exports if a checkpoint shows more of the journal than is known, as after a restored backup."""
    shown = read_checkpoint(text, known.public_key)
    if shown.size > known.seen.size:
        _want(tx, known, shown, now)


def read_checkpoint(text: str, signer: bytes) -> Checkpoint:
    """Read a checkpoint by a signer's key, whatever name it gives its journal: one key has one journal.

    Raises:
        BadCheckpoint, BadSignature: if it is none of this key.
    """
    if not text:
        raise BadCheckpoint("the checkpoint is missing")
    return open_checkpoint(text, text.partition("\n")[0], signer)


def _want(tx: Tx, known: Signer, shown: Checkpoint, now: int) -> None:
    if shown.size > known.wanted.size:
        set_wanted(tx, known.public_key, SeenLog(shown.size, shown.root))
        body: dict[str, Value] = {"signer": known.public_key, "size": shown.size, "root": shown.root}
        journal.append(tx, "signer-ahead", body, now)


def _require_past(connection: Connection, known: Signer, shown: Checkpoint) -> None:
    """Refuse a checkpoint of a size that was passed already, unless the imported entries show that it was true."""
    if SeenLog(shown.size, shown.root) == known.seen:
        return
    if shown.size == known.seen.size:
        raise SignerJournalForked(f"the journal of {known.name} shows two roots at {shown.size} entries")
    entries = tables.signer_entries
    mine = entries.c.signer == known.public_key
    if (connection.execute(select(func.count()).where(mine)).scalar() or 0) < shown.size:
        raise _rolled_back(known, shown.size, known.seen.size)
    query = select(entries.c.line).where(mine, entries.c.n < shown.size).order_by(entries.c.n)
    before = read_journal(b"".join(connection.execute(query).scalars()), known.public_key)
    if before.tip.root() != shown.root:
        raise SignerJournalForked(f"the journal of {known.name} had another root at {shown.size} entries")


def require_holds(found: Journal, state: SeenLog, known: Signer) -> None:
    """Refuse a journal that does not continue a state. Raises SignerJournalRolledBack, SignerJournalForked."""
    if found.tip.size < state.size:
        raise _rolled_back(known, found.tip.size, state.size)
    if state.size and found.root_at(state.size) != state.root:
        raise SignerJournalForked(f"the first {state.size} entries of {known.name} are others than before")


def _rolled_back(known: Signer, size: int, seen: int) -> SignerJournalRolledBack:
    return SignerJournalRolledBack(f"the journal of {known.name} has {size} entries, and had {seen} before")


def take_lines(tx: Tx, signer: bytes, blob: bytes) -> None:
    """Keep the lines of a signer's journal that are not kept yet."""
    entries = tables.signer_entries
    held = tx.sql.execute(select(func.count()).where(entries.c.signer == signer)).scalar() or 0
    for number, line in enumerate(blob.split(b"\n")[:-1]):
        if number >= held:
            tx.sql.execute(insert(entries).values(signer=signer, n=number, line=line + b"\n"))
