"""QR symbols: text to modules to picture, and pictures back to texts.

Drawing is zxing-cpp's, a fixed version at level L with alphanumeric text; reading is zxing-cpp's
first and pyzbar's where it finds nothing, both told to look for QR codes alone. Pictures are
Pillow images in memory; this file opens nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from io import BytesIO

import zxingcpp
from PIL import Image

from shared.errors import BadDisplay
from shared.transport import base45

QUIET_MODULES = 4
LOWEST_VERSION, HIGHEST_VERSION = 15, 27
MOST_FPS = 15

# ISO 18004: letters of alphanumeric text that a symbol holds at level L.
_LETTERS = {
    15: 758, 16: 854, 17: 938, 18: 1046, 19: 1153, 20: 1249, 21: 1352,
    22: 1460, 23: 1588, 24: 1704, 25: 1853, 26: 1990, 27: 2132,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Display:
    """How dense and how fast frames are shown."""

    version: int = 20
    fps: int = 10

    def __post_init__(self) -> None:
        if not LOWEST_VERSION <= self.version <= HIGHEST_VERSION:
            raise BadDisplay(f"QR version {self.version} is not shown")
        if not 1 <= self.fps <= MOST_FPS:
            raise BadDisplay(f"{self.fps} frames a second are not shown")


@dataclass(frozen=True, slots=True)
class Symbol:
    """A QR symbol without its quiet zone: one byte a module, row by row, 1 = dark."""

    side: int
    modules: bytes

    def dark(self, row: int, column: int) -> bool:
        """Say whether a module is dark; everything outside the symbol is light."""
        inside = 0 <= row < self.side and 0 <= column < self.side
        return inside and self.modules[row * self.side + column] == 1


def side_of(version: int) -> int:
    """Say how many modules wide a symbol is."""
    return 17 + 4 * version


def capacity(version: int) -> int:
    """Say how many bytes of frame one symbol carries.

    Raises:
        BadDisplay: a version that Lockgate does not show.
    """
    return base45.bytes_in(_LETTERS[Display(version).version])


def draw(text: str, version: int) -> Symbol:
    """Draw the text of one frame, at exactly this version so that a film does not change its size.

    Raises:
        BadDisplay: the version is not shown, or the text does not fit it.
    """
    if len(text) > _LETTERS[Display(version).version]:
        raise BadDisplay(f"{len(text)} letters do not fit QR version {version}")
    drawn = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="L", version=version)
    pixels = memoryview(drawn.to_image(scale=1, add_quiet_zones=False))  # type: ignore[arg-type]
    modules = bytes(1 if pixel == 0 else 0 for pixel in pixels.tobytes())
    if pixels.shape != (side_of(version), side_of(version)):
        raise ValueError(f"the library drew {pixels.shape} for version {version}")
    return Symbol(side_of(version), modules)


def picture(symbol: Symbol, scale: int = 4) -> Image.Image:
    """Paint a symbol in black on white with its quiet zone, `scale` pixels a module."""
    size = (symbol.side, symbol.side)
    pixels = symbol.modules.translate(bytes([255, 0]) + bytes(254))
    whole = symbol.side + 2 * QUIET_MODULES
    canvas = Image.new("L", (whole, whole), 255)
    canvas.paste(Image.frombytes("L", size, pixels), (QUIET_MODULES, QUIET_MODULES))
    return canvas.resize((whole * scale, whole * scale), Image.Resampling.NEAREST).convert("1")


def as_png(page: Image.Image) -> bytes:
    """Write a picture as PNG."""
    file = BytesIO()
    page.save(file, "PNG")
    return file.getvalue()


def as_gif(pages: Iterable[Image.Image], fps: int) -> bytes:
    """Write pictures as a GIF that repeats without end; GIF counts in hundredths of a second."""
    file = BytesIO()
    first, *others = pages
    milliseconds = round(100 / fps) * 10
    first.save(file, "GIF", save_all=True, append_images=others, duration=milliseconds, loop=0)
    return file.getvalue()


def read(image: Image.Image) -> list[str]:
    """Read all QR symbols in a picture; the second reader looks where the first sees nothing."""
    grey = image.convert("L")
    for _, reader in _readers():
        texts = reader(grey)
        if texts:
            return texts
    return []


def readers() -> tuple[str, ...]:
    """Name the readers that work on this machine, in their order."""
    return tuple(name for name, _ in _readers())


_Reader = Callable[[Image.Image], list[str]]


@cache
def _readers() -> tuple[tuple[str, _Reader], ...]:
    return (("zxing-cpp", read_with_zxing), *_second_reader())


def _second_reader() -> Iterator[tuple[str, _Reader]]:
    try:
        # Loads the system's libzbar, which may be missing.
        import pyzbar.pyzbar  # noqa: F401
    except (ImportError, OSError):
        return
    yield "pyzbar", read_with_pyzbar


def read_with_zxing(image: Image.Image) -> list[str]:
    """Read with zxing-cpp."""
    only_qr = zxingcpp.barcode_formats_from_str("QRCode")
    found = zxingcpp.read_barcodes(image, formats=only_qr, text_mode=zxingcpp.TextMode.Plain)
    return [each.text for each in found]


def read_with_pyzbar(image: Image.Image) -> list[str]:
    """Read with pyzbar, for QR only: asked for all kinds, it takes four times as long."""
    from pyzbar import pyzbar

    found = pyzbar.decode(image, symbols=[pyzbar.ZBarSymbol.QRCODE])
    # zbar guesses at character sets; our own frames are plain letters, the rest is nobody's.
    return [each.data.decode("ascii", "replace") for each in found]
