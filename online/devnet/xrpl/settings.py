"""Settings of an account: AccountSet, SetRegularKey, SignerListSet, DepositPreauth and TicketCreate."""

from __future__ import annotations

from typing import Final

from online.devnet.xrpl.hashes import address_of_key, deposit_key, signers_key
from online.devnet.xrpl.results import SUCCESS
from online.devnet.xrpl.state import DISABLE_MASTER, MOST_TICKETS, PASSWORD_SPENT
from online.devnet.xrpl.transaction import Transaction
from online.devnet.xrpl.work import FULLY_CANONICAL, Kind, Work

_DISABLE_MASTER_ASF: Final = 4
_ACCOUNT_TXN_ID_ASF: Final = 5
_FLAG_OF_ASF: Final = {
    1: 0x00020000, 2: 0x00040000, 3: 0x00080000, 4: DISABLE_MASTER, 6: 0x00200000, 7: 0x00400000,
    8: 0x00800000, 9: 0x01000000, 12: 0x04000000, 13: 0x08000000, 14: 0x10000000, 15: 0x20000000,
}
# The older way to set RequireDest, RequireAuth and DisallowXRP: (flag to set, flag to clear, ledger flag).
_PAIRS: Final = (
    (0x10000, 0x20000, 0x00020000), (0x40000, 0x80000, 0x00040000), (0x100000, 0x200000, 0x00080000))
_NOT_MODELLED: Final = (
    "TransferRate", "TickSize", "NFTokenMinter", "WalletLocator", "WalletSize", "EmailHash", "MessageKey")
_MOST_DOMAIN_BYTES: Final = 256
_MOST_ENTRIES: Final = 32


def is_by_master(tx: Transaction) -> bool:
    """Say whether the account's own key signed alone."""
    key = tx.fields["SigningPubKey"]
    return bool(key) and address_of_key(key) == tx.account


def _set_form(tx: Transaction) -> str:
    to_set, to_clear = tx.number("SetFlag") or 0, tx.number("ClearFlag") or 0
    if to_set and to_set == to_clear:
        return "temINVALID_FLAG"
    if any(tx.flags & on and tx.flags & off for on, off, _ in _PAIRS):
        return "temINVALID_FLAG"
    if len(tx.fields.get("Domain", "")) > 2 * _MOST_DOMAIN_BYTES:
        return "telBAD_DOMAIN"
    return "temDISABLED" if any(name in tx.fields for name in _NOT_MODELLED) else SUCCESS


def _set(work: Work) -> str:
    to_set, to_clear = work.tx.number("SetFlag"), work.tx.number("ClearFlag")
    entry = work.view.must_have(work.tx.account)
    flags = int(entry["Flags"])
    if to_set == _DISABLE_MASTER_ASF and not flags & DISABLE_MASTER:
        if not is_by_master(work.tx):
            return "tecNEED_MASTER_KEY"
        if "RegularKey" not in entry and work.view.read(signers_key(work.tx.account)) is None:
            return "tecNO_ALTERNATIVE_KEY"
    for on, off, bit in _PAIRS:
        flags = flags | bit if work.tx.flags & on else flags
        flags = flags & ~bit if work.tx.flags & off else flags
    flags |= _FLAG_OF_ASF.get(to_set or 0, 0)
    flags &= ~_FLAG_OF_ASF.get(to_clear or 0, 0)
    _set_fields(work, flags, to_set, to_clear)
    return SUCCESS


def _set_fields(work: Work, flags: int, to_set: int | None, to_clear: int | None) -> None:
    work.view.update(work.tx.account, Flags=flags)
    if "Domain" in work.tx.fields:
        work.view.update(work.tx.account, Domain=work.tx.fields["Domain"] or None)
    if to_set == _ACCOUNT_TXN_ID_ASF:
        work.view.update(work.tx.account, AccountTxnID=work.tx.id)
    if to_clear == _ACCOUNT_TXN_ID_ASF:
        work.view.update(work.tx.account, AccountTxnID=None)


def _regular_form(tx: Transaction) -> str:
    return "temBAD_REGKEY" if tx.fields.get("RegularKey") == tx.account else SUCCESS


def is_free_key_reset(work: Work) -> bool:
    """Say whether this is the one SetRegularKey that the master key may send for nothing."""
    spent = int(work.view.must_have(work.tx.account)["Flags"]) & PASSWORD_SPENT
    return work.tx.kind == "SetRegularKey" and is_by_master(work.tx) and not spent


def _regular(work: Work) -> str:
    view, address = work.view, work.tx.account
    if is_free_key_reset(work):
        view.update(address, Flags=view.must_have(address)["Flags"] | PASSWORD_SPENT)
    key = work.tx.fields.get("RegularKey")
    disabled = view.must_have(address)["Flags"] & DISABLE_MASTER
    if key is None and disabled and view.read(signers_key(address)) is None:
        return "tecNO_ALTERNATIVE_KEY"
    view.update(address, RegularKey=key)
    return SUCCESS


def _list_form(tx: Transaction) -> str:
    quorum, entries = tx.number("SignerQuorum") or 0, tx.fields.get("SignerEntries")
    if quorum == 0 and entries is None:
        return SUCCESS
    if quorum == 0 or entries is None or not 1 <= len(entries) <= _MOST_ENTRIES:
        return "temMALFORMED"
    accounts = [item["SignerEntry"]["Account"] for item in entries]
    weights = [int(item["SignerEntry"]["SignerWeight"]) for item in entries]
    if len(set(accounts)) < len(accounts):
        return "temBAD_SIGNER"
    if min(weights) == 0:
        return "temBAD_WEIGHT"
    if tx.account in accounts:
        return "temBAD_SIGNER"
    return "temBAD_QUORUM" if sum(weights) < quorum else SUCCESS


def _list(work: Work) -> str:
    view, address = work.view, work.tx.account
    if "SignerEntries" not in work.tx.fields:
        entry = view.must_have(address)
        if entry["Flags"] & DISABLE_MASTER and "RegularKey" not in entry:
            return "tecNO_ALTERNATIVE_KEY"
    if view.read(signers_key(address)) is not None:
        view.erase(signers_key(address))
        view.own(address, -1)
    if "SignerEntries" not in work.tx.fields:
        return SUCCESS
    if not work.can_own_more():
        return "tecINSUFFICIENT_RESERVE"
    entries = [item["SignerEntry"] for item in work.tx.fields["SignerEntries"]]
    weights = {entry["Account"]: int(entry["SignerWeight"]) for entry in entries}
    view.put_signers(address, int(work.tx.fields["SignerQuorum"]), weights)
    view.own(address, 1)
    return SUCCESS


def _preauth_form(tx: Transaction) -> str:
    if "AuthorizeCredentials" in tx.fields or "UnauthorizeCredentials" in tx.fields:
        return "temDISABLED"
    if ("Authorize" in tx.fields) == ("Unauthorize" in tx.fields):
        return "temMALFORMED"
    return "temCANNOT_PREAUTH_SELF" if tx.fields.get("Authorize") == tx.account else SUCCESS


def _preauth_claim(work: Work) -> str:
    fields, view = work.tx.fields, work.view
    if "Unauthorize" in fields:
        there = view.read(deposit_key(work.tx.account, fields["Unauthorize"])) is not None
        return SUCCESS if there else "tecNO_ENTRY"
    if view.account(fields["Authorize"]) is None:
        return "tecNO_TARGET"
    there = view.read(deposit_key(work.tx.account, fields["Authorize"])) is not None
    return "tecDUPLICATE" if there else SUCCESS


def _preauth(work: Work) -> str:
    fields, view, address = work.tx.fields, work.view, work.tx.account
    if "Unauthorize" in fields:
        view.erase(deposit_key(address, fields["Unauthorize"]))
        view.own(address, -1)
        return SUCCESS
    if not work.can_own_more():
        return "tecINSUFFICIENT_RESERVE"
    view.put_preauth(address, fields["Authorize"])
    view.own(address, 1)
    return SUCCESS


def _tickets_form(tx: Transaction) -> str:
    count = tx.number("TicketCount") or 0
    return SUCCESS if 1 <= count <= MOST_TICKETS else "temINVALID_COUNT"


def _tickets_claim(work: Work) -> str:
    held = int(work.view.must_have(work.tx.account).get("TicketCount", 0))
    used = 0 if work.tx.ticket is None else 1
    count = work.tx.number("TicketCount") or 0
    return "tecDIR_FULL" if held + count - used > MOST_TICKETS else SUCCESS


def _tickets(work: Work) -> str:
    view, address = work.view, work.tx.account
    count = work.tx.number("TicketCount") or 0
    if not work.can_own_more(count):
        return "tecINSUFFICIENT_RESERVE"
    entry = view.must_have(address)
    first = int(entry["Sequence"])
    for number in range(first, first + count):
        view.put_ticket(address, number)
    view.own(address, count)
    view.update(address, Sequence=first + count, TicketCount=entry.get("TicketCount", 0) + count)
    return SUCCESS


ACCOUNT_SET = Kind(_set, _set_form, flags=FULLY_CANONICAL | 0x003F0000)
SET_REGULAR_KEY = Kind(_regular, _regular_form)
SIGNER_LIST_SET = Kind(_list, _list_form)
DEPOSIT_PREAUTH = Kind(_preauth, _preauth_form, _preauth_claim)
TICKET_CREATE = Kind(_tickets, _tickets_form, _tickets_claim)
