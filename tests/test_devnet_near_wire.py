"""The devnet's NEAR reads what nearcore's crates read: real signed transactions, and nothing that differs by a bit.

The bytes are the shared vectors'; delegate actions, which pyonear lacks, are held against vectors of their own.
"""

from __future__ import annotations

import base64
from typing import Any

import pytest

from online.devnet.near import NearWorld
from online.devnet.near.actions import AddKey, Delegate, FunctionCall, SignedTx, Transfer
from online.devnet.near.rpc_forms import action_view
from online.devnet.near.texts import signed_by
from online.devnet.near.verify import InvalidTx
from online.devnet.near.wire import BadSignature, OtherVersion, Unreadable, read_signed
from tests.near_wire import NEAR, TGAS, Wallet, add_key, call, call_bytes, transfer, transfer_bytes
from tests.shared_vectors import cases, name_of

SIGNED = cases("near.json", "signed_tx")
GOOD = [case for case in SIGNED if case["expect"] == "equal"]
ALICE, RELAYER = Wallet("alice", "alice.near"), Wallet("relayer", "relayer.near")


def raw_of(case: dict[str, Any]) -> bytes:
    if "signed_hex" in case:
        return bytes.fromhex(case["signed_hex"])
    return bytes.fromhex(case["borsh_hex"]) + b"\0" + bytes.fromhex(case["signature_hex"])


def plain(tx: SignedTx) -> list[Any]:
    return [action_view(each) for each in tx.actions]


@pytest.fixture
def world() -> NearWorld:
    world = NearWorld()
    world.create(ALICE.account, ALICE.key, 10 * NEAR)
    world.create(RELAYER.account, RELAYER.key, 10 * NEAR)
    return world


@pytest.mark.parametrize("case", GOOD, ids=name_of)
def test_a_real_signed_transaction_is_read_with_its_hash(case: dict[str, Any]) -> None:
    tx = read_signed(raw_of(case))
    assert tx.id == case.get("hash", tx.id)
    fields = case.get("fields")
    if fields is None:
        # One vector has bytes and a signature alone: that it is read and verifies is all that it says.
        return
    assert (tx.signer, tx.receiver, tx.nonce, tx.key, tx.base) == (
        fields["signer_id"], fields["receiver_id"], fields["nonce"], fields["public_key"], fields["block_hash"])
    assert [next(iter(each)) for each in fields["actions"]] == [
        each if isinstance(each, str) else next(iter(each)) for each in plain(tx)]
    for said, read in zip(fields["actions"], tx.actions, strict=True):
        if isinstance(read, Transfer):
            assert read.deposit == said["Transfer"]["deposit"]
        if isinstance(read, FunctionCall):
            assert (read.method, read.gas, read.deposit) == (
                said["FunctionCall"]["method_name"], said["FunctionCall"]["gas"], said["FunctionCall"]["deposit"])


@pytest.mark.parametrize("case", [case for case in SIGNED if case["expect"] == "refuse"], ids=name_of)
def test_well_signed_bytes_with_an_impossible_account_are_refused(case: dict[str, Any]) -> None:
    with pytest.raises(Unreadable):
        read_signed(raw_of(case))


@pytest.mark.parametrize("case", GOOD, ids=name_of)
def test_a_signature_with_one_flipped_bit_is_refused(case: dict[str, Any]) -> None:
    raw = raw_of(case)
    for at in range(64 * 8):
        flipped = bytearray(raw)
        flipped[-64 + at // 8] ^= 1 << at % 8
        with pytest.raises((BadSignature, Unreadable)):
            read_signed(bytes(flipped))


def test_no_flipped_bit_anywhere_passes(world: NearWorld) -> None:
    raw = ALICE.signs(world, "bob.near", transfer(7))
    for at in range(len(raw) * 8):
        flipped = bytearray(raw)
        flipped[at // 8] ^= 1 << at % 8
        with pytest.raises((Unreadable, BadSignature)):
            read_signed(bytes(flipped))


def test_shortened_and_lengthened_bytes_are_refused(world: NearWorld) -> None:
    raw = ALICE.signs(world, "tok.near", call("m", {"a": 1}), add_key(RELAYER.key, calls="tok.near", allowance=9))
    for cut in range(len(raw)):
        with pytest.raises(Unreadable):
            read_signed(raw[:cut])
    with pytest.raises(Unreadable):
        read_signed(raw + b"\0")


@pytest.mark.parametrize("case", cases("near.json", "tx_v1"), ids=name_of)
def test_version_1_is_refused_by_name(case: dict[str, Any], world: NearWorld) -> None:
    with pytest.raises(OtherVersion):
        read_signed(bytes.fromhex(case["borsh_hex"]) + bytes(65))
    with pytest.raises(InvalidTx) as refused:
        world.submit(bytes.fromhex(case["borsh_hex"]) + bytes(65))
    assert refused.value.error == "InvalidTransactionVersion"


@pytest.mark.parametrize("case", cases("near.json", "tx_invalid"), ids=name_of)
def test_bytes_that_are_no_transaction_are_refused(case: dict[str, Any]) -> None:
    with pytest.raises(Unreadable):
        read_signed(bytes.fromhex(case["borsh_hex"]) + bytes(65))


def test_the_second_reader_says_the_same_of_every_action(world: NearWorld) -> None:
    raw = ALICE.signs(world, ALICE.account, transfer(7), call("m", {"a": 1}, gas=5 * TGAS, deposit=1),
                      add_key(RELAYER.key), add_key(RELAYER.key, calls="tok.near", allowance=9))
    tx = read_signed(raw)
    assert [type(each) for each in tx.actions] == [Transfer, FunctionCall, AddKey, AddKey]
    assert tx.actions[1] == FunctionCall("m", b'{"a": 1}', 5 * TGAS, 1)
    full, limited = tx.actions[2], tx.actions[3]
    assert isinstance(full, AddKey)
    assert isinstance(limited, AddKey)
    assert full.access.calls is None
    assert limited.access.calls is not None
    assert (limited.access.calls.allowance, limited.access.calls.receiver) == (9, "tok.near")


def outer(world: NearWorld, delegate: bytes) -> Delegate:
    tx = read_signed(RELAYER.relays(world, ALICE.account, delegate))
    [action] = tx.actions
    assert isinstance(action, Delegate)
    return action


@pytest.mark.parametrize("case", [case for case in cases("near.json", "delegate") if "signature_hex" in case
                                  and "delegate_borsh_hex" in case], ids=name_of)
def test_a_delegate_action_is_hashed_and_verified_as_its_vector_says(case: dict[str, Any], world: NearWorld) -> None:
    body, signature = bytes.fromhex(case["delegate_borsh_hex"]), bytes.fromhex(case["signature_hex"])
    action = outer(world, body + b"\0" + signature)
    assert action.payload.hex() == case["nep461_hash"]
    assert signed_by(action.key, action.signature, action.payload)


@pytest.mark.parametrize("case", cases("near.json", "delegate_invalid"), ids=name_of)
def test_a_delegate_action_inside_another_is_refused(case: dict[str, Any], world: NearWorld) -> None:
    with pytest.raises(Unreadable, match="action 8"):
        read_signed(RELAYER.relays(world, ALICE.account, bytes.fromhex(case["action_borsh_hex"])[1:]))


def test_a_delegate_action_that_is_cut_short_is_refused(world: NearWorld) -> None:
    whole = ALICE.delegates("bob.near", transfer_bytes(1), nonce=1, height_most=2)
    assert outer(world, whole).height_most == 2
    for cut in range(len(whole)):
        with pytest.raises((Unreadable, BadSignature)):
            read_signed(RELAYER.relays(world, ALICE.account, whole[:cut]))


def test_the_inner_actions_are_read_by_pyonear_too(world: NearWorld) -> None:
    call_of_bad_text = bytearray(call_bytes("ft_transfer", {}, TGAS, 1))
    call_of_bad_text[5] = 0xFF
    with pytest.raises(Unreadable):
        read_signed(RELAYER.relays(world, ALICE.account, ALICE.delegates(
            "tok.near", bytes(call_of_bad_text), nonce=1, height_most=2)))


def test_a_transaction_with_a_delegate_needs_its_own_signature_too(world: NearWorld) -> None:
    raw = bytearray(RELAYER.relays(world, ALICE.account, ALICE.delegates(
        "bob.near", transfer_bytes(1), nonce=1, height_most=2)))
    with pytest.raises(Unreadable, match="trailing"):
        read_signed(bytes(raw) + b"\0")
    raw[-1] ^= 1
    with pytest.raises((BadSignature, Unreadable)):
        read_signed(bytes(raw))
    raw[-1] ^= 1
    raw[-40] ^= 1
    with pytest.raises(BadSignature):
        read_signed(bytes(raw))
    with pytest.raises(InvalidTx) as refused:
        world.submit(bytes(raw))
    assert refused.value.error == "InvalidSignature"


def test_arguments_are_shown_as_they_were_signed(world: NearWorld) -> None:
    view = action_view(read_signed(ALICE.signs(world, "tok.near", call("m", {"x": "é"}))).actions[0])
    assert base64.b64decode(view["FunctionCall"]["args"]) == b'{"x": "\\u00e9"}'
