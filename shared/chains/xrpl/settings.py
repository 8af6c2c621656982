"""The account flags that may be set or cleared, by their numbers (asf...), and those refused by name."""

from __future__ import annotations

DISABLE_MASTER = 4

ACCEPTED = {
    1: "require-dest",
    3: "disallow-xrp",
    DISABLE_MASTER: "disable-master",
    9: "deposit-auth",
    12: "disallow-incoming-nft-offer",
    13: "disallow-incoming-check",
    14: "disallow-incoming-pay-chan",
    15: "disallow-incoming-trustline",
}

# Flags of token issuers, one-way flags, and AccountTxnID, which makes every further transaction need
# its predecessor's id.
REFUSED = {
    2: "require-auth",
    5: "account-txn-id",
    6: "no-freeze",
    7: "global-freeze",
    8: "default-ripple",
    10: "authorized-nft-minter",
    16: "allow-trustline-clawback",
    17: "allow-trustline-locking",
}
