"""A document of one kind, signed by one or more Ed25519 keys: requests, answers, approvals, policies.

The bytes are the array ["lockgate", kind, body, [[public key, signature], ...]] in the strict encoding,
signatures ascending by key. Every signature is verified before anything is given back; what did not
verify has no name under which to travel on. Private keys never come here: a caller passes a function
that signs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from shared.encoding import MOST_BYTES, Value, decode, encode
from shared.errors import BadSeal, BadSignature, QuorumMissing, StrangeSigner, WrongDocument

Sign: TypeAlias = Callable[[bytes], bytes]
"""Signs a message with one Ed25519 key that the caller keeps."""

MAGIC: Final = "lockgate"
MOST_SIGNERS: Final = 64


@dataclass(frozen=True, slots=True)
class Sealed:
    """A document all of whose signatures were verified; `signers` are public keys, ascending."""

    kind: str
    body: bytes
    signers: tuple[bytes, ...]
    digest: bytes


def message_of(kind: str, body: bytes) -> bytes:
    """Give the bytes that a signature of a document covers; no kind's message can be another kind's."""
    if not kind.isascii() or not kind.isprintable() or not kind:
        raise ValueError(f"no kind of document: {kind!r}")
    return b"lockgate\0" + kind.encode() + b"\0" + body


def digest(kind: str, body: bytes) -> bytes:
    """Give the digest by which a document is named, whoever signed it."""
    return hashlib.sha256(message_of(kind, body)).digest()


def seal(kind: str, body: bytes, signers: Sequence[tuple[bytes, Sign]]) -> bytes:
    """Sign a body with each key.

    Raises:
        BadSeal: for no key, the same key twice, or too many.
        BadSignature: if a key does not make a signature that verifies.
    """
    message = message_of(kind, body)
    return _write(kind, body, [(key, _signed(key, sign, message)) for key, sign in signers])


def add_signature(sealed: bytes, kind: str, public_key: bytes, sign: Sign) -> bytes:
    """Verify a document and add one more signature to it.

    Raises:
        BadSeal: also if this key signed already.
        WrongDocument, BadSignature: as `open_sealed`.
    """
    body, signatures = _read(sealed, kind)
    message = message_of(kind, body)
    return _write(kind, body, [*signatures, (public_key, _signed(public_key, sign, message))])


def open_sealed(sealed: bytes, kind: str) -> Sealed:
    """Read a document of the wanted kind and verify every signature on it.

    Raises:
        BadEncoding, BadSeal: if it is no sealed document.
        WrongDocument: if it is of another kind.
        BadSignature: if any signature does not verify.
    """
    body, signatures = _read(sealed, kind)
    return Sealed(kind, body, tuple(key for key, _ in signatures), digest(kind, body))


def require_quorum(sealed: Sealed, allowed: Collection[bytes], quorum: int) -> Sealed:
    """Give the document back if only allowed keys signed it, and enough of them.

    Raises:
        StrangeSigner: if a key that is not allowed signed too.
        QuorumMissing: if fewer than `quorum` signed.
    """
    if quorum < 1:
        raise ValueError("a quorum is at least one")
    for key in sealed.signers:
        if key not in allowed:
            raise StrangeSigner(f"{sealed.kind}: the key {key.hex()[:16]} may not sign this")
    if len(sealed.signers) < quorum:
        raise QuorumMissing(f"{sealed.kind}: {len(sealed.signers)} of {quorum} signatures")
    return sealed


def check_signature(public_key: bytes, message: bytes, signature: bytes, what: str) -> None:
    """Verify one Ed25519 signature; `what` names it in the refusal.

    Raises:
        BadSignature: if it does not verify, or a length is wrong.
    """
    try:
        if len(public_key) != 32 or len(signature) != 64:
            raise BadSignatureError("wrong length")
        VerifyKey(public_key).verify(message, signature)
    except BadSignatureError:
        raise BadSignature(f"{what}: the signature does not verify") from None


def _signed(public_key: bytes, sign: Sign, message: bytes) -> bytes:
    # A wrong pen is found here, and not by whoever reads the document on the other side of the gap.
    signature = sign(message)
    check_signature(public_key, message, signature, "a new signature")
    return signature


def _write(kind: str, body: bytes, signatures: Sequence[tuple[bytes, bytes]]) -> bytes:
    ordered = sorted(signatures)
    if not 1 <= len({key for key, _ in ordered}) == len(ordered) <= MOST_SIGNERS:
        raise BadSeal("no key, or one key twice, or too many keys sign this")
    return encode([MAGIC, kind, body, [[key, signature] for key, signature in ordered]])


def _read(sealed: bytes, kind: str) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    match decode(sealed, most_bytes=MOST_BYTES, depth=3):
        case [str(magic), str(found), bytes(body), list(pairs)] if magic == MAGIC:
            pass
        case _:
            raise BadSeal("this is no sealed document")
    if found != kind:
        raise WrongDocument(f"this is a document of the kind {ascii(found[:40])}, not {kind}")
    signatures = [_pair(pair) for pair in pairs]
    keys = [key for key, _ in signatures]
    if not 1 <= len(keys) <= MOST_SIGNERS or keys != sorted(set(keys)):
        raise BadSeal("the signatures are missing, repeated, out of order or too many")
    for key, signature in signatures:
        check_signature(key, message_of(kind, body), signature, kind)
    return body, signatures


def _pair(value: Value) -> tuple[bytes, bytes]:
    match value:
        case [bytes(key), bytes(signature)]:
            return key, signature
        case _:
            raise BadSeal("a signature is not a pair of public key and signature")
