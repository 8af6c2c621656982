"""Raw ECDSA signatures on secp256k1 (r || s) to DER and back, in their one form: minimal numbers, low s."""

from __future__ import annotations

from typing import Final

from shared.errors import BadDer

ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
"""The number of points on secp256k1 (SEC 2)."""


def der_from_raw(raw: bytes) -> bytes:
    """Write a raw signature of 64 bytes as DER.

    Raises:
        BadDer: for another length, for r or s out of range, and for a high s.
    """
    if len(raw) != 64:
        raise BadDer("a raw signature has 64 bytes")
    r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
    if not (0 < r < ORDER and 0 < s <= ORDER // 2):
        raise BadDer("the signature's numbers are out of range, or its s is high")
    body = _integer(raw[:32]) + _integer(raw[32:])
    return bytes([0x30, len(body)]) + body


def raw_from_der(der: bytes) -> bytes:
    """Read a DER signature as raw 64 bytes.

    Raises:
        BadDer: for every form but the one that `der_from_raw` writes.
    """
    try:
        r_size = der[3]
        s_size = der[5 + r_size]
        r, s = der[4 : 4 + r_size], der[6 + r_size : 6 + r_size + s_size]
        raw = int.from_bytes(r, "big").to_bytes(32, "big") + int.from_bytes(s, "big").to_bytes(32, "big")
    except (IndexError, OverflowError):
        raise BadDer("the signature is not DER") from None
    if der_from_raw(raw) != der:  # one value has one form, so a single comparison finds every other one
        raise BadDer("the signature is not minimal DER")
    return raw


def _integer(number: bytes) -> bytes:
    digits = number.lstrip(b"\0")
    if digits[0] & 0x80:  # DER: a first bit that is set would mean a negative number
        digits = b"\0" + digits
    return bytes([2, len(digits)]) + digits
