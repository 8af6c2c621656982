"""Drops of XRP: their eight bytes and their digits. Never a token, never a fraction of a drop."""

from __future__ import annotations

import re

from shared.errors import BadAmount, XrplTokenAmount

MOST_DROPS = 10**17
"""All XRP there is: 100,000,000,000 coins of 1,000,000 drops."""

_POSITIVE = 1 << 62
_TOKEN = 1 << 63
_GRAMMAR = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)


def parse_drops(text: str) -> int:
    """Read drops as XRPL's JSON writes them.

    Raises:
        BadAmount: for anything but ASCII digits without a leading zero, and for more than there is.
    """
    if _GRAMMAR.fullmatch(text) is None:
        raise BadAmount(f"no number of drops: {text[:40]!r}")
    return checked_drops(int(text))


def encode_drops(drops: int) -> bytes:
    """Give the eight bytes of an amount of XRP. XRPL: bit 63 says token, bit 62 says positive."""
    return (_POSITIVE | checked_drops(drops)).to_bytes(8, "big")


def decode_drops(word: int) -> int:
    """Read the eight bytes, taken as one number.

    Raises:
        XrplTokenAmount: for a token's amount.
        BadAmount: for a negative amount, "minus zero" included, and for more than there is.
    """
    if word & _TOKEN:
        raise XrplTokenAmount("the amount is of a token, not of XRP")
    if not word & _POSITIVE:
        raise BadAmount("the amount of XRP is not marked positive")
    return checked_drops(word ^ _POSITIVE)


def checked_drops(drops: int) -> int:
    """Give the drops back if so many can exist.

    Raises:
        BadAmount: for anything but a whole number from 0 to 10^17.
    """
    if type(drops) is not int or not 0 <= drops <= MOST_DROPS:
        raise BadAmount(f"no amount of XRP: {drops!r} drops")
    return drops
