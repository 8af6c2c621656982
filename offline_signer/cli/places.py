"""Where an answer shall go, looked at before anything is signed, while a taken name still costs nothing."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from shared.courier.outward import Ways
from shared.errors import FileExists, FileTrouble, NotATerminal
from shared.face.prompts import is_terminal

_HINT: Final = "Nothing was signed: name another place for the answer."


def require_room(ways: Ways) -> None:
    """Demand that the answer can be put where it shall go, as far as that shows beforehand.

    Raises:
        FileExists: for a name that is taken, or given twice.
        FileTrouble: for a folder that is missing or cannot be written.
        NotATerminal: if frames shall be played where no terminal is.
    """
    files = [path for path in (ways.file, ways.gif) if path is not None]
    for path in files:
        if os.path.lexists(path) or files.count(path) > 1:
            raise FileExists(f"{path} exists already, or is named twice", hint=_HINT)
        _require_writable(path.parent)
    if ways.png is not None:
        _require_frames(ways.png)
    if ways.terminal and not is_terminal():
        raise NotATerminal("frames are played on a terminal, and this is none")


def _require_frames(folder: Path) -> None:
    """The folder of the frames is made with those above it, so the nearest one that is there counts."""
    there = folder
    while not os.path.lexists(there) and there != there.parent:
        there = there.parent
    _require_writable(there)
    if there == folder and any(folder.glob("frame-*.png")):
        raise FileExists(f"{folder} holds frames of an earlier message", hint=_HINT)


def _require_writable(folder: Path) -> None:
    if not folder.is_dir():
        raise FileTrouble(f"{folder} is no folder", hint=_HINT)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise FileTrouble(f"{folder} can not be written", hint=_HINT)
