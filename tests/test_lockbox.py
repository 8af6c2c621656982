"""The encrypted file: it opens with its passphrase, tells a wrong one from damage, is dear to guess."""

from __future__ import annotations

import hashlib
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.exceptions import RuntimeError as NaclRuntimeError

from shared.encoding import Value, decode, encode
from shared.errors import (
    BadSlot,
    NotEnoughMemory,
    Refusal,
    VaultDamaged,
    WeakCost,
    WeakPassphrase,
    WrongPassphrase,
)
from shared.lockbox import (
    LIGHT,
    MIB,
    MOST_SLOTS,
    STANDARD,
    KdfCost,
    Opened,
    add_slot,
    lock,
    peek_header,
    remove_slot,
    reseal,
    slot_names,
    unlock,
)

PASSPHRASE = "correct horse"
TEST: dict[str, Value] = {"network_class": "test", "epoch": 3}
SECRET = b"seed of the cold wallet"
_counter = itertools.count(1)


def fresh(length: int) -> bytes:
    return next(_counter).to_bytes(length, "big")


BOX = lock(SECRET, TEST, PASSPHRASE, random=fresh, kdf=LIGHT)


def _inner(**changes: Value) -> bytes:
    """Write the box again with changed fields and a plain hash that fits, as a thief would."""
    outer = decode(BOX)
    assert isinstance(outer, list)
    assert isinstance(outer[2], bytes)
    fields = decode(outer[2])
    assert isinstance(fields, dict)
    inner = encode({**fields, **changes})
    return encode(["lockgate", "lockbox/1", inner, hashlib.sha256(inner).digest()])


def test_what_was_locked_is_unlocked() -> None:
    opened = unlock(BOX, PASSPHRASE)
    assert (opened.secret, opened.header, opened.slot) == (SECRET, TEST, "owner")
    assert peek_header(BOX) == TEST
    assert SECRET not in BOX


def test_a_wrong_passphrase_is_called_so() -> None:
    for wrong in ("correct hors", "", "Correct horse", "\ud800 and more"):
        with pytest.raises(WrongPassphrase):
            unlock(BOX, wrong)


def test_one_letter_written_in_two_ways_is_one_letter() -> None:
    box = lock(SECRET, TEST, "schl\u00fcssel", random=fresh, kdf=LIGHT)
    assert unlock(box, "schlu\u0308ssel").secret == SECRET


@settings(max_examples=80, deadline=None)
@given(st.integers(0, len(BOX) * 8 - 1))
def test_every_flipped_bit_is_damage(place: int) -> None:
    altered = bytearray(BOX)
    altered[place // 8] ^= 1 << place % 8
    with pytest.raises(VaultDamaged):
        unlock(bytes(altered), PASSPHRASE)


@given(st.integers(0, len(BOX) - 1))
def test_every_cut_is_damage(length: int) -> None:
    with pytest.raises(VaultDamaged):
        peek_header(BOX[:length])


OTHER_SLOT: Value = {"name": "z", "salt": bytes(16), "nonce": bytes(24), "wrapped": bytes(48)}
FORGED: dict[str, bytes] = {
    "header": _inner(header={"network_class": "test", "epoch": 2}),
    "nonce": _inner(nonce=bytes(24)),
    "box": _inner(box=bytes(40)),
    "empty box": _inner(box=b""),
    "no class": _inner(header={}),
    "header no map": _inner(header=1),
    "main with a light cost": _inner(header={"network_class": "main"}),
    "passes without end": _inner(passes=11),
    "memory without end": _inner(memory=1025 * MIB),
    "unknown field": _inner(more=1),
    "no slots": _inner(slots=[]),
    "one slot twice": _inner(slots=[OTHER_SLOT, OTHER_SLOT]),
    "another format": encode(["lockgate", "lockbox/2", b"", b""]),
}


@pytest.mark.parametrize("blob", FORGED.values(), ids=FORGED.keys())
def test_a_forged_file_is_damage_even_with_its_plain_hash_made_to_fit(blob: bytes) -> None:
    with pytest.raises(VaultDamaged):
        unlock(blob, PASSPHRASE)


def test_a_forged_cost_or_slot_opens_nothing() -> None:
    for blob in (_inner(passes=2), _inner(slots=[OTHER_SLOT])):
        with pytest.raises(WrongPassphrase):
            unlock(blob, PASSPHRASE)


def test_real_money_is_not_guarded_by_a_cheap_cost() -> None:
    for cost in (LIGHT, KdfCost(2, 512 * MIB), KdfCost(10, 63 * MIB)):
        with pytest.raises(WeakCost):
            lock(SECRET, {"network_class": "main"}, PASSPHRASE, random=fresh, kdf=cost)
    with pytest.raises(WeakCost):
        reseal(unlock(BOX, PASSPHRASE), random=fresh, header={"network_class": "main"})
    assert STANDARD.allowed_for("main")


def test_real_money_is_guarded_by_a_dear_one() -> None:
    box = lock(SECRET, {"network_class": "main"}, PASSPHRASE, random=fresh, kdf=KdfCost(3, 64 * MIB))
    assert unlock(box, PASSPHRASE).secret == SECRET


@pytest.mark.parametrize(
    ("passes", "memory"), [(0, 8 * MIB), (11, 8 * MIB), (1, 8 * MIB - 1), (1, 1024 * MIB + 1)]
)
def test_costs_have_bounds(passes: int, memory: int) -> None:
    with pytest.raises(WeakCost):
        KdfCost(passes, memory)


@pytest.mark.parametrize("passphrase", ["", "short", " " * 12, "half a \ud800 character"])
def test_weak_passphrases_lock_nothing(passphrase: str) -> None:
    with pytest.raises(WeakPassphrase):
        lock(SECRET, TEST, passphrase, random=fresh, kdf=LIGHT)


def test_a_machine_with_too_little_memory_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def starve(*args: object, **kwargs: object) -> bytes:
        raise NaclRuntimeError("no memory")

    monkeypatch.setattr("nacl.pwhash.argon2id.kdf", starve)
    with pytest.raises(NotEnoughMemory, match="8 MiB"):
        unlock(BOX, PASSPHRASE)


def test_a_header_must_say_its_network_class() -> None:
    with pytest.raises(ValueError, match="network_class"):
        lock(SECRET, {}, PASSPHRASE, random=fresh, kdf=LIGHT)


def test_several_people_open_one_box_and_one_can_leave() -> None:
    both = add_slot(unlock(BOX, PASSPHRASE), "ben", "battery staple", random=fresh)
    assert slot_names(both) == ("ben", "owner")
    by_ben = unlock(both, "battery staple")
    assert (by_ben.secret, by_ben.slot) == (SECRET, "ben")
    assert unlock(both, PASSPHRASE, slot="owner").secret == SECRET
    with pytest.raises(WrongPassphrase):
        unlock(both, PASSPHRASE, slot="ben")
    with pytest.raises(BadSlot):
        unlock(both, PASSPHRASE, slot="eve")
    alone = remove_slot(by_ben, "owner", random=fresh)
    assert unlock(alone, "battery staple").secret == SECRET
    with pytest.raises(WrongPassphrase):
        unlock(alone, PASSPHRASE)


def test_slots_that_cannot_be_are_refused() -> None:
    opened = unlock(BOX, PASSPHRASE)
    for name in ("owner", "", "a\nb", "a" * 65):
        with pytest.raises(BadSlot):
            add_slot(opened, name, "battery staple", random=fresh)
    for name in ("owner", "eve"):
        with pytest.raises(BadSlot):
            remove_slot(opened, name, random=fresh)
    full = Opened(opened.header, SECRET, "owner", LIGHT, opened.slots * MOST_SLOTS, opened.data_key)
    with pytest.raises(BadSlot):
        add_slot(full, "ben", "battery staple", random=fresh)


def test_header_and_secret_change_without_the_passphrase_being_asked_again() -> None:
    box = reseal(unlock(BOX, PASSPHRASE), random=fresh, header={**TEST, "epoch": 4}, secret=b"other")
    opened = unlock(box, PASSPHRASE)
    assert (opened.header["epoch"], opened.secret) == (4, b"other")


def test_secrets_have_no_face() -> None:
    opened = unlock(BOX, PASSPHRASE)
    assert "seed" not in repr(opened)
    assert repr(opened.data_key) not in repr(opened)
    assert repr(opened.slots[0].wrapped) not in repr(opened)


def test_a_refusal_never_repeats_the_passphrase() -> None:
    with pytest.raises(Refusal) as caught:
        unlock(BOX, "my own secret words")
    assert "secret words" not in str(caught.value)
