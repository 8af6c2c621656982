"""XRPL against the shared vectors: what others produced, what a server said, what must be refused.

`fields_from_json` reads XRPL's JSON with our own parts, so that equality is shown at the codec's level even
where the rules refuse to sign (no LastLedgerSequence). Blobs are judged by `explain`, which checks rules and
signatures alike.
"""

from __future__ import annotations

from hashlib import sha512
from typing import Any, cast

import coincurve
import pytest
from nacl.signing import SigningKey

from shared.chains.xrpl import XRPL, codec
from shared.chains.xrpl.addresses import (
    account_of,
    decode_address,
    encode_address,
    pack_address,
    parse_tagged,
)
from shared.chains.xrpl.amounts import encode_drops, parse_drops
from shared.chains.xrpl.decode import decode_unsigned
from shared.chains.xrpl.fields import TOP, TYPES, Field, Fields, Scope
from shared.chains.xrpl.model import Tx
from shared.chains.xrpl.seeds import KeyPair, decode_seed, keypair_from_seed
from shared.chains.xrpl.signing import assemble, payloads, signing_bytes, transaction_id, verify
from shared.der import der_from_raw, raw_from_der
from shared.effects import Destination
from shared.errors import (
    BadDer,
    Refusal,
    XrplBadSeed,
    XrplFieldRefused,
    XrplMalformed,
    XrplNoFee,
    XrplTokenAmount,
    XrplTypeRefused,
)
from tests.shared_vectors import PRESENT, cases, name_of

MAIN = "xrpl:mainnet"
PATH = (1 << 31,)
MISSING = "the shared vectors are not here: set LOCKGATE_VECTORS to their folder"

pytestmark = pytest.mark.skipif(not PRESENT, reason=MISSING)


def rows(*kinds: str) -> pytest.MarkDecorator:
    """Parametrise a test by the cases of some kinds."""
    return pytest.mark.parametrize("case", cases("xrpl.json", *kinds), ids=name_of)


def fields_from_json(tx_json: dict[str, Any], scope: Scope = TOP) -> Fields:
    """Read XRPL's JSON form; X-addresses are split into address and tag."""
    fields: dict[str, Any] = {}
    for name, value in tx_json.items():
        if name not in scope.by_name:
            raise XrplFieldRefused(f"the field {name} is not accepted here")
        fields[name] = _value(value, scope.by_name[name])
    for name, tag in (("Account", "SourceTag"), ("Destination", "DestinationTag")):
        if name in fields and scope is TOP:
            place = parse_tagged(tx_json[name], tx_json.get(tag), MAIN)
            fields[name] = decode_address(place.address)
            if place.tag is not None:
                fields[tag] = place.tag
    return cast("Fields", fields)


def _value(value: Any, field: Field) -> Any:
    if field.name == "TransactionType":
        codes = {name: code for code, name in TYPES.items()}
        if value not in codes:
            raise XrplTypeRefused(f"transaction type {value} is not accepted")
        return codes[value]
    if field.kind == "amount":
        if not isinstance(value, str):
            raise XrplTokenAmount("not an amount of XRP")
        return parse_drops(value)
    if field.kind == "account":
        return decode_address(XRPL.parse_address(value, MAIN).address)
    if field.kind == "array":
        scope = cast("Scope", field.item_scope)
        return [fields_from_json(item[field.item_name], scope) for item in value]
    if field.kind in ("blob", "hash"):
        try:
            return bytes.fromhex(value)
        except ValueError:
            raise XrplMalformed(f"{field.name} is not hex") from None
    return value


def sign_raw(pair: KeyPair, message: bytes) -> bytes:
    """Sign what a payload says with a pair's secret; the raw 64 bytes."""
    if pair.curve == "ed25519":
        return SigningKey(pair.secret).sign(message).signature
    return raw_from_der(coincurve.PrivateKey(pair.secret).sign(message, hasher=None))


def tx_of(fields: Fields, pair: KeyPair, signer: str | None) -> Tx:
    """Make a `Tx` below the rules of signing, since many cases have no LastLedgerSequence."""
    inner = decode_unsigned(fields, MAIN)
    unsigned = codec.write(fields)
    account = None if signer is None else decode_address(signer)
    return Tx(inner, unsigned, inner.last_ledger or 1, 1, PATH, pair.public_key, account)


def _pair(case: dict[str, Any]) -> KeyPair:
    return keypair_from_seed(case["seed"], case["algorithm"])


# --- keys and addresses ---------------------------------------------------------------------------


@rows("keypair")
def test_a_family_seed_gives_its_keys_and_address(case: dict[str, Any]) -> None:
    pair = _pair(case)
    if "passphrase" in case:
        assert decode_seed(case["seed"]).entropy == sha512(case["passphrase"].encode()).digest()[:16]
    if "seed_hex" in case:
        assert decode_seed(case["seed"]).entropy.hex().upper() == case["seed_hex"].upper()
    assert pair.public_key.hex().upper() == case.get("public_key", pair.public_key.hex()).upper()
    secret = case.get("private_key_raw32") or case.get("private_key", pair.secret.hex())[-64:]
    assert pair.secret.hex().upper() == secret.upper()
    key = pair.public_key if pair.curve == "secp256k1" else pair.public_key[1:]
    address = XRPL.address(key, pair.curve, MAIN)
    assert address == case.get("address", address) == encode_address(account_of(pair.public_key))
    if "signature" in case:
        verify(pair.public_key, case["message_utf8"].encode(), bytes.fromhex(case["signature"]))


@rows("bad_seed")
def test_a_wrong_seed_is_refused_and_never_repeated(case: dict[str, Any]) -> None:
    with pytest.raises(XrplBadSeed) as refusal:
        decode_seed(case["seed"])
    assert case["seed"] not in str(refusal.value)


@rows("xaddress")
def test_an_x_address_is_its_address_and_tag(case: dict[str, Any]) -> None:
    place = Destination(case["classic"], case["tag"])
    for network, text in ((MAIN, case["mainnet"]), ("xrpl:testnet", case["testnet"])):
        assert XRPL.parse_address(text, network) == place
        assert pack_address(place, network) == text
        assert XRPL.parse_address(case["classic"], network) == Destination(case["classic"])


@rows("xaddress_bad")
def test_a_bad_x_address_is_refused(case: dict[str, Any]) -> None:
    def read() -> object:
        if "classic" in case:
            return pack_address(Destination(case["classic"], case["tag"]), MAIN)
        if "xaddress" in case:
            return XRPL.parse_address(case["xaddress"], MAIN)
        return fields_from_json(case["tx_json"])

    with pytest.raises(Refusal):
        read()


@rows("xaddress_tx")
def test_a_transaction_written_with_x_addresses_is_the_same_transaction(case: dict[str, Any]) -> None:
    fields = fields_from_json(case["tx_json_x"])
    assert fields == fields_from_json(case["tx_json"])
    assert codec.write(fields).hex().upper() == case["tx_blob"]


# --- amounts and signatures -----------------------------------------------------------------------


@rows("xrp_amount")
def test_an_amount_has_its_eight_bytes(case: dict[str, Any]) -> None:
    assert encode_drops(parse_drops(case["amount"])).hex() == case["hex"].lower()


@rows("bad_amount")
def test_a_bad_amount_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(Refusal):
        parse_drops(case["amount"])


@rows("der_canonicality")
def test_only_minimal_der_with_low_s_is_a_signature(case: dict[str, Any]) -> None:
    der = bytes.fromhex(case["signature"])
    if case["expect"] == "accept":
        assert der_from_raw(raw_from_der(der)) == der
    else:
        with pytest.raises(BadDer):
            raw_from_der(der)


@rows("malleability")
def test_the_high_s_twin_of_a_signature_is_refused(case: dict[str, Any]) -> None:
    low, high = bytes.fromhex(case["signature_low_s"]), bytes.fromhex(case["signature_high_s"])
    key = coincurve.PublicKey(bytes.fromhex(case["public_key"]))
    assert key.verify(low, bytes.fromhex(case["digest"]), hasher=None)
    assert der_from_raw(raw_from_der(low)) == low
    with pytest.raises(BadDer):
        raw_from_der(high)


# --- signing --------------------------------------------------------------------------------------


@rows("signing_data")
def test_the_bytes_to_sign_are_the_ledgers(case: dict[str, Any]) -> None:
    signer = case.get("multisign_account")
    message = signing_bytes(codec.write(fields_from_json(case["tx_json"])), signer and decode_address(signer))
    assert message.hex().upper() == case["signing_data"]


# Cases whose transaction is not on our list: the reason why refusing is right.
SIGN_REFUSED = {
    "sign successfully": "xrpl-field-refused",  # Domain
    "sign with EscrowFinish": "xrpl-type-refused",
    "sign succeeds with source.amount/destination.minAmount": "xrpl-token-amount",
    "sign with a Payment transaction with paths": "xrpl-token-amount",
    "lowercase standard currency code signs successfully": "xrpl-token-amount",
    "sign does NOT throw when a payment contains an issued currency like xrp in hex string format": (
        "xrpl-token-amount"
    ),
    "sign succeeds with standard currency code with symbols": "xrpl-token-amount",
    "sign handles non-XRP amount with a trailing zero": "xrpl-token-amount",
    "sign allows lowercase hex value for NFTokenMint.URI": "xrpl-type-refused",
}


@rows("sign_single")
def test_signing_gives_the_same_blob_and_id(case: dict[str, Any]) -> None:
    pair = _pair(case)
    if case["name"] in SIGN_REFUSED:
        with pytest.raises(Refusal):
            codec.read(bytes.fromhex(case["tx_blob"]))
        with pytest.raises(Refusal) as refusal:
            fields_from_json(case["tx_json"])
        assert refusal.value.code == SIGN_REFUSED[case["name"]]
        return
    fields = fields_from_json(case["tx_json"])
    fields["SigningPubKey"] = pair.public_key
    tx = tx_of(fields, pair, None)
    signed = assemble(tx, [sign_raw(pair, payloads(tx)[0].message)])
    assert (signed.blob.hex().upper(), signed.tx_id) == (case["tx_blob"], case["hash"])
    assert XRPL.explain(signed.blob, MAIN)["id"] == case["hash"]


@rows("sign_multi")
def test_signing_for_one_of_several_gives_the_same_blob_and_id(case: dict[str, Any]) -> None:
    pair = _pair(case)
    fields = fields_from_json(case["tx_json"])
    fields["SigningPubKey"] = b""
    tx = tx_of(fields, pair, XRPL.parse_address(case["signer"], MAIN).address)
    signed = assemble(tx, [sign_raw(pair, payloads(tx)[0].message)])
    assert (signed.blob.hex().upper(), signed.tx_id) == (case["tx_blob"], case["hash"])


@rows("multi_trap")
def test_a_tag_inside_a_signer_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(XrplFieldRefused, match="SourceTag"):
        XRPL.explain(bytes.fromhex(case["tx_blob"]), MAIN)


@rows("sign_must_fail")
def test_what_must_not_be_signed_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(Refusal):
        decode_unsigned(fields_from_json(case["tx_json"]), MAIN)


@rows("multi_combine")
def test_each_signature_of_a_combined_transaction_verifies(case: dict[str, Any]) -> None:
    # The transactions are TrustSets, which are refused; what is shown here is signatures, order and id.
    blob = bytes.fromhex(case["tx_blob"])
    assert transaction_id(blob) == case["hash"]
    with pytest.raises(Refusal) as refusal:
        XRPL.explain(blob, MAIN)
    assert refusal.value.code == "xrpl-type-refused"
    tail = codec.write(
        cast("Fields", {"Signers": fields_from_json({"Signers": case["tx_json"]["Signers"]})["Signers"]})
    )
    assert blob.endswith(tail)
    for item in fields_from_json({"Signers": case["tx_json"]["Signers"]})["Signers"]:
        message = signing_bytes(blob[: -len(tail)], item["Account"])
        verify(item["SigningPubKey"], message, item["TxnSignature"])


# --- blobs ----------------------------------------------------------------------------------------

CODEC_REFUSED = {
    "codec-fixtures transactions[25] DelegateSet": "NetworkID and a type outside of the list",
    "delivermin fixture": "tokens",
    "deposit-preauth fixture": "DepositPreauth is outside of the list",
    "escrow-create fixture": "EscrowCreate is outside of the list",
    "payment-channel-claim fixture": "PaymentChannelClaim is outside of the list",
    "payment-channel-fund fixture": "PaymentChannelFund is outside of the list",
    "dev-portal tx1 OfferCreate": "OfferCreate is outside of the list",
    "dev-portal tx2 EscrowFinish": "EscrowFinish is outside of the list",
    "dev-portal tx3 Payment": "Paths",
    "dev-portal tx5 OracleSet": "OracleSet is outside of the list",
    "dev-portal tx6 NFTokenCancelOffer": "NFTokenCancelOffer is outside of the list",
}


@rows("codec")
def test_the_codec_reads_and_writes_the_same_bytes_or_refuses_by_name(case: dict[str, Any]) -> None:
    blob = bytes.fromhex(case["tx_blob"])
    if "hash" in case:
        assert transaction_id(blob) == case["hash"]
    if case["name"] in CODEC_REFUSED:
        with pytest.raises(Refusal):
            XRPL.explain(blob, MAIN)
        return
    assert codec.read(blob) == fields_from_json(case["tx_json"])
    assert codec.write(fields_from_json(case["tx_json"])) == blob
    if case.get("signature_high_s"):
        with pytest.raises(BadDer):
            XRPL.explain(blob, MAIN)


@rows("malformed_blob")
def test_a_malformed_blob_is_refused(case: dict[str, Any]) -> None:
    blob = bytes.fromhex(case["tx_blob"])
    with pytest.raises(Refusal) as refusal:
        XRPL.explain(blob, MAIN)
    assert (refusal.value.code == "xrpl-bad-signature") == bool(case.get("bad_signature"))


@rows("mainnet_meta")
def test_the_id_of_a_transaction_of_mainnet_is_computed(case: dict[str, Any]) -> None:
    assert transaction_id(bytes.fromhex(case["tx_blob"])) == case["hash"]


@rows("xrpld_api_response")
def test_the_id_of_a_servers_answer_is_computed(case: dict[str, Any]) -> None:
    assert transaction_id(bytes.fromhex(case["tx_blob"])) == case["api_v1"]["hash"]


# --- verdicts of a server -------------------------------------------------------------------------

STATIC = ("tem", "invalidTransaction", "telNETWORK_ID")

# Blobs that we explain although the server refused them for what stands in them, and why that is right.
LOOSER: frozenset[str] = frozenset()

# Blobs that the server took or refused for its ledger's state only, and that we refuse: the code and why.
STRICTER = {
    "Sequence 0 without ticket": ("xrpl-sequence", "it can never happen; the server says so only by state"),
    "a DepositAuth account pre-authorises the payer": (
        "xrpl-type-refused",
        "DepositPreauth is not on the list",
    ),
    "AccountDelete fee 10": ("xrpl-type-refused", "AccountDelete is not on the list"),
    "AccountDelete too soon (fee 0.2 XRP)": ("xrpl-type-refused", "AccountDelete is not on the list"),
    "AccountDelete to RequireDest without tag": ("xrpl-type-refused", "AccountDelete is not on the list"),
    "partial payment Amount 900 XRP": (
        "xrpl-field-refused",
        "SendMax: it pays out a token, and less than it says",
    ),
    "properly signed blob with Fee before Amount (out of canonical order)": (
        "xrpl-field-order",
        "the server sorts it and applies it under another id than that of these bytes",
    ),
}


@rows("xrpld_verdict")
def test_our_verdict_agrees_with_the_servers_or_is_listed(case: dict[str, Any]) -> None:
    blob, name = bytes.fromhex(case["tx_blob"]), case["name"]
    code = None
    try:
        XRPL.explain(blob, MAIN)
    except Refusal as refusal:
        code = refusal.code
    if case["provisional"].startswith(STATIC):
        assert (code is None) == (name in LOOSER)
    elif code is None:
        assert name not in STRICTER
    else:
        assert STRICTER[name][0] == code


@rows("xrpld_verdict")
def test_what_the_server_took_can_be_signed_once_it_has_an_expiry(case: dict[str, Any]) -> None:
    if case["provisional"] != "tesSUCCESS" or case["name"] in STRICTER:
        return
    fields = codec.read(bytes.fromhex(case["tx_blob"]))
    signers = fields.pop("Signers", [])
    fields.pop("TxnSignature", None)
    fields.setdefault("LastLedgerSequence", 1000)
    context: dict[str, int | str | bytes | bool | None] = {"height": 5}
    if signers:
        context["signer"] = encode_address(signers[0]["Account"])
        context["public_key"] = signers[0]["SigningPubKey"]
    unsigned = codec.write(fields)
    if fields["Fee"] == 0:  # the key reset, once in an account's life: out of scope
        with pytest.raises(XrplNoFee):
            XRPL.decode(unsigned, context, [PATH], MAIN)
        return
    tx = XRPL.decode(unsigned, context, [PATH], MAIN)
    assert XRPL.effects(tx).source == case["tx_json"]["Account"]
