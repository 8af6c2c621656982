"""Account ids, destinations, key texts and key paths of NEAR: as the protocol has them, or refused, never repaired."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyonear.account_id import AccountId

from shared.chains import chain, names
from shared.chains.near import NEAR
from shared.chains.near.accounts import AccountKind, account_kind, parse_account
from shared.chains.near.keys import base58_text, implicit_account, key_text, parse_base58, parse_key
from shared.effects import Destination
from shared.errors import BadAddress, NearKeyRefused, NearMemoRefused, Refusal, UnknownChain, UnknownForm
from tests.near_house import IMPLICIT, KEY

HARD = 1 << 31

GOOD = {
    "aa": AccountKind.NAMED,
    "near": AccountKind.NAMED,
    "a-b_c.d-e": AccountKind.NAMED,
    "0-1_2.3": AccountKind.NAMED,
    "x" * 64: AccountKind.NAMED,
    "0x0123456789abcdef0123456789abcdef0123456": AccountKind.NAMED,  # 39 digits
    "0xa.near": AccountKind.NAMED,
    "0u.near": AccountKind.NAMED,
    "g" * 64: AccountKind.NAMED,
    "00": AccountKind.NAMED,
    "com": AccountKind.NAMED,
    "100-million.near": AccountKind.NAMED,
    "app_1.alice.near": AccountKind.NAMED,
    "a.b.c.d.e.f.g.h.i.j": AccountKind.NAMED,
    "system.near": AccountKind.NAMED,
    "ab" * 31 + "a": AccountKind.NAMED,  # 63 digits
    "0s" + "ab" * 19 + "ag": AccountKind.NAMED,
    "0x" + "ab" * 20 + ".near": AccountKind.NAMED,
    "ab" * 32: AccountKind.IMPLICIT,
    "0" * 64: AccountKind.IMPLICIT,
    "0x" + "ab" * 20: AccountKind.ETHEREUM,
    "0s" + "ab" * 20: AccountKind.DETERMINISTIC,
    "0u" + "ab" * 20: AccountKind.UNIVERSAL,
    "system": AccountKind.SYSTEM,
}

BAD = [
    "", "a", "A1", "Alice.near", "AB" * 32, "alice..near", "alice.-near", "alice_-b", "alice--b", "alice.", ".alice",
    "-alice", "alice-", "_alice", "alice_", "ali ce", " alice", "alice ", "alice\n", "alice\0", "ali/ce", "alice@near",
    "älice.near", "alice\u0301", "alicе",  # the last has a Cyrillic letter
    "x" * 65, "0X" + "ab" * 20, "0x" + "AB" * 20, "\u0661\u0662",  # digits of another script
]  # fmt: skip


@pytest.mark.parametrize(("text", "kind"), GOOD.items())
def test_good_account_ids_have_their_kind(text: str, kind: AccountKind) -> None:
    assert parse_account(text) == text
    assert account_kind(text) is kind


@pytest.mark.parametrize("text", BAD, ids=ascii)
def test_bad_account_ids_are_refused_and_never_repaired(text: str) -> None:
    for read in (parse_account, account_kind, lambda text: NEAR.parse_address(text, "near:mainnet")):
        with pytest.raises(BadAddress):
            read(text)


@given(st.text("aA0z.-_@ é", max_size=66) | st.from_regex(r"[a-c.\-_0-9]{0,66}", fullmatch=True))
def test_any_text_is_an_account_id_exactly_where_nearcores_own_crate_takes_it(text: str) -> None:
    try:
        AccountId.validate(text)
        wanted = True
    except ValueError:
        wanted = False
    try:
        parse_account(text)
        found = True
    except BadAddress:
        found = False
    assert found is wanted


# --- destinations -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "network"), [
    ("alice.near", "near:mainnet"), ("alice.testnet", "near:testnet"), ("alice.near", "near:localnet"),
    ("alice.testnet", "near:localnet"), (IMPLICIT, "near:testnet"), ("0x" + "ab" * 20, "near:mainnet"),
    ("0s" + "ab" * 20, "near:mainnet"), ("testnet.near", "near:mainnet"), ("usdt.tether-token.near", "near:mainnet"),
])
def test_accounts_of_the_network_are_destinations_without_tag_or_memo(text: str, network: str) -> None:
    assert NEAR.parse_address(text, network) == Destination(text)


@pytest.mark.parametrize(("text", "network", "code"), [
    ("alice.testnet", "near:mainnet", "wrong-network"),
    ("testnet", "near:mainnet", "wrong-network"),
    ("a.b.testnet", "near:mainnet", "wrong-network"),
    ("alice.near", "near:testnet", "wrong-network"),
    ("system", "near:mainnet", "bad-address"),
    ("0u" + "ab" * 20, "near:mainnet", "bad-address"),
    ("ALICE.near", "near:mainnet", "bad-address"),
    ("alice.near", "near:betanet", "unknown-chain"),
    ("alice.near", "near", "unknown-chain"),
])
def test_accounts_of_another_network_and_those_that_nobody_pays_are_refused(text: str, network: str, code: str) -> None:
    with pytest.raises(Refusal) as caught:
        NEAR.parse_address(text, network)
    assert caught.value.code == code


def test_memos_are_the_text_itself() -> None:
    assert NEAR.memo(b'invoice 7 / "A"') == 'invoice 7 / "A"'


@pytest.mark.parametrize("raw", [b"", b" x", b"x ", b"x" * 257, b"\xff", "é".encode(), b"a\nb", b"a\0", b"\x7f"])
def test_memos_that_do_not_show_as_they_are_are_refused(raw: bytes) -> None:
    with pytest.raises(NearMemoRefused):
        NEAR.memo(raw)


# --- keys -------------------------------------------------------------------------------------------


@given(st.binary(min_size=32, max_size=32))
def test_each_key_has_one_text(key: bytes) -> None:
    assert parse_key(key_text(key)) == key
    assert parse_base58(base58_text(key), 32) == key
    assert implicit_account(key) == key.hex()


@pytest.mark.parametrize("text", [
    "", "ed25519:", key_text(KEY)[8:], key_text(KEY).upper(), key_text(KEY) + "1", key_text(KEY)[:-1],
    "ed25519:1" + key_text(KEY)[8:], "ED25519:" + key_text(KEY)[8:], "secp256k1:" + "1" * 64, " " + key_text(KEY),
    key_text(KEY).replace("3", "0"), "ed25519:" + "z" * 44, "ed25519:" + "1" * 33, "ed25519:" + "1" * 31,
    "ed25519:" + "2" * 500,
])
def test_what_is_no_key_of_ed25519_in_its_one_text_is_refused(text: str) -> None:
    with pytest.raises(NearKeyRefused):
        parse_key(text)


@pytest.mark.parametrize("width", [0, 31, 33, 64])
def test_bytes_that_are_no_public_key_control_no_account(width: int) -> None:
    with pytest.raises(NearKeyRefused):
        NEAR.address(bytes(width), "ed25519", "near:mainnet")


# --- networks and paths -------------------------------------------------------------------------------


def test_near_stands_in_the_registry_and_has_three_networks() -> None:
    assert "near" in names()
    assert chain("near:testnet") is NEAR
    assert [NEAR.network(f"near:{name}").network_class for name in ("mainnet", "testnet", "localnet")] == [
        "main", "test", "test"
    ]
    native = NEAR.network("near:mainnet").native
    assert (native.code, native.decimals) == ("NEAR", 24)


@pytest.mark.parametrize("name", ["near", "near:", "near:main", "NEAR:mainnet", "near:mainnet ", "xrpl:mainnet"])
def test_other_names_are_no_networks(name: str) -> None:
    for ask in (NEAR.network, lambda name: NEAR.key_path(name, "ed25519", 0, 0),
                lambda name: NEAR.address(KEY, "ed25519", name), lambda name: NEAR.explain(b"", name)):
        with pytest.raises(UnknownChain):
            ask(name)


@pytest.mark.parametrize(("network", "account", "index", "path"), [
    ("near:mainnet", 0, 0, (44, 397, 0)), ("near:mainnet", 0, 5, (44, 397, 5)), ("near:mainnet", 2, 5, (44, 397, 2, 5)),
    ("near:testnet", 0, 0, (44, 1, 397, 1, 0, 0)), ("near:localnet", 3, 4, (44, 1, 397, 2, 3, 4)),
])
def test_paths_are_hardened_at_every_level(network: str, account: int, index: int, path: tuple[int, ...]) -> None:
    assert NEAR.key_path(network, "ed25519", account, index) == tuple(level | HARD for level in path)


def test_no_two_keys_of_any_network_account_or_index_share_a_path() -> None:
    numbers = (0, 1, 2, 44, 397, HARD - 1)
    networks = ("near:mainnet", "near:testnet", "near:localnet")
    paths = [NEAR.key_path(*one[:1], "ed25519", *one[1:]) for one in itertools.product(networks, numbers, numbers)]
    assert len(set(paths)) == len(paths)


def test_the_keys_of_a_card_differ_in_the_last_level_alone() -> None:
    for network, account in itertools.product(("near:mainnet", "near:testnet"), (0, 7)):
        first = NEAR.key_path(network, "ed25519", account, 0)
        assert NEAR.key_path(network, "ed25519", account, 9) == (*first[:-1], first[-1] + 9)


@pytest.mark.parametrize(("curve", "account", "index"), [
    ("secp256k1", 0, 0), ("ed25519", -1, 0), ("ed25519", 0, -1), ("ed25519", HARD, 0), ("ed25519", 0, HARD),
])
def test_other_curves_and_numbers_have_no_path(curve: str, account: int, index: int) -> None:
    with pytest.raises(NearKeyRefused):
        NEAR.key_path("near:mainnet", curve, account, index)  # type: ignore[arg-type]
    if curve != "ed25519":
        with pytest.raises(NearKeyRefused):
            NEAR.address(KEY, "secp256k1", "near:mainnet")


def test_other_forms_of_addresses_are_refused() -> None:
    with pytest.raises(UnknownForm):
        NEAR.address(KEY, "ed25519", "near:mainnet", "0x")
    with pytest.raises(UnknownForm):
        NEAR.key_path("near:mainnet", "ed25519", 0, 0, "0x")
