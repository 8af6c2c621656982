"""A signer that is killed at one point: `python signer_killed.py POINT COMMAND...`. Product code has no hook for it.

The system's calls are wrapped before the command runs; at the chosen one the process kills itself with SIGKILL, as a
power cut would: nothing is flushed, no `finally` runs.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

from offline_signer import pen
from offline_signer.cli import main
from shared.courier import outward
from shared.transport.media import write_file

POINTS = (
    "before the entry", "in the entry", "before fsync", "after fsync", "before the first signature",
    "between signatures", "before the answer", "in the answer", "before the answer has its name", "after the answer",
)


def die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("nobody survives this")


def arm(point: str) -> None:
    """Wrap the call that stands for a point."""
    write, fsync, sign, link = os.write, os.fsync, pen.sign, os.link
    signatures = 0

    def is_journal(descriptor: int) -> bool:
        return os.readlink(f"/proc/self/fd/{descriptor}").endswith("journal.log")

    def is_answer(descriptor: int) -> bool:
        path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        return path.suffix == ".part" and path.parent.name != "spool"  # where it says what was answered last

    def writing(descriptor: int, line: Any) -> int:
        if is_journal(descriptor) and point == "before the entry":
            die()
        if is_journal(descriptor) and point == "in the entry":
            write(descriptor, line[: len(line) // 2])
            die()
        return write(descriptor, line)

    def syncing(descriptor: int) -> None:
        if (is_journal(descriptor) and point == "before fsync") or (is_answer(descriptor) and point == "in the answer"):
            die()
        fsync(descriptor)
        if is_journal(descriptor) and point == "after fsync":
            die()

    def signing(*arguments: Any) -> bytes:
        nonlocal signatures
        if point == ("between signatures" if signatures else "before the first signature"):
            die()
        signatures += 1
        return sign(*arguments)

    def answering(path: Path, contents: bytes) -> None:
        if point == "before the answer":
            die()
        write_file(path, contents)
        if point == "after the answer":
            die()

    def linking(*arguments: Any) -> None:
        if point == "before the answer has its name":
            die()
        link(*arguments)

    replaced: Any = ((os, "write", writing), (os, "fsync", syncing), (pen, "sign", signing), (os, "link", linking),
                     (outward, "write_file", answering))
    for module, name, function in replaced:
        setattr(module, name, function)


if __name__ == "__main__":
    arm(sys.argv.pop(1))
    main()
