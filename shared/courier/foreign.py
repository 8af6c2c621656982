"""A PSBT shown to another wallet as symbols in its own format: UR or BBQr, at the density that the user chose.

What is shown is the bare PSBT, as those wallets read it: nothing of ours signs it, and anybody may look at it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from shared.errors import ForeignContents
from shared.transport import base45, bbqr, ur
from shared.transport.foreign import PSBT_MAGIC
from shared.transport.qr import Display, Symbol, capacity, draw

Kind: TypeAlias = Literal["ur", "bbqr"]

UR_TYPE: Final = "crypto-psbt"
"""The name of the type that wallets in use know; `psbt` is its newer one."""


@dataclass(frozen=True, slots=True)
class ForeignFilm:
    """A PSBT ready to be shown: its symbols have no end, though only UR's further ones tell anything new."""

    needed: int
    loop: int
    display: Display
    text_of: Callable[[int], str]

    def text(self, index: int) -> str:
        """Return the text of one symbol, counted from 0."""
        return self.text_of(index)

    def texts(self) -> tuple[str, ...]:
        """Return the texts of a loop."""
        return tuple(self.text_of(index) for index in range(self.loop))

    def symbol(self, index: int) -> Symbol:
        """Draw one symbol."""
        return draw(self.text_of(index), self.display.version)


def foreign_film(kind: Kind, psbt: bytes, display: Display) -> ForeignFilm:
    """Make a PSBT ready to be shown to another wallet.

    Raises:
        ForeignContents: for bytes that are no PSBT.
        ForeignLimits: if it is too large for symbols; a file can carry it.
    """
    if not psbt.startswith(PSBT_MAGIC):
        raise ForeignContents("only a PSBT is shown to another wallet")
    # The text of our own fullest frame: a symbol holds that many letters, whoever's they are.
    letters = len(base45.as_text(bytes(capacity(display.version))))
    if kind == "ur":
        reel = ur.film(UR_TYPE, ur.wrap(psbt), letters)
        # Half as many again make good for some losses without waiting for the next loop.
        loop = 1 if reel.needed == 1 else reel.needed + -(-reel.needed // 2)
        return ForeignFilm(reel.needed, loop, display, reel.text)
    parts = bbqr.split(psbt, "P", letters)
    return ForeignFilm(len(parts), len(parts), display, lambda index: parts[index % len(parts)])
