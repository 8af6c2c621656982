"""What is signed, what a good signature is, and how signed transactions are put together.

Never trusts a signature: each is verified before it becomes part of a transaction. Signatures arrive raw, 64 bytes.
Where several keys must sign, one signer's answer is a PSBT with that part; `assemble_multi` combines parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final

import coincurve

from shared.chains.api import Payload, Signed
from shared.chains.bitcoin.digests import ALL, Digests, p2wpkh_code
from shared.chains.bitcoin.hashes import hash160
from shared.chains.bitcoin.model import Spend, Tx, Way
from shared.chains.bitcoin.multisig import read_multisig, witness
from shared.chains.bitcoin.networks import TWEAKED_SCHNORR
from shared.chains.bitcoin.taproot import leaf_hash, point_of
from shared.chains.bitcoin.transactions import Input, Transaction, read_all, write
from shared.der import der_from_raw
from shared.errors import BitcoinBadSignature, BitcoinMultisigRefused

ALL_SUFFIX: Final = bytes([ALL])


def payloads(tx: Tx) -> tuple[Payload, ...]:
    """Say what is to be signed: one payload for every input, then one for the reveal."""
    digests = Digests(tx.transaction, [spend.output for spend in tx.spends])
    found = [_payload(spend, digests, index) for index, spend in enumerate(tx.spends)]
    if tx.reveal is not None:
        spend = tx.reveal.spend
        found.append(_payload(spend, Digests(tx.reveal.transaction, [spend.output]), 0))
    return tuple(found)


def assemble(tx: Tx, signatures: Sequence[bytes]) -> Signed:
    """Verify the signatures and give the signed bytes with their id: of a pair both, with the reveal's id.

    Where an input needs further keys, the bytes are a PSBT that carries these signatures.

    Raises:
        BitcoinBadSignature: for another number of signatures, and for one that does not verify.
    """
    checked = verified(tx, signatures)
    if any(_quorum(spend) > 1 for spend in tx.spends):
        from shared.chains.bitcoin.psbt_ours import partly_signed

        return Signed(partly_signed(tx, checked), tx.transaction.txid)
    return _signed(
        tx, [_witness(spend, {spend.public_key: one}) for spend, one in _pairs(tx, checked)], checked
    )


def assemble_multi(parts: Sequence[tuple[Tx, Sequence[bytes]]]) -> Signed:
    """Combine the raw signatures of several signers over the same transaction.

    Raises:
        BitcoinMultisigRefused: for parts over different transactions, doubles, strangers, too few or too many.
        BitcoinBadSignature: for a signature that does not verify.
    """
    if (
        not parts
        or len({(tx.network, tx.transaction, tuple(s.output for s in tx.spends)) for tx, _ in parts}) != 1
    ):
        raise BitcoinMultisigRefused("the signatures are none, or over different transactions")
    whole: list[dict[bytes, bytes]] = [{} for _ in parts[0][0].spends]
    for tx, signatures in parts:
        for have, (spend, one) in zip(whole, _pairs(tx, verified(tx, signatures)), strict=True):
            if spend.public_key in have or spend.way is not Way.MULTISIG:
                raise BitcoinMultisigRefused("a key signed twice, or an input needs one key alone")
            have[spend.public_key] = one
    tx = parts[0][0]
    return _signed(tx, [_witness(spend, have) for spend, have in zip(tx.spends, whole, strict=True)], [])


def verified(tx: Tx, signatures: Sequence[bytes]) -> list[bytes]:
    """Give raw signatures in the form in which witnesses carry them, once each has verified.

    Raises:
        BitcoinBadSignature: for another number of signatures, and for one that does not verify.
    """
    wanted = payloads(tx)
    if len(signatures) != len(wanted):
        raise BitcoinBadSignature(f"{len(wanted)} signatures are needed, not {len(signatures)}")
    return [_verified(payload, raw) for payload, raw in zip(wanted, signatures, strict=True)]


def verify_ecdsa(public_key: bytes, digest: bytes, der: bytes) -> None:
    """Check a DER signature without its type. Raises BitcoinBadSignature, BitcoinKeyRefused."""
    if not point_of(public_key).verify(der, digest, hasher=None):
        raise BitcoinBadSignature("an ECDSA signature does not verify")


def verify_schnorr(x_only: bytes, digest: bytes, signature: bytes) -> None:
    """Check a BIP340 signature of 64 bytes. Raises BitcoinBadSignature."""
    key = _x_only(x_only)
    if key is None or len(signature) != 64 or not key.verify(signature, digest):
        raise BitcoinBadSignature("a Schnorr signature does not verify")


def transactions(blob: bytes) -> tuple[tuple[str, bytes], ...]:
    """Give the ids and bytes of the transactions in signed bytes: one, or a commit and its reveal.

    Raises:
        BitcoinMalformed, BitcoinAmountRefused: for anything else.
    """
    return tuple((one.txid, write(one)) for one in read_all(blob, 2))


def _payload(spend: Spend, digests: Digests, index: int) -> Payload:
    schnorr = TWEAKED_SCHNORR if spend.tweaked else "schnorr-bip340"
    match spend.way:
        case Way.KEY_HASH:
            digest = digests.segwit(index, p2wpkh_code(hash160(spend.public_key)))
            return Payload(spend.path, "ecdsa-secp256k1", spend.public_key, digest)
        case Way.MULTISIG:
            digest = digests.segwit(index, spend.opener)
            return Payload(spend.path, "ecdsa-secp256k1", spend.public_key, digest)
        case Way.TAPROOT_KEY:
            return Payload(spend.path, schnorr, spend.public_key, digests.taproot(index))
        case _:
            digest = digests.taproot(index, leaf_hash(spend.opener))
            return Payload(spend.path, schnorr, spend.public_key, digest)


def _verified(payload: Payload, raw: bytes) -> bytes:
    if payload.algorithm == "ecdsa-secp256k1":
        der = der_from_raw(raw)
        verify_ecdsa(payload.public_key, payload.message, der)
        return der + ALL_SUFFIX
    verify_schnorr(payload.public_key, payload.message, raw)
    return raw


def _pairs(tx: Tx, checked: Sequence[bytes]) -> list[tuple[Spend, bytes]]:
    return list(zip(tx.spends, checked, strict=False))  # a reveal's signature is behind those of the inputs


def _quorum(spend: Spend) -> int:
    return read_multisig(spend.opener).quorum if spend.way is Way.MULTISIG else 1


def _witness(spend: Spend, signatures: dict[bytes, bytes]) -> tuple[bytes, ...]:
    if spend.way is Way.MULTISIG:
        return witness(read_multisig(spend.opener), signatures)
    (signature,) = signatures.values()
    return (signature, spend.public_key) if spend.way is Way.KEY_HASH else (signature,)


def _signed(tx: Tx, witnesses: Sequence[tuple[bytes, ...]], checked: Sequence[bytes]) -> Signed:
    first = _with(tx.transaction, witnesses)
    if tx.reveal is None:
        return Signed(write(first), first.txid)
    reveal = tx.reveal
    second = _with(reveal.transaction, [(checked[-1], reveal.spend.opener, reveal.control_block)])
    return Signed(write(first) + write(second), second.txid)


def _with(transaction: Transaction, witnesses: Sequence[tuple[bytes, ...]]) -> Transaction:
    inputs: tuple[Input, ...] = tuple(
        Input(one.txid, one.index, one.sequence, b"", items)
        for one, items in zip(transaction.inputs, witnesses, strict=True)
    )
    return replace(transaction, inputs=inputs)


@lru_cache(maxsize=1024)
def _x_only(key: bytes) -> coincurve.PublicKeyXOnly | None:
    try:
        return coincurve.PublicKeyXOnly(key)
    except ValueError:
        return None
