"""Checkpoints: a journal's size and root in one signed note (C2SP tlog-checkpoint in C2SP signed-note).

Other people's tools can read and keep them. Exactly one signature is read here, that of the journal's
own key; lines that this code would not understand are refused and never skipped.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from typing import Final

from shared.errors import BadCheckpoint, JournalForked
from shared.journal import Journal, Tip
from shared.sealed import Sign, check_signature

_ED25519: Final = b"\1"
_ORIGIN: Final = re.compile(r"[!-*,-~]{1,100}", re.ASCII)  # no blank, no plus: it names the key too
_NOTE: Final = re.compile(
    r"(?P<text>(?P<origin>[!-*,-~]{1,100})\n(?P<size>0|[1-9][0-9]{0,15})\n(?P<root>[A-Za-z0-9+/]{43}=)\n)"
    r"\n— (?P<name>[!-*,-~]{1,100}) (?P<signature>[A-Za-z0-9+/]{91}=)\n",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What the key of a journal has sworn: that the journal of this name had this root at this size."""

    origin: str
    size: int
    root: bytes


def sign_checkpoint(tip: Tip, origin: str, sign: Sign, public_key: bytes) -> str:
    """Write the checkpoint of a journal's end.

    Raises:
        BadCheckpoint: if the origin is no name of a journal.
        BadSignature: if the key does not make a signature that verifies.
    """
    if not _ORIGIN.fullmatch(origin):
        raise BadCheckpoint("a journal's name has 1 to 100 printable ASCII characters without blank or plus")
    text = f"{origin}\n{tip.size}\n{_base64(tip.root())}\n"
    signature = sign(text.encode())
    check_signature(public_key, text.encode(), signature, "the new checkpoint")
    return f"{text}\n— {origin} {_base64(_key_hash(origin, public_key) + signature)}\n"


def open_checkpoint(text: str, origin: str, public_key: bytes) -> Checkpoint:
    """Read a checkpoint of one journal and verify its signature.

    Raises:
        BadCheckpoint: if it is none, or of another journal or key.
        BadSignature: if the signature does not verify.
    """
    note = _NOTE.fullmatch(text)
    if note is None:
        raise BadCheckpoint("this is no checkpoint with exactly one signature")
    if note["origin"] != origin or note["name"] != origin:
        raise BadCheckpoint(f"the checkpoint is of another journal than {origin}")
    seal = _bytes(note["signature"])
    if seal[:4] != _key_hash(origin, public_key):
        raise BadCheckpoint("another key signed the checkpoint")
    check_signature(public_key, note["text"].encode(), seal[4:], "the checkpoint")
    return Checkpoint(origin, int(note["size"]), _bytes(note["root"]))


def require_extends(journal: Journal, checkpoint: Checkpoint) -> Journal:
    """Give the journal back if it is the checkpoint's journal, grown or not.

    Raises:
        JournalForked: if the journal is shorter (an old backup) or has another history.
    """
    if journal.tip.size < checkpoint.size:
        raise JournalForked(f"the journal has {journal.tip.size} entries, the checkpoint {checkpoint.size}")
    if journal.root_at(checkpoint.size) != checkpoint.root:
        raise JournalForked(f"the first {checkpoint.size} entries are not those of the checkpoint")
    return journal


def _key_hash(name: str, public_key: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + public_key).digest()[:4]


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _bytes(text: str) -> bytes:
    raw = base64.b64decode(text)
    if _base64(raw) != text:
        raise BadCheckpoint("the checkpoint's base64 is not in its one spelling")
    return raw
