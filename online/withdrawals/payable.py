"""What can be paid at all: a withdrawal is tried as the order that would pay it alone, before any node is asked.

It is asked when a withdrawal is accepted, and again when it is gathered, so that no customer's wish that its ledger can
not carry out stands in the way of the others.
"""

from __future__ import annotations

from collections.abc import Sequence

from online.orders.spending import spread
from online.orders.writing import Draft, Terms, Wanted
from online.store.wallets import Key, Wallet
from online.withdrawals.settling import ORDER_KIND
from shared.chains import chain


def draft_of(wallet: Wallet, keys: Sequence[Key], wanted: Sequence[Wanted], params: Terms) -> Draft:
    """Draft the payment of some withdrawals of one asset. Raises as `Draft.pay` and `spread`."""
    draft = Draft(ORDER_KIND, wallet, keys, params)
    if wanted[0][1].asset == chain(wallet.network).network(wallet.network).native:
        draft.pay([keys[0]], wanted)
    else:
        spread(draft, keys[0], wanted)
    return draft


def require_payable(wallet: Wallet, keys: Sequence[Key], wanted: Wanted) -> None:
    """Refuse what its ledger can not pay whatever a node says: dust, a memo or tag that it has not, a bad address.

    Raises:
        Refusal: of the ledger's own rules, or as `draft_of`.
    """
    draft = draft_of(wallet, keys, [wanted], {})
    if draft.customs.require is not None:
        for plan, _ in draft.plans:
            draft.customs.require(plan)
