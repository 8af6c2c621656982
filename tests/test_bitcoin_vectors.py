"""Published vectors: BIP143, BIP340, BIP341, and transactions that Counterparty composed and Bitcoin Knots mined."""

from __future__ import annotations

from typing import Any

import coincurve
import pytest

from shared.chains.bitcoin import BITCOIN, signing, taproot
from shared.chains.bitcoin.addresses import address_of
from shared.chains.bitcoin.context import Prevout, Stated, write_context
from shared.chains.bitcoin.digests import Digests, p2wpkh_code
from shared.chains.bitcoin.hashes import hash160, tagged
from shared.chains.bitcoin.inputs import spend_of
from shared.chains.bitcoin.model import Change, Tx
from shared.chains.bitcoin.pairs import reveal_of
from shared.chains.bitcoin.script import Form, form_and_program
from shared.chains.bitcoin.transactions import Output, Transaction, read, read_all, write
from shared.der import raw_from_der
from shared.errors import BitcoinBadSignature, BitcoinRefusal, BitcoinSighash
from tests.bitcoin_world import core_accepts, sign, tweaked
from tests.shared_vectors import cases, name_of

MAIN = "bitcoin:mainnet"
COUNTERPARTY = "bitcoin-counterparty.json"


def rows(file: str, *kinds: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", cases(file, *kinds), ids=name_of)


# --- BIP143 ---------------------------------------------------------------------------------------

# BIP143, "Native P2WPKH": the unsigned transaction, the second input's amount, its public key and digest.
NATIVE = (
    "0100000002fff7f7881a8099afa6940d42d1e7f6362bec38171ea3edf433541db4e4ad969f0000000000eeffffff"
    "ef51e1b804cc89d182d279655c3aa89e815b1b309fe287d9b2b55d57b90ec68a0100000000ffffffff"
    "02202cb206000000001976a9148280b37df378db99f66f85c95a783a76ac7a6d5988ac"
    "9093510d000000001976a9143bde42dbee7e4dbe6a21b2d50ce2f0167faa815988ac11000000"
)
NATIVE_KEY = "025476c2e83188368da1ff3e292e7acafcdb3566bb0ad253f62fc70f07aeee6357"
NATIVE_DIGEST = "c37af31116d1b27caf68aae9e3ac82f1477929014d5b917657d0eb49478cb670"
NATIVE_SIGNATURE = (
    "304402203609e17b84f6a7d30c80bfa610b5b4542f32a8a0d5447a12fb1366d7f01cc44a"
    "0220573a954c4518331561406f90300e8f3358f51928d43c212a8caed02de67eebee"
)


def native() -> Digests:
    spent = [
        Output(625_000_000, b"\x51"),
        Output(600_000_000, b"\x00\x14" + hash160(bytes.fromhex(NATIVE_KEY))),
    ]
    return Digests(read(bytes.fromhex(NATIVE)), spent)


def test_the_digest_and_signature_of_bip143s_native_p2wpkh_example() -> None:
    public_key = bytes.fromhex(NATIVE_KEY)
    digest = native().segwit(1, p2wpkh_code(hash160(public_key)))
    assert digest.hex() == NATIVE_DIGEST
    signing.verify_ecdsa(public_key, digest, bytes.fromhex(NATIVE_SIGNATURE))


@pytest.mark.parametrize("sighash", [0, 2, 3, 0x81, 0x82])
def test_other_signature_types_than_all_have_no_digest(sighash: int) -> None:
    with pytest.raises(BitcoinSighash):
        native().segwit(1, b"", sighash)


def test_every_input_must_say_what_it_spends() -> None:
    with pytest.raises(ValueError, match="every input"):
        Digests(read(bytes.fromhex(NATIVE)), [])


# --- BIP340 and BIP341 ----------------------------------------------------------------------------


@rows("keys/bip340.json")
def test_schnorr_signatures_of_bip340(case: dict[str, Any]) -> None:
    message, signature = bytes.fromhex(case["message"]), bytes.fromhex(case["signature"])
    public_key = bytes.fromhex(case["public_key"])
    if len(message) != 32:
        assert case["secret_key"] is not None  # digests have 32 bytes; other messages are never signed here
        return
    if case["expect"] == "refuse":
        with pytest.raises(BitcoinBadSignature):
            signing.verify_schnorr(public_key, message, signature)
        return
    signing.verify_schnorr(public_key, message, signature)
    if case["secret_key"] is not None:
        secret = coincurve.PrivateKey(bytes.fromhex(case["secret_key"]))
        assert secret.sign_schnorr(message, bytes.fromhex(case["aux_rand"])) == signature


def leaves(tree: Any) -> list[tuple[bytes, list[bytes], int, bytes]]:
    """Give every leaf of a tree: its hash, the neighbours up to the root, its version, its script."""
    if isinstance(tree, dict):
        script = bytes.fromhex(tree["script"])
        return [(taproot.leaf_hash(script, tree["leafVersion"]), [], tree["leafVersion"], script)]
    left, right = (leaves(branch) for branch in tree)
    return [
        (leaf, [*path, root_of(other)], version, script)
        for ours, other in ((left, right), (right, left))
        for leaf, path, version, script in ours
    ]


def root_of(of: list[tuple[bytes, list[bytes], int, bytes]]) -> bytes:
    root, path, _, _ = of[0]
    for neighbour in path:
        root = taproot.branch_hash(root, neighbour)
    return root


@rows("keys/bip341_wallet.json", "bip341_output")
def test_taproot_outputs_and_control_blocks_of_bip341(case: dict[str, Any]) -> None:
    internal, tree = bytes.fromhex(case["given"]["internalPubkey"]), case["given"]["scriptTree"]
    found = [] if tree is None else leaves(tree)
    root = root_of(found) if found else b""
    output = taproot.output_key(internal, root)
    assert output.script.hex() == case["expected"]["scriptPubKey"]
    assert address_of(output.script, MAIN) == case["expected"]["bip350Address"]
    assert root.hex() == (case["intermediary"]["merkleRoot"] or "")
    blocks = [taproot.control_block(internal, root, tuple(path), version) for _, path, version, _ in found]
    assert [block.hex() for block in blocks] == case["expected"].get("scriptPathControlBlocks", [])


@rows("keys/bip341_wallet.json", "bip341_key_path_spend")
def test_taproot_digests_and_signatures_of_bip341(case: dict[str, Any]) -> None:
    spent = [
        Output(one["amountSats"], bytes.fromhex(one["scriptPubKey"])) for one in case["given"]["utxosSpent"]
    ]
    digests = Digests(read(bytes.fromhex(case["given"]["rawUnsignedTx"])), spent)
    for one in case["inputSpending"]:
        given, index = one["given"], one["given"]["txinIndex"]
        if given["hashType"] not in (0, 1):
            with pytest.raises(BitcoinSighash):
                digests.taproot(index, None, given["hashType"])
            continue
        digest = digests.taproot(index, None, given["hashType"])
        assert digest.hex() == one["intermediary"]["sigHash"]
        secret = tweaked(bytes.fromhex(given["internalPrivkey"]), bytes.fromhex(given["merkleRoot"] or ""))
        assert secret.hex() == one["intermediary"]["tweakedPrivkey"]
        signature = bytes.fromhex(one["expected"]["witness"][0])[:64]
        assert coincurve.PrivateKey(secret).sign_schnorr(digest, bytes(32)) == signature


@pytest.mark.parametrize("bad", [b"\x02" * 31, b"\xff" * 32])
def test_bytes_that_are_no_x_coordinate_are_no_taproot_key(bad: bytes) -> None:
    with pytest.raises(BitcoinRefusal):
        taproot.output_key(bad)


def test_a_tagged_hash_is_two_tags_before_the_bytes() -> None:
    assert tagged("TapLeaf", b"") == tagged("TapLeaf", b"") != tagged("TapBranch", b"")


# --- transactions that were mined -----------------------------------------------------------------


def check_input(tx: Transaction, spent: list[Output], index: int) -> None:
    """Verify the signature of one segwit input with our digests."""
    witness, digests = tx.inputs[index].witness, Digests(tx, spent)
    form, program = form_and_program(spent[index].script)
    if form is Form.P2WPKH:
        assert witness[0][-1] == 1
        raw_from_der(witness[0][:-1])
        signing.verify_ecdsa(witness[1], digests.segwit(index, p2wpkh_code(program)), witness[0][:-1])
    elif len(witness) == 1:
        signing.verify_schnorr(program, digests.taproot(index), witness[0])
    else:
        signature, leaf, block = witness
        key, root = block[1:33], taproot.leaf_hash(leaf)
        assert block == taproot.control_block(key, root)
        assert taproot.output_key(key, root).script == spent[index].script
        signing.verify_schnorr(leaf[-33:-1], digests.taproot(index, root), signature)


@rows(COUNTERPARTY, "regtest_transaction")
def test_mined_transactions_have_our_ids_and_their_signatures_verify(case: dict[str, Any]) -> None:
    raw = bytes.fromhex(case["signed_tx_hex"])
    tx = read(raw)
    assert (tx.txid, write(tx)) == (case["txid"], raw)
    if "unsigned_tx_hex" in case:
        unsigned = read(bytes.fromhex(case["unsigned_tx_hex"]))
        assert [(one.outpoint, one.sequence) for one in unsigned.inputs] == [
            (one.outpoint, one.sequence) for one in tx.inputs
        ]
    spent = [
        Output(value, bytes.fromhex(script))
        for value, script in zip(case["prevout_values"], case["prevout_scripts"], strict=True)
    ]
    for index, one in enumerate(spent):
        if form_and_program(one.script)[0] in (Form.P2WPKH, Form.P2TR):
            check_input(tx, spent, index)
    assert core_accepts(raw, spent)
    if "reveal_txid" in case:
        reveal = read(bytes.fromhex(case["reveal_hex"]))
        assert reveal.txid == case["reveal_txid"]
        check_input(reveal, [tx.outputs[0]], 0)


@rows(COUNTERPARTY, "taproot_commit_reveal")
def test_commit_and_reveal_of_others_verify_with_our_digests(case: dict[str, Any]) -> None:
    commit, reveal = (read(bytes.fromhex(case[name])) for name in ("commit_signed", "reveal_signed"))
    spent = Output(case["commit_input_value"], bytes.fromhex(case["source_script"]))
    check_input(commit, [spent], 0)
    check_input(reveal, [commit.outputs[0]], 0)
    assert read_all(write(commit) + write(reveal), 2) == (commit, reveal)
    assert core_accepts(write(commit), [spent])
    assert core_accepts(write(reveal), [commit.outputs[0]])


# --- the same transactions through our own door ---------------------------------------------------

PATH = (84 | 1 << 31, 1 << 31, 0, 0)


def through_decode(case: dict[str, Any]) -> tuple[Any, list[bytes]]:
    """Decode a mined transaction as if we were to sign it, and give the signatures that it has, raw."""
    signed = read(bytes.fromhex(case["signed_tx_hex"]))
    prevouts, raw = [], []
    for one, value, script in zip(
        signed.inputs, case["prevout_values"], case["prevout_scripts"], strict=True
    ):
        taproot_key = len(one.witness) == 1
        prevouts.append(Prevout(Output(value, bytes.fromhex(script)), b"" if taproot_key else one.witness[1]))
        raw.append(one.witness[0] if taproot_key else raw_from_der(one.witness[0][:-1]))
    stated = write_context(Stated(1_000, tuple(prevouts)))
    unsigned = bytes.fromhex(case["unsigned_tx_hex"])
    return BITCOIN.decode(unsigned, stated, [PATH] * len(prevouts), "bitcoin:regtest"), raw


@pytest.mark.parametrize(
    "case",
    [
        case
        for case in cases(COUNTERPARTY, "regtest_transaction")
        if case["message_type_id"] in (2, 30) and case["encoding"] == "opreturn"
    ],
    ids=name_of,
)
def test_their_signatures_on_what_we_understand_give_the_mined_bytes(case: dict[str, Any]) -> None:
    tx, signatures = through_decode(case)
    found = BITCOIN.effects(tx, {case["decoded"].get("asset", "XCP"): 8})
    assert found.source == case["from_address"]
    assert found.fee_most.units == case["fee"]
    if case["message_type_id"] == 2:
        sent = found.payments[0]
        assert (sent.amount.units, sent.destination.address) == (
            case["decoded"]["quantity"],
            case["decoded"]["address"],
        )
    signed = BITCOIN.assemble(tx, signatures)
    assert (signed.blob.hex(), signed.tx_id) == (case["signed_tx_hex"], case["txid"])


@rows(COUNTERPARTY, "taproot_commit_reveal")
def test_we_sign_their_commit_and_reveal_and_core_accepts_both(case: dict[str, Any]) -> None:
    secret = bytes.fromhex(case["source_privkey"])
    commit, second = (read(bytes.fromhex(case[name])) for name in ("commit_unsigned", "reveal_unsigned"))
    coin = Output(case["commit_input_value"], bytes.fromhex(case["source_script"]))
    public_key = coincurve.PrivateKey(secret).public_key.format()
    wallet = form_and_program(coin.script)[0] is Form.P2TR
    source = spend_of(Prevout(coin, b"" if wallet else public_key), PATH)
    leaf = bytes.fromhex(case["envelope_script"])
    reveal = reveal_of(commit, second, (leaf[-33:-1], leaf), source, PATH, {coin.script})
    assert reveal.control_block.hex() == case["reveal_control_block"]
    assert reveal.spend.output.script.hex() == case["reveal_lock_script"]
    tx = Tx("bitcoin:regtest", commit, (source,), 1_000, reveal=reveal)
    signed = BITCOIN.assemble(tx, [sign(payload, secret) for payload in BITCOIN.payloads(tx)])
    for (txid, raw), spent, name in zip(
        signing.transactions(signed.blob),
        (coin, commit.outputs[0]),
        ("commit_signed", "reveal_signed"),
        strict=True,
    ):
        assert txid == read(bytes.fromhex(case[name])).txid
        assert core_accepts(raw, [spent])


def test_their_batch_in_an_envelope_passes_our_door() -> None:
    for case in cases(COUNTERPARTY, "taproot_commit_reveal"):
        if not case["message_hex"].startswith("03"):
            continue
        coin = Output(case["commit_input_value"], bytes.fromhex(case["source_script"]))
        stated = Stated(
            1_000,
            (Prevout(coin, bytes.fromhex(case["source_pubkey"])),),
            (Change(1),),
            envelope=bytes.fromhex(case["envelope_script"]),
        )
        unsigned = bytes.fromhex(case["commit_unsigned"] + case["reveal_unsigned"])
        tx = BITCOIN.decode(unsigned, write_context(stated), [PATH, PATH], "bitcoin:regtest")
        found = BITCOIN.effects(tx)
        assert (found.kind, len(found.payments)) == ("counterparty-mpma", 3)
        assert tx.reveal.transaction.txid == read(bytes.fromhex(case["reveal_signed"])).txid
