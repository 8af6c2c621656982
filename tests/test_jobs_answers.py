"""Answers and the signers' journals: what is believed of what comes back across the gap, and what is refused.

Each test alters one thing in an honest crossing of `tests.online_world`.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from online.audit import compare
from online.jobs.answers import import_answer
from online.jobs.export import export_request
from online.jobs.reconcile import import_signer_journal
from online.jobs.signer_journal import note_checkpoint
from online.store.signers import signer
from shared.envelope import SigningAnswer, open_answer, seal_answer
from shared.errors import (
    AnswerByAnother,
    AnswerConflict,
    AnswerMismatch,
    AnswerTooLate,
    BadSignature,
    EntriesMissing,
    JournalDamaged,
    Refusal,
    SignerJournalForked,
    SignerJournalRolledBack,
    UnknownRequest,
    XrplBadSignature,
)
from tests.online_world import EXPIRY, NOW, Desk, PaperSigner, make_desk
from tests.test_jobs_flow import make_desk_copy


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    found = make_desk(tmp_path)
    found.rebalance()
    return found


def _altered(desk: Desk, blob: bytes, **changes: object) -> bytes:
    """The answer with some fields changed, sealed again by the right key."""
    answer: SigningAnswer = replace(open_answer(blob)[0], **changes)  # type: ignore[arg-type]
    return seal_answer(answer, desk.signer.station, desk.signer.sign)


def test_the_same_answer_twice_is_harmless(desk: Desk) -> None:
    blob = desk.signer.answer(desk.export().blob)
    first = import_answer(desk.store, blob, NOW)
    second = import_answer(desk.store, blob, NOW)
    assert (first.repeated, second.repeated) == (False, True)
    assert second.answered == first.answered
    assert desk.states() == ["answered"]


def test_an_answer_asked_for_twice_is_harmless_although_the_journal_went_on(desk: Desk) -> None:
    exported = desk.export()
    import_answer(desk.store, desk.signer.answer(exported.blob), NOW)
    desk.signer.write("policy", {})
    assert import_answer(desk.store, desk.signer.answer(exported.blob), NOW).repeated


def test_a_second_answer_that_says_something_else_is_refused(desk: Desk) -> None:
    exported = desk.export()
    import_answer(desk.store, desk.signer.answer(exported.blob), NOW)
    with pytest.raises(AnswerConflict):
        import_answer(desk.store, desk.signer.answer(exported.blob, {0: "changed my mind"}), NOW)


def test_an_answer_to_another_request_is_refused(desk: Desk) -> None:
    blob = desk.signer.answer(desk.export().blob)
    other = _altered(desk, blob, request=hashlib.sha256(b"another").digest())
    with pytest.raises(UnknownRequest):
        import_answer(desk.store, other, NOW)
    assert desk.states() == ["exported"]


def test_an_answer_by_another_signer_is_refused(desk: Desk) -> None:
    with pytest.raises(AnswerByAnother):
        import_answer(desk.store, PaperSigner(2).answer(desk.export().blob), NOW)


@pytest.mark.parametrize("place", [0, 31, 32, 63])
def test_a_flipped_signature_is_refused_and_nothing_is_kept(desk: Desk, place: int) -> None:
    blob = desk.signer.answer(desk.export().blob)
    signature = bytearray(open_answer(blob)[0].signatures[0])
    signature[place] ^= 1
    with pytest.raises(XrplBadSignature):
        import_answer(desk.store, _altered(desk, blob, signatures=(bytes(signature),)), NOW)
    assert not import_answer(desk.store, blob, NOW).repeated


def test_every_flipped_byte_of_an_answer_is_refused(desk: Desk) -> None:
    blob = desk.signer.answer(desk.export().blob)
    for place in range(0, len(blob), 7):
        flipped = bytearray(blob)
        flipped[place] ^= 0x10
        with pytest.raises(Refusal):
            import_answer(desk.store, bytes(flipped), NOW)
    assert desk.states() == ["exported"]


def test_a_missing_or_surplus_signature_is_refused(desk: Desk) -> None:
    blob = desk.signer.answer(desk.export().blob)
    (signature,) = open_answer(blob)[0].signatures
    for signatures in ((), (signature, signature)):
        with pytest.raises(AnswerMismatch):
            import_answer(desk.store, _altered(desk, blob, signatures=signatures), NOW)


def test_an_answer_after_everything_has_ended_is_refused(desk: Desk) -> None:
    blob = desk.signer.answer(desk.export().blob)
    desk.world.close(EXPIRY + 1)
    desk.tick()
    with pytest.raises(AnswerTooLate):
        import_answer(desk.store, blob, NOW)


def test_a_signer_on_an_old_backup_is_found_by_its_shorter_journal(desk: Desk) -> None:
    journal, tip = desk.signer.journal, desk.signer.tip
    desk.signer.write("policy", {})
    desk.signer.write("policy", {})
    desk.answered()
    desk.signer.journal, desk.signer.tip = journal, tip
    desk.rebalance(10, "r2")
    exported = desk.export()
    honest = desk.signer.answer
    with pytest.raises(SignerJournalRolledBack):
        import_answer(desk.store, _old_answer(desk, honest, exported.blob), NOW)
    assert desk.states() == ["answered", "exported"]


def _old_answer(desk: Desk, answer: object, blob: bytes) -> bytes:
    """What a signer would answer that does not notice that the request has seen more than it knows."""
    from shared.envelope import NOTHING_SEEN, open_request, seal_request
    from tests.online_world import STATION

    request, sealed = open_request(blob)
    asked = seal_request(replace(request, seen=NOTHING_SEEN), STATION.sign)
    return _altered(desk, desk.signer.answer(asked), request=sealed.digest)


def test_a_signer_with_another_history_is_found_by_its_proof(desk: Desk) -> None:
    desk.answered()
    desk.rebalance(10, "r2")
    exported = desk.export()
    other = PaperSigner()
    for number in range(4):
        other.write("policy", {"other": number})
    desk.signer = other
    with pytest.raises(SignerJournalForked):
        import_answer(desk.store, other.answer(exported.blob), NOW)
    assert desk.states() == ["answered", "exported"]


def test_a_checkpoint_signed_by_another_key_is_refused(desk: Desk) -> None:
    blob = desk.signer.answer(desk.export().blob)
    stranger = PaperSigner(2).checkpoint()
    with pytest.raises(Refusal):
        import_answer(desk.store, _altered(desk, blob, checkpoint=stranger), NOW)


def test_a_restored_coordinator_exports_nothing_until_it_has_imported_the_journal(desk: Desk) -> None:
    restored = make_desk_copy(desk)
    answer = desk.signer.answer(desk.export().blob)
    import_answer(desk.store, answer, NOW)
    with pytest.raises(UnknownRequest):
        import_answer(restored.store, answer, NOW)
    restored.build()
    with pytest.raises(EntriesMissing):
        export_request(restored.store, desk.signer.station, NOW)
    assert "entries-missing" in restored.tick().troubles[0]
    found = import_signer_journal(restored.store, desk.signer.station, desk.signer.journal, NOW)
    assert (found.jobs, found.unknown) == ((1,), ())
    assert restored.states() == ["exported"]
    assert import_answer(restored.store, answer, NOW).answered == (1,)


def test_what_was_signed_and_is_unknown_here_is_compared_as_only_the_signers(desk: Desk) -> None:
    restored = make_desk_copy(desk)
    desk.answered()
    (row,) = compare(restored.store, desk.signer.station, desk.signer.journal, {}).only_in_signer
    assert row.job is None


def test_a_newer_checkpoint_stops_the_exports(desk: Desk) -> None:
    assert note_checkpoint(desk.store, desk.signer.station, desk.signer.checkpoint(), NOW).needs_entries
    with pytest.raises(EntriesMissing):
        desk.export()
    import_signer_journal(desk.store, desk.signer.station, desk.signer.journal, NOW)
    assert not signer(desk.store, "vault").needs_entries
    desk.answered()


def test_an_older_answer_is_believed_when_the_imported_journal_shows_it(desk: Desk) -> None:
    blob = desk.signer.answer(desk.export().blob)
    desk.signer.write("policy", {})
    import_signer_journal(desk.store, desk.signer.station, desk.signer.journal, NOW)
    assert import_answer(desk.store, blob, NOW).answered == (1,)


def test_an_imported_journal_that_is_shorter_or_other_is_refused(desk: Desk) -> None:
    desk.answered()
    first_line = desk.signer.journal.splitlines(keepends=True)[0]
    with pytest.raises(SignerJournalRolledBack):
        import_signer_journal(desk.store, desk.signer.station, first_line, NOW)
    other = PaperSigner()
    other.write("policy", {})
    with pytest.raises(SignerJournalForked):
        import_signer_journal(desk.store, other.station, other.journal, NOW)


def test_an_altered_journal_is_refused(desk: Desk) -> None:
    lines = bytearray(desk.signer.journal)
    lines[40] = ord("A") if lines[40] != ord("A") else ord("B")
    with pytest.raises((JournalDamaged, BadSignature)):
        import_signer_journal(desk.store, desk.signer.station, bytes(lines), NOW)


def test_a_key_that_was_never_paired_is_no_signer(desk: Desk) -> None:
    stranger = bytes(SigningKey(bytes(32)).verify_key)
    with pytest.raises(Refusal):
        note_checkpoint(desk.store, stranger, desk.signer.checkpoint(), NOW)


def test_what_died_before_the_answer_came_stays_dead_and_the_rest_goes_on(desk: Desk) -> None:
    desk.build()
    desk.world.close(5)
    desk.rebalance(10, "r2")
    exported = desk.export()
    blob = desk.signer.answer(exported.blob)
    desk.world.close(EXPIRY - 4)
    desk.tick()
    assert desk.states() == ["dead", "exported"]
    import_answer(desk.store, blob, NOW)
    assert desk.states() == ["dead", "answered"]
