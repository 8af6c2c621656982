"""The questions that a gateway asks one counterparty-core over its v2 API, each with its typed answer.

Version 1 is never asked. What it composes is bytes to be judged, and no plan.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from online.chains.bitcoin.answers import hexed, mapping, text, txid, whole
from online.chains.bitcoin.client import Rest
from shared.errors import NodeAnswerUnreadable, NodeRefused

_PAGE = "1000"
_PAGES_MOST = 200
_AT_ONCE = 50
_SPEAKING = ("ENHANCED_SEND", "SEND", "MPMA_SEND", "SWEEP", "BROADCAST")
_NEEDS_MEMO = 1


@dataclass(frozen=True, slots=True)
class CpStatus:
    """What a node says of itself."""

    ready: bool
    network: str
    version: str
    height: int
    backend_height: int


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a node made of a transaction: one row for each thing done, with its status in the node's words."""

    event: str
    status: str
    height: int
    destination: str
    asset: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Moved:
    """A change of a balance that a transaction made, and why: whose, what, how much, up or down."""

    address: str
    asset: str
    quantity: int
    credit: bool
    why: str


@dataclass(frozen=True, slots=True)
class Change:
    """What something in a block changed of an address's own balance of an asset: `units` came (above 0) or went."""

    tx_id: str
    address: str
    asset: str
    units: int


@dataclass(frozen=True, slots=True)
class Received:
    """A valid send to an address; `place` is its number among the sends of its transaction, `memo` as on the wire."""

    tx_id: str
    place: int
    source: str
    destination: str
    asset: str
    quantity: int
    memo: bytes


@dataclass(frozen=True, slots=True)
class Composed:
    """What compose made: a transaction, or a commit with its reveal and the leaf script."""

    raw: bytes
    message: bytes
    reveal: bytes | None
    leaf: bytes | None


class CpNode:
    """One counterparty-core, asked over one connection."""

    def __init__(self, url: str, timeout_seconds: int) -> None:
        self._rest = Rest(url, timeout_seconds)
        self.name = self._rest.name

    def close(self) -> None:
        """Close the connection."""
        self._rest.close()

    def status(self) -> CpStatus:
        """Give what the node says of itself."""
        root = mapping(self._rest.get()["result"])
        return CpStatus(
            ready=root.get("server_ready") is True,
            network=text(root, "network"),
            version=text(root, "version"),
            height=whole(root, "counterparty_height"),
            backend_height=whole(root, "backend_height"),
        )

    def block_hash(self, height: int) -> str:
        """Give the hash of the block that it read at a height."""
        return txid(self._rest.get("blocks", str(height))["result"], "block_hash")

    def balance(self, address: str, asset: str) -> int:
        """Give what an address holds of an asset, what is attached to its outputs left out."""
        rows = self._rows("addresses", address, "balances", asset)
        return sum(whole(row, "quantity") for row in rows if row.get("utxo") is None)

    def decimals(self, asset: str) -> int | None:
        """Give an asset's decimals, 8 or 0; None where it does not exist."""
        try:
            divisible = mapping(self._rest.get("assets", asset)["result"]).get("divisible")
        except NodeRefused as problem:
            if "not found" in str(problem).lower():
                return None
            raise
        if not isinstance(divisible, bool):
            raise NodeAnswerUnreadable(f"the node does not say whether {asset} is divisible")
        return 8 if divisible else 0

    def needs_memo(self, address: str) -> bool:
        """Say whether an address takes no send without a memo."""
        options = mapping(self._rest.get("addresses", address)["result"]).get("options", 0)
        return bool((options if type(options) is int else 0) & _NEEDS_MEMO)

    def with_assets(self, outpoints: Sequence[str]) -> frozenset[str]:
        """Name those of some outputs that hold attached assets: spending one moves them."""
        found: set[str] = set()
        for start in range(0, len(outpoints), _AT_ONCE):
            asked = outpoints[start : start + _AT_ONCE]
            answer = mapping(self._rest.get("utxos", "withbalances", utxos=",".join(asked))["result"])
            for each in asked:
                if not isinstance(answer.get(each), bool):
                    raise NodeAnswerUnreadable(f"the node does not say whether {each} holds assets")
            found |= {each for each in asked if answer[each]}
        return frozenset(found)

    def spoken(self, tx_id: str) -> tuple[Spoken, ...]:
        """Give what the node made of a confirmed transaction; nothing where it found no message in it."""
        try:
            rows = self._rows("transactions", tx_id, "events")
        except NodeRefused as problem:
            if "not found" in str(problem).lower():
                return ()
            raise
        return tuple(_spoken(row) for row in rows if row.get("event") in _SPEAKING)

    def moved(self, tx_id: str) -> tuple[Moved, ...]:
        """Give the balances that a confirmed transaction changed, in the node's order."""
        rows = self._rows("transactions", tx_id, "events")
        return tuple(_moved(row) for row in rows if row.get("event") in ("CREDIT", "DEBIT"))

    def balance_changes(self, height: int) -> tuple[Change, ...]:
        """Give every change of addresses' own balances in a block, the earliest first.

        What is attached to outputs is no part of them, as in `balance`. What no transaction did goes by its block.
        """
        return tuple(
            _change(row, sign)
            for table, sign in (("credits", 1), ("debits", -1))
            for row in reversed(self._rows("blocks", str(height), table))
            if row.get("address") is not None
        )

    def received(self, height: int) -> tuple[Received, ...]:
        """Give the valid sends of a block, the earliest first."""
        rows = reversed(self._rows("blocks", str(height), "sends"))
        return tuple(_received(row) for row in rows if row.get("status") == "valid" and row.get("destination"))

    def next_broadcast(self, address: str, text: str) -> bytes:
        """Give the message of a broadcast with the time that the node takes for the next one of an address."""
        said = {"timestamp": "0", "value": "0", "fee_fraction": "0", "text": text, "return_only_data": "true"}
        return hexed(self._rest.get("addresses", address, "compose", "broadcast", **said)["result"], "data")

    def compose(self, address: str, route: str, params: Mapping[str, str | Sequence[str]]) -> Composed:
        """Let the node compose a transaction. Raises NodeRefused with its words."""
        result = mapping(self._rest.get("addresses", address, "compose", route, **params)["result"])
        pair = result.get("reveal_rawtransaction") is not None
        return Composed(
            hexed(result, "rawtransaction"),
            hexed(result, "data"),
            hexed(result, "reveal_rawtransaction") if pair else None,
            hexed(result, "envelope_script") if pair else None,
        )

    def _rows(self, *path: str) -> list[Mapping[str, Any]]:
        """Give all rows of one transaction, block or balance, the newest first."""
        rows: list[Mapping[str, Any]] = []
        cursor: dict[str, str] = {}
        for _ in range(_PAGES_MOST):
            answer = self._rest.get(*path, limit=_PAGE, **cursor)
            if not isinstance(answer["result"], list):
                raise NodeAnswerUnreadable(f"{self.name} answers without rows")
            rows += [mapping(row) for row in answer["result"]]
            following = answer.get("next_cursor")
            if following is None:
                return rows
            cursor = {"cursor": str(following)}
        raise NodeAnswerUnreadable(f"the pages of {self.name} do not end")


def _spoken(row: Mapping[str, Any]) -> Spoken:
    said = mapping(row.get("params"))
    quantity = said.get("quantity")
    return Spoken(
        text(row, "event"),
        str(said.get("status")),
        whole(row, "block_index"),
        str(said.get("destination")),
        str(said.get("asset")),
        quantity if type(quantity) is int else 0,
    )


def _received(row: Mapping[str, Any]) -> Received:
    memo = b"" if row.get("memo") is None else hexed(row, "memo")
    return Received(
        text(row, "tx_hash"), whole(row, "msg_index"), text(row, "source"), text(row, "destination"),
        text(row, "asset"), whole(row, "quantity"), memo,
    )  # fmt: skip


def _change(row: Mapping[str, Any], sign: int) -> Change:
    tx_id = str(row.get("event") or f"block {row['block_index']}")
    return Change(tx_id, text(row, "address"), text(row, "asset"), sign * whole(row, "quantity"))


def _moved(row: Mapping[str, Any]) -> Moved:
    said, credit = mapping(row.get("params")), row.get("event") == "CREDIT"
    why = said.get("calling_function" if credit else "action")
    return Moved(str(said.get("address")), text(said, "asset"), whole(said, "quantity"), credit, str(why))
