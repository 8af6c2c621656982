"""The symbols of other wallets, collected until one PSBT or transaction is whole.

`message.Viewer` asks `recognise` about every text, and gives those of other wallets to this collector. What is
unreadable, unwanted or of another message is counted and ignored, never fatal; memory and time are bounded.
None of these formats authenticates anything, and only UR finds damage: what comes whole is read and judged by others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol, TypeVar

from shared.errors import (
    ForeignContents,
    ForeignLimits,
    ForeignMixed,
    ForeignRefusal,
    ForeignUnknown,
    ForeignUnwanted,
)
from shared.transport import base45, bbqr, numbered, ur
from shared.transport.collector import MOST_TRANSFERS, Progress
from shared.transport.ur_fountain import Equations

MOST_LETTERS: Final = 4296
"""What the largest QR symbol holds in alphanumeric text."""

PSBT_MAGIC: Final = b"psbt\xff"
PSBT, TRANSACTION, BYTES = "psbt", "transaction", "bytes"
"""The kinds of messages. Bytes are what UR's type of that name holds: whatever it is."""

_UR_KINDS: Final = {"crypto-psbt": PSBT, "psbt": PSBT, "bytes": BYTES}
_NUMBERED: Final = re.compile("p[0-9]{1,4}of[0-9]{1,4} ")
_BBQR_KINDS: Final = {"P": PSBT, "T": TRANSACTION}


class Format(StrEnum):
    """Whose symbol a text is, by how it begins."""

    OURS = "lockgate"
    UR = "ur"
    BBQR = "bbqr"
    NUMBERED = "pmofn"
    UNKNOWN = "unknown"


def recognise(text: str) -> Format:
    """Say whose symbol a text is, without a promise that it can be read."""
    if text.startswith(base45.PREFIX):
        return Format.OURS
    if text[:3].lower() == "ur:":
        return Format.UR
    if text.startswith("B$"):
        return Format.BBQR
    if _NUMBERED.match(text):
        return Format.NUMBERED
    return Format.UNKNOWN


Whole = tuple[str, bytes]


class _Transfer(Protocol):
    """The frames of one message, as far as they are there."""

    name: str
    offered: int
    condemned: ForeignRefusal | None

    @property
    def count(self) -> int: ...

    @property
    def had(self) -> int: ...

    def whole(self) -> Whole | None: ...

    def spoil(self, refusal: ForeignRefusal) -> None: ...


T = TypeVar("T", bound=_Transfer)


@dataclass(slots=True)
class _Fountain:
    """The frames of a multi-part UR. A forged one spoils one attempt only."""

    name: str
    kind: str
    equations: Equations
    offered: int = 0
    condemned: ForeignRefusal | None = None

    @property
    def count(self) -> int:
        return self.equations.message.count

    @property
    def had(self) -> int:
        return self.equations.rank

    def whole(self) -> Whole | None:
        if self.had < self.count:
            return None
        cbor = self.equations.solved()
        if cbor is None:
            raise ForeignContents("the UR's frames came whole, and its checksum is wrong")
        return self.kind, ur.unwrap(cbor)

    def spoil(self, refusal: ForeignRefusal) -> None:
        """Start again: one of the frames was forged, and nobody can say which."""
        self.equations = Equations(self.equations.message)


@dataclass(slots=True)
class _Loop:
    """Parts without a checksum, all of which are needed. A contradiction condemns them for good.

    Nobody can say whose the others are, and what is collected anew may be mixed anew.
    """

    name: str
    count: int
    joined: Callable[[dict[int, bytes]], Whole]
    offered: int = 0
    condemned: ForeignRefusal | None = None
    parts: dict[int, bytes] = field(default_factory=dict)

    @property
    def had(self) -> int:
        return len(self.parts)

    def add(self, index: int, contents: bytes) -> None:
        if self.parts.setdefault(index, contents) != contents:
            raise ForeignMixed(f"the parts of {self.name} are of two messages")

    def whole(self) -> Whole | None:
        return self.joined(self.parts) if self.had == self.count else None

    def spoil(self, refusal: ForeignRefusal) -> None:
        self.condemned = refusal
        self.parts.clear()


class ForeignCollector:
    """Takes the texts of symbols in any order until one message is whole."""

    def __init__(self) -> None:
        self.message: Whole | None = None
        self.refusal: ForeignRefusal | None = None
        """Why the last text that was ignored was."""
        self._open: dict[Hashable, _Transfer] = {}  # oldest first
        self._offered = 0
        self._spoiled = 0

    def add(self, text: str) -> Progress:
        """Take the text of one symbol and say how far things are."""
        self._offered += 1
        try:
            self._take(text)
        except ForeignRefusal as refusal:
            self.refusal = refusal
        return self.progress()

    def progress(self) -> Progress:
        """Describe the most advanced message."""
        code = self.refusal.code if self.refusal else None
        if not self._open:
            return Progress(foreign=self._offered, spoiled=self._spoiled, last_refusal=code)
        leader = max(self._open.values(), key=lambda each: each.had)
        return Progress(
            transfer=leader.name,
            had=leader.had,
            count=leader.count,
            foreign=self._offered - leader.offered,
            spoiled=self._spoiled,
            done=self.message is not None,
            last_refusal=code,
        )

    def _take(self, text: str) -> None:
        if len(text) > MOST_LETTERS:
            raise ForeignLimits(f"a symbol of {len(text)} letters")
        match recognise(text):
            case Format.UR:
                self._take_ur(ur.parse(text))
            case Format.BBQR:
                self._take_bbqr(bbqr.parse(text))
            case Format.NUMBERED:
                self._take_numbered(numbered.parse(text))
            case _:
                raise ForeignUnknown("a symbol in no known format of other wallets")

    def _take_ur(self, taken: ur.Ur | ur.UrPart) -> None:
        kind = _wanted(_UR_KINDS, taken.type, f"UR of type {taken.type}")
        if isinstance(taken, ur.Ur):
            # A text that is a whole message has a transfer of one part.
            single = _Loop(f"ur:{taken.type}", 1, lambda parts: (kind, ur.unwrap(parts[0])))
            self._collect(taken, single, lambda loop: loop.add(0, taken.cbor))
            return
        of = taken.part.message
        fountain = _Fountain(f"{of.crc:08x}", kind, Equations(of))
        self._collect((taken.type, of), fountain, lambda known: known.equations.add(taken.part))

    def _take_bbqr(self, part: bbqr.BbqrPart) -> None:
        header = part.header
        kind = _wanted(_BBQR_KINDS, header.file_type, f"BBQr of {header.kind}")
        loop = _Loop(str(header), header.count, lambda parts: (kind, bbqr.join(header, parts)))
        self._collect(header, loop, lambda known: known.add(part.index, part.contents))

    def _take_numbered(self, part: numbered.NumberedPart) -> None:
        loop = _Loop(f"p1of{part.count}", part.count, _numbered)
        self._collect(loop.name, loop, lambda known: known.add(part.index, part.letters.encode("ascii")))

    def _collect(self, key: Hashable, new: T, add: Callable[[T], None]) -> None:
        """Put a frame to those of its message; `new` is the message as long as nothing of it is there."""
        if self.message is not None:
            if key in self._open:
                self._open[key].offered += 1
            return
        known = self._opened(key, new)
        known.offered += 1
        if known.condemned is not None:
            self.refusal = known.condemned
            return
        try:
            add(known)
            self._finish(key, known)
        except ForeignRefusal as refusal:
            known.spoil(refusal)
            self._spoiled += 1
            raise

    def _opened(self, key: Hashable, new: T) -> T:
        if key not in self._open and len(self._open) == MOST_TRANSFERS:
            # The least advanced goes, the oldest of equals, so that strangers cannot push out a nearly whole message.
            del self._open[min(self._open, key=lambda each: self._open[each].had)]
        known = self._open.setdefault(key, new)
        assert isinstance(known, type(new))
        return known

    def _finish(self, key: Hashable, known: _Transfer) -> None:
        whole = known.whole()
        if whole is not None:
            self.message = _checked(whole)
            self._open = {key: known}


def _wanted(kinds: dict[str, str], name: str, words: str) -> str:
    if name not in kinds:
        raise ForeignUnwanted(f"a {words} is not taken, only a PSBT or a transaction")
    return kinds[name]


def _numbered(parts: dict[int, bytes]) -> Whole:
    letters = {index: part.decode("ascii") for index, part in parts.items()}
    return PSBT, numbered.from_base64(numbered.join(len(parts), letters))


def _checked(whole: Whole) -> Whole:
    kind, contents = whole
    if not contents or (kind == PSBT and not contents.startswith(PSBT_MAGIC)):
        raise ForeignContents(f"what came whole is no {kind}")
    return whole
