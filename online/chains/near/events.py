"""NEP-297 log lines of NEP-141 tokens: who gave whom how many (NEP-300, `ft_transfer` and `ft_burn`).

A log counts only in a successful outcome, and only from the token's own contract: anybody's contract can write any
line. The caller knows which contracts are registered. Tokens of before NEP-300 log plain text, which says nothing
here.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from online.chains.near.receipts import Outcome
from shared.money import MOST_UNITS

_LEAD = "EVENT_JSON:"
_OWNERS = {"ft_transfer": ("old_owner_id", "new_owner_id"), "ft_burn": ("owner_id", "")}
_WHOLE = re.compile(r"0|[1-9][0-9]{0,38}", re.ASCII)


@dataclass(frozen=True, slots=True)
class TokenMove:
    """A token's movement; receipt, log and place in its list name it for ever. What is burnt goes to nobody: ""."""

    contract: str
    receipt: str
    log: int
    at: int
    old_owner: str
    new_owner: str
    units: int
    memo: str | None


def token_moves(outcome: Outcome) -> tuple[TokenMove, ...]:
    """Read the transfers and burns of one successful outcome; a line or an entry that is malformed says nothing."""
    found = []
    for number, line in enumerate(outcome.logs):
        event, entries = _entries(line)
        for at, entry in enumerate(entries):
            move = _move(outcome, number, at, event, entry)
            if move is not None:
                found.append(move)
    return tuple(found)


def _entries(line: str) -> tuple[str, list[Any]]:
    """Give a line's event and its entries, none where it is no event that is looked at."""
    if not line.startswith(_LEAD):
        return "", []
    try:
        event = json.loads(line.removeprefix(_LEAD), parse_float=str)
    except (ValueError, RecursionError):
        return "", []
    if not isinstance(event, dict) or event.get("standard") != "nep141" or event.get("event") not in _OWNERS:
        return "", []
    rows = event.get("data")
    return event["event"], rows if isinstance(rows, list) else []


def _move(outcome: Outcome, number: int, at: int, event: str, entry: Any) -> TokenMove | None:
    if not isinstance(entry, dict):
        return None
    giver, taker = _OWNERS[event]
    old, new = entry.get(giver), entry.get(taker) if taker else ""
    amount, memo = entry.get("amount"), entry.get("memo")
    if not (isinstance(old, str) and isinstance(new, str) and isinstance(amount, str) and _WHOLE.fullmatch(amount)):
        return None
    if int(amount) > MOST_UNITS:
        return None
    note = memo if isinstance(memo, str) else None
    return TokenMove(outcome.executor, outcome.id, number, at, old, new, int(amount), note)
