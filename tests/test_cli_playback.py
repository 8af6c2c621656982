"""Frames played on a terminal: what each key does, and a real pseudo-terminal that shows symbols and is given back."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest
from PIL import Image

from shared.courier.playback import Place
from shared.transport.message import Viewer
from shared.transport.qr import read

ROOT = Path(__file__).resolve().parents[1]
MESSAGE = "bytes(range(256)) * 4"
PLAY = f"""
from shared.courier.playback import play
from shared.errors import Refusal
from shared.transport.message import film
from shared.transport.qr import Display
try:
    play(film({MESSAGE}, Display(15, 10)))
except Refusal as refusal:
    print("refused", refusal.code, refusal)
"""


@pytest.mark.parametrize(
    ("key", "before", "after"),
    [
        ("", Place(3), Place(4)),
        ("", Place(3, halted=True), Place(3, halted=True)),
        (" ", Place(3), Place(3, halted=True)),
        (" ", Place(3, halted=True), Place(3)),
        ("n", Place(3), Place(4, halted=True)),
        ("p", Place(3), Place(2, halted=True)),
        ("p", Place(0), Place(0, halted=True)),
        ("q", Place(3), Place(3, ended=True)),
        ("x", Place(3), Place(3)),
    ],
)
def test_each_key_does_what_the_line_below_says(key: str, before: Place, after: Place) -> None:
    assert before.after(key) == after


def test_the_symbols_on_a_terminal_rebuild_the_message_and_the_screen_is_given_back() -> None:
    shown = played(columns=100, lines=50, seconds=1.5)
    assert shown.startswith("\x1b[?1049h")
    assert shown.rstrip().endswith("\x1b[?1049l")
    viewer = Viewer()
    for page in re.split(r"\x1b\[H", shown)[1:]:
        for text in read(as_picture(page)):
            viewer.take(text)
    assert viewer.message() == bytes(range(256)) * 4


def test_a_small_terminal_is_told_what_size_is_needed() -> None:
    said = played(columns=80, lines=24, seconds=0)
    assert "terminal-too-small the symbol needs 85 columns and 43 lines" in said  # the typed q is echoed before it
    assert "\x1b[?1049h" not in said


def played(columns: int, lines: int, seconds: float) -> str:
    """Play on a pseudo-terminal of some size, press q after a while, and give what it wrote."""
    outside, inside = pty.openpty()
    fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
    for name in ("COLUMNS", "LINES"):
        environment.pop(name, None)
    command = [sys.executable, "-c", PLAY]
    with subprocess.Popen(command, stdin=inside, stdout=inside, stderr=inside, env=environment) as player:
        os.close(inside)
        written = watched(outside, seconds)
        assert player.wait(timeout=20) == 0
    os.close(outside)
    return written


def watched(outside: int, seconds: float) -> str:
    """Take in what is written; from the first symbol on count the seconds, then press q."""
    parts: list[bytes] = []
    due = float("inf")
    while True:
        try:
            part = os.read(outside, 65536)
        except OSError:  # Linux: the other side is closed
            return b"".join(parts).decode()
        if not part:
            return b"".join(parts).decode()
        parts.append(part)
        due = min(due, time.monotonic() + seconds)
        if time.monotonic() >= due:
            os.write(outside, b"q")
            due = float("inf")
            seconds = 1e9


def as_picture(page: str) -> Image.Image:
    """Paint a screen of half blocks, four pixels a module."""
    lines = [re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", line).rstrip("\r") for line in page.split("\n")][:43]
    picture = Image.new("L", (85, 2 * len(lines)), 255)
    for row, line in enumerate(lines):
        for column, letter in enumerate(line[:85]):
            if letter in "▀█":
                picture.putpixel((column, 2 * row), 0)
            if letter in "▄█":
                picture.putpixel((column, 2 * row + 1), 0)
    return picture.resize((4 * picture.width, 4 * picture.height), Image.Resampling.NEAREST)
