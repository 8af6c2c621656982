"""Files and pictures: written whole or not at all, read once, and never but from a local file or a camera.

Videos are written with OpenCV where it is installed; the camera is a small fake behind OpenCV's own names.
"""

from __future__ import annotations

import errno
import itertools
import os
import random
import resource
import socket
import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from shared.errors import (
    BadSource,
    DiskFull,
    FileExists,
    FileTooLarge,
    FileTrouble,
    MessageIncomplete,
    NotAPlainFile,
    Refusal,
    VideoMissing,
)
from shared.transport import media
from shared.transport.message import Film, Scan, film
from shared.transport.qr import Display, as_gif, as_png, picture

SEALED = random.Random(7).randbytes(6000)


def _film(sealed: bytes = SEALED, version: int = 20) -> Film:
    return film(sealed, Display(version))


def _received(source: Path | str, **bounds: Any) -> tuple[bytes, list[Scan]]:
    scans: list[Scan] = []
    return media.receive(str(source), scans.append, **bounds), scans


def _names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


# --- files ----------------------------------------------------------------------------------------


def test_a_file_is_written_and_read(tmp_path: Path) -> None:
    media.write_file(tmp_path / "request.lg", SEALED)
    assert media.read_file(tmp_path / "request.lg") == SEALED
    assert _names(tmp_path) == ["request.lg"]


def test_a_file_is_not_overwritten_unless_told(tmp_path: Path) -> None:
    path = tmp_path / "request.lg"
    media.write_file(path, b"old")
    with pytest.raises(FileExists):
        media.write_file(path, b"new")
    assert path.read_bytes() == b"old"
    media.write_file(path, b"new", overwrite=True)
    assert path.read_bytes() == b"new"
    assert _names(tmp_path) == ["request.lg"]


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_a_file_may_be_read_by_its_owner_alone_unless_told(tmp_path: Path, mode: int) -> None:
    media.write_file(tmp_path / "request.lg", SEALED, mode=mode)
    assert (tmp_path / "request.lg").stat().st_mode & 0o777 == mode


def _fails(number: int) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    return fail


@pytest.mark.parametrize("fault", ["fsync", "replace"])
@pytest.mark.parametrize(("number", "kind"), [(errno.ENOSPC, DiskFull), (errno.EIO, FileTrouble)])
def test_a_write_that_fails_leaves_the_old_file_and_nothing_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str, number: int, kind: type[Refusal]
) -> None:
    path = tmp_path / "request.lg"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, fault, _fails(number))
    with pytest.raises(kind):
        media.write_file(path, SEALED, overwrite=True)
    assert path.read_bytes() == b"old"
    assert _names(tmp_path) == ["request.lg"]


def test_a_full_disk_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(DiskFull) as refusal:
            media.write_file(tmp_path / "request.lg", SEALED)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert refusal.value.code == "disk-full"
    assert _names(tmp_path) == []


def test_a_medium_without_links_is_written_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", _fails(errno.EPERM))
    media.write_file(tmp_path / "request.lg", SEALED)
    with pytest.raises(FileExists):
        media.write_file(tmp_path / "request.lg", b"new")
    assert media.read_file(tmp_path / "request.lg") == SEALED
    assert _names(tmp_path) == ["request.lg"]


def test_a_link_that_fails_otherwise_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", _fails(errno.EROFS))
    with pytest.raises(FileTrouble):
        media.write_file(tmp_path / "request.lg", SEALED)
    assert _names(tmp_path) == []


def test_a_folder_that_is_missing_or_in_the_way_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileTrouble):
        media.write_file(tmp_path / "missing" / "request.lg", SEALED)
    (tmp_path / "folder").mkdir()
    with pytest.raises(FileTrouble):
        media.write_file(tmp_path / "folder", SEALED, overwrite=True)
    assert _names(tmp_path) == ["folder"]


def test_overwriting_a_link_replaces_the_link_and_not_its_target(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"target")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with pytest.raises(FileExists):
        media.write_file(tmp_path / "link", SEALED)
    media.write_file(tmp_path / "link", SEALED, overwrite=True)
    assert (tmp_path / "target").read_bytes() == b"target"
    assert media.read_file(tmp_path / "link") == SEALED


@pytest.mark.parametrize("reads", [media.read_file, lambda path: list(media.images(str(path)))])
def test_links_pipes_sockets_and_devices_are_not_read(
    tmp_path: Path, reads: Callable[[Path], object]
) -> None:
    (tmp_path / "link").symlink_to("/dev/null")
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        for name in ("link", "pipe", "socket"):
            with pytest.raises(NotAPlainFile):
                reads(tmp_path / name)


def test_a_folder_or_a_device_is_not_read_as_a_file(tmp_path: Path) -> None:
    for path in (tmp_path, Path("/dev/null")):
        with pytest.raises(NotAPlainFile):
            media.read_file(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileTrouble):
        media.read_file(tmp_path / "missing")


def test_a_file_beyond_the_bound_is_refused_and_one_at_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(100))
    assert len(media.read_file(tmp_path / "file", 100)) == 100
    with pytest.raises(FileTooLarge):
        media.read_file(tmp_path / "file", 99)


def test_a_medium_that_fails_while_reading_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"contents")
    monkeypatch.setattr(os, "dup", _fails(errno.EIO))
    with pytest.raises(FileTrouble):
        media.read_file(tmp_path / "file")


# --- pictures there and back ----------------------------------------------------------------------


def test_png_frames_cross(tmp_path: Path) -> None:
    shown = _film()
    paths = media.write_pngs(shown, tmp_path / "out" / "frames")
    assert len(paths) == shown.loop == shown.needed + 4
    sealed, scans = _received(tmp_path / "out" / "frames")
    assert sealed == SEALED
    assert scans[-1].progress.done
    assert scans[-1].quality_percent == 100
    assert len(scans) == shown.needed


def test_frames_of_an_earlier_message_are_not_mixed_up(tmp_path: Path) -> None:
    media.write_pngs(_film(), tmp_path)
    with pytest.raises(FileExists):
        media.write_pngs(_film(b"another message"), tmp_path)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FileTrouble):
        media.write_pngs(_film(), tmp_path / "file" / "frames")


@pytest.mark.parametrize("version", [15, 20, 27])
def test_an_animated_gif_crosses(tmp_path: Path, version: int) -> None:
    shown = _film(version=version)
    media.write_gif(shown, tmp_path / "request.gif")
    sealed, scans = _received(tmp_path / "request.gif")
    assert sealed == SEALED
    assert scans[-1].pictures == shown.needed
    with Image.open(tmp_path / "request.gif") as reel:
        assert (reel.info["loop"], reel.info["duration"]) == (0, 100)
        assert getattr(reel, "n_frames", 1) == shown.loop
    with pytest.raises(FileExists):
        media.write_gif(shown, tmp_path / "request.gif")
    media.write_gif(shown, tmp_path / "request.gif", overwrite=True)


def test_a_single_picture_crosses(tmp_path: Path) -> None:
    (tmp_path / "one.png").write_bytes(as_png(picture(_film(b"short").symbol(0))))
    assert _received(tmp_path / "one.png")[0] == b"short"


def test_lost_damaged_foreign_and_disordered_pictures_in_a_folder_do_no_harm(tmp_path: Path) -> None:
    shown, other = _film(), _film(random.Random(8).randbytes(6000))
    paths = media.write_pngs(shown, tmp_path)
    paths[0].rename(tmp_path / "z-last.png")
    paths[1].unlink()
    paths[2].write_bytes(paths[2].read_bytes()[:200])
    for index in range(3):
        (tmp_path / f"a-{index}.png").write_bytes(as_png(picture(other.symbol(index))))
    (tmp_path / "frame-note.txt").write_text("no picture")
    (tmp_path / "frame-link.png").symlink_to(paths[3])
    (tmp_path / "frame-folder.png").mkdir()
    sealed, scans = _received(tmp_path)
    assert sealed == SEALED
    assert scans[-1].progress.foreign == 3
    assert scans[-1].readable == scans[-1].pictures - 1
    assert scans[-1].quality_percent < 100


def test_a_source_that_ends_too_early_says_what_is_missing(tmp_path: Path) -> None:
    shown = _film()
    for path in media.write_pngs(shown, tmp_path)[3:]:
        path.unlink()
    with pytest.raises(
        MessageIncomplete, match=f"3 frames had, {shown.needed - 3} more needed; 3 of 3 pictures"
    ):
        _received(tmp_path)


def test_a_source_with_nothing_of_ours_says_so(tmp_path: Path) -> None:
    with pytest.raises(MessageIncomplete, match="no frame of ours; 0 of 0 pictures"):
        _received(tmp_path)
    Image.new("L", (60, 60), 255).save(tmp_path / "white.png")
    with pytest.raises(MessageIncomplete, match="no frame of ours; 0 of 1 pictures"):
        _received(tmp_path)


def test_a_symbol_of_others_is_named_in_the_refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    media.write_pngs(_film(b"short"), tmp_path)
    monkeypatch.setattr("shared.transport.message.read", lambda page: ["https://example.org"])
    with pytest.raises(MessageIncomplete, match=r"no frame of ours \(bad-frame\)"):
        _received(tmp_path)


def test_time_runs_out(tmp_path: Path) -> None:
    media.write_pngs(_film(), tmp_path)
    ticks = itertools.count()
    with pytest.raises(MessageIncomplete, match="time is over: 3 frames had"):
        _received(tmp_path, timeout_seconds=3, clock=lambda: next(ticks))


# --- what is not opened ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "source",
    ["http://example.org/a.mp4", "rtsp://camera/1", "file:///etc/passwd", "tcp://127.0.0.1:1", "a\0b", ""],
)
def test_urls_are_refused(source: str) -> None:
    with pytest.raises(BadSource):
        _received(source)


@pytest.mark.parametrize(
    "source", ["http:example.org", "concat:a.mp4|b.mp4", "frame-%04d.png", "pipe:0", "0"]
)
def test_names_that_a_library_would_take_for_more_are_just_missing_files_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileTrouble):
        _received(source)


@pytest.mark.parametrize(
    "contents",
    [
        pytest.param(b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n", id="m3u8_refused"),
        pytest.param(b"ffconcat version 1.0\nfile http://127.0.0.1:9/a.mp4\n", id="concat_refused"),
        pytest.param(b"v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\n", id="sdp_refused"),
        pytest.param(b"<?xml version='1.0'?><MPD></MPD>", id="dash_refused"),
        pytest.param(b"RIFF\0\0\0\0WAVEfmt ", id="sound_refused"),
        pytest.param(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 1 1\n", id="postscript_refused"),
        pytest.param(b"", id="empty_refused"),
        pytest.param(as_png(Image.new("L", (9, 9)))[:40], id="cut_png_refused"),
    ],
)
def test_playlists_and_other_files_are_refused_whatever_their_name(tmp_path: Path, contents: bytes) -> None:
    for name in ("video.mp4", "video.avi", "picture.png", "list.m3u8"):
        (tmp_path / name).write_bytes(contents)
        with pytest.raises(BadSource):
            _received(tmp_path / name)


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.new("1", (100, 100)).save(tmp_path / "large.png")
    monkeypatch.setattr(media, "MOST_PIXELS", 9_999)
    with pytest.raises(FileTooLarge):
        _received(tmp_path / "large.png")


@pytest.mark.parametrize("side", [10_000, 20_000])
def test_a_picture_that_would_unpack_to_hundreds_of_megabytes_is_refused(tmp_path: Path, side: int) -> None:
    header = b"IHDR" + struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    chunk = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    (tmp_path / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunk + bytes(30))
    with pytest.raises((BadSource, FileTooLarge)):
        _received(tmp_path / "bomb.png")


def test_a_folder_that_cannot_be_listed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "scandir", _fails(errno.EACCES))
    with pytest.raises(FileTrouble):
        _received(tmp_path)


@pytest.mark.parametrize("source", ["/dev/null", "/dev/zero"])
def test_a_device_that_is_no_camera_is_refused(source: str) -> None:
    with pytest.raises(BadSource):
        _received(source)


# --- video and camera -----------------------------------------------------------------------------


@pytest.mark.parametrize(("suffix", "codec"), [("avi", "MJPG"), ("mp4", "mp4v"), ("mkv", "mp4v")])
def test_a_video_crosses(tmp_path: Path, suffix: str, codec: str) -> None:
    path = tmp_path / f"video.{suffix}"
    _write_video(path, codec, _film())
    sealed, scans = _received(path)
    assert sealed == SEALED
    assert scans[-1].quality_percent > 60
    assert os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"].startswith("protocol_whitelist;file|")


def _write_video(path: Path, codec: str, shown: Film) -> None:
    cv2 = pytest.importorskip("cv2")
    numpy = pytest.importorskip("numpy")
    pages = [picture(shown.symbol(index), scale=5).convert("RGB") for index in range(shown.loop)]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), 10, pages[0].size)
    for page in pages:
        writer.write(numpy.array(page))
    writer.release()


def test_a_video_that_ends_too_early_says_what_is_missing(tmp_path: Path) -> None:
    _write_video(tmp_path / "video.avi", "MJPG", film(SEALED, Display(20)))
    whole = (tmp_path / "video.avi").read_bytes()
    (tmp_path / "cut.avi").write_bytes(whole[: len(whole) // 3])
    with pytest.raises((MessageIncomplete, BadSource)):
        _received(tmp_path / "cut.avi")


def test_a_playlist_behind_the_first_bytes_of_a_video_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("cv2")
    (tmp_path / "video.mp4").write_bytes(b"\0\0\0\x10ftypisom\0\0\0\0#EXTM3U\nhttp://127.0.0.1:9/a.ts\n")
    with pytest.raises(BadSource):
        _received(tmp_path / "video.mp4")


def test_without_opencv_videos_are_refused_with_a_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "video.mkv").write_bytes(b"\x1a\x45\xdf\xa3" + bytes(20))
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(VideoMissing) as refusal:
        _received(tmp_path / "video.mkv")
    assert "GIF" in refusal.value.hint


class _Camera:
    """A camera behind OpenCV's names: it shows a film, and nothing between two symbols."""

    def __init__(self, shown: Film, width: int = 1280) -> None:
        self.shown, self.width, self.at, self.released = shown, width, 0, False

    def set(self, *_: object) -> bool:
        return True

    def get(self, which: str) -> int:
        return self.width if which == "width" else 720

    def isOpened(self) -> bool:  # noqa: N802
        return self.shown.needed > 0

    def read(self) -> tuple[bool, Image.Image | None]:
        self.at += 1
        if self.at > 3 * self.shown.loop:
            return False, None
        if self.at % 3:
            return True, Image.new("L", (40, 40), 255)
        return True, picture(self.shown.symbol(self.at // 3)).convert("L")

    def release(self) -> None:
        self.released = True


def _plug_in(monkeypatch: pytest.MonkeyPatch, camera: _Camera) -> list[tuple[str, str]]:
    opened: list[tuple[str, str]] = []

    def open_it(path: str, backend: str) -> _Camera:
        opened.append((path, backend))
        return camera

    names = {"CAP_PROP_FOURCC": "fourcc", "CAP_PROP_FRAME_WIDTH": "width", "CAP_PROP_FRAME_HEIGHT": "height"}
    fake = SimpleNamespace(
        VideoCapture=open_it,
        VideoWriter_fourcc=lambda *letters: 0,
        CAP_V4L2="v4l2",
        COLOR_BGR2GRAY=None,
        cvtColor=lambda page, _: page,
        **names,
    )
    monkeypatch.setitem(sys.modules, "cv2", fake)
    monkeypatch.setattr(media, "_V4L_MAJOR", os.major(os.stat("/dev/null").st_rdev))
    monkeypatch.setattr(Image, "fromarray", lambda page: page)
    return opened


def test_a_camera_is_watched_until_the_message_is_whole_and_then_let_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    camera = _Camera(_film())
    opened = _plug_in(monkeypatch, camera)
    sealed, scans = _received("/dev/null")
    assert sealed == SEALED
    assert opened == [("/dev/null", "v4l2")]
    assert camera.released
    assert scans[-1].quality_percent == 33


def test_a_camera_that_stops_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    camera = _Camera(_film())
    camera.at = 3 * camera.shown.loop - 7
    _plug_in(monkeypatch, camera)
    with pytest.raises(MessageIncomplete, match="more needed"):
        _received("/dev/null")
    assert camera.released


def test_a_camera_with_too_many_pixels_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    camera = _Camera(_film(), width=1_000_000)
    _plug_in(monkeypatch, camera)
    with pytest.raises(FileTooLarge):
        _received("/dev/null")
    assert camera.released


def test_the_word_camera_means_the_first_one(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []

    def nothing_there(path: Path) -> None:
        looked.append(str(path))
        raise FileNotFoundError(errno.ENOENT, "No such file or directory")

    monkeypatch.setattr(os, "lstat", nothing_there)
    with pytest.raises(FileTrouble):
        _received("camera")
    assert looked == ["/dev/video0"]


def test_a_gif_plays_at_the_speed_of_the_display() -> None:
    page = picture(_film(b"short").symbol(0), scale=1)
    assert as_gif([page, picture(_film(b"other").symbol(0), scale=1)], 15) != as_gif([page, page], 5)
