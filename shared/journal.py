"""The log format: what was done, each entry bound to the one before and signed by the station's key.

A line of the file is base64url of the array [entry, public key, signature]; that array is also the leaf
of the Merkle tree. These functions turn entries into lines and lines into verified entries. They never
touch a file: writing a line to disk before a signature exists is the law of those who call them.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from shared.encoding import Fields, Value, decode, encode
from shared.errors import BadEncoding, BadField, BadSignature, ClockBehindJournal, JournalDamaged
from shared.merkle import EMPTY_TREE, Tree, grow, leaf_hash
from shared.sealed import Sign, check_signature, message_of

KIND: Final = "journal/1"
"""Separates an entry's signature from that of every other document."""

MOST_ENTRY_BYTES: Final = 16 * 1024 * 1024
MOST_TIME: Final = 2**53
MOST_KIND: Final = 64


@dataclass(frozen=True, slots=True)
class Entry:
    """One verified entry: its number from 0, unix time, kind, and what happened."""

    number: int
    time: int
    kind: str
    body: Mapping[str, Value]
    leaf: bytes
    """The leaf's hash, for proofs."""


@dataclass(frozen=True, slots=True)
class Tip:
    """Where a journal ends: all that the next entry must continue. `key` is None only before the first."""

    size: int
    last_hash: bytes
    tree: Tree
    time: int
    key: bytes | None

    def root(self) -> bytes:
        """Give the Merkle root over all entries."""
        return self.tree.root()


EMPTY_TIP: Final = Tip(0, bytes(32), EMPTY_TREE, 0, None)


@dataclass(frozen=True, slots=True)
class Journal:
    """Verified entries and where they end.

    `torn_tail` holds what follows the last whole line: a crash cut it, nobody was ever told that it was
    written, and the owner of the file may drop it.
    """

    entries: tuple[Entry, ...]
    tip: Tip
    torn_tail: bytes
    start: Tip = EMPTY_TIP

    def leaves(self) -> tuple[bytes, ...]:
        """Give the leaf hashes, for proofs; of all entries if the journal was read from its start."""
        return tuple(entry.leaf for entry in self.entries)

    def root_at(self, size: int) -> bytes | None:
        """Give the root that the journal had at a size, or None outside of what was read."""
        if not self.start.size <= size <= self.tip.size:
            return None
        return grow(self.start.tree, self.leaves()[: size - self.start.size]).root()


def make_entry(
    previous: Tip, time: int, kind: str, body: Mapping[str, Value], sign: Sign, public_key: bytes
) -> tuple[Entry, bytes, Tip]:
    """Make the next entry, the line to append to the file, and the tip after it.

    Raises:
        ClockBehindJournal: if the time lies before the last entry's.
        JournalDamaged: if another key wrote the journal so far.
        BadSignature: if the key does not make a signature that verifies.
    """
    if time < previous.time:
        raise ClockBehindJournal(f"the time {time} lies before the journal's last entry, {previous.time}")
    if previous.key not in (None, public_key):
        raise JournalDamaged("another key wrote this journal")
    raw = encode(
        {"v": 1, "n": previous.size, "prev": previous.last_hash, "time": time, "kind": kind, "body": body}
    )
    if not 1 <= len(kind) <= MOST_KIND or time > MOST_TIME or len(raw) > MOST_ENTRY_BYTES - 200:
        raise ValueError("no reader would take this entry")
    message = message_of(KIND, raw)
    signature = sign(message)
    # A wrong pen is found before its line stands in a file that nobody could read any more.
    check_signature(public_key, message, signature, "the new entry")
    leaf = encode([raw, public_key, signature])
    entry, tip = _follow(previous, leaf, raw, public_key, time, kind, body)
    return entry, base64.urlsafe_b64encode(leaf).rstrip(b"=") + b"\n", tip


def read_journal(lines: bytes, origin_key: bytes | None, after: Tip = EMPTY_TIP) -> Journal:
    """Read and verify a journal, or the part of one that follows a tip known already.

    `origin_key` is the key that must have written it; None takes the key of the first entry, and then the
    caller has proven nothing about who wrote it.

    Raises:
        JournalDamaged: naming the first entry that is altered, missing, moved or signed by another key.
    """
    if origin_key is not None and after.key not in (None, origin_key):
        raise JournalDamaged("another key wrote this journal")
    *whole, torn_tail = lines.split(b"\n")
    tip, entries = after, []
    for line in whole:
        try:
            entry, tip = _next(_unarmour(line), tip, origin_key)
        except (BadEncoding, BadField, BadSignature) as refusal:
            raise JournalDamaged(f"entry {tip.size}: {refusal}") from None
        entries.append(entry)
    return Journal(tuple(entries), tip, torn_tail, after)


def read_on(
    lines: Iterable[bytes], key: bytes, first: int, end: tuple[int, bytes], past: tuple[int, bytes] = (0, b"")
) -> Iterator[Entry]:
    """Give the entries from number `first` to a journal's end, each bound by its hash to the one before.

    The station's signature on the last one answers for all before it, so that one is verified and no other: nothing is
    proven until the last entry was given and no refusal came. `end` is the journal's size with its last entry's hash;
    `past` is the same of an earlier moment, which the journal must still hold (a size of 0 is none).

    Raises:
        JournalDamaged: naming the first entry that is altered, missing or moved, or if another key signed the last one.
    """
    here, raw, signer, signature = (first, b""), b"", b"", b""
    if end[0] < max(past[0], first):
        raise JournalDamaged(f"the journal has {end[0]} entries, and had more")
    for line in lines:
        try:
            leaf = _unarmour(line.removesuffix(b"\n"))
            raw, signer, signature = _parts(leaf)
            number, previous, time, kind, body = _read(raw)
        except (BadEncoding, BadField) as refusal:
            raise JournalDamaged(f"entry {here[0]}: {refusal}") from None
        if number != here[0] or (here[1] and previous != here[1]):
            raise JournalDamaged(f"entry {here[0]}: it is missing, or does not follow from the entry before")
        here = number + 1, hashlib.sha256(raw).digest()
        if here[0] == past[0] and here != past:
            raise JournalDamaged(f"entry {number}: it was another one before")
        yield Entry(number, time, kind, body, leaf_hash(leaf))
    if here != end:
        raise JournalDamaged(f"entry {here[0]}: the journal does not end at its kept tip")
    try:
        if signer != key:
            raise BadSignature("another key signed it")
        check_signature(key, message_of(KIND, raw), signature, "the entry")
    except BadSignature as refusal:
        raise JournalDamaged(f"entry {here[0] - 1}: {refusal}") from None


def read_alone(line: bytes, key: bytes, number: int) -> Entry:
    """Read and verify one entry by its own signature, which says nothing of what stands before or after it.

    Raises:
        JournalDamaged: if it is altered, another number's, or another key signed it.
    """
    try:
        leaf = _unarmour(line.removesuffix(b"\n"))
        raw, signer, signature = _parts(leaf)
        check_signature(key, message_of(KIND, raw), signature, "the entry")
        found, _, time, kind, body = _read(raw)
        if (signer, found) != (key, number):
            raise BadField("another key signed it, or it stands in another place")
    except (BadEncoding, BadField, BadSignature) as refusal:
        raise JournalDamaged(f"entry {number}: {refusal}") from None
    return Entry(number, time, kind, body, leaf_hash(leaf))


def _next(leaf: bytes, previous: Tip, origin_key: bytes | None = None) -> tuple[Entry, Tip]:
    """Verify one leaf as the continuation of a tip."""
    raw, key, signature = _parts(leaf)
    if key != (previous.key or origin_key or key):
        raise BadField("another key signed it")
    check_signature(key, message_of(KIND, raw), signature, "the entry")
    number, before, time, kind, body = _read(raw)
    if number != previous.size:
        raise BadField("an entry is missing or stands in another place")
    if before != previous.last_hash:
        raise BadField("it does not follow from the entry before")
    if time < previous.time:
        raise BadField("its time lies before the entry before")
    return _follow(previous, leaf, raw, key, time, kind, body)


def _read(raw: bytes) -> tuple[int, bytes, int, str, Mapping[str, Value]]:
    """Give an entry's number, the hash of the one before, its time, kind and body."""
    fields = Fields(decode(raw, most_bytes=MOST_ENTRY_BYTES), "the entry")
    fields.number("v", 1, 1)
    number, previous = fields.number("n"), fields.bytes("prev", exactly=32)
    time = fields.number("time", 0, MOST_TIME)
    kind, body = fields.text("kind", least=1, most=MOST_KIND), fields.value("body")
    fields.close()
    if not isinstance(body, dict):
        raise BadField("its body is not a map")
    return number, previous, time, kind, body


def _follow(
    previous: Tip, leaf: bytes, raw: bytes, key: bytes, time: int, kind: str, body: Mapping[str, Value]
) -> tuple[Entry, Tip]:
    hashed = leaf_hash(leaf)
    tip = Tip(previous.size + 1, hashlib.sha256(raw).digest(), previous.tree.append(hashed), time, key)
    return Entry(previous.size, time, kind, body, hashed), tip


def _parts(leaf: bytes) -> tuple[bytes, bytes, bytes]:
    match decode(leaf, most_bytes=MOST_ENTRY_BYTES, depth=1):
        case [bytes(raw), bytes(key), bytes(signature)]:
            return raw, key, signature
        case _:
            raise BadField("not an entry with a key and a signature")


def _unarmour(line: bytes) -> bytes:
    """Read base64url without padding, in its only spelling."""
    try:
        leaf = base64.urlsafe_b64decode(line + b"=" * (-len(line) % 4))
    except binascii.Error:
        raise BadEncoding("the line is not base64url") from None
    # Python's reader skips foreign letters and unused bits; writing it again shows them.
    if base64.urlsafe_b64encode(leaf).rstrip(b"=") != line:
        raise BadEncoding("the line is not in the one spelling of base64url")
    return leaf
