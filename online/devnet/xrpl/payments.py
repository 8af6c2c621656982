"""Payment of XRP, and AccountDelete, which pays out what an account still holds.

Tokens do not exist in this world: a payment that needs one finds no path.
"""

from __future__ import annotations

from typing import Final

from online.devnet.xrpl.hashes import account_key, deposit_key
from online.devnet.xrpl.results import SUCCESS
from online.devnet.xrpl.state import DEPOSIT_AUTH, PASSWORD_SPENT, REQUIRE_DEST, new_account
from online.devnet.xrpl.transaction import Transaction
from online.devnet.xrpl.work import FULLY_CANONICAL, Kind, Work

NO_DIRECT: Final = 0x00010000
PARTIAL: Final = 0x00020000
LIMIT_QUALITY: Final = 0x00040000
LEDGERS_BEFORE_DELETION: Final = 255


def _is_xrp(amount: object) -> bool:
    return isinstance(amount, str)


def _only_xrp(tx: Transaction) -> bool:
    return _is_xrp(tx.fields["Amount"]) and _is_xrp(tx.fields.get("SendMax", "0"))


def _payment_form(tx: Transaction) -> str:
    amount = tx.fields["Amount"]
    if _is_xrp(amount) and not 0 < int(amount) <= 10**17:
        return "temBAD_AMOUNT"
    if _is_xrp(tx.fields.get("SendMax", "1")) and int(tx.fields.get("SendMax", "1")) <= 0:
        return "temBAD_AMOUNT"
    if not _only_xrp(tx):
        return SUCCESS
    return _xrp_form(tx)


def _xrp_form(tx: Transaction) -> str:
    checks = (
        (tx.account == tx.fields["Destination"] and "Paths" not in tx.fields, "temREDUNDANT"),
        ("SendMax" in tx.fields, "temBAD_SEND_XRP_MAX"),
        ("Paths" in tx.fields, "temBAD_SEND_XRP_PATHS"),
        (bool(tx.flags & PARTIAL), "temBAD_SEND_XRP_PARTIAL"),
        (bool(tx.flags & LIMIT_QUALITY), "temBAD_SEND_XRP_LIMIT"),
        (bool(tx.flags & NO_DIRECT), "temBAD_SEND_XRP_NO_DIRECT"),
        ("DeliverMin" in tx.fields, "temBAD_AMOUNT"),
    )
    return next((result for applies, result in checks if applies), SUCCESS)


def _payment_claim(work: Work) -> str:
    tx = work.tx
    destination = work.view.account(tx.fields["Destination"])
    if destination is None:
        if not _is_xrp(tx.fields["Amount"]):
            return "tecNO_DST"
        enough = int(tx.fields["Amount"]) >= work.reserve(0)
        return SUCCESS if enough else "tecNO_DST_INSUF_XRP"
    if destination["Flags"] & REQUIRE_DEST and "DestinationTag" not in tx.fields:
        return "tecDST_TAG_NEEDED"
    return SUCCESS if _only_xrp(tx) else "tecPATH_DRY"


def _pay(work: Work) -> str:
    tx, view = work.tx, work.view
    drops = int(tx.fields["Amount"])
    owned = int(view.must_have(tx.account)["OwnerCount"])
    # The fee may come out of the reserve, so only the greater of the two must stay.
    if work.prior_drops < drops + max(work.reserve(owned), tx.fee_drops):
        return "tecUNFUNDED_PAYMENT"
    if not _may_deposit(work, drops):
        return "tecNO_PERMISSION"
    view.add(tx.account, -drops)
    _credit(work, tx.fields["Destination"], drops)
    return SUCCESS


def _may_deposit(work: Work, drops: int) -> bool:
    destination = work.view.account(work.tx.fields["Destination"])
    if destination is None or not destination["Flags"] & DEPOSIT_AUTH:
        return True
    # An account at or below the base reserve may be given as much by anybody, or it could stay stuck.
    if drops <= work.reserve(0) and int(destination["Balance"]) <= work.reserve(0):
        return True
    return work.view.read(deposit_key(destination["Account"], work.tx.account)) is not None


def _credit(work: Work, address: str, drops: int) -> None:
    entry = work.view.account(address)
    if entry is None:
        work.view.write(account_key(address), new_account(address, drops, work.place.index))
    else:
        work.view.add(address, drops)
        # Whoever is paid may again reset the regular key for nothing.
        work.view.update(address, Flags=entry["Flags"] & ~PASSWORD_SPENT)
    work.delivered_drops = drops


def _delete_form(tx: Transaction) -> str:
    return "temDST_IS_SRC" if tx.account == tx.fields["Destination"] else SUCCESS


def _delete_claim(work: Work) -> str:
    tx = work.tx
    destination = work.view.account(tx.fields["Destination"])
    if destination is None:
        return "tecNO_DST"
    if destination["Flags"] & REQUIRE_DEST and "DestinationTag" not in tx.fields:
        return "tecDST_TAG_NEEDED"
    if destination["Flags"] & DEPOSIT_AUTH and work.view.read(
            deposit_key(destination["Account"], tx.account)) is None:
        return "tecNO_PERMISSION"
    sequence = int(work.view.must_have(tx.account)["Sequence"])
    return "tecTOO_SOON" if sequence + LEDGERS_BEFORE_DELETION > work.place.index else SUCCESS


def _delete(work: Work) -> str:
    address = work.tx.account
    rest = work.view.balance(address)
    _credit(work, work.tx.fields["Destination"], rest)
    for key, _ in work.view.owned(address):
        work.view.erase(key)
    work.view.update(address, Balance="0", OwnerCount=0, TicketCount=None)
    work.view.erase(account_key(address))
    return SUCCESS


PAYMENT = Kind(_pay, _payment_form, _payment_claim, FULLY_CANONICAL | NO_DIRECT | PARTIAL | LIMIT_QUALITY)
ACCOUNT_DELETE = Kind(_delete, _delete_form, _delete_claim)
