"""A message into a machine: from a file, a picture, a folder of them, a GIF, a video or a camera.

It is a sealed one, or a PSBT of another maker's wallet: that comes as UR or BBQr symbols, or as a file, which may be
Base64. What comes in is bytes that somebody carried here; who reads them verifies them.
"""

from __future__ import annotations

import base64
import binascii
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from shared.errors import FileTrouble, ForeignContents
from shared.transport.foreign import PSBT_MAGIC
from shared.transport.media import read_file, receive

if TYPE_CHECKING:
    from shared.transport.message import Scan

_SEALED: Final = b"\x84\x68lockgate"
"""How every sealed document begins: an array of four, whose first is the text "lockgate"."""


_BASE64: Final = base64.b64encode(PSBT_MAGIC)[:6]
"""How a PSBT in Base64 begins, whatever follows."""


@dataclass(frozen=True, slots=True)
class Received:
    """A message that came in: its bytes, sealed or a PSBT's, and where it came as pictures, how that went."""

    sealed: bytes
    scan: Scan | None = None


def carry_in(source: str, on_progress: Callable[[Scan], None], *, timeout_seconds: float = 300) -> Received:
    """Read a message from a file or from pictures.

    Raises:
        MessageIncomplete: if the pictures do not hold all of it.
        ForeignContents: for a file that begins like a PSBT in Base64 and is none.
        BadSource, NotAPlainFile, FileTooLarge, FileTrouble, VideoMissing: for sources that cannot be read.
    """
    if _is_message_file(source):
        return Received(_bare(read_file(Path(source))))
    last: list[Scan] = []

    def note(scan: Scan) -> None:
        last[:] = [scan]
        on_progress(scan)

    message = receive(source, note, timeout_seconds=timeout_seconds)
    return Received(message, last[0])


def _is_message_file(source: str) -> bool:
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
    ours = bool(start) and _SEALED.startswith(start)
    return ours or start.startswith((PSBT_MAGIC, _BASE64))


def _bare(contents: bytes) -> bytes:
    """Take a PSBT out of Base64; a line break at the end is the editor's."""
    if not contents.startswith(_BASE64):
        return contents
    try:
        return base64.b64decode(contents.rstrip(b"\r\n"), validate=True)
    except binascii.Error:
        raise ForeignContents("the file begins like a PSBT in Base64 and goes on as something else") from None
