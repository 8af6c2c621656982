"""XRPL signatures: payloads, strict forms, assembly for one key and for exactly a quorum, explanations.

Keys are made from fixed bytes; signatures are deterministic, and xrpl-py checks what we assembled.
"""

from __future__ import annotations

import itertools
from typing import Any, cast

import coincurve
import pytest
from nacl.signing import SigningKey
from xrpl.core.binarycodec import decode as their_decode
from xrpl.core.binarycodec import encode_for_multisigning, encode_for_signing
from xrpl.core.keypairs import is_valid_message

from shared.chains.api import Curve, Signed
from shared.chains.xrpl import XRPL, codec
from shared.chains.xrpl.addresses import decode_address, encode_address
from shared.chains.xrpl.build import Terms, build_payment, build_signer_list, build_tickets
from shared.chains.xrpl.fields import Fields
from shared.chains.xrpl.model import Tx
from shared.chains.xrpl.signing import assemble_multi
from shared.der import ORDER, der_from_raw, raw_from_der
from shared.effects import Destination
from shared.errors import BadDer, Refusal, XrplBadSignature, XrplQuorumRefused
from shared.money import Amount

MAIN = "xrpl:mainnet"
OWNER = encode_address(b"\x09" * 20)
OTHER = encode_address(b"\x01" * 20)
PATH = (1 << 31,)


class Pen:
    """A test key of one curve that signs payloads raw."""

    def __init__(self, curve: Curve, number: int) -> None:
        self.curve, self._secret = curve, bytes([number]) * 32
        secp = coincurve.PrivateKey(self._secret).public_key.format()
        self.public = secp if curve == "secp256k1" else bytes(SigningKey(self._secret).verify_key)
        self.field = self.public if curve == "secp256k1" else b"\xed" + self.public
        self.address = XRPL.address(self.public, curve, MAIN)

    def sign(self, tx: Tx) -> bytes:
        (payload,) = XRPL.payloads(tx)
        assert payload.public_key == self.public
        assert payload.path == PATH
        if self.curve == "ed25519":
            assert payload.algorithm == "ed25519"
            return SigningKey(self._secret).sign(payload.message).signature
        assert payload.algorithm == "ecdsa-secp256k1"
        return raw_from_der(coincurve.PrivateKey(self._secret).sign(payload.message, hasher=None))


PENS = [Pen("secp256k1", 3), Pen("ed25519", 4), Pen("secp256k1", 5)]


def payment(account: str, key: bytes) -> bytes:
    amount = Amount(XRPL.network(MAIN).native, 5_000_000)
    return build_payment(Terms(MAIN, account, key, 40, 900, sequence=3), Destination(OTHER, 7), amount)


def single(pen: Pen) -> Tx:
    return cast("Tx", XRPL.decode(payment(pen.address, pen.public), {"height": 100}, [PATH], MAIN))


def part(pen: Pen, unsigned: bytes | None = None) -> Tx:
    context: dict[str, Any] = {"height": 100, "signer": pen.address, "public_key": pen.field}
    return cast("Tx", XRPL.decode(unsigned or payment(OWNER, b""), context, [PATH], MAIN))


def parts(*pens: Pen) -> list[tuple[Tx, bytes]]:
    return [(part(pen), pen.sign(part(pen))) for pen in pens]


WEIGHTS = {pen.address: 1 for pen in PENS}


# --- one key --------------------------------------------------------------------------------------


@pytest.mark.parametrize("pen", PENS[:2], ids=lambda pen: pen.curve)
def test_a_signed_payment_is_what_xrpl_py_calls_valid(pen: Pen) -> None:
    tx = single(pen)
    signed = XRPL.assemble(tx, [pen.sign(tx)])
    theirs = their_decode(signed.blob.hex())
    signature = bytes.fromhex(theirs.pop("TxnSignature"))
    message = bytes.fromhex(encode_for_signing(theirs))
    assert is_valid_message(message, signature, pen.field.hex().upper())
    explained = XRPL.explain(signed.blob, MAIN)
    assert (explained["signature"], explained["id"]) == ("valid", signed.tx_id)
    assert (explained["amount"], explained["tag"], explained["type"]) == ("5 XRP", 7, "Payment")
    assert signed.tx_id == signed.tx_id.upper()


@pytest.mark.parametrize("pen", PENS[:2], ids=lambda pen: pen.curve)
def test_a_signature_with_any_bit_changed_is_refused(pen: Pen) -> None:
    tx = single(pen)
    good = pen.sign(tx)
    for bit in range(0, 512, 3):
        bad = bytearray(good)
        bad[bit // 8] ^= 1 << bit % 8
        with pytest.raises(XrplBadSignature):
            XRPL.assemble(tx, [bytes(bad)])


@pytest.mark.parametrize("pen", PENS[:2], ids=lambda pen: pen.curve)
def test_a_signed_blob_with_any_bit_changed_is_refused(pen: Pen) -> None:
    tx = single(pen)
    blob = XRPL.assemble(tx, [pen.sign(tx)]).blob
    for bit in range(len(blob) * 8):
        bad = bytearray(blob)
        bad[bit // 8] ^= 1 << bit % 8
        with pytest.raises(Refusal):
            XRPL.explain(bytes(bad), MAIN)


@pytest.mark.parametrize("pen", PENS[:2], ids=lambda pen: pen.curve)
def test_other_than_one_signature_of_64_bytes_is_refused(pen: Pen) -> None:
    tx = single(pen)
    good = pen.sign(tx)
    for wrong in ([], [good, good], [good[:-1]], [good + b"\0"], [b""], [bytes(64)]):
        with pytest.raises((XrplBadSignature, BadDer)):
            XRPL.assemble(tx, wrong)


def test_a_high_s_is_refused_though_it_verifies() -> None:
    pen = PENS[0]
    tx = single(pen)
    raw = pen.sign(tx)
    high = raw[:32] + (ORDER - int.from_bytes(raw[32:], "big")).to_bytes(32, "big")
    with pytest.raises(BadDer, match="high"):
        XRPL.assemble(tx, [high])


def test_another_keys_signature_is_refused() -> None:
    with pytest.raises(XrplBadSignature):
        XRPL.assemble(single(PENS[0]), [PENS[2].sign(single(PENS[2]))])


def test_a_signing_key_that_is_no_point_is_refused() -> None:
    unsigned = payment(OWNER, b"\2" + b"\xff" * 32)
    tx = XRPL.decode(unsigned, {"height": 100}, [PATH], MAIN)
    with pytest.raises(XrplBadSignature, match="no point"):
        XRPL.assemble(tx, [PENS[0].sign(single(PENS[0]))])


@pytest.mark.parametrize(
    "raw", [bytes(32) + b"\1" * 32, b"\1" * 32 + bytes(32), ORDER.to_bytes(32, "big") + b"\1" * 32]
)
def test_numbers_out_of_range_make_no_signature(raw: bytes) -> None:
    with pytest.raises(BadDer):
        der_from_raw(raw)


@pytest.mark.parametrize("der", ["", "30", "30060201010201", "3006020101020101ff", "31060201010201" + "01"])
def test_every_other_form_of_der_is_refused(der: str) -> None:
    with pytest.raises(BadDer):
        raw_from_der(bytes.fromhex(der))
    with pytest.raises(BadDer):
        raw_from_der(b"\x30\x27\x02\x22" + b"\1" * 34 + b"\x02\x01\x01")


# --- several keys ---------------------------------------------------------------------------------


def test_one_part_carries_its_signer_alone() -> None:
    (tx, raw), *_ = parts(PENS[1])
    signed = XRPL.assemble(tx, [raw])
    explained = XRPL.explain(signed.blob, MAIN)
    assert (explained["signed"], explained["signers"]) == ("by several", [PENS[1].address])
    assert XRPL.effects(tx).facts == (f"one of several signatures, for signer {PENS[1].address}",)


def test_a_signer_may_use_a_regular_key_and_the_facts_say_so() -> None:
    context: dict[str, Any] = {"height": 100, "signer": PENS[0].address, "public_key": PENS[2].field}
    tx = XRPL.decode(payment(OWNER, b""), context, [PATH], MAIN)
    assert XRPL.effects(tx).facts[1] == f"signed with the regular key {PENS[2].address}"


@pytest.mark.parametrize("pens", list(itertools.permutations(PENS, 2)))
def test_exactly_the_quorum_is_combined_in_ascending_order(pens: tuple[Pen, ...]) -> None:
    signed = assemble_multi(parts(*pens), 2, WEIGHTS)
    explained = XRPL.explain(signed.blob, MAIN)
    assert explained["signers"] == sorted((pen.address for pen in pens), key=decode_address)
    theirs = their_decode(signed.blob.hex())
    for item in theirs.pop("Signers"):
        message = bytes.fromhex(encode_for_multisigning(theirs, item["Signer"]["Account"]))
        signature = bytes.fromhex(item["Signer"]["TxnSignature"])
        assert is_valid_message(message, signature, item["Signer"]["SigningPubKey"])


def other_bytes() -> tuple[Tx, bytes]:
    unsigned = build_tickets(Terms(MAIN, OWNER, b"", 40, 900, sequence=3), 5)
    tx = part(PENS[1], unsigned)
    return tx, PENS[1].sign(tx)


HEAVY = {PENS[0].address: 3, PENS[1].address: 1, PENS[2].address: 1}
QUORUMS: list[tuple[str, list[tuple[Tx, bytes]], int, dict[str, int]]] = [
    ("none", [], 2, WEIGHTS),
    ("too few", parts(PENS[0]), 2, WEIGHTS),
    ("one too many", parts(*PENS), 2, WEIGHTS),
    ("a light one too many", parts(*PENS[:2]), 3, HEAVY),
    ("a double", parts(PENS[0], PENS[0]), 2, WEIGHTS),
    ("a stranger", parts(*PENS[:2]), 2, {PENS[0].address: 1}),
    ("other bytes", [*parts(PENS[0]), other_bytes()], 2, WEIGHTS),
    ("no quorum", parts(PENS[0]), 0, WEIGHTS),
    ("no weight", parts(*PENS[:2]), 1, {PENS[0].address: 1, PENS[1].address: 0}),
    ("a single signature", [(single(PENS[0]), PENS[0].sign(single(PENS[0])))], 1, WEIGHTS),
]


@pytest.mark.parametrize(
    ("given", "quorum", "weights"), [row[1:] for row in QUORUMS], ids=[r[0] for r in QUORUMS]
)
def test_what_is_not_exactly_a_quorum_is_refused(
    given: list[tuple[Tx, bytes]], quorum: int, weights: dict[str, int]
) -> None:
    with pytest.raises(XrplQuorumRefused):
        assemble_multi(given, quorum, weights)


def test_a_wrong_signature_among_good_ones_is_refused() -> None:
    (first, raw), (second, _) = parts(*PENS[:2])
    with pytest.raises(XrplBadSignature):
        assemble_multi([(first, raw), (second, raw)], 2, WEIGHTS)


# --- explaining -----------------------------------------------------------------------------------


def test_an_unsigned_transaction_is_explained_without_an_id() -> None:
    explained = XRPL.explain(payment(OWNER, b""), MAIN)
    assert explained["signed"] == "no"
    assert "id" not in explained
    entries = [(pen.address, 1) for pen in PENS]
    listed = build_signer_list(Terms(MAIN, OWNER, PENS[0].field, 12, 900, ticket=4), 2, entries)
    assert XRPL.explain(listed, MAIN)["settings"][0].startswith("signer-list: quorum 2 of total weight 3")


def several() -> tuple[Fields, Signed]:
    signed = assemble_multi(parts(*PENS[:2]), 2, WEIGHTS)
    return codec.read(signed.blob), signed


def swapped(fields: Fields) -> None:
    fields["Signers"].reverse()


def twice(fields: Fields) -> None:
    fields["Signers"].append(fields["Signers"][-1])


def nobody(fields: Fields) -> None:
    fields["Signers"].clear()


def own(fields: Fields) -> None:
    fields["Account"] = fields["Signers"][0]["Account"]


def keyless(fields: Fields) -> None:
    del fields["Signers"][0]["SigningPubKey"]


def short(fields: Fields) -> None:
    fields["Signers"][0]["SigningPubKey"] = b"\2"


def other_key(fields: Fields) -> None:
    fields["Signers"][0]["SigningPubKey"] = PENS[2].field


def both(fields: Fields) -> None:
    fields["SigningPubKey"] = PENS[0].field


def beside(fields: Fields) -> None:
    fields["TxnSignature"] = fields["Signers"][0]["TxnSignature"]


@pytest.mark.parametrize("spoil", [swapped, twice, nobody, own, keyless, short, other_key, both, beside])
def test_a_spoiled_set_of_signers_is_refused(spoil: Any) -> None:
    fields, _ = several()
    spoil(fields)
    with pytest.raises(Refusal) as refusal:
        XRPL.explain(codec.write(fields), MAIN)
    assert refusal.value.code in ("xrpl-bad-signature", "xrpl-payment-refused")


def test_a_signature_without_signing_key_is_refused() -> None:
    fields = codec.read(payment(OWNER, b""))
    fields["TxnSignature"] = b"\1" * 64
    with pytest.raises(XrplBadSignature):
        XRPL.explain(codec.write(fields), MAIN)
