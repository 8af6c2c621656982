"""What is signed, what a good signature is, and how signed bytes are put together.

Never trusts a signature: each is verified before it becomes part of a blob. Signatures arrive raw, 64
bytes; XRPL carries ECDSA ones as minimal DER with low S, since any other form would be a second id for
the same transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import sha512

import coincurve
from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from shared.chains.api import Payload, Signed
from shared.chains.xrpl import codec
from shared.chains.xrpl.addresses import decode_address
from shared.chains.xrpl.fields import SignerFields
from shared.chains.xrpl.model import Tx
from shared.chains.xrpl.rules import fields_from
from shared.der import der_from_raw, raw_from_der
from shared.errors import XrplBadSignature, XrplQuorumRefused

_SINGLE = b"STX\0"
_MULTI = b"SMT\0"
_ID = b"TXN\0"
_ED25519 = 0xED


def payloads(tx: Tx) -> tuple[Payload, ...]:
    """Say what the one key is to sign: the bytes for ed25519, their SHA-512Half for secp256k1."""
    message = signing_bytes(tx.unsigned, tx.signer)
    key = tx.public_key
    if key[0] == _ED25519:
        return (Payload(tx.path, "ed25519", key[1:], message),)
    return (Payload(tx.path, "ecdsa-secp256k1", key, half(message)),)


def assemble(tx: Tx, signatures: Sequence[bytes]) -> Signed:
    """Verify the signature and give the signed bytes with their id.

    For one of several signers the bytes carry that signature alone.

    Raises:
        XrplBadSignature: for other than one raw signature of 64 bytes that verifies and has a low S.
    """
    if len(signatures) != 1:
        raise XrplBadSignature(f"one signature is needed, not {len(signatures)}")
    if tx.signer is not None:
        return _with_signers(tx, {tx.signer: _signer_item(tx, tx.signer, signatures[0])})
    fields = fields_from(tx.transaction)
    fields["TxnSignature"] = _wire(tx, signatures[0])
    return signed(codec.write(fields))


def assemble_multi(parts: Sequence[tuple[Tx, bytes]], quorum: int, weights: Mapping[str, int]) -> Signed:
    """Combine raw signatures of several signers into one transaction, exactly as many as the quorum needs.

    With one signature too many anybody could strip it, and the transaction would happen under another id.

    Raises:
        XrplQuorumRefused: for parts over different bytes, strangers, doubles, too few or superfluous
            signatures.
        XrplBadSignature: for a signature that does not verify.
    """
    if not parts or len({(tx.network, tx.unsigned) for tx, _ in parts}) != 1:
        raise XrplQuorumRefused("the signatures are none, or over different transactions")
    listed = {decode_address(address): weight for address, weight in weights.items()}
    items: dict[bytes, SignerFields] = {}
    for tx, signature in parts:
        if tx.signer is None or tx.signer not in listed or tx.signer in items:
            raise XrplQuorumRefused("a signature is by nobody on the list, or by a signer who signed before")
        items[tx.signer] = _signer_item(tx, tx.signer, signature)
    _check_quorum([listed[signer] for signer in items], quorum)
    return _with_signers(parts[0][0], items)


def signing_bytes(unsigned: bytes, signer: bytes | None) -> bytes:
    """Give the message of a signature. XRPL: each way has its prefix; one of several ends with the signer."""
    return _SINGLE + unsigned if signer is None else _MULTI + unsigned + signer


def verify(key: bytes, message: bytes, wire: bytes) -> None:
    """Check a signature in the form in which transactions carry it.

    Raises:
        XrplBadSignature: when it is not canonical or does not verify by this key.
    """
    if key[0] == _ED25519:
        try:
            _ed25519_key(key[1:]).verify(message, wire)
        except (BadSignatureError, ValueError):
            raise XrplBadSignature("the ed25519 signature does not verify") from None
        return
    raw_from_der(wire)
    if not _point(key).verify(wire, half(message), hasher=None):
        raise XrplBadSignature("the secp256k1 signature does not verify")


def signed(blob: bytes) -> Signed:
    """Give signed bytes with their id."""
    return Signed(blob, transaction_id(blob))


def transaction_id(blob: bytes) -> str:
    """Give the id of any signed XRPL transaction; it covers the signatures."""
    return half(_ID + blob).hex().upper()


def half(message: bytes) -> bytes:
    """Give the first half of SHA-512, XRPL's hash."""
    return sha512(message).digest()[:32]


def _wire(tx: Tx, raw: bytes) -> bytes:
    wire = raw if tx.public_key[0] == _ED25519 else der_from_raw(raw)
    verify(tx.public_key, signing_bytes(tx.unsigned, tx.signer), wire)
    return wire


def _signer_item(tx: Tx, signer: bytes, raw: bytes) -> SignerFields:
    return {"Account": signer, "SigningPubKey": tx.public_key, "TxnSignature": _wire(tx, raw)}


def _with_signers(tx: Tx, items: Mapping[bytes, SignerFields]) -> Signed:
    fields = fields_from(tx.transaction)
    fields["Signers"] = [items[signer] for signer in sorted(items)]  # XRPL: signers ascend by account
    return signed(codec.write(fields))


def _check_quorum(given: list[int], quorum: int) -> None:
    total = sum(given)
    if quorum < 1 or min(given) < 1 or total < quorum:
        raise XrplQuorumRefused(f"signatures of weight {total} do not reach the quorum of {quorum}")
    if total - min(given) >= quorum:
        raise XrplQuorumRefused(f"signatures of weight {total} are more than the quorum of {quorum} needs")


@lru_cache(maxsize=256)
def _point(key: bytes) -> coincurve.PublicKey:
    try:
        return coincurve.PublicKey(key)
    except ValueError:
        raise XrplBadSignature("the signing key is no point of secp256k1") from None


@lru_cache(maxsize=256)
def _ed25519_key(key: bytes) -> VerifyKey:
    return VerifyKey(key)
