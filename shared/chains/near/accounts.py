"""The rules of account ids, exactly as the protocol has them. Nothing is ever repaired: upper case is no lower case.

(Source: near-account-id, `AccountId::validate`; NEP-518 and NEP-616 for the kinds.)
"""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache
from typing import Final

from shared.errors import BadAddress

LEAST: Final = 2
MOST: Final = 64

# Parts of letters and digits, joined by one of . - _ each; the same language as the specification's longer pattern.
_ACCOUNT: Final = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*", re.ASCII)
_IMPLICIT: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_SHORT_HEX: Final = re.compile(r"[0-9a-f]{40}", re.ASCII)


class AccountKind(Enum):
    """What an account id is by its form alone; the value is what people read."""

    NAMED = "named account"
    IMPLICIT = "implicit account"
    ETHEREUM = "Ethereum-like account (0x)"
    DETERMINISTIC = "deterministic account (0s)"
    UNIVERSAL = "universal account (0u)"
    SYSTEM = "the system itself"


CREATED_BY_PAYMENT: Final = frozenset(
    {AccountKind.IMPLICIT, AccountKind.ETHEREUM, AccountKind.DETERMINISTIC}
)
"""Accounts that a payment creates where they are missing; to a missing named account a payment fails and returns."""


@lru_cache(maxsize=8192)
def parse_account(text: str) -> str:
    """Read an account id: 2 to 64 characters, parts of a-z and 0-9 joined by single dots, hyphens or underscores.

    Raises:
        BadAddress: for every other text.
    """
    if not LEAST <= len(text) <= MOST or _ACCOUNT.fullmatch(text) is None:
        raise BadAddress(f"no NEAR account: {text[:80]!r}")
    return text


@lru_cache(maxsize=8192)
def account_kind(text: str) -> AccountKind:
    """Say what kind of account a valid id names.

    Raises:
        BadAddress: for a text that is no account id.
    """
    parse_account(text)
    if text == "system":
        return AccountKind.SYSTEM
    if _IMPLICIT.fullmatch(text):
        return AccountKind.IMPLICIT
    if text[:2] in _PREFIXED and _SHORT_HEX.fullmatch(text[2:]):
        return _PREFIXED[text[:2]]
    # Protocol 87 sets ids that begin with 0u aside. Their exact form is young, so all top-level ones count as such.
    return AccountKind.UNIVERSAL if text.startswith("0u") and "." not in text else AccountKind.NAMED


_PREFIXED: Final = {"0x": AccountKind.ETHEREUM, "0s": AccountKind.DETERMINISTIC}
