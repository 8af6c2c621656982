"""A message out of a machine: as a file, a GIF, a folder of PNG frames, or played on the terminal.

The file holds the bytes themselves; the pictures hold them packed and cut into frames of ours, or in the symbols of
other makers' wallets. Nothing is overwritten.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from shared.transport.media import write_file

if TYPE_CHECKING:
    from shared.courier.foreign import Kind


@dataclass(frozen=True, slots=True)
class Ways:
    """By which ways a message goes out, and how dense and fast its symbols are.

    `symbols` names the format of another maker's wallet, for a message that goes to one.
    """

    file: Path | None = None
    gif: Path | None = None
    png: Path | None = None
    terminal: bool = False
    version: int = 20
    fps: int = 10
    symbols: Kind | None = None

    @property
    def pictured(self) -> bool:
        """Say whether any way shows symbols."""
        return self.terminal or self.gif is not None or self.png is not None


@dataclass(frozen=True, slots=True)
class Carried:
    """What went out: the sizes, the files, and for pictures how many frames are needed at least and were shown."""

    sealed_bytes: int
    files: tuple[Path, ...]
    needed: int = 0
    shown: int = 0


def carry_out(sealed: bytes, ways: Ways) -> Carried:
    """Send a message by every way that is asked for, the terminal last.

    Raises:
        FileExists, DiskFull, FileTrouble: for a file that cannot be written.
        FrameLimits, ForeignLimits: if the message is too large for pictures.
        TerminalTooSmall, NotATerminal: if it cannot be played here.
    """
    files: list[Path] = []
    if ways.file is not None:
        write_file(ways.file, sealed)
        files.append(ways.file)
    if not ways.pictured:
        return Carried(len(sealed), tuple(files))
    return _pictured(sealed, ways, files)


def _pictured(sealed: bytes, ways: Ways, files: list[Path]) -> Carried:
    # Pillow and the QR library take their time to load, so only who shows pictures waits for them.
    from shared.courier.foreign import foreign_film
    from shared.transport.media import write_gif, write_pngs
    from shared.transport.message import Reel, film
    from shared.transport.qr import Display

    display = Display(ways.version, ways.fps)
    reel: Reel = film(sealed, display) if ways.symbols is None else foreign_film(ways.symbols, sealed, display)
    if ways.gif is not None:
        write_gif(reel, ways.gif)
        files.append(ways.gif)
    if ways.png is not None:
        write_pngs(reel, ways.png)
        files.append(ways.png)
    if ways.terminal:
        from shared.courier.playback import play

        play(reel)
    return Carried(len(sealed), tuple(files), reel.needed, reel.loop)
