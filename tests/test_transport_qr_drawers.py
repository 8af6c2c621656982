"""Our symbols beside those of another drawer, the qrcode package: the same modules, read by both readers."""

from __future__ import annotations

import random
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from shared.transport.message import Viewer
from shared.transport.qr import draw
from tests.test_transport_qr import Reader, _film, both_readers

qrcode: Any = pytest.importorskip("qrcode")
LOW, ALPHANUMERIC, ANY_BYTES = qrcode.ERROR_CORRECT_L, qrcode.util.MODE_ALPHA_NUM, qrcode.util.MODE_8BIT_BYTE


@both_readers
@pytest.mark.parametrize("version", [15, 20, 27])
def test_symbols_of_another_drawer_are_read(reader: Reader, version: int) -> None:
    text = _film(version).text(7)
    assert reader(_drawn_by_qrcode(text, version)) == [text]


def _drawn_by_qrcode(text: str, version: int) -> Image.Image:
    other = qrcode.QRCode(version, LOW, box_size=4, border=4, mask_pattern=3)
    other.add_data(qrcode.util.QRData(text.encode(), mode=ALPHANUMERIC))
    other.make(fit=False)
    page = BytesIO()
    other.make_image().save(page)
    return Image.open(page).convert("L")


def test_our_modules_are_those_of_another_drawer_under_one_of_the_eight_masks() -> None:
    text = _film(20).text(3)
    ours = draw(text, 20)
    assert any(_modules_by_qrcode(text, mask) == ours.modules for mask in range(8))


def _modules_by_qrcode(text: str, mask: int) -> bytes:
    other = qrcode.QRCode(20, LOW, mask_pattern=mask, border=0)
    other.add_data(qrcode.util.QRData(text.encode(), mode=ALPHANUMERIC))
    other.make(fit=False)
    return bytes(int(module) for row in other.get_matrix() for module in row)


@both_readers
def test_a_symbol_of_others_with_any_bytes_is_read_as_some_text(reader: Reader) -> None:
    other = qrcode.QRCode(10)
    other.add_data(qrcode.util.QRData(random.Random(3).randbytes(200), mode=ANY_BYTES))
    page = BytesIO()
    other.make_image().save(page)
    (text,) = reader(Image.open(page).convert("L"))
    assert Viewer().take(text).foreign == 1
