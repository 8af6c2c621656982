"""What orders must know of the XRP Ledger: one payment a transaction, tickets, tags, and no assets beside XRP."""

from __future__ import annotations

from typing import Final

from online.chains.api import Customs
from shared.chains.xrpl.addresses import pack_address

CUSTOMS: Final = Customs(
    payees=1,
    payers=1,
    tickets="tickets",
    options="account-set",
    demands={True: {"set": "require-dest"}, False: {"clear": "require-dest"}},
    tags=True,
    packed=pack_address,
    settings="""\
# the url is JSON-RPC by http(s)://, or ws(s)://
# fee_cap_drops = 10000
# expiry_ledgers = 256
# plan_tickets = { hot = [50, 200] }   # a wallet with fewer than 50 free tickets is proposed for more, up to 200
""",
    fee_room="0.01",
)
