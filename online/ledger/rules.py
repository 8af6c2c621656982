"""What a movement means in the books: the lines for a transaction that is on its way, and for one that happened.

Whose address something is stands in the keys of the store; what goes to nobody known here leaves for "outside".
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, select

from online.chains.api import Final
from online.ledger.accounts import Kind, of_network
from online.ledger.postings import Posting
from online.store import tables
from online.store.assets import registers
from online.store.wallets import find_owner
from shared.chains.api import NO_ASSETS
from shared.effects import Effects, Payment
from shared.money import Amount, Asset


def reserved(connection: Connection, effects: Effects) -> tuple[Posting, ...]:
    """Give the lines of a built transaction: amounts in transit, and the greatest fee that can be lost."""
    network = effects.network
    lines = list(_fee(connection, effects, effects.fee_most))
    for payment in effects.payments:
        lines.append(_line(account_of(connection, network, payment.source), payment.amount, -1))
        lines.append(_line(f"transit:{network}", payment.amount, +1))
    return tuple(lines)


def happened(
    connection: Connection, effects: Effects, outcome: Final, owed: Kind | None = None
) -> tuple[Posting, ...]:
    """Give the lines of what the ledger did: the fee that was taken, and what arrived if anything did.

    What pays something `owed` settles that account, whoever has the address that it went to. What came to a wallet
    before its books were opened is in its opening balance, and goes to own funds, out of which that was posted.
    """
    delivered: Iterable[Payment] = outcome.delivered if outcome.success else ()
    lines = list(_fee(connection, effects, outcome.fee))
    for refund in outcome.refunds:
        # It left and came back: two movements that the ledger shows, though they add up to nothing.
        payer, back = account_of(connection, effects.network, effects.fee_payer), f"refunds:{effects.network}"
        lines += [_line(payer, refund, -1), _line(back, refund, +1), _line(back, refund, -1), _line(payer, refund, +1)]
    noted = registers(connection).get(effects.network, NO_ASSETS)
    known = {outcome.fee.asset.code, *noted}
    for cost in outcome.costs:
        if cost.asset.code in known:
            lines += _fee(connection, effects, cost)
    for payment in delivered:
        # The books keep what is noted: of an asset that nobody noted they never had a balance.
        if payment.amount.asset.code not in known:
            continue
        destination = payment.destination.address
        lines.append(_line(account_of(connection, effects.network, payment.source), payment.amount, -1))
        to = _taker(connection, effects.network, destination, payment.amount.asset, outcome.height)
        lines.append(_line(of_network(owed, effects.network) if owed else to, payment.amount, +1))
    return tuple(lines)


def opened(wallet: str, balance: Amount, theirs: int) -> tuple[Posting, ...]:
    """Give the lines of a wallet's opening balance: own funds, but for what lay at places of customers."""
    network, asset = balance.asset.network, balance.asset
    return (
        _line(f"wallet:{wallet}", balance, +1),
        Posting(of_network(Kind.OWN, network), asset, theirs - balance.units),
        Posting(of_network(Kind.SUSPENSE, network), asset, -theirs),
    )


def account_of(connection: Connection, network: str, address: str) -> str:
    """Give the account in the books behind an address."""
    owner = find_owner(connection, network, address)
    return f"outside:{network}" if owner is None else f"wallet:{owner.wallet}"


def _taker(connection: Connection, network: str, address: str, asset: Asset, height: int) -> str:
    owner = find_owner(connection, network, address)
    if owner is None:
        return f"outside:{network}"
    table = tables.openings
    here = (table.c.wallet == owner.wallet) & (table.c.asset_code == asset.code)
    opened = connection.execute(select(table.c.height).where(here)).scalar()
    return f"wallet:{owner.wallet}" if opened is None or height > opened else f"own:{network}"


def _fee(connection: Connection, effects: Effects, fee: Amount) -> tuple[Posting, Posting]:
    payer = account_of(connection, effects.network, effects.fee_payer)
    return _line(payer, fee, -1), _line(f"fees:{effects.network}", fee, +1)


def _line(account: str, amount: Amount, sign: int) -> Posting:
    return Posting(account, amount.asset, sign * amount.units)
