"""Explains a signed or unsigned transaction in fields that print; refuses what is not fully understood.

A blob that is explained is canonical, of an accepted type, and every signature in it verifies.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.chains.xrpl import codec
from shared.chains.xrpl.addresses import encode_address
from shared.chains.xrpl.decode import decode_unsigned, encode
from shared.chains.xrpl.effects import destination, facts, settings_of
from shared.chains.xrpl.fields import TYPES, Fields, SignerFields
from shared.chains.xrpl.model import PaymentBody, Transaction
from shared.chains.xrpl.networks import network
from shared.chains.xrpl.rules import fields_from
from shared.chains.xrpl.signing import signing_bytes, transaction_id, verify
from shared.errors import XrplBadSignature, XrplFieldOrder
from shared.money import Amount


def explain(raw: bytes, network_name: str) -> Mapping[str, Any]:
    """Explain a transaction, unsigned, signed by one key or by several.

    Raises:
        XrplRefusal: for bytes that are not fully understood, and for a signature that does not verify.
        UnknownChain: for a name that is no network.
    """
    fields = codec.read(raw)
    signature, signers = fields.pop("TxnSignature", None), fields.pop("Signers", None)
    inner = decode_unsigned(fields, network_name)
    report = _meaning(inner) | {"signed": "no"}
    if signature is not None:
        report |= _single(inner, signature, raw)
    if signers is not None:
        report |= _several(inner, signers, raw)
    if codec.write(_all(inner, signature, signers)) != raw:
        raise XrplFieldOrder("encoding the transaction again gives other bytes")
    return report


def _meaning(inner: Transaction) -> dict[str, Any]:
    native = network(inner.network).native
    report: dict[str, Any] = {
        "chain": "xrpl",
        "network": inner.network,
        "type": TYPES[fields_from(inner)["TransactionType"]],
        "account": encode_address(inner.account),
        "fee": str(Amount(native, inner.fee_drops)),
        "sequence": inner.sequence,
        "ticket": inner.ticket,
        "last_ledger": inner.last_ledger,
        "signing_key": inner.signing_key.hex().upper(),
    }
    if isinstance(inner.body, PaymentBody):
        to = destination(inner, inner.body)
        report |= {"destination": to.address, "tag": to.tag, "memo": to.memo}
        report["amount"] = str(Amount(native, inner.body.drops))
    report["settings"] = [f"{change.what}: {change.detail}" for change in settings_of(inner)]
    report["facts"] = list(facts(inner))
    return report


def _single(inner: Transaction, signature: bytes, raw: bytes) -> dict[str, Any]:
    if not inner.signing_key:
        raise XrplBadSignature("a signature without its key")
    verify(inner.signing_key, signing_bytes(encode(inner), None), signature)
    return {"signed": "by one key", "signature": "valid", "id": transaction_id(raw)}


def _several(inner: Transaction, signers: list[SignerFields], raw: bytes) -> dict[str, Any]:
    if inner.signing_key or not signers:
        raise XrplBadSignature("signed by one key and by several at once, or by none")
    unsigned = encode(inner)
    last = b""
    for signer in signers:
        if set(signer) != {"Account", "SigningPubKey", "TxnSignature"} or len(signer["SigningPubKey"]) != 33:
            raise XrplBadSignature("a signer without account, key or signature")
        account = signer["Account"]
        if account <= last or account == inner.account:
            raise XrplBadSignature("the signers do not ascend, or the account is among them")
        verify(signer["SigningPubKey"], signing_bytes(unsigned, account), signer["TxnSignature"])
        last = account
    names = [encode_address(signer["Account"]) for signer in signers]
    return {"signed": "by several", "signature": "valid", "signers": names, "id": transaction_id(raw)}


def _all(inner: Transaction, signature: bytes | None, signers: list[SignerFields] | None) -> Fields:
    fields = fields_from(inner)
    if signature is not None:
        fields["TxnSignature"] = signature
    if signers is not None:
        fields["Signers"] = signers
    return fields
