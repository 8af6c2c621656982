"""What must be true of the paying account and of the destination before a transaction is worth signing.

All of it comes from one validated ledger, reserves too: votes change them. A check that passes promises
nothing; it spares a fee and a walk across the gap.
"""

from __future__ import annotations

from online.chains.xrpl.answers import (
    DEPOSIT_AUTH,
    DISABLE_MASTER,
    DISALLOW_XRP,
    REQUIRE_DEST,
    Account,
    Status,
)
from online.chains.xrpl.node import Node
from shared.chains.xrpl.addresses import account_of, encode_address, key_field
from shared.effects import Payment
from shared.errors import (
    DepositNotAuthorized,
    DestinationDisallowsXrp,
    DestinationPseudo,
    DestinationTagNeeded,
    DestinationUnfunded,
    KeyMayNotSign,
    ReserveTooLow,
    TooManyTickets,
)

_TICKETS_MOST = 250


def check_key(source: Account, public_key: bytes) -> None:
    """Check that the ledger lets this key sign alone for the account. Raises KeyMayNotSign."""
    curve = "secp256k1" if len(public_key) == 33 and public_key[0] in (2, 3) else "ed25519"
    signer = encode_address(account_of(key_field(public_key, curve)))
    if signer == source.address and source.has(DISABLE_MASTER):
        raise KeyMayNotSign(f"the master key of {source.address} is disabled")
    if signer not in (source.address, source.regular_key):
        raise KeyMayNotSign(f"{signer} is neither the master nor the regular key of {source.address}")


def check_reserve(
    source: Account, status: Status, payment_drops: int, fee_drops: int, pending_units: int
) -> None:
    """Check that the source keeps its reserve beside this payment, its fee and what is pending.

    Raises:
        ReserveTooLow: otherwise. XRPL would let the fee eat into the reserve; a treasury does not.
    """
    reserve = status.reserve_drops(source.owned)
    spendable = source.balance_drops - reserve - pending_units
    if payment_drops + fee_drops > spendable:
        raise ReserveTooLow(
            f"{source.address} can spend {max(spendable, 0)} drops beside its reserve of {reserve} and "
            f"{pending_units} pending, and needs {payment_drops + fee_drops}"
        )


def check_fee(source: Account, fee_drops: int, pending_units: int) -> None:
    """Check that the source can pay the fee, which a change of settings may take out of the reserve.

    Raises:
        ReserveTooLow: otherwise.
    """
    if fee_drops + pending_units > source.balance_drops:
        raise ReserveTooLow(f"{source.address} has {source.balance_drops} drops and cannot pay the fee")


def check_tickets(
    source: Account, status: Status, count: int, fee_drops: int, pending_units: int, *, by_ticket: bool
) -> None:
    """Check that the account may own so many tickets more and keep its reserve.

    Raises:
        TooManyTickets: above 250; the ticket that pays for new ones makes room for one.
        ReserveTooLow: otherwise.
    """
    used = 1 if by_ticket else 0
    if source.ticket_count - used + count > _TICKETS_MOST:
        raise TooManyTickets(f"{source.ticket_count} tickets are held, and {count} more are asked for")
    more = (count - used) * status.reserve_increment_drops
    check_reserve(source, status, max(more, 0), fee_drops, pending_units)


def check_destination(node: Node, payment: Payment, status: Status) -> None:
    """Check that the destination takes this payment, as its account stands in the validated ledger.

    Raises:
        DestinationUnfunded, DestinationPseudo, DestinationTagNeeded, DestinationDisallowsXrp,
        DepositNotAuthorized: as their names say.
    """
    to = payment.destination
    account = node.account(to.address, status.height)
    if account is None:
        if payment.amount.units < status.reserve_base_drops:
            raise DestinationUnfunded(
                f"{to.address} does not exist, and {payment.amount} is below the base reserve of "
                f"{status.reserve_base_drops} drops"
            )
        return
    if account.pseudo:
        raise DestinationPseudo(f"{to.address} belongs to a pool or vault")
    if account.has(REQUIRE_DEST) and to.tag is None:
        raise DestinationTagNeeded(f"{to.address} asks for a destination tag")
    if account.has(DISALLOW_XRP):
        raise DestinationDisallowsXrp(f"{to.address} asks not to be sent XRP")
    if account.has(DEPOSIT_AUTH) and not node.deposit_authorized(payment.source, to.address, status.height):
        raise DepositNotAuthorized(f"{to.address} does not take deposits from {payment.source}")
