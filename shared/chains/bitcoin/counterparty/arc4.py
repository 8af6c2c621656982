"""The ARC4 stream cipher. It protects nothing here: Counterparty's key is public."""

from __future__ import annotations


def arc4(key: bytes, blob: bytes) -> bytes:
    """Encrypt or decrypt bytes; Counterparty's key is the id of the first input's transaction as people read it."""
    state = list(range(256))
    j = 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) & 255
        state[i], state[j] = state[j], state[i]
    out, i, j = bytearray(), 0, 0
    for byte in blob:
        i = (i + 1) & 255
        j = (j + state[i]) & 255
        state[i], state[j] = state[j], state[i]
        out.append(byte ^ state[(state[i] + state[j]) & 255])
    return bytes(out)
