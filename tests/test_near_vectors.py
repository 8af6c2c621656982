"""The shared test vectors of NEAR: keys, ids and bytes that other implementations made, and what must be refused.

Not here: the answers of nodes (`rpc_*`, `*_error`), which are the gateway's, and Keystone's CBOR envelope (`ur`), a
form of request that is neither read nor written here; the transactions inside those envelopes are. What is never
signed is refused by its own code, and the rest of what the case says is still checked.
"""

from __future__ import annotations

import base64
from hashlib import sha256
from typing import Any

import pytest
from nacl.signing import SigningKey

from shared.chains.near import NEAR
from shared.chains.near.accounts import AccountKind, account_kind, parse_account
from shared.chains.near.borsh import Reader
from shared.chains.near.codec import encode_transaction, read_transaction, take_signature, take_transaction
from shared.chains.near.delegates import (
    delegate_hash,
    encode_delegate,
    is_delegate,
    read_delegate,
    read_signed,
)
from shared.chains.near.keys import base58_text, implicit_account, key_text, parse_base58, parse_key
from shared.chains.near.model import Action, AddKey, DeleteKey, FunctionCall, Transaction, Transfer
from shared.chains.near.nep413 import (
    PREFIX,
    Message,
    encode_message,
    message_hash,
    read_message,
    verify_message,
)
from shared.chains.near.signing import verify
from shared.errors import BadAddress, NearRefusal, Refusal
from shared.hdkeys import derive, parse_path
from tests.shared_vectors import PRESENT, cases, name_of

pytestmark = pytest.mark.skipif(not PRESENT, reason="the shared test vectors are not here")

NEVER_SIGNED = {
    "CreateAccount": "near-create-account",
    "DeployContract": "near-deploy-contract",
    "Stake": "near-stake",
    "DeleteAccount": "near-delete-account",
    "Delegate": "near-delegate-inside",
}
"""Actions of the vectors that are refused by their tag."""


def parts(case: dict[str, Any]) -> tuple[bytes, bytes]:
    """Give a case's unsigned bytes and its signature, however the case has them."""
    whole = case.get("signed_hex") or (
        base64.b64decode(case["signed_base64"]).hex() if "signed_base64" in case else None
    )
    if whole is not None:
        raw = bytes.fromhex(whole)
        return raw[:-65], raw[-64:]
    return bytes.fromhex(case["borsh_hex"]), bytes.fromhex(case["signature_hex"])


def refusal_of(case: dict[str, Any], fields: dict[str, Any] | None) -> str | None:
    """Give the code by which the first thing that is never signed is refused, by what the case says it holds."""
    if "empty action" in case["name"]:
        return "near-actions"
    if case["expect"] == "refuse":
        return "near-delete-account" if "delete_account" in case["name"] else "near-create-account"
    assert fields is not None
    for action in fields["actions"]:
        ((name, body),) = action.items()
        if name in NEVER_SIGNED:
            return NEVER_SIGNED[name]
        if not body.get("public_key", "ed25519:").startswith("ed25519:"):
            return "near-key-type"
        if name == "AddKey" and body["access_key"]["permission"] != "FullAccess":
            return "near-function-call-key"
    return None


def secret(text: str) -> SigningKey:
    body = text.partition(":")[2]
    width = 64 if len(body) > 50 else 32
    return SigningKey(parse_base58(body, width)[:32])


def same(found: Action, told: dict[str, Any]) -> bool:
    """Compare an action that was read with what the case says of it."""
    ((name, body),) = told.items()
    match found:
        case Transfer(deposit):
            return name == "Transfer" and deposit == body["deposit"]
        case FunctionCall(method, args, gas, deposit):
            told_call = (body["method_name"], bytes.fromhex(body["args"]), body["gas"], body["deposit"])
            return name == "FunctionCall" and (method, args, gas, deposit) == told_call
        case AddKey(public_key, nonce):
            told_key = (body["public_key"], body["access_key"]["nonce"])
            return name == "AddKey" and (key_text(public_key), nonce) == told_key
        case DeleteKey(public_key):
            return name == "DeleteKey" and key_text(public_key) == body["public_key"]


def check_fields(found: Transaction, fields: dict[str, Any]) -> None:
    assert (found.signer, key_text(found.public_key), found.nonce, found.receiver, base58_text(found.block_hash)) == (
        fields["signer_id"], fields["public_key"], fields["nonce"], fields["receiver_id"], fields["block_hash"]
    )
    assert all(same(one, told) for one, told in zip(found.actions, fields["actions"], strict=True))


# --- keys -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", cases("near.json", "key"), ids=name_of)
def test_keys_their_texts_and_their_accounts_are_those_of_others(case: dict[str, Any]) -> None:
    public_key = parse_key(case["public_key"])
    assert key_text(public_key) == case["public_key"]
    if "implicit_account" in case:
        assert implicit_account(public_key) == case["implicit_account"]
        assert NEAR.address(public_key, "ed25519", "near:mainnet") == case["implicit_account"]
    if "secret_key" in case:
        assert secret(case["secret_key"]).verify_key.encode() == public_key


@pytest.mark.parametrize("case", [one for one in cases("near.json", "key") if "path" in one], ids=name_of)
def test_the_first_key_of_the_first_account_is_the_one_that_wallets_show(case: dict[str, Any]) -> None:
    from mnemonic import Mnemonic

    seed = Mnemonic.to_seed(case["seed_phrase"])
    path = NEAR.key_path("near:mainnet", "ed25519", 0, 0)
    assert path == parse_path(case["path"])
    assert derive(seed, "ed25519", path).public_key == parse_key(case["public_key"])


@pytest.mark.parametrize("case", cases("near.json", "sign"), ids=name_of)
def test_a_signature_over_a_hash_is_that_of_others(case: dict[str, Any]) -> None:
    key, digest = secret(case["secret_key"]), bytes.fromhex(case["message_hash"])
    signature = parse_base58(case["signature_base58"], 64)
    assert key.sign(digest).signature == signature
    verify(key.verify_key.encode(), digest, signature)


# --- transactions -----------------------------------------------------------------------------------


@pytest.mark.parametrize("case", cases("near.json", "tx"), ids=name_of)
def test_transactions_have_these_bytes_and_ids_or_are_refused_by_the_action_never_signed(case: dict[str, Any]) -> None:
    raw = bytes.fromhex(case["borsh_hex"])
    if "hash" in case:
        assert base58_text(sha256(raw).digest()) == case["hash"]
    code = refusal_of(case, case["fields"])
    if code is not None:
        with pytest.raises(Refusal) as caught:
            read_transaction(raw)
        assert caught.value.code == code
        return
    found = read_transaction(raw)
    check_fields(found, case["fields"])
    assert encode_transaction(found) == raw


@pytest.mark.parametrize("case", cases("near.json", "signed_tx"), ids=name_of)
def test_signed_transactions_have_these_ids_and_signatures_that_verify(case: dict[str, Any]) -> None:
    raw, signature = parts(case)
    digest = sha256(raw).digest()
    assert case.get("hash", base58_text(digest)) == base58_text(digest)
    assert case.get("hash_hex", digest.hex()) == digest.hex()
    code = refusal_of(case, case.get("fields"))
    if code is not None:
        with pytest.raises(Refusal) as caught:
            read_transaction(raw)
        assert caught.value.code == code
        key = parse_key(case["public_key"]) if "public_key" in case else secret(case["secret_key"]).verify_key.encode()
        verify(key, digest, signature)
        return
    found = read_transaction(raw)
    assert encode_transaction(found) == raw
    verify(found.public_key, digest, signature)
    if "fields" in case:
        check_fields(found, case["fields"])
    if "secret_key" in case:
        assert secret(case["secret_key"]).sign(digest).signature == signature
    reader = Reader(raw + b"\0" + signature)
    assert take_transaction(reader, raw + b"\0" + signature) == found
    assert take_signature(reader) == signature


@pytest.mark.parametrize("case", cases("near.json", "tx_invalid", "tx_v1"), ids=name_of)
def test_what_is_no_transaction_of_version_0_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises((NearRefusal, BadAddress)) as caught:
        read_transaction(bytes.fromhex(case["borsh_hex"]))
    if case["kind"] == "tx_v1" or "version" in case["name"]:
        assert caught.value.code == "near-version"


@pytest.mark.parametrize("case", cases("near.json", "ur"), ids=name_of)
def test_the_transactions_inside_another_signers_requests_read_the_same(case: dict[str, Any]) -> None:
    raw = bytes.fromhex(case["sign_data_hex"])
    code = refusal_of(case, case["fields"])
    if code is None:
        found = read_transaction(raw)
        check_fields(found, case["fields"])
        assert encode_transaction(found) == raw
        return
    with pytest.raises(Refusal) as caught:
        read_transaction(raw)
    assert caught.value.code == code


# --- delegate actions and messages ------------------------------------------------------------------


@pytest.mark.parametrize("case", cases("near.json", "delegate"), ids=name_of)
def test_delegate_actions_have_these_bytes_and_hashes(case: dict[str, Any]) -> None:
    if "delegate_borsh_hex" in case:
        raw, signature = bytes.fromhex(case["delegate_borsh_hex"]), b""
    else:
        whole = bytes.fromhex(case["action_borsh_hex"])
        assert whole[:1] == b"\x08"
        raw, signature = whole[1:-65], whole[-64:]
    assert is_delegate(raw)
    told = case.get("fields", {})
    told = told.get("Delegate", {}).get("delegate_action") or told
    code = refusal_of(case, told)
    if "nep461_hash" in case:
        key = secret(case["secret_key"]).verify_key.encode() if "secret_key" in case else parse_key(case["public_key"])
        assert case["nep461_hash"] == delegate_hash(raw).hex()
        verify(key, delegate_hash(raw), bytes.fromhex(case["signature_hex"]))
    if code is not None:
        with pytest.raises(Refusal) as caught:
            read_delegate(raw)
        assert caught.value.code == code
        return
    found = read_delegate(raw)
    assert encode_delegate(found) == raw
    assert (found.signer, found.receiver, found.nonce, found.max_block_height, key_text(found.public_key)) == (
        told["sender_id"], told["receiver_id"], told["nonce"], told["max_block_height"], told["public_key"]
    )
    assert all(same(one, action) for one, action in zip(found.actions, told["actions"], strict=True))
    if signature:
        assert read_signed(raw + b"\0" + signature) == (found, signature)


@pytest.mark.parametrize("case", cases("near.json", "delegate_invalid"), ids=name_of)
def test_a_delegate_action_inside_a_delegate_action_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(NearRefusal) as caught:
        read_delegate(bytes.fromhex(case["action_borsh_hex"])[1:])
    assert caught.value.code == "near-delegate-inside"


@pytest.mark.parametrize("case", cases("near.json", "nep413"), ids=name_of)
def test_messages_that_prove_a_key_have_these_bytes_hashes_and_signatures(case: dict[str, Any]) -> None:
    if "message" in case:
        nonce = base64.b64decode(case["nonce_b64"])
        message = Message(case["message"], nonce, case["recipient"], case["callback_url"])
        payload, public_key = bytes.fromhex(case["payload_hex"]), secret(case["secret_key"]).verify_key.encode()
        signature = base64.b64decode(case["signature_b64"])
        assert secret(case["secret_key"]).sign(message_hash(message)).signature == signature
    else:
        payload, public_key = PREFIX + bytes.fromhex(case["payload_borsh_hex"]), parse_key(case["public_key"])
        message, signature = read_message(payload), bytes.fromhex(case["signature_hex"])
    assert encode_message(message) == payload
    assert read_message(payload) == message
    assert message_hash(message).hex() == case["hash"]
    verify_message(message, public_key, signature)


# --- accounts ---------------------------------------------------------------------------------------

IMPLICIT = {"near-implicit": True, "not near-implicit": False}


@pytest.mark.parametrize("case", cases("near.json", "account_id"), ids=lambda case: repr(case["account_id"]))
def test_account_ids_are_taken_or_refused_and_classed_as_the_protocol_does(case: dict[str, Any]) -> None:
    text, told = case["account_id"], case.get("class")
    if case["expect"] == "refuse":
        with pytest.raises(BadAddress):
            parse_account(text)
        return
    if case["expect"] == "accept":
        assert parse_account(text) == text
    try:
        kind: AccountKind | None = account_kind(text)
    except BadAddress:
        kind = None
    if told in IMPLICIT:
        assert (kind is AccountKind.IMPLICIT) is IMPLICIT[told]
    if told == "deterministic":
        assert kind is AccountKind.DETERMINISTIC


def test_the_vectors_hold_24_good_account_ids_and_enough_bad_ones() -> None:
    ids = cases("near.json", "account_id")
    good = [one for one in ids if one["expect"] == "accept"]
    bad = [one for one in ids if one["expect"] != "accept"]  # invalid, or not of the kind that they seem to be
    assert len(good) >= 24
    assert len(bad) >= 24
