"""A signer as the demonstration has it: each command a process of its own, without a network where that can be had.

Between it and the coordinator pass only files and pictures. No process outlives its command.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from shared.errors import DemoFailed

_PATIENCE_SECONDS: Final = 60
_WORD = re.compile(r"(\d+) ([a-z]+)", re.ASCII)
_ASKED = re.compile(r"word (\d+): ", re.ASCII)


@cache
def solitude() -> tuple[str, ...]:
    """Give the command that starts another without any network, or nothing where the system does not let us."""
    for command in (("unshare", "-n"), ("unshare", "-rn")):
        if shutil.which("unshare") and _ends_well(*command, "true"):
            return command
    return ()


def _ends_well(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0  # noqa: S603 - see below


@dataclass(frozen=True, slots=True)
class SignerProcess:
    """One signer's folder, and how its commands are run."""

    folder: Path

    def run(self, *arguments: str | Path, lines: Sequence[str] = ()) -> str:
        """Run one command, answering its prompts; give what it printed.

        Raises:
            DemoFailed: if it ends with anything but 0, or does not end.
        """
        try:
            done = subprocess.run(  # noqa: S603 - our own program, by a list of words and never by a shell
                self._command(arguments),
                input="".join(f"{line}\n" for line in lines),
                capture_output=True,
                text=True,
                timeout=_PATIENCE_SECONDS,
                env=_environment(),
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise DemoFailed(f"lockgate-signer {arguments[0]} did not end") from None
        if done.returncode:
            raise DemoFailed(f"lockgate-signer {arguments[0]}: {_error(done.stderr)}")
        return done.stdout

    def ask(self, *arguments: str | Path) -> dict[str, Any]:
        """Run a command that prints one object."""
        found: dict[str, Any] = json.loads(self.run(*arguments, "--json"))
        return found

    def make(self, administrators: Sequence[str], quorum: int, passphrase: str) -> str:
        """Make the vault: read its words off its screen and type back those that it asks for. Give its public line."""
        admins = [part for line in administrators for part in ("--admin", line)]
        arguments = ["init", "--network-class", "test", *admins, "--quorum", str(quorum), "--kdf", "light"]
        with subprocess.Popen(  # noqa: S603 - likewise
            self._command(arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=_environment(),
        ) as process:
            printed = _converse(process, passphrase)
        if process.returncode:
            raise DemoFailed(f"lockgate-signer init: {_error(''.join(printed))}")
        return printed[-1].strip()

    def _command(self, arguments: Sequence[str | Path]) -> list[str]:
        home = ["--home", str(self.folder)]
        return [*solitude(), sys.executable, "-m", "offline_signer", *home, *map(str, arguments)]


def _converse(process: subprocess.Popen[str], passphrase: str) -> list[str]:
    assert process.stdin is not None
    assert process.stdout is not None
    _type(process, passphrase, passphrase)
    words: dict[str, str] = {}
    printed = []
    for line in process.stdout:
        printed.append(line)
        asked = _ASKED.search(line)
        if asked is not None:
            _type(process, words.get(asked[1], ""))
        elif line[:2].strip().isdigit():
            words.update(_WORD.findall(line))
    return printed


def _type(process: subprocess.Popen[str], *lines: str) -> None:
    assert process.stdin is not None
    try:
        process.stdin.write("".join(f"{line}\n" for line in lines))
        process.stdin.flush()
    except BrokenPipeError:
        return  # it ended early, and what it printed says why


def _error(text: str) -> str:
    lines = [line for line in text.splitlines() if line.startswith("error: ")] or text.splitlines()[-1:]
    return lines[0].removeprefix("error: ") if lines else "it said nothing"


def _environment() -> dict[str, str]:
    here = str(Path(__file__).resolve().parents[2])
    paths = [here, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONUTF8": "1"}
