"""The checks xrpld makes before its engine: signatures over the transaction's own bytes, signer order, memos.

Verification is by libsecp256k1 (coincurve) and libsodium (PyNaCl), never by code of this repository.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import coincurve
from coincurve.ecdsa import cdata_to_der, der_to_cdata
from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey
from xrpl.core.binarycodec import encode, encode_for_multisigning, encode_for_signing

from online.devnet.xrpl.hashes import account_id, half
from online.devnet.xrpl.transaction import Transaction

MOST_SIGNERS: Final = 32
MOST_MEMO_BYTES: Final = 1024
_URL_CHARACTERS: Final = frozenset(
    b"0123456789-._~:/?#[]@!$&'()*+,;=%ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)


def local_failure(tx: Transaction) -> str | None:
    """Say why xrpld would refuse the transaction before its engine sees it; None if it would not."""
    return _signature_failure(tx) or _memo_failure(tx)


def verifies(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Verify as xrpld does: strict DER with low S, or strict ed25519 for keys that begin with ED."""
    if len(public_key) != 33:
        return False
    if public_key[0] == 0xED:
        return _verifies_ed25519(public_key[1:], signature, message)
    return _verifies_secp256k1(public_key, signature, half(message))


def _verifies_ed25519(public_key: bytes, signature: bytes, message: bytes) -> bool:
    try:
        VerifyKey(public_key).verify(message, signature)
    except (BadSignatureError, ValueError):
        return False
    return True


def _verifies_secp256k1(public_key: bytes, signature: bytes, digest: bytes) -> bool:
    try:
        # Parsing and writing again refuses every DER but the minimal one; libsecp256k1 itself refuses high S.
        if cdata_to_der(der_to_cdata(signature)) != signature:
            return False
        return bool(coincurve.PublicKey(public_key).verify(signature, digest, hasher=None))
    except ValueError:
        return False


def _signature_failure(tx: Transaction) -> str | None:
    if tx.fields["SigningPubKey"]:
        return _single_failure(tx)
    return _multi_failure(tx)


def _single_failure(tx: Transaction) -> str | None:
    if "Signers" in tx.fields:
        return "Cannot both single- and multi-sign."
    message = bytes.fromhex(encode_for_signing(dict(tx.fields)))
    return None if _good(tx.fields, message) else "Invalid signature."


def _multi_failure(tx: Transaction) -> str | None:
    if "Signers" not in tx.fields:
        return "Empty SigningPubKey."
    if "TxnSignature" in tx.fields:
        return "Cannot both single- and multi-sign."
    return order_failure(tx) or _each_failure(tx)


def order_failure(tx: Transaction) -> str | None:
    """Say what is wrong with the list of signers itself: its length, its order, the owner in it."""
    if not 1 <= len(tx.signers) <= MOST_SIGNERS:
        return "Invalid Signers array size."
    before = b""
    for signer in tx.signers:
        identifier = account_id(signer["Account"])
        if signer["Account"] == tx.account:
            return "Invalid multisigner."
        if identifier == before:
            return "Duplicate Signers not allowed."
        if identifier < before:
            return "Unsorted Signers array."
        before = identifier
    return None


def _each_failure(tx: Transaction) -> str | None:
    for signer in tx.signers:
        message = bytes.fromhex(encode_for_multisigning(dict(tx.fields), signer["Account"]))
        if not _good(signer, message):
            return f"Invalid signature on account {signer['Account']}."
    return None


def _good(holder: Mapping[str, Any], message: bytes) -> bool:
    public_key = bytes.fromhex(holder.get("SigningPubKey", ""))
    return verifies(public_key, bytes.fromhex(holder.get("TxnSignature", "")), message)


def _memo_failure(tx: Transaction) -> str | None:
    memos = tx.fields.get("Memos")
    if memos is None:
        return None
    # Two bytes are the array's own header and end, which xrpld does not count.
    if len(encode({"Memos": memos})) // 2 - 2 > MOST_MEMO_BYTES:
        return "The memo exceeds the maximum allowed size."
    for item in memos:
        for name in ("MemoType", "MemoFormat"):
            if not set(bytes.fromhex(item["Memo"].get(name, ""))) <= _URL_CHARACTERS:
                return ("The MemoType and MemoFormat fields may only contain characters that are allowed in "
                        "URLs under RFC 3986.")
    return None
