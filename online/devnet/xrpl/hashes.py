"""SHA-512Half and the indexes of ledger objects (XRPL: "Ledger Object IDs"), by code of this world alone."""

from __future__ import annotations

import hashlib

from xrpl.core.addresscodec import decode_classic_address
from xrpl.core.addresscodec import is_valid_classic_address as is_address
from xrpl.core.keypairs import derive_classic_address as address_of_key

__all__ = ["account_id", "account_key", "address_of_key", "deposit_key", "half", "is_address", "ledger_hash",
           "signers_key", "ticket_key", "transaction_id"]

_TRANSACTION = bytes.fromhex("54584E00")
_LEDGER = bytes.fromhex("4C575200")


def half(*parts: bytes) -> bytes:
    """Give the first 32 bytes of the SHA-512 of the parts."""
    return hashlib.sha512(b"".join(parts)).digest()[:32]


def account_id(address: str) -> bytes:
    """Give the 20 bytes of a classic address."""
    return bytes(decode_classic_address(address))


def _key(space: str, *parts: bytes) -> str:
    return half(ord(space).to_bytes(2, "big"), *parts).hex().upper()


def account_key(address: str) -> str:
    """Give the index of an AccountRoot."""
    return _key("a", account_id(address))


def ticket_key(address: str, number: int) -> str:
    """Give the index of a Ticket."""
    return _key("T", account_id(address), number.to_bytes(4, "big"))


def signers_key(address: str) -> str:
    """Give the index of an account's one SignerList."""
    return _key("S", account_id(address), bytes(4))


def deposit_key(owner: str, authorized: str) -> str:
    """Give the index of a DepositPreauth of an account for an account."""
    return _key("p", account_id(owner), account_id(authorized))


def transaction_id(blob: bytes) -> str:
    """Give the id of a signed transaction."""
    return half(_TRANSACTION, blob).hex().upper()


def ledger_hash(header: bytes) -> str:
    """Give the hash of a ledger's header."""
    return half(_LEDGER, header).hex().upper()
