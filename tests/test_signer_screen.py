"""What people see on a real terminal of 80 x 24 (a pty): paging, declining, the words; and what airgap looks for."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from offline_signer import airgap, screen
from shared.envelope import Declined, open_answer
from shared.errors import Refusal
from shared.face import prompts
from tests.signer_command import ENVIRONMENT, PASSPHRASE, SECRET, Desk, make_desk
from tests.signing_world import World

WIDTH, HEIGHT = 80, 24


class Terminal:
    """A signer at work on a terminal of its own."""

    def __init__(self, desk: Desk, *arguments: object) -> None:
        self.shown = ""
        self.descriptor, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
        # A session of its own: where there is no /dev/tty, passphrases are asked on the same terminal.
        self.process = subprocess.Popen(
            [sys.executable, "-m", "offline_signer", "--home", str(desk.home), *map(str, arguments)],
            stdin=theirs, stdout=theirs, stderr=theirs, cwd=desk.folder, start_new_session=True,
            env={**ENVIRONMENT, "TERM": "xterm", "COLUMNS": str(WIDTH), "LINES": str(HEIGHT)},
        )
        os.close(theirs)

    def until(self, text: str) -> str:
        """Read until a text is shown; give what came with it."""
        start, end = len(self.shown), time.monotonic() + 30
        while text not in self.shown[start:]:
            ready, _, _ = select.select([self.descriptor], [], [], max(0.0, end - time.monotonic()))
            assert ready, f"{text!r} was not shown: {self.shown[start:]}"
            try:
                self.shown += os.read(self.descriptor, 4_096).decode()
            except OSError:  # Linux: the other side is closed
                raise AssertionError(f"it ended before {text!r}: {self.shown[start:]}") from None
        return self.shown[start:]

    def answer(self, prompt: str, line: str) -> str:
        """Wait for a question, then type a line."""
        shown = self.until(prompt)
        os.write(self.descriptor, f"{line}\n".encode())
        return shown

    def end(self) -> int:
        """Read the rest and give the exit code."""
        while True:
            try:
                more = os.read(self.descriptor, 4_096)
            except OSError:
                break
            if not more:
                break
            self.shown += more.decode()
        os.close(self.descriptor)
        return self.process.wait(30)


@pytest.fixture(scope="module")
def desk_and_world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Desk, World]:
    return make_desk(tmp_path_factory.mktemp("screen"))


@pytest.fixture
def terminals() -> Iterator[list[Terminal]]:
    """Give a list for terminals; whatever still runs in the end is ended."""
    made: list[Terminal] = []
    yield made
    for one in made:
        if one.process.poll() is None:
            one.process.kill()
            one.end()


def sixty(world: World, first: int) -> bytes:
    items = [world.payment(7, f"order {n}", sequence=n) for n in range(first, first + 60)]
    return world.request(*items)


MORE = "q to leave -- "


def signing(desk: Desk, world: World, name: str, first: int) -> Terminal:
    request, key = desk.put(name, sixty(world, first)), desk.person(world, "carol")
    terminal = Terminal(desk, "sign", request, "--as", key, "--out", desk.folder / f"{name}.answer")
    terminal.answer("vault passphrase: ", PASSPHRASE)
    return terminal


def test_a_long_review_comes_in_pages_that_fit_and_numbers_decline(
    desk_and_world: tuple[Desk, World], terminals: list[Terminal]
) -> None:
    desk, world = desk_and_world
    terminals.append(terminal := signing(desk, world, "paged", 1))
    pages = [terminal.answer(MORE, "") for _ in range(6)]
    terminal.answer("numbers to decline) ", "60, 2")
    terminal.answer("why? ", "not these")
    pages += [terminal.answer(MORE, "") for _ in range(6)]
    assert "declined, signed neither now nor later: #2 #60" in terminal.answer("numbers to decline) ", "yes")
    terminal.answer("passphrase of carol: ", SECRET)
    assert terminal.end() == 0
    for page in pages:
        assert page.count("\n") <= HEIGHT
    assert max(map(len, terminal.shown.splitlines())) <= WIDTH
    answer = open_answer((desk.folder / "paged.answer").read_bytes())[0]
    assert answer.declined == (Declined(1, "not these"), Declined(59, "not these"))
    assert len(answer.signatures) == 58
    assert PASSPHRASE not in terminal.shown
    assert SECRET not in terminal.shown


@pytest.mark.parametrize("leave", ["q", "no", "", "2 and 3", "0"])
def test_who_leaves_or_says_anything_else_signs_nothing(
    desk_and_world: tuple[Desk, World], terminals: list[Terminal], leave: str
) -> None:
    desk, world = desk_and_world
    terminals.append(terminal := signing(desk, world, f"left {leave}", 101))
    if leave == "q":
        terminal.answer(MORE, "q")
    else:
        for _ in range(6):
            terminal.answer(MORE, "")
        terminal.answer("numbers to decline) ", leave)
    assert terminal.end() == 1
    assert "[not-approved]" in terminal.shown
    assert not (desk.folder / f"left {leave}.answer").exists()


def test_the_words_are_shown_once_asked_back_and_wiped(
    desk_and_world: tuple[Desk, World], terminals: list[Terminal]
) -> None:
    desk, world = desk_and_world
    fresh = Desk(desk.folder, desk.folder / "fresh")
    terminals.append(terminal := Terminal(fresh, "init", "--network-class", "test", "--kdf", "light", "--quorum", 1,
                                          "--admin", world.ann.line))
    terminal.answer("vault passphrase: ", PASSPHRASE)
    terminal.answer("vault passphrase, again: ", PASSPHRASE)
    page = terminal.answer("Press Enter when they are on paper. ", "")
    words = dict(re.findall(r"(\d+) ([a-z]+)", page[page.index("shown once") :]))
    assert len(words) == 24
    for _ in range(3):
        asked = re.findall(r"word (\d+): $", terminal.until(": "))
        os.write(terminal.descriptor, f"{words[asked[-1]]}\n".encode())
    assert terminal.end() == 0
    assert "\x1b[3J" in terminal.shown
    assert terminal.shown.splitlines()[-1].startswith("signer ed25519:")
    after = terminal.shown[terminal.shown.index("\x1b[3J") :]
    assert not [word for word in words.values() if re.search(rf"\b{word}\b", after) and word not in ("word", "signer")]


def test_wide_lines_are_cut_at_blanks_and_nothing_is_lost() -> None:
    line = "REFUSED: " + "a word " * 30
    parts = screen._fold(line)
    assert max(map(len, parts)) <= WIDTH
    assert "".join([parts[0], *(part.removeprefix("      > ") for part in parts[1:])]) == line
    assert [len(part) for part in screen._fold("x" * 100)] == [80, 28]


# --- airgap -----------------------------------------------------------------------------------------------


def test_a_box_that_is_alone_gives_no_findings(tmp_path: Path) -> None:
    (tmp_path / "sys/class/net/lo").mkdir(parents=True)
    (tmp_path / "sys/class/net/bonding_masters").write_text("")
    (tmp_path / "proc/net").mkdir(parents=True)
    (tmp_path / "proc/net/route").write_text("Iface\tDestination\n")
    (tmp_path / "proc/net/ipv6_route").write_text("00000000 00 00000000 00 0 ffffffff 1 0 00200200 lo\n")
    (tmp_path / "proc/net/tcp").write_text("  sl  local_address rem_address   st\n   0: 0100007F:0CEA 0:0 01 0\n")
    assert airgap.findings(tmp_path) == []
    assert airgap.findings(tmp_path / "nothing") == []


def test_every_door_of_a_box_is_found(tmp_path: Path) -> None:
    for folder in ("net/eth0", "net/lo", "rfkill/rfkill0", "bluetooth/hci0"):
        (tmp_path / "sys/class" / folder).mkdir(parents=True)
    (tmp_path / "proc/net").mkdir(parents=True)
    (tmp_path / "proc/net/route").write_text("Iface\tDestination\neth0\t00000000\neth0\t0000000A\n\n")
    (tmp_path / "proc/net/ipv6_route").write_text("fe80 40 0 0 0 0 0 0 0 wlan0\n")
    (tmp_path / "proc/net/tcp6").write_text("head\n 0: 00000000:0016 0:0 0A 0\n 1: 0:0 0:0 01 0\n")
    assert airgap.findings(tmp_path) == [
        "network interface eth0", "route through eth0", "route through wlan0", "radio rfkill0", "bluetooth hci0",
        "1 listening sockets",
    ]


def test_a_question_that_nobody_answers_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with open(os.devnull) as nothing, monkeypatch.context() as patch:
        patch.setattr(sys, "stdin", nothing)
        with pytest.raises(Refusal) as caught:
            prompts.ask("anybody? ")
    assert caught.value.code == "missing-input"
