"""Words and dice: the published English cases of BIP39, words that hold nothing, and the mixing of dice."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import BadDice, BadWords
from shared.hdkeys import master
from shared.words import entropy_from_words, mix_entropy, seed_from_words, words_from_entropy
from shared.xkeys import print_xprv
from tests.shared_vectors import cases, name_of

ENGLISH = [case for case in cases("keys/bip39.json", "bip39") if case["language"] == "english"]
ABOUT = "abandon " * 11 + "about"


@pytest.mark.parametrize("case", ENGLISH, ids=name_of)
def test_words_entropy_seed_and_root_are_the_published_ones(case: dict[str, Any]) -> None:
    entropy = bytes.fromhex(case["entropy"])
    assert words_from_entropy(entropy) == case["mnemonic"]
    assert entropy_from_words(case["mnemonic"]) == entropy
    seed = seed_from_words(case["mnemonic"], case["passphrase"])
    assert seed.hex() == case["seed"]
    assert print_xprv(master(seed, "secp256k1"), "main") == case["xprv"]


@given(st.sampled_from([16, 20, 24, 28, 32]).flatmap(lambda size: st.binary(min_size=size, max_size=size)))
def test_entropy_comes_back(entropy: bytes) -> None:
    assert entropy_from_words(words_from_entropy(entropy)) == entropy


def test_only_the_blanks_between_words_are_free() -> None:
    assert entropy_from_words("  " + ABOUT.replace(" ", "\n ")) == bytes(16)
    assert seed_from_words(ABOUT.replace(" ", "  ")) == seed_from_words(ABOUT)


WRONG = {
    "none": "",
    "too few": "abandon " * 11,
    "too many": ABOUT + " about",
    "checksum": "abandon " * 12,
    "swapped": "about " + "abandon " * 11,
    "no word": ABOUT.replace("about", "abouts"),
    "capital": ABOUT.replace("about", "About"),
}


@pytest.mark.parametrize("words", WRONG.values(), ids=WRONG.keys())
def test_words_that_hold_nothing_are_refused(words: str) -> None:
    with pytest.raises(BadWords):
        entropy_from_words(words)
    with pytest.raises(BadWords):
        seed_from_words(words)


def test_a_refusal_names_a_word_by_its_place_alone() -> None:
    with pytest.raises(BadWords) as caught:
        entropy_from_words("abandon " * 11 + "secretword")
    assert str(caught.value) == "word 12 is not in the list"


def test_entropy_of_another_length_has_no_words() -> None:
    with pytest.raises(BadWords):
        words_from_entropy(bytes(17))


def test_both_the_system_and_the_dice_decide() -> None:
    inputs = [(bytes(32), "123456" * 17), (bytes(32), "1"), (bytes(31) + b"\1", "1"), (bytes(32), "")]
    mixed = {mix_entropy(system, dice) for system, dice in inputs}
    assert {len(one) for one in mixed} == {32}
    assert len(mixed) == 4
    assert len(mix_entropy(bytes(16), "")) == 16


def test_mixing_is_hkdf_as_another_library_computes_it() -> None:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    from shared.encoding import encode

    expected = HKDF(SHA256(), 32, b"lockgate entropy 1", b"").derive(encode([bytes(range(32)), "1266"]))
    assert mix_entropy(bytes(range(32)), "1266") == expected


@pytest.mark.parametrize("dice", ["0", "7", "1 2", "١"])
def test_rolls_are_digits_from_1_to_6(dice: str) -> None:
    with pytest.raises(BadDice):
        mix_entropy(bytes(32), dice)


@pytest.mark.parametrize("size", [15, 33])
def test_the_system_gives_16_to_32_bytes(size: int) -> None:
    with pytest.raises(ValueError, match="16 to 32"):
        mix_entropy(bytes(size), "")
