"""A small world around a hot wallet's signer: a vault of one hot wallet, a policy that needs nobody, and a spool.

People and requests are those of `tests.signing_world`; `lockgate-signer serve` runs as a process of its own.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from offline_signer import journal_file, setup
from shared.envelope import card_keys, open_card, open_request
from shared.lockbox import LIGHT
from shared.policy import Person
from shared.words import words_from_entropy
from tests.signer_command import ENVIRONMENT, PROGRAM
from tests.signing_world import NETWORK, PASSPHRASE, Somebody, World

POLICY = """
epoch = {epoch}
network_class = "test"
clock_jump_seconds = {jump}
approvers = ["{carol}"]
stations = ["{station}"]
[administrators]
quorum = 2
people = ["{ann}", "{ben}"]
[[wallet]]
name = "till"
network = "xrpl:local"
tier = "{tier}"
places = ["{till}"]
[[wallet]]
name = "vault"
network = "xrpl:local"
tier = "cold"
places = ["{vault}"]
[[rule]]
wallet = "till"
kinds = ["payment"]
to_wallets = ["vault"]
fee_most = "0.001"
transactions_without_payment = 0
expiry_most = 30000
{word}
[rule.limits.XRP]
transfer = "100"
request = "1000"
day = "10000"
epoch = "{budget}"
"""

ALONE = "automatic = true\napprovals = 0"
_WORDS: dict[str, object] = {"epoch": 1, "jump": 259_200, "tier": "hot", "word": ALONE, "budget": 10_000}
PATIENCE_SECONDS = 30.0


@dataclass
class Hot:
    """A hot signer's folder and its spool."""

    world: World
    spool: Path
    card: bytes

    @property
    def log(self) -> str:
        return (self.world.folder.parent / "serve.log").read_text()

    def lay(self, sealed: bytes) -> str:
        """Lay a request as a coordinator does, renamed into place; give its digest."""
        digest = open_request(sealed)[1].digest.hex()
        return self.put(f"{digest}.request", sealed)

    def put(self, name: str, contents: bytes) -> str:
        part = self.spool / "in" / ".part"
        part.write_bytes(contents)
        os.rename(part, self.spool / "in" / name)
        return name.removesuffix(".request")

    def answered(self, digest: str) -> bytes:
        """Wait for an answer."""
        path = self.spool / "out" / f"{digest}.answer"
        until(path.exists, lambda: self.log)
        return path.read_bytes()

    def reason(self, digest: str) -> str:
        """Wait for a refusal; give its one line."""
        until((self.spool / "refused" / f"{digest}.request").exists if digest else lambda: True, lambda: self.log)
        line = (self.spool / "refused" / f"{digest}.reason").read_text()
        assert line.count("\n") == 1
        return line.rstrip("\n")

    def refused(self, digest: str) -> str:
        """Wait for a refusal; give its code."""
        return self.reason(digest).partition(": ")[0]

    def entries(self) -> int:
        return journal_file.read(self.world.folder, self.world.station).tip.size

    def spent(self) -> int:
        """Give what counts against the day; nobody may be serving."""
        with self.world.box() as box:
            return sum(box.history.usage(self.world.now).epoch.values())

    @contextmanager
    def serving(
        self, *options: str, before: Sequence[str] = (), program: Sequence[str] = PROGRAM, first: str = ""
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Serve until the block ends; then SIGTERM must end it well, unless it is over already."""
        with self.started(*options, before=before, program=program, first=first) as process:
            until(lambda: "serving " in self.log or process.poll() is not None, lambda: self.log)
            yield process
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                assert process.wait(PATIENCE_SECONDS) == 0, self.log
                assert "ended between two requests" in self.log

    @contextmanager
    def started(
        self, *options: str, before: Sequence[str] = (), program: Sequence[str] = PROGRAM, first: str = "",
        passphrase: str = PASSPHRASE,
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Start `serve`, with its passphrase in a pipe, and let no process outlive the block."""
        reading, writing = os.pipe()
        os.write(writing, f"{passphrase}\n".encode())
        os.close(writing)
        start = [*before, sys.executable, *program, *([first] if first else []), "--home", str(self.world.folder)]
        command = [*start, "serve", str(self.spool), "--passphrase-fd", str(reading), "--interval", "20", *options]
        with (self.world.folder.parent / "serve.log").open("wb") as log:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=ENVIRONMENT,
                                       pass_fds=[reading])
        os.close(reading)
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()


def make_hot(folder: Path, *, card_tier: str = "hot", **words: object) -> Hot:
    """Set up a hot wallet's signer with its spool, and a policy of epoch 1."""
    names = ("ann", "ben", "carol", "station")
    home = folder / "signer"
    world = World(home, now=int(time.time()), people={name: Somebody(name) for name in names})
    administrators = [Person(name, world.people[name].public) for name in ("ann", "ben")]
    world.station = setup.make(home, words_from_entropy(os.urandom(32)), PASSPHRASE, network_class="test",
                               administrators=administrators, quorum=2, kdf=LIGHT, clock=world.clock)
    with world.box() as box:
        sealed = setup.issue_card(box, "till", network=NETWORK, tier=card_tier, curve="secp256k1", account=0, count=1)
        world.keys = card_keys(open_card(sealed)[0], 1)
        world.addresses = box.history.wallets["till"].addresses
    hot = Hot(world, folder / "spool", sealed)
    install(hot, **words)
    for path in (hot.spool, *(hot.spool / name for name in ("in", "out", "refused"))):
        path.mkdir(mode=0o750)
    return hot


def install(hot: Hot, **words: object) -> None:
    """Install a policy that differs in some words; nobody may be serving."""
    world = hot.world
    lines = {name: one.line for name, one in world.people.items()}
    places = {"till": world.addresses[0], "vault": world.hot}
    world.install(POLICY.format(**{**_WORDS, **lines, **places, **words}))


def until(happened: Callable[[], bool], tell: Callable[[], str]) -> None:
    """Wait until something has happened, or fail with what is known."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not happened():
        assert time.monotonic() < deadline, tell()
        time.sleep(0.01)
