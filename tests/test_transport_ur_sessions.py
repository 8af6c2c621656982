"""Whole sessions before the camera: losses, doubles, strangers and forgeries, for every format of other wallets.

Each draw has a fixed seed. What comes through is the message or nothing.
"""

from __future__ import annotations

import base64
import random
from collections.abc import Iterable
from itertools import chain, count, islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import encoding
from shared.courier.foreign import ForeignFilm, foreign_film
from shared.errors import ForeignContents
from shared.transport import base45, bbqr, bytewords, ur
from shared.transport.collector import MOST_TRANSFERS, Progress
from shared.transport.foreign import MOST_LETTERS, PSBT_MAGIC, ForeignCollector, Format, recognise
from shared.transport.message import film
from shared.transport.qr import Display, picture, read
from shared.transport.ur import Ur, UrFilm, UrPart
from shared.transport.ur_fountain import Fountain, Part

SMALL = Display(version=15, fps=10)


def psbt(size: int, seed: int = 1) -> bytes:
    return PSBT_MAGIC + random.Random(seed).randbytes(size)


def fed(texts: Iterable[str]) -> ForeignCollector:
    collector = ForeignCollector()
    for text in texts:
        collector.add(text)
    return collector


def numbered_texts(contents: bytes, parts: int) -> list[str]:
    letters = base64.b64encode(contents).decode()
    size = -(-len(letters) // parts)
    return [f"p{1 + at // size}of{parts} {letters[at : at + size]}" for at in range(0, len(letters), size)]


def lossy(shown: Iterable[str], strangers: list[str], seed: int, *, looked: int) -> list[str]:
    """Give what a camera sees: 30 of 100 lost, some doubled, each third a stranger's, neighbours in any order."""
    chance = random.Random(seed)
    seen: list[str] = []
    for text in islice(shown, looked):
        if chance.random() < 0.7:
            seen += [text] * chance.choice([1, 1, 2])
        if chance.random() < 0.33:
            seen.append(chance.choice(strangers))
    chance.shuffle(seen)
    return seen


# --- what comes through -----------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("kind", ["ur", "bbqr"])
def test_a_lossy_session_among_strangers_gives_the_message(kind: str, seed: int) -> None:
    mine, other = shown(kind, psbt(9_000, seed)), shown("ur", psbt(7_000, seed + 100))
    strangers = [*other.texts()[: other.needed - 1], film(bytes(2_000), SMALL).text(0), "ur:bytes/broken"]
    reel = (mine.text(index) for index in count())
    collector = fed(lossy(reel, strangers, seed, looked=8 * mine.needed))
    assert collector.message == ("psbt", psbt(9_000, seed))
    assert collector.progress().done


@pytest.mark.parametrize("seed", range(12))
def test_a_lossy_session_of_numbered_parts_gives_the_message(seed: int) -> None:
    texts = numbered_texts(psbt(3_000, seed), 9)
    strangers = [*numbered_texts(psbt(2_000, seed), 8)[:7], "p0of9 AAA"]
    collector = fed(lossy(chain.from_iterable([texts] * 9), strangers, seed, looked=81))
    assert collector.message == ("psbt", psbt(3_000, seed))


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("kind", ["bbqr", "numbered"])
def test_two_messages_with_equal_headers_come_through_right_or_not_at_all(kind: str, seed: int) -> None:
    one, other = psbt(8_000, seed), psbt(8_000, seed + 50)
    if kind == "bbqr":
        texts, strangers = list(shown(kind, one).texts()), list(shown(kind, other).texts())
    else:
        texts, strangers = numbered_texts(one, 12), numbered_texts(other, 12)
    assert len(texts) == len(strangers)
    collector = fed(lossy(chain.from_iterable([texts] * 8), strangers, seed, looked=8 * len(texts)))
    assert collector.message in (None, ("psbt", one), ("psbt", other))


@pytest.mark.parametrize("seed", range(6))
def test_two_urs_shown_at_once_do_not_disturb_each_other(seed: int) -> None:
    one, other = shown("ur", psbt(5_000, seed)), shown("ur", psbt(5_000, seed + 50))
    texts = [text for index in range(60) for text in (one.text(index), other.text(index))]
    random.Random(seed).shuffle(texts)
    message = fed(texts).message
    assert message in (("psbt", psbt(5_000, seed)), ("psbt", psbt(5_000, seed + 50)))


@given(st.binary(max_size=4_000), st.sampled_from(["ur", "bbqr"]), st.integers(15, 27))
def test_a_psbt_shown_is_the_psbt_read(contents: bytes, kind: str, version: int) -> None:
    reel = foreign_film("ur" if kind == "ur" else "bbqr", PSBT_MAGIC + contents, Display(version, 10))
    collector = fed(reversed([reel.text(index) for index in range(reel.needed)]))
    assert collector.message == ("psbt", PSBT_MAGIC + contents)


@pytest.mark.parametrize("kind", ["ur", "bbqr"])
def test_symbols_are_drawn_and_read_again(kind: str) -> None:
    reel = shown(kind, psbt(1_000))
    collector = fed(chain.from_iterable(read(picture(reel.symbol(index))) for index in range(reel.needed)))
    assert collector.message == ("psbt", psbt(1_000))


def test_what_is_no_psbt_is_not_shown() -> None:
    with pytest.raises(ForeignContents):
        foreign_film("ur", b"no psbt", SMALL)


def test_a_loop_of_a_ur_has_frames_to_spare_and_of_a_single_one_has_none() -> None:
    long, short = shown("ur", psbt(5_000)), shown("ur", psbt(50))
    assert len(long.texts()) == long.loop > long.needed > 1
    assert short.texts() == (short.text(0),)


def shown(kind: str, contents: bytes) -> ForeignFilm:
    return foreign_film("ur" if kind == "ur" else "bbqr", contents, SMALL)


# --- kinds ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (ur.write(Ur("crypto-psbt", ur.wrap(psbt(9)))), ("psbt", psbt(9))),
        (ur.write(Ur("psbt", ur.wrap(psbt(9)))).upper(), ("psbt", psbt(9))),
        (ur.write(Ur("bytes", ur.wrap(b"any"))), ("bytes", b"any")),
        (bbqr.split(b"raw", "T", 100, "H")[0], ("transaction", b"raw")),
        (bbqr.split(psbt(9), "P", 100, "2")[0], ("psbt", psbt(9))),
        (numbered_texts(psbt(9), 1)[0], ("psbt", psbt(9))),
    ],
)
def test_a_single_symbol_is_a_message(text: str, message: tuple[str, bytes]) -> None:
    collector = ForeignCollector()
    assert collector.add(text).done
    assert collector.message == message


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        (ur.write(Ur("crypto-seed", b"\x40")), "foreign-unwanted", "crypto-seed"),
        (ur.write(UrPart("crypto-account", Fountain(b"abc", 2).part(1))), "foreign-unwanted", "crypto-account"),
        (bbqr.split(b"{}", "J", 100)[0], "foreign-unwanted", "JSON"),
        (bbqr.split(b"text", "U", 100)[0], "foreign-unwanted", "text"),
        (bbqr.split(b"key", "R", 100)[0], "foreign-unwanted", "reserved type R"),
        (ur.write(Ur("psbt", ur.wrap(b"other"))), "foreign-contents", "no psbt"),
        (ur.write(Ur("bytes", b"\x40")), "foreign-contents", "no bytes"),
        (ur.write(Ur("psbt", b"\x61x")), "bad-ur", "byte string"),
        (bbqr.split(b"other", "P", 100)[0], "foreign-contents", "no psbt"),
        ("p1of1 AAA", "bad-numbered", "base64"),
        ("p1of1 cHNidP9=", "bad-numbered", "only form"),
        (numbered_texts(b"other", 1)[0], "foreign-contents", "no psbt"),
        ("p1of100 AAA", "bad-numbered", "p1of3"),
        ("bitcoin:bc1q", "foreign-unknown", "format"),
        ("", "foreign-unknown", "format"),
        (base45.as_text(b"ours"), "foreign-unknown", "format"),
        ("B$HP0100zz", "bad-bbqr", "no part"),
        ("ur:" + "a" * MOST_LETTERS, "foreign-limits", "letters"),
    ],
)
def test_what_is_not_taken_says_why(text: str, code: str, words: str) -> None:
    collector = ForeignCollector()
    progress = collector.add(text)
    assert (progress.last_refusal, collector.message) == (code, None)
    assert collector.refusal is not None
    assert words in str(collector.refusal)


@pytest.mark.parametrize(
    ("text", "whose"),
    [
        (film(b"sealed", SMALL).text(0), Format.OURS),
        ("UR:CRYPTO-PSBT/1-2/AEAD", Format.UR),
        ("ur:bytes/", Format.UR),
        ("B$ZP0100", Format.BBQR),
        ("p1of3 AAA", Format.NUMBERED),
        ("p12of34 AAA", Format.NUMBERED),
        ("p1of3", Format.UNKNOWN),
        ("pof3 AAA", Format.UNKNOWN),
        ("lg:", Format.UNKNOWN),
        ("u", Format.UNKNOWN),
    ],
)
def test_a_format_is_recognised_by_how_it_begins(text: str, whose: Format) -> None:
    assert recognise(text) is whose


# --- hostile frames ---------------------------------------------------------------------------------


def test_a_flood_of_strangers_does_not_push_out_a_message_that_is_nearly_whole() -> None:
    reel = shown("ur", psbt(5_000))
    flood = [shown("ur", psbt(2_000, seed)).text(0) for seed in range(2, 10 * MOST_TRANSFERS)]
    texts = [reel.text(index) for index in range(reel.needed)]
    assert fed([*texts[:-1], *flood, texts[-1]]).message == ("psbt", psbt(5_000))


def test_a_forged_frame_spoils_one_attempt_only() -> None:
    source = Fountain(ur.wrap(psbt(90)), 10)
    needed = source.message.count
    forged = ur.write(UrPart("psbt", Part(1, source.message, bytes(10))))
    texts = [ur.write(UrPart("psbt", source.part(seq))) for seq in range(1, 2 * needed)]
    collector = fed([forged, *texts[1:needed]])
    assert (collector.message, collector.progress().spoiled) == (None, 1)
    assert collector.progress().last_refusal == "foreign-contents"
    for text in texts:
        collector.add(text)
    assert collector.message == ("psbt", psbt(90))


def test_a_frame_of_the_same_checksum_but_another_type_or_shape_is_a_stranger() -> None:
    source, other = Fountain(ur.wrap(psbt(90)), 10), Fountain(ur.wrap(psbt(90)), 11)
    texts = [ur.write(UrPart("psbt", source.part(seq))) for seq in range(1, source.message.count + 1)]
    strangers = [ur.write(UrPart("bytes", source.part(1))), ur.write(UrPart("psbt", other.part(2)))]
    collector = fed([texts[0], *strangers, *texts[1:]])
    assert collector.message == ("psbt", psbt(90))
    assert collector.progress().foreign == 2


def hostile_ur(seq: int, fragments: int, length: int, data: bytes) -> str:
    cbor = encoding.encode((seq, fragments, length, 0, data))
    return f"ur:psbt/{seq}-{fragments}/{bytewords.encode(cbor)}"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(hostile_ur(1, 5_000_000, 5_000_000, b"x"), id="count_refused"),
        pytest.param(hostile_ur(1, 2, 2**63, b"x"), id="length_refused"),
        pytest.param(hostile_ur(1, 2, 900, b"x"), id="length_mismatch_refused"),
        pytest.param(hostile_ur(0, 2, 2, b"x"), id="number_0_refused"),
        pytest.param("B$HP00000A", id="no_parts_refused"),
        pytest.param("B$HP01010A", id="part_beyond_refused"),
    ],
)
def test_a_hostile_header_is_ignored_and_collecting_goes_on(text: str) -> None:
    reel = shown("ur", psbt(2_000))
    texts = [reel.text(index) for index in range(reel.needed)]
    collector = fed([texts[0], text, *texts[1:]])
    assert collector.message == ("psbt", psbt(2_000))
    assert collector.progress().foreign == 1


def test_a_bomb_of_many_parts_is_refused_and_stays_so() -> None:
    texts = bomb_texts()
    collector = fed(texts)
    assert collector.message is None
    assert collector.progress().last_refusal == "foreign-limits"
    again = collector.add(texts[0])
    assert (again.had, again.spoiled, again.last_refusal) == (0, 1, "foreign-limits")


def bomb_texts() -> list[str]:
    """Write a small BBQr that inflates to 20 MB."""
    stream = bbqr._deflated(bytes(20_000_000))
    pieces = bbqr._pieces(stream, MOST_LETTERS, "Z")
    header = bbqr.Header("Z", "P", len(pieces))
    return [f"{header}{bbqr._base36(at)}{bbqr._base32(piece)}" for at, piece in enumerate(pieces)]


def test_parts_that_contradict_each_other_are_condemned() -> None:
    one, other = shown("bbqr", psbt(3_000, 1)).texts(), shown("bbqr", psbt(3_000, 2)).texts()
    collector = fed([one[0], other[0], *one, *one])
    assert collector.message is None
    assert collector.refusal is not None
    assert collector.refusal.code == "foreign-mixed"
    assert collector.progress().spoiled == 1


def test_what_follows_a_whole_message_changes_nothing() -> None:
    reel = shown("ur", psbt(2_000))
    collector = fed(reel.text(index) for index in range(reel.needed))
    before = collector.progress()
    collector.add(reel.text(reel.needed))
    collector.add(shown("bbqr", psbt(20)).text(0))
    assert collector.message == ("psbt", psbt(2_000))
    assert (collector.progress().foreign, before.foreign) == (1, 0)


def test_progress_tells_how_far_things_are() -> None:
    reel = shown("ur", psbt(2_000))
    collector = ForeignCollector()
    assert collector.progress() == Progress()
    progress = collector.add(reel.text(0))
    assert (progress.had, progress.count, progress.needed) == (1, reel.needed, reel.needed - 1)
    assert progress.transfer is not None


@given(st.lists(st.text(max_size=30), max_size=8), st.sampled_from(["ur:", "B$", "B$HP02", "p1of2 ", ""]))
def test_no_text_is_fatal(texts: list[str], head: str) -> None:
    assert fed(head + text for text in texts).message is None


@given(st.data())
def test_a_bent_text_never_gives_another_psbt(data: st.DataObject) -> None:
    reel: UrFilm = ur.film("psbt", ur.wrap(psbt(150)), 120)
    texts = [reel.text(index) for index in range(reel.needed)]
    which, where = data.draw(st.integers(0, len(texts) - 1)), data.draw(st.integers(0, 119))
    letter = data.draw(st.sampled_from("ABCXYZ019-/:"))
    bent = texts[which][:where] + letter + texts[which][where + 1 :]
    assert fed([bent, *texts]).message == ("psbt", psbt(150))
