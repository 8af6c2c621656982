"""The public line of a person or station: "alice ed25519:<64 hex digits>", as it stands in policies and on paper."""

from __future__ import annotations

import re

from shared.errors import BadField
from shared.policy import Person

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}", re.ASCII)
_LINE = re.compile(rf"({NAME.pattern}) ed25519:([0-9a-f]{{64}})", re.ASCII)


def parse_person(line: str) -> Person:
    """Read a public line.

    Raises:
        BadField: for anything but a short name of small letters, digits and dashes, and a key of 64 hex digits.
    """
    match = _LINE.fullmatch(line.strip())
    if match is None:
        raise BadField(f"not a name with an ed25519 key: {line.strip()[:40]!r}")
    return Person(match[1], bytes.fromhex(match[2]))


def person_line(person: Person) -> str:
    """Write a public line."""
    return f"{person.name} ed25519:{person.key.hex()}"


def check_name(name: str) -> str:
    """Give a name back when it is a good one for a person, wallet or station.

    Raises:
        BadField: otherwise.
    """
    if NAME.fullmatch(name) is None:
        raise BadField(f"not a name of small letters, digits and dashes: {name[:40]!r}")
    return name
