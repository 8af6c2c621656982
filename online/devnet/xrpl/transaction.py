"""Reads a submitted blob as xrpld does: any order of fields, nothing else lenient.

xrpl-py decodes; the template, the lengths and the round trip are checked here, because its decoder takes
duplicated fields, stray end markers and unknown places.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from xrpl.constants import XRPLException
from xrpl.core.binarycodec import decode, encode

from online.devnet.xrpl.definitions import fields_of
from online.devnet.xrpl.hashes import transaction_id

# Array -> (the one object in it, that object's required fields, its optional ones).
_INNER: Final[Mapping[str, tuple[str, frozenset[str], frozenset[str]]]] = {
    "Signers": ("Signer", frozenset({"Account", "SigningPubKey", "TxnSignature"}), frozenset()),
    "SignerEntries": ("SignerEntry", frozenset({"Account", "SignerWeight"}), frozenset({"WalletLocator"})),
    "Memos": ("Memo", frozenset(), frozenset({"MemoType", "MemoData", "MemoFormat"})),
}
# What xrpl-py's codec raises on bytes and values that are no transaction; it has no one error of its own.
_CODEC_ERRORS: Final = (XRPLException, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


class NotATransaction(Exception):
    """The bytes are no transaction; the text is what xrpld gives as `error_exception`."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction as the ledger keeps it: its canonical bytes, their id, and the fields."""

    blob: bytes
    id: str
    fields: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """The TransactionType by name."""
        return str(self.fields["TransactionType"])

    @property
    def account(self) -> str:
        """The account that pays the fee and whose sequence or ticket is used up."""
        return str(self.fields["Account"])

    @property
    def sequence(self) -> int:
        """The Sequence field; 0 where a ticket is used."""
        return int(self.fields["Sequence"])

    @property
    def ticket(self) -> int | None:
        """The ticket used, if one is."""
        return self.number("TicketSequence") if self.sequence == 0 else None

    @property
    def fee_drops(self) -> int:
        """The fee; it is checked to be of XRP before anybody asks."""
        return int(self.fields["Fee"])

    @property
    def flags(self) -> int:
        """The Flags field, zero where absent."""
        return self.number("Flags") or 0

    @property
    def signers(self) -> list[Mapping[str, Any]]:
        """The signers of a multi-signed transaction, in the order of the blob."""
        return [item["Signer"] for item in self.fields.get("Signers", [])]

    def number(self, name: str) -> int | None:
        """Give an integer field, None where absent."""
        value = self.fields.get(name)
        return None if value is None else int(value)


def read_blob(blob: bytes) -> Transaction:
    """Decode a submitted blob.

    Raises:
        NotATransaction: xrpld would not read it either.
    """
    try:
        fields = decode(blob.hex().upper())
        canonical = bytes.fromhex(encode(fields))
    except _CODEC_ERRORS as problem:
        raise NotATransaction("invalid SerialIter getRaw") from problem
    # A duplicated field, a stray end marker or a long form of a length makes the round trip shorter.
    if len(canonical) != len(blob):
        raise NotATransaction("Duplicate field detected")
    return from_fields(fields, canonical)


def from_fields(fields: dict[str, Any], canonical: bytes | None = None) -> Transaction:
    """Take decoded fields as a transaction.

    Raises:
        NotATransaction: a field is missing, of another type's template, or cannot be encoded.
    """
    _check_template(fields)
    if canonical is None:
        try:
            canonical = bytes.fromhex(encode(fields))
        except _CODEC_ERRORS as problem:
            raise NotATransaction("Field is malformed.") from problem
    return Transaction(canonical, transaction_id(canonical), fields)


def _check_template(fields: Mapping[str, Any]) -> None:
    kind = fields.get("TransactionType")
    template = fields_of(kind) if isinstance(kind, str) else None
    if template is None:
        raise NotATransaction(f"Invalid transaction type {kind}")
    for name in fields:
        if name not in template:
            raise NotATransaction(f"Field '{name}' found in disallowed location.")
    for name, required in template.items():
        if required and name not in fields:
            raise NotATransaction(f"Field '{name}' is required but missing.")
    for array in _INNER:
        for item in fields.get(array, []):
            _check_inner(item, *_INNER[array])


def _check_inner(item: object, name: str, required: frozenset[str], optional: frozenset[str]) -> None:
    if not isinstance(item, Mapping) or set(item) != {name} or not isinstance(item[name], Mapping):
        raise NotATransaction(f"Only '{name}' objects are allowed in this array.")
    for field in item[name]:
        if field not in required | optional:
            raise NotATransaction(f"Field '{field}' found in disallowed location.")
    for field in required:
        if field not in item[name]:
            raise NotATransaction(f"Field '{field}' is required but missing.")
