"""Asset names and their numbers on the wire. A subasset is its numeric asset; its long name stands in no message."""

from __future__ import annotations

import re
from typing import Final

from shared.errors import CounterpartyAssetRefused

BTC: Final = "BTC"
XCP: Final = "XCP"

_FIRST_NUMERIC: Final = 26**12 + 1
_LAST: Final = 2**64 - 1
_FIRST_NAMED: Final = 26**3  # four letters, and the first is not A
_NAME = re.compile(r"[B-Z][A-Z]{3,11}", re.ASCII)
_NUMERIC = re.compile(r"A[1-9][0-9]{16,19}", re.ASCII)


def asset_id(name: str) -> int:
    """Give the number of an asset's name.

    Raises:
        CounterpartyAssetRefused: for a text that is no asset's one name, subassets' long names included.
    """
    if name in (BTC, XCP):
        return (BTC, XCP).index(name)
    if _NUMERIC.fullmatch(name) and _FIRST_NUMERIC <= int(name[1:]) <= _LAST:
        return int(name[1:])
    if not _NAME.fullmatch(name):
        raise CounterpartyAssetRefused(f"no Counterparty asset: {name[:40]!r}")
    number = 0
    for letter in name:
        number = 26 * number + ord(letter) - ord("A")
    return number


def asset_name(number: int) -> str:
    """Give the name of an asset's number.

    Raises:
        CounterpartyAssetRefused: for a number that no asset has.
    """
    if number in (0, 1):
        return (BTC, XCP)[number]
    if _FIRST_NUMERIC <= number <= _LAST:
        return f"A{number}"
    if not _FIRST_NAMED <= number < _FIRST_NUMERIC - 1:
        raise CounterpartyAssetRefused(f"no Counterparty asset has the number {number}")
    letters = ""
    while number:
        number, digit = divmod(number, 26)
        letters = chr(ord("A") + digit) + letters
    return letters
