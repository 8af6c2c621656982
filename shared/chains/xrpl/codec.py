"""Bytes of a transaction to fields and back, strictly: each transaction has one encoding.

It knows what may stand where and in which order, and nothing of what fields mean: that is `rules`.
Never lenient: a server re-sorts fields and accepts, after which the id is no longer that of the bytes
that were signed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

from shared.chains.xrpl.amounts import decode_drops, encode_drops
from shared.chains.xrpl.fields import (
    ARRAY_END,
    OBJECT_END,
    REFUSED,
    REFUSED_TYPES,
    TOP,
    TYPES,
    Field,
    Fields,
    Kind,
    Scope,
)
from shared.errors import XrplFieldOrder, XrplFieldRefused, XrplFieldUnknown, XrplMalformed, XrplTypeRefused

MOST_BYTES = 16_384
"""Longer than any accepted transaction: 32 signers and a full memo take some 6 kB."""

_ITEMS_MOST = 32
_SHORT_MOST = 192
_LONG_MOST = 12_480


def read(blob: bytes) -> Fields:
    """Read the fields of a serialised transaction.

    Raises:
        XrplTypeRefused: for a transaction type that is not accepted.
        XrplMalformed: for bytes that are cut short, too long, or have a header or length that is none.
        XrplFieldOrder: for fields that do not ascend or stand twice.
        XrplFieldUnknown: for a field that nothing here knows, XrplFieldRefused: for one known and not
            accepted.
        XrplTokenAmount: for a token's amount, BadAmount: for one that cannot be.
    """
    if len(blob) > MOST_BYTES:
        raise XrplMalformed(f"a transaction of {len(blob)} bytes is too long")
    if blob[:1] == TOP.by_name["TransactionType"].header:  # the type first, so that the refusal names it
        check_type(int.from_bytes(blob[1:3], "big"))
    found, _ = _read_fields(blob, 0, TOP, nested=False)
    return cast("Fields", found)


def check_type(code: int) -> None:
    """Refuse a transaction type that is not accepted. Raises XrplTypeRefused."""
    if code not in TYPES:
        raise XrplTypeRefused(f"transaction type {REFUSED_TYPES.get(code, code)} is not accepted")


def write(fields: Fields) -> bytes:
    """Serialise fields in canonical order.

    Raises:
        XrplMalformed: for a value that its field cannot hold.
        BadAmount: for drops that cannot be.
    """
    blob = _write_fields(fields, TOP)
    if len(blob) > MOST_BYTES:
        raise XrplMalformed(f"a transaction of {len(blob)} bytes is too long")
    return blob


# --- reading --------------------------------------------------------------------------------------


def _read_fields(blob: bytes, at: int, scope: Scope, *, nested: bool) -> tuple[dict[str, object], int]:
    found: dict[str, object] = {}
    known, order, size = scope.by_header, 0, len(blob)
    while at < size:
        key = blob[at]
        if nested and key == OBJECT_END:
            return found, at + 1
        start = at
        if key & 15 and key >> 4:
            at += 1
        else:
            # Two zero codes take three bytes; no accepted field has such a header, and 00 73 is not 73.
            key = int.from_bytes(blob[at : at + 2], "big") if key else -1
            at += 2
        field = known.get(key)
        if field is None:
            raise _stranger(blob, start)
        if field.order <= order:
            raise XrplFieldOrder(f"{field.name} stands twice or out of order")
        order = field.order
        found[field.name], at = _READERS[field.kind](blob, at, field)
    if nested:
        raise XrplMalformed("an object does not end")
    return found, at


def _read_u16(blob: bytes, at: int, field: Field) -> tuple[int, int]:
    return int.from_bytes(_take(blob, at, 2, field), "big"), at + 2


def _read_u32(blob: bytes, at: int, field: Field) -> tuple[int, int]:
    return int.from_bytes(_take(blob, at, 4, field), "big"), at + 4


def _read_hash(blob: bytes, at: int, field: Field) -> tuple[bytes, int]:
    return _take(blob, at, 32, field), at + 32


def _read_amount(blob: bytes, at: int, field: Field) -> tuple[int, int]:
    return decode_drops(int.from_bytes(_take(blob, at, 8, field), "big")), at + 8


def _read_blob(blob: bytes, at: int, field: Field) -> tuple[bytes, int]:
    # XRPL: lengths to 192 take one byte, to 12,480 two; every length has one form.
    size = _take(blob, at, 1, field)[0]
    at += 1
    if size > _SHORT_MOST:
        if size > 240:
            raise XrplMalformed(f"{field.name} is too long")
        size = 193 + ((size - 193) << 8) + _take(blob, at, 1, field)[0]
        at += 1
    return _take(blob, at, size, field), at + size


def _read_account(blob: bytes, at: int, field: Field) -> tuple[bytes, int]:
    account, at = _read_blob(blob, at, field)
    return _account(account, field), at


def _read_array(blob: bytes, at: int, field: Field) -> tuple[list[dict[str, object]], int]:
    items: list[dict[str, object]] = []
    scope = cast("Scope", field.item_scope)
    size = len(field.item_header)
    while _take(blob, at, 1, field)[0] != ARRAY_END:
        if blob[at : at + size] != field.item_header:
            raise XrplMalformed(f"{field.name} holds something else than {field.item_name}")
        item, at = _read_fields(blob, at + size, scope, nested=True)
        items.append(item)
        if len(items) > _ITEMS_MOST:
            raise XrplMalformed(f"{field.name} holds more than {_ITEMS_MOST} items")
    return items, at + 1


def _take(blob: bytes, at: int, size: int, field: Field) -> bytes:
    part = blob[at : at + size]
    if len(part) != size:
        raise XrplMalformed(f"{field.name} is cut short")
    return part


def _stranger(blob: bytes, at: int) -> XrplMalformed | XrplFieldUnknown | XrplFieldRefused:
    first, rest = blob[at], list(blob[at + 1 : at + 3])
    codes = [first >> 4, first & 15]
    for place in (0, 1):
        if codes[place] == 0:
            if not rest:
                return XrplMalformed("a field's header is cut short")
            codes[place] = rest.pop(0)
            if codes[place] < 16:
                return XrplMalformed(f"a field's header is longer than needed at byte {at}")
    type_code, field_code = codes
    name = REFUSED.get((type_code, field_code))
    if name is None:
        names = {(f.type_code, f.field_code): f.name for f in TOP.by_name.values()}
        name = names.get((type_code, field_code))
    if name is None:
        return XrplFieldUnknown(f"unknown field {field_code} of type {type_code} at byte {at}")
    return XrplFieldRefused(f"the field {name} is not accepted here")


_READERS: dict[Kind, Callable[[bytes, int, Field], tuple[object, int]]] = {
    "u16": _read_u16,
    "u32": _read_u32,
    "hash": _read_hash,
    "amount": _read_amount,
    "blob": _read_blob,
    "account": _read_account,
    "array": _read_array,
}


# --- writing --------------------------------------------------------------------------------------


def _write_fields(fields: Mapping[str, object], scope: Scope) -> bytes:
    parts: list[bytes] = []
    for name, field in scope.by_name.items():  # the table stands in canonical order
        value = fields.get(name)
        if value is not None:
            parts += (field.header, _WRITERS[field.kind](value, field))
    return b"".join(parts)


def _write_u16(value: object, field: Field) -> bytes:
    return _whole(value, 16, field).to_bytes(2, "big")


def _write_u32(value: object, field: Field) -> bytes:
    return _whole(value, 32, field).to_bytes(4, "big")


def _write_hash(value: object, field: Field) -> bytes:
    if not isinstance(value, bytes) or len(value) != 32:
        raise XrplMalformed(f"{field.name} is not of 32 bytes")
    return value


def _write_amount(value: object, field: Field) -> bytes:
    return encode_drops(cast("int", value))


def _write_blob(value: object, field: Field) -> bytes:
    if not isinstance(value, bytes) or len(value) > _LONG_MOST:
        raise XrplMalformed(f"{field.name} is too long")
    size = len(value)
    if size <= _SHORT_MOST:
        return bytes([size]) + value
    return bytes([193 + ((size - 193) >> 8), (size - 193) & 255]) + value


def _write_account(value: object, field: Field) -> bytes:
    return _write_blob(_account(value, field), field)


def _write_array(value: object, field: Field) -> bytes:
    scope = cast("Scope", field.item_scope)
    items = [
        field.item_header + _write_fields(item, scope) for item in cast("list[Mapping[str, object]]", value)
    ]
    return b"".join(item + bytes([OBJECT_END]) for item in items) + bytes([ARRAY_END])


def _whole(value: object, bits: int, field: Field) -> int:
    if type(value) is not int or value >> bits:
        raise XrplMalformed(f"{field.name} is not a number of {bits} bits")
    return value


def _account(value: object, field: Field) -> bytes:
    # XRPL: the account of twenty zero bytes stands for "no account" and can neither pay nor be paid.
    if not isinstance(value, bytes) or len(value) != 20 or not any(value):
        raise XrplMalformed(f"{field.name} is not an account")
    return value


_WRITERS: dict[Kind, Callable[[object, Field], bytes]] = {
    "u16": _write_u16,
    "u32": _write_u32,
    "hash": _write_hash,
    "amount": _write_amount,
    "blob": _write_blob,
    "account": _write_account,
    "array": _write_array,
}
