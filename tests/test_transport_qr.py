"""Symbols drawn and read: both readers, a second drawer as oracle, bad pictures, and the terminal.

What a physical camera does to a picture is only imitated here (docs/limits.md).
"""

from __future__ import annotations

import random
import re
import subprocess
import sys
from collections.abc import Callable
from io import BytesIO

import pytest
import zxingcpp
from PIL import Image, ImageFilter

from shared.errors import BadDisplay, TerminalTooSmall
from shared.transport import base45, qr, terminal
from shared.transport.message import Film, film
from shared.transport.qr import Display, Symbol, capacity, draw, picture, read, side_of

VERSIONS = range(15, 28)
Reader = Callable[[Image.Image], list[str]]

needs_zbar = pytest.mark.skipif("pyzbar" not in qr.readers(), reason="libzbar0 is not installed")
both_readers = pytest.mark.parametrize(
    "reader",
    [
        pytest.param(qr.read_with_zxing, id="zxing"),
        pytest.param(qr.read_with_pyzbar, id="zbar", marks=needs_zbar),
    ],
)


def _film(version: int = 20, size: int = 9000, seed: int = 1) -> Film:
    return film(random.Random(seed).randbytes(size), Display(version))


# --- capacity and display -------------------------------------------------------------------------


def test_a_symbol_of_version_20_carries_830_bytes_of_frame() -> None:
    assert [capacity(version) for version in (15, 20, 27)] == [503, 830, 1419]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_full_frame_lands_at_exactly_its_version_and_is_read(version: int) -> None:
    text = base45.as_text(random.Random(version).randbytes(capacity(version)))
    symbol = draw(text, version)
    assert symbol.side == side_of(version)
    assert read(picture(symbol)) == [text]


@pytest.mark.parametrize("version", VERSIONS)
def test_the_fullest_text_is_drawn_and_one_letter_more_is_refused(version: int) -> None:
    letters = "LG:" + "Z" * (qr._LETTERS[version] - 3)
    assert draw(letters, version).side == side_of(version)
    with pytest.raises(BadDisplay):
        draw(letters + "Z", version)


@pytest.mark.parametrize(("version", "fps"), [(14, 10), (28, 10), (20, 0), (20, 16)])
def test_a_display_outside_what_cameras_read_is_refused(version: int, fps: int) -> None:
    with pytest.raises(BadDisplay):
        Display(version, fps)


def test_a_short_message_does_not_change_the_size_of_the_symbol() -> None:
    assert film(b"short", Display(20)).symbol(0).side == side_of(20)


def test_letters_outside_the_alphanumeric_set_would_be_noticed() -> None:
    with pytest.raises((ValueError, RuntimeError)):
        draw("LG:" + "a" * 1200, 20)


# --- both readers --------------------------------------------------------------------


@both_readers
@pytest.mark.parametrize("version", [15, 20, 27])
def test_our_symbols_are_read(reader: Reader, version: int) -> None:
    shown = _film(version)
    for index in (0, 1, 500, 501):
        assert reader(picture(shown.symbol(index)).convert("L")) == [shown.text(index)]


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda page: page.filter(ImageFilter.GaussianBlur(1.5)), id="blurred"),
        pytest.param(lambda page: page.resize((page.width * 6 // 10, page.height * 6 // 10)), id="small"),
        pytest.param(lambda page: page.rotate(4, expand=True, fillcolor=255), id="turned"),
        pytest.param(lambda page: page.rotate(90, expand=True), id="on_its_side"),
        pytest.param(lambda page: page.point(lambda grey: 90 + grey // 4), id="pale"),
        pytest.param(lambda page: _jpeg(page, 25), id="jpeg"),
        pytest.param(lambda page: page.convert("RGBA"), id="with_alpha"),
        pytest.param(
            lambda page: _jpeg(page.rotate(2).filter(ImageFilter.GaussianBlur(1)), 40), id="all_at_once"
        ),
    ],
)
def test_spoiled_pictures_are_still_read(spoil: Callable[[Image.Image], Image.Image]) -> None:
    shown = _film(20)
    page = picture(shown.symbol(2), scale=6).convert("L")
    assert read(spoil(page)) == [shown.text(2)]


def _jpeg(page: Image.Image, quality: int) -> Image.Image:
    file = BytesIO()
    page.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("L")


def test_two_symbols_in_one_picture_are_both_read() -> None:
    shown = _film(15)
    left, right = (picture(shown.symbol(index)) for index in (0, 1))
    both = Image.new("L", (left.width * 2, left.height), 255)
    both.paste(left, (0, 0))
    both.paste(right, (left.width, 0))
    assert sorted(read(both)) == sorted([shown.text(0), shown.text(1)])


def test_a_picture_without_a_symbol_has_no_text() -> None:
    assert read(Image.new("L", (200, 200), 128)) == []


@needs_zbar
def test_the_second_reader_looks_where_the_first_sees_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    blind: tuple[tuple[str, Reader], ...] = (("blind", lambda page: []), ("pyzbar", qr.read_with_pyzbar))
    monkeypatch.setattr(qr, "_readers", lambda: blind)
    shown = _film(20)
    assert read(picture(shown.symbol(0))) == [shown.text(0)]


def test_without_its_library_the_second_reader_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyzbar.pyzbar", None)
    qr._readers.cache_clear()
    try:
        assert qr.readers() == ("zxing-cpp",)
        assert read(Image.new("L", (50, 50), 255)) == []
    finally:
        qr._readers.cache_clear()


def test_a_picture_has_a_quiet_zone_of_four_modules() -> None:
    page = picture(_film(15).symbol(0), scale=2)
    assert page.width == page.height == (77 + 8) * 2
    assert all(page.getpixel((at, 7)) == page.getpixel((7, at)) == 255 for at in range(page.width))
    assert page.getpixel((8, 8)) == 0


def test_a_drawing_of_another_size_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    create = zxingcpp.create_barcode
    monkeypatch.setattr(
        zxingcpp, "create_barcode", lambda *what, version, **how: create(*what, version=21, **how)
    )
    with pytest.raises(ValueError, match="version 20"):
        draw("LG:ABC", 20)


# --- the terminal ---------------------------------------------------------------------------------


def test_half_blocks_scan_back() -> None:
    shown = _film(20)
    screen = terminal.as_terminal(shown.symbol(1), 105, 53)
    assert read(_photograph(screen)) == [shown.text(1)]


def test_plain_ascii_scans_back_and_holds_no_other_letter() -> None:
    shown = _film(15)
    screen = terminal.as_terminal(shown.symbol(1), 170, 85, ascii_only=True)
    assert set(screen) == {"#", " ", "\n"}
    rows = screen.split("\n")
    page = Image.new("L", (len(rows[0]) * 2, len(rows) * 4), 0)
    for y, row in enumerate(rows):
        for x, letter in enumerate(row):
            page.paste(255 if letter == "#" else 0, (x * 2, y * 4, x * 2 + 2, y * 4 + 4))
    assert read(page) == [shown.text(1)]


def _photograph(screen: str) -> Image.Image:
    """Turn half blocks into pixels, as a terminal does: black ink on white paper."""
    rows = re.sub(r"\x1b\[[0-9;]*m", "", screen).split("\n")
    page = Image.new("L", (len(rows[0]), len(rows) * 2), 255)
    for y, row in enumerate(rows):
        for x, letter in enumerate(row):
            if letter in "▀█":
                page.putpixel((x, y * 2), 0)
            if letter in "▄█":
                page.putpixel((x, y * 2 + 1), 0)
    return page.resize((page.width * 4, page.height * 4), Image.Resampling.NEAREST)


def test_each_line_sets_and_resets_its_colours() -> None:
    for line in terminal.as_terminal(_film(15).symbol(0), 200, 200).split("\n"):
        assert line.startswith("\x1b[30;107m")
        assert line.endswith("\x1b[0m")


@pytest.mark.parametrize(("columns", "lines"), [(104, 53), (105, 52), (80, 24)])
def test_a_terminal_too_small_is_told_the_size_needed(columns: int, lines: int) -> None:
    with pytest.raises(TerminalTooSmall, match="105 columns and 53 lines"):
        terminal.as_terminal(_film(20).symbol(0), columns, lines)


def test_a_terminal_too_small_is_offered_a_lower_version_that_fits() -> None:
    with pytest.raises(TerminalTooSmall) as refusal:
        terminal.as_terminal(_film(20).symbol(0), 100, 50)
    assert "version 18 or lower" in refusal.value.hint
    assert "GIF" in refusal.value.hint
    assert terminal.as_terminal(_film(18).symbol(0), 100, 50)


def test_a_terminal_too_small_for_every_version_is_offered_a_gif() -> None:
    with pytest.raises(TerminalTooSmall) as refusal:
        terminal.as_terminal(_film(20).symbol(0), 80, 24)
    assert "version" not in refusal.value.hint
    assert "GIF" in refusal.value.hint


def test_everything_outside_a_symbol_is_light() -> None:
    symbol = Symbol(1, b"\x01")
    assert [symbol.dark(row, column) for row, column in ((0, 0), (-1, 0), (0, 1), (1, 0))] == [
        True,
        False,
        False,
        False,
    ]


# --- what is loaded -------------------------------------------------------------------------------


def test_transport_with_all_its_readers_and_video_loads_no_network_module() -> None:
    program = (
        "import sys, pkgutil, importlib, shared.transport as t\n"
        "for each in pkgutil.iter_modules(t.__path__):\n"
        "    importlib.import_module('shared.transport.' + each.name)\n"
        "from shared.transport import media, message, qr\n"
        "shown = message.film(b'message', qr.Display())\n"
        "page = qr.picture(shown.symbol(0))\n"
        "qr.as_gif([page, page], 10), qr.read(page), qr.readers(), media._opencv()\n"
        "network = {'socket', 'ssl', 'http', 'asyncio', 'urllib.request'}\n"
        "print(sorted(network & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
