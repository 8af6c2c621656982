"""Counterparty's books: balances of addresses and of outputs, assets, options, feeds, and the events that made them.

It records what it is told; `rules.py` decides.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asset:
    """What is known of an asset."""

    name: str
    issuer: str | None = None
    divisible: bool = True
    longname: str | None = None
    description: str = ""


XCP = Asset("XCP", None, divisible=True, description="The Counterparty protocol native currency")
BTC = Asset("BTC", None, divisible=True, description="The Bitcoin protocol native currency")


@dataclass(frozen=True, slots=True)
class Place:
    """Where an event happened: block and transaction; no transaction for what was decreed."""

    block_index: int
    block_time: int
    block_hash: str = ""
    tx_index: int = 0
    tx_hash: str | None = None


@dataclass(slots=True)
class Feed:
    """Where an address' broadcasts stand."""

    timestamp: int
    locked: bool = False


@dataclass(slots=True)
class Books:
    """Everything after some block."""

    assets: dict[str, Asset] = field(default_factory=lambda: {"BTC": BTC, "XCP": XCP})
    balances: dict[tuple[str, str], int] = field(default_factory=dict)
    """By holder and asset; a holder is an address, or an output as "txid:n"."""
    owners: dict[str, str] = field(default_factory=dict)
    """The address of each output that holds assets."""
    options: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Options of an address and the block that set them."""
    feeds: dict[str, Feed] = field(default_factory=dict)
    events: list[Row] = field(default_factory=list)
    sends: list[Row] = field(default_factory=list)
    credits: list[Row] = field(default_factory=list)
    debits: list[Row] = field(default_factory=list)
    transactions: list[Row] = field(default_factory=list)

    def copy(self) -> Books:
        """Give books of one's own; rows that are already written are shared, for nobody changes them."""
        twin = copy.copy(self)
        for name in ("assets", "balances", "owners", "options"):
            setattr(twin, name, dict(getattr(self, name)))
        twin.feeds = {address: copy.copy(feed) for address, feed in self.feeds.items()}
        for name in ("events", "sends", "credits", "debits", "transactions"):
            setattr(twin, name, list(getattr(self, name)))
        return twin

    def balance(self, holder: str, asset: str) -> int:
        """Give a holder's quantity of an asset."""
        return self.balances.get((holder, asset), 0)

    def holdings(self, holder: str) -> dict[str, int]:
        """Give all that a holder has, by asset."""
        return {asset: quantity for (who, asset), quantity in sorted(self.balances.items())
                if who == holder and quantity}

    def event(self, place: Place, name: str, **params: Any) -> None:
        """Record an event."""
        self.events.append({
            "event_index": len(self.events), "event": name, "params": params, "tx_hash": place.tx_hash,
            "block_index": place.block_index, "block_time": place.block_time})

    def credit(self, place: Place, holder: str, asset: str, quantity: int, action: str) -> None:
        """Give something to a holder."""
        self.balances[holder, asset] = self.balance(holder, asset) + quantity
        row = self._move(place, holder, asset, quantity) | {"calling_function": action}
        self.credits.append(row)
        self.event(place, "CREDIT", **row)

    def debit(self, place: Place, holder: str, asset: str, quantity: int, action: str) -> None:
        """Take something from a holder, who has it."""
        left = self.balance(holder, asset) - quantity
        if left < 0:
            raise ValueError(f"{holder} has not {quantity} {asset}")
        self.balances[holder, asset] = left
        row = self._move(place, holder, asset, quantity) | {"action": action}
        self.debits.append(row)
        self.event(place, "DEBIT", **row)

    def _move(self, place: Place, holder: str, asset: str, quantity: int) -> Row:
        on_output = ":" in holder
        return {
            "block_index": place.block_index, "address": None if on_output else holder, "asset": asset,
            "quantity": quantity, "event": place.tx_hash, "tx_index": place.tx_index,
            "utxo": holder if on_output else None, "utxo_address": self.owners.get(holder),
            "block_time": place.block_time}

    def send(self, place: Place, name: str, **params: Any) -> None:
        """Record a send, good or bad, and its event."""
        index = 0 if "msg_index" in params else self._next_index(place)
        row: Row = {
            "tx_index": place.tx_index, "tx_hash": place.tx_hash, "block_index": place.block_index,
            "source": None, "destination": None, "asset": None, "quantity": None, "status": "valid",
            "msg_index": index, "memo": None, "fee_paid": 0, "send_type": "send", "source_address": None,
            "destination_address": None, "block_time": place.block_time, **params}
        self.sends.append(row)
        self.event(place, name, **row)

    def _next_index(self, place: Place) -> int:
        count = 0
        while count < len(self.sends) and self.sends[-1 - count]["tx_hash"] == place.tx_hash:
            count += 1
        return count
