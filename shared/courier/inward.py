"""A sealed message into a machine: from a file, a picture, a folder of them, a GIF, a video or a camera.

What comes in is bytes that somebody carried here; who reads them verifies them.
"""

from __future__ import annotations

import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from shared.errors import FileTrouble
from shared.transport.media import read_file, receive

if TYPE_CHECKING:
    from shared.transport.message import Scan

_SEALED: Final = b"\x84\x68lockgate"
"""How every sealed document begins: an array of four, whose first is the text "lockgate"."""


@dataclass(frozen=True, slots=True)
class Received:
    """A message that came in: its bytes and, where it came as pictures, how that went."""

    sealed: bytes
    scan: Scan | None = None


def carry_in(source: str, on_progress: Callable[[Scan], None], *, timeout_seconds: float = 300) -> Received:
    """Read a sealed message from a file or from pictures.

    Raises:
        MessageIncomplete: if the pictures do not hold all of it.
        BadSource, NotAPlainFile, FileTooLarge, FileTrouble, VideoMissing: for sources that cannot be read.
    """
    if _is_sealed_file(source):
        return Received(read_file(Path(source)))
    last: list[Scan] = []

    def note(scan: Scan) -> None:
        last[:] = [scan]
        on_progress(scan)

    sealed = receive(source, note, timeout_seconds=timeout_seconds)
    return Received(sealed, last[0])


def _is_sealed_file(source: str) -> bool:
    path = Path(source)
    try:
        if "\0" in source or not stat.S_ISREG(path.lstat().st_mode):
            return False
        with path.open("rb") as file:
            start = file.read(len(_SEALED))
    except FileNotFoundError:
        return False
    except OSError as error:
        raise FileTrouble(f"{source} can not be read: {error.strerror}") from None
    return bool(start) and _SEALED.startswith(start[: len(_SEALED)])
