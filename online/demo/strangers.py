"""Somebody with an account of their own on the devnet's XRP Ledger, who pays an exchange."""

from __future__ import annotations

from typing import Any

from online.devnet.xrpl import XrplWorld
from online.devnet.xrpl.hashes import account_key

_DROPS = 10**6


class Stranger:
    """An account with so many whole XRP, and the key to it."""

    def __init__(self, world: XrplWorld, coins: int) -> None:
        from xrpl.core.keypairs import derive_classic_address, derive_keypair, generate_seed

        self._world = world
        self._public, self._private = derive_keypair(generate_seed())
        self.address = derive_classic_address(self._public)
        world.fund_all({self.address: coins * _DROPS})

    def pay(self, to: str, drops: int, tag: int | None = None) -> None:
        """Pay somebody, and close the ledger in which that happens."""
        from xrpl.core.binarycodec import encode, encode_for_signing
        from xrpl.core.keypairs import sign

        whole: dict[str, Any] = {
            "TransactionType": "Payment", "Account": self.address, "Destination": to, "Amount": str(drops), "Fee": "10",
            "Sequence": self._entry["Sequence"], "SigningPubKey": self._public,
            "NetworkID": self._world.rules.network_id, **({} if tag is None else {"DestinationTag": tag}),
        }  # fmt: skip
        whole["TxnSignature"] = sign(bytes.fromhex(encode_for_signing(whole)), self._private)
        self._world.submit(bytes.fromhex(encode(whole)))
        self._world.close()

    @property
    def coins(self) -> int:
        """Give what the account holds, in whole XRP rounded up: what its own fees took is no part of a story."""
        return -(-int(self._entry["Balance"]) // _DROPS)

    @property
    def _entry(self) -> Any:
        return self._world.state[account_key(self.address)]
