"""The journal and its checkpoints: what grows reads back; what is altered is refused, and at which entry."""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.signing import SigningKey

from shared.checkpoint import open_checkpoint, require_extends, sign_checkpoint
from shared.encoding import Value, encode
from shared.errors import BadCheckpoint, BadSignature, ClockBehindJournal, JournalDamaged, JournalForked
from shared.journal import EMPTY_TIP, KIND, Tip, make_entry, read_alone, read_journal, read_on
from shared.merkle import inclusion_proof, verify_inclusion
from shared.sealed import message_of

PEN = SigningKey(bytes(range(32)))
KEY = bytes(PEN.verify_key)
OTHER = SigningKey(bytes(32))
ORIGIN = "lockgate.example/cold-1"


def sign(message: bytes) -> bytes:
    return PEN.sign(message).signature


def _grow(count: int, tip: Tip = EMPTY_TIP) -> tuple[list[bytes], Tip]:
    lines = []
    for number in range(count):
        _, line, tip = make_entry(tip, 1000 + tip.size, "signed", {"n": number}, sign, KEY)
        lines.append(line)
    return lines, tip


LINES, TIP = _grow(6)


def _line(fields: Value, key: SigningKey = PEN) -> bytes:
    raw = encode(fields)
    leaf = encode([raw, bytes(key.verify_key), key.sign(message_of(KIND, raw)).signature])
    return base64.urlsafe_b64encode(leaf).rstrip(b"=") + b"\n"


def test_a_journal_reads_back_as_it_was_written() -> None:
    journal = read_journal(b"".join(LINES), KEY)
    assert [(entry.number, entry.time, entry.body) for entry in journal.entries] == [
        (number, 1000 + number, {"n": number}) for number in range(6)
    ]
    assert journal.tip == TIP
    assert journal.torn_tail == b""


def test_an_empty_journal_is_a_journal() -> None:
    journal = read_journal(b"", None)
    assert (journal.entries, journal.tip, journal.torn_tail) == ((), EMPTY_TIP, b"")


def test_the_rest_of_a_journal_continues_a_known_tip() -> None:
    _, tip = _grow(4)
    journal = read_journal(b"".join(LINES[4:]), KEY, tip)
    assert journal.tip == TIP
    assert journal.root_at(5) == _grow(5)[1].root()
    assert journal.root_at(3) is None is journal.root_at(7)


END = TIP.size, TIP.last_hash


@pytest.mark.parametrize("first", range(6))
def test_a_journal_is_read_on_from_anywhere_to_its_end(first: int) -> None:
    past = _grow(4)[1]
    found = read_on(LINES[first:], KEY, first, END, (past.size, past.last_hash))
    assert [(entry.number, entry.body) for entry in found] == [(number, {"n": number}) for number in range(first, 6)]


def _forged(number: int, key: SigningKey) -> tuple[bytes, tuple[int, bytes]]:
    """Give a line of another key in a line's place, and how a journal would end there."""
    last = hashlib.sha256(encode({})).digest() if number == 0 else _grow(number)[1].last_hash
    fields: Value = {"v": 1, "n": number, "prev": last, "time": 1005, "kind": "signed", "body": {"n": 99}}
    return _line(fields, key), (number + 1, hashlib.sha256(encode(fields)).digest())


@pytest.mark.parametrize(
    ("lines", "first", "end", "past"),
    [
        ([*LINES[2:3], *LINES[4:]], 2, END, (0, b"")),
        ([*LINES[2:4], LINES[5], LINES[4]], 2, END, (0, b"")),
        (LINES[3:], 2, END, (0, b"")),
        (LINES[2:5], 2, END, (0, b"")),
        (LINES[2:], 2, (5, _grow(5)[1].last_hash), (0, b"")),
        (LINES[2:], 2, (6, bytes(32)), (0, b"")),
        (LINES[2:5], 2, (5, _grow(5)[1].last_hash), END),
        (LINES[2:], 2, END, (4, bytes(32))),
        ([LINES[2], _forged(3, OTHER)[0], *LINES[4:]], 2, END, (0, b"")),
        ([LINES[2], _forged(3, PEN)[0], *LINES[4:]], 2, END, (0, b"")),
        ([*LINES[2:5], _forged(5, OTHER)[0]], 2, _forged(5, OTHER)[1], (0, b"")),
        ([], 6, END, (0, b"")),
        ([b"?", *LINES[3:]], 2, END, (0, b"")),
    ],
    ids=["missing", "swapped", "not the first", "cut", "longer than its tip", "another tip", "shorter than it was",
         "another one before", "another key within", "forged within", "another key at the end", "nothing", "no line"],
)  # fmt: skip
def test_what_does_not_lead_to_a_signed_end_is_refused(
    lines: list[bytes], first: int, end: tuple[int, bytes], past: tuple[int, bytes]
) -> None:
    with pytest.raises(JournalDamaged):
        list(read_on(lines, KEY, first, end, past))


def test_an_entry_alone_is_verified_with_its_number() -> None:
    assert read_alone(LINES[3], KEY, 3).body == {"n": 3}
    for line, key, number in (
        (LINES[3], KEY, 4), (LINES[3], bytes(OTHER.verify_key), 3), (_forged(3, OTHER)[0], KEY, 3),
        (LINES[3][:-5], KEY, 3), (b"", KEY, 3),
    ):  # fmt: skip
        with pytest.raises(JournalDamaged):
            read_alone(line, key, number)


@pytest.mark.parametrize("cut", [1, 20, len(LINES[-1]) - 1])
def test_a_cut_last_line_is_reported_apart(cut: int) -> None:
    journal = read_journal(b"".join(LINES)[:-cut], KEY)
    assert journal.tip == _grow(5)[1]
    assert journal.torn_tail == LINES[-1][:-cut]


@settings(max_examples=150)
@given(st.integers(0, len(b"".join(LINES)) - 1), st.integers(0, 255))
def test_every_altered_byte_is_refused_at_its_entry(place: int, byte: int) -> None:
    whole = bytearray(b"".join(LINES))
    if whole[place] == byte or place == len(whole) - 1:
        return
    entry = bytes(whole[:place]).count(b"\n")
    whole[place] = byte
    with pytest.raises(JournalDamaged, match=f"entry {entry}:"):
        read_journal(bytes(whole), KEY)


@pytest.mark.parametrize(
    ("order", "entry"),
    [((1, 2), 0), ((0, 2), 1), ((0, 1, 1), 2), ((0, 2, 1), 1)],
    ids=["first", "gap", "twice", "swapped"],
)
def test_removed_and_moved_entries_are_refused(order: tuple[int, ...], entry: int) -> None:
    with pytest.raises(JournalDamaged, match=f"entry {entry}: .*another place"):
        read_journal(b"".join(LINES[number] for number in order), KEY)


def test_entries_of_another_key_are_refused() -> None:
    fields: dict[str, Value] = {"v": 1, "n": 0, "prev": bytes(32), "time": 1, "kind": "a", "body": {}}
    strange = _line(fields, OTHER)
    assert read_journal(strange, None).tip.key == bytes(OTHER.verify_key)
    with pytest.raises(JournalDamaged, match=r"entry 0: .*another key"):
        read_journal(strange, KEY)
    second = {**fields, "n": 1, "prev": TIP.last_hash}
    with pytest.raises(JournalDamaged, match=r"entry 1: .*another key"):
        read_journal(LINES[0] + _line(second, OTHER), None)
    with pytest.raises(JournalDamaged, match="another key"):
        read_journal(b"", bytes(OTHER.verify_key), TIP)
    with pytest.raises(JournalDamaged, match="another key"):
        make_entry(TIP, 2000, "a", {}, sign, bytes(OTHER.verify_key))


FIRST: dict[str, Value] = {"v": 1, "n": 0, "prev": bytes(32), "time": 1, "kind": "a", "body": {}}
WELL_SIGNED_BUT_WRONG: dict[str, tuple[Value, str]] = {
    "version": ({**FIRST, "v": 2}, "between 1 and 1"),
    "chain": ({**FIRST, "prev": bytes([1] * 32)}, "does not follow"),
    "field": ({**FIRST, "x": 1}, "unknown field"),
    "body": ({**FIRST, "body": []}, "not a map"),
    "kind": ({**FIRST, "kind": ""}, "characters"),
    "no map": ([1], "not a map"),
}


@pytest.mark.parametrize(("fields", "why"), WELL_SIGNED_BUT_WRONG.values(), ids=WELL_SIGNED_BUT_WRONG.keys())
def test_a_signature_does_not_make_a_wrong_entry_right(fields: Value, why: str) -> None:
    with pytest.raises(JournalDamaged, match=why):
        read_journal(_line(fields), KEY)


def test_time_never_runs_back() -> None:
    with pytest.raises(ClockBehindJournal):
        make_entry(TIP, TIP.time - 1, "a", {}, sign, KEY)
    back: dict[str, Value] = {**FIRST, "n": 1, "prev": _grow(1)[1].last_hash, "time": 999}
    with pytest.raises(JournalDamaged, match=r"entry 1: .*before"):
        read_journal(LINES[0] + _line(back), KEY)


@pytest.mark.parametrize("line", [b"", b"A", b"????", b"gA==", b"gB", b" gA", b"gA", b"gwEBAQ"])
def test_lines_that_hold_no_entry_are_refused(line: bytes) -> None:
    with pytest.raises(JournalDamaged, match="entry 0"):
        read_journal(line + b"\n", KEY)


def test_a_pen_that_fails_is_found_before_the_line_is_written() -> None:
    with pytest.raises(BadSignature):
        make_entry(TIP, 2000, "a", {}, lambda message: bytes(64), KEY)


@pytest.mark.parametrize(
    ("time", "kind", "size"), [(2**53 + 1, "a", 1), (2000, "", 1), (2000, "a" * 65, 1), (2000, "a", 2**24)]
)
def test_an_entry_that_no_reader_would_take_is_a_bug(time: int, kind: str, size: int) -> None:
    with pytest.raises(ValueError, match="no reader"):
        make_entry(TIP, time, kind, {"x": bytes(size)}, sign, KEY)


def test_the_largest_entry_reads_back() -> None:
    _, line, tip = make_entry(EMPTY_TIP, 1, "a", {"x": bytes(2**24 - 400)}, sign, KEY)
    assert read_journal(line, KEY).tip == tip


def test_an_entry_is_proven_under_the_root() -> None:
    journal = read_journal(b"".join(LINES), KEY)
    proof = inclusion_proof(journal.leaves(), 3)
    verify_inclusion(3, 6, journal.entries[3].leaf, proof, TIP.root())


CHECKPOINT = sign_checkpoint(TIP, ORIGIN, sign, KEY)


def test_a_checkpoint_is_a_signed_note_of_origin_size_and_root() -> None:
    text, _, signed = CHECKPOINT.partition("\n\n")
    assert text.split("\n") == [ORIGIN, "6", base64.b64encode(TIP.root()).decode()]
    mark, name, seal = signed.removesuffix("\n").split(" ")
    assert (mark, name) == ("—", ORIGIN)
    key_hash = hashlib.sha256(ORIGIN.encode() + b"\n\x01" + KEY).digest()[:4]
    raw = base64.b64decode(seal)
    assert raw[:4] == key_hash
    PEN.verify_key.verify(text.encode() + b"\n", raw[4:])


def test_a_checkpoint_reads_back() -> None:
    checkpoint = open_checkpoint(CHECKPOINT, ORIGIN, KEY)
    assert (checkpoint.origin, checkpoint.size, checkpoint.root) == (ORIGIN, 6, TIP.root())


@given(st.integers(0, len(CHECKPOINT) - 1), st.characters(min_codepoint=0, max_codepoint=0x2100))
def test_every_altered_letter_of_a_checkpoint_is_refused(place: int, letter: str) -> None:
    if CHECKPOINT[place] == letter:
        return
    with pytest.raises((BadCheckpoint, BadSignature)):
        open_checkpoint(CHECKPOINT[:place] + letter + CHECKPOINT[place + 1 :], ORIGIN, KEY)


def test_a_checkpoint_has_one_spelling_of_its_signature() -> None:
    last = CHECKPOINT[-3]
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    same_bytes = letters[letters.index(last) + 1]
    with pytest.raises(BadCheckpoint, match="one spelling"):
        open_checkpoint(CHECKPOINT[:-3] + same_bytes + "=\n", ORIGIN, KEY)


@pytest.mark.parametrize("text", ["", CHECKPOINT[:-1], CHECKPOINT + "\n", CHECKPOINT.replace("6", "06", 1)])
def test_checkpoints_out_of_form_are_refused(text: str) -> None:
    with pytest.raises(BadCheckpoint):
        open_checkpoint(text, ORIGIN, KEY)


def test_checkpoints_of_another_journal_or_key_are_refused() -> None:
    with pytest.raises(BadCheckpoint, match="another journal"):
        open_checkpoint(CHECKPOINT, "other", KEY)
    with pytest.raises(BadCheckpoint, match="another key"):
        open_checkpoint(CHECKPOINT, ORIGIN, bytes(OTHER.verify_key))


@pytest.mark.parametrize("origin", ["", "a b", "a+b", "a\nb", "ä", "a" * 101])
def test_a_journal_has_a_plain_name(origin: str) -> None:
    with pytest.raises(BadCheckpoint):
        sign_checkpoint(TIP, origin, sign, KEY)


def test_a_grown_journal_extends_its_checkpoint_and_an_old_or_other_one_does_not() -> None:
    checkpoint = open_checkpoint(CHECKPOINT, ORIGIN, KEY)
    more, _ = _grow(3, TIP)
    grown = read_journal(b"".join(LINES + more), KEY)
    assert require_extends(grown, checkpoint) is grown
    with pytest.raises(JournalForked, match="has 5 entries"):
        require_extends(read_journal(b"".join(LINES[:5]), KEY), checkpoint)
    _, line, other_tip = make_entry(_grow(5)[1], 1005, "signed", {"n": 77}, sign, KEY)
    forked, _ = _grow(2, other_tip)
    with pytest.raises(JournalForked, match="are not those"):
        require_extends(read_journal(b"".join([*LINES[:5], line, *forked]), KEY), checkpoint)
