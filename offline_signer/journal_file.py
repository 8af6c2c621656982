"""The journal on disk: read and verified whole, held under one exclusive lock, and appended to with fsync.

An entry is on the disk before whatever it speaks of exists. A torn last line was never acknowledged to anybody and is
put aside; anything else that does not verify is a refusal.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from shared.encoding import Value
from shared.errors import DiskFull, FileTrouble, JournalDamaged, SignerBusy
from shared.journal import Entry, Journal, Tip, make_entry, read_journal
from shared.sealed import Sign
from shared.transport.media import read_file, write_file

NAME: Final = "journal.log"
MOST_BYTES: Final = 4 * 1024**3


class JournalFile:
    """The journal of a signer's folder, open for appending. Use `locked`."""

    def __init__(self, path: Path, journal: Journal) -> None:
        self.path = path
        self._entries = list(journal.entries)
        self.tip: Tip = journal.tip
        self._length = path.stat().st_size if path.exists() else 0

    @property
    def entries(self) -> list[Entry]:
        """Give the verified entries."""
        return self._entries

    def leaves(self) -> tuple[bytes, ...]:
        """Give the leaf hashes, for proofs."""
        return tuple(entry.leaf for entry in self._entries)

    def append(self, time: int, kind: str, body: Mapping[str, Value], sign: Sign, public_key: bytes) -> Entry:
        """Write an entry and wait until the disk has it.

        Raises:
            DiskFull: no room; the file is as it was before.
            FileTrouble: the disk failed; the file is as it was before, as far as the disk obeys.
        """
        entry, line, tip = make_entry(self.tip, time, kind, body, sign, public_key)
        try:
            _append(self.path, line, self._length)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise DiskFull("no room for the journal's next entry; nothing was signed") from error
            raise FileTrouble(f"the journal could not be written: {error.strerror}; nothing was signed") from error
        self._entries.append(entry)
        self._length += len(line)
        self.tip = tip
        return entry


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the signer's one lock.

    Raises:
        SignerBusy: if another process holds it.
        FileTrouble: if the folder can not be written.
    """
    try:
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise FileTrouble(f"{folder} can not be used: {error.strerror}") from None
    try:
        _take(descriptor)
        yield
    finally:
        os.close(descriptor)


def read(folder: Path, public_key: bytes | None) -> Journal:
    """Read and verify the journal of a folder; an absent one is empty. Writes nothing.

    Raises:
        JournalDamaged: naming the first entry that does not verify.
    """
    path = folder / NAME
    return read_journal(read_file(path, MOST_BYTES) if path.exists() else b"", public_key)


def open_for_appending(folder: Path, public_key: bytes) -> JournalFile:
    """Open the journal under the lock that the caller holds, dropping a torn last line.

    Raises:
        JournalDamaged: naming the first entry that does not verify.
    """
    journal = read(folder, public_key)
    path = folder / NAME
    if journal.torn_tail:
        _cut(path, path.stat().st_size - len(journal.torn_tail))
    return JournalFile(path, journal)


def adopt(folder: Path, lines: bytes, public_key: bytes) -> Journal:
    """Put a journal taken over from elsewhere in the place of an absent or shorter one.

    Raises:
        JournalDamaged: if it does not verify, is cut, or does not continue the one that is here.
    """
    journal, here = read_journal(lines, public_key), read(folder, public_key)
    if journal.torn_tail or journal.root_at(here.tip.size) != here.tip.root():
        raise JournalDamaged("it is cut or does not continue the journal on this machine")
    write_file(folder / NAME, lines, overwrite=True)
    return journal


def _take(descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise SignerBusy("another lockgate-signer works in this folder") from None


def _append(path: Path, line: bytes, length: int) -> None:
    new = not path.exists()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        written = 0
        while written < len(line):
            written += os.write(descriptor, line[written:])
        os.fsync(descriptor)
    except OSError:
        os.ftruncate(descriptor, length)
        raise
    finally:
        os.close(descriptor)
    if new:
        _sync(path.parent)


def _cut(path: Path, length: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.ftruncate(descriptor, length)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
