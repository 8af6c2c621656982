"""Runs `lockgate-signer` as its people do: as a process of its own, with a line of input for each question."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from shared.lockbox import LIGHT
from shared.person_key import lock_key
from tests.house import ROOT
from tests.signing_world import PASSPHRASE, World, make_world

SECRET = "a person's passphrase"

PROGRAM = ("-m", "offline_signer")
Done = subprocess.CompletedProcess[str]

_ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
ENVIRONMENT = {**_ENVIRONMENT, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "PYTHONWARNINGS": "error"}


@dataclass
class Desk:
    """A signer's folder, a stick beside it, and everything that was printed."""

    folder: Path
    home: Path
    before: Sequence[str] = ()
    heard: list[str] = field(default_factory=list)

    def run(self, *arguments: object, lines: Sequence[str] = (), program: Sequence[str] = PROGRAM) -> Done:
        """Run a command; a killed one ends with a negative code."""
        command = [*self.before, sys.executable, *program, "--home", str(self.home), *map(str, arguments)]
        done = subprocess.run(command, input="".join(f"{line}\n" for line in lines), capture_output=True, text=True,
                              cwd=self.folder, env=ENVIRONMENT, timeout=60, check=False)
        self.heard.append(done.stdout + done.stderr)
        return done

    def ok(self, *arguments: object, lines: Sequence[str] = ()) -> str:
        """Run a command that must go well; give what it printed."""
        done = self.run(*arguments, lines=lines)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def refused(self, *arguments: object, lines: Sequence[str] = ()) -> str:
        """Run a command that must be refused with one line of error and one of hint; give the code."""
        done = self.run(*arguments, lines=lines)
        assert done.returncode == 1, (done.returncode, done.stdout, done.stderr)
        errors = re.findall(r"^error: \S.* \[([a-z0-9-]+)\]$", done.stderr, re.MULTILINE)
        assert len(errors) == 1, done.stderr
        assert len(re.findall(r"^hint: \S.*$", done.stderr, re.MULTILINE)) == 1, done.stderr
        assert "Traceback" not in done.stderr
        return str(errors[0])

    def person(self, world: World, name: str) -> Path:
        """Write the key file of one of a world's people."""
        path = self.folder / f"{name}.key"
        if not path.exists():
            seed = bytes(world.people[name].key)
            path.write_bytes(lock_key(name, seed, SECRET, "test", random=os.urandom, kdf=LIGHT))
        return path

    def put(self, name: str, sealed: bytes) -> Path:
        """Write a file onto the stick."""
        path = self.folder / name
        path.write_bytes(sealed)
        return path


def make_desk(folder: Path, limits: dict[str, object] | None = None) -> tuple[Desk, World]:
    """Set up a signer whose journal begins now, since the command's clock is the system's."""
    world = make_world(folder / "signer", limits=limits, now=int(time.time()))
    stick = folder / "stick"
    stick.mkdir()
    return Desk(stick, world.folder), world


__all__ = ["PASSPHRASE", "SECRET", "Desk", "Done", "make_desk"]
