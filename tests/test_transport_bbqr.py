"""BBQr against the published cases and against hostile parts; the numbered parts of Specter and Krux."""

from __future__ import annotations

import base64
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import BadBbqr, BadNumbered, ForeignLimits
from shared.transport import bbqr, numbered
from shared.transport.bbqr import MOST_FILE_BYTES, MOST_PARTS, Header
from tests.shared_vectors import cases, name_of

# ISO 18004: letters of alphanumeric text at level L, for the versions that the cases name.
LETTERS = {13: 619, 15: 758, 16: 854, 17: 938, 19: 1153, 21: 1352, 22: 1460, 23: 1588, 24: 1704, 26: 1990, 27: 2132}

# A file that is given by its hash alone can not be deflated; its length says how it is split otherwise.
SPLITS = [
    pytest.param(case, encoding, id=f"{name_of(case)}-{encoding}")
    for case in cases("qr.json", "bbqr_split")
    for encoding in ("H2Z" if "raw_hex" in case else "H2")
]


def joined(texts: list[str] | tuple[str, ...]) -> bytes:
    """Read texts in any order, doubles among them, and join them."""
    parts = [bbqr.parse(text) for text in texts]
    assert len({part.header for part in parts}) == 1
    return bbqr.join(parts[0].header, {part.index: part.contents for part in parts})


# --- the published cases ----------------------------------------------------------------------------


@pytest.mark.parametrize("case", cases("qr.json", "bbqr_header"), ids=name_of)
def test_the_headers_of_the_paper_are_read(case: dict[str, Any]) -> None:
    assert case["max_parts"] == MOST_PARTS
    part = bbqr.parse(case["header"] + "00")
    assert (part.header, part.index) == (Header("H", "P", 3), int(case["header"][-1]))
    assert (str(part.header), part.header.kind) == (case["header"][:6], "PSBT")


@pytest.mark.parametrize(("case", "encoding"), SPLITS)
def test_a_file_is_split_as_the_case_says_and_joined_again(case: dict[str, Any], encoding: str) -> None:
    expected = case[f"split_{encoding}"]
    contents = bytes.fromhex(case.get("raw_hex", "00" * case["len"]))
    texts = bbqr.split(contents, case["file_type"], LETTERS[expected["version"]], encoding)
    assert (len(texts), texts[0][:8]) == (expected["n_parts"], expected["first_header"])
    assert joined(texts) == contents
    if "parts" in expected:
        assert joined(expected["parts"]) == contents
    if "parts" in expected and encoding != "Z":  # builds of zlib may differ
        assert list(texts) == expected["parts"]


@pytest.mark.parametrize("case", cases("qr.json", "bbqr_real_scan"), ids=name_of)
def test_a_real_scan_is_joined(case: dict[str, Any]) -> None:
    contents = joined(case["parts"])
    assert (len(contents), sha256(contents).hexdigest()) == (case["decoded_len"], case["decoded_sha256"])


@pytest.mark.parametrize("case", cases("qr.json", "pmofn"), ids=name_of)
def test_numbered_parts_are_joined(case: dict[str, Any]) -> None:
    parts = [numbered.parse(text) for text in case["examples"]]
    assert {part.count for part in parts} == {3}
    assert numbered.join(3, {part.index: part.letters for part in parts}) == "AAABBBCCC"


# --- there and back ---------------------------------------------------------------------------------


@given(st.binary(min_size=1, max_size=2_000), st.sampled_from(["H", "2", "Z", None]), st.integers(40, 500))
def test_what_is_split_is_joined(contents: bytes, encoding: str | None, letters: int) -> None:
    texts = bbqr.split(contents, "T", letters, encoding)
    assert max(map(len, texts)) <= letters
    assert joined([*reversed(texts), *texts]) == contents


def test_the_shorter_encoding_is_chosen() -> None:
    assert bbqr.split(bytes(500), "P", 200)[0].startswith("B$Z")
    assert bbqr.split(sha256(b"").digest(), "P", 200)[0].startswith("B$2")


@pytest.mark.parametrize(
    ("length", "letters"), [(MOST_FILE_BYTES + 1, 4296), (MOST_PARTS * 5 + 1, 16), (100, 15), (100, 5)]
)
def test_a_file_that_does_not_fit_is_not_split(length: int, letters: int) -> None:
    with pytest.raises(ForeignLimits):
        bbqr.split(bytes(length), "P", letters, "2")


def test_the_most_parts_are_numbered_in_two_digits() -> None:
    texts = bbqr.split(bytes(MOST_PARTS * 5), "P", 16, "2")
    assert (len(texts), texts[-1][:8]) == (MOST_PARTS, "B$2PZZZY")
    assert joined(texts) == bytes(MOST_PARTS * 5)


def test_nothing_is_not_split() -> None:
    with pytest.raises(BadBbqr):
        bbqr.split(b"", "P", 100)


# --- what is refused --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty_refused"),
        pytest.param("B$HP0100", id="no_contents_refused"),
        pytest.param("B$HP0100AB\n", id="newline_refused"),
        pytest.param("B$HP0100ab", id="small_hex_refused"),
        pytest.param("b$HP0100AB", id="small_head_refused"),
        pytest.param("B$HP01000", id="half_a_byte_refused"),
        pytest.param("B$HP0100XY", id="no_hex_refused"),
        pytest.param("B$2P0100A", id="one_letter_refused"),
        pytest.param("B$2P0100AB", id="spare_bits_refused"),
        pytest.param("B$2P0100A1", id="no_base32_refused"),
        pytest.param("B$2P0100AA======", id="padding_refused"),
        pytest.param("B$QP0100AB", id="other_encoding_refused"),
        pytest.param("B$H-0100AB", id="other_type_refused"),
        pytest.param("B$HP0000AB", id="no_parts_refused"),
        pytest.param("B$HP0101AB", id="part_beyond_the_count_refused"),
        pytest.param("B$HP01 0AB", id="blank_number_refused"),
    ],
)
def test_what_is_no_part_is_refused(text: str) -> None:
    with pytest.raises(BadBbqr):
        bbqr.parse(text)


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param({0: b"ab", 1: b"ab"}, id="missing_part_refused"),
        pytest.param({0: b"ab", 1: b"a", 2: b"ab"}, id="short_part_in_the_middle_refused"),
        pytest.param({0: b"ab", 1: b"ab", 2: b"abc"}, id="long_last_part_refused"),
        pytest.param({1: b"ab", 2: b"ab", 3: b"a"}, id="parts_from_1_refused"),
    ],
)
def test_parts_that_do_not_make_a_file_are_refused(parts: dict[int, bytes]) -> None:
    with pytest.raises(BadBbqr):
        bbqr.join(Header("2", "P", 3), parts)


DEFLATED = bbqr._deflated(b"contents " * 9)


@pytest.mark.parametrize(
    "stream",
    [
        pytest.param(DEFLATED[:-1], id="cut_refused"),
        pytest.param(DEFLATED + b"\0", id="trailing_byte_refused"),
        pytest.param(b"\xff" * 9, id="no_stream_refused"),
        pytest.param(b"\x78\x9c" + DEFLATED, id="zlib_header_refused"),
    ],
)
def test_a_stream_that_is_not_one_file_is_refused(stream: bytes) -> None:
    with pytest.raises(BadBbqr):
        bbqr.join(Header("Z", "P", 1), {0: stream})


@pytest.mark.parametrize(
    ("encoding", "contents"),
    [
        pytest.param("Z", bbqr._deflated(bytes(200_000_000)), id="bomb_refused"),
        pytest.param("Z", bbqr._deflated(bytes(MOST_FILE_BYTES + 1)), id="one_byte_too_many_refused"),
        pytest.param("2", bytes(MOST_FILE_BYTES + 1), id="too_much_refused"),
    ],
)
def test_a_file_beyond_the_cap_is_refused(encoding: str, contents: bytes) -> None:
    with pytest.raises(ForeignLimits):
        bbqr.join(Header(encoding, "P", 1), {0: contents})


def test_the_largest_file_is_joined() -> None:
    largest = bytes(MOST_FILE_BYTES)
    assert bbqr.join(Header("Z", "P", 1), {0: bbqr._deflated(largest)}) == largest


@pytest.mark.parametrize(
    "text",
    ["", "p1of3", "p1of3 ", "p0of3 A", "p4of3 A", "p01of3 A", "p1of100 A", "p1of3  A", "p1of3 A B", "P1OF3 A"],
)
def test_what_is_no_numbered_part_is_refused(text: str) -> None:
    with pytest.raises(BadNumbered):
        numbered.parse(text)


def test_numbered_parts_must_all_be_there() -> None:
    with pytest.raises(BadNumbered):
        numbered.join(2, {0: "AAA"})


@given(st.binary(max_size=100))
def test_base64_has_one_form(contents: bytes) -> None:
    letters = base64.b64encode(contents).decode()
    assert numbered.from_base64(letters) == contents
    with pytest.raises(BadNumbered):
        numbered.from_base64(letters + "=")
