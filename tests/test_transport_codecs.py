"""Packing under a cap, and base45 as RFC 9285 writes it and nothing looser."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import BadFrame, BadPacking, FrameLimits
from shared.transport import base45
from shared.transport.frames import split
from shared.transport.message import Viewer
from shared.transport.pack import MOST_SEALED_BYTES, pack, unpack


@given(st.binary(max_size=3000))
def test_what_is_packed_is_unpacked(sealed: bytes) -> None:
    assert unpack(pack(sealed)) == sealed


def test_the_largest_message_is_packed_and_unpacked() -> None:
    assert unpack(pack(bytes(MOST_SEALED_BYTES))) == bytes(MOST_SEALED_BYTES)


def test_a_message_beyond_the_cap_is_not_packed() -> None:
    with pytest.raises(FrameLimits):
        pack(bytes(MOST_SEALED_BYTES + 1))


@pytest.mark.parametrize(
    "packed",
    [
        pytest.param(zlib.compress(bytes(200_000_000), 9), id="bomb_refused"),
        pytest.param(zlib.compress(bytes(MOST_SEALED_BYTES + 1)), id="one_byte_too_many_refused"),
        pytest.param(b"", id="nothing_refused"),
        pytest.param(b"not zlib at all", id="other_bytes_refused"),
        pytest.param(zlib.compress(b"sealed")[:-1], id="cut_refused"),
        pytest.param(zlib.compress(b"sealed") + b"\0", id="trailing_byte_refused"),
        pytest.param(zlib.compress(b"sealed") * 2, id="two_streams_refused"),
        pytest.param(zlib.compress(b"sealed")[:-1] + b"\0", id="wrong_checksum_refused"),
    ],
)
def test_what_is_not_one_message_under_the_cap_is_refused(packed: bytes) -> None:
    with pytest.raises(BadPacking):
        unpack(packed)


def test_a_whole_message_that_is_not_packed_is_refused() -> None:
    viewer = Viewer()
    viewer.take(base45.as_text(split(b"not packed", 100).frame(0)))
    assert viewer.progress().done
    with pytest.raises(BadPacking):
        viewer.message()


@pytest.mark.parametrize(
    ("plain", "text"),
    [
        (b"", ""),
        (b"AB", "BB8"),
        (b"Hello!!", "%69 VD92EX0"),
        (b"base-45", "UJCLQE7W581"),
        (b"ietf!", "QED8WEX0"),
    ],
)
def test_the_examples_of_the_standard(plain: bytes, text: str) -> None:
    assert base45.encode(plain) == text
    assert base45.decode(text) == plain


@given(st.binary(max_size=900))
def test_what_is_written_in_base45_is_read_again(plain: bytes) -> None:
    assert base45.from_text(base45.as_text(plain)) == plain
    assert base45.bytes_in(len(base45.as_text(plain))) == len(plain)


@given(st.text(alphabet=base45._ALPHABET, max_size=12))
def test_a_text_is_refused_or_is_the_one_text_of_its_bytes(text: str) -> None:
    try:
        plain = base45.decode(text)
    except BadFrame:
        return
    assert base45.encode(plain) == text


@pytest.mark.parametrize(
    "text", ["A", "BB8A", "GGW", ":::", "::", "V5", "bb8", "BB8\n", "BB_", "ÅB8", " B8 "]
)
def test_what_is_not_base45_is_refused(text: str) -> None:
    with pytest.raises(BadFrame):
        base45.decode(text)


def test_the_largest_groups_are_read() -> None:
    assert base45.decode("U5") == b"\xff"
    assert base45.decode("FGW") == b"\xff\xff"


@pytest.mark.parametrize("text", ["", "LG", "lg:BB8", "https://example.org", "ur:bytes/1-2/abcd", "LG:BB8A"])
def test_a_symbol_that_is_not_ours_is_counted_and_ignored(text: str) -> None:
    with pytest.raises(BadFrame):
        base45.from_text(text)
    progress = Viewer().take(text)
    expected = "bad-ur" if text.startswith("ur:") else "bad-frame"
    assert (progress.foreign, progress.last_refusal) == (1, expected)
