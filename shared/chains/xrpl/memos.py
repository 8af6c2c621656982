"""Memos and their canonical text: one printable line for each, so that policy can bind to it.

A memo reads `type="text/plain" format="..." data="invoice 7"`, its parts in this order; several are joined by
" + ". A part of plain ASCII without quotes and backslashes stands in quotes, every other one as hex:
`data=0xc3a9`.
"""

from __future__ import annotations

import re

from shared.chains.xrpl.codec import write
from shared.chains.xrpl.fields import MemoFields
from shared.chains.xrpl.model import Memo
from shared.errors import XrplMemoRefused

_BYTES_MOST = 1024
_ARRAY_FRAME = 2  # the header and the end of the array, which the server does not count
_TEXT_MOST = 4096
_URL = re.compile(rb"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")
_PLAIN = re.compile(rb"[ !#-\[\]-~]+")
_VALUE = r'("[^"]+"|0x(?:[0-9a-f]{2})+)'
_TEXT = re.compile(rf"(?:type={_VALUE})?(?: ?format={_VALUE})?(?: ?data={_VALUE})?", re.ASCII)
_JOINT = " + "
_SPLIT = re.compile(r"""((?:[^"]|"[^"]*")+?)(?: \+ |$)""", re.ASCII)


def memos_of(items: list[MemoFields]) -> tuple[Memo, ...]:
    """Read the memos of a transaction.

    Raises:
        XrplMemoRefused: for none where some are announced, an empty one, a type or format with other than URL
            characters, and more than 1,024 bytes of them.
    """
    memos = tuple(Memo(i.get("MemoType"), i.get("MemoFormat"), i.get("MemoData")) for i in items)
    if not memos or any(memo == Memo() for memo in memos):
        raise XrplMemoRefused("an empty memo")
    for memo in memos:
        _check(memo)
    if len(write({"Memos": items})) - _ARRAY_FRAME > _BYTES_MOST:
        raise XrplMemoRefused(f"the memos take more than {_BYTES_MOST} bytes")
    return memos


def fields_of(memos: tuple[Memo, ...]) -> list[MemoFields]:
    """Give the fields of memos, for serialising."""
    return [_fields(memo) for memo in memos]


def memo_text(memos: tuple[Memo, ...]) -> str:
    """Write memos as their canonical text."""
    return _JOINT.join(_one_text(memo) for memo in memos)


def parse_memo_text(text: str) -> tuple[Memo, ...]:
    """Read a canonical text back into memos.

    Raises:
        XrplMemoRefused: for every text that `memo_text` does not write.
    """
    if len(text) > _TEXT_MOST or not text.isascii():
        raise XrplMemoRefused("the text is longer than any memo's, or not of ASCII")
    memos = tuple(_one_memo(part) for part in _SPLIT.findall(text))
    if not memos or memo_text(memos) != text:
        raise XrplMemoRefused("the text is not the canonical text of a memo")
    return memos


def plain_memo(text: str) -> str:
    """Give the canonical text of a memo whose data is this text as UTF-8.

    Raises:
        XrplMemoRefused: for an empty text, and for one that UTF-8 cannot write.
    """
    if not text:
        raise XrplMemoRefused("an empty memo")
    try:
        memo_data = text.encode("utf-8")
    except UnicodeEncodeError:
        raise XrplMemoRefused("the memo is no text") from None
    return memo_text((Memo(memo_data=memo_data),))


def _check(memo: Memo) -> None:
    if b"" in (memo.memo_type, memo.memo_format, memo.memo_data):
        raise XrplMemoRefused("a memo with an empty part")
    for part in (memo.memo_type, memo.memo_format):
        if part is not None and _URL.fullmatch(part) is None:
            raise XrplMemoRefused("MemoType and MemoFormat take URL characters only")


def _fields(memo: Memo) -> MemoFields:
    fields: MemoFields = {}
    if memo.memo_type is not None:
        fields["MemoType"] = memo.memo_type
    if memo.memo_data is not None:
        fields["MemoData"] = memo.memo_data
    if memo.memo_format is not None:
        fields["MemoFormat"] = memo.memo_format
    return fields


def _one_text(memo: Memo) -> str:
    parts = (("type", memo.memo_type), ("format", memo.memo_format), ("data", memo.memo_data))
    return " ".join(f"{name}={_value_text(value)}" for name, value in parts if value is not None)


def _value_text(value: bytes) -> str:
    return f'"{value.decode("ascii")}"' if _PLAIN.fullmatch(value) else f"0x{value.hex()}"


def _one_memo(text: str) -> Memo:
    match = _TEXT.fullmatch(text)
    if match is None:
        raise XrplMemoRefused("the text is not the canonical text of a memo")
    return Memo(*(_value(group) for group in match.groups()))


def _value(text: str | None) -> bytes | None:
    if text is None:
        return None
    return text[1:-1].encode("ascii") if text.startswith('"') else bytes.fromhex(text[2:])
