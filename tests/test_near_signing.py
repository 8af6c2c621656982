"""NEAR signatures and what signed bytes say: verified before anything is put together, and by nearcore's own crates.

Also the effects that only lines of text show: kinds, fees, facts, hours, dangers, and the explanation of any bytes.
"""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256

import pytest
from pyonear.transaction import SignedTransaction, verify_transaction_signature

from shared.chains.near import NEAR
from shared.chains.near.build import DelegateTerms, payment, token_call, token_transfer
from shared.chains.near.delegates import NEP366, read_signed
from shared.chains.near.keys import base58_text, key_text
from shared.effects import Claim, Destination, Expiry
from shared.errors import NearBadSignature, Refusal
from tests.near_house import (
    CONTEXT,
    DELEGATED,
    HEIGHT,
    IMPLICIT,
    KEY,
    ME,
    NETWORK,
    OTHERS,
    PATH,
    REGISTER,
    RELAYED,
    SECRET,
    TERMS,
    USDT,
    VALIDITY,
    WRAP,
    context_of,
    decoded,
    effects_of,
    kinds,
    near,
)

KINDS = kinds()
TRANSACTIONS = [kind for kind in KINDS if not kind.startswith("nep366")]
DELEGATES = [kind for kind in KINDS if kind.startswith("nep366")]


# --- signing ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_signed_is_the_hash_of_the_bytes_by_the_one_key(kind: str) -> None:
    (payload,) = NEAR.payloads(decoded(KINDS[kind], context_of(kind)))
    prefix = NEP366 if kind in DELEGATES else b""
    assert (payload.path, payload.algorithm, payload.public_key) == (PATH, "ed25519", KEY)
    assert payload.message == sha256(prefix + KINDS[kind]).digest()


@pytest.mark.parametrize("kind", TRANSACTIONS)
def test_what_is_put_together_verifies_by_nearcores_crates_under_the_same_id(kind: str) -> None:
    tx = decoded(KINDS[kind])
    (payload,) = NEAR.payloads(tx)
    signed = NEAR.assemble(tx, [SECRET.sign(payload.message).signature])
    other = SignedTransaction.from_bytes(signed.blob)
    assert verify_transaction_signature(other, [other.transaction.public_key])
    assert str(other.hash) == signed.tx_id == base58_text(payload.message)
    assert json.loads(other.transaction.to_json())["public_key"] == key_text(KEY)


@pytest.mark.parametrize("kind", TRANSACTIONS)
def test_a_flipped_bit_in_signed_bytes_verifies_nowhere(kind: str) -> None:
    tx = decoded(KINDS[kind])
    blob = NEAR.assemble(tx, [SECRET.sign(NEAR.payloads(tx)[0].message).signature]).blob
    for at in (-1, -30, -64, -66):
        flipped = bytearray(blob)
        flipped[at] ^= 1
        with pytest.raises(Refusal):
            NEAR.explain(bytes(flipped), NETWORK)


@pytest.mark.parametrize("kind", DELEGATES)
def test_a_signed_delegate_action_reads_back(kind: str) -> None:
    tx = decoded(KINDS[kind], DELEGATED)
    digest = NEAR.payloads(tx)[0].message
    signature = SECRET.sign(digest).signature
    signed = NEAR.assemble(tx, [signature])
    assert read_signed(signed.blob) == (tx.inner, signature)
    assert signed.tx_id == base58_text(digest)
    assert NEAR.explain(signed.blob, NETWORK)["signed"] == "yes, the signature verifies"


GOOD = SECRET.sign(sha256(KINDS["payment"]).digest()).signature
ORDER = 2**252 + 27742317777372353535851937790883648493


@pytest.mark.parametrize("signatures", [
    [], [GOOD, GOOD], [GOOD[:63]], [GOOD + b"\0"], [b""], [bytes(64)],
    [GOOD[:32] + (int.from_bytes(GOOD[32:], "little") + ORDER).to_bytes(32, "little")],  # the same s, not canonical
    [SECRET.sign(KINDS["payment"]).signature],  # over the bytes and not over their hash
    [SECRET.sign(sha256(NEP366 + KINDS["payment"]).digest()).signature],
], ids=range(9))
def test_anything_but_one_good_signature_is_refused(signatures: list[bytes]) -> None:
    with pytest.raises(NearBadSignature):
        NEAR.assemble(decoded(KINDS["payment"]), signatures)


def test_the_signature_of_a_delegate_action_is_none_of_a_transaction() -> None:
    tx = decoded(KINDS["nep366-transfer"], DELEGATED)
    with pytest.raises(NearBadSignature):
        NEAR.assemble(tx, [SECRET.sign(sha256(tx.unsigned).digest()).signature])


# --- effects ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_each_request_has_its_kind_one_claim_and_its_end(kind: str) -> None:
    effects = effects_of(kind)
    last = RELAYED.max_block_height if kind in DELEGATES else HEIGHT + VALIDITY
    assert (effects.kind, effects.network, effects.source, effects.fee_payer) == (kind, NETWORK, ME, ME)
    assert effects.claims == (Claim(f"{ME} {key_text(KEY)}", f"nonce {TERMS.nonce}"),)
    assert effects.expiry == Expiry(last, HEIGHT)


def test_payments_name_payer_receiver_memo_and_the_tokens_decimals() -> None:
    first, second = effects_of("nep141-transfer").payments
    assert (first.source, first.destination) == (ME, Destination("bob.near", memo="invoice 7"))
    assert str(first.amount) == f"1.5 {USDT}"
    assert str(second.amount) == f"0.000007 {USDT}"
    assert second.destination == Destination(IMPLICIT)
    (called,) = effects_of("nep141-call").payments
    assert (called.destination, str(called.amount)) == (Destination("dex.near", memo="deposit"), f"1 {WRAP}")
    assert [str(one.amount) for one in effects_of("payment").payments] == ["1.2 NEAR"]
    assert not [kind for kind in ("nep141-register", "near-lanes", "near-rotate", "nep366-rotate")
                if effects_of(kind).payments]


def test_key_ceremonies_change_who_may_sign_and_name_the_keys_by_their_accounts() -> None:
    lanes, rotate = effects_of("near-lanes").settings, effects_of("near-rotate").settings
    assert [(one.what, one.who_may_sign, one.keys) for one in lanes] == [
        ("add-key", True, (key.hex(),)) for key in OTHERS[:2]
    ]
    assert [one.what for one in rotate] == ["add-key", "add-key", "delete-key"]
    assert (rotate[-1].who_may_sign, rotate[-1].keys) == (True, ())
    assert all(one.account == ME for one in (*lanes, *rotate))
    assert all(key_text(key) in one.detail for key, one in zip((*OTHERS[:2], KEY), rotate, strict=True))


@pytest.mark.parametrize(("unsigned", "fee"), [
    # a receipt and a transfer, 0.46 Tgas at 0.001 NEAR each
    (payment(TERMS, Destination("bob.near"), near(1)), 46 * 10**19),
    # and 8 Tgas for an account that the payment may create: more than NEP-642's 0.007 NEAR
    (payment(TERMS, Destination(IMPLICIT), near(1)), 846 * 10**19),
    (payment(TERMS, Destination("0x" + "ab" * 20), near(1)), 846 * 10**19),
    # a receipt 0.22, a call 4.7 with 50 bytes of 50 million gas each, 10 Tgas of its own, and the yocto
    (token_transfer(TERMS, USDT, [(Destination("bob.near"), 1)]), (14_920 * 10**9 + 50 * 50 * 10**6) * 10**9 + 1),
    (token_transfer(RELAYED, USDT, [(Destination("bob.near"), 1)]), 0),
])
def test_the_most_that_can_be_lost_is_bought_gas_and_attached_deposits(unsigned: bytes, fee: int) -> None:
    context = DELEGATED if fee == 0 else CONTEXT
    assert NEAR.effects(decoded(unsigned, context), REGISTER).fee_most == near(fee)


def test_what_registrations_attach_counts_in_the_fee() -> None:
    plain = token_transfer(TERMS, USDT, [(Destination("bob.near"), 1)])
    with_deposit = token_transfer(TERMS, USDT, [(Destination("bob.near"), 1)], [("bob.near", 125 * 10**19)])
    fees = [NEAR.effects(decoded(one), REGISTER).fee_most.units for one in (plain, with_deposit)]
    assert fees[1] - fees[0] > 125 * 10**19


@pytest.mark.parametrize(("receiver", "fact"), [
    ("bob.near", "to a named account; if it does not exist the payment fails and comes back"),
    (IMPLICIT, "to an implicit account, created if it does not exist"),
    ("0x" + "ab" * 20, "to an Ethereum-like account (0x), created if it does not exist"),
    ("0s" + "ab" * 20, "to a deterministic account (0s), created if it does not exist"),
])
def test_the_kind_of_the_receivers_account_is_said(receiver: str, fact: str) -> None:
    unsigned = payment(TERMS, Destination(receiver), near(1))
    assert fact in NEAR.effects(decoded(unsigned)).facts


@pytest.mark.parametrize(("validity", "hours"), [
    (86_400, "about 14 hours"), (12_000, "about 2 hours"), (11_999, "about 1 hour"), (6_000, "about 1 hour"),
    (5_999, "less than an hour"), (1, "less than an hour"),
])
def test_the_time_left_is_said_in_whole_hours(validity: int, hours: str) -> None:
    effects = NEAR.effects(decoded(KINDS["payment"], {"height": HEIGHT, "validity": validity}))
    assert effects.facts[-1] == f"{hours} from the stated height, at about 0.6 s a block"


def test_several_calls_are_said_to_be_all_or_nothing_and_one_alone_is_not() -> None:
    alone = token_transfer(TERMS, USDT, [(Destination("bob.near"), 1)])
    assert not [fact for fact in NEAR.effects(decoded(alone), REGISTER).facts if "all or nothing" in fact]
    facts = effects_of("nep141-transfer").facts
    assert "all or nothing: if one of its calls fails, none of them happens" in facts
    assert "to 1 x named account, 1 x implicit account" in facts
    assert f"registers {IMPLICIT} for 0.00125 NEAR, which stays with the contract" in facts
    assert "3 calls, each with 20 Tgas" in facts
    assert "the register gives this token 6 decimals" in facts


def test_a_delegate_action_says_who_pays() -> None:
    facts = effects_of("nep366-transfer").facts
    assert "a relayer carries it out, pays its gas and deposits, and can delay or leave it" in facts
    assert "attaches 2 yoctoNEAR, which the relayer pays" in facts
    assert not [fact for fact in facts if "counted in the fee" in fact]


def test_a_key_that_signs_for_another_account_is_named() -> None:
    for account in ("treasury.near", OTHERS[0].hex()):
        unsigned = payment(replace(TERMS, signer=account), Destination("bob.near"), near(1))
        effects = NEAR.effects(decoded(unsigned))
        assert effects.source == account
        assert f"signed for {account} with its key {key_text(KEY)}" in effects.facts
    assert not [fact for fact in effects_of("payment").facts if "signed for" in fact]


def test_a_message_to_a_contract_is_shown_and_is_a_danger_that_the_policy_pins() -> None:
    effects = effects_of("nep141-call")
    assert 'message to it: {"pool":5}' in effects.facts
    pinned = sha256(b'{"pool":5}').hexdigest()
    assert effects.dangers == (f"nep141-call:dex.near:{pinned}",)
    other = token_call(TERMS, WRAP, Destination("dex.near"), 1, "")
    effects = NEAR.effects(decoded(other), REGISTER)
    assert effects.dangers == (f"nep141-call:dex.near:{sha256(b'').hexdigest()}",)
    assert "message to it: none" in effects.facts


def test_native_near_to_a_token_contract_is_a_danger() -> None:
    unsigned = payment(TERMS, Destination(USDT), near(1))
    assert NEAR.effects(decoded(unsigned), REGISTER).dangers == ("pays-token-contract",)
    assert NEAR.effects(decoded(unsigned), {}).dangers == ()
    assert effects_of("payment").dangers == ()


# --- explaining ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_any_bytes_that_can_be_signed_are_explained(kind: str) -> None:
    report = NEAR.explain(KINDS[kind], NETWORK)
    assert (report["chain"], report["kind"], report["signed"]) == ("near", kind, "no")
    assert json.loads(json.dumps(report)) == report
    assert len(report["payments"]) == len(effects_of(kind).payments)
    assert len(report["settings"]) == len(effects_of(kind).settings)
    assert ("max_block_height" in report) is (kind in DELEGATES)


def test_tokens_are_explained_in_base_units_since_no_bytes_hold_decimals() -> None:
    assert NEAR.explain(KINDS["nep141-transfer"], NETWORK)["payments"][0] == (
        f"1500000 base units of {USDT} to bob.near memo invoice 7"
    )


def test_signed_bytes_are_explained_and_a_wrong_signature_is_refused() -> None:
    report = NEAR.explain(KINDS["payment"] + b"\0" + GOOD, NETWORK)
    assert (report["signature"], report["payments"]) == (GOOD.hex(), ["1.2 NEAR to bob.near"])
    with pytest.raises(NearBadSignature):
        NEAR.explain(KINDS["payment"] + b"\0" + GOOD[::-1], NETWORK)
    with pytest.raises(Refusal):
        NEAR.explain(KINDS["payment"] + b"\0" + GOOD + b"\0", NETWORK)


def test_nothing_is_left_out_of_or_put_into_a_context() -> None:
    assert NEAR.lean(CONTEXT, [PATH], [KEY]) == CONTEXT == NEAR.full(CONTEXT, [PATH], [KEY])
    terms = DelegateTerms(NETWORK, ME, KEY, 1, HEIGHT)
    with pytest.raises(Refusal):
        decoded(token_transfer(terms, USDT, [(Destination("bob.near"), 1)]), DELEGATED)
