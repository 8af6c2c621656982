"""Amounts: what is read as one, what is refused, how they print and add. Rows and a round trip."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import BadAmount
from shared.money import MOST_UNITS, Amount, Asset, format_units, parse_amount

XRP = Asset("xrpl:local", "XRP", 6)
NEAR = Asset("near:test", "NEAR", 24)
WHOLE = Asset("x:y", "ITEM", 0)


@pytest.mark.parametrize(
    ("text", "asset", "units"),
    [
        ("0", XRP, 0),
        ("80000", XRP, 80_000_000_000),
        ("0.25", XRP, 250_000),
        ("0.000001", XRP, 1),
        ("1.50", XRP, 1_500_000),
        ("7", WHOLE, 7),
        ("340282366920938.463463374607431768211455", NEAR, MOST_UNITS),
    ],
)
def test_a_plain_decimal_number_is_read_as_base_units(text: str, asset: Asset, units: int) -> None:
    assert parse_amount(text, asset) == Amount(asset, units)


@pytest.mark.parametrize(
    "text",
    ["", " ", "-1", "+1", "1 ", " 1", "1\n", "01", "00", ".5", "5.", "1e3", "1_000", "1,000", "1 000", "0x10",
     "NaN", "Infinity", "1.2.3", "\uff11", "\u0661", "1\u00a0000", "\N{MINUS SIGN}1"],
)
def test_anything_but_a_plain_decimal_number_is_refused(text: str) -> None:
    with pytest.raises(BadAmount, match="not a number of XRP"):
        parse_amount(text, XRP)


@pytest.mark.parametrize(
    ("text", "asset"), [("0.0000001", XRP), ("1.0000000", XRP), ("1.0", WHOLE), ("9" * 40, XRP), ("9" * 5_000, XRP)]
)
def test_more_digits_than_the_asset_has_are_refused(text: str, asset: Asset) -> None:
    with pytest.raises(BadAmount, match="too many digits"):
        parse_amount(text, asset)


def test_one_base_unit_more_than_128_bits_is_refused() -> None:
    with pytest.raises(BadAmount):
        parse_amount("340282366920938.463463374607431768211456", NEAR)


@pytest.mark.parametrize("units", [-1, MOST_UNITS + 1, True, 1.0, "1", None])
def test_an_amount_that_exists_is_a_whole_number_within_128_bits(units: object) -> None:
    with pytest.raises(BadAmount):
        Amount(XRP, units)  # type: ignore[arg-type]


def test_amounts_of_one_asset_add_and_take_away() -> None:
    assert Amount(XRP, 5) + Amount(XRP, 7) == Amount(XRP, 12)
    assert Amount(XRP, 7) - Amount(XRP, 7) == Amount(XRP, 0)


def test_an_amount_never_goes_below_zero_or_beyond_128_bits() -> None:
    with pytest.raises(BadAmount):
        Amount(XRP, 5) - Amount(XRP, 6)
    with pytest.raises(BadAmount):
        Amount(XRP, MOST_UNITS) + Amount(XRP, 1)


@pytest.mark.parametrize("other", [NEAR, Asset("xrpl:mainnet", "XRP", 6)])
def test_amounts_of_different_assets_do_not_add_up(other: Asset) -> None:
    with pytest.raises(BadAmount, match="do not add up"):
        Amount(XRP, 1) + Amount(other, 1)
    with pytest.raises(BadAmount, match="do not add up"):
        Amount(XRP, 1) - Amount(other, 1)


def test_an_amount_prints_with_blanks_and_without_needless_zeros() -> None:
    assert str(Amount(XRP, 80_000_250_000)) == "80 000.25 XRP"
    assert str(Amount(XRP, 1)) == "0.000001 XRP"
    assert str(Amount(WHOLE, 1_234_567)) == "1 234 567 ITEM"
    assert str(Amount(XRP, 0)) == "0 XRP"
    assert str(XRP) == "XRP@xrpl:local"


@given(st.integers(0, MOST_UNITS), st.sampled_from([XRP, NEAR, WHOLE]))
def test_what_prints_reads_back_as_the_same_amount(units: int, asset: Asset) -> None:
    text = format_units(units, asset.decimals).replace(" ", "")
    assert parse_amount(text, asset) == Amount(asset, units)
