"""Every command of docs/operator.md, run in its order on two machines' worth of folders and devnets of both ledgers.

The page's own text is the script: a line with a prompt of `signer$` or `coordinator$` is a command, the lines of dots
below it are what a person types, `error: … [code]` is a refusal that must come. A block that names a file is written
there, or appended with a +. Public lines, addresses and numbers of jobs are filled in as a person would, from what the
screens showed before. Only ports and the cost of passphrases are changed.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from online.devnet.bitcoin import BitcoinWorld, Miner, serve_bitcoin
from online.devnet.counterparty import CounterpartyWorld, serve_counterparty
from online.devnet.server import Closer, serve
from online.devnet.xrpl import XrplWorld
from tests.btc_gateway_bench import login
from tests.cli_house import lockgate

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "operator.md").read_text("utf-8")
BLOCK = re.compile(r"^```(console|toml|csv)(?: ([^\n]+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
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
    urls: Mapping[str, str]
    bitcoin: BitcoinWorld
    shown: dict[str, str] = field(default_factory=dict)

    def play(self, until: str = "") -> int:
        """Do what the page says, up to a heading, and give how many commands there were; devnets are there already."""
        ran = 0
        for name, step in steps(until):
            if isinstance(step, str):
                self.write(name, step)
            elif not re.match(r"lockgate devnet (?!fund)", step.line):
                self.run(step)
                ran += 1
        return ran

    def write(self, name: str, text: str) -> None:
        place, _, more = name.partition(" ")
        file = self.folder / place
        kept = file.read_text("utf-8") if more == "+" else ""
        file.write_text(kept + self.filled(text), "utf-8")

    def run(self, command: Command) -> None:
        if command.line.startswith("sed "):
            subprocess.run(self.filled(command.line), shell=True, cwd=self.folder, check=True)
            return
        words = shlex.split(self.filled(command.line))
        if words[1:2] == ["init"] or words[1:3] == ["person", "new"]:
            words += ["--kdf", "light"]
        code, output = run(words, command.passphrases, self.folder)
        self.learn(output)
        expected = 0 if command.code is None else 1
        assert code == expected, f"{command.line}: {output}"
        assert command.code is None or f"[{command.code}]" in output

    def filled(self, text: str) -> str:
        for usual, url in self.urls.items():
            text = text.replace(usual, url)
        if text.startswith("lockgate devnet fund"):
            text += f" --url {self._giver(text)}"
        return re.sub(r"\b(\w+ ed25519:|rCOLD|rHOT|bcrt1[A-Z]+[0-9]?|JOB)…", lambda found: self.shown[found[1]], text)

    def _giver(self, line: str) -> str:
        xrpl, node, api = self.urls.values()
        return xrpl if "--ledger" not in line else api if "--asset" in line else node

    def learn(self, output: str) -> None:
        for name, key in re.findall(r"\b([a-z]+) (ed25519:[0-9a-f]{64})", output):
            self.shown[f"{name} ed25519:"] = f"{name} {key}"
        for wallet, number, address in re.findall(r"^(\w+) (\d+): (r\w+|bcrt1\w+)$", output, re.MULTILINE):
            start = "r" if address.startswith("r") else "bcrt1"
            self.shown[f"{start}{wallet.upper()}{number}"] = address
            if number == "0":
                self.shown[f"{start}{wallet.upper()}"] = address
        for job in re.findall(r"^(\d+)  +[a-z]+  +[a-z-]+  ", output, re.MULTILINE):
            self.shown["JOB"] = job


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


def steps(until: str = "") -> Iterator[tuple[str, Command | str]]:
    """Give what the page does, in its order: files to write and commands to run."""
    for kind, name, text in BLOCK.findall(PAGE.partition(f"\n## {until}\n")[0] if until else PAGE):
        if kind != "console":
            yield name, text
            continue
        for command in commands(text):
            yield "", command


def commands(block: str) -> list[Command]:
    found: list[Command] = []
    for line in block.splitlines():
        if start := re.fullmatch(r"(?:signer|coordinator)\$ (.*)", line):
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
    xrpl, bitcoin = XrplWorld(), BitcoinWorld()
    (tmp_path / "stick").mkdir()
    with ExitStack() as stack:
        server = stack.enter_context(serve(xrpl))
        node = stack.enter_context(serve_bitcoin(bitcoin))
        api = stack.enter_context(serve_counterparty(CounterpartyWorld(bitcoin)))
        stack.enter_context(Closer(xrpl, 0.3))
        stack.enter_context(Miner(bitcoin, 0.3, rest=10))
        urls = {
            "http://127.0.0.1:5005": server.url,
            "http://lockgate:regtest-only@127.0.0.1:18443": login(node),
            "http://127.0.0.1:4000": api.url,
        }
        yield Machines(tmp_path, urls, bitcoin)


def test_every_command_of_the_operators_page_does_what_the_page_says(machines: Machines) -> None:
    assert machines.play() > 100
    orders = lockgate("order", "list", "--json").json
    ends = {row["key"]: sorted(row["states"]) for row in orders}
    slow = ends.pop("slow-1")
    assert slow == ["dead", "final"]
    assert {tuple(states) for states in ends.values()} <= {("final",), ("3 final",)}, ends
    assert {"prime-1", "pay-1", "send-1", "batch-1", "options-1", "sweep-1", "june-1", "tickets-1"} <= ends.keys()


def test_the_page_names_the_devnets_as_they_are_started() -> None:
    started = [step.line for _, step in steps()
               if isinstance(step, Command) and re.match(r"lockgate devnet (?!fund)", step.line)]
    assert started == ["lockgate devnet --port 5005 --interval 1", "lockgate devnet --ledger bitcoin --interval 1"]
