"""What strangers and nodes write enters the store in a form that every database takes: short, and without zero bytes.

Nobody may stop the reading of deposits by what they write. What is longer than its column is cut, and a digest of all
of it stands at its end, so that two texts never become one; a memo that customers are told apart by is far shorter.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Final

from online.chains.api import Arrival
from online.store import tables
from shared.effects import Destination
from shared.money import Amount, Asset

MEMO_MOST: Final = 280
"""Above what orders and places can say; memos of tokens have no bound of their own on their ledger."""

_DIGEST: Final = 64
_CAME: Final = tables.arrivals.c


def fitting(one: Arrival) -> Arrival:
    """Give an arrival whose texts can be written down."""
    to, asset = one.destination, one.amount.asset
    code = fit(asset.code, _width("asset_code"))
    memo = None if to.memo is None else fit(to.memo, MEMO_MOST)
    return replace(
        one,
        key=fit(one.key, _width("key")),
        tx_id=fit(one.tx_id, _width("tx_id")),
        sender=fit(one.sender, _width("source")),
        destination=Destination(to.address, to.tag, memo),
        amount=Amount(Asset(asset.network, code, asset.decimals), one.amount.units),
    )


def fit(text: str, most: int) -> str:
    """Give a text as it is if it can be written and is no longer than that; else its beginning, and a digest of it."""
    plain = "".join(letter for letter in text if letter != "\0" and not "\ud800" <= letter <= "\udfff")
    if plain == text and len(text) <= most:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{plain[: most - _DIGEST - 1]}#{digest}"[-most:]


def _width(column: str) -> int:
    width = getattr(_CAME[column].type, "length", None)
    assert isinstance(width, int)
    return width
