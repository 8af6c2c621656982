"""The closed ledgers and the transactions in them: what a node remembers, and the gaps where it does not."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from online.devnet.xrpl.hashes import half, ledger_hash
from online.devnet.xrpl.meta import Meta
from online.devnet.xrpl.state import State
from online.devnet.xrpl.transaction import Transaction

STATES_KEPT: Final = 256
RIPPLE_EPOCH_SECONDS: Final = 946_684_800
CLOSE_RESOLUTION_SECONDS: Final = 10


@dataclass(frozen=True, slots=True)
class Record:
    """A transaction in a closed ledger, with its metadata."""

    tx: Transaction
    meta: Meta
    index: int
    position: int

    def accounts(self) -> set[str]:
        """Give every account whose history shows the transaction."""
        fields = self.tx.fields
        found = {self.tx.account, *(fields[name] for name in ("Destination", "RegularKey") if name in fields)}
        for node in self.meta["AffectedNodes"]:
            for content in node.values():
                touched = content.get("FinalFields") or content.get("NewFields") or {}
                found.update({touched["Account"]} if "Account" in touched else ())
        return found


@dataclass(frozen=True, slots=True)
class Closed:
    """A closed, validated ledger; times are seconds since the Ripple epoch.

    The tree hashes are this world's own and no SHAMap roots: they differ when anything differs, and no more.
    """

    index: int
    parent_hash: str
    close_time: int
    parent_close_time: int
    total_drops: int
    records: tuple[Record, ...]
    account_hash: str
    transaction_hash: str

    @property
    def hash(self) -> str:
        """The ledger's hash over its header."""
        return ledger_hash(b"".join((
            self.index.to_bytes(4, "big"), self.total_drops.to_bytes(8, "big"),
            bytes.fromhex(self.parent_hash),
            bytes.fromhex(self.transaction_hash), bytes.fromhex(self.account_hash),
            self.parent_close_time.to_bytes(4, "big"), self.close_time.to_bytes(4, "big"),
            CLOSE_RESOLUTION_SECONDS.to_bytes(1, "big"), bytes(1))))


def first_ledger(index: int, state: State, close_time: int) -> Closed:
    """Make the ledger that a world begins with."""
    tree = half(b"genesis").hex().upper()
    return Closed(index, "0" * 64, close_time, close_time, _total(state), (), tree, "0" * 64)


def next_ledger(parent: Closed, records: tuple[Record, ...], state: State, close_time: int) -> Closed:
    """Make the ledger after a parent."""
    head = (parent.index + 1, parent.hash, close_time, parent.close_time)
    if not records:
        return Closed(*head, parent.total_drops, (), parent.account_hash, "0" * 64)
    results = [(bytes.fromhex(record.tx.id), record.meta["TransactionResult"].encode()) for record in records]
    tree = half(*(part for pair in results for part in pair))
    accounts = half(bytes.fromhex(parent.account_hash), tree)
    return Closed(*head, _total(state), records, accounts.hex().upper(), tree.hex().upper())


def _total(state: State) -> int:
    return sum(int(entry["Balance"]) for entry in state.values() if entry["LedgerEntryType"] == "AccountRoot")


class History:
    """What the node holds of the past; `forget` makes gaps as pruning and outages do."""

    def __init__(self, first: Closed, state: State) -> None:
        self._ledgers: dict[int, Closed] = {}
        self._states: dict[int, State] = {}
        self._records: dict[str, Record] = {}
        self._by_account: dict[str, list[Record]] = {}
        self.forgotten: set[int] = set()
        self._first = first.index
        self.append(first, state)

    @property
    def last(self) -> Closed:
        """The newest validated ledger; a node never forgets it."""
        return next(reversed(self._ledgers.values()))

    @property
    def newest_state(self) -> State:
        """The objects as they are after the newest ledger."""
        return self._states[self.last.index]

    def of_another_node(self) -> History:
        """Give the same past as another node holds it: ledgers in common, gaps of its own."""
        twin = copy.copy(self)
        twin.forgotten = set()
        return twin

    def append(self, ledger: Closed, state: State) -> None:
        """Add the next ledger with its state."""
        self._ledgers[ledger.index] = ledger
        self._states[ledger.index] = state
        self._states.pop(ledger.index - STATES_KEPT, None)
        for record in ledger.records:
            self._records[record.tx.id] = record
            for account in record.accounts():
                self._by_account.setdefault(account, []).append(record)

    def forget(self, indexes: Iterable[int]) -> None:
        """Lose ledgers, all but the newest."""
        self.forgotten.update(set(indexes) - {self.last.index})

    def holds(self, index: int) -> bool:
        """Say whether a ledger is here."""
        return index in self._ledgers and index not in self.forgotten

    def holds_all(self, low: int, high: int) -> bool:
        """Say whether a whole range is here: the meaning of `searched_all`."""
        return all(self.holds(index) for index in range(low, high + 1))

    def ledger(self, index: int) -> Closed | None:
        """Give a ledger, None where it is not here."""
        return self._ledgers[index] if self.holds(index) else None

    def by_hash(self, ledger_id: str) -> Closed | None:
        """Give the ledger of a hash, None where it is not here."""
        found = (ledger for ledger in self._ledgers.values() if ledger.hash == ledger_id.upper())
        return next((ledger for ledger in found if self.holds(ledger.index)), None)

    def state(self, index: int) -> State | None:
        """Give the accounts as they were after a ledger; older ones are not kept."""
        return self._states.get(index) if self.holds(index) else None

    def record(self, tx_id: str) -> Record | None:
        """Give a validated transaction, None where its ledger is not here."""
        record = self._records.get(tx_id)
        return record if record is not None and self.holds(record.index) else None

    def has_closed(self, tx_id: str) -> bool:
        """Say whether a transaction is in any ledger, forgotten or not."""
        return tx_id in self._records

    def of_account(self, address: str) -> list[Record]:
        """List an account's validated transactions, oldest first."""
        return [record for record in self._by_account.get(address, []) if self.holds(record.index)]

    def spans(self) -> list[tuple[int, int]]:
        """List the unbroken ranges that are here, oldest first."""
        spans: list[tuple[int, int]] = []
        for index in range(self._first, self.last.index + 1):
            if not self.holds(index):
                continue
            if spans and spans[-1][1] == index - 1:
                spans[-1] = (spans[-1][0], index)
            else:
                spans.append((index, index))
        return spans

    def keep_state(self, state: State) -> None:
        """Keep one state alone, the newest ledger's."""
        self._states.clear()
        self._states[self.last.index] = state

    def everything(self) -> Iterator[Closed]:
        """Give all ledgers ever closed, oldest first."""
        return iter(self._ledgers.values())
