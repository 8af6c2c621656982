"""The texts that the demonstration writes into its folder: the cold signer's policy, and what lies where."""

from __future__ import annotations

from typing import Final

POLICY: Final = """\
epoch = 1
network_class = "test"
clock_jump_seconds = 604800
approvers = ["{carol}"]
stations = ["{station}"]

[administrators]
quorum = 2
people = ["{dora}", "{emil}"]

[[wallet]]
name = "cold"
network = "xrpl:local"
tier = "cold"
places = ["{cold}"]

[[wallet]]
name = "hot"
network = "xrpl:local"
tier = "hot"
places = ["{hot}"]

[[rule]]
wallet = "cold"
kinds = ["payment", "tickets"]
to_wallets = ["hot"]
fee_most = "0.01"
transactions_without_payment = 20
expiry_most = 1000
approvals = 1

[rule.limits.XRP]
transfer = "100000"
request = "100000"
day = "200000"
epoch = "1000000"
"""

README: Final = """\
What a demonstration of Lockgate left here. Every key and coin in it is worth nothing.

coordinator/     the coordinator's data folder: lockgate --home coordinator order list
signer*/         a signer each: lockgate-signer --home signer journal show
people/          the key files of those who administer and approve at the signers
crossing*/       what crossed the gap: the cards, the policy, requests and answers, as files and as QR pictures
ledger.json      an XRP Ledger at its end: lockgate devnet --state ledger.json
audit/           both journals, exported
bitcoin/, near/  the same of these ledgers, where several were shown

Each passphrase here is: {passphrase}
"""

BITCOIN_POLICY: Final = """\
epoch = 1
network_class = "test"
clock_jump_seconds = 604800
approvers = ["{carol}"]
stations = ["{station}"]

[administrators]
quorum = 2
people = ["{dora}", "{emil}"]

[[asset]]
network = "bitcoin:regtest"
code = "XCP"
decimals = 8

[[wallet]]
name = "treasury"
network = "bitcoin:regtest"
tier = "cold"
places = {treasury}

[[wallet]]
name = "deposits"
network = "bitcoin:regtest"
tier = "cold"
places = {deposits}

[[rule]]
wallet = "treasury"
kinds = ["counterparty-send", "counterparty-mpma"]
fee_most = "0.001"
fee_rate_most = 50
transactions_without_payment = 0
# No output of this wallet holds attached assets: the exchange never attaches any.
accepts = ["moves-attached-assets"]
approvals = 1

[rule.limits.BTC]
transfer = "0"
request = "0.01"
day = "0.01"
epoch = "0.1"

[rule.limits.XCP]
transfer = "100"
request = "1000"
day = "1000"
epoch = "10000"

[rule.any_limits.XCP]
transfer = "100"
request = "1000"
day = "1000"
epoch = "10000"

[[rule]]
wallet = "deposits"
kinds = ["payment"]
to_wallets = ["treasury"]
fee_most = "0.001"
fee_rate_most = 50
transactions_without_payment = 0
accepts = ["moves-attached-assets"]
approvals = 1

[rule.limits.BTC]
transfer = "1"
request = "1"
day = "1"
epoch = "10"
"""

NEAR_POLICY: Final = """\
epoch = 1
network_class = "test"
clock_jump_seconds = 604800
approvers = ["{carol}"]
stations = ["{station}"]

[administrators]
quorum = 2
people = ["{dora}", "{emil}"]

[[asset]]
network = "near:localnet"
code = "usd.token"
decimals = 6

[[wallet]]
name = "treasury"
network = "near:localnet"
tier = "cold"
places = {treasury}

[[rule]]
wallet = "treasury"
kinds = ["payment", "nep141-transfer"]
fee_most = "0.1"
transactions_without_payment = 0
# The network's own window: 86,400 blocks, about 14 hours.
expiry_most = 86400
approvals = 1
limits.NEAR = {{ transfer = "10", request = "20", day = "20", epoch = "100" }}
any_limits.NEAR = {{ transfer = "10", request = "20", day = "20", epoch = "100" }}
limits."usd.token" = {{ transfer = "1000", request = "5000", day = "5000", epoch = "50000" }}
any_limits."usd.token" = {{ transfer = "1000", request = "5000", day = "5000", epoch = "50000" }}
"""

STORY_WALLET: Final = """\
epoch = 1
network_class = "test"
clock_jump_seconds = 604800
approvers = ["{carol}"]
stations = ["{station}"]

[administrators]
quorum = 2
people = ["{dora}", "{emil}"]
"""

STORY_RULE: Final = """
[[wallet]]
name = "{name}"
network = "{network}"
tier = "{tier}"
places = {places}

[[rule]]
wallet = "{name}"
to_wallets = {wallets}
approvals = 1
"""

XRP_STORY_RULE: Final = """\
kinds = ["payment"]
fee_most = "0.01"
transactions_without_payment = 0
expiry_most = 1000
limits.XRP = { transfer = "100000", request = "100000", day = "200000", epoch = "1000000" }
any_limits.XRP = { transfer = "30000", request = "30000", day = "60000", epoch = "200000" }
"""

NEAR_STORY_ASSET: Final = """
[[asset]]
network = "near:localnet"
code = "usd.token"
decimals = 6
"""

NEAR_STORY_RULE: Final = """\
kinds = ["payment", "nep141-transfer"]
fee_most = "0.1"
transactions_without_payment = 0
# The network's own window: 86,400 blocks, about 14 hours.
expiry_most = 86400
limits.NEAR = { transfer = "100000", request = "200000", day = "400000", epoch = "1000000" }
any_limits.NEAR = { transfer = "30000", request = "30000", day = "60000", epoch = "200000" }
limits."usd.token" = { transfer = "1000", request = "1000", day = "5000", epoch = "10000" }
any_limits."usd.token" = { transfer = "500", request = "500", day = "500", epoch = "5000" }
"""

XCP_STORY_ASSET: Final = """
[[asset]]
network = "bitcoin:regtest"
code = "XCP"
decimals = 8
"""

XCP_STORY_RULE: Final = """\
kinds = ["payment", "counterparty-send", "counterparty-mpma", "counterparty-options"]
fee_most = "0.001"
fee_rate_most = 50
transactions_without_payment = 1
# No output of these wallets holds attached assets: the exchange never attaches any.
accepts = ["moves-attached-assets", "foreign-script-from-asset-address"]
limits.BTC = { transfer = "0.01", request = "0.01", day = "0.1", epoch = "1" }
limits.XCP = { transfer = "100000", request = "200000", day = "400000", epoch = "1000000" }
any_limits.XCP = { transfer = "30000", request = "60000", day = "60000", epoch = "200000" }
"""
