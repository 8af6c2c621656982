"""A hot wallet's spool: requests come in as whole files, answers go out, and what is refused lies beside its reason.

Nobody sits here, so nothing here approves: a request takes the ceremony's one path without any approval, and whatever
needs a person is refused by the ceremony itself. What the sealed policy forbids is declined in a signed answer, as a
person would, so that it stops nothing else. A file counts once it was renamed into place under the digest of its
request; every other name is left alone. The answer is on the disk before the request is removed, and before it which
request of its coordinator was answered last: one that was restored from a backup sees there what it forgot.
"""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import Final

from offline_signer import ceremony
from offline_signer.box import Box
from offline_signer.ceremony import Examination
from offline_signer.history import DAY_SECONDS
from shared.envelope import Declined, open_request
from shared.errors import (
    BadField,
    BadPen,
    DiskFull,
    FileTrouble,
    JournalDamaged,
    NotAHotSigner,
    NotAPlainFile,
    Refusal,
    SpoolUnfit,
    StrangeOwner,
)
from shared.review import fingerprint, printable
from shared.transport.media import read_file, write_file
from shared.transport.pack import unpack

IN: Final = "in"
OUT: Final = "out"
REFUSED: Final = "refused"

MOST_REASON: Final = 600
MOST_DECLINED_A_DAY: Final = 100
"""So many requests are answered with something declined; then people look. Whoever stole the station's key could fill
the journal with such requests at no cost."""

_MOST_AT_ONCE: Final = 256
_LATER_MS: Final = 5_000
_REQUEST: Final = re.compile(r"([0-9a-f]{64})\.request", re.ASCII)
_FATAL: Final = (BadPen, JournalDamaged)
"""After these nothing is signed any more: the process ends, and people look."""

Say = Callable[[str], None]
"""Tells whoever reads the log one line."""

Wait = Callable[[int], bool]
"""Waits for so many milliseconds, and says whether the work shall end."""


@dataclass(slots=True)
class Spool:
    """The folder with `in`, `out` and `refused`, and whose requests are read from it (numbers of users)."""

    folder: Path
    owners: frozenset[int]
    _later: dict[str, int] = field(default_factory=dict)
    _strangers: int = 0

    def require_fit(self) -> None:
        """Demand that nobody but this user and those of the folders' groups can change anything here.

        Raises:
            SpoolUnfit: for a folder that is missing, a link, somebody else's, or open to everybody.
        """
        for folder in (self.folder, *(self.folder / name for name in (IN, OUT, REFUSED))):
            try:
                found = folder.lstat()
            except OSError as error:
                raise SpoolUnfit(f"{folder}: {error.strerror}") from None
            if not stat.S_ISDIR(found.st_mode):
                raise SpoolUnfit(f"{folder} is no folder")
            if found.st_uid not in (os.geteuid(), 0):
                raise SpoolUnfit(f"{folder} belongs to the user {found.st_uid}")
            if found.st_mode & stat.S_IWOTH:
                raise SpoolUnfit(f"{folder} can be changed by everybody")
        if self.folder.lstat().st_mode & stat.S_IWGRP:
            raise SpoolUnfit(f"{self.folder} can be changed by its group: only the folders in it are for that")

    def waiting(self, say: Say) -> list[str]:
        """Give the names of the requests whose turn it is, some at most.

        Raises:
            SpoolUnfit: if the folder can not be read any more.
        """
        now = _now_ms()
        try:
            found = [name for name in os.listdir(self.folder / IN) if not name.startswith(".")]
        except OSError as error:
            raise SpoolUnfit(f"{self.folder / IN}: {error.strerror}") from None
        names = [name for name in found if _REQUEST.fullmatch(name)]
        strangers = len(found) - len(names)
        if strangers > self._strangers:
            say(f"{strangers} files in {self.folder / IN} are not named for a request's digest and stay there")
        self._strangers = strangers
        self._later = {name: due for name, due in self._later.items() if due > now}
        return sorted(name for name in names if name not in self._later)[:_MOST_AT_ONCE]

    def read(self, name: str) -> bytes:
        """Read a request's file, once and whole.

        Raises:
            NotAPlainFile, FileTooLarge, FileTrouble: as `read_file`, and for a file with a second name.
            StrangeOwner: if it belongs to somebody whose requests are not read.
        """
        path = self.folder / IN / name
        found = path.lstat()
        if stat.S_ISREG(found.st_mode):  # whatever else it is, `read_file` says
            if found.st_uid not in self.owners:
                raise StrangeOwner(f"the file belongs to the user {found.st_uid}")
            if found.st_nlink != 1:
                raise NotAPlainFile("the file has a second name")
        return read_file(path)

    def answer(self, name: str, sealed: bytes) -> None:
        """Put an answer into its place, and only then take its request away."""
        write_file(self.folder / OUT / f"{_stem(name)}.answer", sealed, overwrite=True, mode=0o640)
        (self.folder / IN / name).unlink(missing_ok=True)

    def tell_last(self, station: bytes, request: bytes, checkpoint: str) -> None:
        """Say which request of a coordinator was answered last, and where the journal stood then."""
        told = f"{request.hex()}\n{checkpoint}".encode()
        write_file(self.folder / f"{station.hex()}.last", told, overwrite=True, mode=0o644)

    def refuse(self, name: str, refusal: Refusal) -> None:
        """Put a request aside with one line that says why; the reason is there before the request is."""
        line = printable(f"{refusal.code}: {refusal} - {refusal.hint}")[:MOST_REASON]
        reason = self.folder / REFUSED / f"{_stem(name)}.reason"
        write_file(reason, f"{line}\n".encode(), overwrite=True, mode=0o640)
        os.rename(self.folder / IN / name, self.folder / REFUSED / name)

    def later(self, name: str) -> None:
        """Leave a request where it is for a while."""
        self._later[name] = _now_ms() + _LATER_MS


def require_hot(box: Box) -> None:
    """Demand that everything this vault could sign for is a hot wallet's, by its cards and by the policy.

    Raises:
        NotAHotSigner: if another wallet was issued here: what works by itself holds no key of a cold one.
    """
    own = {address for wallet in box.history.wallets.values() for address in wallet.addresses}
    tiers = [(name, wallet.card.tier) for name, wallet in box.history.wallets.items()]
    tiers += [(one.name, one.tier) for one in box.policy().wallets if any(at.address in own for at in one.places)]
    for name, tier in tiers:
        if tier != "hot":
            raise NotAHotSigner(f"this vault has the keys of {name}, a {tier} wallet")


def serve(box: Box, spool: Spool, wait: Wait, say: Say, interval_ms: int) -> None:
    """Answer what comes until `wait` says that the work shall end, always between two requests.

    Raises:
        BadPen, JournalDamaged: if this machine can not go on safely.
    """
    _tell_last(box, spool)
    while True:
        names = spool.waiting(say)
        for name in names:
            _take(box, spool, name, say)
            if wait(0):
                return
        if not names and wait(interval_ms):
            return


def _take(box: Box, spool: Spool, name: str, say: Say) -> None:
    """Answer or refuse one request; what the disk does not let through stays, and its turn comes again."""
    shown = fingerprint(bytes.fromhex(_stem(name)))
    try:
        say(f"request {shown}: {_settle(box, spool, name)}")
    except FileNotFoundError:
        return  # whoever laid it here took it away again
    except _FATAL:
        raise
    except (Refusal, OSError) as trouble:
        code = trouble.code if isinstance(trouble, Refusal) else "file-trouble"
        say(f"request {shown} stays for now: {trouble} [{code}]")
        spool.later(name)


def _settle(box: Box, spool: Spool, name: str) -> str:
    """Answer or refuse one request, and say which."""
    try:
        sealed = spool.read(name)
        answer, declined = _answered(box, name, sealed)
    except _FATAL:
        raise
    except Refusal as refusal:
        spool.refuse(name, refusal)
        return f"refused: {refusal} [{refusal.code}]"
    spool.tell_last(open_request(sealed)[0].station, bytes.fromhex(_stem(name)), box.checkpoint())
    spool.answer(name, answer)
    told = ", ".join(f"#{one.position + 1} declined ({printable(one.reason)})" for one in declined)
    return f"answered{', ' if told else ''}{told}; the journal has {box.history.size} entries"


def _answered(box: Box, name: str, sealed: bytes) -> tuple[bytes, tuple[Declined, ...]]:
    """Take a request through the ceremony with nobody's approval, declining what the policy forbids.

    Give the answer, and what it declines.

    Raises:
        Refusal: as the ceremony says. JournalDamaged: if a failed disk left a piece of an entry in the journal.
    """
    if open_request(sealed)[1].digest.hex() != _stem(name):
        raise BadField("the file is not named for the digest of its request")
    size = _size(box)
    try:
        examination = _examined(box, sealed, ())
        unwanted = ceremony.unwanted(examination, box.history, box.policy(), box.now())
        if unwanted and _declined_lately(box) < MOST_DECLINED_A_DAY:
            examination = _examined(box, sealed, unwanted)
        return ceremony.sign(box, examination, ()), examination.declined
    except (DiskFull, FileTrouble):
        if _size(box) != size:  # another entry after half a one could not be read any more; a restart drops the half
            raise JournalDamaged("the disk failed and left a piece of an entry; start again once it is sound") from None
        raise


def _examined(box: Box, sealed: bytes, declined: tuple[Declined, ...]) -> Examination:
    return ceremony.examine(sealed, box.history, box.policy(), box.vault.station, box.now(), declined)


def _declined_lately(box: Box) -> int:
    """Count the requests of the last day of which something was declined."""
    since = box.now() - DAY_SECONDS
    lately = takewhile(lambda entry: entry.time > since, reversed(box.journal.entries))
    return sum(entry.kind == "sign" and bool(entry.body["declined"]) for entry in lately)


def _tell_last(box: Box, spool: Spool) -> None:
    """Say at the start what the journal knows of each coordinator's last request, wherever the spool was lost."""
    left = {person.key for person in box.policy().stations}
    for entry in reversed(box.journal.entries):
        packed = entry.body.get("sealed") if left and entry.kind == "sign" else None
        if not isinstance(packed, bytes):
            continue
        request, document = open_request(unpack(packed))
        if request.station in left:
            spool.tell_last(request.station, document.digest, box.checkpoint())
            left.remove(request.station)


def _size(box: Box) -> int:
    return box.journal.path.stat().st_size


def _now_ms() -> int:
    """Give a time that only ever runs on, for pauses alone."""
    return time.monotonic_ns() // 1_000_000


def _stem(name: str) -> str:
    return name.partition(".")[0]
