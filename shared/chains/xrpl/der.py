"""Raw ECDSA signatures (r || s) to DER and back, in the one form that XRPL takes: minimal numbers, low S."""

from __future__ import annotations

from shared.errors import XrplBadSignature

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_HALF_ORDER = ORDER // 2


def der_from_raw(raw: bytes) -> bytes:
    """Write a raw signature of 64 bytes as DER.

    Raises:
        XrplBadSignature: for another length, for r or s out of range, and for a high s.
    """
    if len(raw) != 64:
        raise XrplBadSignature("a raw signature has 64 bytes")
    _check_range(raw)
    body = _integer(raw[:32]) + _integer(raw[32:])
    return bytes([0x30, len(body)]) + body


def raw_from_der(der: bytes) -> bytes:
    """Read a DER signature as raw 64 bytes.

    Raises:
        XrplBadSignature: for every form but the one that `der_from_raw` writes.
    """
    try:
        r_size = der[3]
        s_size = der[5 + r_size]
        r, s = der[4 : 4 + r_size], der[6 + r_size : 6 + r_size + s_size]
        raw = int.from_bytes(r, "big").to_bytes(32, "big") + int.from_bytes(s, "big").to_bytes(32, "big")
    except (IndexError, OverflowError):
        raise XrplBadSignature("the signature is not DER") from None
    if der_from_raw(raw) != der:  # one value has one form, so a single comparison finds every other one
        raise XrplBadSignature("the signature is not minimal DER")
    return raw


def _check_range(raw: bytes) -> None:
    r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
    if not (0 < r < ORDER and 0 < s <= _HALF_ORDER):
        raise XrplBadSignature("the signature's numbers are out of range, or its s is high")


def _integer(number: bytes) -> bytes:
    digits = number.lstrip(b"\0")
    if digits[0] & 0x80:  # DER: a first bit that is set would mean a negative number
        digits = b"\0" + digits
    return bytes([2, len(digits)]) + digits
