"""The table of XRPL fields: headers, kinds, and where each may stand. Data alone; nothing here reads bytes.

Facts: XRPL binary format and field ids. Fields that are known and not accepted stand in `REFUSED`, for
their names only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypedDict

Kind = Literal["u16", "u32", "hash", "amount", "blob", "account", "array"]

OBJECT_END = 0xE1
ARRAY_END = 0xF1

TYPES = {0: "Payment", 3: "AccountSet", 5: "SetRegularKey", 10: "TicketCreate", 12: "SignerListSet"}
"""The accepted transaction types."""

REFUSED_TYPES = {
    1: "EscrowCreate", 2: "EscrowFinish", 4: "EscrowCancel", 7: "OfferCreate", 8: "OfferCancel",
    13: "PaymentChannelCreate", 14: "PaymentChannelFund", 15: "PaymentChannelClaim", 16: "CheckCreate",
    17: "CheckCash", 18: "CheckCancel", 19: "DepositPreauth", 20: "TrustSet", 21: "AccountDelete",
    64: "DelegateSet", 71: "Batch",
}  # fmt: skip


class MemoFields(TypedDict, total=False):
    """What one Memo holds."""

    MemoType: bytes
    MemoData: bytes
    MemoFormat: bytes


class EntryFields(TypedDict, total=False):
    """What one SignerEntry holds."""

    SignerWeight: int
    Account: bytes


class SignerFields(TypedDict, total=False):
    """What one Signer holds."""

    SigningPubKey: bytes
    TxnSignature: bytes
    Account: bytes


class Fields(TypedDict, total=False):
    """What a transaction holds, field by field, before anything is understood. Amounts are drops."""

    TransactionType: int
    NetworkID: int
    Flags: int
    SourceTag: int
    Sequence: int
    DestinationTag: int
    LastLedgerSequence: int
    SetFlag: int
    ClearFlag: int
    SignerQuorum: int
    TicketCount: int
    TicketSequence: int
    InvoiceID: bytes
    Amount: int
    Fee: int
    SigningPubKey: bytes
    TxnSignature: bytes
    Account: bytes
    Destination: bytes
    RegularKey: bytes
    Signers: list[SignerFields]
    SignerEntries: list[EntryFields]
    Memos: list[MemoFields]


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its name, codes and kind; for an array also its item's name, header and fields."""

    name: str
    type_code: int
    field_code: int
    kind: Kind
    item_name: str = ""
    item_header: bytes = b""
    item_scope: Scope | None = None
    header: bytes = field(init=False)
    order: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "header", header(self.type_code, self.field_code))
        object.__setattr__(self, "order", self.type_code << 8 | self.field_code)


@dataclass(frozen=True, slots=True)
class Scope:
    """The fields that may stand in one place, by header (as a number) and by name."""

    by_header: dict[int, Field]
    by_name: dict[str, Field]


def header(type_code: int, field_code: int) -> bytes:
    """Give a field's header. XRPL: codes below 16 share the first byte, larger ones follow it."""
    first = (type_code if type_code < 16 else 0) << 4 | (field_code if field_code < 16 else 0)
    return bytes([first, *(code for code in (type_code, field_code) if code >= 16)])


def _scope(*fields: Field) -> Scope:
    return Scope({int.from_bytes(f.header, "big"): f for f in fields}, {f.name: f for f in fields})


_SIGNING_KEY = Field("SigningPubKey", 7, 3, "blob")
_SIGNATURE = Field("TxnSignature", 7, 4, "blob")
_ACCOUNT = Field("Account", 8, 1, "account")

_MEMO = _scope(
    Field("MemoType", 7, 12, "blob"), Field("MemoData", 7, 13, "blob"), Field("MemoFormat", 7, 14, "blob")
)
_ENTRY = _scope(Field("SignerWeight", 1, 3, "u16"), _ACCOUNT)
_SIGNER = _scope(_SIGNING_KEY, _SIGNATURE, _ACCOUNT)

TOP = _scope(
    Field("TransactionType", 1, 2, "u16"),
    Field("NetworkID", 2, 1, "u32"),
    Field("Flags", 2, 2, "u32"),
    Field("SourceTag", 2, 3, "u32"),
    Field("Sequence", 2, 4, "u32"),
    Field("DestinationTag", 2, 14, "u32"),
    Field("LastLedgerSequence", 2, 27, "u32"),
    Field("SetFlag", 2, 33, "u32"),
    Field("ClearFlag", 2, 34, "u32"),
    Field("SignerQuorum", 2, 35, "u32"),
    Field("TicketCount", 2, 40, "u32"),
    Field("TicketSequence", 2, 41, "u32"),
    Field("InvoiceID", 5, 17, "hash"),
    Field("Amount", 6, 1, "amount"),
    Field("Fee", 6, 8, "amount"),
    _SIGNING_KEY,
    _SIGNATURE,
    _ACCOUNT,
    Field("Destination", 8, 3, "account"),
    Field("RegularKey", 8, 8, "account"),
    Field("Signers", 15, 3, "array", "Signer", header(14, 16), _SIGNER),
    Field("SignerEntries", 15, 4, "array", "SignerEntry", header(14, 11), _ENTRY),
    Field("Memos", 15, 9, "array", "Memo", header(14, 10), _MEMO),
)

REFUSED = {
    (2, 11): "TransferRate", (2, 12): "WalletSize", (2, 29): "OperationLimit", (2, 74): "SponsorFlags",
    (4, 1): "EmailHash", (5, 5): "PreviousTxnID", (5, 7): "WalletLocator", (5, 9): "AccountTxnID",
    (5, 34): "DomainID", (6, 9): "SendMax", (6, 10): "DeliverMin", (7, 2): "MessageKey", (7, 7): "Domain",
    (8, 5): "Authorize", (8, 9): "NFTokenMinter", (8, 12): "Delegate", (8, 27): "Sponsor",
    (14, 38): "SponsorSignature", (16, 16): "TickSize", (18, 1): "Paths", (19, 5): "CredentialIDs",
}  # fmt: skip
