"""Unsigned bytes and their context to a `Tx`, and a transaction to its bytes. The only door to signing.

The context states a height, and for one of several signatures whose it is; it never says what a
transaction means.
"""

from __future__ import annotations

from collections.abc import Sequence

from shared.chains.api import Context, KeyPath
from shared.chains.xrpl import codec
from shared.chains.xrpl.addresses import decode_address
from shared.chains.xrpl.fields import Fields
from shared.chains.xrpl.model import Transaction, Tx
from shared.chains.xrpl.rules import fields_from, signable, understand
from shared.errors import XrplAlreadySigned, XrplContextRefused, XrplFieldOrder, XrplKeyRefused

_HEIGHT_MOST = 2**32 - 1


def decode(unsigned: bytes, context: Context, keys: Sequence[KeyPath], network: str) -> Tx:
    """Read an unsigned transaction that one key is to sign.

    The bytes carry SigningPubKey (33 bytes, or empty where several sign) and no signature. The context holds
    "height" (the validated ledger), and where several sign also "signer" (an r-address) and
    "public_key" (33 bytes).

    Raises:
        XrplRefusal: for everything that is not fully understood (see `codec.read`, `rules.understand`,
            `signable`).
        XrplContextRefused: for a context with other keys or values. XrplKeyRefused: for other than one
            key path.
    """
    if len(keys) != 1:
        raise XrplKeyRefused(f"one key signs, not {len(keys)}")
    transaction = decode_unsigned(codec.read(unsigned), network)
    if encode(transaction) != unsigned:
        raise XrplFieldOrder("encoding the transaction again gives other bytes")
    height = _height(context.get("height"))
    last_ledger = signable(transaction, height)
    if transaction.signing_key:
        _exactly(context, {"height"})
        return Tx(transaction, unsigned, last_ledger, height, keys[0], transaction.signing_key, None)
    _exactly(context, {"height", "signer", "public_key"})
    signer = _signer(context["signer"], transaction)
    return Tx(transaction, unsigned, last_ledger, height, keys[0], _public_key(context["public_key"]), signer)


def decode_unsigned(fields: Fields, network: str) -> Transaction:
    """Read what unsigned fields mean.

    Raises:
        XrplAlreadySigned: where there is a signature.
        XrplRefusal: as `rules.understand` says.
    """
    if "TxnSignature" in fields or "Signers" in fields:
        raise XrplAlreadySigned("the transaction carries a signature")
    return understand(fields, network)


def encode(transaction: Transaction) -> bytes:
    """Serialise a transaction without its signatures."""
    return codec.write(fields_from(transaction))


def _exactly(context: Context, names: set[str]) -> None:
    if set(context) != names:
        raise XrplContextRefused(f"the context must hold {', '.join(sorted(names))} and nothing else")


def _height(value: object) -> int:
    if type(value) is not int or not 1 <= value <= _HEIGHT_MOST:
        raise XrplContextRefused("the context's height is no ledger index")
    return value


def _signer(value: object, transaction: Transaction) -> bytes:
    if type(value) is not str:
        raise XrplContextRefused("the context's signer is no address")
    account = decode_address(value)
    if account == transaction.account:
        raise XrplContextRefused("an account is not among its own signers")
    return account


def _public_key(value: object) -> bytes:
    if type(value) is not bytes or len(value) != 33 or value[0] not in (2, 3, 0xED):
        raise XrplContextRefused("the context's public key is not one of 33 bytes")
    return value
