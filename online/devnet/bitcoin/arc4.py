"""ARC4, by which Counterparty hides its messages: the second reader's own, and what some mempools look through."""

from __future__ import annotations


def arc4(key: bytes, content: bytes) -> bytes:
    """Encrypt or decrypt with ARC4."""
    box, j = list(range(256)), 0
    for i in range(256):
        j = (j + box[i] + key[i % len(key)]) % 256
        box[i], box[j] = box[j], box[i]
    out, i, j = bytearray(), 0, 0
    for byte in content:
        i = (i + 1) % 256
        j = (j + box[i]) % 256
        box[i], box[j] = box[j], box[i]
        out.append(byte ^ box[(box[i] + box[j]) % 256])
    return bytes(out)
