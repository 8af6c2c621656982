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

coordinator/    the coordinator's data folder: lockgate --home coordinator order list
signer-cold/    the cold wallet's signer: lockgate-signer --home signer-cold journal show
signer-hot/     the hot wallet's signer
people/         the key files of those who administer and approve at the signers
crossing/       what crossed the gap: the cards, the policy, the request and the answer, as files and as QR pictures
ledger.json     the ledger at the end: lockgate devnet --state ledger.json
audit/          both journals, exported

Each passphrase here is: {passphrase}
"""
