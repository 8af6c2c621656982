"""What orders must know of the XRP Ledger: one payment a transaction, tickets, tags, and no assets beside XRP."""

from __future__ import annotations

from typing import Final

from online.chains.api import Customs, Plan
from shared.chains.xrpl.addresses import pack_address
from shared.chains.xrpl.memos import parse_memo_text


def _require(plan: Plan) -> None:
    """Refuse a memo that the ledger's transactions do not carry as it is written."""
    for payment in plan.payments:
        if payment.destination.memo is not None:
            parse_memo_text(payment.destination.memo)


CUSTOMS: Final = Customs(
    payees=1,
    payers=1,
    tickets="tickets",
    options="account-set",
    demands={True: {"set": "require-dest"}, False: {"clear": "require-dest"}},
    tags=True,
    require=_require,
    packed=pack_address,
    settings="""\
# the url is JSON-RPC by http(s)://, or ws(s)://
# fee_cap_drops = 10000
# expiry_ledgers = 256
# plan_tickets = { hot = [50, 200] }   # a wallet with fewer than 50 free tickets is proposed for more, up to 200
""",
    fee_room="0.01",
)
