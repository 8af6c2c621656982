"""Check of a journal's file alone, for who has neither the store nor the signer: an auditor's machine.

It proves who wrote the entries, their order, and that none before a kept checkpoint is missing or altered. It never
opens a store, and trusts no key but the one it is given.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from online.cli.output import moment
from shared.checkpoint import open_checkpoint, require_extends
from shared.errors import JournalDamaged
from shared.journal import Journal, read_journal


def check_journal(lines: bytes, key: bytes, notes: list[str]) -> dict[str, Any]:
    """Verify a journal by the key that must have written it, and that it extends every checkpoint given.

    Raises:
        JournalDamaged: naming the first bad entry, or that the file is empty or ends within one.
        BadCheckpoint, BadSignature, JournalForked: if a checkpoint is not this key's, or swears to something else.
    """
    journal = read_journal(lines, key)
    if journal.torn_tail or not journal.entries:
        raise JournalDamaged("the file is empty" if not lines else "the file ends within an entry")
    for note in notes:
        require_extends(journal, open_checkpoint(note, note.partition("\n")[0], key))
    return _found(journal, len(notes))


def _found(journal: Journal, checkpoints: int) -> dict[str, Any]:
    kinds = Counter(entry.kind for entry in journal.entries)
    return {
        "ok": True,
        "entries": journal.tip.size,
        "root": journal.tip.root().hex(),
        "first": moment(journal.entries[0].time),
        "last": moment(journal.entries[-1].time),
        "kinds": [f"{count} {kind}" for kind, count in sorted(kinds.items())],
        "checkpoints": checkpoints,
    }
