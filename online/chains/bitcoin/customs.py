"""What orders must know of Bitcoin with Counterparty: one transaction pays many, and assets go by messages on it."""

from __future__ import annotations

from typing import Final

from online.chains.api import Customs

CUSTOMS: Final = Customs(
    payees=2_000,
    payers=200,
    send="counterparty-send",
    batch="counterparty-mpma",
    batch_most=500,
    options="counterparty-options",
    everything="counterparty-sweep",
    settings="""\
# the url is bitcoind's JSON-RPC; its password belongs in the cookie file
# cookie_file = "/var/lib/bitcoind/.cookie"
# counterparty_url = "http://127.0.0.1:4000"   # counterparty-core, asked by its v2 API
# pinned_height = 1000000      # with pinned_hash: a node without this block is not believed
# confirmations = 6
# fee_rate_cap = 100           # sat/vB
# prime_least = "0.0005"       # what `lockgate prime` gives addresses that hold less
# prime_least_memo = "0.001"   # likewise, to addresses that take sends with memos
""",
    least={"prime_least": "0.0005", "prime_least_memo": "0.001"},
)
