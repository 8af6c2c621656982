"""What a device of another maker gives back: the signatures of a PSBT, raw, in the order that `assemble` wants.

Devices leave them as partial signatures, or put them into the witness at once. Nothing is verified here but form;
`assemble` verifies each signature against the transaction that was asked for.
"""

from __future__ import annotations

from collections.abc import Mapping

from shared.chains.bitcoin.digests import ALL
from shared.chains.bitcoin.model import Spend, Tx, Way
from shared.chains.bitcoin.psbt import Fields, Psbt
from shared.chains.bitcoin.psbt_fields import FINAL_WITNESS, PARTIAL_SIG, TAP_KEY_SIG
from shared.chains.bitcoin.sizes import Reader
from shared.chains.bitcoin.transactions import read_witness
from shared.der import raw_from_der
from shared.errors import BadDer, BitcoinBadSignature, BitcoinPsbtRefused, BitcoinSighash


def signatures_in(psbt: Psbt, tx: Tx) -> tuple[bytes, ...]:
    """Give the raw signatures (64 bytes) of our transaction's inputs.

    Raises:
        BitcoinPsbtRefused: for a PSBT about another transaction, and for an input without the signature.
        BitcoinSighash: for a signature of another type than ALL and DEFAULT.
        BitcoinBadSignature: for one that has not its form.
    """
    if psbt.transaction != tx.transaction or tx.reveal is not None:
        raise BitcoinPsbtRefused("the PSBT is about another transaction than was asked for")
    return tuple(
        _schnorr(fields, index) if spend.way is Way.TAPROOT_KEY else _ecdsa(fields, spend, index)
        for index, (fields, spend) in enumerate(zip(psbt.inputs, tx.spends, strict=True))
    )


def _schnorr(fields: Fields, index: int) -> bytes:
    found = fields.get(bytes([TAP_KEY_SIG]))
    if found is None:
        found = _one(_witness(fields), index)
    if len(found) == 65:
        raise BitcoinSighash(f"input {index} is signed with the type {found[64]:#x}, and was asked for without one")
    if len(found) != 64:
        raise BitcoinBadSignature(f"input {index} has a signature of {len(found)} bytes")
    return found


def _ecdsa(fields: Fields, spend: Spend, index: int) -> bytes:
    found = fields.get(bytes([PARTIAL_SIG]) + spend.public_key)
    if found is None:
        witness = _witness(fields)
        found = _one(witness[:1] if witness[1:] == (spend.public_key,) else (), index)
    if found[-1:] != bytes([ALL]):
        raise BitcoinSighash(f"input {index} is signed with another type than ALL")
    try:
        return raw_from_der(found[:-1])
    except BadDer as refusal:
        raise BitcoinBadSignature(f"input {index}: {refusal}") from None


def _witness(fields: Mapping[bytes, bytes]) -> tuple[bytes, ...]:
    final = fields.get(bytes([FINAL_WITNESS]))
    return () if final is None else read_witness(Reader(final))


def _one(items: tuple[bytes, ...], index: int) -> bytes:
    if len(items) != 1:
        raise BitcoinPsbtRefused(f"input {index} does not carry the signature that was asked for")
    return items[0]
