"""The coordinator's side of a hot signer's spool: requests in, answers and refusals out, as whole files.

Nothing here is believed: an answer is verified where it is imported, and a refusal's reason is only shown.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shared.errors import BadCheckpoint, FileTrouble
from shared.review import printable
from shared.transport.media import read_file, write_file

_IN: Final = "in/{}.request"
_ANSWER: Final = "out/{}.answer"
_REFUSED: Final = "refused/{}.request"
_REASON: Final = "refused/{}.reason"
_MOST_REASON_BYTES: Final = 10_000
_MOST_REASON: Final = 600


@dataclass(frozen=True, slots=True)
class Spool:
    """A folder with `in`, `out` and `refused`, which its signer made. Files are named for their request's digest."""

    folder: Path

    def lay(self, digest: bytes, sealed: bytes) -> None:
        """Put a request in, whole and once it is on the disk; the same again changes nothing.

        Raises:
            DiskFull, FileTrouble: if it can not be written.
        """
        write_file(self._path(_IN, digest), sealed, overwrite=True, mode=0o640)

    def holds(self, digest: bytes) -> bool:
        """Say whether the request lies in one of the folders, waiting, refused or answered."""
        # In this order, since the signer puts an answer or a refusal into its place before it takes the request away.
        return any(os.path.lexists(self._path(form, digest)) for form in (_IN, _ANSWER, _REFUSED))

    def answers(self) -> list[bytes]:
        """Give the digests under which answers lie. Raises FileTrouble."""
        return self._named(_ANSWER)

    def refusals(self) -> list[bytes]:
        """Give the digests of the refused requests. Raises FileTrouble."""
        return self._named(_REFUSED)

    def answer(self, digest: bytes) -> bytes:
        """Read an answer. Raises NotAPlainFile, FileTooLarge, FileTrouble."""
        return read_file(self._path(_ANSWER, digest))

    def reason(self, digest: bytes) -> str:
        """Read in one line why a request was refused. Raises NotAPlainFile, FileTooLarge, FileTrouble."""
        text = read_file(self._path(_REASON, digest), _MOST_REASON_BYTES).decode("utf-8", "replace")
        return printable(text.strip())[:_MOST_REASON]

    def last(self, station: bytes) -> tuple[bytes, str] | None:
        """Read which request of a station was answered last, and the signer's checkpoint then; None where nothing is.

        Raises:
            NotAPlainFile, FileTooLarge, FileTrouble: as `read_file`. BadCheckpoint: if it says something else.
        """
        path = self.folder / f"{station.hex()}.last"
        if not os.path.lexists(path):
            return None
        digest, _, checkpoint = read_file(path, _MOST_REASON_BYTES).decode("utf-8", "replace").partition("\n")
        if not re.fullmatch("[0-9a-f]{64}", digest, re.ASCII):
            raise BadCheckpoint("what was answered last can not be read")
        return bytes.fromhex(digest), checkpoint

    def forget(self, digest: bytes) -> None:
        """Take away what came back for a request, once it can do nothing more. Raises FileTrouble."""
        with _translated(self.folder):
            for form in (_ANSWER, _REFUSED, _REASON):
                self._path(form, digest).unlink(missing_ok=True)

    def _named(self, form: str) -> list[bytes]:
        folder, _, pattern = form.partition("/")
        name = re.compile(pattern.replace(".", r"\.").format("([0-9a-f]{64})"), re.ASCII)
        with _translated(self.folder / folder):
            found = (name.fullmatch(one) for one in sorted(os.listdir(self.folder / folder)))
            return [bytes.fromhex(one[1]) for one in found if one]

    def _path(self, form: str, digest: bytes) -> Path:
        return self.folder / form.format(digest.hex())


@contextmanager
def _translated(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise FileTrouble(f"{place}: {error.strerror or error}") from None
