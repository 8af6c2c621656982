"""The taproot envelope (11.5 form): a leaf script that carries the message, its output, its control block.

From 11.5 on a reveal counts only if the key in its leaf is a key of the source.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from coincurve import PublicKey

from online.devnet.bitcoin.scripts import hash160, kind_of, operations, pushed
from online.devnet.bitcoin.wire import sized
from online.devnet.counterparty.packing import Unreadable, values, written

_LEAF_VERSION: Final = 0xC0
_MOST_PUSH: Final = 520
_DEFAULT_MIME: Final = "text/plain"


@dataclass(frozen=True, slots=True)
class Envelope:
    """All that spends a message: leaf, control block and the commit's output script."""

    leaf: bytes
    control_block: bytes
    lock_script: bytes


def tagged_hash(tag: str, content: bytes) -> bytes:
    """Hash with a tag (BIP340)."""
    head = hashlib.sha256(tag.encode()).digest()
    return hashlib.sha256(head + head + content).digest()


def output_key(internal: bytes, root: bytes = b"") -> tuple[bytes, int]:
    """Tweak an x-only key; give the x-only output key and its parity (BIP341).

    Raises:
        ValueError: the key is no point.
    """
    full = PublicKey(b"\x02" + internal).add(tagged_hash("TapTweak", internal + root)).format()
    return full[1:], full[0] & 1


def seal(message: bytes, key: bytes, *, ord_form: bool = False) -> Envelope:
    """Put a message into an envelope for an x-only key."""
    inner = _ord(message) if ord_form else b"".join(map(pushed, _chunks(message)))
    leaf = b"\x00\x63" + inner + b"\x68" + pushed(key) + b"\xac"
    root = tagged_hash("TapLeaf", bytes([_LEAF_VERSION]) + sized(leaf))
    output, parity = output_key(key, root)
    return Envelope(leaf, bytes([_LEAF_VERSION + parity]) + key, b"\x51\x20" + output)


def _chunks(content: bytes) -> list[bytes]:
    return [content[at:at + _MOST_PUSH] for at in range(0, len(content), _MOST_PUSH)]


def _ord(message: bytes) -> bytes:
    # Of a message's array the last two items, MIME type and content, stand apart.
    *head, mime, content = values(message[1:])
    meta = written(message[0], *head)
    body = content.encode() if isinstance(content, str) else content
    inner = pushed(b"ord") + b"\x01\x07" + pushed(b"xcp") + b"\x01\x01" + pushed((mime or _DEFAULT_MIME).encode())
    inner += b"".join(b"\x01\x05" + pushed(piece) for piece in _chunks(meta))
    return inner + b"\x00" + b"".join(map(pushed, _chunks(body)))


def reveal_leaf(witness: Sequence[bytes]) -> bytes | None:
    """Give the leaf script of a script-path witness of the one form that is written."""
    if len(witness) != 3 or len(witness[2]) != 33 or witness[2][0] & 0xFE != _LEAF_VERSION:
        return None
    return witness[1]


def signs_for(leaf: bytes, source_script: bytes) -> bool:
    """Say whether the key at the leaf's end is a key of the source."""
    if leaf[-34:-33] != b"\x20" or leaf[-1:] != b"\xac":
        return False
    key, kind = leaf[-33:-1], kind_of(source_script)
    if kind == "witness_v0_keyhash":
        return any(hash160(bytes([sign]) + key) == source_script[2:] for sign in (2, 3))
    if kind == "witness_v1_taproot":
        try:
            return source_script[2:] in (key, output_key(key)[0])
        except ValueError:
            return False
    return False


def message_of(leaf: bytes) -> bytes | None:
    """Give the message inside a leaf; None where there is none."""
    parts = operations(leaf)
    if parts is None or [code for code, _ in parts[:2]] != [0, 0x63] or len(parts) < 5:
        return None
    if [code for code, _ in parts[-3:]] != [0x68, 0x20, 0xAC]:
        return None
    pushes = [_pushed_bytes(code, push) for code, push in parts[2:-3]]
    if any(push is None for push in pushes):
        return None
    known = [push for push in pushes if push is not None]
    return _from_ord(known) if known[:1] == [b"ord"] else b"".join(known)


def _pushed_bytes(code: int, push: bytes | None) -> bytes | None:
    if push is not None:
        return push
    return bytes([code - 0x50]) if 0x51 <= code <= 0x60 else None


def _from_ord(pushes: list[bytes]) -> bytes | None:
    try:
        end = pushes.index(b"", 1)
        fields = list(zip(pushes[1:end:2], pushes[2:end:2], strict=True))
        meta = values(b"".join(value for tag, value in fields if tag == b"\x05"))
        mime = next(value for tag, value in fields if tag == b"\x01").decode()
    except (ValueError, StopIteration, Unreadable):
        return None
    if (b"\x07", b"xcp") not in fields or not meta:
        return None
    content: Any = b"".join(pushes[end + 1:])
    return bytes([meta[0]]) + written(*meta[1:], mime, content)
