"""UR version 2 against the published cases, and what is no such text: refused, however it is bent."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import encoding
from shared.errors import BadUr, ForeignLimits
from shared.transport import bytewords, ur
from shared.transport.bytewords import Style
from shared.transport.ur import Ur, UrPart
from shared.transport.ur_choice import Sampler, Xoshiro, chosen, degree, shuffled
from shared.transport.ur_fountain import (
    MOST_FRAGMENTS,
    MOST_MESSAGE_BYTES,
    Equations,
    Fountain,
    Message,
    Part,
    decode_part,
    fragment_bytes,
)
from tests.shared_vectors import PRESENT, cases, document, name_of

LEAST_FRAGMENT = 10  # what the reference implementation takes where a case names no least size

needs_vectors = pytest.mark.skipif(not PRESENT, reason="the shared vectors are missing")


def each(*kinds: str) -> pytest.MarkDecorator:
    """Run a test once for every case of some kinds."""
    return pytest.mark.parametrize("case", cases("qr.json", *kinds), ids=name_of)


def wolf(length: int) -> bytes:
    """Give the message that the cases name by its generator."""
    chance = Xoshiro(b"Wolf")
    return bytes(chance.below(256) for _ in range(length))


def fountain(message: bytes, most: int) -> Fountain:
    return Fountain(message, fragment_bytes(len(message), LEAST_FRAGMENT, most))


# --- the published cases ----------------------------------------------------------------------------


@needs_vectors
def test_every_kind_of_case_has_a_test() -> None:
    here = {"crc32", "bytewords", "bytewords_refused", "bytewords_paper", "xoshiro256", "fragment_length"}
    here |= {"random_sampler", "shuffle", "partition", "choose_degree", "choose_fragments", "xor"}
    here |= {"fountain_parts", "fountain_roundtrip", "ur_single", "ur_multipart", "ur_paper"}
    here |= {"ur_text", "ur_text_refused", "ur_multipart_text"}
    elsewhere = {"bbqr_header", "bbqr_split", "bbqr_real_scan", "pmofn"}
    assert set(document("qr.json")["counts"]) == here | elsewhere


@each("crc32")
def test_the_checksum_is_that_of_the_case(case: dict[str, Any]) -> None:
    assert bytewords.checksum(case["input_utf8"].encode()).hex() == case["crc32_be_hex"]


@each("bytewords", "bytewords_paper")
def test_bytewords_are_written_and_read_in_every_style(case: dict[str, Any]) -> None:
    plain = bytes.fromhex(case["bytes_hex"])
    for style in Style:
        text = case.get(style.name.lower())
        assert bytewords.decode(bytewords.encode(plain, style), style) == plain
        assert text in (None, bytewords.encode(plain, style))
    assert bytewords.checksum(plain).hex() == case.get("crc32", bytewords.checksum(plain).hex())


@each("bytewords_refused")
def test_bad_bytewords_are_refused(case: dict[str, Any]) -> None:
    with pytest.raises(BadUr):
        bytewords.decode(case["text"], Style[case["style"].upper()])


@each("xoshiro256")
def test_the_generator_draws_the_numbers_of_the_case(case: dict[str, Any]) -> None:
    seed = case["seed_utf8"].encode() if "seed_utf8" in case else bytewords.checksum(b"Wolf")
    chance = Xoshiro(seed)
    if case["op"].startswith("next_int"):
        drawn = [1 + chance.below(10) for _ in range(100)]
    else:
        drawn = [chance.draw() % 100 for _ in range(100)]
    assert drawn == case["expected"]


@each("random_sampler")
def test_the_sampler_draws_the_places_of_the_case(case: dict[str, Any]) -> None:
    sampler, chance = Sampler(case["probs"]), Xoshiro(case["seed_utf8"].encode())
    assert [sampler.draw(chance) for _ in range(case["n"])] == case["expected"]


@each("shuffle")
def test_the_shuffles_are_those_of_the_case(case: dict[str, Any]) -> None:
    chance, values = Xoshiro(case["seed_utf8"].encode()), case["values"]
    for expected in case["expected"]:
        assert [values[place] for place in shuffled(len(values), len(values), chance)] == expected


@each("fragment_length")
def test_the_fragment_length_is_that_of_the_case(case: dict[str, Any]) -> None:
    got = fragment_bytes(case["message_len"], case["min_fragment_len"], case["max_fragment_len"])
    assert got == case["expected"]


@each("partition")
def test_the_fragments_are_those_of_the_case(case: dict[str, Any]) -> None:
    fragments = Fountain(wolf(1024), fragment_bytes(1024, case["min"], case["max"])).fragments
    assert [each.hex() for each in fragments] == case["fragments_hex"]


@each("choose_degree")
def test_the_degrees_are_those_of_the_case(case: dict[str, Any]) -> None:
    drawn = [degree(case["seq_len"], Xoshiro(b"Wolf-%d" % nonce)) for nonce in range(1, 201)]
    assert drawn == case["expected"]


@each("choose_fragments")
def test_the_chosen_fragments_are_those_of_the_case(case: dict[str, Any]) -> None:
    crc = fountain(wolf(1024), 100).message.crc
    assert [sorted(chosen(seq, 11, crc)) for seq in range(1, 31)] == case["expected"]


@each("xor")
def test_a_frame_is_the_sum_of_the_case(case: dict[str, Any]) -> None:
    one, other = bytes.fromhex(case["data1"]), bytes.fromhex(case["data2"])
    both = Fountain(one + other, len(one))
    seq = next(seq for seq in range(3, 50) if len(chosen(seq, 2, both.message.crc)) == 2)
    assert both.part(seq).mixed.hex() == case["xor"]


@each("fountain_parts")
def test_the_parts_are_those_of_the_case(case: dict[str, Any]) -> None:
    source = fountain(wolf(256), case["max_fragment_len"])
    for seq, (cbor, words) in enumerate(zip(case["parts_cbor_hex"], case["parts_description"], strict=True), 1):
        part = source.part(seq)
        assert part.encode().hex() == cbor
        assert decode_part(bytes.fromhex(cbor)) == part
        assert f"checksum:{part.message.crc}, data:{part.mixed.hex()}" in words


@each("fountain_roundtrip")
def test_frames_from_a_late_one_on_give_the_message(case: dict[str, Any]) -> None:
    source = fountain(wolf(32767), case["max_fragment_len"])
    equations, seq = Equations(source.message), case["first_seq_num"]
    while equations.rank < source.message.count:
        assert equations.solved() is None
        equations.add(source.part(seq))
        seq += 1
    assert equations.solved() == wolf(32767)


@each("ur_single")
def test_a_single_ur_is_read_and_written(case: dict[str, Any]) -> None:
    text = case["ur"] if "ur" in case else case["text"]
    read = ur.parse(text)
    assert isinstance(read, Ur)
    assert ur.write(read) == text
    if "ur" in case:
        assert read == Ur("bytes", ur.wrap(wolf(50)))


@each("ur_paper")
def test_the_papers_ur_is_read_and_written(case: dict[str, Any]) -> None:
    seed = Ur(case["type"], bytes.fromhex(case["cbor_untagged_hex"]))
    assert ur.parse(case["ur"]) == ur.parse(case["ur"].upper()) == seed
    assert ur.write(seed) == case["ur"]


@each("ur_multipart")
def test_the_frames_of_a_ur_are_those_of_the_case(case: dict[str, Any]) -> None:
    source = fountain(ur.wrap(wolf(256)), case["max_fragment_len"])
    for seq, text in enumerate(case["parts"], 1):
        part = UrPart(case["type"], source.part(seq))
        assert ur.write(part) == text
        assert ur.parse(text) == part


@each("ur_text")
def test_a_ur_of_any_type_is_read(case: dict[str, Any]) -> None:
    read = ur.parse(case["text"])
    assert isinstance(read, Ur)
    assert read.cbor.hex() == case["payload_hex"]


@each("ur_multipart_text")
def test_a_frame_of_any_type_is_read(case: dict[str, Any]) -> None:
    read = ur.parse(case["text"])
    assert read == UrPart("my-scheme", Fountain(b"Ten chars!", 5).part(1))


@each("ur_text_refused")
def test_a_text_that_is_no_ur_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(BadUr):
        ur.parse(case["text"])


# --- what is bent -----------------------------------------------------------------------------------


def frame(*fields: encoding.Value, head: str = "1-2") -> str:
    """Write a frame's text around fields that need not make sense."""
    return f"ur:bytes/{head}/{bytewords.encode(encoding.encode(fields))}"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(frame(2, 2, 10, 0, bytes(5)), id="another_number_outside_refused"),
        pytest.param(frame(1, 3, 10, 0, bytes(4)), id="another_count_outside_refused"),
        pytest.param(frame(0, 2, 10, 0, bytes(5)), id="number_0_inside_refused"),
        pytest.param(frame(2**32, 2, 10, 0, bytes(5), head=f"{2**32}-2"), id="number_of_33_bits_refused"),
        pytest.param(frame(1, 2, 10, 2**32, bytes(5)), id="checksum_of_33_bits_refused"),
        pytest.param(frame(1, 2, 11, 0, bytes(5)), id="too_short_fragments_refused"),
        pytest.param(frame(1, 2, 5, 0, bytes(5)), id="needless_fragment_refused"),
        pytest.param(frame(1, 2, 10, 0), id="missing_data_refused"),
        pytest.param(frame(1, 2, 10, 0, bytes(5), 0), id="field_too_many_refused"),
        pytest.param(frame(1, 2, 10, 0, "text"), id="text_for_data_refused"),
        pytest.param(frame(True, 2, 10, 0, bytes(5)), id="truth_value_for_a_number_refused"),
        pytest.param(frame(1, 2, 10, [0], bytes(5)), id="nested_array_refused"),
        pytest.param(f"ur:bytes/1-2/{bytewords.encode(b'')}", id="empty_refused"),
        pytest.param(f"ur:bytes/1-2/{bytewords.encode(bytes([0x9F, 1, 255]))}", id="other_cbor_refused"),
        pytest.param(f"ur:bytes/{bytewords.encode(b'x')}a", id="odd_letters_refused"),
        pytest.param(f"ur:bytes/{bytewords.encode(b'x', Style.URI)}", id="long_words_refused"),
        pytest.param(frame(1, 2, 10, 0, bytes(5), head="01-2"), id="leading_zero_refused"),
        pytest.param(f"ur:bytes/{bytewords.encode(b'x')}".replace("k", "\u212a"), id="kelvin_sign_refused"),
        pytest.param(f"ur:bytes/{bytewords.encode(b'x')}\n", id="newline_refused"),
        pytest.param("ur:bytes/1of2/tydy/qqqq", id="version_1_refused"),
    ],
)
def test_a_bent_ur_is_refused(text: str) -> None:
    with pytest.raises(BadUr):
        ur.parse(text)


@pytest.mark.parametrize(
    ("count", "length"),
    [(5_000_000, 5_000_000), (MOST_FRAGMENTS + 1, MOST_FRAGMENTS + 1), (2, MOST_MESSAGE_BYTES + 1), (2, 0), (0, 10)],
)
def test_a_header_that_asks_for_too_much_or_nothing_is_refused(count: int, length: int) -> None:
    with pytest.raises(ForeignLimits):
        decode_part(encoding.encode((1, count, length, 0, b"x")))


@pytest.mark.parametrize(
    "cbor",
    [
        pytest.param(b"\x58\x01x", id="long_head_refused"),
        pytest.param(b"\x41", id="cut_refused"),
        pytest.param(b"\x41xy", id="trailing_refused"),
        pytest.param(b"\xd9\x01\x36\x41x", id="tag_refused"),
        pytest.param(b"\x61x", id="text_refused"),
        pytest.param(b"\x81\x41x", id="array_refused"),
        pytest.param(b"\x5f\x41x\xff", id="indefinite_refused"),
    ],
)
def test_what_is_not_one_byte_string_is_not_unwrapped(cbor: bytes) -> None:
    with pytest.raises(BadUr):
        ur.unwrap(cbor)


@given(st.binary(min_size=1, max_size=300), st.sampled_from(Style))
def test_bytewords_come_back(plain: bytes, style: Style) -> None:
    assert bytewords.decode(bytewords.encode(plain, style), style) == plain


@given(st.binary(min_size=1, max_size=60), st.integers(0), st.integers(0, 255))
def test_a_changed_word_is_never_read(plain: bytes, place: int, other: int) -> None:
    words = bytewords.encode(plain, Style.URI).split("-")
    place %= len(words)
    changed = bytewords.encode(bytes([other]), Style.URI).split("-")[0]
    if changed == words[place]:
        return
    with pytest.raises(BadUr):
        bytewords.decode("-".join([*words[:place], changed, *words[place + 1 :]]), Style.URI)


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    for tried in (text, f"ur:{text}", f"ur:bytes/{text}", f"ur:bytes/1-1/{text}"):
        try:
            assert ur.write(ur.parse(tried)) == tried.lower()
        except (BadUr, ForeignLimits):
            continue


@given(st.binary(min_size=1, max_size=2000), st.integers(1, 300))
def test_the_first_frames_are_the_fragments(message: bytes, size: int) -> None:
    source = Fountain(message, size)
    parts = [source.part(seq) for seq in range(1, source.message.count + 1)]
    assert [part.mixed for part in parts] == list(source.fragments)
    assert source.message.verified(b"".join(part.mixed for part in parts)) == message
    assert [decode_part(part.encode()) for part in parts] == parts


# --- showing ----------------------------------------------------------------------------------------


@given(st.integers(1, 20_000), st.integers(120, 2200))
def test_every_text_of_a_film_fits_its_symbol(length: int, letters: int) -> None:
    reel = ur.film("crypto-psbt", random.Random(length).randbytes(length), letters)
    for index in (0, reel.needed - 1, reel.needed, ur.MOST_SEQ - 1, ur.MOST_SEQ):
        assert len(reel.text(index)) <= letters
        assert reel.text(index).isupper()
    assert reel.needed <= max(1, length // 10)


def test_a_short_message_is_one_text_that_never_changes() -> None:
    reel = ur.film("bytes", ur.wrap(b"short"), 200)
    assert reel.needed == 1
    assert reel.text(0) == reel.text(7) == ur.write(Ur("bytes", ur.wrap(b"short"))).upper()


@pytest.mark.parametrize(
    ("length", "letters"), [(MOST_MESSAGE_BYTES + 1, 2000), (MOST_MESSAGE_BYTES, 300), (100, 40)]
)
def test_a_message_that_does_not_fit_is_not_shown(length: int, letters: int) -> None:
    with pytest.raises(ForeignLimits):
        ur.film("bytes", bytes(length), letters)


def test_nothing_is_not_cut_into_frames() -> None:
    with pytest.raises(BadUr):
        Fountain(b"", 10)


# --- solving ----------------------------------------------------------------------------------------


def test_elimination_needs_but_a_few_frames_more_than_there_are_fragments() -> None:
    source = Fountain(random.Random(3).randbytes(200_000), 1031)
    order = random.Random(4).sample(range(1, 2000), 600)
    equations, offered = Equations(source.message), 0
    while equations.rank < source.message.count:
        equations.add(source.part(order[offered]))
        offered += 1
    assert equations.solved() is not None
    assert offered < 1.6 * source.message.count  # one that waits for single fragments needs twice as many


def test_what_is_known_is_not_taken_twice() -> None:
    source = Fountain(bytes(range(30)), 10)
    equations = Equations(source.message)
    for seq in (1, 1, 2, 2, 3, 3, 4, 5):
        equations.add(source.part(seq))
    assert equations.rank == 3
    assert equations.solved() == bytes(range(30))


def test_a_frame_that_follows_from_the_others_tells_nothing() -> None:
    source = Fountain(bytes(range(30)), 10)
    equations = Equations(source.message)
    equations.add(source.part(1))
    again = next(seq for seq in range(4, 99) if chosen(seq, 3, source.message.crc) == {0})
    equations.add(source.part(again))
    assert equations.rank == 1


def test_padding_that_is_not_zero_is_refused() -> None:
    source = Fountain(b"four+1", 4)
    equations = Equations(source.message)
    equations.add(source.part(1))
    equations.add(Part(2, source.message, b"+1\0\1"))
    assert equations.solved() is None


def test_a_message_of_the_most_fragments_is_solved_in_bounded_time() -> None:
    message = random.Random(5).randbytes(MOST_FRAGMENTS * 10)
    source = Fountain(message, 10)
    equations = Equations(source.message)
    for seq in range(1, MOST_FRAGMENTS * 7 // 8):
        equations.add(source.part(seq))
    seq = MOST_FRAGMENTS
    while equations.solved() is None:
        seq += 1
        equations.add(source.part(seq))
    assert equations.solved() == message
    assert seq < 3 * MOST_FRAGMENTS


def test_a_message_with_another_checksum_is_none() -> None:
    assert Message(1, 1, 2**32 - 1, 1).verified(b"x") is None
