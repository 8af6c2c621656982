"""Money: whole numbers of base units with their asset.

Never a float; `Decimal` appears nowhere; parsing and printing work on digits alone. An amount that exists is valid.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from shared.errors import BadAmount

MOST_UNITS = 2**128 - 1
"""The largest number of base units of any asset: NEAR counts yoctoNEAR in 128 bits."""

_PLAIN = re.compile(r"(0|[1-9][0-9]*)(?:\.([0-9]+))?", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Asset:
    """An asset of one network: `network` such as "xrpl:mainnet", its code there, and its decimals."""

    network: str
    code: str
    decimals: int

    def __str__(self) -> str:
        return f"{self.code}@{self.network}"


@dataclass(frozen=True, slots=True, order=True)
class Amount:
    """A whole number of base units of an asset, zero or more."""

    asset: Asset
    units: int

    def __post_init__(self) -> None:
        if type(self.units) is not int or not 0 <= self.units <= MOST_UNITS:
            raise BadAmount(f"no amount of {self.asset.code}: {self.units!r} base units")

    def __add__(self, other: Amount) -> Amount:
        return Amount(self._same(other), self.units + other.units)

    def __sub__(self, other: Amount) -> Amount:
        return Amount(self._same(other), self.units - other.units)

    def __str__(self) -> str:
        return f"{format_units(self.units, self.asset.decimals)} {self.asset.code}"

    def _same(self, other: Amount) -> Asset:
        if other.asset != self.asset:
            raise BadAmount(f"{self.asset} and {other.asset} do not add up")
        return self.asset


def parse_amount(text: str, asset: Asset) -> Amount:
    """Read a decimal number of whole coins ("80000", "0.25") as base units of the asset.

    Raises:
        BadAmount: for signs, blanks, separators, foreign digits, exponents, or more decimals than the asset has.
    """
    match = _PLAIN.fullmatch(text)
    if match is None:
        raise BadAmount(f"not a number of {asset.code}: {text[:40]!r}")
    whole, fraction = match[1], match[2] or ""
    if len(whole) > 39 or len(fraction) > asset.decimals:
        raise BadAmount(f"too many digits, {asset.code} has {asset.decimals} decimals: {text[:40]!r}")
    return Amount(asset, int(whole + fraction.ljust(asset.decimals, "0")))


def format_units(units: int, decimals: int) -> str:
    """Print base units as whole coins with blanks for thousands and no needless zeros: "80 000.25"."""
    whole, fraction = divmod(units, 10**decimals)
    grouped = f"{whole:,}".replace(",", " ")
    digits = str(fraction).rjust(decimals, "0").rstrip("0") if fraction else ""
    return f"{grouped}.{digits}" if digits else grouped
