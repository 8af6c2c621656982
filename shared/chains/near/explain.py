"""Explains a signed or unsigned transaction or delegate action in fields that print; refuses what is not understood.

Tokens are shown in base units, since their decimals stand in no bytes. A signature that is there must verify.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.chains.near.borsh import Reader
from shared.chains.near.codec import take_signature
from shared.chains.near.decode import encode, take_unsigned
from shared.chains.near.effects import facts_of, kind_of, payments_of, settings_of
from shared.chains.near.fees import fee_most
from shared.chains.near.keys import base58_text, key_text
from shared.chains.near.model import Body, Delegate, PaymentBody, TokenCallBody, TokensBody, Transaction
from shared.chains.near.networks import network
from shared.chains.near.rules import understand
from shared.chains.near.signing import hash_of, verify
from shared.errors import NearMalformed
from shared.money import Amount


def explain(raw: bytes, network_name: str) -> Mapping[str, Any]:
    """Explain a transaction or delegate action, unsigned or signed.

    Raises:
        NearRefusal, BadAddress, WrongNetwork: for bytes that are not fully understood, and for a signature that does
            not verify. UnknownChain: for a name that is no network.
    """
    network(network_name)
    reader = Reader(raw)
    inner = take_unsigned(reader, raw)
    unsigned = raw[: len(raw) - len(reader.left)]
    signature = take_signature(reader) if reader.left else b""
    reader.close()
    if encode(inner) != unsigned:
        raise NearMalformed("encoding the transaction again gives other bytes")
    digest = hash_of(inner, unsigned)
    report = _meaning(inner, understand(inner, network_name), network_name) | {"hash": base58_text(digest)}
    if not signature:
        return report | {"signed": "no"}
    verify(inner.public_key, digest, signature)
    return report | {"signed": "yes, the signature verifies", "signature": signature.hex()}


def _meaning(inner: Transaction | Delegate, body: Body, network_name: str) -> dict[str, Any]:
    report: dict[str, Any] = {
        "chain": "near",
        "network": network_name,
        "kind": kind_of(inner, body),
        "account": inner.signer,
        "key": key_text(inner.public_key),
        "nonce": inner.nonce,
        "fee_most": str(Amount(network(network_name).native, fee_most(inner))),
        "payments": _payments(inner, body, network_name),
        "settings": [f"{change.what}: {change.detail}" for change in settings_of(inner, body)],
        "facts": list(facts_of(inner, body)),
    }
    if isinstance(inner, Delegate):
        return report | {"max_block_height": inner.max_block_height}
    return report | {"block_hash": base58_text(inner.block_hash)}


def _payments(inner: Transaction | Delegate, body: Body, network_name: str) -> list[str]:
    match body:
        case TokensBody(contract) | TokenCallBody(contract):
            paid = payments_of(inner, body, network_name, {contract: 0})
            return [f"{one.amount.units} base units of {contract} to {one.destination}" for one in paid]
        case PaymentBody():
            paid = payments_of(inner, body, network_name, {})
            return [f"{one.amount} to {one.destination}" for one in paid]
        case _:
            return []
