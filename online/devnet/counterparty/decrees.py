"""What comes about on a small Counterparty by decree, as data: so that a world can be kept and read back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from online.devnet.counterparty.books import Asset, Books, Place

Kind = Literal["issue", "credit", "attach", "require_memo"]


@dataclass(frozen=True, slots=True)
class Decree:
    """One decree, and the height after whose block it holds; `terms` are texts, whole numbers, truth values."""

    height: int
    kind: Kind
    terms: tuple[Any, ...]

    def do(self, books: Books, place: Place) -> None:
        """Change the books."""
        _DOING[self.kind](books, place, *self.terms)


def _issue(books: Books, _place: Place, name: str, issuer: str | None, divisible: bool,  # noqa: FBT001 - a term
           longname: str | None) -> None:
    books.assets[name] = Asset(name, issuer, divisible, longname)


def _credit(books: Books, place: Place, address: str, asset: str, quantity: int) -> None:
    books.assets.setdefault(asset, Asset(asset))
    books.credit(place, address, asset, quantity, "issuance")


def _attach(books: Books, place: Place, outpoint: str, address: str, asset: str, quantity: int) -> None:
    books.assets.setdefault(asset, Asset(asset))
    books.owners[outpoint] = address
    books.credit(place, outpoint, asset, quantity, "attach to utxo")


def _require_memo(books: Books, place: Place, address: str, required: bool) -> None:  # noqa: FBT001 - a term
    books.options[address] = (int(required), place.block_index)


_DOING: Final[Mapping[Kind, Callable[..., None]]] = {
    "issue": _issue,
    "credit": _credit,
    "attach": _attach,
    "require_memo": _require_memo,
}
