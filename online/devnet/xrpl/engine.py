"""The engine: form, claim and application of one transaction in xrpld's order, and what became of it.

The order of the checks is the answer: a blob sent twice is tefPAST_SEQ because sequences are looked at first.
It changes nothing itself; the caller commits the outcome's sandbox, or drops it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from online.devnet.xrpl.authority import check_authority
from online.devnet.xrpl.hashes import ticket_key
from online.devnet.xrpl.payments import ACCOUNT_DELETE, PAYMENT
from online.devnet.xrpl.results import SUCCESS, is_tec
from online.devnet.xrpl.settings import (
    ACCOUNT_SET,
    DEPOSIT_PREAUTH,
    SET_REGULAR_KEY,
    SIGNER_LIST_SET,
    TICKET_CREATE,
    is_free_key_reset,
)
from online.devnet.xrpl.state import Entry, Rules, Sandbox
from online.devnet.xrpl.transaction import Transaction
from online.devnet.xrpl.work import Kind, Place, Work

KINDS: Final[Mapping[str, Kind]] = {
    "Payment": PAYMENT, "AccountDelete": ACCOUNT_DELETE, "AccountSet": ACCOUNT_SET,
    "SetRegularKey": SET_REGULAR_KEY, "SignerListSet": SIGNER_LIST_SET, "DepositPreauth": DEPOSIT_PREAUTH,
    "TicketCreate": TICKET_CREATE,
}
GREATEST_ID_WITHOUT_FIELD: Final = 1024


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an application came to; `view` holds the changes where `applied`."""

    result: str
    applied: bool
    view: Sandbox
    delivered_drops: int | None = None


@dataclass(frozen=True, slots=True)
class Manner:
    """How to apply: `fail_hard` and `retry` leave a tec undone, `dry_run` lets keys be left out."""

    fail_hard: bool = False
    retry: bool = False
    dry_run: bool = False


PLAIN: Final = Manner()


def apply_transaction(state: Mapping[str, Entry], tx: Transaction, place: Place,
                      manner: Manner = PLAIN) -> Outcome:
    """Judge and apply a transaction on a sandbox over the state."""
    work = Work(tx, Sandbox(state), place)
    result = _check_form(tx, place.rules)
    if result == SUCCESS:
        result = _check_claim(work, manner)
    if result == SUCCESS:
        result = _run(work)
    if result == SUCCESS:
        return Outcome(result, True, work.view, work.delivered_drops)
    if is_tec(result) and not manner.fail_hard and not manner.retry:
        return Outcome(result, True, _only_the_fee(state, tx, place))
    return Outcome(result, False, Sandbox(state))


def base_fee(work: Work) -> int:
    """Give the least fee in drops: more for each signer, the owner reserve for a deletion."""
    if work.tx.kind == "AccountDelete":
        return work.place.rules.reserve_increment_drops
    if is_free_key_reset(work):
        return 0
    return work.place.rules.base_fee_drops * (1 + len(work.tx.signers))


def _check_form(tx: Transaction, rules: Rules) -> str:
    result = _check_network(tx.number("NetworkID"), rules.network_id)
    if result != SUCCESS:
        return result
    kind = KINDS.get(tx.kind)
    if kind is None or "Delegate" in tx.fields or "CredentialIDs" in tx.fields or "DomainID" in tx.fields:
        return "temDISABLED"
    if not isinstance(tx.fields["Fee"], str) or not 0 <= int(tx.fields["Fee"]) <= 10**17:
        return "temBAD_FEE"
    if tx.ticket is not None and "AccountTxnID" in tx.fields:
        return "temINVALID"
    if tx.flags & ~kind.flags:
        return "temINVALID_FLAG"
    return kind.form(tx)


def _check_network(named: int | None, network_id: int) -> str:
    if network_id <= GREATEST_ID_WITHOUT_FIELD:
        return SUCCESS if named is None else "telNETWORK_ID_MAKES_TX_NON_CANONICAL"
    if named is None:
        return "telREQUIRES_NETWORK_ID"
    return SUCCESS if named == network_id else "telWRONG_NETWORK"


def _check_claim(work: Work, manner: Manner) -> str:
    if work.view.account(work.tx.account) is None:
        return "terNO_ACCOUNT"
    result = _check_sequence(work)
    if result == SUCCESS:
        result = _check_prior_and_last(work)
    if result == SUCCESS:
        result = check_authority(work, dry_run=manner.dry_run)
    if result == SUCCESS:
        result = _check_fee(work)
    return KINDS[work.tx.kind].claim(work) if result == SUCCESS else result


def _check_sequence(work: Work) -> str:
    tx, next_sequence = work.tx, int(work.view.must_have(work.tx.account)["Sequence"])
    if tx.ticket is None:
        if "TicketSequence" in tx.fields:
            return "temSEQ_AND_TICKET"
        if tx.sequence == next_sequence:
            return SUCCESS
        return "terPRE_SEQ" if tx.sequence > next_sequence else "tefPAST_SEQ"
    if tx.ticket >= next_sequence:
        return "terPRE_TICKET"
    return SUCCESS if work.view.read(ticket_key(tx.account, tx.ticket)) is not None else "tefNO_TICKET"


def _check_prior_and_last(work: Work) -> str:
    prior = work.tx.fields.get("AccountTxnID")
    if prior is not None and prior != work.view.must_have(work.tx.account).get("AccountTxnID"):
        return "tefWRONG_PRIOR"
    last = work.tx.number("LastLedgerSequence")
    return "tefMAX_LEDGER" if last is not None and work.place.index > last else SUCCESS


def _check_fee(work: Work) -> str:
    if work.place.is_open and work.tx.fee_drops < base_fee(work):
        return "telINSUF_FEE_P"
    balance = work.view.balance(work.tx.account)
    if balance >= work.tx.fee_drops:
        return SUCCESS
    return "tecINSUFF_FEE" if balance > 0 and not work.place.is_open else "terINSUF_FEE_B"


def _run(work: Work) -> str:
    work.prior_drops = work.view.balance(work.tx.account)
    _consume(work)
    return KINDS[work.tx.kind].apply(work)


def _consume(work: Work) -> None:
    view, tx = work.view, work.tx
    entry = view.must_have(tx.account)
    # In a closed ledger a fee beyond the balance takes what there is.
    view.add(tx.account, -min(tx.fee_drops, view.balance(tx.account)))
    if tx.ticket is None:
        view.update(tx.account, Sequence=entry["Sequence"] + 1)
    else:
        view.erase(ticket_key(tx.account, tx.ticket))
        view.own(tx.account, -1)
        view.update(tx.account, TicketCount=(entry["TicketCount"] - 1) or None)
    if "AccountTxnID" in entry:
        view.update(tx.account, AccountTxnID=tx.id)


def _only_the_fee(state: Mapping[str, Entry], tx: Transaction, place: Place) -> Sandbox:
    work = Work(tx, Sandbox(state), place)
    _consume(work)
    return work.view
