"""The account that all NEAR of a world comes from; its key is made from a published word."""

from __future__ import annotations

from typing import Final

from pyonear.account_id import AccountId
from pyonear.crypto import ED25519SecretKey, InMemorySigner
from pyonear.crypto_hash import CryptoHash
from pyonear.transaction import Transaction

from online.devnet.near.actions import AccessKey
from online.devnet.near.state import Account, Sandbox, State

FAUCET: Final = "faucet"
SUPPLY_YOCTO: Final = 10**9 * 10**24
_SECRET: Final = ED25519SecretKey.from_seed("faucet of a toy network")
KEY: Final = str(_SECRET.public_key())


def first_state(height: int) -> State:
    """Give the state that a world begins with: the faucet holds everything."""
    view = Sandbox({})
    view.write(("account", FAUCET), Account(SUPPLY_YOCTO))
    view.put_key(FAUCET, KEY, AccessKey((height - 1) * 10**6))
    state: State = {}
    view.commit(state)
    return state


def pays(account: str, yocto: int, nonce: int, base: str) -> bytes:
    """Sign a transfer from the faucet on a block's Base58 hash."""
    tx = Transaction(AccountId(FAUCET), _SECRET.public_key(), nonce, AccountId(account), CryptoHash.from_str(base), [])
    return bytes(tx.transfer(yocto).sign(InMemorySigner.from_secret_key(AccountId(FAUCET), _SECRET)))
