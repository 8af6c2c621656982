"""Two machines for tests of the commands: coordinator and signer, set up once, copied for each test with a ledger.

Commands run in this process, with standard input and output of their own; exit codes are what a shell would see.
"""

from __future__ import annotations

import io
import json
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from offline_signer import setup
from offline_signer.cli.main import cli as signer_cli
from online import cli as online_cli
from online.devnet.xrpl import XrplWorld
from shared.errors import Refusal
from shared.lockbox import LIGHT
from shared.people import parse_person

PASSPHRASE = "a passphrase for tests"
POLICY = """
epoch = 1
network_class = "test"
clock_jump_seconds = 604800
approvers = ["{carol}"]
stations = ["{coordinator}"]
[administrators]
quorum = 1
people = ["{dora}"]
[[wallet]]
name = "cold"
network = "xrpl:local"
tier = "cold"
places = ["{cold}"]
[[wallet]]
name = "hot"
network = "xrpl:local"
tier = "hot"
places = ["{hot}"]
[[rule]]
wallet = "cold"
kinds = ["payment", "tickets"]
to_wallets = ["hot"]
fee_most = "0.01"
transactions_without_payment = 20
expiry_most = 1000
approvals = 1
[rule.limits.XRP]
transfer = "100000"
request = "100000"
day = "100000"
epoch = "100000"
"""


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    def refused(self, code: str) -> bool:
        """Say whether it ended as a refusal of this code should: one line, a hint, and 1."""
        errors = [line for line in self.err.splitlines() if line.startswith("error: ")]
        hints = [line for line in self.err.splitlines() if line.startswith("hint: ")]
        return self.code == 1 and len(errors) == len(hints) == 1 and errors[0].endswith(f"[{code}]")


def lockgate(*words: str | Path, lines: Sequence[str] = (PASSPHRASE,) * 4) -> Done:
    """Run the coordinator's command line; every prompt gets the next line."""
    return _run(lambda: online_cli.main([str(word) for word in words]), lines)


def signer(*words: str | Path, lines: Sequence[str] = (PASSPHRASE,) * 4) -> Done:
    """Run the signer's command line likewise."""

    def call() -> int:
        try:
            signer_cli.main([str(word) for word in words], standalone_mode=False)
        except Refusal as refusal:
            sys.stderr.write(f"error: {refusal} [{refusal.code}]\nhint: {refusal.hint}\n")
            return 1
        return 0

    return _run(call, lines)


def _run(call: Callable[[], int], lines: Sequence[str]) -> Done:
    out, err = io.StringIO(), io.StringIO()
    typed = io.StringIO("".join(f"{line}\n" for line in lines))
    with redirect_stdout(out), redirect_stderr(err), patch("sys.stdin", typed):
        code = call()
    return Done(code, out.getvalue(), err.getvalue())


@dataclass(slots=True)
class House:
    """Both machines, with the ledger that the coordinator's settings name."""

    folder: Path
    world: XrplWorld

    @property
    def home(self) -> Path:
        return self.folder / "coordinator"

    def lockgate(self, *words: str | Path, lines: Sequence[str] = (PASSPHRASE,) * 4) -> Done:
        return lockgate("--home", self.home, *words, lines=lines)

    def signer(self, *words: str | Path, lines: Sequence[str] = (PASSPHRASE,) * 4) -> Done:
        return signer("--home", self.folder / "signer", *words, lines=lines)

    def ok(self, *words: str | Path) -> Any:
        """Run a coordinator's command that must end well, and give its JSON."""
        done = self.lockgate(*words, "--json")
        assert done.code == 0, done.err
        return done.json

    def approved(self, key: str = "june", amount: str = "80000") -> None:
        """Draft an order as alice, approve it as bob."""
        self.ok("rebalance", "--from", "cold", "--to", "hot", "--amount", amount, "--key", key, "--as", "alice")
        self.ok("approve", key, "--as", "bob")

    def exported(self, key: str = "june", amount: str = "80000") -> Path:
        """Take an order as far as its request's file."""
        self.approved(key, amount)
        file = self.folder / f"{key}.request"
        self.ok("request", "export", key, "--out", file)
        return file

    def answered(self, key: str = "june", amount: str = "80000") -> Path:
        """Take an order as far as the answer's file."""
        request, file = self.exported(key, amount), self.folder / f"{key}.answer"
        done = self.signer("sign", request, "--as", self.folder / "carol.key", "--yes", "--out", file)
        assert done.code == 0, done.err
        return file

    def settle(self) -> None:
        """Submit, close ledgers, and watch."""
        self.ok("run", "--once")
        self.world.advance(2)
        self.ok("run", "--once")

    def serve_at(self, url: str) -> None:
        """Let the settings name this node."""
        file = self.home / "config.toml"
        lines = [f'url = "{url}"' if line.startswith('url = "http') else line for line in file.read_text().splitlines()]
        file.write_text("\n".join(lines))


def build(folder: Path) -> None:
    """Set both machines up: people, keys, vault, cards, wallets, policy. No ledger is needed yet."""
    home, box = folder / "coordinator", folder / "signer"
    lines = {"coordinator": _good(lockgate("--home", home, "init", "--kdf", "light", "--json")).json["station"]}
    for name in ("alice", "bob"):
        _good(lockgate("--home", home, "person", "new", name, "--kdf", "light"))
    for name in ("dora", "carol"):
        file = folder / f"{name}.key"
        made = signer("person", "new", name, "--out", file, "--network-class", "test", "--kdf", "light")
        lines[name] = _good(made).out.strip()
    administrators = [parse_person(lines["dora"])]
    station = setup.make(
        box, setup.new_words(""), PASSPHRASE, network_class="test", administrators=administrators, quorum=1,
        kdf=LIGHT, clock=lambda: int(time.time()),
    )  # fmt: skip
    _good(lockgate("--home", home, "wallet", "pair", f"cold-box ed25519:{station.hex()}"))
    for account, name in enumerate(("cold", "hot")):
        options = ("--network", "xrpl:local", "--tier", name, "--account", str(account))
        card = _good(signer("--home", box, "card", name, *options, "--out", folder / f"{name}.card"))
        lines[name] = card.out.split()[-1]
        _good(lockgate("--home", home, "wallet", "import", folder / f"{name}.card", "--no-open"))
    (folder / "policy.toml").write_text(POLICY.format(**lines))
    sealed = folder / "policy.sealed"
    _good(signer("policy", "draft", folder / "policy.toml", "--as", folder / "dora.key", "--out", sealed))
    _good(signer("--home", box, "policy", "install", sealed))
    (folder / "lines.json").write_text(json.dumps(lines))


def copy(template: Path, folder: Path, url: str, world: XrplWorld) -> House:
    """Give a test its own two machines, with money on its own ledger and open books."""
    shutil.copytree(template, folder, dirs_exist_ok=True)
    lines = json.loads((folder / "lines.json").read_text())
    world.fund_all({lines["cold"]: 100_000_000_000, lines["hot"]: 1_000_000_000})
    house = House(folder, world)
    house.serve_at(url)
    for name in ("cold", "hot"):
        house.ok("books", "open", name)
    return house


def _good(done: Done) -> Done:
    assert done.code == 0, done.err
    return done
