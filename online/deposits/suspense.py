"""What waits in suspense: credited to a customer or to own funds, or sent back where it came from, by two people.

Crediting moves nothing on a ledger; both people sign the same words. A return is an order like any other, drafted by
one and approved by another, whose payment settles what is in suspense.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import update

from online.customers.register import find_customer
from online.deposits.model import Deposit, find_suspended
from online.deposits.returns import RETURN
from online.deposits.states import MOVES, State
from online.ledger import accounts, postings
from online.ledger.accounts import Kind
from online.ledger.postings import Posting
from online.orders.model import Order
from online.orders.writing import Asking, Draft, own_wallet, write_order
from online.store import journal, tables
from online.store.database import Store, Tx
from online.store.people import known
from shared.effects import Destination
from shared.encoding import Value, encode
from shared.envelope import order_id
from shared.errors import BadOrder, SamePerson
from shared.money import Amount
from shared.policy import Person
from shared.sealed import Sign, seal

KIND: Final = "credit-suspense/1"
OWN_KIND: Final = "own-suspense/1"

Signer = tuple[Person, Sign]


def credit(store: Store, number: int, customer_id: str, first: Signer, second: Signer, now: int) -> Deposit:
    """Give an arrival in suspense to a customer, by the signatures of two people.

    Raises:
        NotInSuspense: if it does not wait. UnknownCustomer, UnknownPerson. SamePerson: if one signs twice.
    """
    with store.transaction() as tx:
        one = _judged_by_two(tx, number, first, second)
        find_customer(tx.sql, customer_id)
        body = encode({"arrival": number, "tx": one.tx_id, "customer": customer_id})
        word = seal(KIND, body, [(person.key, sign) for person, sign in (first, second)])
        entry = _post(tx, one, accounts.customer(customer_id), customer_id, now)
        _move(tx, number, State.CREDITED, customer=customer_id)
        told: dict[str, Value] = {"arrival": number, "customer": customer_id, "word": word}
        told["posted"] = postings.sworn(tx.sql, entry)
        journal.append(tx, "suspense-credited", told, now)
    return one


def credit_own(store: Store, number: int, first: Signer, second: Signer, now: int) -> Deposit:
    """Give an arrival in suspense to own funds, by the signatures of two people: what the house brought itself.

    Raises:
        NotInSuspense: if it does not wait. UnknownPerson. SamePerson: if one signs twice.
    """
    with store.transaction() as tx:
        one = _judged_by_two(tx, number, first, second)
        body = encode({"arrival": number, "tx": one.tx_id})
        word = seal(OWN_KIND, body, [(person.key, sign) for person, sign in (first, second)])
        entry = _post(tx, one, accounts.of_network(Kind.OWN, one.network), "own funds", now)
        _move(tx, number, State.OWN, customer=None)
        told: dict[str, Value] = {"arrival": number, "word": word, "posted": postings.sworn(tx.sql, entry)}
        journal.append(tx, "suspense-own", told, now)
    return one


def draft_return(store: Store, asking: Asking, number: int, *, to: Destination | None = None, less: int = 0) -> Order:
    """Draft that an arrival in suspense goes back to its sender, or to where they asked, less what it cost.

    To the sender it goes with the tag that they gave for themselves, since many may share their address.

    Raises:
        NotInSuspense: if it does not wait. BadOrder: if nothing would be left. As `spending.draft_pay`.
    """
    with store.transaction() as tx:
        one = find_suspended(tx.sql, number, beside=order_id(asking.idempotency_key))
        wallet, keys = own_wallet(tx, one.wallet)
        if not 0 <= less < one.amount.units:
            raise BadOrder(f"of {one.amount} nothing would be left to send back")
        payer = next(key for key in keys if key.address == one.place.address)
        draft = Draft(RETURN, wallet, keys, {"arrival": number})
        back = to or Destination(one.sender, one.source_tag)
        draft.pay([payer], [(back, Amount(one.amount.asset, one.amount.units - less))])
        order = write_order(tx, draft, asking)
        return_again(tx, order)
        return order


def return_again(tx: Tx, order: Order) -> None:
    """Take up what an order sends back, if it still waits and nothing else sends it back. Raises NotInSuspense."""
    number = int(order.params["arrival"])
    find_suspended(tx.sql, number, beside=order.id)
    here = tables.arrivals.c.id == number
    tx.sql.execute(update(tables.arrivals).where(here).values(order_id=order.id.hex()))


def _judged_by_two(tx: Tx, number: int, first: Signer, second: Signer) -> Deposit:
    """Give what waits, if two people judge it. Raises SamePerson, UnknownPerson, NotInSuspense."""
    if first[0].key == second[0].key:
        raise SamePerson(f"{first[0].name} alone can not credit what is in suspense")
    for person, _ in (first, second):
        known(tx.sql, person)
    return find_suspended(tx.sql, number)


def _post(tx: Tx, one: Deposit, account: str, whose: str, now: int) -> int:
    asset, units = one.amount.asset, one.amount.units
    waited = accounts.of_network(Kind.SUSPENSE, one.network)
    lines = (Posting(waited, asset, units), Posting(account, asset, -units))
    return postings.post(tx, f"arrival {one.id} credited to {whose}", "posted", lines, None, now)


def _move(tx: Tx, number: int, to: State, *, customer: str | None) -> None:
    assert to in MOVES[State.SUSPENSE]
    here = tables.arrivals.c.id == number
    tx.sql.execute(update(tables.arrivals).where(here).values(state=to.value, customer=customer))
