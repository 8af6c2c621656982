"""Addresses of all kinds and networks in both directions, by the examples of BIP84, BIP86, BIP173 and BIP350."""

from __future__ import annotations

import random

import pytest

from shared.chains.bitcoin import BITCOIN
from shared.chains.bitcoin.addresses import address as address_of_key
from shared.chains.bitcoin.addresses import address_of, parse_address, script_of
from shared.chains.bitcoin.bech32 import decode_segwit, encode_segwit
from shared.chains.bitcoin.networks import BASE58, key_path
from shared.errors import BadAddress, BitcoinKeyRefused, BitcoinScriptRefused, UnknownChain, WrongNetwork

MAIN = "bitcoin:mainnet"
NETWORKS = (MAIN, "bitcoin:testnet4", "bitcoin:signet", "bitcoin:regtest")
HARD = 1 << 31

# BIP173 and BIP350, "Test vectors": valid segwit addresses and the scripts they stand for.
VALID = [
    ("BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", "0014751e76e8199196d454941c45d1b3a323f1433bd6"),
    (
        "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7",
        "00201863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262",
    ),
    (
        "bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y",
        "5128751e76e8199196d454941c45d1b3a323f1433bd6751e76e8199196d454941c45d1b3a323f1433bd6",
    ),
    ("BC1SW50QGDZ25J", "6002751e"),
    ("bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs", "5210751e76e8199196d454941c45d1b3a323"),
    (
        "tb1qqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesrxh6hy",
        "0020000000c4a5cad46221b2a187905e5266362b99d5e91c6ce24d165dab93e86433",
    ),
    (
        "tb1pqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesf3hn0c",
        "5120000000c4a5cad46221b2a187905e5266362b99d5e91c6ce24d165dab93e86433",
    ),
    (
        "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
        "512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
    ),
]

# BIP350, "Test vectors": invalid segwit addresses, and of BIP173 those that are still wrong.
INVALID = [
    "tc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq5zuyut",
    "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd",
    "tb1z0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqglt7rf",
    "BC1S0XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ54WELL",
    "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh",
    "tb1q0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq24jc47",
    "bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4",
    "BC130XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ7ZWS8R",
    "bc1pw5dgrnzv",
    "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v8n0nx0muaewav253zgeav",
    "BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P",
    "tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq47Zagq",
    "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v07qwwzcrf",
    "tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vpggkg4j",
    "bc1gmk9yu",
    "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5",
    "",
    "1",
    "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN3",
    "0BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2",
    "11111111111111111111",
    "xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8",
]

# One program in every form, on every network: origin, the hash of the generator point (BIP173).
HASH = bytes.fromhex("751e76e8199196d454941c45d1b3a323f1433bd6")
GENERATOR = bytes.fromhex("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")


@pytest.mark.parametrize(("text", "script"), VALID)
def test_the_examples_of_bip173_and_bip350_have_these_scripts(text: str, script: str) -> None:
    read = decode_segwit(text)
    assert read is not None
    words, version, program = read
    assert bytes([version + 0x50 if version else 0, len(program)]) + program == bytes.fromhex(script)
    assert encode_segwit(words, version, program) == text.lower()


@pytest.mark.parametrize("text", INVALID)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(BadAddress):
        parse_address(text, MAIN)


@pytest.mark.parametrize("text", ["BC1SW50QGDZ25J", "bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs", VALID[2][0]])
def test_a_witness_version_without_a_known_meaning_is_refused(text: str) -> None:
    with pytest.raises(BadAddress):
        script_of(text, MAIN)


def test_capital_letters_of_a_segwit_address_become_small() -> None:
    assert str(parse_address(VALID[0][0], MAIN)) == VALID[0][0].lower()


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize(
    "script",
    [b"\x76\xa9\x14" + HASH + b"\x88\xac", b"\xa9\x14" + HASH + b"\x87", b"\x00\x14" + HASH]
    + [head + b"\x20" + GENERATOR[1:] for head in (b"\x00", b"\x51")],
)
def test_script_and_address_give_each_other_and_other_networks_refuse(network: str, script: bytes) -> None:
    text = address_of(script, network)
    assert script_of(text, network) == script
    for other in NETWORKS:
        if address_of(script, other) != text:
            with pytest.raises(WrongNetwork):
                script_of(text, other)


def test_bip84_and_bip86_give_these_first_addresses() -> None:
    # BIP84 and BIP86, "Test vectors": the first receiving keys of the mnemonic "abandon ... about".
    bip84 = bytes.fromhex("0330d54fd0dd420a6e5f8d3624f5f3482cae350f79d5f0753bf5beef9c2d91af3c")
    bip86 = bytes.fromhex("02cc8a4bc64d897bddc5fbc2f670f7a8ba0b386779106cf1223c6fc5d7cd6fc115")
    assert BITCOIN.address(bip84, "secp256k1", MAIN) == "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu"
    address = "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr"
    assert address_of_key(bip86, "secp256k1", MAIN, "p2tr") == address


def test_key_paths_are_those_of_bip84_and_bip86() -> None:
    assert key_path(MAIN, "secp256k1", 3, 7) == (84 | HARD, HARD, 3 | HARD, 0, 7)
    assert key_path(MAIN, "secp256k1", 3, 7, "p2tr") == (86 | HARD, HARD, 3 | HARD, 0, 7)


def test_the_chain_gives_addresses_and_paths_by_the_same_rules() -> None:
    assert BITCOIN.parse_address(VALID[0][0], MAIN).address == VALID[0][0].lower()
    assert BITCOIN.key_path(MAIN, "secp256k1", 0, 1) == key_path(MAIN, "secp256k1", 0, 1, "p2wpkh")


def test_no_two_networks_share_a_key_path() -> None:
    accounts = (0, 1, (1 << 28) - 1)
    paths = {key_path(network, "secp256k1", account, 0) for network in NETWORKS for account in accounts}
    assert len(paths) == len(NETWORKS) * len(accounts)


@pytest.mark.parametrize(("account", "index"), [(1 << 28, 0), (-1, 0), (0, HARD), (0, -1)])
def test_a_number_outside_of_a_test_networks_range_has_no_path(account: int, index: int) -> None:
    with pytest.raises(BitcoinKeyRefused):
        key_path("bitcoin:signet", "secp256k1", account, index)


def test_bitcoin_has_neither_ed25519_nor_unknown_forms() -> None:
    with pytest.raises(BitcoinKeyRefused):
        key_path(MAIN, "ed25519", 0, 0)
    with pytest.raises(BitcoinKeyRefused):
        BITCOIN.address(bytes(32), "ed25519", MAIN)
    with pytest.raises(BitcoinKeyRefused):
        key_path(MAIN, "secp256k1", 0, 0, "p2pkh")


@pytest.mark.parametrize("public_key", [bytes(33), b"\x02" * 32, b"\x05" + bytes(32), b"\x02" + b"\xff" * 32])
def test_bytes_that_are_no_point_have_no_address(public_key: bytes) -> None:
    with pytest.raises(BitcoinKeyRefused):
        BITCOIN.address(public_key, "secp256k1", MAIN)


def test_a_network_by_another_name_is_unknown() -> None:
    with pytest.raises(UnknownChain):
        BITCOIN.network("bitcoin:testnet3")
    assert BITCOIN.network("bitcoin:signet").network_class == "test"


def test_a_script_without_an_address_is_refused() -> None:
    with pytest.raises(BitcoinScriptRefused):
        address_of(b"\x6a\x01\x00", MAIN)


def test_base58_of_a_version_that_no_network_has_is_refused() -> None:
    with pytest.raises(BadAddress):
        script_of(BASE58.encode_check(b"\x30" + HASH), MAIN)


def test_random_programs_survive_both_encodings_and_one_wrong_letter_does_not() -> None:
    lots = random.Random(350)
    for _ in range(300):
        program = lots.randbytes(lots.choice([20, 32]))
        version = lots.choice([0, 1])
        text = encode_segwit("bcrt", version, program)
        assert decode_segwit(text) == ("bcrt", version, program)
        place = lots.randrange(5, len(text))
        wrong = lots.choice(
            [letter for letter in "qpzry9x8gf2tvdw0s3jn54khce6mua7lB1b" if letter != text[place]]
        )
        assert decode_segwit(text[:place] + wrong + text[place + 1 :]) is None
        payload = bytes(lots.randrange(3)) + lots.randbytes(18)
        assert BASE58.decode_check(BASE58.encode_check(payload)) == payload
