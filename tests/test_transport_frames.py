"""Frames of the fountain code and what collects them: losses, strangers, forgeries and hostile headers.

Everything here is bytes in memory with fixed seeds; each draw loses frames at random and shuffles the rest.
"""

from __future__ import annotations

import random
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import BadFrame, FrameLimits
from shared.transport import collector as collecting
from shared.transport import gf256
from shared.transport.collector import MOST_TRANSFERS, Collector, Progress
from shared.transport.frames import (
    HEADER_BYTES,
    MOST_FRAGMENTS,
    MOST_INDEX,
    MOST_MESSAGE_BYTES,
    Frame,
    FrameSet,
    Transfer,
    decode_frame,
    encode_frame,
    split,
)
from shared.transport.message import Viewer, film
from shared.transport.qr import Display


def _message(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


def _fed(frames: list[bytes]) -> Collector:
    collector = Collector()
    for frame in frames:
        collector.add(frame)
    return collector


def _header(count: int, length: int, version: int = 1, index: int = 0) -> bytes:
    return (
        bytes([version])
        + b"transfer"
        + length.to_bytes(3, "big")
        + count.to_bytes(2, "big")
        + index.to_bytes(3, "big")
    )


# --- the field ------------------------------------------------------------------------------------


def test_every_number_but_zero_times_its_inverse_is_one() -> None:
    for value in range(1, 256):
        assert gf256.scaled(bytes([value]), gf256.inverse(value)) == b"\x01"


def test_multiplication_distributes_over_addition() -> None:
    for factor in range(256):
        left = gf256.as_number(b"\x53\x01", factor) ^ gf256.as_number(b"\xca\xff", factor)
        assert left == gf256.as_number(bytes([0x53 ^ 0xCA, 0x01 ^ 0xFF]), factor)


# --- splitting and collecting ---------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=1, max_size=900), st.integers(33, 120), st.randoms(use_true_random=False))
def test_any_message_comes_back_from_any_frames_in_any_order(
    message: bytes, capacity: int, lots: random.Random
) -> None:
    frames = split(message, capacity)
    count = frames.transfer.count
    indexes = lots.sample(range(3 * count + 8), count + 6)
    collector = _fed([frames.frame(index) for index in indexes])
    assert collector.message == message
    assert len(frames.frame(0)) == len(frames.frame(10_000)) <= capacity


def test_the_first_frames_are_the_fragments_themselves() -> None:
    message = _message(500)
    frames = split(message, 100)
    plain = b"".join(frames.frame(index)[HEADER_BYTES:] for index in range(frames.transfer.count))
    assert plain[: len(message)] == message


def test_frames_do_not_change_between_releases() -> None:
    frames = split(bytes(range(100)), 60)
    seen = sha256(b"".join(frames.frame(index) for index in (0, 1, 2, 3, 70_000))).hexdigest()
    assert seen == "8cdf6f052b4f294e135551c96cf4386809730a989a68c016c042adcf773dd552"
    assert frames.frame(70_000)[:HEADER_BYTES].hex() == "01bce0aff19cf5aa6a0000640003011170"


@pytest.mark.parametrize("loss_percent", [0, 10, 30, 50, 70, 90])
@pytest.mark.parametrize("count", [1, 3, 13])
def test_two_frames_more_than_needed_are_enough_in_999_of_1000_draws(loss_percent: int, count: int) -> None:
    lots = random.Random(loss_percent * 100 + count)
    failures = sum(not _whole_after(lots, count, loss_percent) for _ in range(1000))
    assert failures <= 1


def _whole_after(lots: random.Random, count: int, loss_percent: int) -> bool:
    frames, collector, index, arrived = split(lots.randbytes(17 * count), 34), Collector(), 0, 0
    while arrived < count + 2:
        if lots.randrange(100) >= loss_percent:
            collector.add(frames.frame(index))
            arrived += 1
        index += 1
    return collector.message is not None


def test_a_large_message_needs_two_more_frames_at_most() -> None:
    lots = random.Random(4)
    frames = split(lots.randbytes(90_000), 830)
    indexes = lots.sample(range(500), frames.transfer.count + 2)
    collector = _fed([frames.frame(index) for index in indexes])
    assert collector.message is not None


def test_300_lossy_shuffled_doubled_mixed_sessions_come_through_right_or_not_at_all() -> None:
    lots = random.Random(2026)
    through = 0
    for _ in range(300):
        mine = lots.randbytes(lots.randrange(40, 6000))
        shown = lots.choice([0.6, 1.0, 1.6, 2.2])
        result = _session(lots, mine, shown)
        assert result in (mine, None)
        through += result == mine
    assert through > 150


def _session(lots: random.Random, mine: bytes, shown: float) -> bytes | None:
    """Show a message and half of another one, lose 30 %, double and shuffle, and return what came through."""
    own, other = film(mine, Display(15)), film(lots.randbytes(7000), Display(15))
    texts = [own.text(index) for index in range(int(own.needed * shown) + 2)]
    texts += [other.text(index) for index in range(other.needed // 2)]
    texts = [text for text in texts if lots.random() >= 0.3]
    texts += lots.sample(texts, len(texts) // 3)
    lots.shuffle(texts)
    viewer = Viewer()
    for text in texts:
        viewer.take(text)
    return viewer.message()


def test_progress_names_the_transfer_and_counts_what_is_missing() -> None:
    frames = split(_message(300), 100)
    collector = Collector()
    assert collector.progress() == Progress()
    collector.add(frames.frame(0))
    collector.add(frames.frame(0))
    progress = collector.add(frames.frame(2))
    assert (progress.had, progress.count, progress.needed) == (2, 4, 2)
    assert frames.transfer.id.hex().startswith(progress.transfer or "none")
    assert not progress.done


def test_frames_after_the_last_needed_change_nothing() -> None:
    frames, other = split(_message(300), 100), split(_message(300, 2), 100)
    collector = _fed([frames.frame(index) for index in range(4)])
    collector.add(frames.frame(9))
    progress = collector.add(other.frame(0))
    assert progress.done
    assert progress.needed == 0
    assert progress.foreign == 1
    assert collector.message == _message(300)


def test_a_drawn_row_of_zeros_is_replaced() -> None:
    transfer = split(b"x" * 16, 40).transfer
    assert all(transfer.coefficients(index) != b"\0" for index in range(2000))


def test_a_frame_that_tells_nothing_new_is_not_counted() -> None:
    frames = split(b"x" * 30, 40)
    collector = Collector()
    transfer = frames.transfer
    collector.add(frames.frame(0))
    dull = next(index for index in range(2, 5000) if transfer.coefficients(index)[1] == 0)
    assert collector.add(frames.frame(dull)).had == 1


# --- strangers, forgeries, floods -----------------------------------------------------------------


def test_foreign_frames_are_counted_and_never_fatal() -> None:
    mine, other = split(_message(300), 100), split(_message(900, 2), 100)
    collector = Collector()
    for index in range(3):
        collector.add(mine.frame(index))
        collector.add(other.frame(index))
    progress = collector.add(b"https://example.org")
    assert progress.foreign == 4
    assert progress.last_refusal == "bad-frame"
    assert collector.add(mine.frame(3)).done
    assert collector.message == _message(300)


@pytest.mark.parametrize("forged_index", [0, 3, 77])
def test_a_forged_frame_spoils_one_attempt_only(forged_index: int) -> None:
    frames = split(_message(300), 100)
    forged = bytearray(frames.frame(forged_index))
    forged[-1] ^= 1
    collector = _fed([bytes(forged), *(frames.frame(index) for index in range(10, 13))])
    progress = collector.progress()
    assert progress.spoiled == 1
    assert progress.had == 0
    assert collector.message is None
    for index in range(4):
        collector.add(frames.frame(index))
    assert collector.message == _message(300)


def test_a_forged_size_is_another_transfer() -> None:
    frames = split(_message(300), 100)
    true = frames.transfer
    liar = Transfer(true.id, true.length, 3)
    forged = encode_frame(Frame(liar, 0, bytes(liar.fragment_bytes)))
    collector = _fed([forged, *(frames.frame(index) for index in range(4))])
    assert collector.message == _message(300)


def test_a_flood_of_strangers_cannot_push_out_the_most_advanced() -> None:
    mine = split(_message(300), 100)
    collector = Collector()
    for index in range(3):
        collector.add(mine.frame(index))
    for seed in range(200):
        collector.add(split(_message(300, 100 + seed), 100).frame(0))
    assert len(collector._open) == MOST_TRANSFERS
    assert collector.add(mine.frame(3)).done
    assert collector.message == _message(300)


def test_the_most_transfers_at_once_are_bounded_by_evicting_the_oldest_of_the_least() -> None:
    sets = [split(_message(300, seed), 100) for seed in range(MOST_TRANSFERS + 1)]
    collector = _fed([each.frame(0) for each in sets])
    assert sets[0].transfer not in collector._open
    assert sets[-1].transfer in collector._open


# --- hostile headers ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoded", "kind"),
    [
        pytest.param(b"", BadFrame, id="empty_refused"),
        pytest.param(_header(1, 16)[:-1], BadFrame, id="cut_header_refused"),
        pytest.param(_header(1, 16, version=2) + bytes(16), BadFrame, id="other_version_refused"),
        pytest.param(_header(1, 16) + bytes(15), BadFrame, id="cut_fragment_refused"),
        pytest.param(_header(1, 16) + bytes(17), BadFrame, id="trailing_byte_refused"),
        pytest.param(_header(0, 16), FrameLimits, id="no_fragments_refused"),
        pytest.param(_header(1, 0), FrameLimits, id="no_length_refused"),
        pytest.param(_header(65535, 65535) + bytes(1), FrameLimits, id="too_many_fragments_refused"),
        pytest.param(
            _header(MOST_FRAGMENTS + 1, MOST_FRAGMENTS + 1) + b"x", FrameLimits, id="one_too_many_refused"
        ),
        pytest.param(_header(1000, 2**24 - 1) + bytes(16778), FrameLimits, id="too_long_refused"),
        pytest.param(_header(6, 10) + bytes(2), BadFrame, id="empty_fragments_refused"),
    ],
)
def test_hostile_headers_are_refused_and_ignored(encoded: bytes, kind: type[BadFrame | FrameLimits]) -> None:
    with pytest.raises(kind) as refusal:
        decode_frame(encoded)
    progress = Collector().add(encoded)
    assert progress.foreign == 1
    assert progress.last_refusal == refusal.value.code


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60))
def test_random_bytes_are_refused_or_encode_to_themselves(encoded: bytes) -> None:
    collector = Collector()
    collector.add(b"\x01" + encoded)
    try:
        frame = decode_frame(b"\x01" + encoded)
    except (BadFrame, FrameLimits):
        return
    assert encode_frame(frame) == b"\x01" + encoded


def test_one_hostile_frame_of_the_largest_size_costs_little_memory() -> None:
    collector = Collector()
    header = _header(MOST_FRAGMENTS, MOST_FRAGMENTS, index=MOST_INDEX)
    collector.add(header + b"\x07")
    (kept,) = collector._open.values()
    assert sum(map(len, kept.rows.values())) <= 2 * MOST_FRAGMENTS


@pytest.mark.parametrize(
    ("size", "capacity"), [(0, 100), (MOST_MESSAGE_BYTES + 1, 1400), (60_000, 40), (10, 32)]
)
def test_messages_that_cannot_cross_are_refused_before_they_are_shown(size: int, capacity: int) -> None:
    with pytest.raises(FrameLimits):
        split(bytes(size), capacity)


def test_the_largest_message_crosses_at_the_lowest_density() -> None:
    assert split(bytes(MOST_MESSAGE_BYTES), 503).transfer.count <= MOST_FRAGMENTS


@pytest.mark.parametrize("index", [-1, MOST_INDEX + 1])
def test_an_index_that_does_not_fit_the_header_is_refused(index: int) -> None:
    frames: FrameSet = split(b"some message", 100)
    with pytest.raises(FrameLimits):
        frames.frame(index)


def test_a_transfer_is_named_by_its_content() -> None:
    assert split(b"some message", 100).transfer.id == sha256(b"some message").digest()[:8]
    assert collecting.MOST_TRANSFERS < 10
