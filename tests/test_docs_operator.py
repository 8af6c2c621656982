"""Every command of docs/operator.md, run in its order on two machines' worth of folders and a devnet.

The page's own text is the script: a line with a prompt of `signer$` or `coordinator$` is a command, the lines of dots
below it are what a person types, `error: … [code]` is a refusal that must come. Public lines and addresses are filled
in as a person would, from what the screens showed before. Only the port and the cost of passphrases are changed.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from online.devnet.server import Closer, serve
from online.devnet.xrpl import XrplWorld
from tests.cli_house import lockgate

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "operator.md").read_text("utf-8")
BLOCK = re.compile(r"^```(console|toml)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PASSPHRASE = "a rehearsal's passphrase"


@dataclass(slots=True)
class Command:
    """One command of the page: its words, how many passphrases are typed, and the code of the refusal it shows."""

    line: str
    passphrases: int = 0
    code: str | None = None


@dataclass(slots=True)
class Machines:
    """The folder both machines' commands run in, and what their screens have shown so far."""

    folder: Path
    url: str
    shown: dict[str, str] = field(default_factory=dict)

    def run(self, command: Command) -> None:
        words = shlex.split(self.filled(command.line))
        if words[1:2] == ["init"] or words[1:3] == ["person", "new"]:
            words += ["--kdf", "light"]
        code, output = run(words, command.passphrases, self.folder)
        self.learn(output)
        expected = 0 if command.code is None else 1
        assert code == expected, f"{command.line}: {output}"
        assert command.code is None or f"[{command.code}]" in output

    def filled(self, text: str) -> str:
        text = text.replace("http://127.0.0.1:5005", self.url)
        if text.startswith("lockgate devnet fund"):
            text += f" --url {self.url}"
        return re.sub(r"\b(\w+ ed25519:|rCOLD|rHOT)…", lambda found: self.shown[found[1]], text)

    def learn(self, output: str) -> None:
        for name, key in re.findall(r"\b([a-z]+) (ed25519:[0-9a-f]{64})", output):
            self.shown[f"{name} ed25519:"] = f"{name} {key}"
        for wallet, address in re.findall(r"^(cold|hot) 0: (r\w+)$", output, re.MULTILINE):
            self.shown[f"r{wallet.upper()}"] = address


def run(words: list[str], passphrases: int, folder: Path) -> tuple[int, str]:
    """Run one command: the coordinator's in this process, the signer's in one of its own."""
    if words[0] == "lockgate-signer":
        return converse(words, passphrases, folder)
    done = lockgate(*words[1:], lines=[PASSPHRASE] * passphrases)
    return done.code, done.out + done.err


def converse(words: list[str], passphrases: int, folder: Path) -> tuple[int, str]:
    """Run one command and type what it asks for; words of the set-up are read off its screen and typed back."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
    command = [sys.executable, "-m", "offline_signer", *words[1:]]
    with subprocess.Popen(
        command, cwd=folder, env=environment, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{PASSPHRASE}\n" * passphrases)
        process.stdin.flush()
        seed: dict[str, str] = {}
        lines = []
        for line in process.stdout:
            lines.append(line)
            if asked := re.match(r"word (\d+): ", line):
                process.stdin.write(seed[asked[1]] + "\n")
                process.stdin.flush()
            elif re.match(r" ?\d+ [a-z]+ ", line):
                seed.update(re.findall(r"(\d+) ([a-z]+)", line))
        process.stdin.close()
    return process.returncode, "".join(lines)


def steps() -> Iterator[tuple[str, Command | str]]:
    """Give what the page does, in its order: files to write and commands to run."""
    for kind, name, text in BLOCK.findall(PAGE):
        if kind == "toml":
            yield name, text
            continue
        for command in commands(text):
            yield "", command


def commands(block: str) -> list[Command]:
    found: list[Command] = []
    for line in block.splitlines():
        if start := re.match(r"(?:signer|coordinator)\$ (.*)", line):
            found.append(Command(start[1]))
        elif "passphrase" in line:
            found[-1].passphrases += 1
        elif refusal := re.fullmatch(r"error: .*\[([a-z-]+)\]", line):
            found[-1].code = refusal[1]
        else:
            assert line.startswith("word "), f"a line that means nothing here: {line}"
    return found


@pytest.fixture
def machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machines]:
    monkeypatch.chdir(tmp_path)
    for name in ("LOCKGATE_HOME", "LOCKGATE_SIGNER_HOME"):
        monkeypatch.delenv(name, raising=False)
    world = XrplWorld()
    (tmp_path / "stick").mkdir()
    with serve(world) as server, Closer(world, 0.3):
        yield Machines(tmp_path, server.url)


def test_every_command_of_the_operators_page_does_what_the_page_says(machines: Machines) -> None:
    ran = 0
    for name, step in steps():
        if isinstance(step, str):
            (machines.folder / name).write_text(machines.filled(step), "utf-8")
        elif not step.line.startswith("lockgate devnet --port"):
            machines.run(step)
            ran += 1
    assert ran > 45


def test_the_page_names_the_devnet_as_it_is_started() -> None:
    started = [step.line for _, step in steps() if isinstance(step, Command) and "devnet --port" in step.line]
    assert started == ["lockgate devnet --port 5005 --interval 1"]
