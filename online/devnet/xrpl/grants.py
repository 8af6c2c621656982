"""How a world's accounts come by what they have: payments by the published genesis key, and plain decree."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from typing import Any, Final

import coincurve
from xrpl.core.binarycodec import encode, encode_for_signing
from xrpl.core.keypairs import derive_keypair

from online.devnet.xrpl.hashes import account_key, half
from online.devnet.xrpl.state import Rules, Sandbox, new_account

GENESIS: Final = "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh"
GENESIS_SEED: Final = "snoPBrXtMeMyMHUVTgbuqAfg1SUTb"
"""The published test key "masterpassphrase" of every stand-alone rippled; it guards nothing."""


@functools.cache
def _keys() -> tuple[str, coincurve.PrivateKey]:
    public, private = derive_keypair(GENESIS_SEED)
    return public, coincurve.PrivateKey(bytes.fromhex(private)[-32:])


def payment(view: Sandbox, rules: Rules, destination: str, drops: int) -> bytes:
    """Build and sign the genesis account's next payment."""
    public, private = _keys()
    fields: dict[str, Any] = {
        "TransactionType": "Payment", "Account": GENESIS, "Destination": destination, "Amount": str(drops),
        "Fee": str(rules.base_fee_drops), "Sequence": view.must_have(GENESIS)["Sequence"],
        "SigningPubKey": public,
    }
    if rules.network_id > 1024:
        fields["NetworkID"] = rules.network_id
    digest = half(bytes.fromhex(encode_for_signing(fields)))
    fields["TxnSignature"] = private.sign(digest, hasher=None).hex().upper()
    return bytes.fromhex(encode(fields))


def put_account(view: Sandbox, address: str, drops: int, sequence: int, *, flags: int = 0,  # noqa: PLR0913 - a
                # decree names whatever an account may have
                regular_key: str | None = None, tickets: Iterable[int] = (), quorum: int = 0,
                signers: Mapping[str, int] | None = None, preauthorized: Iterable[str] = ()) -> None:
    """Set an account with all that it owns; what it owned before and is not named stays."""
    view.write(account_key(address), new_account(address, drops, sequence))
    view.update(address, Flags=flags, RegularKey=regular_key)
    numbers, friends = list(tickets), list(preauthorized)
    for number in numbers:
        view.put_ticket(address, number)
    for friend in friends:
        view.put_preauth(address, friend)
    if signers:
        view.put_signers(address, quorum, signers)
    view.own(address, len(numbers) + len(friends) + (1 if signers else 0))
    view.update(address, TicketCount=len(numbers) or None)
