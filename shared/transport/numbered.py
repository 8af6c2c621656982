"""Parts of the form `p1of3 ...`, as Specter and Krux show them: only read, and only a PSBT in base64.

The format has no checksum and names no message; what it joins to must stand on its own.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from shared.errors import BadNumbered

MOST_PARTS: Final = 99

_NUMBER = "([1-9][0-9]?)"
_TEXT: Final = re.compile(f"p{_NUMBER}of{_NUMBER} ([!-~]+)")


@dataclass(frozen=True, slots=True)
class NumberedPart:
    """One part: of how many, its number from 0, and its letters."""

    count: int
    index: int
    letters: str


def parse(text: str) -> NumberedPart:
    """Read the text of a symbol.

    Raises:
        BadNumbered: for anything but a part numbered from 1 to at most 99.
    """
    found = _TEXT.fullmatch(text)
    if found is None or int(found[1]) > int(found[2]):
        raise BadNumbered("a text that is no part like p1of3")
    return NumberedPart(int(found[2]), int(found[1]) - 1, found[3])


def join(count: int, parts: Mapping[int, str]) -> str:
    """Put the letters of all parts together.

    Raises:
        BadNumbered: if some are missing.
    """
    if sorted(parts) != list(range(count)):
        raise BadNumbered("not all numbered parts are there")
    return "".join(parts[index] for index in range(count))


def from_base64(letters: str) -> bytes:
    """Read base64 in its only form.

    Raises:
        BadNumbered: for anything else; other texts are not joined.
    """
    try:
        contents = base64.b64decode(letters, validate=True)
    except binascii.Error:
        raise BadNumbered("numbered parts that are no base64") from None
    if base64.b64encode(contents).decode("ascii") != letters:
        raise BadNumbered("base64 in another than its only form")
    return contents
