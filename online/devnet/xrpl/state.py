"""Ledger objects and a sandbox over them: what a transaction changes is kept apart until it counts.

An object is kept in the ledger's own JSON form and never changed in place, so that old ledgers can share it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from online.devnet.xrpl.hashes import account_id, account_key, deposit_key, signers_key, ticket_key

Entry = Mapping[str, Any]
State = dict[str, Entry]

PASSWORD_SPENT: Final = 0x00010000
REQUIRE_DEST: Final = 0x00020000
REQUIRE_AUTH: Final = 0x00040000
DISALLOW_XRP: Final = 0x00080000
DISABLE_MASTER: Final = 0x00100000
DEPOSIT_AUTH: Final = 0x01000000

MOST_TICKETS: Final = 250


@dataclass(frozen=True, slots=True)
class Rules:
    """What a network fixes for all its transactions, in drops."""

    network_id: int = 21337
    base_fee_drops: int = 10
    reserve_base_drops: int = 1_000_000
    reserve_increment_drops: int = 200_000

    def reserve(self, owner_count: int) -> int:
        """Give the reserve of an account that owns so many objects."""
        return self.reserve_base_drops + owner_count * self.reserve_increment_drops


class Sandbox:
    """A view of the ledger that collects changes; nobody else sees them before `commit`."""

    def __init__(self, base: Mapping[str, Entry]) -> None:
        self._base = base
        self._changes: dict[str, Entry | None] = {}
        self._last: dict[str, Entry] = {}

    def read(self, key: str) -> Entry | None:
        """Give an object, None where there is none."""
        return self._changes[key] if key in self._changes else self._base.get(key)

    def write(self, key: str, entry: Entry) -> None:
        """Put an object in its place."""
        self._changes[key] = entry

    def erase(self, key: str) -> None:
        """Take an object away; metadata still tells its last form."""
        entry = self.read(key)
        if entry is not None:
            self._last[key] = entry
        self._changes[key] = None

    def last_form(self, key: str) -> Entry:
        """Give the form that an erased object had just before."""
        return self._last[key]

    def changes(self) -> Iterator[tuple[str, Entry | None, Entry | None]]:
        """Give index, before and after of what differs, by ascending index as metadata lists it."""
        for key in sorted(self._changes):
            before, after = self._base.get(key), self._changes[key]
            if before != after:
                yield key, before, after

    def commit(self, target: State) -> None:
        """Carry the changes over."""
        for key, entry in self._changes.items():
            if entry is None:
                target.pop(key, None)
            else:
                target[key] = entry

    def owned(self, address: str) -> list[tuple[str, Entry]]:
        """List what an account owns, without its root, by ascending index."""
        keys = {**self._base, **self._changes}
        pairs = ((key, self.read(key)) for key in sorted(keys))
        return [(key, entry) for key, entry in pairs if entry is not None and _owner(entry) == address]

    # --- accounts ---------------------------------------------------------------------------------

    def account(self, address: str) -> Entry | None:
        """Give an AccountRoot."""
        return self.read(account_key(address))

    def must_have(self, address: str) -> Entry:
        """Give an AccountRoot that an earlier check has found."""
        entry = self.account(address)
        if entry is None:
            raise LookupError(f"no account {address}")
        return entry

    def update(self, address: str, **fields: Any) -> None:
        """Change fields of an AccountRoot; None takes a field away."""
        entry = {**self.must_have(address), **fields}
        self.write(account_key(address), {name: value for name, value in entry.items() if value is not None})

    def balance(self, address: str) -> int:
        """Give an account's drops."""
        return int(self.must_have(address)["Balance"])

    def add(self, address: str, drops: int) -> None:
        """Add drops to an account, or take them with a negative number."""
        self.update(address, Balance=str(self.balance(address) + drops))

    def own(self, address: str, count: int) -> None:
        """Change an account's count of owned objects."""
        self.update(address, OwnerCount=self.must_have(address)["OwnerCount"] + count)

    # --- what accounts own ------------------------------------------------------------------------

    def put_ticket(self, address: str, number: int) -> None:
        """Make a ticket; the counters are the caller's."""
        self.write(ticket_key(address, number), {
            "Account": address, "Flags": 0, "LedgerEntryType": "Ticket", "OwnerNode": "0",
            "TicketSequence": number,
        })

    def put_signers(self, address: str, quorum: int, weights: Mapping[str, int]) -> None:
        """Make a signer list; the counters are the caller's."""
        ordered = sorted(weights, key=account_id)
        entries = [{"SignerEntry": {"Account": who, "SignerWeight": weights[who]}} for who in ordered]
        self.write(signers_key(address), {
            "Flags": 0x00010000, "LedgerEntryType": "SignerList", "OwnerNode": "0", "SignerEntries": entries,
            "SignerListID": 0, "SignerQuorum": quorum, "_owner": address,
        })

    def put_preauth(self, owner: str, authorized: str) -> None:
        """Let an account pay another that asks for leave; the counters are the caller's."""
        self.write(deposit_key(owner, authorized), {
            "Account": owner, "Authorize": authorized, "Flags": 0, "LedgerEntryType": "DepositPreauth",
            "OwnerNode": "0",
        })


def new_account(address: str, drops: int, sequence: int) -> Entry:
    """Make an AccountRoot that owns nothing."""
    return {"Account": address, "Balance": str(drops), "Flags": 0, "LedgerEntryType": "AccountRoot",
            "OwnerCount": 0, "Sequence": sequence}


def shown(key: str, entry: Entry) -> dict[str, Any]:
    """Give an object as RPC shows it: with its index, without this world's own notes."""
    return {**{name: value for name, value in entry.items() if not name.startswith("_")}, "index": key}


def _owner(entry: Entry) -> str | None:
    if entry["LedgerEntryType"] == "AccountRoot":
        return None
    # A SignerList of the XRP Ledger does not name its owner, so this world notes it.
    return str(entry.get("_owner", entry.get("Account")))
