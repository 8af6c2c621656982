"""A QR symbol as text for a terminal: half blocks in colour, or plain ASCII.

Half blocks show two modules a letter and come with the colours black and white spelled out, since
a symbol in a theme's own colours may be inverted. Plain ASCII shows a module as two letters, uses
no colour and no letter beyond `#`; it takes four times the room and wants a dark background.
"""

from __future__ import annotations

from collections.abc import Iterator

from shared.errors import TerminalTooSmall
from shared.transport.qr import HIGHEST_VERSION, LOWEST_VERSION, QUIET_MODULES, Symbol, side_of

_BLACK_ON_WHITE, _PLAIN = "\x1b[30;107m", "\x1b[0m"
_HALVES = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}


def as_terminal(symbol: Symbol, columns: int, lines: int, *, ascii_only: bool = False) -> str:
    """Render a symbol for a terminal of this size, its quiet zone included.

    Raises:
        TerminalTooSmall: it does not fit; the message names the size needed, the hint a way out.
    """
    needed = size_needed(symbol.side, ascii_only=ascii_only)
    if columns < needed[0] or lines < needed[1]:
        raise TerminalTooSmall(
            f"the symbol needs {needed[0]} columns and {needed[1]} lines;"
            f" this terminal has {columns} and {lines}",
            hint=_way_out(columns, lines, ascii_only=ascii_only),
        )
    return "\n".join(_in_ascii(symbol) if ascii_only else _in_half_blocks(symbol))


def size_needed(side: int, *, ascii_only: bool = False) -> tuple[int, int]:
    """Say how many columns and lines a symbol takes, quiet zone included."""
    whole = side + 2 * QUIET_MODULES
    return (whole * 2, whole) if ascii_only else (whole, -(-whole // 2))


def highest_version(columns: int, lines: int, *, ascii_only: bool = False) -> int | None:
    """Say which QR version is the densest that fits a terminal, or None."""
    for version in range(HIGHEST_VERSION, LOWEST_VERSION - 1, -1):
        wide, high = size_needed(side_of(version), ascii_only=ascii_only)
        if wide <= columns and high <= lines:
            return version
    return None


def _way_out(columns: int, lines: int, *, ascii_only: bool) -> str:
    version = highest_version(columns, lines, ascii_only=ascii_only)
    if version is None:
        return "Make the window larger or the letters smaller, or write a GIF instead."
    return f"Choose QR version {version} or lower, make the window larger, or write a GIF instead."


def _in_half_blocks(symbol: Symbol) -> Iterator[str]:
    span = range(-QUIET_MODULES, symbol.side + QUIET_MODULES)
    for row in span[::2]:
        letters = (_HALVES[symbol.dark(row, at), symbol.dark(row + 1, at)] for at in span)
        yield _BLACK_ON_WHITE + "".join(letters) + _PLAIN


def _in_ascii(symbol: Symbol) -> Iterator[str]:
    span = range(-QUIET_MODULES, symbol.side + QUIET_MODULES)
    for row in span:
        yield "".join("  " if symbol.dark(row, at) else "##" for at in span)
