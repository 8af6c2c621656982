"""Sealed documents: every signature is verified, every alteration refused, a quorum counts allowed keys."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import SigningKey

from shared.encoding import encode
from shared.errors import BadSeal, BadSignature, QuorumMissing, Refusal, StrangeSigner, WrongDocument
from shared.sealed import Sign, add_signature, digest, message_of, open_sealed, require_quorum, seal

KIND = "request/1"


def _pen(number: int) -> tuple[bytes, Sign]:
    key = SigningKey(hashlib.sha256(bytes([number])).digest())
    return bytes(key.verify_key), lambda message: key.sign(message).signature


ANNA, BEN, EVE = _pen(1), _pen(2), _pen(3)
SEALED = seal(KIND, b"pay", [ANNA, BEN])


def _array(*pairs: tuple[bytes, Sign], magic: str = "lockgate", kind: str = KIND) -> bytes:
    return encode([magic, kind, b"pay", [[key, sign(message_of(KIND, b"pay"))] for key, sign in pairs]])


def test_an_opened_document_says_who_signed_it() -> None:
    opened = open_sealed(SEALED, KIND)
    assert opened.body == b"pay"
    assert opened.signers == tuple(sorted([ANNA[0], BEN[0]]))
    assert opened.digest == hashlib.sha256(b"lockgate\0request/1\0pay").digest() == digest(KIND, b"pay")


def test_the_order_of_signing_leaves_no_trace() -> None:
    assert seal(KIND, b"pay", [BEN, ANNA]) == SEALED == add_signature(seal(KIND, b"pay", [BEN]), KIND, *ANNA)


@given(st.integers(0, len(SEALED) * 8 - 1))
def test_every_flipped_bit_is_refused(place: int) -> None:
    altered = bytearray(SEALED)
    altered[place // 8] ^= 1 << place % 8
    with pytest.raises(Refusal):
        open_sealed(bytes(altered), KIND)


@given(st.integers(0, len(SEALED) - 1))
def test_every_cut_is_refused(length: int) -> None:
    with pytest.raises(Refusal):
        open_sealed(SEALED[:length], KIND)


def test_a_document_of_another_kind_is_refused_even_with_the_kind_rewritten() -> None:
    with pytest.raises(WrongDocument):
        open_sealed(SEALED, "answer/1")
    with pytest.raises(BadSignature):
        open_sealed(_array(ANNA, kind="answer/1"), "answer/1")


MALFORMED = {
    "no array": encode({}),
    "other magic": _array(ANNA, magic="lockpick"),
    "a part too many": encode(["lockgate", KIND, b"pay", [], 1]),
    "text for a body": encode(["lockgate", KIND, "pay", []]),
    "no signature": _array(),
    "one key twice": _array(ANNA, ANNA),
    "keys out of order": _array(*sorted([ANNA, BEN], key=lambda pen: pen[0], reverse=True)),
    "no pair": encode(["lockgate", KIND, b"pay", [[ANNA[0]]]]),
    "number for a key": encode(["lockgate", KIND, b"pay", [[1, 2]]]),
}


@pytest.mark.parametrize("blob", MALFORMED.values(), ids=MALFORMED.keys())
def test_what_is_not_in_form_is_refused(blob: bytes) -> None:
    with pytest.raises(BadSeal):
        open_sealed(blob, KIND)


@pytest.mark.parametrize(
    ("key", "signature"), [(bytes(31), bytes(64)), (ANNA[0], bytes(63)), (bytes(32), bytes(64))]
)
def test_keys_and_signatures_of_no_worth_are_refused(key: bytes, signature: bytes) -> None:
    with pytest.raises(BadSignature):
        open_sealed(encode(["lockgate", KIND, b"pay", [[key, signature]]]), KIND)


@pytest.mark.parametrize("pens", [[], [ANNA, ANNA]], ids=["nobody", "one key twice"])
def test_nobody_and_one_key_twice_seal_nothing(pens: list[tuple[bytes, Sign]]) -> None:
    with pytest.raises(BadSeal):
        seal(KIND, b"pay", pens)
    with pytest.raises(BadSeal):
        add_signature(SEALED, KIND, *ANNA)


def test_a_pen_that_writes_for_another_key_is_found_at_once() -> None:
    with pytest.raises(BadSignature, match="a new signature"):
        seal(KIND, b"pay", [(ANNA[0], BEN[1])])


@pytest.mark.parametrize("kind", ["", "a\0b", "ä"])
def test_a_kind_is_plain_text(kind: str) -> None:
    with pytest.raises(ValueError, match="no kind"):
        message_of(kind, b"")


def test_a_quorum_counts_allowed_signers() -> None:
    sealed = open_sealed(SEALED, KIND)
    assert require_quorum(sealed, {ANNA[0], BEN[0], EVE[0]}, 2) is sealed
    with pytest.raises(QuorumMissing):
        require_quorum(sealed, {ANNA[0], BEN[0], EVE[0]}, 3)
    with pytest.raises(StrangeSigner):
        require_quorum(sealed, {ANNA[0]}, 1)
    with pytest.raises(ValueError, match="at least one"):
        require_quorum(sealed, {ANNA[0], BEN[0]}, 0)
