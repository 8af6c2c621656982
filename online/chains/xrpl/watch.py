"""Says what the validated ledger has decided about a transaction: final, dead, or not yet.

Final is only what `tx` calls validated. Dead is only (a) a validated ledger above LastLedgerSequence
where the whole range was searched without a gap, or (b) the Sequence or ticket used up by another
validated transaction. Both look at the claim as well as the id: a multi-signed transaction of which
somebody stripped a signature happens under another id, and is the same payment. A submission's answer,
a timeout or an error proves nothing and is never looked at here.
"""

from __future__ import annotations

from collections.abc import Sequence

from online.chains.api import Dead, Final, Outcome, Pending, Watched
from online.chains.xrpl.answers import Account, Found, NotFound, Status, drops
from online.chains.xrpl.check import strangeness
from online.chains.xrpl.claims import Use, read_claim
from online.chains.xrpl.credit import delivered
from online.chains.xrpl.view import View
from shared.chains.xrpl import codec
from shared.chains.xrpl.fields import Fields
from shared.chains.xrpl.signing import transaction_id
from shared.effects import Payment
from shared.errors import BadAmount, NodeAnswerUnreadable, NodeRefused, XrplRefusal
from shared.money import Amount

_WINDOW = 1000
"""XRPL: `tx` searches at most 1,000 ledgers beyond the first in one call."""


def watch(nodes: Sequence[View], watched: Watched) -> Outcome:
    """Ask the first node; what it calls dead, every other must call dead too.

    Raises:
        NodeUnreachable: when a node that is needed does not answer.
    """
    outcome = decide(nodes[0], watched)
    if not isinstance(outcome, Dead):
        return outcome
    height, proof = outcome.height, outcome.proof
    for other in nodes[1:]:
        opinion = decide(other, watched)
        if isinstance(opinion, Final):
            return Pending(f"the nodes disagree: one says {proof}; the other says {opinion.result}")
        if isinstance(opinion, Pending):
            return Pending(f"{proof}; the second node does not agree yet: {opinion.text}")
        height = min(height, opinion.height)
        proof = f"{proof}; the second node agrees: {opinion.proof}"
    return Dead(height, proof)


def decide(node: View, watched: Watched) -> Outcome:
    """Say what one node's validated ledgers decide."""
    status = node.status()
    strange = strangeness(status, watched.effects.network)
    if strange:
        return Pending(f"{node.name} is not believed: {strange}")
    found = node.find(watched.tx_id) if watched.tx_id else None
    if isinstance(found, Found):
        return _known(found, watched)
    account = node.account(watched.effects.source, status.height)
    claim = read_claim(watched.effects.claims[0])
    if account is None or _used(node, account, claim):
        try:
            consumer = _consumer(node, watched, claim, status)
        except NodeRefused as gap:
            return Pending(f"{claim.name} is used up, and by what is not known: {gap}")
        if consumer is not None:
            return _consumed(node, watched, claim, consumer, status)
        if not watched.tx_id:
            return Pending(f"{claim.name} is used up, and by what is not known")
    if status.height > _last(watched):
        return _expired(node, watched, status) if watched.tx_id else _unused(watched, claim, status)
    left = _last(watched) - status.height
    return Pending(f"not in a validated ledger yet; it can still happen in {left} ledgers")


# --- final ----------------------------------------------------------------------------------------


def _known(found: Found, watched: Watched) -> Outcome:
    if not found.validated:
        return Pending("the node knows it; no validated ledger holds it yet")
    return _settled(found, watched)


def _settled(found: Found, watched: Watched) -> Outcome:
    fee = Amount(watched.effects.fee_most.asset, drops(found.fields, "Fee"))
    if fee != watched.effects.fee_most:
        raise NodeAnswerUnreadable(f"the node shows a fee of {fee}; {watched.effects.fee_most} was signed")
    if found.result.startswith("tec"):
        return Final(found.tx_id, found.height, False, found.result, fee, ())
    if found.result != "tesSUCCESS":
        raise NodeAnswerUnreadable(f"{found.result} cannot be the result in a validated ledger")
    if not watched.effects.payments:
        return Final(found.tx_id, found.height, True, found.result, fee, ())
    arrived = delivered(found.meta, found.fields, found.height)
    if arrived.kind != "xrp":
        return Pending(f"validated in ledger {found.height}; the node does not say how much was delivered")
    payment = watched.effects.payments[0]
    amount = Amount(payment.amount.asset, arrived.drops)
    payments = (Payment(payment.source, payment.destination, amount),)
    return Final(found.tx_id, found.height, True, found.result, fee, payments)


# --- dead by another ------------------------------------------------------------------------------


def _used(node: View, account: Account, claim: Use) -> bool:
    if claim.sequence is not None:
        return account.sequence > claim.sequence
    # A ticket that is not held was used or never made; the search for its user tells which.
    held = node.tickets(account.address, account.height) if account.ticket_count else ()
    return claim.ticket not in held


def _consumer(node: View, watched: Watched, claim: Use, status: Status) -> Found | None:
    for found in node.history(watched.effects.source, _first(watched), status.height):
        if found.validated and _uses(found, watched.effects.source, claim):
            return found
    return None


def _uses(found: Found, source: str, claim: Use) -> bool:
    fields = found.fields
    if fields.get("Account") != source:
        return False
    if claim.ticket is not None:
        return fields.get("TicketSequence") == claim.ticket
    return fields.get("Sequence") == claim.sequence and "TicketSequence" not in fields


def _consumed(node: View, watched: Watched, claim: Use, consumer: Found, status: Status) -> Outcome:
    if consumer.tx_id == watched.tx_id or _same_content(node, watched, consumer):
        return _settled(consumer, watched)
    return Dead(
        status.height,
        f"{claim.name} of {watched.effects.source} was used up by {consumer.tx_id} in validated ledger "
        f"{consumer.height} ({consumer.result})",
    )


def _same_content(node: View, watched: Watched, other: Found) -> bool:
    blob = node.blob(other.tx_id)
    if transaction_id(blob) != other.tx_id:
        raise NodeAnswerUnreadable(f"the node's bytes of {other.tx_id} have another id")
    ours = _unsigned(watched.blob)
    try:
        return _unsigned(blob) == ours
    except (XrplRefusal, BadAmount):
        return False  # what our own codec does not read is not what was signed here


def _unsigned(blob: bytes) -> Fields:
    fields = codec.read(blob)
    fields.pop("TxnSignature", None)
    fields.pop("Signers", None)
    return fields


# --- dead by expiry -------------------------------------------------------------------------------


def _expired(node: View, watched: Watched, status: Status) -> Outcome:
    first, last = _first(watched), _last(watched)
    gap = Pending(f"expired at ledger {last}; the node misses ledgers since {first}, which proves nothing")
    if not status.ledgers.covers(first, last):
        return gap
    for start in range(first, last + 1, _WINDOW):
        found = node.find(watched.tx_id, start, min(start + _WINDOW - 1, last))
        if isinstance(found, Found):
            return _known(found, watched)
        if not _searched(found):
            return gap
    return Dead(
        status.height,
        f"ledger {status.height} is validated, above LastLedgerSequence {last}, and the transaction is in "
        f"none of the ledgers {first} to {last}, all of which were searched",
    )


def _unused(watched: Watched, claim: Use, status: Status) -> Dead:
    # No signature ever came here, so the id is not known; the claim alone shows that nothing happened.
    return Dead(
        status.height,
        f"{claim.name} of {watched.effects.source} is unused in validated ledger {status.height}, above "
        f"LastLedgerSequence {_last(watched)}",
    )


def _searched(answer: NotFound) -> bool:
    return answer.searched_all


def _first(watched: Watched) -> int:
    # Whoever held the signature could broadcast before we did, but not before it was built.
    expiry = watched.effects.expiry
    return watched.submitted_height if expiry is None else min(watched.submitted_height, expiry.stated_height)


def _last(watched: Watched) -> int:
    if watched.effects.expiry is None:
        raise XrplRefusal("a transaction without an expiry is not watched")
    return watched.effects.expiry.last_height
