"""Every command of docs/operator-near.md, run in its order on two machines' worth of folders and a NEAR devnet.

The page's own text is the script, read as `test_docs_operator` reads its page; only accounts are written otherwise.
"""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from online.devnet.near import Blocks, NearWorld, serve_near
from online.devnet.near.ticker import Steps
from tests.cli_house import lockgate
from tests.test_docs_operator import BLOCK, ROOT, Command, commands, run

PAGE = (ROOT / "docs" / "operator-near.md").read_text("utf-8")
USUAL = "http://127.0.0.1:3030"


@dataclass(slots=True)
class Machines:
    """The folder both machines' commands run in, the devnet, and what the screens have shown so far."""

    folder: Path
    url: str
    world: NearWorld
    shown: dict[str, str] = field(default_factory=dict)

    def play(self, page: str) -> int:
        """Do what a page says, and give how many commands there were; the devnet runs already."""
        ran = 0
        for kind, name, text in BLOCK.findall(page):
            if kind != "console":
                (self.folder / name).write_text(self.filled(text), "utf-8")
                continue
            for command in commands(text):
                if command.line != "lockgate devnet --ledger near --interval 1":
                    self.run(command)
                    ran += 1
        return ran

    def run(self, command: Command) -> None:
        if command.line.startswith("sed "):
            subprocess.run(self.filled(command.line), shell=True, cwd=self.folder, check=True)
            return
        words = shlex.split(self.filled(command.line))
        if words[1:2] == ["init"] or words[1:3] == ["person", "new"]:
            words += ["--kdf", "light"]
        if words[1:3] == ["devnet", "fund"]:
            words += ["--url", self.url]
        code, output = run(words, command.passphrases, self.folder)
        for name, key in re.findall(r"\b([a-z]+) (ed25519:[0-9a-f]{64})", output):
            self.shown[f"{name} ed25519:"] = f"{name} {key}"
        for wallet, number, account in re.findall(r"^(\w+) (\d+): ([0-9a-f]{64})$", output, re.MULTILINE):
            self.shown[f"{wallet.upper()}{number}"] = account
        assert code == (0 if command.code is None else 1), f"{command.line}: {output}"
        assert command.code is None or f"[{command.code}]" in output

    def filled(self, text: str) -> str:
        text = text.replace(USUAL, self.url)
        return re.sub(r"\b(\w+ ed25519:|[A-Z]+[0-9])…", lambda found: self.shown[found[1]], text)


@pytest.fixture
def machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machines]:
    monkeypatch.chdir(tmp_path)
    for name in ("LOCKGATE_HOME", "LOCKGATE_SIGNER_HOME"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "stick").mkdir()
    world = NearWorld(clock=Steps())
    with serve_near(world) as node, Blocks(world, 0.25):
        yield Machines(tmp_path, node.url, world)


def test_every_command_of_the_page_does_what_the_page_says(machines: Machines) -> None:
    assert machines.play(PAGE) > 70
    orders = lockgate("order", "list", "--json").json
    assert all(state.endswith("final") for row in orders for state in row["states"]), orders
    assert len(orders) == 12
    cold, hot, tokens = (machines.shown["COLD0"], machines.shown["HOT0"], "usd.tokens")
    assert machines.world.balance(hot) == 27 * 10**24
    assert machines.world.token_balance(tokens, hot) == 500 * 10**6
    assert machines.world.token_balance(tokens, "customer.near") == 112_500_000
    assert machines.world.token_balance(tokens, cold) == (50_000 - 500 - 100 - 15) * 10**6 - 750_000
    assert len(machines.world.keys(cold)) == 4


def test_the_codes_that_the_page_names_exist() -> None:
    sources = (ROOT / "shared" / "errors.py").read_text("utf-8")
    table = PAGE.partition("## When something is wrong")[2]
    named = set(re.findall(r"`([a-z]+(?:-[a-z]+)+)`", table))
    assert {one for one in named if f'code = "{one}"' not in sources} == set()
    assert len(named) >= 12
