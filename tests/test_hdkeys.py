"""Derivation: the published BIP32 and SLIP-10 cases, paths, and extended keys as text.

Left out of the SLIP-10 cases: the curves P-256 and curve25519, which no supported ledger signs with.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared import hdkeys
from shared.chains.api import Curve
from shared.errors import BadKey, BadKeyPath
from shared.hdkeys import HARDENED, PublicNode, derive, master, parse_path, print_path
from shared.xkeys import parse_xprv, parse_xpub, print_xprv, print_xpub
from tests.shared_vectors import cases, name_of

SEED = bytes(range(16))
SLIP10 = cases("keys/slip10.json", "slip10_secp256k1", "slip10_ed25519")


def _path(text: str) -> tuple[int, ...]:
    return parse_path(text.replace("h", "'").replace("H", "'"))


@pytest.mark.parametrize("case", cases("keys/bip32.json", "bip32"), ids=name_of)
def test_bip32_gives_the_published_keys(case: dict[str, Any]) -> None:
    for chain in case["chains"]:
        node = derive(bytes.fromhex(case["seed"]), "secp256k1", _path(chain["path"]))
        assert print_xprv(node, "main") == chain["xprv"]
        assert print_xpub(node.public(), "main") == chain["xpub"]
        assert parse_xprv(chain["xprv"], "main") == node
        assert parse_xpub(chain["xpub"], "main") == node.public()


@pytest.mark.parametrize("case", cases("keys/bip32.json", "bip32_refused"), ids=name_of)
def test_published_bad_keys_are_refused(case: dict[str, Any]) -> None:
    with pytest.raises(BadKey):
        parse_xpub(case["key"], "main")
    with pytest.raises(BadKey):
        parse_xprv(case["key"], "main")


@pytest.mark.parametrize("case", SLIP10, ids=name_of)
def test_slip10_gives_the_published_keys(case: dict[str, Any]) -> None:
    for chain in case["chains"]:
        node = derive(bytes.fromhex(case["seed"]), case["curve"], _path(chain["path"]))
        assert node.private_key.hex() == chain["private"]
        assert node.public_key.rjust(33, b"\0").hex() == chain["public"]
        assert node.chain_code.hex() == chain["chain_code"]
        assert node.parent.hex() == chain["fingerprint"]


@settings(max_examples=30)
@given(st.binary(min_size=16, max_size=64), st.lists(st.integers(0, HARDENED - 1), max_size=3))
def test_public_derivation_meets_private_derivation(seed: bytes, path: list[int]) -> None:
    private = master(seed, "secp256k1").child(HARDENED)
    public = private.public()
    for number in path:
        private, public = private.child(number), public.child(number)
    assert private.public() == public


@given(st.lists(st.integers(0, 2**32 - 1), max_size=10))
def test_a_path_reads_back(path: list[int]) -> None:
    assert parse_path(print_path(tuple(path))) == tuple(path)


def test_a_path_is_written_as_people_know_it() -> None:
    path = (44 + HARDENED, 144 + HARDENED, HARDENED, 0, 7)
    assert print_path(path) == "m/44'/144'/0'/0/7"
    assert parse_path("m") == ()


OTHER_SPELLINGS = (
    *("", "M", "m/", "/0", "m/00", "m/0h", "m/0''", "m/-1", "m/+1", "m/ 1", "m/2147483648"),
    *("m/٣", "m//1", "m/1/", "m/0'\n"),
)


@pytest.mark.parametrize("text", OTHER_SPELLINGS)
def test_paths_in_another_spelling_are_refused(text: str) -> None:
    with pytest.raises(BadKeyPath):
        parse_path(text)


def test_paths_have_an_end() -> None:
    with pytest.raises(BadKeyPath):
        parse_path("m" + "/0" * 256)
    with pytest.raises(BadKeyPath):
        PublicNode(master(SEED, "secp256k1").public_key, bytes(32), 255).child(0)


@pytest.mark.parametrize(
    ("curve", "number"), [("secp256k1", -1), ("secp256k1", 2**32), ("ed25519", 0), ("ed25519", 2**32)]
)
def test_numbers_that_lead_to_no_child_are_refused(curve: Curve, number: int) -> None:
    with pytest.raises(BadKeyPath):
        master(SEED, curve).child(number)


def test_a_public_key_has_no_hardened_children_and_ed25519_none_at_all() -> None:
    with pytest.raises(BadKeyPath):
        master(SEED, "secp256k1").public().child(HARDENED)
    with pytest.raises(BadKey):
        master(SEED, "ed25519").public()


@pytest.mark.parametrize("length", [0, 15, 65])
def test_seeds_have_16_to_64_bytes(length: int) -> None:
    with pytest.raises(BadKey):
        master(bytes(length), "ed25519")


@pytest.mark.parametrize("half", [bytes(32), b"\xff" * 32], ids=["zero", "beyond the order"])
def test_a_hash_that_is_no_key_is_refused_and_never_stepped_over(
    half: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = master(SEED, "secp256k1")
    monkeypatch.setattr(hdkeys, "_split_mac", lambda key, message: (half, bytes(32)))
    public = node.public()
    for derive_one in (lambda: master(SEED, "secp256k1"), lambda: node.child(0), lambda: public.child(0)):
        with pytest.raises(BadKey):
            derive_one()


def test_a_child_at_infinity_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    node = master(SEED, "secp256k1")
    opposite = (hdkeys._ORDER - int.from_bytes(node.private_key, "big")).to_bytes(32, "big")
    monkeypatch.setattr(hdkeys, "_split_mac", lambda key, message: (opposite, bytes(32)))
    with pytest.raises(BadKey, match="this child"):
        node.child(0)
    with pytest.raises(BadKey, match="this child"):
        node.public().child(0)


def test_private_keys_have_no_face() -> None:
    for curve in ("secp256k1", "ed25519"):
        node = master(SEED, curve)
        assert node.private_key.hex() not in repr(node)
        assert repr(node.private_key) not in repr(node)
        assert repr(node.chain_code) not in repr(node)


@given(st.integers(0, 110), st.characters(codec="ascii"))
def test_every_altered_letter_of_an_extended_key_is_refused(place: int, letter: str) -> None:
    text = print_xpub(master(SEED, "secp256k1").public(), "test")
    assert text.startswith("tpub")
    if text[place] != letter:
        with pytest.raises(BadKey):
            parse_xpub(text[:place] + letter + text[place + 1 :], "test")


def test_extended_keys_of_another_kind_or_network_are_refused() -> None:
    node = master(SEED, "secp256k1")
    with pytest.raises(BadKey):
        parse_xpub(print_xpub(node.public(), "test"), "main")
    with pytest.raises(BadKey):
        parse_xpub(print_xprv(node, "main"), "main")
    with pytest.raises(BadKey):
        print_xprv(master(SEED, "ed25519"), "main")
    with pytest.raises(BadKey):
        parse_xpub("z" * 111, "main")
