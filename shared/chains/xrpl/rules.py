"""What fields mean: the accepted transactions, and nothing else. Fields to a `Transaction` and back.

Every rule here refuses what a server would call malformed, and what this signer does not understand.
Whether a transaction may be signed now (its expiry, its fee) is `signable`; whether it should be is the
policy's question.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from shared.chains.xrpl.codec import check_type
from shared.chains.xrpl.fields import EntryFields, Fields
from shared.chains.xrpl.memos import fields_of, memos_of
from shared.chains.xrpl.model import (
    AccountSetBody,
    Body,
    PaymentBody,
    RegularKeyBody,
    SignerListBody,
    TicketsBody,
    Transaction,
)
from shared.chains.xrpl.networks import signed_network_id
from shared.chains.xrpl.settings import ACCEPTED, REFUSED
from shared.errors import (
    XrplExpired,
    XrplFieldMissing,
    XrplFieldRefused,
    XrplFlagsRefused,
    XrplKeyRefused,
    XrplNetworkIdMissing,
    XrplNetworkIdPresent,
    XrplNetworkIdWrong,
    XrplNoExpiry,
    XrplNoFee,
    XrplPaymentRefused,
    XrplRegularKeyRefused,
    XrplSequence,
    XrplSettingRefused,
    XrplSignerListRefused,
    XrplTicketCount,
)

FULLY_CANONICAL = 0x80000000
MOST_TICKETS = 250

_NEEDED = ("Account", "Fee", "Sequence", "SigningPubKey")
_COMMON = frozenset(
    (
        *_NEEDED,
        "TransactionType",
        "NetworkID",
        "Flags",
        "SourceTag",
        "LastLedgerSequence",
        "TicketSequence",
        "Memos",
    )
)


def understand(fields: Fields, network: str) -> Transaction:
    """Read the meaning of an unsigned transaction's fields.

    Raises:
        XrplTypeRefused, XrplFieldRefused, XrplFieldMissing, XrplFlagsRefused, XrplSequence, XrplKeyRefused,
        XrplNetworkIdPresent, XrplNetworkIdMissing, XrplNetworkIdWrong, XrplMemoRefused, and per type
        XrplPaymentRefused, XrplTicketCount, XrplSettingRefused, XrplRegularKeyRefused, XrplSignerListRefused.
        UnknownChain: for a network that is none.
    """
    allowed, read_body = _body_of(fields)
    for name in fields:
        if name not in allowed:
            raise XrplFieldRefused(f"the field {name} is not accepted here")
    for name in _NEEDED:
        if name not in fields:
            raise XrplFieldMissing(f"the field {name} is missing")
    _check_network_id(fields.get("NetworkID"), network)
    if fields.get("Flags", 0) not in (0, FULLY_CANONICAL):
        raise XrplFlagsRefused(f"transaction flags {fields['Flags']:#x} are not accepted")
    return Transaction(
        network=network,
        account=fields["Account"],
        sequence=_checked_sequence(fields),
        ticket=fields.get("TicketSequence"),
        fee_drops=fields["Fee"],
        last_ledger=fields.get("LastLedgerSequence"),
        signing_key=_checked_key(fields["SigningPubKey"]),
        body=read_body(fields),
        flags=fields.get("Flags"),
        source_tag=fields.get("SourceTag"),
        memos=memos_of(fields["Memos"]) if "Memos" in fields else (),
    )


def signable(transaction: Transaction, height: int) -> int:
    """Give the last ledger in which a transaction can happen, if it may be signed at this height.

    Raises:
        XrplNoExpiry: without LastLedgerSequence.
        XrplExpired: when it is not above the height.
        XrplNoFee: for a fee of 0, which only the key reset has.
    """
    last_ledger = transaction.last_ledger
    if last_ledger is None:
        raise XrplNoExpiry("the transaction has no LastLedgerSequence")
    if last_ledger <= height:
        raise XrplExpired(f"last ledger {last_ledger}, stated height {height}")
    if transaction.fee_drops == 0:
        raise XrplNoFee("the transaction has a fee of 0")
    return last_ledger


def fields_from(transaction: Transaction) -> Fields:
    """Give the fields of a transaction, for serialising: everything it holds and nothing else."""
    fields: Fields = {
        "Sequence": transaction.sequence,
        "Fee": transaction.fee_drops,
        "SigningPubKey": transaction.signing_key,
        "Account": transaction.account,
    }
    network_id = signed_network_id(transaction.network)
    if network_id is not None:
        fields["NetworkID"] = network_id
    if transaction.flags is not None:
        fields["Flags"] = transaction.flags
    if transaction.source_tag is not None:
        fields["SourceTag"] = transaction.source_tag
    if transaction.ticket is not None:
        fields["TicketSequence"] = transaction.ticket
    if transaction.last_ledger is not None:
        fields["LastLedgerSequence"] = transaction.last_ledger
    if transaction.memos:
        fields["Memos"] = fields_of(transaction.memos)
    _put_body(fields, transaction.body)
    return fields


# --- common fields --------------------------------------------------------------------------------


def _body_of(fields: Fields) -> tuple[frozenset[str], Callable[[Fields], Body]]:
    code = fields.get("TransactionType")
    if code is None:
        raise XrplFieldMissing("the field TransactionType is missing")
    check_type(code)
    return _BODIES[code]


def _check_network_id(found: int | None, network: str) -> None:
    wanted = signed_network_id(network)
    if found == wanted:
        return
    if wanted is None:
        raise XrplNetworkIdPresent(f"NetworkID {found} on {network}")
    if found is None:
        raise XrplNetworkIdMissing(f"no NetworkID on {network}")
    raise XrplNetworkIdWrong(f"NetworkID {found} on {network}")


def _checked_sequence(fields: Fields) -> int:
    sequence, ticket = fields["Sequence"], fields.get("TicketSequence")
    if (sequence == 0) != (ticket is not None) or ticket == 0:
        raise XrplSequence(f"Sequence {sequence} with TicketSequence {ticket}")
    return sequence


def _checked_key(key: bytes) -> bytes:
    if key and not (len(key) == 33 and key[0] in (2, 3, 0xED)):
        raise XrplKeyRefused("SigningPubKey is no public key of 33 bytes")
    return key


# --- bodies ---------------------------------------------------------------------------------------


def _payment(fields: Fields) -> Body:
    _need(fields, "Amount", "Destination")
    if fields["Amount"] == 0:
        raise XrplPaymentRefused("a payment of 0 drops")
    if fields["Destination"] == fields["Account"]:
        raise XrplPaymentRefused("a payment to the account that pays")
    tag = fields.get("DestinationTag")
    return PaymentBody(fields["Destination"], tag, fields["Amount"], fields.get("InvoiceID"))


def _tickets(fields: Fields) -> Body:
    _need(fields, "TicketCount")
    if not 1 <= fields["TicketCount"] <= MOST_TICKETS:
        raise XrplTicketCount(f"{fields['TicketCount']} tickets")
    return TicketsBody(fields["TicketCount"])


def _account_set(fields: Fields) -> Body:
    set_flag, clear_flag = fields.get("SetFlag"), fields.get("ClearFlag")
    for flag in (set_flag, clear_flag):
        if flag is not None and flag not in ACCEPTED:
            raise XrplSettingRefused(f"account flag {REFUSED.get(flag, flag)} is not accepted")
    if set_flag is not None and set_flag == clear_flag:
        raise XrplSettingRefused(f"account flag {ACCEPTED[set_flag]} is set and cleared at once")
    return AccountSetBody(set_flag, clear_flag)


def _regular_key(fields: Fields) -> Body:
    if fields.get("RegularKey") == fields["Account"]:
        raise XrplRegularKeyRefused("the regular key is the account itself")
    return RegularKeyBody(fields.get("RegularKey"))


def _signer_list(fields: Fields) -> Body:
    _need(fields, "SignerQuorum")
    quorum = fields["SignerQuorum"]
    if "SignerEntries" not in fields:
        if quorum != 0:
            raise XrplSignerListRefused("a quorum without signers")
        return SignerListBody(0, ())
    entries = tuple(_entry(entry) for entry in fields["SignerEntries"])
    accounts = [account for account, _ in entries]
    if not entries or any(a >= b for a, b in pairwise(accounts)):
        raise XrplSignerListRefused("the signers are none, stand twice or do not ascend")
    if fields["Account"] in accounts:
        raise XrplSignerListRefused("the account is among its own signers")
    if not 1 <= quorum <= sum(weight for _, weight in entries):
        raise XrplSignerListRefused(f"quorum {quorum} is 0 or beyond the signers' weights")
    return SignerListBody(quorum, entries)


def _entry(entry: EntryFields) -> tuple[bytes, int]:
    if "Account" not in entry or not entry.get("SignerWeight"):
        raise XrplSignerListRefused("a signer without account or weight")
    return entry["Account"], entry["SignerWeight"]


def _need(fields: Fields, *names: str) -> None:
    for name in names:
        if name not in fields:
            raise XrplFieldMissing(f"the field {name} is missing")


_BODIES: dict[int, tuple[frozenset[str], Callable[[Fields], Body]]] = {
    0: (_COMMON | {"Amount", "Destination", "DestinationTag", "InvoiceID"}, _payment),
    3: (_COMMON | {"SetFlag", "ClearFlag"}, _account_set),
    5: (_COMMON | {"RegularKey"}, _regular_key),
    10: (_COMMON | {"TicketCount"}, _tickets),
    12: (_COMMON | {"SignerQuorum", "SignerEntries"}, _signer_list),
}


def _put_body(fields: Fields, body: Body) -> None:
    match body:
        case PaymentBody():
            fields["TransactionType"] = 0
            _put_payment(fields, body)
        case AccountSetBody():
            fields["TransactionType"] = 3
            if body.set_flag is not None:
                fields["SetFlag"] = body.set_flag
            if body.clear_flag is not None:
                fields["ClearFlag"] = body.clear_flag
        case RegularKeyBody():
            fields["TransactionType"] = 5
            if body.key is not None:
                fields["RegularKey"] = body.key
        case TicketsBody():
            fields["TransactionType"] = 10
            fields["TicketCount"] = body.count
        case _:
            fields["TransactionType"] = 12
            _put_signer_list(fields, body)


def _put_payment(fields: Fields, body: PaymentBody) -> None:
    fields["Amount"] = body.drops
    fields["Destination"] = body.destination
    if body.tag is not None:
        fields["DestinationTag"] = body.tag
    if body.invoice_id is not None:
        fields["InvoiceID"] = body.invoice_id


def _put_signer_list(fields: Fields, body: SignerListBody) -> None:
    fields["SignerQuorum"] = body.quorum
    if body.entries:
        fields["SignerEntries"] = [
            {"Account": account, "SignerWeight": weight} for account, weight in body.entries
        ]
