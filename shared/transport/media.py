"""Files, pictures, videos and cameras: the one file of `shared` that touches the world.

Files are written whole or not at all and read once, through one open descriptor that is checked
after opening, so that a path swapped meanwhile changes nothing. Pictures come from a local plain
file, a folder of them or a V4L camera, and from nothing else: no library is ever handed a name
that it could take for a URL, a playlist or a pattern.
"""

from __future__ import annotations

import errno
import os
import stat
import struct
import tempfile
import time
import warnings
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager, suppress
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any

from PIL import Image, ImageSequence

from shared.errors import (
    BadSource,
    DiskFull,
    FileExists,
    FileTooLarge,
    FileTrouble,
    NotAPlainFile,
    Refusal,
    VideoMissing,
)
from shared.transport.message import Reel, Scan, watch
from shared.transport.qr import as_gif, as_png, picture

MOST_FILE_BYTES = 16 * 1024 * 1024
MOST_PICTURE_BYTES = 64 * 1024 * 1024
MOST_PIXELS = 40_000_000
MOST_PICTURES = 100_000

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}
_PICTURE_FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP")
_PICTURE_SUFFIXES = {".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp"}
# What Pillow is known to raise on damaged pictures, beside its own errors.
_DAMAGED = (
    OSError, SyntaxError, ValueError, EOFError, TypeError, IndexError, KeyError, OverflowError,
    struct.error, zlib.error, Image.DecompressionBombError, Image.DecompressionBombWarning,
)  # fmt: skip
_UNREADABLE = Image.new("L", (1, 1), 255)
_V4L_MAJOR = 81
# OpenCV hands these to FFmpeg: whatever a container refers to, only files and these three formats.
_FFMPEG_BOUNDS = "protocol_whitelist;file|format_whitelist;mov,matroska,avi"


# --- files ----------------------------------------------------------------------------------------


def read_file(path: Path, most_bytes: int = MOST_FILE_BYTES) -> bytes:
    """Read a plain file once and whole.

    Raises:
        NotAPlainFile: a link, folder, pipe or device.
        FileTooLarge: more than `most_bytes`.
        FileTrouble: missing, forbidden or failing.
    """
    with _opened(path) as descriptor:
        return _contents(descriptor, path, most_bytes)


def write_file(path: Path, contents: bytes, *, overwrite: bool = False, mode: int = 0o600) -> None:
    """Write a file so that its name holds all of the contents or nothing, also after a power cut.

    `mode` widens who may read it, where the medium knows of such things.

    Raises:
        FileExists: the name is taken and `overwrite` was not said.
        DiskFull: no room; nothing is left behind.
        FileTrouble: forbidden, missing folder, failing medium.
    """
    try:
        _write_beside(path, contents, overwrite=overwrite, mode=mode)
        _sync_folder(path.parent)
    except FileExistsError as error:
        raise FileExists(f"{path} exists already") from error
    except OSError as error:
        raise _trouble(error, path) from error


def _write_beside(path: Path, contents: bytes, *, overwrite: bool, mode: int) -> None:
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file:
            if mode != 0o600:
                with suppress(PermissionError):  # FAT has no modes
                    os.fchmod(file.fileno(), mode)
            file.write(contents)
            file.flush()
            os.fsync(file.fileno())
        if overwrite:
            os.replace(temporary, path)
        else:
            _name_once(temporary, path)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(temporary)


def _name_once(temporary: str, path: Path) -> None:
    try:
        os.link(temporary, path)  # unlike a rename, this never replaces what is there
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # FAT, the usual format of memory sticks, has no links: look, then rename.
        if os.path.lexists(path):
            raise FileExistsError(path) from error
        os.rename(temporary, path)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    # No links followed, no waiting on pipes; what was opened is judged, not what the name says.
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.ENXIO}:
            raise NotAPlainFile(f"{path} is a link or no file") from error
        raise _trouble(error, path) from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise NotAPlainFile(f"{path} is not a plain file")
        yield descriptor
    finally:
        os.close(descriptor)


def _contents(descriptor: int, path: Path, most_bytes: int) -> bytes:
    try:
        with os.fdopen(os.dup(descriptor), "rb") as file:
            contents = file.read(most_bytes + 1)
    except OSError as error:
        raise _trouble(error, path) from error
    if len(contents) > most_bytes:
        raise FileTooLarge(f"{path} is larger than {most_bytes} bytes")
    return contents


def _trouble(error: OSError, path: Path) -> Refusal:
    if error.errno in _NO_ROOM:
        return DiskFull(f"no room for {path}")
    return FileTrouble(f"{path}: {error.strerror or error}")


# --- pictures out ---------------------------------------------------------------------------------


def write_pngs(film: Reel, folder: Path, *, scale: int = 4) -> list[Path]:
    """Write a loop of symbols as PNG files into a folder, which is made when missing.

    Raises:
        FileExists: pictures of an earlier message are in the folder.
        DiskFull: no room for all of them.
        FileTrouble: the folder cannot be made or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _trouble(error, folder) from error
    paths = [folder / f"frame-{index:04}.png" for index in range(film.loop)]
    for index, path in enumerate(paths):
        write_file(path, as_png(picture(film.symbol(index), scale)))
    return paths


def write_gif(film: Reel, path: Path, *, scale: int = 4, overwrite: bool = False) -> None:
    """Write a loop of symbols as one endless GIF at the film's speed.

    Raises:
        FileExists: the name is taken and `overwrite` was not said.
        DiskFull: no room.
        FileTrouble: the file cannot be written.
    """
    pages = (picture(film.symbol(index), scale) for index in range(film.loop))
    write_file(path, as_gif(pages, film.display.fps), overwrite=overwrite)


# --- pictures in ----------------------------------------------------------------------------------


def receive(
    source: str,
    on_progress: Callable[[Scan], None],
    *,
    timeout_seconds: float = 300,
    clock: Callable[[], float] = time.monotonic,
) -> bytes:
    """Watch a source until a message is whole, a sealed one or another wallet's, and return it.

    Raises:
        MessageIncomplete: the source ended or time ran out first; it says what is missing.
        BadPacking: a message came through and is none of ours.
        BadSource: not a source of pictures; further kinds as `images` says.
    """
    deadline = clock() + timeout_seconds
    with closing(images(source)) as pages:
        return watch(pages, on_progress, time_left=lambda: clock() < deadline)


def images(source: str) -> Generator[Image.Image, None, None]:
    """Yield the pictures of a folder, a picture, an animated GIF, a video file or a camera.

    Raises:
        BadSource: a URL, a playlist, a damaged picture, an unknown kind, no camera.
        NotAPlainFile: a link or a pipe.
        FileTooLarge: a picture beyond the limits.
        FileTrouble: missing or forbidden.
        VideoMissing: a video or camera, and OpenCV is not installed.
    """
    if not source or "://" in source or "\0" in source:
        raise BadSource("only local files and cameras are opened")
    path = Path("/dev/video0" if source == "camera" else source)
    yield from islice(_pages(path), MOST_PICTURES)


def _pages(path: Path) -> Iterator[Image.Image]:
    try:
        mode = os.lstat(path).st_mode
    except OSError as error:
        raise _trouble(error, path) from error
    if stat.S_ISDIR(mode):
        return _folder(path)
    if stat.S_ISCHR(mode):
        return _camera(path)
    return _file(path)


def _folder(folder: Path) -> Iterator[Image.Image]:
    try:
        names = sorted(entry.name for entry in os.scandir(folder) if _is_picture(entry))
    except OSError as error:
        raise _trouble(error, folder) from error
    for name in names:
        try:
            yield from _file(folder / name)
        except BadSource:
            yield _UNREADABLE  # one damaged picture among many counts as one without a symbol


def _is_picture(entry: os.DirEntry[str]) -> bool:
    return Path(entry.name).suffix.lower() in _PICTURE_SUFFIXES and entry.is_file(follow_symlinks=False)


def _file(path: Path) -> Iterator[Image.Image]:
    with _opened(path) as descriptor:
        start = os.pread(descriptor, 12, 0)
        if _is_video(start):
            yield from _video(descriptor, path)
        else:
            yield from _pictures(_contents(descriptor, path, MOST_PICTURE_BYTES), path)


def _is_video(start: bytes) -> bool:
    """Recognise MP4 and MOV, Matroska and WebM, AVI; a list of other names is none of them."""
    matroska = start.startswith(b"\x1a\x45\xdf\xa3")
    return matroska or start[4:8] == b"ftyp" or (start[:4] == b"RIFF" and start[8:] == b"AVI ")


def _pictures(contents: bytes, path: Path) -> Iterator[Image.Image]:
    try:
        with _unpacked(contents) as opened:
            _check_pixels(opened.width, opened.height, path)
            for page in ImageSequence.Iterator(opened):
                yield page.convert("L")
    except _DAMAGED as error:
        raise BadSource(f"{path} is no picture or video that is read here, or is damaged") from error


def _unpacked(contents: bytes) -> Image.Image:
    with warnings.catch_warnings():
        # Pillow only warns of pictures that are somewhat too large; here they end.
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        return Image.open(BytesIO(contents), formats=_PICTURE_FORMATS)


def _check_pixels(width: float, height: float, path: Path) -> None:
    if width * height > MOST_PIXELS:
        raise FileTooLarge(f"{path} has pictures of more than {MOST_PIXELS} pixels")


def _video(descriptor: int, path: Path) -> Iterator[Image.Image]:
    cv2 = _opencv()
    os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = _FFMPEG_BOUNDS
    # The descriptor, not the name: the file whose first bytes were looked at is the one played.
    player = cv2.VideoCapture(f"/proc/self/fd/{descriptor}", cv2.CAP_FFMPEG)
    yield from _played(cv2, player, path)


def _camera(path: Path) -> Iterator[Image.Image]:
    if os.major(os.lstat(path).st_rdev) != _V4L_MAJOR:
        raise BadSource(f"{path} is no camera")
    cv2 = _opencv()
    player = cv2.VideoCapture(str(path), cv2.CAP_V4L2)
    player.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter_fourcc(*"MJPG"))
    player.set(cv2.CAP_PROP_FRAME_WIDTH, 1280)
    player.set(cv2.CAP_PROP_FRAME_HEIGHT, 720)
    yield from _played(cv2, player, path)


def _played(cv2: Any, player: Any, path: Path) -> Iterator[Image.Image]:
    try:
        if not player.isOpened():
            raise BadSource(f"{path} could not be played")
        size = player.get(cv2.CAP_PROP_FRAME_WIDTH), player.get(cv2.CAP_PROP_FRAME_HEIGHT)
        _check_pixels(*size, path)
        while True:
            there, page = player.read()
            if not there:
                return
            yield Image.fromarray(cv2.cvtColor(page, cv2.COLOR_BGR2GRAY))
    finally:
        player.release()


def _opencv() -> Any:
    try:
        import cv2  # large and optional, so loaded only when a video or a camera is asked for
    except ImportError as error:
        raise VideoMissing("OpenCV is not installed") from error
    return cv2
