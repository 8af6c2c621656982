"""XRPL networks, key paths, addresses and seeds: what is read, what is refused; networks share no key."""

from __future__ import annotations

import hashlib
import itertools
import subprocess
import sys

import coincurve
import pytest
from xrpl.core.binarycodec.definitions import get_field_instance

from shared.chains.api import Curve
from shared.chains.xrpl import XRPL, addresses, seeds
from shared.chains.xrpl.amounts import MOST_DROPS, checked_drops
from shared.chains.xrpl.fields import REFUSED, TOP, Scope
from shared.chains.xrpl.networks import BASE58, network_id
from shared.effects import Destination
from shared.errors import (
    BadAddress,
    BadAmount,
    NoRipemd160,
    Refusal,
    UnknownChain,
    WrongNetwork,
    XrplBadSeed,
    XrplKeyRefused,
)

MAIN, TEST = "xrpl:mainnet", "xrpl:testnet"
GENESIS = "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh"
HARD = 1 << 31


# --- networks and paths ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "number", "kind"),
    [
        (MAIN, 0, "main"),
        (TEST, 1, "test"),
        ("xrpl:devnet", 2, "test"),
        ("xrpl:local", 21337, "test"),
        ("xrpl:net-1025", 1025, "test"),
        ("xrpl:net-2147483647", 2**31 - 1, "test"),
    ],
)
def test_a_network_has_its_id_class_and_coin(name: str, number: int, kind: str) -> None:
    network = XRPL.network(name)
    assert (network_id(name), network.network_class, str(network.native)) == (number, kind, f"XRP@{name}")


@pytest.mark.parametrize(
    "name",
    [
        "xrpl",
        "xrpl:",
        "xrpl:net-0",
        "xrpl:net-1024",
        "xrpl:net-01025",
        "xrpl:net-21337",
        "xrpl:net-2147483648",
        "xrpl:net-٢٠٠٠",
        "xrpl:net-99999999999",
        "bitcoin:mainnet",
    ],
)
def test_a_name_that_is_no_network_is_refused(name: str) -> None:
    with pytest.raises(UnknownChain):
        XRPL.network(name)


def test_the_main_path_is_the_one_of_hardware_wallets() -> None:
    assert XRPL.key_path(MAIN, "secp256k1", 0, 0) == (44 | HARD, 144 | HARD, HARD, 0, 0)
    assert XRPL.key_path(MAIN, "ed25519", 3, 4) == (44 | HARD, 144 | HARD, 3 | HARD, HARD, 4 | HARD)
    assert XRPL.key_path(TEST, "secp256k1", 3, 4) == (
        44 | HARD,
        1 | HARD,
        144 | HARD,
        1 | HARD,
        3 | HARD,
        0,
        4,
    )


def test_no_two_networks_or_wallets_share_a_path() -> None:
    names = [MAIN, TEST, "xrpl:devnet", "xrpl:local", "xrpl:net-1025"]
    curves: list[Curve] = ["secp256k1", "ed25519"]
    for curve in curves:
        paths = [XRPL.key_path(n, curve, a, i) for n, a, i in itertools.product(names, (0, 1, 144), (0, 1))]
        assert len(set(paths)) == len(paths)


@pytest.mark.parametrize(("account", "index"), [(-1, 0), (0, -1), (HARD, 0), (0, HARD)])
def test_a_path_beyond_its_numbers_is_refused(account: int, index: int) -> None:
    with pytest.raises(XrplKeyRefused):
        XRPL.key_path(MAIN, "secp256k1", account, index)


# --- addresses ------------------------------------------------------------------------------------


def packed(prefix: bytes, rest: bytes, account: bytes = b"\1" * 20) -> str:
    return BASE58.encode_check(prefix + account + rest)


BAD = [
    "",
    "r",
    "rrrrrrrrrrrrrrrrrrrrrhoLvTp",  # the account of zeros
    GENESIS[:-1],
    GENESIS + "h",
    GENESIS[:-1] + "i",
    GENESIS.upper(),
    " " + GENESIS,
    GENESIS.replace("b", "0"),
    "1" * 34,
    "r" * 65,
    BASE58.encode_check(b"\0" * 1 + b"\1" * 19),
    BASE58.encode_check(b"\5" + b"\1" * 20),
    "X" * 47,
    packed(b"\x05\x44", bytes(8)),
    packed(b"\x05\x44", b"\2" + bytes(8)),
    packed(b"\x05\x44", b"\0\1" + bytes(7)),
    packed(b"\x05\x44", b"\1" + bytes(7) + b"\1"),
    packed(b"\x05\x44", bytes(9), bytes(20)),
    "0x" + "11" * 20,
]


@pytest.mark.parametrize("text", BAD)
def test_a_text_that_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(BadAddress):
        XRPL.parse_address(text, MAIN)


def test_one_wrong_letter_is_never_repaired() -> None:
    for place, letter in itertools.product(range(1, len(GENESIS)), "rX2"):
        text = GENESIS[:place] + letter + GENESIS[place + 1 :]
        if text != GENESIS:
            with pytest.raises(BadAddress):
                XRPL.parse_address(text, MAIN)


def test_an_x_address_of_the_other_class_is_refused() -> None:
    text = addresses.pack_address(Destination(GENESIS, 5), TEST)
    assert text.startswith("T")
    with pytest.raises(WrongNetwork):
        XRPL.parse_address(text, MAIN)
    assert XRPL.parse_address(text, "xrpl:local") == Destination(GENESIS, 5)


def test_a_tag_beside_an_address_is_taken_unless_there_is_one_inside() -> None:
    bare, tagged = (addresses.pack_address(Destination(GENESIS, tag), MAIN) for tag in (None, 5))
    assert addresses.parse_tagged(GENESIS, 0, MAIN) == Destination(GENESIS, 0)
    assert addresses.parse_tagged(bare, 7, MAIN) == Destination(GENESIS, 7)
    assert addresses.parse_tagged(tagged, None, MAIN) == Destination(GENESIS, 5)
    for text, tag in ((tagged, 5), (GENESIS, -1), (GENESIS, 2**32)):
        with pytest.raises(BadAddress):
            addresses.parse_tagged(text, tag, MAIN)


def test_base58_keeps_leading_zeros_and_refuses_a_text_too_short_for_a_checksum() -> None:
    assert BASE58.decode_check(BASE58.encode_check(b"\0\0\1")) == b"\0\0\1"
    assert BASE58.decode_check("rrr") is None


PUBLIC = coincurve.PrivateKey(b"\7" * 32).public_key


@pytest.mark.parametrize(
    ("key", "curve"),
    [
        (PUBLIC.format()[1:], "secp256k1"),
        (PUBLIC.format(compressed=False), "secp256k1"),
        (b"\2" + b"\xff" * 32, "secp256k1"),
        (b"", "secp256k1"),
        (b"\xed" + bytes(32), "ed25519"),
    ],
)
def test_bytes_that_are_no_public_key_have_no_address(key: bytes, curve: Curve) -> None:
    with pytest.raises(XrplKeyRefused):
        XRPL.address(key, curve, MAIN)


def test_a_python_without_ripemd160_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ValueError(f"unsupported hash type {name}")

    addresses.account_of.cache_clear()
    monkeypatch.setattr(hashlib, "new", missing)
    with pytest.raises(NoRipemd160):
        addresses.account_of(PUBLIC.format())


@pytest.mark.parametrize("drops", [-1, MOST_DROPS + 1, True, "5"])
def test_drops_are_whole_and_no_more_than_there_are(drops: int) -> None:
    with pytest.raises(BadAmount):
        checked_drops(drops)


# --- seeds ----------------------------------------------------------------------------------------

SEED, ED_SEED = "snoPBrXtMeMyMHUVTgbuqAfg1SUTb", "sEdSKaCy2JT7JaM7v95H9SxkhP9wS2r"


def test_an_ed25519_seed_gives_no_secp256k1_key() -> None:
    with pytest.raises(XrplBadSeed):
        seeds.keypair_from_seed(ED_SEED, "secp256k1")


@pytest.mark.parametrize("text", ["", GENESIS, SEED[:-1], ED_SEED.lower(), BASE58.encode_check(b"\x21" + bytes(15))])
def test_a_text_that_is_no_seed_is_refused(text: str) -> None:
    with pytest.raises(XrplBadSeed):
        seeds.decode_seed(text)


def test_seeds_and_keys_have_no_face() -> None:
    for text in (SEED, ED_SEED):
        seed, pair = seeds.decode_seed(text), seeds.keypair_from_seed(text)
        shown = repr(seed) + repr(pair)
        for secret in (seed.entropy, pair.secret):
            assert repr(secret) not in shown
            assert secret.hex() not in shown


def test_a_hash_outside_of_the_curves_order_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([bytes(32), b"\xff" * 32, b"\1" * 32, bytes(31) + b"\2"])
    monkeypatch.setattr(seeds, "_half", lambda _message: next(answers))
    assert seeds.keypair_from_seed(SEED).secret == b"\1" * 31 + b"\3"


# --- the table and the imports --------------------------------------------------------------------


def scopes() -> list[Scope]:
    inner = [field.item_scope for field in TOP.by_name.values() if field.item_scope is not None]
    return [TOP, *inner]


def test_every_field_has_the_header_that_xrpl_py_knows() -> None:
    for scope in scopes():
        for field in scope.by_name.values():
            theirs = get_field_instance(field.name)
            assert bytes(theirs.header) == field.header
            if field.item_name:
                assert bytes(get_field_instance(field.item_name).header) == field.item_header


def test_every_refused_field_has_its_name() -> None:
    for (type_code, field_code), name in REFUSED.items():
        theirs = get_field_instance(name)
        assert (theirs.header.type_code, theirs.header.field_code) == (type_code, field_code)


def test_the_chain_loads_no_network_module() -> None:
    program = (
        "import sys, shared.chains.xrpl; "
        "print([m for m in ('socket', 'ssl', 'http', 'asyncio', 'xrpl', 'urllib.request')"
        " if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def test_every_refusal_of_the_chain_has_its_own_code_and_a_hint() -> None:
    def below(kind: type[Refusal]) -> list[type[Refusal]]:
        return [kind, *(deeper for child in kind.__subclasses__() for deeper in below(child))]

    kinds = [kind for kind in below(Refusal) if kind.__name__.startswith("Xrpl")]
    assert len({kind.code for kind in kinds}) == len(kinds)
    assert all(kind.__doc__ and kind.hint for kind in kinds)
