"""A node's JSON read field by field: what is asked for must be there and of its type; the rest is not looked at."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from shared.errors import NodeAnswerUnreadable
from shared.money import MOST_UNITS

_UNITS = re.compile(r"0|[1-9][0-9]{0,38}", re.ASCII)
_HASH = re.compile(r"[1-9A-HJ-NP-Za-km-z]{32,44}", re.ASCII)
_MOST_NUMBER = 2**64 - 1


class Document:
    """An object of an answer. A field that is missing or of another type is NodeAnswerUnreadable."""

    def __init__(self, value: Any, what: str) -> None:
        if not isinstance(value, dict):
            raise NodeAnswerUnreadable(f"the node's answer has no {what}")
        self.fields, self._what = value, what

    def __contains__(self, name: str) -> bool:
        return self.fields.get(name) is not None

    def part(self, name: str) -> Document:
        """Give a field that is an object."""
        return Document(self.fields.get(name), f"{name} in its {self._what}")

    def rows(self, name: str) -> list[Any]:
        """Give a field that is a list."""
        value = self.fields.get(name)
        if not isinstance(value, list):
            raise self._wrong(name, "list")
        return value

    def number(self, name: str) -> int:
        """Give a field that is a whole number of 64 bits: heights, nonces, gas."""
        value = self.fields.get(name)
        if type(value) is not int or not 0 <= value <= _MOST_NUMBER:
            raise self._wrong(name, "whole number")
        return value

    def units(self, name: str) -> int:
        """Give a field that is a text of base units: 128 bits, plain digits, no sign and no needless zero."""
        return units(self.fields.get(name), f"{name} in its {self._what}")

    def text(self, name: str) -> str:
        """Give a field that is a text."""
        value = self.fields.get(name)
        if not isinstance(value, str):
            raise self._wrong(name, "text")
        return value

    def hash(self, name: str) -> str:
        """Give a field that is a hash in Base58."""
        return a_hash(self.fields.get(name), f"{name} in its {self._what}")

    def texts(self, name: str) -> tuple[str, ...]:
        """Give a field that is a list of texts."""
        rows = self.rows(name)
        if not all(isinstance(row, str) for row in rows):
            raise self._wrong(name, "list of texts")
        return tuple(rows)

    def _wrong(self, name: str, kind: str) -> NodeAnswerUnreadable:
        return NodeAnswerUnreadable(f"the {self._what} in the node's answer has no {kind} {name}")


def units(value: object, what: str) -> int:
    """Read a text of base units. Raises NodeAnswerUnreadable."""
    if not isinstance(value, str) or not _UNITS.fullmatch(value) or int(value) > MOST_UNITS:
        raise NodeAnswerUnreadable(f"the node's answer has no amount {what}")
    return int(value)


def a_hash(value: object, what: str) -> str:
    """Read a hash in Base58. Raises NodeAnswerUnreadable."""
    if not isinstance(value, str) or not _HASH.fullmatch(value):
        raise NodeAnswerUnreadable(f"the node's answer has no hash {what}")
    return value


def from_base64(value: object) -> bytes | None:
    """Read base64, None where it is none."""
    if not isinstance(value, str):
        return None
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return None
