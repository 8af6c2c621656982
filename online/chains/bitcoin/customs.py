"""What orders must know of Bitcoin with Counterparty: one transaction pays many, and assets go by messages on it."""

from __future__ import annotations

from typing import Final

from online.chains.api import Customs, Plan
from online.chains.bitcoin.plans import read_plan
from shared.chains.bitcoin.counterparty.assets import asset_id
from shared.chains.bitcoin.counterparty.gates import Table
from shared.chains.bitcoin.counterparty.messages import encode
from shared.chains.bitcoin.counterparty.model import Broadcast
from shared.chains.bitcoin.signing import transactions
from shared.errors import CounterpartyAssetRefused


def _can_have(code: str, decimals: int) -> bool:
    """Say whether Counterparty can have an asset: by its one name, divided into 8 decimals or not at all."""
    try:
        return asset_id(code) > 0 and decimals in (0, 8)
    except CounterpartyAssetRefused:
        return False


def _require(plan: Plan) -> None:
    """Refuse what no height, coin or fee makes good: dust, a memo that is too long, bitcoins in a send."""
    message = read_plan(plan).message
    if message is not None and not isinstance(message, Broadcast):  # options get their time when they are built
        encode(message, plan.network, Table.NOW)


def memo_bytes(drawn: bytes) -> bytes:
    """Make sure that the bytes are no text, so that every program writes them as hex."""
    return bytes([0x80 | drawn[0]]) + drawn[1:]


CUSTOMS: Final = Customs(
    payees=2_000,
    payers=200,
    send="counterparty-send",
    batch="counterparty-mpma",
    batch_most=500,
    options="counterparty-options",
    demands={True: {"options": 1}, False: {"options": 0}},
    everything="counterparty-sweep",
    consolidation="payment",
    memo_bytes=memo_bytes,
    transactions=transactions,
    require=_require,
    can_have=_can_have,
    settings="""\
# the url is bitcoind's JSON-RPC; its password belongs in the cookie file
# cookie_file = "/var/lib/bitcoind/.cookie"
# counterparty_url = "http://127.0.0.1:4000"   # counterparty-core, asked by its v2 API
# pinned_height = 1000000      # with pinned_hash: a node without this block is not believed
# confirmations = 6            # of what we send ourselves
# deposit_confirmations = 6    # of bitcoins that come in
# asset_deposit_confirmations = 2
# sweep_confirmations = 1      # of what takes an asset from a customer's own address: then it is credited
# credit_after_sweep = true    # false where assets stay where they came in
# fee_rate_cap = 100           # sat/vB
# prime_least = "0.0005"       # what `lockgate prime` gives addresses that hold less
# prime_least_memo = "0.001"   # likewise, to addresses that take sends with memos
# plan_sweep = { BTC = "0.002", XCP = "1" }   # what at a customer's address is worth a sweep, by asset
# plan_prime_given = false     # true: every customer's address shall hold prime_least, and not only once assets came
# plan_coins = 50              # with plan_rate: an address with more coins is proposed for `lockgate consolidate`
# plan_rate = "2"              # while fees are at most so many sat/vB
""",
    least={"prime_least": "0.0005", "prime_least_memo": "0.001"},
    fee_room="0.0005",
    sweep_least={"BTC": "0.002"},
)
