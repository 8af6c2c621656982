"""Byte strings side by side: the round trip, the order of the bytes, and lengths that do not fit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.columns import join_columns, split_columns
from shared.errors import BadField
from tests import columns_measured


def test_equal_places_stand_together() -> None:
    assert join_columns([b"abc", b"ABC"]) == b"aAbBcC"


def test_strings_of_each_length_stand_in_a_table_of_their_own_in_order_of_appearance() -> None:
    assert join_columns([b"abc", b"xy", b"ABC", b"", b"XY"]) == b"aAbBcC" + b"xXyY"


@given(st.lists(st.binary(max_size=6) | st.binary(min_size=30, max_size=31), max_size=12))
def test_what_was_joined_splits_into_the_same_strings(blobs: list[bytes]) -> None:
    assert split_columns(join_columns(blobs), [len(blob) for blob in blobs]) == blobs


@pytest.mark.parametrize(("columns", "lengths"), [(b"", [1]), (b"abc", []), (b"abc", [1, 1]), (b"abc", [2**40])])
def test_lengths_that_do_not_add_up_are_refused_before_anything_is_cut(columns: bytes, lengths: list[int]) -> None:
    with pytest.raises(BadField, match="do not add up"):
        split_columns(columns, lengths)


def test_a_request_of_500_payments_takes_at_most_40_bytes_each_and_less_than_in_rows() -> None:
    size = columns_measured.sizes(columns_measured.request())
    assert size["columns"] <= 40
    assert size["columns"] < size["behind each other"] < size["items"]
