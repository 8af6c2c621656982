"""Every command of docs/hot-wallet.md, run in its order by the users that the page makes, with a devnet beside them.

The page's own text is the script. Root's commands make users and folders below a folder of the test (`--prefix`, and
numbers for names); the signer is started by the unit's own line, as its user and without a network; the coordinator is
another user. Only ports, the cost of passphrases and the place of the folders are changed.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest

from online.demo.signer_process import solitude
from online.devnet.server import Closer, serve
from online.devnet.xrpl import XrplWorld
from tests.hot_world import until
from tests.house import ROOT

PAGE = (ROOT / "docs" / "hot-wallet.md").read_text("utf-8")
BLOCK = re.compile(r"^```(console|toml|ini)(?: ([^\n]+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PASSPHRASE = "a rehearsal's passphrase"
PROGRAMS = {"lockgate": "online.cli", "lockgate-signer": "offline_signer"}
PLACES = ("/var/lib/lockgate-hot", "/var/lib/lockgate", "/var/spool/lockgate-hot", "/etc/lockgate-hot")
USERS = {"signer": "lockgate-hot", "coordinator": "lockgate"}

needs_root = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("setpriv") or not shutil.which("useradd"),
    reason="only root can run a command as another user, with setpriv and useradd at hand",
)


@cache
def reach_of_interpreter() -> tuple[str, ...]:
    """Give what a user needs to run the tests' Python where it lies in root's own folder: to read, never to write."""
    nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "/bin/sh", "-c"]
    done = subprocess.run([*nobody, f'"{sys.executable}" -c "import json"'], capture_output=True, check=False)
    return ("--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search") if done.returncode else ()


@dataclass
class Host:
    """A host below one folder: its users, what screens have shown, and the node's URL."""

    root: Path
    url: str
    shown: dict[str, str] = field(default_factory=dict)

    def play(self, kind: str, name: str, text: str) -> None:
        """Do what one block of the page says."""
        if kind != "console":
            self.write(name, self.filled(text))
            return
        for who, line, passphrases in commands(text):
            self.run(who, self.filled(line), passphrases)

    def write(self, name: str, text: str) -> None:
        if name.startswith("/"):
            path = self.root / name[1:]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            return
        who, place, *more = name.split()
        path = self.home(who) / place
        path.write_text((path.read_text() if more else "") + text)

    def run(self, who: str, line: str, passphrases: int) -> None:
        words = shlex.split(line)
        if who == "root" and words[0] in ("groupadd", "useradd"):
            words = [words[0], "--prefix", str(self.root), *words[1:]]
        if who == "root" and words[0] == "install":
            words = [self.number(word) if before in ("-o", "-g") else word
                     for before, word in zip(["", *words], words, strict=False)]
        if words[1:2] == ["init"] or words[1:3] == ["person", "new"]:
            words += ["--kdf", "light"]
        if words[1:3] == ["devnet", "fund"]:
            words += ["--url", self.url]
        done, output = converse(self.command(who, words), passphrases, self.home(who))
        assert done == 0, f"{line}: {output}"
        self.learn(output)

    def command(self, who: str, words: list[str]) -> list[str]:
        reach = reach_of_interpreter() if words[0] in PROGRAMS or words[0] == "/bin/sh" else ()
        if words[0] in PROGRAMS:
            words = [sys.executable, "-m", PROGRAMS[words[0]], *words[1:]]
        if who not in USERS:
            return words
        user = USERS[who]
        groups = ",".join([self.number(user, "group"), self.number("lockgate-spool", "group")])
        ids = ["--reuid", self.number(user), "--regid", self.number(user, "group"), "--groups", groups]
        return ["setpriv", *ids, *reach, *words]

    def home(self, who: str) -> Path:
        return self.root / ("var/lib" if who in USERS else "") / USERS.get(who, "admin")

    def number(self, name: str, kind: str = "passwd") -> str:
        """Give a user's or group's number in this host's files."""
        for file in (kind, "group"):
            for line in (self.root / "etc" / file).read_text().splitlines():
                if line.split(":")[0] == name:
                    return line.split(":")[2]
        return name

    def filled(self, text: str) -> str:
        text = text.replace("http://127.0.0.1:5005", self.url)
        text = re.sub("|".join(PLACES), lambda found: f"{self.root}{found[0]}", text)
        text = text.replace("hot-box ed25519:…", self.shown.get("signer", "").replace("signer", "hot-box"))
        text = text.replace("rTILL…", self.shown.get("till", "rTILL…"))
        return re.sub(r"\b(\w+) ed25519:…", lambda found: self.shown[found[1]], text)

    def learn(self, output: str) -> None:
        for name, key in re.findall(r"\b([a-z]+) (ed25519:[0-9a-f]{64})", output):
            self.shown[name] = f"{name} {key}"
        for address in re.findall(r"^till 0: (r\w+)$", output, re.MULTILINE):
            self.shown["till"] = address

    @contextmanager
    def service(self) -> Iterator[subprocess.Popen[bytes]]:
        """Start the signer by the unit's own line, as its user, and end it as systemd does."""
        unit = (self.root / "etc/systemd/system/lockgate-hot.service").read_text()
        line = re.search(r"^ExecStart=(.*)$", unit, re.MULTILINE)
        assert line is not None
        script = shlex.split(line[1])[-1].replace("--from lockgate ", f"--from {self.number('lockgate')} ")
        credentials = self.root / "credentials"
        credentials.mkdir()
        shutil.copy(self.root / "etc/lockgate-hot/passphrase", credentials)
        for path in (credentials, credentials / "passphrase"):
            os.chown(path, int(self.number("lockgate-hot")), -1)
        program = self.root / "lockgate-signer"
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m offline_signer "$@"\n')
        program.chmod(0o755)
        command = [*solitude(), *self.command("signer", ["/bin/sh", "-c", script])]
        environment = {**ENVIRONMENT, "CREDENTIALS_DIRECTORY": str(credentials),
                       "PATH": f"{self.root}:{os.environ['PATH']}"}
        with (self.root / "service.log").open("wb") as log:
            process = subprocess.Popen(command, cwd=self.home("signer"), env=environment, stdout=log, stderr=log)
        try:
            until(lambda: "serving " in self.log or process.poll() is not None, lambda: self.log)
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0, self.log

    @property
    def log(self) -> str:
        return (self.root / "service.log").read_text()


ENVIRONMENT = {**{name: value for name, value in os.environ.items() if not name.startswith(("COV", "LOCKGATE"))},
               "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}


def converse(command: list[str], passphrases: int, folder: Path) -> tuple[int, str]:
    """Run one command and type what it asks for; words of the set-up are read off its screen and typed back."""
    with subprocess.Popen(
        command, cwd=folder, env=ENVIRONMENT, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{PASSPHRASE}\n" * passphrases)
        process.stdin.flush()
        asks = "init" in command and "offline_signer" in command
        if not asks:
            process.stdin.close()
        seed: dict[str, str] = {}
        lines = []
        for line in process.stdout:
            lines.append(line)
            if asked := re.match(r"word (\d+): ", line):
                process.stdin.write(seed[asked[1]] + "\n")
                process.stdin.flush()
            elif re.match(r" ?\d+ [a-z]+ ", line):
                seed.update(re.findall(r"(\d+) ([a-z]+)", line))
        if asks:
            process.stdin.close()
    return process.returncode, "".join(lines)


def commands(block: str) -> list[tuple[str, str, int]]:
    """Give who runs what, and how many passphrases they type."""
    found: list[tuple[str, str, int]] = []
    for line in block.splitlines():
        if start := re.fullmatch(r"(root|signer|coordinator|admin)[$#] (.*)", line):
            found.append((start[1], start[2], 0))
        elif "passphrase" in line:
            found[-1] = (*found[-1][:2], found[-1][2] + 1)
        else:
            assert line.startswith("word "), f"a line that means nothing here: {line}"
    return found


@pytest.fixture
def host() -> Iterator[Host]:
    """Give a host whose folders other users can reach, which pytest's own are not for."""
    root = Path(tempfile.mkdtemp(prefix="lockgate-hot-"))
    root.chmod(0o755)
    for name in ("etc", "admin", "var/lib", "var/spool"):
        (root / name).mkdir(parents=True)
    for name in ("passwd", "group", "shadow", "gshadow"):
        (root / "etc" / name).touch()
    world = XrplWorld()
    try:
        with serve(world) as server, Closer(world, 0.3):
            yield Host(root, server.url)
    finally:
        shutil.rmtree(root)


@needs_root
def test_every_command_of_the_page_pays_with_nobody_at_the_signer(host: Host) -> None:
    blocks = BLOCK.findall(PAGE)
    last = max(place for place, block in enumerate(blocks) if "lockgate run" in block[2])
    for block in blocks[:last]:
        host.play(*block)
    with host.service():
        host.play(*blocks[last])
        assert "answered; the journal has" in host.log
    assert "ended between two requests" in host.log
    assert "not shut off" not in host.log or not solitude()
    done = subprocess.run(host.command("coordinator", ["lockgate", "order", "list", "--json"]), check=True,
                          cwd=host.home("coordinator"), env=ENVIRONMENT, capture_output=True, text=True)
    assert '"final"' in done.stdout
    assert [list((host.root / "var/spool/lockgate-hot" / name).iterdir()) for name in ("in", "out", "refused")] == [
        [], [], []]


@needs_root
def test_the_coordinators_user_can_reach_the_spool_and_nothing_else_of_the_signers(host: Host) -> None:
    for block in BLOCK.findall(PAGE)[:1]:
        host.play(*block)
    spool, home = host.root / "var/spool/lockgate-hot", host.root / "var/lib/lockgate-hot"
    (home / "vault").write_bytes(b"secret")

    def tries(*words: str, who: str = "coordinator") -> int:
        return subprocess.run(host.command(who, list(words)), capture_output=True, check=False).returncode

    assert tries("sh", "-c", f"umask 027; echo request > {spool}/in/a") == 0
    assert tries("cat", str(spool / "in/a"), who="signer") == 0
    assert tries("sh", "-c", f"umask 027; echo answer > {spool}/out/c", who="signer") == 0
    assert tries("cat", str(spool / "out/c")) == tries("rm", str(spool / "out/c")) == 0
    assert tries("touch", str(spool / "in/b"), who="signer") == 0
    assert tries("mv", str(spool / "in/a"), str(spool / "refused/a"), who="signer") == 0
    assert tries("rm", str(spool / "refused/a")) == 0
    refused = [("cat", str(home / "vault")), ("ls", str(home)), ("rm", "-f", str(spool / "in/b")),
               ("mv", str(spool / "out"), str(spool / "x")), ("touch", str(spool / "x"))]
    assert [tries(*words) != 0 for words in refused] == [True] * len(refused)
    nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "ls", str(spool / "in")]
    assert subprocess.run(nobody, capture_output=True, check=False).returncode != 0


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="only systemd can read a unit as systemd does")
def test_the_unit_is_one_that_systemd_reads_and_calls_safe(tmp_path: Path) -> None:
    (text,) = [text for kind, _, text in BLOCK.findall(PAGE) if kind == "ini"]
    unit = tmp_path / "lockgate-hot.service"
    unit.write_text(text)
    read = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, check=False)
    assert [line for line in read.stderr.splitlines() if "lockgate-hot" in line] == []
    judged = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=20", unit],
                            capture_output=True, text=True, check=False, env={**os.environ, "SYSTEMD_PAGER": ""})
    assert judged.returncode == 0, judged.stdout[-2_000:]


@pytest.mark.parametrize(
    "line", ["PrivateNetwork=yes", "RestrictAddressFamilies=none", "NoNewPrivileges=yes", "LimitCORE=0"]
)
def test_the_unit_shuts_the_signer_off(line: str) -> None:
    assert f"\n{line}\n" in PAGE


def test_the_pages_words_of_refusals_are_codes_that_exist() -> None:
    sources = (ROOT / "shared/errors.py").read_text("utf-8")
    named = set(re.findall(r"`([a-z]+(?:-[a-z]+)+)`", PAGE.partition("## What is declined")[2]))
    assert {one for one in named if f'code = "{one}"' not in sources} == set()
    assert len(named) >= 6
