"""Public lines and names: the one form they have, and what is refused."""

from __future__ import annotations

import pytest

from shared.errors import BadField
from shared.people import check_name, parse_person, person_line
from shared.policy import Person

KEY = "0123456789abcdef" * 4
LINE = f"alice ed25519:{KEY}"


def test_a_public_line_reads_and_writes_the_same() -> None:
    person = Person("alice", bytes.fromhex(KEY))
    assert parse_person(LINE) == person
    assert person_line(person) == LINE


def test_blanks_around_a_copied_line_do_not_matter() -> None:
    assert parse_person(f"  {LINE}\n") == parse_person(LINE)


@pytest.mark.parametrize(
    "line",
    ["", "alice", KEY, f"alice  ed25519:{KEY}", f"alice ED25519:{KEY}", f"alice ed25519:{KEY.upper()}",
     f"alice ed25519:{KEY}0", f"alice ed25519:{KEY[:-1]}", f"Alice ed25519:{KEY}", f"al ice ed25519:{KEY}",
     f"-a ed25519:{KEY}", f"{'a' * 33} ed25519:{KEY}", f"al\u0456ce ed25519:{KEY}", f"alice secp256k1:{KEY}",
     f"alice ed25519:{KEY}\n\nbob", f"alice ed25519:{KEY[:-1]}\u0661"],
)
def test_any_other_line_is_refused(line: str) -> None:
    with pytest.raises(BadField, match="not a name with an ed25519 key"):
        parse_person(line)


@pytest.mark.parametrize("name", ["a", "0", "cold-1", "a" * 32])
def test_a_name_is_small_letters_digits_and_dashes(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name", ["", "-a", "A", "a b", "a_b", "a/b", "..", "a" * 33, "a\n", "\u0430", "caf\u00e9", "a\x1b[2J"]
)
def test_any_other_name_is_refused(name: str) -> None:
    with pytest.raises(BadField, match="not a name"):
        check_name(name)
