"""The strict encoding: round trips, the one spelling of every value, and the reader of fields."""

from __future__ import annotations

from collections.abc import Callable

import cbor2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.encoding import Fields, Value, decode, encode, units_from_bytes, units_to_bytes
from shared.errors import BadEncoding, BadField
from shared.money import MOST_UNITS

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
LEAVES = st.none() | st.booleans() | st.integers(0, 2**64 - 1) | st.binary(max_size=300) | TEXTS
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=30) | st.dictionaries(TEXTS, inner, max_size=8),
    max_leaves=40,
)


@given(VALUES)
def test_a_value_comes_back_as_it_was(value: Value) -> None:
    assert decode(encode(value)) == value


@given(VALUES)
def test_another_writer_of_canonical_cbor_gives_the_same_bytes(value: Value) -> None:
    assert cbor2.dumps(value, canonical=True) == encode(value)


@given(st.binary(max_size=40))
@example(b"\xa2\x61a\x01\x61a\x02")
def test_bytes_are_refused_or_are_the_only_spelling_of_their_value(blob: bytes) -> None:
    try:
        value = decode(blob)
    except BadEncoding:
        return
    assert encode(value) == blob


@given(VALUES, st.data())
def test_an_altered_encoding_never_reads_as_the_same_value(value: Value, draw: st.DataObject) -> None:
    blob = bytearray(encode(value))
    place = draw.draw(st.integers(0, len(blob) * 8 - 1))
    blob[place // 8] ^= 1 << place % 8
    try:
        read = decode(bytes(blob))
    except BadEncoding:
        return
    assert encode(read) == bytes(blob) != encode(value)


@given(VALUES, st.data())
def test_a_cut_encoding_is_refused(value: Value, draw: st.DataObject) -> None:
    blob = encode(value)
    with pytest.raises(BadEncoding):
        decode(blob[: draw.draw(st.integers(0, len(blob) - 1))])


@given(VALUES)
def test_trailing_bytes_are_refused(value: Value) -> None:
    with pytest.raises(BadEncoding, match="follow the end"):
        decode(encode(value) + b"\0")


REFUSED = {
    "nothing": "",
    "negative number": "20",
    "tag": "c100",
    "half float": "f90000",
    "double": "fb3ff0000000000000",
    "undefined": "f7",
    "simple value": "e0",
    "long simple value": "f8ff",
    "break": "ff",
    "number longer than needed, 1": "1817",
    "number longer than needed, 2": "1900ff",
    "number longer than needed, 4": "1a0000ffff",
    "number longer than needed, 8": "1b00000000ffffffff",
    "length longer than needed": "580161",
    "reserved length": "1c",
    "endless bytes": "5f4161ff",
    "endless text": "7f6161ff",
    "endless array": "9f00ff",
    "endless map": "bf616100ff",
    "head cut": "19ff",
    "bytes cut": "4261",
    "text cut": "6261",
    "array cut": "8200",
    "array of more items than bytes": "9bffffffffffffffff",
    "map without key": "a1",
    "map without value": "a16161",
    "map with a number for key": "a10000",
    "map with bytes for key": "a1416100",
    "keys repeated": "a2616100616100",
    "keys out of order": "a2616200616100",
    "longer key first": "a262616100616200",
    "text of half a surrogate": "63eda080",
    "text longer than UTF-8 needs": "62c080",
}


@pytest.mark.parametrize("spelling", REFUSED.values(), ids=REFUSED.keys())
def test_what_is_outside_the_subset_is_refused(spelling: str) -> None:
    with pytest.raises(BadEncoding):
        decode(bytes.fromhex(spelling))


def test_depth_and_size_are_bounded_when_read() -> None:
    with pytest.raises(BadEncoding, match="too deep"):
        decode(b"\x81" * 100_000 + b"\0")
    with pytest.raises(BadEncoding, match="too deep"):
        decode(encode([[1]]), depth=1)
    with pytest.raises(BadEncoding, match="allowed"):
        decode(bytes(11), most_bytes=10)


@pytest.mark.parametrize("value", [-1, 2**64, "\ud800", {"\udfff": 1}, [[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]])
def test_values_outside_the_subset_are_not_written(value: Value) -> None:
    with pytest.raises(BadEncoding):
        encode(value)


@pytest.mark.parametrize("value", [1.5, {1: 2}, {1, 2}, object()])
def test_types_outside_the_subset_are_a_bug(value: object) -> None:
    with pytest.raises(TypeError):
        encode(value)  # type: ignore[arg-type]


@given(st.integers(0, MOST_UNITS))
def test_base_units_come_back(units: int) -> None:
    assert units_from_bytes(units_to_bytes(units)) == units


@pytest.mark.parametrize("units", [-1, MOST_UNITS + 1, True])
def test_no_amount_has_such_units(units: int) -> None:
    with pytest.raises(BadEncoding):
        units_to_bytes(units)


@pytest.mark.parametrize("blob", [b"\0", b"\0\1", b"\1" + bytes(16)])
def test_base_units_have_one_spelling(blob: bytes) -> None:
    with pytest.raises(BadEncoding):
        units_from_bytes(blob)


def fields(**values: Value) -> Fields:
    return Fields(decode(encode(values)), "card")


def test_fields_are_read_once_and_then_closed() -> None:
    card = fields(
        name="hot",
        key=bytes(32),
        x=7,
        some=[1],
        inner={"a": 1},
        on=True,
        sum=b"\5",
        tier="hot",
        any=None,
        rows=[{"i": 1}],
    )
    assert card.text("name") == "hot"
    assert card.bytes("key", exactly=32) == bytes(32)
    assert card.number("x", 7, 7) == 7
    assert card.list("some") == [1]
    inner = card.map("inner")
    assert inner.number("a") == 1
    inner.close()
    assert card.flag("on") is True
    assert card.units("sum") == 5
    assert card.choice("tier", ("hot", "cold")) == "hot"
    assert card.value("any") is None
    assert card.items("rows", lambda row: row.number("i")) == (1,)
    card.close()
    with pytest.raises(BadField, match=r"card\.x: missing"):
        card.number("x")


def test_optional_fields_may_be_absent_and_are_read_when_there() -> None:
    none, card = fields(), fields(t="t", b=b"b", n=1, u=b"", f=False, m={})
    assert (none.optional_text("t"), none.optional_bytes("b"), none.optional_number("n")) == (None,) * 3
    assert (none.optional_units("u"), none.optional_flag("f"), none.optional_map("m")) == (None,) * 3
    assert card.optional_text("t") == "t"
    assert card.optional_bytes("b") == b"b"
    assert card.optional_number("n") == 1
    assert card.optional_units("u") == 0
    assert card.optional_flag("f") is False
    inner = card.optional_map("m")
    assert inner is not None
    inner.close()
    card.close()


def test_unknown_fields_are_refused_by_name() -> None:
    with pytest.raises(BadField, match=r"card: unknown field 'a', 'b\\x1b'"):
        fields(**{"b\x1b": 1, "a": 2}).close()
    with pytest.raises(BadField, match=r"card\.rows\[0\]: unknown field 'i'"):
        fields(rows=[{"i": 1}]).items("rows", lambda row: None)


def test_only_a_map_has_fields() -> None:
    with pytest.raises(BadField, match="card: not a map"):
        Fields([], "card")


def test_each_reader_refuses_other_types_and_bounds() -> None:
    card = fields(t="text", b=b"bytes", n=5, l=[1], on=True, bad=b"\0")
    wrong: list[Callable[[], object]] = [
        lambda: card.value("absent"),
        lambda: fields(v=1).text("v"),
        lambda: fields(v="").text("v", least=1),
        lambda: fields(v="ab").text("v", most=1),
        lambda: fields(v=1).choice("v", ("a",)),
        lambda: fields(v="b").choice("v", ("a",)),
        lambda: fields(v="b").bytes("v"),
        lambda: fields(v=b"b").bytes("v", exactly=2),
        lambda: fields(v=b"bb").bytes("v", most=1),
        lambda: fields(v=b"b").bytes("v", least=2),
        lambda: fields(v=True).number("v"),
        lambda: fields(v="1").number("v"),
        lambda: fields(v=1).number("v", 2, 3),
        lambda: fields(v=4).number("v", 2, 3),
        lambda: fields(v=b"\0").units("v"),
        lambda: fields(v=1).flag("v"),
        lambda: fields(v={}).list("v"),
        lambda: fields(v=[]).list("v", least=1),
        lambda: fields(v=[1, 2]).list("v", most=1),
        lambda: fields(v=[]).map("v"),
        lambda: fields(v=None).optional_text("v"),
    ]
    for read in wrong:
        with pytest.raises(BadField):
            read()
